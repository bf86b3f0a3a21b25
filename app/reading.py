"""Reading lists: their shape (a placeholder of this branch until the real one lands)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Stage = Literal["crawl", "walk", "run"]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to read."""

    url: str
    title: str
    kind: str
    stage: Stage
    minutes: float
    why: str
    quote: str
    deep_url: str
    status: str


@dataclass(frozen=True, slots=True)
class ReadingList:
    """What to read, in order."""

    request: str
    items: tuple[Item, ...]
    gaps: tuple[str, ...] = ()
