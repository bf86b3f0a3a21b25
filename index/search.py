"""Search: what a question is like and which words it shares, fused into one order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from index.encoder import Encoder, Vectors
from index.lexical import Lexical
from index.passage import Hit
from index.store import Shelf

POOL = 200  # passages that each ranking brings into the fusion
LEXICAL_WEIGHT = 0.25
PER_DOCUMENT = 3  # hits of one document, where others are there to be shown

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Weights:
    """How rankings are fused."""

    lexical: float = LEXICAL_WEIGHT  # 0 is dense only, 1 lexical only


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
    allowed = shelf.under_topic(topic) if topic else None
    numbers, scores, dense, lexical = fused(question, vector, shelf, weights=weights or Weights(), allowed=allowed)
    order = _spread(shelf, numbers[np.argsort(-scores, kind="stable")], limit, per_document)
    place = {int(number): n for n, number in enumerate(numbers)}
    found = shelf.passages(order)
    return [
        Hit(number, passage, source, float(scores[n]), float(dense[n]), float(lexical[n]))
        for number, (passage, source) in zip(order, found, strict=True)
        for n in (place[number],)
    ]


def fused(
    question: str, vector: Vectors, shelf: Shelf, *, weights: Weights, allowed: npt.NDArray[np.bool_] | None = None
) -> tuple[Numbers, Floats, Floats, Floats]:
    """Return candidate passages: their numbers, fused scores, cosines and BM25 scores, unordered.

    Both rankings bring their best; z-scores over the union make them comparable.
    """
    lexical_all = shelf.lexical.scores(question)
    near, _ = shelf.nearest(vector, shelf.manifest.passages if allowed is not None else POOL)
    if allowed is not None:
        lexical_all = np.where(allowed, lexical_all, 0)
        near = near[allowed[near]][:POOL]
    numbers = _union(near, lexical_all)
    dense = shelf.cosines(vector, numbers.tolist())
    lexical = lexical_all[numbers]
    return numbers, fuse(dense, lexical, weights), dense, lexical


def rank(
    question: str, vector: Vectors, vectors: Vectors, lexical: Lexical, weights: Weights
) -> tuple[Numbers, Floats]:
    """Return candidates among texts held in memory and their fused scores, as `fused` does for a shelf."""
    cosines = vectors @ vector
    shared = lexical.scores(question)
    near = np.argpartition(-cosines, min(POOL, len(cosines) - 1))[:POOL]
    numbers = _union(near, shared)
    return numbers, fuse(cosines[numbers], shared[numbers], weights)


def _union(near: Numbers, lexical: Floats) -> Numbers:
    top = np.argpartition(-lexical, min(POOL, len(lexical) - 1))[:POOL]
    return np.asarray(np.union1d(near, top[lexical[top] > 0]), dtype=np.int64)


def fuse(dense: Floats, lexical: Floats, weights: Weights) -> Floats:
    """Return the weighted sum of the z-scores of two rankings of the same candidates."""
    return np.asarray((1 - weights.lexical) * _z(dense) + weights.lexical * _z(lexical), dtype=np.float32)


def _z(scores: Floats) -> Floats:
    spread = float(scores.std()) if len(scores) else 0.0
    return (scores - scores.mean()) / spread if spread > 0 else np.zeros_like(scores)


def _spread(shelf: Shelf, ordered: Numbers, limit: int, per_document: int) -> list[int]:
    """Return the first of an order, with at most so many of one document, the rest filled up behind."""
    seen: dict[int, int] = {}
    chosen: list[int] = []
    skipped: list[int] = []
    for number in ordered.tolist():
        document = int(shelf.document_of[number])
        seen[document] = seen.get(document, 0) + 1
        (chosen if seen[document] <= per_document else skipped).append(number)
        if len(chosen) == limit:
            break
    return [*chosen, *skipped][:limit]
