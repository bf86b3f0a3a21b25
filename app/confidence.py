"""Confidence: does the shelf hold the answer at all? Told from how the best sentences and passages meet the question.

A high score alone does not tell: passages about the same thing score high for a question that they do not answer. So
several signs are weighed, fitted by `prep eval fit` on SQuAD 2.0 (Rajpurkar et al. 2018), whose unanswerable questions
were written to look answerable.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from app import fitted
from app.extractive import FEATURES as OF_A_SENTENCE
from app.extractive import Candidate, share
from app.question import Question
from index.lexical import terms
from index.passage import Hit

FEATURES = (
    "cosine",  # of the question and the best sentence
    "overlap",  # share of the question's words in the best sentence, rare words counting more
    "context",  # the same with its neighbours and headings
    "nearest",  # highest cosine of any sentence
    "first",  # cosine of the first passage
    "passages",  # highest cosine of any passage
    "held",  # share of the question's words in the best sentence's passage
    "best held",  # in the passage that has most of them
    "held by three",  # in the first three passages together
    "rarest lacking",  # rarity of the rarest word that the best sentence's passage lacks
    "all lacking",  # rarity of all of them
    "rarest unsaid",  # rarity of the rarest word that the best sentence lacks
    "fused",  # score of the first passage
    "score",  # of the best sentence
    "lead",  # by how much it is ahead of the fifth
    "names",  # share of the question's names in the best sentence's passage
    "numbers",  # share of its numbers
    "no number",  # one is asked for, and no good sentence has one
    "no name",
    "no date",
    "length",  # of the question, in words, by tens
    "negation",  # question or best sentence says no, the other does not
)
FITTED = 12_900  # passages of the shelf that the threshold was told on
GROWTH = 0.24  # log-odds that it moves by, for each e-fold of passages: told from the dev half on two shelves
_SAYS_NO = re.compile(r"\b(?:not|no|never|none|without|neither|nor|cannot|fail(?:ed|s)?|un\w+)\b|n't\b", re.IGNORECASE)
_NUMBER = re.compile(r"\d[\d,.]*")
_NAME = re.compile(r"(?<=\s)[A-Z][a-zA-Z]+")
_NUMBER_AT, _NAME_AT, _DATE_AT = (OF_A_SENTENCE.index(name) for name in ("number", "name", "date"))


def confidence(
    question: Question, hits: Sequence[Hit], scored: Sequence[Candidate], rarity: Mapping[str, float], passages: int
) -> float:
    """Return how likely it is that the hits hold the answer, 0 to 1; `passages` are those of the whole shelf."""
    if not scored or not rarity:
        return 0.0
    return fitted.read("confidence", FEATURES).probability(features(question, hits, scored, rarity, passages))


def enough(passages: int) -> float:
    """Return the confidence from which a question is answered from a shelf of so many passages.

    The best of many passages looks better than the best of few, whether or not it answers: the threshold, told for a
    shelf of FITTED passages, moves with the logarithm of their number.

    >>> enough(500) < enough(FITTED) < enough(1_000_000)
    True
    """
    odds = fitted.read("confidence", FEATURES).threshold
    return 1 / (1 + (1 - odds) / odds * math.exp(-GROWTH * math.log(max(1, passages) / FITTED)))


def features(
    question: Question, hits: Sequence[Hit], scored: Sequence[Candidate], rarity: Mapping[str, float], passages: int
) -> list[float]:
    """Return the features of a question and what was found for it, in the order of FEATURES."""
    best, rarest = scored[0], math.log(passages + 1)
    words = {
        hit.number: set(terms(" ".join([hit.source.title, *hit.passage.heading, hit.passage.text]))) for hit in hits
    }
    held = [share(words[hit.number], rarity) for hit in hits]
    lacking = [weight for word, weight in rarity.items() if word not in words[best.hit.number]]
    unsaid = [weight for word, weight in rarity.items() if word not in best.words]
    text = best.hit.passage.text
    names = {name.lower() for name in _NAME.findall(question.text)}
    numbers = set(_NUMBER.findall(question.text))

    def none_of(kinds: set[str], place: int) -> float:
        return float(question.kind in kinds and not any(one.features[place] for one in scored[:3]))

    return [
        float(best.features[0]),
        float(best.features[1]),
        float(best.features[2]),
        max(float(one.features[0]) for one in scored),
        hits[0].dense,
        max(hit.dense for hit in hits),
        share(words[best.hit.number], rarity),
        max(held[:5]),
        share(set().union(*(words[hit.number] for hit in hits[:3])), rarity),
        max(lacking, default=0.0) / rarest,
        sum(lacking) / rarest,
        max(unsaid, default=0.0) / rarest,
        hits[0].score,
        best.score,
        best.score - scored[min(4, len(scored) - 1)].score,
        sum(name in text.lower() for name in names) / len(names) if names else 1.0,
        sum(number in text for number in numbers) / len(numbers) if numbers else 1.0,
        none_of({"number"}, _NUMBER_AT),
        none_of({"who", "where"}, _NAME_AT),
        none_of({"when"}, _DATE_AT),
        len(rarity) / 10,
        float(bool(_SAYS_NO.search(question.text)) != bool(_SAYS_NO.search(best.quote))),
    ]
