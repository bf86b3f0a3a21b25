"""Passage and Hit: the smallest thing that is found, and a thing found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Nature = Literal["text", "code", "table"]


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of one document small enough to quote: `document.text[start:end] == text`."""

    id: str  # stable across rebuilds: of the same text in the same document
    document: str  # the document's address
    start: int  # characters into the document's text
    end: int
    text: str
    heading: tuple[str, ...]  # the headings above it, outermost first
    places: tuple[tuple[int, str], ...]  # from which offset into `text` on which place is its own, see place_at
    kind: Nature
    sentences: tuple[tuple[int, int], ...]  # offsets into `text` of what may be quoted alone

    def place_at(self, offset: int) -> str:
        """Return the URL fragment, without its mark, of what stands at an offset into the text.

        >>> passage = Passage("1", "d", 0, 9, "one two 3", (), ((0, "page=1"), (4, "page=2")), "text", ())
        >>> passage.place_at(3), passage.place_at(8)
        ('page=1', 'page=2')
        """
        return next((place for start, place in reversed(self.places) if start <= offset), "")


@dataclass(frozen=True, slots=True)
class Source:
    """What is known of the document that a passage stands in."""

    url: str
    title: str
    resource: str  # the curated link it belongs to
    resource_title: str
    topic: str
    kind: str  # of the resource: "article", "paper", "note" ...
    form: str  # of the document: "html", "pdf" ...
    sha256: str  # of its text
    published: str
    fetched_at: str


@dataclass(frozen=True, slots=True)
class Listing:
    """A resource as the shelf lists it, whether its text could be read or not."""

    url: str
    title: str
    topic: str
    kind: str  # "video", "paper", "book", "note" ...
    status: str  # what became of it, see ingest.ledger.Status
    words: int  # of all its pages that were read
    note: str  # the curator's
    stage: str  # "crawl", "walk", "run", where somebody has said so; else ""
    reason: str  # why it has no text, or no more
    curated: bool  # a list names it; False for a stray page of an archive

    @property
    def described(self) -> str:
        """Return what a request is compared with: title, topic and note."""
        return ". ".join(part for part in (self.title, self.topic.replace(" > ", ", "), self.note) if part)


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a question."""

    number: int  # the passage's row in its shelf
    passage: Passage
    source: Source
    score: float  # higher is better; comparable within one question only
    dense: float  # cosine of question and passage, -1 to 1
    lexical: float  # BM25, 0 and up
    wide: float = 0.0  # of the wide reader, see index.reader.wide
    answers: float | None = None  # log-odds that it answers, as the narrow reader has it; None: it was not read
    marks: tuple[float, ...] = ()  # log-odds that each of its sentences does

    def follows(self, other: Hit) -> bool:
        """Return whether this passage goes on where another one ends, under the same headings."""
        here = (self.source.url, self.passage.heading)
        return self.number == other.number + 1 and here == (other.source.url, other.passage.heading)
