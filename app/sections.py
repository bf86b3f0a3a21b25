"""Sections: what answers first, and the stretch of its document that it is read in.

An answer leads with the sentences that the reader marked, and what they lean on; it goes on as the document does. What
other sources add is a few sentences each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from index.passage import Hit, Passage
from index.store import Shelf

Span = tuple[int, int]

LEAD, LEADING = 45, 2  # words and sentences that an answer leads with, at most, without what they lean on
BELOW_BEST = 2.0  # log-odds: a sentence so much less likely than the best of its passage is marked, too
UNDECIDED = 0.0  # log-odds from which a sentence is marked, if one is
FEW = 4  # words of a sentence that can answer
FEWEST = 60  # words of a section, below which what stands before is shown, too
FOLLOWS = 1.5  # log-odds by which the sentence behind one that answers is ahead of the one before it
STEPS = 3  # headings that make an outline
SAYS = 8  # words from which the beginning of a section says something
ITEMS = 3  # items that make a list

_ITEM = re.compile(r"(?:^|\n)[ \t]*(?:[-*•–]|\d{1,2}[.)])[ \t]+$")


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of one document: `document.text[start:end]`, in characters, and the sentences in it that answer."""

    hit: Hit  # the passage that it grew from
    start: int
    end: int
    marks: tuple[Span, ...]  # of the document's text

    def overlaps(self, hit: Hit) -> bool:
        """Return whether a passage stands in it, in part at least."""
        passage = hit.passage
        return passage.document == self.hit.passage.document and passage.start < self.end and passage.end > self.start


def sentences(hit: Hit) -> list[Span]:
    """Return where a passage's sentences stand in its document."""
    return [(hit.passage.start + start, hit.passage.start + end) for start, end in hit.passage.sentences]


def answering(hit: Hit, *, words: int = LEAD, most: int = LEADING) -> list[Span]:
    """Return the sentences of a passage that answer: the likeliest, and of those beside it the likelier ones.

    They stand together, with so many words and sentences at most; none if it was not read or none is short enough.
    """
    spans, odds = sentences(hit), hit.marks
    if not odds:
        return []
    worth = [n for n in range(len(odds)) if _says_something(hit, spans[n])]
    if not worth:
        return []
    first = last = max(worth, key=odds.__getitem__)
    room = words - _count(hit, spans[first])
    if room < 0 and words != LEAD:  # as a lead even a long sentence does
        return []
    while last - first + 1 < most:
        # What follows on an answer is read more easily than what comes before it.
        beside = {n: odds[n] + FOLLOWS * (n > last) for n in (first - 1, last + 1) if 0 <= n < len(odds)}
        beside = {n: odd for n, odd in beside.items() if n in worth and _count(hit, spans[n]) <= room}
        if not beside:
            break
        taken = max(beside, key=lambda n: beside[n])
        room -= _count(hit, spans[taken])
        first, last = min(first, taken), max(last, taken)
    return spans[first : last + 1]


def _says_something(hit: Hit, span: Span) -> bool:
    """Return whether a sentence stands for itself: it has a few words beside addresses, and no end that leads on."""
    text = _text(hit, span).rstrip()
    plain = [word for word in text.split() if "://" not in word and any(map(str.isalpha, word))]
    return len(plain) >= FEW and not text.endswith((",", ";"))


def lead(hit: Hit) -> list[Span]:
    """Return the sentences that an answer leads with: those that answer, behind what they lean on.

    An item of a list leans on what introduces the list, which is shown behind it.
    """
    found, spans = answering(hit), sentences(hit)
    if not found:
        return []
    at = spans.index(found[0])
    if (introduces := _introduction(hit, at)) is not None:
        return [spans[introduces]]
    while at and len(found) <= LEADING and leans(_text(hit, spans[at])):
        at -= 1
        found = [spans[at], *found]
    return found


def leans(sentence: str) -> bool:
    """Return whether a sentence needs the one before it to be understood.

    >>> leans("This is why it fails."), leans("Then again, no."), leans("Thistles fail."), leans("The ring is closed.")
    (True, True, False, False)
    """
    words = re.findall(r"[a-z']+", sentence[:60].lower())
    return any(words[: len(opening)] == list(opening) for opening in _openings())


def marked(hit: Hit) -> list[Span]:
    """Return all sentences of a passage that answer, wherever they stand."""
    if not hit.marks:
        return []
    least = max(UNDECIDED, max(hit.marks) - BELOW_BEST)
    return [span for span, odds in zip(sentences(hit), hit.marks, strict=True) if odds >= least]


