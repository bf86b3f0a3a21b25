"""Differ: where two sources of an answer give different amounts of the same thing, both are named with their dates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from app.answer import marks
from index.encoder import Vectors
from index.passage import Source

ALIKE = 0.7  # cosine from which two sentences are about the same thing

_AMOUNT = re.compile(
    r"(?<![\w.\-/])(?:[~≈$€]\s?)?(\d[\d,]*(?:\.\d+)?)\s?(%|[kKMGTP]i?B(?:/s)?|ms|seconds?|minutes?|hours?|days?|weeks?|months?|years?"
    r"|bytes?|bits?|times|steps?|workers?|nodes?|replicas?|copies|requests?|queries|users?|items?|x\b)?(?![\w/])"
)


@dataclass(frozen=True, slots=True)
class Stated:
    """A sentence that an answer shows."""

    n: int  # of its citation
    text: str
    vector: Vectors
    source: Source


def amounts(text: str) -> dict[str, set[str]]:
    """Return the numbers of a text by their unit ("" for none), without separators of thousands.

    >>> amounts("It waits 30 seconds, or 1,024 of them.")
    {'second': {'30'}, '': {'1024'}}
    """
    found: dict[str, set[str]] = {}
    for number, unit in _AMOUNT.findall(text):
        found.setdefault(unit.rstrip("s") if unit not in {"ms"} else unit, set()).add(number.replace(",", ""))
    return found


def told(question: str, stated: Sequence[Stated]) -> str:
    """Return what is said of sources that differ, "" if none do."""
    said = [
        f"{_said(a, one)}, {_said(b, two)}"
        for one, two in combinations(stated, 2)
        for a, b in [_conflict(question, one, two)]
        if a
    ]
    return f"The sources differ: {'; '.join(said)}." if said else ""


def _conflict(question: str, one: Stated, two: Stated) -> tuple[str, str]:
    """Return the two numbers, in one unit, that sentences of two sources give for one thing; "" if they do not."""
    if one.source.resource == two.source.resource or float(one.vector @ two.vector) < ALIKE:
        return "", ""
    asked, ones, twos = amounts(question), amounts(one.text), amounts(two.text)
    for unit in ones.keys() & twos.keys():
        known = asked.get(unit, set())
        a, b = ones[unit] - known, twos[unit] - known
        if unit and len(a) == len(b) == 1 and not a & b:
            plural = f"{unit}s" if len(unit) > 2 and unit.isalpha() and unit.islower() else unit
            return f"{a.pop()} {plural}", f"{b.pop()} {plural}"
    return "", ""


def _said(amount: str, one: Stated) -> str:
    date = (one.source.published or one.source.fetched_at)[:10]
    return f"{amount} in {marks([one.n])}{f' ({date})' if date else ''}"
