"""Marks: the numbers by which a model says where a sentence comes from, in all the ways in which models write them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from app import clean

LONGEST = 60  # characters of a mark; an open bracket further back than that begins none

DEEPEST = 4  # brackets in brackets

_OPEN, _CLOSE = "[【［〔⟦", "]】］〕⟧"
_LABEL = (
    r"(?:(?:passages?|sources?|refs?|references?|docs?|documents?|citations?|cite|numbers?|nos?|see|from|and|or|to)\b[.:]?"
    r"|(?:p|n|s|id)[.:]?(?=\s?\d)|[#^№])"
)
_INSIDE = re.compile(rf"\s+|\d+|[,;&/+|·]|[-–—‑−~]|(?::\d+)|†[^\]】］]{{0,40}}|{_LABEL}|[\"'*_]", re.IGNORECASE)
_IN_WORDS = re.compile(rf"\((?:{_LABEL}\s*)+\d+(?:(?:\s|,|;|-|–|&|{_LABEL})+\d+)*\)", re.IGNORECASE)
_RAISED = re.compile(r"(?<=[.!?,;:\"”’)\]])[⁰¹²³⁴-⁹]+(?:\s?[,⁻–]\s?[⁰¹²³⁴-⁹]+)*")
_RAISED_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_RANGE = re.compile(r"(\d+)\s*(?:(?:[-–—‑−~]|\bto\b)+\s*(?:[#^]\s*)?(\d+))?", re.IGNORECASE)
_AFTER = re.compile(r"[\]】］〕⟧]*(?:\([^()\n]*\))?")  # a closing bracket too many; the address of a link
_JOINED = re.compile(rf"\s?[-–—]\s?(?=[{re.escape(_OPEN)}]\d)")  # [1]-[3]
_UNCLOSED = re.compile(  # and no interval like [0, 1)
    rf"[{re.escape(_OPEN)}]{{1,4}}\s?\d{{1,20}}(?:\s?[–-]\s?\d{{1,20}})?(?!\s?[,\d.]\s?\d|\s?,)"
    rf"(?![^{re.escape(_OPEN)}]{{0,200}}[{re.escape(_CLOSE)}])"
)
_INTERVAL = re.compile(r"[\[［]\s*[-−+]?\d+\s*,\s*[-−+]?\d+\s*[\]］)]")
_INTERVAL_AFTER = re.compile(
    r"(?:\b(?:in|to|into|range|ranges|interval|within|between|from|onto|over|values?)|[∈=×])\s*$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark in a text, and the passages that it names."""

    start: int
    end: int
    numbers: tuple[int, ...]  # of 1 to the count of passages, in order; none where all are invented


def find(text: str, most: int) -> list[Mark]:
    """Return the marks of a text over `most` passages; code and maths hold none.

    >>> [mark.numbers for mark in find("Rings [1, 3], trees【2†L1】, both [2-4] and `x[1]`, none [9].", 4)]
    [(1, 3), (2,), (2, 3, 4), ()]
    """
    found: list[Mark] = []
    offset = 0
    for kind, part in clean.spans(text):
        if kind == "prose":
            found += [Mark(offset + a, offset + b, _numbers(part[a:b], most)) for a, b in _places(part)]
        offset += len(part)
    return found


def plain(text: str) -> str:
    r"""Return a text in which marks are written in brackets that are escaped, raised, set as code or left open.

    >>> plain(r"Rings \[1\] and trees<sup>2, 3</sup>")
    'Rings [1] and trees[2, 3]'
    """
    text = re.sub(r"(?<!`)`(\[\s*\d[\d,\s–-]*\])`(?!`)", r"\1", text)
    # A sentence begins after a mark that was left open; it must not pass for a part of the one before.
    text = re.sub(r"\[\s*(\d{1,3})(?=\s+(?:- )?[A-Z])(?![^\[\]]*\])", r"[\1].", text)
    text = re.sub(r"\\\[(\s*\d[\d,\s–-]*)\\\]", r"[\1]", text)
    return re.sub(r"<sup>\s*\[?(\d[\d,\s–-]*)\]?\s*</sup>", r"[\1]", text, flags=re.IGNORECASE)


def strip(text: str) -> str:
    """Return a text without its marks, tidied where they stood.

    >>> strip("Rings are optimal [1] , as [[2]] shows.[3]")
    'Rings are optimal, as shows.'
    """
    for mark in reversed(find(text, 0)):
        text = text[: mark.start] + ("" if text[: mark.start].endswith(" ") else " ") + text[mark.end :]
    text = _UNCLOSED.sub("", text)
    return re.sub(r" ([.,;:!?)])", r"\1", re.sub(r"[ \t]+", " ", text)).strip()


def held(text: str) -> int:
    """Return where a mark may have begun that is not yet complete, the text's length where none has.

    >>> held("Rings are optimal [1, "), held("Rings are optimal [1]")
    (18, 21)
    """
    begun: list[int] = []
    for at in range(max(0, len(text) - LONGEST), len(text)):
        if text[at] in f"{_OPEN}(<":
            begun.append(at)
        elif text[at] in f"{_CLOSE})>" and begun:
            begun.pop()
    return next((at for at in begun if not re.search(r"[.!?]\s", text[at:])), len(text))


def _places(text: str) -> Iterator[tuple[int, int]]:
    at = 0
    while at < len(text):
        end = _end(text, at)
        if end:
            yield at, end
        at = end or at + 1


def _end(text: str, at: int) -> int:
    """Return where the mark that begins at a place ends, 0 where none does."""
    if text[at] in _OPEN:
        if _INTERVAL.match(text, at) and _INTERVAL_AFTER.search(text[:at]):
            return 0
        return _bracketed(text, at)
    pattern = _IN_WORDS if text[at] == "(" else _RAISED
    found = pattern.match(text, at)
    return found.end() if found else 0


def _bracketed(text: str, at: int) -> int:
    """Return the end of a bracket, nested or not, that holds numbers and nothing but what belongs to them."""
    depth, here, closed, numbers = 0, at, 0, False
    while here < min(len(text), at + 4 * LONGEST):
        if text[here] in _OPEN:
            depth += 1
            if depth > DEEPEST:
                break
        elif text[here] in _CLOSE:
            depth -= 1
            closed = here + 1
            if depth == 0:
                joined = _JOINED.match(text, closed)
                if not joined:
                    break
                closed = 0
                here = joined.end()
                continue
        else:
            inside = _INSIDE.match(text, here)
            if not inside:
                break
            numbers = numbers or any(character.isdecimal() for character in inside.group())
            here = inside.end()
            continue
        here += 1
    if not closed or not numbers or not any(character.isdecimal() for character in text[at:closed]):
        return 0
    if re.match(r"[\[［]\s*[-−]\s*\d+\s*,", text[at:closed]):  # an interval that begins below zero
        return 0
    after = _AFTER.match(text, closed)
    return after.end() if after else closed


def _numbers(mark: str, most: int) -> tuple[int, ...]:
    text = re.sub(r":\d+|†[^\]】］]*|\([^()]*\)$", "", mark.translate(_RAISED_DIGITS)) if mark[0] != "(" else mark
    if re.match(r"[\[［]\s*[-−]", text):
        return ()
    named: dict[int, None] = {}
    for first, last in _RANGE.findall(text):
        # At most nine digits count: the number of a passage has two.
        low, high = int(first[:9]), int((last or first)[:9])
        numbers = range(max(low, 1), min(high, most) + 1) if low <= high else [n for n in (low, high) if 1 <= n <= most]
        named |= dict.fromkeys(numbers)
    return tuple(named)
