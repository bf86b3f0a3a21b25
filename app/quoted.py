"""Quoted: the answer that is made of quotes alone, and what is said where the shelf holds none, or half of one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from app import compose, confidence, extractive
from app import differ as differing
from app import question as questions
from app.answer import Citation, Length, Nearest, Sentence
from app.extractive import Candidate
from app.question import Question
from index import search
from index.encoder import Encoder, Vectors
from index.lexical import terms
from index.passage import Hit, Listing
from index.store import Shelf
from ingest.ledger import HAS_TEXT

HITS = 12  # passages that an answer is made from
NEAREST = 3  # resources that are named where there is no answer
ALONE = 0.1  # confidence that a question may lose when no subject is carried over to it from the one before
ABOUT = 0.6  # share of the words for one side of a comparison that a passage about it has

_OF_A_RESOURCE = re.compile(
    r"\b(?:books?|courses?|videos?|lectures?|lessons?|chapters?|posts?|articles?|blogs?|talks?|playlists?"
    r"|learning plans?|workshops?|modules?|episodes?|authors?|according to|says?|recommends?|teach(?:es)?|taught"
    r"|problems in|minutes of)\b",
    re.IGNORECASE,
)

Cite = Callable[[Hit, tuple[int, int], int], Citation | None]


@dataclass(frozen=True)
class Evidence:
    """What the shelf has for a question, or for one of several asked at once."""

    asked: Question
    vector: Vectors
    hits: Sequence[Hit]
    rarity: Mapping[str, float]
    scored: Sequence[Candidate]  # best first
    confidence: float  # how likely it is that they hold the answer, 0 to 1
    enough: float  # from which it is answered
    unread: Listing | None = None  # a resource that the question is about, and that has no text here

    @property
    def answers(self) -> bool:
        """Return whether it is likely enough that they do."""
        return self.unread is None and self.confidence >= self.enough


@dataclass(frozen=True)
class Quoted:
    """Sentences with their citations, and what is missing."""

    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
    listed: bool
    differ: str
    missing: str | None
    nearest: tuple[Nearest, ...]


class Quoter:
    """Finds and quotes what one shelf says."""

    def __init__(self, shelf: Shelf, encoder: Encoder, cite: Cite) -> None:
        self._shelf = shelf
        self._encoder = encoder
        self._cite = cite
        self.alone = lru_cache(maxsize=1024)(self._alone)  # a conversation asks the same of its earlier questions

    def hits(self, asked: Question, topic: str = "", limit: int = HITS) -> list[Hit]:
        """Return the passages that an answer is made from; those of a comparison are searched side by side."""
        hits = search.hybrid(asked.text, self._shelf, self._encoder, limit=limit, topic=topic)
        for side in asked.sides:
            known = {hit.number for hit in hits}
            more = search.hybrid(side, self._shelf, self._encoder, limit=limit // 3, topic=topic)
            hits += [replace(hit, score=min(hit.score, hits[-1].score)) for hit in more if hit.number not in known]
        return hits

    def weigh(self, asked: Question, hits: Sequence[Hit]) -> Evidence:
        """Return the sentences of some hits in order of how well each answers, and how likely they are to answer."""
        vector = self._encoder.encode([asked.text])[0]
        rarity = self._shelf.lexical.rarity(asked.text)
        vectors = {hit.number: self._shelf.sentence_vectors(hit.number) for hit in hits}
        scored = extractive.scored(extractive.candidates(asked, vector, hits, vectors, rarity))
        passages = self._shelf.manifest.passages
        sure = confidence.confidence(asked, hits, scored, rarity, passages)
        return Evidence(asked, vector, hits, rarity, scored, sure, confidence.enough(passages), self._unread(asked))

    def _alone(self, question: str, carried: str, topic: str = "") -> bool:
        """Return whether a question is answered about as surely as it is as with a subject carried over to it."""
        read = map(questions.read, (question, carried))
        as_it_is, with_it = (self.weigh(asked, self.hits(asked, topic)) for asked in read)
        return as_it_is.confidence >= with_it.confidence - ALONE

    def quote(self, found: Sequence[Evidence], length: Length = "standard") -> Quoted:
        """Return an answer to all that was asked; what cannot be answered of it is named."""
        told = [one for one in found if one.answers and (len(found) == 1 or not _unknown(one))]
        parts = [(one, compose.compose(one.asked, one.scored, length, parts=len(found))) for one in told]
        said = (candidate for _, composed in parts for candidate in composed.sentences)
        chosen = list({(candidate.hit.number, candidate.span): candidate for candidate in said}.values())
        citations, sentences = self._cited(chosen)
        lacking = [one.asked.text.rstrip("?") for one in found if one not in told] if len(found) > 1 else []
        lacking += [name for one, composed in parts for name in self._unsaid(one, composed.sentences)]
        missing = f"Not on the shelf: {'; '.join(dict.fromkeys(lacking))}." if lacking and sentences else None
        listed = len(parts) == 1 and parts[0][1].listed
        nearest = () if sentences and not missing else self.nearest(found[-1])
        differ = differing.told(parts[0][0].asked, chosen) if len(parts) == 1 and len(citations) == len(chosen) else ""
        return Quoted(tuple(sentences), tuple(citations), listed, differ, missing, nearest)

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
        order = np.argsort(-(self._shelf.listing_vectors() @ found.vector), kind="stable")[:NEAREST]
        described = [listings[n].url for n in order.tolist()] if self._shelf.searched() is None else []
        said = [hit.source.resource for hit in found.hits[: 2 * NEAREST]]
        named = [found.unread.url] if found.unread else []
        urls = dict.fromkeys([*named, *said[:1], *described[:1], *said[1:], *described[1:]])
        return tuple(known[url] for url in urls)[:NEAREST]

    def _unread(self, asked: Question) -> Listing | None:
        """Return the resource without text that a question is about: it names its title, and what a resource says."""
        if not _OF_A_RESOURCE.search(asked.text):
            return None
        words = set(terms(asked.text))
        for listing in self._shelf.listings():
            titles = (listing.title, listing.title.partition(":")[0])
            if listing.status not in READ and any(len(set(terms(t))) > 1 and set(terms(t)) <= words for t in titles):
                return listing
        return None

    def _unsaid(self, found: Evidence, chosen: Sequence[Candidate]) -> list[str]:
        """Return what a question names and its answer's sources do not: a side of a comparison, an unknown name."""
        texts = [" ".join([one.hit.source.title, *one.hit.passage.heading, one.hit.passage.text]) for one in chosen]
        held = [set(terms(text)) for text in texts]
        lacking = []
        for side in found.asked.sides:
            wanted = set(terms(side))
            if not any(len(wanted & words) >= ABOUT * len(wanted) for words in held):
                lacking.append(side)
        return lacking + [name for name in _unknown(found) if not any(name in side for side in lacking)]

    def _cited(self, chosen: Sequence[Candidate]) -> tuple[list[Citation], list[Sentence]]:
        citations: list[Citation] = []
        sentences: list[Sentence] = []
        for candidate in chosen:
            citation = self._cite(candidate.hit, candidate.span, len(citations) + 1)
            if citation:
                citations.append(citation)
                sentences.append(Sentence(readable(citation.quote), (citation.n,)))
        return citations, sentences


