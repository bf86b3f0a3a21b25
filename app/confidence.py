"""Confidence: does the shelf hold the answer at all? Told from what the reader makes of the best passages."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

from app import fitted
from app.answer import Outcome
from index.passage import Hit

FEATURES = (
    "answers",  # log-odds that the likeliest passage answers
    "mark",  # that the likeliest sentence of all does
    "mean",  # that the likeliest sentences of the first few passages do, on average
    "dense",  # highest cosine of question and passage
)

FEW = 5  # passages whose likeliest sentences are averaged


class Confidence(NamedTuple):
    """How likely it is that what was found answers, 0 to 1, and what is said for that."""

    probability: float
    outcome: Outcome


def confidence(hits: Sequence[Hit]) -> Confidence:
    """Return how likely it is that hits hold the answer; nothing is claimed if they were not read."""
    model = fitted.read("confidence", FEATURES)
    if all(hit.answers is None for hit in hits):
        return Confidence(0.0, "closest" if hits else "refused")
    probability = model.probability(features(hits))
    if probability >= model.threshold:
        return Confidence(probability, "answered")
    return Confidence(probability, "closest" if probability >= model.extra["closest"] else "refused")


def features(hits: Sequence[Hit]) -> list[float]:
    """Return the features of what was found for a question, in the order of FEATURES."""
    read = sorted((hit.answers for hit in hits if hit.answers is not None), reverse=True) or [0.0]
    marks = sorted((max(hit.marks) for hit in hits if hit.marks), reverse=True) or [0.0]
    return [
        read[0],
        marks[0],
        fmean(marks[:FEW]),
        max(hit.dense for hit in hits),
    ]
