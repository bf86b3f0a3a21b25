"""Part: which stretch of a page is meant, how long it takes, and what it says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np

from app import sections
from index.passage import Hit, Passage, Source

if TYPE_CHECKING:
    from app.answer import Citation
    from app.candidates import Candidate, Numbers
    from app.citer import Citer
    from index.encoder import Asked, Vectors
    from index.store import Shelf

WORDS_A_MINUTE = 200  # read with care
OPENING = 3  # passages that may say what a page is about, and the one that fits best
WORDS = range(7, 46)  # of a sentence that is a reason
ASKED = 0.3  # how much the likeness to the request counts, against that to the whole part
TITLED = 0.7  # and that to its title
OPENS = 0.35  # how much its first sentence is ahead, where a text says what it is about; the third half as much
ABOUT = 0.55  # likeness to the whole and to the title, summed: below it the headings say more
NAMED = 4  # headings that outline a part


@dataclass(frozen=True, slots=True)
class Part:
    """A page, or one section of it."""

    source: Source
    numbers: Numbers  # of its passages
    best: int  # the one that fits best
    title: str  # of the section; "" where all of the page is meant
    words: int
    outline: str  # which headings it has

    @property
    def minutes(self) -> float:
        """Return how long it takes to read."""
        return float(max(1, round(self.words / WORDS_A_MINUTE)))

    @classmethod
    def of(cls, one: Candidate, shelf: Shelf, longest: float) -> Part | None:
        """Return what is meant of a candidate: the page, or the largest section that takes so many minutes at most.

        It is one with the passage that fits best. None where the candidate has no text.
        """
        if one.source is None:
            return None
        numbers = np.flatnonzero(shelf.document_of == one.document)
        words = one.words(shelf)
        if one.whole or words / WORDS_A_MINUTE <= longest:
            return cls(one.source, numbers, one.best, "", words, _outline(shelf, one.source))
        passages = [passage for passage, _ in shelf.passages(numbers)]
        place = int(np.flatnonzero(numbers == one.best)[0])
        heading = passages[place].heading
        inside, counted = np.ones(len(numbers), dtype=np.bool_), words
        title = ""
        for depth, step in enumerate(heading, 1):
            inside = np.asarray([passage.heading[:depth] == heading[:depth] for passage in passages])
            counted = _words(passages, inside)
            title = step if step != one.title and not inside.all() else ""
            if title and counted / WORDS_A_MINUTE <= longest:
                break
        return cls(one.source, numbers[inside], one.best, title, counted if title else words, "")

    def reason(self, asked: Asked, titled: Vectors, shelf: Shelf, citer: Citer) -> Citation | None:
        """Return the sentence that says best what it is about, None if none does.

        It is likest to the whole of it, to its title, whose vector is `titled`, and to the request, and stands where
        a text says what it is about, or where what was asked for is told.
        """
        whole = shelf.vectors(self.numbers).mean(axis=0)
        whole = whole / max(float(np.linalg.norm(whole)), 1e-9)
        said = []
        for number in dict.fromkeys([*self.numbers[:OPENING].tolist(), self.best]):
            ((passage, source),) = shelf.passages([number])
            hit = Hit(number=number, passage=passage, source=source, score=0.0, dense=0.0, lexical=0.0)
            vectors = shelf.sentence_vectors(number)
            worth = vectors @ whole + ASKED * (vectors @ asked.vector) + TITLED * (vectors @ titled)
            about = vectors @ (whole + titled)
            said += [
                _Said(hit, span, float(here), float(there) >= ABOUT)
                for span, here, there in zip(sections.sentences(hit), worth, about, strict=True)
            ]
        alone = [each for each in said if each.stands_alone] or ([] if self.outline or self.title else said)
        _, best = max(
            ((each.worth + OPENS / (1 + n / 2), each) for n, each in enumerate(alone)),
            key=itemgetter(0),
            default=(0, None),
        )
        return citer.cite(best.hit, *best.span, 1) if best and (best.about or not self.outline) else None


@dataclass(frozen=True, slots=True)
class _Said:
    """A sentence that may say what a part is about."""

    hit: Hit
    span: sections.Span
    worth: float
    about: bool  # it is like the whole

    @property
    def stands_alone(self) -> bool:
        """Return whether it is whole, and understood without the one before it."""
        start = self.hit.passage.start
        quote = self.hit.passage.text[self.span[0] - start : self.span[1] - start]
        whole = len(quote.split()) in WORDS and quote[0].isupper() and quote[-1] in ".!”)"
        return whole and not sections.leans(quote)


def _words(passages: list[Passage], inside: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> int:
    return sum(len(passage.text.split()) for passage, held in zip(passages, inside, strict=True) if held)


def _outline(shelf: Shelf, source: Source) -> str:
    """Return which headings a page has, "" where it has none."""
    steps = dict.fromkeys(path[-1] for path, title in shelf.headings(source.url) if path and path[-1] != title)
    return f"Covers {', '.join(list(steps)[:NAMED])}." if len(steps) > 1 else ""
