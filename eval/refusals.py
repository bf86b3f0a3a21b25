"""Refusals: fit the confidence that tells what the shelf can answer, and the threshold below which it says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app import confidence
from app.assistant import Assistant
from eval import squad
from eval.bench import Bench, json_lines
from eval.cases import Case, split_of

C = 0.1  # inverse strength of the L2 penalty
OURS = 3.0  # weight of all our own questions against all of SQuAD's
UNANSWERED, REFUSED = 0.09, 0.02  # shares of our own answerable dev questions that may lie below the two thresholds
EACH = 8  # of SQuAD's questions one of so many is read; all take an hour
FOLDS = 7
DIGITS = 4


@dataclass(frozen=True)
class Examples:
    """Questions as their features, shape (questions, features), and whether each can be answered."""

    values: npt.NDArray[np.float64]
    known: npt.NDArray[np.bool_]


def of_cases(assistant: Assistant, cases: Sequence[Case]) -> Examples:
    """Return our own questions of the dev half; the shelf is that of the recorded pages."""
    mine = [case for case in cases if case.split == "dev" and not case.before]
    return Examples(
        np.array([features(assistant, case.question) for case in mine]), np.array([bool(case.found) for case in mine])
    )


def of_squad(folder: Path, bench: Bench) -> Examples:
    """Return SQuAD's questions of the dev half: with an answer, without one though it looks so, on other articles."""
    assistant = squad.assistant(folder, bench)
    files = ("queries.jsonl", True), ("queries_unanswerable.jsonl", False), ("queries_out_of_corpus_500.jsonl", False)
    asked = [
        (row["text"], known)
        for name, known in files
        for row in [row for row in json_lines(folder / name) if split_of(row["_id"]) == "dev"][::EACH]
    ]
    assistant.encoder.encode([text for text, _ in asked])  # at once, which is quicker; the encoder remembers them
    values = [features(assistant, text) for text, _ in bench.track(asked, "Reading SQuAD", len(asked))]
    return Examples(np.array(values), np.array([known for _, known in asked]))


def features(assistant: Assistant, text: str) -> list[float]:
    """Return what the confidence in an answer to a question is told from."""
    return confidence.features(assistant.find(text).hits)


def fit(squads: Examples, ours: Examples) -> dict[str, float]:
    """Return the weights of a logistic regression, answerable and not counting the same, and the two thresholds.

    The thresholds are told from our own questions, each weighed by a fit that has not seen it.
    """
    weights, intercept = _regression(squads, ours)
    out = np.zeros(len(ours.known))
    for n in range(FOLDS):
        held = np.arange(len(out)) % FOLDS == n
        part, bias = _regression(squads, Examples(ours.values[~held], ours.known[~held]))
        out[held] = ours.values[held] @ part + bias
    reached = np.sort(out[ours.known])
    fitted = dict(zip(confidence.FEATURES, weights.tolist(), strict=True))
    fitted["intercept"] = intercept
    for name, share in {"threshold": UNANSWERED, "closest": REFUSED}.items():
        fitted[name] = float(1 / (1 + np.exp(-reached[int(share * len(reached))])))
    return {name: round(value, DIGITS) for name, value in fitted.items()}


def _regression(squads: Examples, ours: Examples) -> tuple[npt.NDArray[np.float64], float]:
    from sklearn.linear_model import LogisticRegression

    values = np.vstack([squads.values, ours.values])
    known = np.r_[squads.known, ours.known]
    counts = np.r_[_balanced(squads.known), OURS * _balanced(ours.known)] * len(squads.known) / 2
    mean, deviation = values.mean(axis=0), values.std(axis=0) + 1e-9
    model = LogisticRegression(C=C, max_iter=3000).fit((values - mean) / deviation, known, sample_weight=counts)
    weights: npt.NDArray[np.float64] = model.coef_[0] / deviation
    return weights, float(model.intercept_[0] - weights @ mean)


def _balanced(known: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Return weights with which what is known and what is not count 1 each."""
    counts: npt.NDArray[np.float64] = np.where(known, 1 / known.sum(), 1 / (~known).sum())
    return counts
