"""Confidence: does the shelf hold the answer at all? Told from what the reader makes of the best passages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from app import fitted
from app.answer import Outcome
from index.passage import Hit

FEATURES = (
    "answers",  # log-odds that the likeliest passage answers
    "mark",  # that the likeliest sentence of all does
    "dense",  # highest cosine of question and passage
)


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
    marks = [max(hit.marks) for hit in hits if hit.marks]
    return [
        read[0],
        max(marks, default=0.0),
        max(hit.dense for hit in hits),
    ]
