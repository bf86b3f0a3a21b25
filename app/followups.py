"""Follow-ups: a question is tried alone and together with the one before it; what finds more is what was meant."""

from __future__ import annotations

from collections.abc import Sequence

from app.quoted import Evidence

ALONE = 0.1  # of the confidence, that a question alone is ahead of itself with what came before


def readings(question: str, before: Sequence[str]) -> list[str]:
    """Return the ways in which a question may be meant, the one that it has alone first.

    >>> readings("and its cost?", ["How does ring-allreduce work?"])
    ['and its cost?', 'How does ring-allreduce work? and its cost?']
    """
    return [question, *(f"{earlier} {question}" for earlier in before[-1:])]


def best(found: Sequence[Evidence]) -> Evidence:
    """Return what was found for the reading that answers most surely; the first is ahead of the others."""
    alone, *others = found
    return max(
        [alone, *(one for one in others if one.confidence > alone.confidence + ALONE)], key=lambda one: one.confidence
    )
