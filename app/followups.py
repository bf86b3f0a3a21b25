"""Follow-ups: is a question meant alone, or together with the one before it? Told from what both readings find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app import fitted
from app.quoted import Evidence
from index.encoder import Vectors

FEATURES = (
    "follow",  # log-odds that it is a follow-up, by its own words; see app.intent
    "alone",  # confidence in what it finds alone
    "joined",  # in what it finds together with the question before it
    "alike",  # cosine of the two questions
    "near",  # highest cosine of what it finds alone
)
AHEAD = 0.1  # of the confidence, by which a likelier reading is ahead of another


@dataclass(frozen=True)
class Readings:
    """A question read alone, and joined to the one before it."""

    follow: float
    alone: Evidence
    joined: Evidence
    before: Vectors  # of the question before it

    @property
    def features(self) -> list[float]:
        """Return what is told from, in the order of FEATURES."""
        near = max((hit.dense for hit in self.alone.hits), default=0.0)
        return [self.follow, self.alone.confidence, self.joined.confidence, self.alike, near]

    @property
    def alike(self) -> float:
        """Return the cosine of the question and the one before it."""
        return float(self.alone.asked.vector @ self.before)

    @property
    def meant(self) -> Evidence:
        """Return what was found for the reading that is meant."""
        model = fitted.read("followups", FEATURES)
        return self.joined if model.probability(self.features) >= model.threshold else self.alone


def best(found: Sequence[Evidence]) -> Evidence:
    """Return what was found for the reading that answers most surely; the first is ahead of the others."""
    first, *others = found
    return max(
        [first, *(one for one in others if one.confidence > first.confidence + AHEAD)], key=lambda one: one.confidence
    )
