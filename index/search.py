"""Search: what a question is like and which words it shares, fused into one order."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from index.encoder import Encoder, Vectors
from index.lexical import terms
from index.passage import Hit
from index.store import Floats, Numbers, Shelf

POOL = 200  # passages that each ranking brings into the fusion, at least
SAMPLE = 256  # passages from which the usual cosine of a nearest sentence is estimated
SAYS_SOMETHING = 150  # characters; a shorter passage is a remark
PER_DOCUMENT = 3  # hits of one document, where others are there to be shown


@dataclass(frozen=True, slots=True)
class Weights:
    """How rankings are fused; 0 leaves one out."""

    lexical: float = 0.3  # of BM25; the rest is the encoder's
    sentence: float = 0.4  # of the nearest sentence within the encoder's part; the rest is the whole passage's
    listed: float = 0.03  # of what the lists say of its resource, on top of both


@dataclass(frozen=True, slots=True)
class Ranking:
    """Candidate passages for a question, in no order."""

    numbers: Numbers
    scores: Floats  # fused, higher is better
    dense: Floats  # cosine of the passage
    sentence: Floats  # cosine of its nearest sentence
    lexical: Floats  # BM25


def hybrid(
    question: str,
    shelf: Shelf,
    encoder: Encoder,
    *,
    limit: int = 10,
    topic: str = "",
    weights: Weights | None = None,
    per_document: int = PER_DOCUMENT,
) -> list[Hit]:
    """Return the passages that fit a question best, best first."""
    vector = encoder.encode([question])[0]
    allowed = shelf.searched(topic)
    ranking = fused(question, vector, shelf, weights=weights or Weights(), allowed=allowed, pool=max(POOL, limit))
    order = _spread(shelf, ranking, limit, per_document, set(terms(question)))
    found = shelf.passages(ranking.numbers[order])
    return [
        Hit(
            number=int(ranking.numbers[n]),
            passage=passage,
            source=source,
            score=float(ranking.scores[n]),
            dense=float(ranking.dense[n]),
            lexical=float(ranking.lexical[n]),
        )
        for n, (passage, source) in zip(order, found, strict=True)
    ]


def fused(
    question: str,
    vector: Vectors,
    shelf: Shelf,
    *,
    weights: Weights,
    allowed: npt.NDArray[np.bool_] | None = None,
    pool: int = POOL,
) -> Ranking:
    """Return the candidates that the encoder and BM25 bring, `pool` each, with their fused scores.

    Each score is standardised over the whole shelf, not over the candidates: a question that no passage shares a rare
    word with must not make a common one look decisive.
    """
    shared = shelf.lexical.scores(question)
    near = shelf.nearest(vector, pool, allowed)
    by_word = shared if allowed is None else np.where(allowed, shared, 0)
    top = np.argpartition(-by_word, min(pool, len(by_word) - 1))[:pool]
    numbers = np.union1d(near, top[by_word[top] > 0]).astype(np.int64)
    dense = shelf.cosines(vector, numbers)
    sentence = shelf.best_sentences(vector, numbers)
    sample = np.linspace(0, shelf.manifest.passages - 1, min(SAMPLE, shelf.manifest.passages), dtype=np.int64)
    usual = shelf.best_sentences(vector, sample)
    near_part = (1 - weights.sentence) * _standard(dense, *shelf.spread(vector))
    near_part += weights.sentence * _standard(sentence, float(usual.mean()), float(usual.std()))
    word_part = _standard(shared[numbers], float(shared.mean()), float(shared.std()))
    scores = (1 - weights.lexical) * near_part + weights.lexical * word_part
    scores += weights.listed * shelf.listed(vector, numbers) - _handicap(shelf, numbers)
    return Ranking(numbers, scores.astype(np.float32), dense, sentence, shared[numbers])


def _handicap(shelf: Shelf, numbers: Numbers) -> Floats:
    """Return what is taken off the scores of passages that rank high for their headings and say little themselves."""
    too_short = np.clip(1 - shelf.lengths[numbers] / SAYS_SOMETHING, 0, 1)
    return np.asarray(too_short + 0.5 * (shelf.prose[numbers] == 0), dtype=np.float32)


def _standard(scores: Floats, mean: float, deviation: float) -> Floats:
    """Return z-scores; zeros where nothing varies."""
    return (scores - mean) / deviation if deviation > 1e-9 else np.zeros_like(scores)


def _spread(shelf: Shelf, ranking: Ranking, limit: int, per_document: int, asked: Collection[str]) -> list[int]:
    """Return the places of the best candidates, at most so many of one document, the rest filled up behind.

    A document whose title is in the question, which is `asked` in these words, may bring any number.
    """
    seen: dict[int, int] = {}
    named: dict[int, bool] = {}
    chosen: list[int] = []
    skipped: list[int] = []
    for place in np.argsort(-ranking.scores, kind="stable").tolist():
        document = int(shelf.document_of[ranking.numbers[place]])
        seen[document] = seen.get(document, 0) + 1
        fits = seen[document] <= per_document
        if not fits and document not in named:
            title = set(terms(shelf.source(document).title))
            named[document] = len(title) > 1 and title.issubset(asked)
        (chosen if fits or named[document] else skipped).append(place)
        if len(chosen) == limit:
            break
    return [*chosen, *skipped][:limit]
