"""Wishes: how somebody wants to be answered, as the settings of a conversation say it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.answer import Length

LENGTHS: tuple[Length, ...] = ("short", "standard", "long")
EXTRACTIVE = "extractive"
FEWEST, USUAL, MOST = 4, 12, 24  # passages


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be wished for on a shelf."""

    topics: Sequence[str]
    kinds: Sequence[str]
    model: str  # "" where no language model is configured


@dataclass(frozen=True, slots=True)
class Wishes:
    """How somebody wants to be answered."""

    topics: tuple[str, ...] = ()  # none: all
    kinds: tuple[str, ...] = ()  # of resources; none: all
    within: str = ""  # one resource
    length: Length = "standard"
    extractive: bool = False  # without the language model, where there is one
    passages: int = USUAL  # read for an answer


def understood(settings: Mapping[str, Any], choices: Choices, *, within: str = "") -> Wishes:
    """Return what settings say, as far as they can be had; whatever else they hold is left aside."""

    def chosen(name: str, values: Sequence[str]) -> tuple[str, ...]:
        said = settings.get(name)
        return tuple(value for value in said if value in values) if isinstance(said, list) else ()

    length, passages = settings.get("length"), settings.get("passages")
    return Wishes(
        topics=chosen("topics", choices.topics),
        kinds=chosen("kinds", choices.kinds),
        within=within,
        length=next((known for known in LENGTHS if known == length), "standard"),
        extractive=settings.get("answering") == EXTRACTIVE,
        passages=min(MOST, max(FEWEST, int(passages))) if isinstance(passages, int | float) else USUAL,
    )
