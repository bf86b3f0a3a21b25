"""Quoted: the answer that is made of what the sources say: what answers first, then the section that it stands in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

import numpy as np

from app import confidence, differ, sections
from app.answer import Citation, Length, Nearest, Outcome, Section, Sentence
from app.citer import Citer
from app.differ import Stated
from app.sections import Stretch
from index import search
from index.encoder import Asked, Encoder
from index.lexical import terms
from index.passage import Hit
from index.reader import narrow
from index.reader.narrow import Reader
from index.store import Shelf
from ingest.ledger import HAS_TEXT

HITS = 12  # passages that are looked at for an answer
WORDS: Mapping[Length, int] = {"short": 120, "standard": 295, "long": 595}  # that are shown
SECTION = 0.3  # of them, at most, that the first section takes
FURTHER = 5  # sources beside the first, at most
BESIDE = 0.15  # of them, at most, that each of those takes
SAYS = 2  # its sentences, at most
NEARNESS = 5.0  # log-odds for a cosine of 1 between question and sentence, beside what the reader says
FARTHER = 0.15  # cosine: a passage so much farther from the question than the nearest is about something else
NAME = 12  # words that are kept free for the name of a source
BELOW_BEST = 2.5  # log-odds: a sentence so much less likely than the best passage's is not worth showing
NEAREST = 3  # resources that are named if there is no answer


Stage = Callable[[str], AbstractContextManager[None]]
"""Makes a block that takes part of the time of an answer, by its name."""


@dataclass(frozen=True)
class Evidence:
    """What the shelf has for a question."""

    asked: Asked
    hits: Sequence[Hit]  # best first, the first of them read
    confidence: float  # how likely it is that they hold the answer, 0 to 1
    outcome: Outcome


@dataclass(frozen=True)
class Quoted:
    """What is said and shown, with its citations, and where to look instead."""

    sentences: tuple[Sentence, ...]
    sections: tuple[Section, ...]
    citations: tuple[Citation, ...]
    outcome: Outcome
    differ: str = ""
    missing: str | None = None
    nearest: tuple[Nearest, ...] = ()


class Quoter:
    """Finds and quotes what one shelf says."""

    def __init__(self, shelf: Shelf, encoder: Encoder, reader: Reader | None, citer: Citer) -> None:
        """Without a `reader` nothing is claimed to answer; what was found is shown."""
        self._shelf = shelf
        self._encoder = encoder
        self._reader = reader
        self._citer = citer

    def find(
        self, question: str, topic: str = "", limit: int = HITS, *, stage: Stage = lambda _: nullcontext()
    ) -> Evidence:
        """Return what the shelf has for a question; `stage` times searching and reading."""
        with stage("search"):
            asked = self._encoder.ask(question)
            allowed = self._shelf.searched(topic)
            ranking = search.ranked(asked, self._shelf, weights=search.Weights(), allowed=allowed)
            hits = search.hits(self._shelf, ranking, limit)
        if self._reader:
            with stage("read"):
                hits = narrow.read(question, hits, self._reader)
        return Evidence(asked, self._marked(asked, hits), *confidence.confidence(hits))

    def _marked(self, asked: Asked, hits: Sequence[Hit]) -> list[Hit]:
        """Return hits whose sentences are the likelier to answer the nearer they are to the question, too."""
        near = {hit.number: self._shelf.sentence_vectors(hit.number) @ asked.vector for hit in hits if hit.marks}
        nearest = max((float(one.max()) for one in near.values() if len(one)), default=0.0)
        return [
            replace(hit, marks=tuple((np.array(hit.marks) + NEARNESS * (near[hit.number] - nearest)).tolist()))
            if hit.marks
            else hit
            for hit in hits
        ]

    def quote(self, found: Evidence, length: Length = "standard", *, outline: bool = False) -> Quoted:
        """Return an answer from what was found; if nothing answers, what comes closest.

        With an `outline` the sections of the best document follow, each with how it begins, before what others add.
        """
        if found.outcome == "refused" or not found.hits:
            return self._refusal(found)
        words = WORDS[length]
        best = found.hits[0]
        first = sections.grow(best, self._shelf, round(words * SECTION))
        if found.outcome == "closest":
            shown, cited = self._shown([replace(first, marks=())], [])
            if not cited:
                return self._refusal(found)
            return Quoted((), tuple(shown.values()), cited, "closest", nearest=self.nearest(found))
        lead = sections.lead(best)
        citations = [one for n, span in enumerate(lead, 1) if (one := self._citer.cite(best, *span, n))]
        said = tuple(Sentence(readable(citation.quote), (citation.n,)) for citation in citations)
        begins = bool(lead) and first.start == lead[0][0]
        led = 0 if begins else sum(len(sentence.text.split()) for sentence in said)
        room = words - led - self._cost(first)
        stretches = [first, *(self._outline(best, first, room) if outline else ())]
        room -= sum(map(self._cost, stretches[1:]))
        stretches += self._further(found, stretches, round(words * BESIDE), room)
        shown, cited = self._shown(stretches, citations)
        if not cited:
            return self._refusal(found)
        if begins and first in shown:
            shown[first] = replace(shown[first], said=lead[-1][1] - first.start)
        differing = self._differ(found, shown)
        return Quoted(said, tuple(shown.values()), cited, "answered", differing, self._missing(found))

    def _refusal(self, found: Evidence) -> Quoted:
        return Quoted((), (), (), "refused", nearest=self.nearest(found))

    def _missing(self, found: Evidence) -> str | None:
        """Return what a question names and nothing on the shelf does; None if there is nothing."""
        addresses = " ".join(hit.source.url for hit in found.hits).lower()
        lacking = [
            name
            for name in dict.fromkeys(names(found.asked.text))
            if not any(self._shelf.lexical.counts(name).values()) and name.lower() not in addresses
        ]
        return f"Not on the shelf: {', '.join(lacking)}." if lacking else None

    def _differ(self, found: Evidence, shown: Mapping[Stretch, Section]) -> str:
        """Return what is said of shown sentences that answer and give different amounts."""
        stated = []
        for stretch, section in shown.items():
            spans, vectors = sections.sentences(stretch.hit), self._shelf.sentence_vectors(stretch.hit.number)
            at = dict(zip(spans, vectors, strict=True))
            text = self._shelf.page(stretch.hit.source.url)[0]
            stated += [
                Stated(section.n, text[start:end], at[start, end], stretch.hit.source)
                for start, end in stretch.marks
                if (start, end) in at
            ]
        return differ.told(found.asked.text, stated)

    def _shown(
        self, stretches: Sequence[Stretch], citations: Sequence[Citation]
    ) -> tuple[dict[Stretch, Section], tuple[Citation, ...]]:
        """Return the sections of stretches that can be cited, and all citations: those that there are, and theirs."""
        made: dict[Stretch, Section] = {}
        cited = list(citations)
        for one in stretches:
            citation = self._citer.cite(one.hit, one.start, one.end, len(cited) + 1)
            if citation:
                cited.append(citation)
                marks = tuple((start - one.start, end - one.start) for start, end in one.marks if start >= one.start)
                made[one] = Section(citation.n, citation.source, citation.heading, citation.quote, marks)
        return made, tuple(cited)

    def _text(self, stretch: Stretch) -> str:
        return self._shelf.page(stretch.hit.source.url)[0][stretch.start : stretch.end]

    def _cost(self, stretch: Stretch) -> int:
        """Return how many words a stretch takes, its name and mark included."""
        passage, source = stretch.hit.passage, stretch.hit.source
        return len(" ".join([self._text(stretch), source.title, *passage.heading[-1:]]).split()) + 2

    def _outline(self, best: Hit, first: Stretch, room: int) -> Iterator[Stretch]:
        """Yield how the sections of the best document begin, in its order, of so many words at most."""
        for stretch in sections.outline(best, self._shelf):
            room -= self._cost(stretch)
            if room < 0:
                return
            if not first.overlaps(stretch.hit):
                yield stretch

    def _further(self, found: Evidence, shown: Sequence[Stretch], words: int, room: int) -> Iterator[Stretch]:
        """Yield what other passages say that answers, too: a few sentences each, of so many words at most."""
        taken = list(shown)
        least = max(found.hits[0].marks, default=0.0) - BELOW_BEST
        near = max(hit.dense for hit in found.hits) - FARTHER
        for hit in found.hits[1:]:
            if len(taken) > FURTHER:
                return
            if not hit.marks or max(hit.marks) < least or hit.dense < near or any(one.overlaps(hit) for one in taken):
                continue
            spans = sections.answering(hit, words=min(words, room - NAME), most=SAYS)
            if not spans:
                continue
            stretch = Stretch(hit, spans[0][0], spans[-1][1], tuple(spans))
            if any(self._text(one) == self._text(stretch) for one in taken):  # a copy of the page
                continue
            room -= self._cost(stretch)
            taken.append(stretch)
            yield stretch

    def nearest(self, found: Evidence) -> tuple[Nearest, ...]:
        """Return the resources that come nearest to a question, those without text among them."""
        listings = self._shelf.listings()
        known = {hit.source.resource: Nearest(hit.source.resource_title, hit.source.resource) for hit in found.hits}
        known |= {
            listing.url: Nearest(
                listing.title, listing.url, "" if listing.status in READ else f"{listing.status}, not read here"
            )
            for listing in listings
        }
        order = np.argsort(-(self._shelf.listing_vectors() @ found.asked.vector), kind="stable")[:NEAREST]
        described = [listings[n].url for n in order.tolist()] if self._shelf.searched() is None else []
        said = [hit.source.resource for hit in found.hits[: 2 * NEAREST]]
        urls = dict.fromkeys([*said[:1], *described[:1], *said[1:], *described[1:]])
        return tuple(known[url] for url in urls)[:NEAREST]


READ = frozenset(status.value for status in HAS_TEXT)


def names(text: str) -> list[str]:
    """Return the proper names in a question: words with a capital that does not open a sentence, and acronyms.

    >>> names("How does Karpenter's consolidation differ from an NLB? Why?")
    ['Karpenter', 'NLB']
    """
    found = []
    for match in re.finditer(r"\b[A-Za-z]\w*(?:[-/.][A-Za-z]\w*)*(?:['’]s)?", text):
        word = re.sub(r"['’]s$", "", match[0])
        before = text[: match.start()].rstrip(" \"“'‘(")
        inner = re.search(r"[A-Z]", word[1:]) or (word[0].isupper() and before and before[-1] not in ".?!:")
        if inner and terms(word):
            found.append(word)
    return found


def readable(quote: str) -> str:
    """Return a quote as an answer says it: on one line, without the source's own reference marks.

    >>> readable("Rings are optimal [12, 13] for   large buffers.")
    'Rings are optimal for large buffers.'
    """
    return re.sub(r"\s?\[\d{1,3}(?:\s?[,–-]\s?\d{1,3})*\]", "", " ".join(quote.split()))