READ = frozenset(status.value for status in HAS_TEXT)


def parts(text: str) -> list[Question]:
    """Return the questions that are asked at once, each as one that stands alone; mostly there is one.

    >>> [part.text for part in parts("What is a Pod, and how does Karpenter pick a node?")]
    ['What is a Pod', 'how does Karpenter pick a node?']
    """
    asks = r"(?:how|what|why|when|which|who|where)\b"
    pieces = re.split(rf"(?<=\?)\s+(?={asks})|,?\s+and\s+(?={asks})", text, flags=re.IGNORECASE)
    if len(pieces) == 1 or any(len(terms(piece)) < 1 or len(piece.split()) < 3 for piece in pieces):
        return [questions.read(text)]
    return [questions.read(questions.standalone(piece, pieces[:n])) for n, piece in enumerate(pieces)]


def readable(quote: str) -> str:
    r"""Return a quote as an answer shows it: on one line, without the source's own reference marks.

    >>> readable("Rings are optimal [12, 13] for   large buffers.")
    'Rings are optimal for large buffers.'
    """
    return re.sub(r"\s?\[\d{1,3}(?:\s?[,–-]\s?\d{1,3})*\]", "", " ".join(quote.split()))


def _unknown(found: Evidence) -> list[str]:
    """Return the names in a question that nothing that was found for it has."""
    texts = (" ".join([hit.source.title, *hit.passage.heading, hit.passage.text]) for hit in found.hits)
    held = set(terms(" ".join(texts)))
    return [name for name in questions.names(found.asked.text) if not set(terms(name)) <= held]