def grow(hit: Hit, shelf: Shelf, words: int) -> Stretch:
    """Return the section that an answer is read in: from its lead on, as far as the headings and `words` allow.

    A section that would be very short begins with what stands before the lead. Without a lead it is that of the whole
    passage.
    """
    led = lead(hit)
    start, end = led[0][0] if led else hit.passage.start, hit.passage.end
    room = words - _words(hit, start, end)
    if room < 0:
        ends = [span[1] for span in sentences(hit) if span[1] > start and _words(hit, start, span[1]) <= words]
        end = max([*ends, *(span[1] for span in led)], default=min([end, *(span[1] for span in sentences(hit))]))
    for passage in _following(hit, shelf) if room > 0 else ():
        end, room, whole = _on(passage, end, room)
        if not whole:
            break
    if words - room < FEWEST:
        starts = [span[0] for span in sentences(hit) if span[0] < start and _words(hit, span[0], start) <= room]
        start = min([start, *starts])
    return Stretch(hit, start, end, tuple(span for span in marked(hit) if span[0] >= start and span[1] <= end))


def outline(hit: Hit, shelf: Shelf) -> list[Stretch]:
    """Return how the sections around a hit begin, in the order of its document: those under the nearest heading above.

    A heading counts that has a few under it; there is no outline if none does.
    """
    first: dict[tuple[str, ...], tuple[int, Passage]] = {}  # the first passage of each heading
    for number in _document(hit, shelf):
        ((passage, _),) = shelf.passages([number])
        if passage.sentences:
            first.setdefault(passage.heading, (number, passage))
    for depth in range(len(hit.passage.heading), -1, -1):
        around = hit.passage.heading[:depth]
        under = [held for heading, held in first.items() if heading[:depth] == around and heading != around]
        if len(under) >= STEPS:
            return [_beginning(replace(hit, number=number, passage=passage, marks=())) for number, passage in under]
    return []


def _document(hit: Hit, shelf: Shelf) -> range:
    """Return the numbers of the passages of a hit's document."""

    def inside(number: int) -> bool:
        ((passage, _),) = shelf.passages([number])
        return passage.document == hit.passage.document

    start, end = hit.number, hit.number + 1
    while start and inside(start - 1):
        start -= 1
    while end < shelf.manifest.passages and inside(end):
        end += 1
    return range(start, end)


def _beginning(hit: Hit) -> Stretch:
    """Return the first sentences of a passage, enough to say something."""
    spans = sentences(hit)
    end = next((span[1] for span in spans if _words(hit, spans[0][0], span[1]) >= SAYS), spans[-1][1])
    return Stretch(hit, spans[0][0], end, ())


def _following(hit: Hit, shelf: Shelf) -> Iterator[Passage]:
    """Yield the passages that go on where a hit ends, under its headings."""
    text, end = shelf.page(hit.source.url)[0], hit.passage.end
    for number in range(hit.number + 1, shelf.manifest.passages):
        ((passage, _),) = shelf.passages([number])
        if (passage.document, passage.heading) != (hit.passage.document, hit.passage.heading):
            return
        if text[end : passage.start].strip():  # what stands between them is in no passage: it is not for quoting
            return
        end = passage.end
        yield passage


def _on(passage: Passage, end: int, room: int) -> tuple[int, int, bool]:
    """Return the new end of a section, the room left, and whether all of the next passage is in it."""
    count = len(passage.text.split())
    if count <= room:
        return passage.end, room - count, True
    for first, last in passage.sentences:
        count = len(passage.text[first:last].split())
        if count > room:
            break
        end, room = passage.start + last, room - count
    return end, room, False


def _introduction(hit: Hit, at: int) -> int | None:
    """Return the number of the sentence that introduces the list in which a sentence stands, None if there is none."""
    items = [n for n in range(len(hit.passage.sentences)) if _is_item(hit.passage, n)]
    if len(items) < ITEMS or not items[0] <= at:
        return None
    before = items[0] - 1
    return before if before >= 0 and _text(hit, sentences(hit)[before]).endswith(":") else None


def _is_item(passage: Passage, n: int) -> bool:
    """Return whether a sentence of a passage begins an item of a list."""
    return _ITEM.search(passage.text[: passage.sentences[n][0]]) is not None


@cache
def _openings() -> frozenset[tuple[str, ...]]:
    lines = (Path(__file__).parent / "leaning.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(tuple(line.split()) for line in lines if line and not line.startswith("#"))


def _text(hit: Hit, span: Span) -> str:
    return hit.passage.text[span[0] - hit.passage.start : span[1] - hit.passage.start]


def _count(hit: Hit, span: Span) -> int:
    return len(_text(hit, span).split())


def _words(hit: Hit, start: int, end: int) -> int:
    return len(hit.passage.text[start - hit.passage.start : end - hit.passage.start].split())
