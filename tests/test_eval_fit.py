"""Fitting: weights are found again, and are kept only where they are not worse."""

from __future__ import annotations

import json

import numpy as np
import pytest
from conftest import FakeEncoder
from typer.testing import CliRunner

import cli
from app import fitted
from app.assistant import Assistant
from eval import EvalError, fit
from eval.bench import Bench, shelf_of
from eval.fit import Data, Figure, Fitted


def test_the_direction_that_made_the_examples_is_found():
    random = np.random.default_rng(3)
    rows = random.normal(size=(800, 2))
    right = (random.random(800) < 1 / (1 + np.exp(-(rows @ [2.0, -1.0])))).tolist()
    found = fit.logistic(rows, right, ["up", "down"])
    assert found["up"] / found["down"] == pytest.approx(-2.0, abs=0.5)


@pytest.mark.parametrize(
    ("figure", "fell"),
    [
        (Figure("dev own, right first", 0.90, 0.80, 20), True),
        (Figure("dev own, right first", 0.90, 0.85, 20), False),  # one of twenty is noise
        (Figure("test own, right first", 0.90, 0.10, 20), False),  # decides nothing
        (Figure("dev own, right first", 0.80, 0.90, 20), False),
    ],
)
def test_weights_are_kept_where_no_dev_half_is_worse(tmp_path, figure, fell):
    made = Fitted("support", {"cosine": 1.25}, {"cosine": 1.0}, (figure,))
    if fell:
        with pytest.raises(EvalError, match="the weights in use are better on dev own"):
            made.keep(tmp_path)
        assert not list(tmp_path.iterdir())
    else:
        assert json.loads(made.keep(tmp_path).read_text()) == {"cosine": 1.25}


def test_what_is_fitted_is_what_the_answers_read():
    assert {f"{name}.json" for name in fit.FITS} == {
        path.name for path in fitted.HERE.glob("*.json") if path.stem != "texts"
    }


def test_another_shelf_than_that_of_the_recorded_pages_is_refused(tmp_path):
    encoder = FakeEncoder()
    shelf = shelf_of({"a": "A ring has eight workers."}, Bench(encoder, tmp_path), "shelf")
    with pytest.raises(EvalError, match="not that of the recorded pages"):
        _ = Data(tmp_path, lambda: Assistant(shelf, encoder), tmp_path).assistant


def test_a_folder_without_the_benchmark_is_named(tmp_path):
    with pytest.raises(EvalError, match="does not hold WiCE"):
        fit.of_support(Data(tmp_path, lambda: pytest.fail("no shelf is needed"), tmp_path))


def test_a_name_that_is_not_fitted_is_told(tmp_path):
    done = CliRunner().invoke(cli.app, ["eval", "fit", "nothing", "--data", str(tmp_path)])
    assert done.exit_code == 2
    assert "there is no 'nothing' to fit" in done.output.replace("\n", " ")
