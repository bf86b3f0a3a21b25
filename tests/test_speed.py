"""Speed is measured turn by turn, told as it was, and a shelf that grows stays quick and finds the nearest."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from eval import EvalError, growth, races, speed
from eval.speed import OURS, Row
from ingest import silently

RACE = Row("search", ">= 5x", {OURS: [1.0, 2.0, 1.0], "theirs": [6.0, 8.0, 5.0]}, least=5.0)


def test_contestants_take_turns_on_the_same_material():
    seen = []
    taken = speed.turns({name: lambda turn, name=name: seen.append((name, turn)) for name in "ab"}, 3, silently)
    assert seen == [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 2), ("b", 2)]
    assert {name: len(spent) for name, spent in taken.wall.items()} == {"a": 3, "b": 3}


def test_a_turn_lasts_as_long_as_the_work():
    (spent,) = speed.turns({"a": lambda _: time.sleep(0.05)}, 1, silently).wall["a"]
    assert 0.05 <= spent < 2


def test_a_ratio_is_the_median_of_the_turns():
    assert RACE.ratio("theirs") == 5
    assert RACE.median("theirs") == 6


@pytest.mark.parametrize(
    ("row", "reached"),
    [
        (RACE, True),
        (Row("search", "", {OURS: [2.0], "theirs": [9.0]}, least=5.0), False),
        (Row("help", "", {OURS: [0.2, 0.25, 0.4]}, most=0.3), True),
        (Row("help", "", {OURS: [0.2, 0.35, 0.4]}, most=0.3), False),
        (
            Row(
                "embed", "", {OURS: [1.0], "theirs": [9.0]}, facts={"overlap": 0.9}, least=4.0, floors={"overlap": 0.95}
            ),
            False,
        ),
        (
            Row(
                "embed",
                "",
                {OURS: [1.0], "theirs": [9.0]},
                facts={"overlap": 0.96},
                least=4.0,
                floors={"overlap": 0.95},
            ),
            True,
        ),
    ],
)
def test_a_goal_is_reached_or_not(row, reached):
    assert row.reached is reached
    assert row.as_json()["reached"] is reached


def test_the_tables_tell_all_and_the_files_hold_it(tmp_path):
    size = growth.Size(1000, "Flat", 2.0, 3.0, 0.99, 50.0, 12.0, 4.0)
    race, grown = speed.tables([RACE], [size])
    assert race.rows[0][:6] == ("search", ">= 5x", "1 s", "theirs 6 s", "5.0x", "yes")
    assert grown.rows[0][:3] == ("1,000", "Flat", "2.0 ms")
    speed.write([RACE], [size], tmp_path)
    held = json.loads((tmp_path / "speed.json").read_text())
    assert held["rows"][0]["ratio"] == {"theirs": 5.0}
    assert held["growth"][0]["bytes_a_passage"] == pytest.approx(50 * 2**20 / 1000)
    assert (tmp_path / "growth.svg").read_text().startswith("<svg")


def test_what_is_shared_of_the_highest_is_counted():
    scores = np.array([[3.0, 2.0, 1.0, 0.0]])
    assert races.shared(scores, scores, depth=2) == 1
    assert races.shared(scores, np.array([[3.0, 0.0, 2.0, 1.0]]), depth=2) == 0.5


def test_a_row_that_there_is_none_of_is_named(tmp_path, assistant):
    bench = races.Bench(tmp_path, assistant)
    with pytest.raises(EvalError, match="no row 'colour'; choose of embed"):
        races.measure(bench, ["colour"], tell=print)


def test_a_generated_shelf_is_built_asked_and_weighed(tmp_path):
    size = growth.measure(600, tmp_path)
    assert (size.passages, size.kind) == (600, "Flat")
    assert size.recall == 1
    assert 0 < size.p50_ms <= size.p95_ms
    assert size.disk_megabytes > 600 * 384 * 4 / 2**20
