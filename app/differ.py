"""Differ: where two sources of an answer give different numbers for the same thing, both are named with their dates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations

from app.answer import marks
from app.extractive import Candidate
from app.question import Question
from index.lexical import terms

ALIKE = 0.7  # cosine from which two sentences are about the same thing
SHARED = 0.4  # share of their words that they have in common, from which they are

_AMOUNT = re.compile(
    r"(?<![\w.\-/])(?:[~≈$€]\s?)?(\d[\d,]*(?:\.\d+)?)\s?(%|[kKMGTP]i?B(?:/s)?|ms|seconds?|minutes?|hours?|days?|weeks?|months?|years?"
    r"|bytes?|bits?|times|steps?|workers?|nodes?|replicas?|copies|requests?|queries|users?|items?|x\b)?(?![\w/])"
)


def amounts(text: str) -> dict[str, set[str]]:
    """Return the numbers of a text by their unit ("" for none), without separators of thousands.

    >>> amounts("It waits 30 seconds, or 1,024 of them.")
    {'second': {'30'}, '': {'1024'}}
    """
    found: dict[str, set[str]] = {}
    for number, unit in _AMOUNT.findall(text):
        found.setdefault(unit.rstrip("s") if unit not in {"ms"} else unit, set()).add(number.replace(",", ""))
    return found


def told(question: Question, chosen: Sequence[Candidate]) -> str:
    """Return what is said of sources that differ, "" where none do; sentence n of the answer is cited as [n]."""
    if question.kind not in {"number", "when"}:
        return ""
    said = [
        f"{_said(a, n, one)}, {_said(b, m, two)}"
        for (n, one), (m, two) in combinations(enumerate(chosen, 1), 2)
        for a, b in [_conflict(question, one, two)]
        if a
    ]
    return f"The sources differ: {'; '.join(said)}." if said else ""


def _conflict(question: Question, one: Candidate, two: Candidate) -> tuple[str, str]:
    """Return the two numbers, in one unit, that sentences of two sources give for one thing; "" where they do not."""
    if one.hit.source.resource == two.hit.source.resource or not _about_the_same(one, two):
        return "", ""
    asked, ones, twos = amounts(question.text), amounts(one.quote), amounts(two.quote)
    for unit in ones.keys() & twos.keys():
        known = asked.get(unit, set())
        a, b = ones[unit] - known, twos[unit] - known
        if unit and len(a) == len(b) == 1 and not a & b:
            plural = f"{unit}s" if len(unit) > 2 and unit.isalpha() and unit.islower() else unit
            return f"{a.pop()} {plural}", f"{b.pop()} {plural}"
    return "", ""


def _about_the_same(one: Candidate, two: Candidate) -> bool:
    digits = re.compile(r"\d")
    a, b = ({word for word in terms(each.quote) if not digits.search(word)} for each in (one, two))
    return float(one.vector @ two.vector) >= ALIKE or len(a & b) >= SHARED * len(a | b)


def _said(amount: str, n: int, one: Candidate) -> str:
    source = one.hit.source
    date = (source.published or source.fetched_at)[:10]
    return f"{amount} in {marks([n])}{f' ({date})' if date else ''}"
