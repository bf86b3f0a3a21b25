"""Answers without a language model: the sentences that answer a question, chosen and put in order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from app import fitted
from app.question import Question
from index.encoder import Vectors
from index.lexical import terms
from index.passage import Hit

FEATURES = (
    "cosine",  # of question and sentence
    "overlap",  # share of the question's words that the sentence has, rare words counting more
    "context",  # the same for the sentence with its neighbours and headings
    "heading",  # the same for the headings above it
    "title",  # the same for the title of its document
    "whole",  # the same for its passage
    "passage",  # fused score of its passage, against the best one's
    "rank",  # 1 / rank of its passage
    "novelty",  # share of its words that the question does not have: an answer says something new
    "number",  # a number is asked for, and it has one that the question does not
    "name",  # a person, place or company is asked for, and it has a name that the question does not
    "date",  # a date is asked for, and it has one
    "defines",  # it says what a thing is
    "first",  # it opens its passage
    "leans",  # it opens with a word that leans on what was said before
    "points",  # it points elsewhere: to a figure, a section, this article
    "short",  # fewer than eight words
    "long",  # more than forty words
)
_LEANS = re.compile(
    r"(?:this|that|these|those|it|its|they|their|he|she|such|here|there|however|but|so|and|or|also|then|therefore|thus"
    r"|hence|instead|otherwise|moreover|furthermore|similarly|likewise|for example|for instance|in this case"
    r"|in that case"
    r"|as a result|the (?:former|latter|above|following|same|previous|next)|both|another|other)\b",
    re.IGNORECASE,
)
_POINTS = re.compile(
    r"\b(?:figure|fig\.|table|eq\.|equation|section|listing|appendix) ?\(?\d"
    r"|\bsee (?:also )?(?:below|above|the|this|here|figure)|\bclick\b|\bsubscribe\b"
    r"|\bthis (?:article|post|tutorial|chapter|section|page|lab|blog|book|paper|guide|video|lecture|module)\b"
    r"|\bread more\b|\bnext (?:section|chapter)\b|\blet'?s (?:look|see|start|take|discuss|talk)\b"
    r"|\bin this \w+, (?:we|you)\b",
    re.IGNORECASE,
)
_DEFINES = re.compile(
    r"^(?:an? |the )?[\w\-/()' ]{2,60}? (?:is|are|refers? to|means?|denotes?|is called|consists? of) (?:an?|the"
    r"|when|how|that)?\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"(?<![\w.])[~≈$]?\d[\d,.]*(?:\s?(?:%|[kKMGTP]i?B|ms|s|x|bit|bytes?))?|\b(?:one|two|three|four|five|six|ten|half|twice)\b"
)
_NAME = re.compile(r"(?<=[a-z,;(] )[A-Z][A-Za-z]+|[A-Z]{2,}")
_DATE = re.compile(
    r"\b(?:1[89]|20)\d\d\b|\b(?:January|February|March|April|May|June|July|August|September|October|November|December)\b"
)


@dataclass(frozen=True)
class Candidate:
    """A sentence that may go into an answer."""

    hit: Hit
    rank: int  # of its hit, from 1
    place: int  # among the sentences of its passage, from 0
    vector: Vectors
    features: npt.NDArray[np.float32]
    score: float = 0.0

    @property
    def span(self) -> tuple[int, int]:
        """Return where it stands in its passage's text."""
        return self.hit.passage.sentences[self.place]

    @cached_property
    def quote(self) -> str:
        """Return the sentence as it stands in the document."""
        return self.hit.passage.text[self.span[0] : self.span[1]]

    @cached_property
    def words(self) -> frozenset[str]:
        """Return its content words, stemmed."""
        return frozenset(terms(self.quote))


def scored(found: Sequence[Candidate]) -> list[Candidate]:
    """Return candidates with their scores, the log-odds that each is the one that answers, best first."""
    weights = np.array(fitted.read("sentences", FEATURES).weights, dtype=np.float32)
    return sorted((replace(one, score=float(one.features @ weights)) for one in found), key=lambda one: -one.score)


def candidates(
    question: Question,
    vector: Vectors,
    hits: Sequence[Hit],
    sentence_vectors: Mapping[int, Vectors],
    rarity: Mapping[str, float],
) -> list[Candidate]:
    """Return the sentences of some hits, each with its features.

    `sentence_vectors` has the vectors of each hit's sentences by its number, `rarity` the weight of each content word
    of the question.
    """
    best = max((hit.score for hit in hits), default=1.0)
    found: list[Candidate] = []
    for rank, hit in enumerate(hits, 1):
        passage = hit.passage
        above, title = set(terms(" ".join(passage.heading))), set(terms(hit.source.title))
        standing = [share(above, rarity), share(title, rarity), share(set(terms(passage.text)), rarity)]
        quotes = [passage.text[a:b] for a, b in passage.sentences]
        held = [set(terms(quote)) for quote in quotes]
        for place, (quote, words) in enumerate(zip(quotes, held, strict=True)):
            around = above.union(title, *held[max(0, place - 2) : place + 2])
            features = np.array(
                [
                    float(sentence_vectors[hit.number][place] @ vector),
                    share(words, rarity),
                    share(around, rarity),
                    *standing,
                    hit.score / best if best > 0 else 0.0,
                    1 / rank,
                    len(words - rarity.keys()) / max(1, len(words)),
                    question.kind == "number" and _is_new(_NUMBER, quote, question.text),
                    question.kind in {"who", "where"} and _is_new(_NAME, quote, question.text),
                    question.kind == "when" and _is_new(_DATE, quote, question.text),
                    bool(_DEFINES.match(quote)),
                    place == 0,
                    bool(_LEANS.match(quote)),
                    bool(_POINTS.search(quote)),
                    quote.count(" ") < 7,
                    quote.count(" ") > 40,
                ],
                dtype=np.float32,
            )
            found.append(Candidate(hit, rank, place, sentence_vectors[hit.number][place], features))
    return found


def share(words: set[str] | frozenset[str], rarity: Mapping[str, float]) -> float:
    """Return the share of a question's content words among some words, rare ones counting more; 0 to 1."""
    total = sum(rarity.values())
    return sum(weight for word, weight in rarity.items() if word in words) / total if total else 0.0


def _is_new(pattern: re.Pattern[str], quote: str, question: str) -> bool:
    asked = question.lower()
    return any(found.strip(" .,").lower() not in asked for found in pattern.findall(quote))
