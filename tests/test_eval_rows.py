"""Rows on disk: nothing is lost, nothing is measured twice."""

from __future__ import annotations

import json

import pytest

from eval import EvalError, rows
from eval.rows import About, Row

ABOUT = About("20260101T000000Z-aaaa", "2026-01-01", {"kind": "starter"}, {"own": "1"}, {})


def test_a_run_that_was_broken_off_is_continued(tmp_path):
    run = rows.begin(tmp_path, ABOUT)
    run.add(Row("a", "answers", scores={"mrr": 1.0}))
    with (run.folder / "rows.jsonl").open("a") as stream:
        stream.write('{"id": "b", "sui')  # a kill in the middle of a line
    again = rows.begin(tmp_path, About("20260102T000000Z-bbbb", "later", *fields_of(ABOUT)))
    assert again.about.name == ABOUT.name
    assert again.done("answers") == {"a"}
    again.add(Row("b", "answers"))
    assert [row.id for row in rows.read_rows(again.folder / "rows.jsonl")] == ["a", "b"]


def fields_of(about):
    return about.shelf, about.cases, about.settings


@pytest.mark.parametrize(
    "changed", [{"shelf": {"kind": "other"}}, {"cases": {"own": "2"}}, {"settings": {"split": "dev"}}]
)
def test_a_run_that_measured_something_else_is_not_continued(tmp_path, changed):
    rows.begin(tmp_path, ABOUT)
    known = dict(zip(("shelf", "cases", "settings"), fields_of(ABOUT), strict=True)) | changed
    assert rows.begin(tmp_path, About("20260102T000000Z-bbbb", "later", **known)).about.name != ABOUT.name


def test_a_finished_run_is_not_continued_and_is_the_last_one(tmp_path):
    first = rows.begin(tmp_path, ABOUT)
    first.finish()
    second = rows.begin(tmp_path, About("20260102T000000Z-bbbb", "later", *fields_of(ABOUT)))
    assert second.about.name != first.about.name
    assert rows.open_run(tmp_path).about.name == first.about.name
    assert rows.open_run(tmp_path, "bbbb").about.name == second.about.name
    second.finish()
    assert rows.previous(tmp_path, second).about.name == first.about.name
    assert rows.previous(tmp_path, first) is None


def test_a_run_that_is_not_there_is_named_with_those_that_are(tmp_path):
    rows.begin(tmp_path, ABOUT)
    with pytest.raises(EvalError, match=ABOUT.name):
        rows.open_run(tmp_path, "nowhere")


def test_averages_leave_out_what_was_skipped_and_what_has_no_score():
    held = [Row("a", "answers", scores={"mrr": 1.0}), Row("b", "answers", skipped="no page"), Row("c", "answers")]
    assert rows.average(rows.chosen(held), "mrr") == 1.0
    assert rows.average(held, "found@5") is None


def test_a_row_is_one_line_of_json(tmp_path):
    run = rows.begin(tmp_path, ABOUT)
    run.add(Row("a", "answers", question="two\nlines", detail={"answer": {"text": "x"}}))
    (line,) = (run.folder / "rows.jsonl").read_text().splitlines()
    assert json.loads(line)["question"] == "two\nlines"


def test_runs_of_one_second_are_sorted_by_time():
    names = [rows.new_name() for _ in range(200)]
    assert names == sorted(names)
    assert len(set(names)) == len(names)
