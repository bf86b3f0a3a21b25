"""Answers without a language model: the sentences that answer a question, chosen and put in order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from index.encoder import Vectors
from index.lexical import terms
from index.passage import Hit

MOST = 8  # sentences
FEWEST = 3
NEAR_REPEAT = 0.86  # cosine of two sentences that say the same

_WHOLE = re.compile(r"[A-Z0-9\"“'‘(`$\\].*[.!:)\"”’`$]$", re.DOTALL)
_NEEDS_WHAT_WAS_SAID = re.compile(
    r"(?:this|that|these|those|it|its|they|their|he|she|such|here|there|however|but|so|and|or|also|then|therefore|thus|hence"
    r"|instead|otherwise|moreover|furthermore|similarly|likewise|for example|for instance|in this case|in that case|as a result"
    r"|the (?:former|latter|above|following|same|previous|next)|both|another|other|let'?s|we'll|as (?:you|we) (?:can )?(?:see|saw))\b",
    re.IGNORECASE,
)
_POINTS_ELSEWHERE = re.compile(
    r"\b(?:figure|fig\.|table|eq\.|equation|section|listing|algorithm|appendix) ?\(?\d|\bsee (?:also )?(?:below|above|the|this|here|figure)"
    r"|click|subscribe|download|this (?:article|post|tutorial|chapter|section|page|lab|blog|book|paper|guide|video|lecture)|read more|next (?:section|chapter)",
    re.IGNORECASE,
)
_DEFINES = re.compile(
    r"^(?:an? |the )?[\w\-/() ]{2,60}? (?:is|are|refers? to|means?|denotes?|is called|consists? of|describes?) ",
    re.IGNORECASE,
)
_MECHANISM = re.compile(
    r"\b(?:first|second|then|next|finally|step|phase|each|every|sends?|receives?|computes?|splits?|divides?|works? by|algorithm|proceeds|iteration|until|after)\b",
    re.IGNORECASE,
)
_COST = re.compile(
    r"\d|\b(?:cost|latency|bandwidth|memory|complexity|overhead|throughput|time|independent of|scales?|linear|bottleneck|trade-?offs?)\b",
    re.IGNORECASE,
)
_EXAMPLE = re.compile(r"\b(?:for example|for instance|e\.g\.|such as|suppose|consider)\b", re.IGNORECASE)
_LIST_QUESTION = re.compile(
    r"^(?:list|name|enumerate)\b|^(?:what|which) (?:are|were) (?:the |some |common |main |key )?(?!an? )\w+(?:\s\w+)*s\b|\b(?:types|kinds|examples|steps|stages|ways|pros and cons|advantages|components|list) of\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that may go into an answer."""

    hit: Hit
    span: tuple[int, int]  # offsets into the passage's text
    vector: Vectors
    score: float

    @property
    def quote(self) -> str:
        """Return the sentence as it stands in the document."""
        return self.hit.passage.text[self.span[0] : self.span[1]]


def wants_list(question: str) -> bool:
    """Return whether a question asks for items rather than for sentences.

    >>> wants_list("What are the types of data drift?"), wants_list("What is data drift?")
    (True, False)
    """
    return bool(_LIST_QUESTION.search(question.strip()))


def choose(
    question: str,
    vector: Vectors,
    hits: Sequence[Hit],
    sentence_vectors: Mapping[int, Vectors],
    rarity: Mapping[str, float],
) -> list[Candidate]:
    """Return the sentences that answer a question, in reading order; none where nothing does.

    `sentence_vectors` has the vectors of each hit's sentences by its number, `rarity` the weight of each content word.
    """
    candidates = _candidates(question, vector, hits, sentence_vectors, rarity)
    if not candidates:
        return []
    chosen = _pick(candidates, most=MOST)
    return _reading_order(chosen)


def _candidates(
    question: str,
    vector: Vectors,
    hits: Sequence[Hit],
    sentence_vectors: Mapping[int, Vectors],
    rarity: Mapping[str, float],
) -> list[Candidate]:
    best = max((hit.score for hit in hits), default=0.0)
    found = []
    for hit in hits:
        vectors = sentence_vectors[hit.number]
        for span, sentence_vector in zip(hit.passage.sentences, vectors, strict=True):
            quote = hit.passage.text[span[0] : span[1]]
            fitness = _fitness(quote)
            if fitness <= 0:
                continue
            likeness = float(sentence_vector @ vector)
            shared = overlap(quote, rarity)
            standing = hit.score / best if best > 0 else 0.0
            found.append(Candidate(hit, span, sentence_vector, fitness * (likeness + 0.5 * shared + 0.3 * standing)))
    return sorted(found, key=lambda candidate: -candidate.score)


def overlap(text: str, rarity: Mapping[str, float]) -> float:
    """Return the share of a question's content words that a text has, rare words counting more; 0 to 1."""
    total = sum(rarity.values())
    held = set(terms(text))
    return sum(weight for word, weight in rarity.items() if word in held) / total if total else 0.0


def _fitness(quote: str) -> float:
    """Return how well a sentence stands alone in an answer, 0 for not at all."""
    words = quote.split()
    if not 5 <= len(words) <= 70 or not _WHOLE.match(quote) or quote.endswith("?"):
        return 0.0
    letters = sum(character.isalpha() for character in quote)
    if letters < 0.6 * len(quote.replace(" ", "")):
        return 0.0
    fitness = 1.0
    if _NEEDS_WHAT_WAS_SAID.match(quote):
        fitness *= 0.85
    if _POINTS_ELSEWHERE.search(quote):
        fitness *= 0.75
    if quote.endswith(":"):
        fitness *= 0.7
    if len(words) < 8:
        fitness *= 0.85
    return fitness


def _pick(candidates: Sequence[Candidate], *, most: int) -> list[Candidate]:
    """Take sentences best first, passing over those that repeat one that was taken, until they fall off."""
    floor = 0.62 * candidates[0].score
    chosen: list[Candidate] = []
    for candidate in candidates:
        if len(chosen) >= most or (candidate.score < floor and len(chosen) >= FEWEST):
            break
        if candidate.score < 0.45 * candidates[0].score:
            break
        if not any(_repeats(candidate, other) for other in chosen):
            chosen.append(candidate)
    return chosen


def _repeats(one: Candidate, other: Candidate) -> bool:
    if float(one.vector @ other.vector) > NEAR_REPEAT and one.hit.number != other.hit.number:
        return True
    mine, theirs = set(terms(one.quote)), set(terms(other.quote))
    return len(mine & theirs) > 0.7 * min(len(mine), len(theirs))


def role(quote: str) -> int:
    """Return what a sentence does in an answer: 0 defines, 1 tells how, 2 what it costs, 3 gives an example."""
    if _EXAMPLE.search(quote):
        return 3
    if _DEFINES.match(quote):
        return 0
    if _MECHANISM.search(quote):
        return 1
    return 2 if _COST.search(quote) else 1


def _reading_order(chosen: Sequence[Candidate]) -> list[Candidate]:
    """Order sentences so that they read: the document that defines first, each document's in its own order."""
    by_document: dict[str, list[Candidate]] = {}
    for candidate in chosen:
        by_document.setdefault(candidate.hit.passage.document, []).append(candidate)

    def rank(group: list[Candidate]) -> tuple[int, float]:
        return min(role(candidate.quote) for candidate in group), -max(candidate.score for candidate in group)

    groups = sorted(by_document.values(), key=rank)
    return [
        candidate
        for group in groups
        for candidate in sorted(group, key=lambda one: one.hit.passage.start + one.span[0])
    ]
