"""Search: the passages that a question is like or shares words with, put in order by the wide reader."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from index.encoder import Asked, Encoder
from index.passage import Hit
from index.reader import wide
from index.store import Floats, Numbers, Shelf

POOL = 200  # passages that each ranking brings into the fusion, and that the wide reader orders
SAMPLE = 256  # passages from which the usual cosine of a nearest sentence is estimated


@dataclass(frozen=True, slots=True)
class Weights:
    """How rankings are fused; 0 leaves one out."""

    lexical: float = 0.3  # of BM25; the rest is the encoder's
    sentence: float = 0.4  # of the nearest sentence within the encoder's part; the rest is the whole passage's
    listed: float = 0.03  # of what the lists say of its resource, on top of both
    wide: float = 0.5  # of the wide reader, against all of the above


@dataclass(frozen=True, slots=True)
class Ranking:
    """Candidate passages for a question, in no order."""

    numbers: Numbers
    scores: Floats  # fused, higher is better
    dense: Floats  # cosine of the passage
    lexical: Floats  # BM25
    wide: Floats  # of the wide reader; zeros where the shelf has no token vectors


def hybrid(
    question: str,
    shelf: Shelf,
    encoder: Encoder,
    *,
    limit: int = 10,
    topic: str = "",
    weights: Weights | None = None,
    per_document: int = 0,
) -> list[Hit]:
    """Return the passages that fit a question best, best first; `per_document` is the most of one document, 0: any."""
    asked = encoder.ask(question)
    ranking = ranked(asked, shelf, weights=weights or Weights(), allowed=shelf.searched(topic), pool=max(POOL, limit))
    return hits(shelf, ranking, limit, per_document)


def hits(shelf: Shelf, ranking: Ranking, limit: int, per_document: int = 0) -> list[Hit]:
    """Return the best candidates as hits, best first."""
    order = _spread(shelf, ranking, limit, per_document)
    found = shelf.passages(ranking.numbers[order])
    return [
        Hit(
            number=int(ranking.numbers[n]),
            passage=passage,
            source=source,
            score=float(ranking.scores[n]),
            dense=float(ranking.dense[n]),
            lexical=float(ranking.lexical[n]),
            wide=float(ranking.wide[n]),
        )
        for n, (passage, source) in zip(order, found, strict=True)
    ]


def ranked(
    asked: Asked,
    shelf: Shelf,
    *,
    weights: Weights,
    allowed: npt.NDArray[np.bool_] | None = None,
    pool: int = POOL,
) -> Ranking:
    """Return the candidates that encoder and BM25 bring, the best `pool` of them ordered by the wide reader, too.

    Its scores and the fused ones are each standardised over these candidates before they are added.
    """
    first = fused(asked, shelf, weights=weights, allowed=allowed, pool=pool)
    best = np.argsort(-first.scores, kind="stable")[:pool]
    kept = Ranking(*(getattr(first, name)[best] for name in ("numbers", "scores", "dense", "lexical", "wide")))
    if not weights.wide or not asked.tokens.size or not shelf.manifest.width:
        return kept
    near = wide.maxsim(asked, *shelf.tokens(kept.numbers))
    both = (1 - weights.wide) * _unusual(kept.scores) + weights.wide * _unusual(near)
    return replace(kept, scores=both.astype(np.float32), wide=near)


def fused(
    asked: Asked,
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
    shared = shelf.lexical.scores(asked.text)
    near = shelf.nearest(asked.vector, pool, allowed)
    by_word = shared if allowed is None else np.where(allowed, shared, 0)
    top = np.argpartition(-by_word, min(pool, len(by_word) - 1))[:pool]
    numbers = np.union1d(near, top[by_word[top] > 0]).astype(np.int64)
    dense = shelf.cosines(asked.vector, numbers)
    sentence = shelf.best_sentences(asked.vector, numbers)
    sample = np.linspace(0, shelf.manifest.passages - 1, min(SAMPLE, shelf.manifest.passages), dtype=np.int64)
    usual = shelf.best_sentences(asked.vector, sample)
    near_part = (1 - weights.sentence) * _standard(dense, *shelf.spread(asked.vector))
    near_part += weights.sentence * _standard(sentence, float(usual.mean()), float(usual.std()))
    word_part = _standard(shared[numbers], float(shared.mean()), float(shared.std()))
    scores = (1 - weights.lexical) * near_part + weights.lexical * word_part
    scores += weights.listed * shelf.listed(asked.vector, numbers)
    return Ranking(numbers, scores.astype(np.float32), dense, shared[numbers], np.zeros_like(dense))


def _standard(scores: Floats, mean: float, deviation: float) -> Floats:
    """Return z-scores; zeros where nothing varies."""
    return (scores - mean) / deviation if deviation > 1e-9 else np.zeros_like(scores)


def _unusual(scores: Floats) -> Floats:
    """Return how many standard deviations each score is above the mean of all."""
    return _standard(scores, float(scores.mean()), float(scores.std())) if len(scores) else scores


def _spread(shelf: Shelf, ranking: Ranking, limit: int, per_document: int) -> list[int]:
    """Return the places of the best candidates, at most so many of one document, the rest filled up behind."""
    seen: dict[int, int] = {}
    chosen: list[int] = []
    skipped: list[int] = []
    for place in np.argsort(-ranking.scores, kind="stable").tolist():
        document = int(shelf.document_of[ranking.numbers[place]])
        seen[document] = seen.get(document, 0) + 1
        (chosen if not per_document or seen[document] <= per_document else skipped).append(place)
        if len(chosen) == limit:
            break
    return [*chosen, *skipped][:limit]
