"""Reranking: a second, closer look at the best hits, within a time that a person waits.

Two rerankers stand behind one protocol: MaxSim, late interaction over the encoder's own word vectors (Khattab and
Zaharia, "ColBERT", 2020), and a cross-encoder from the local disk (Nogueira and Cho, 2019).
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from index.encoder import Encoder, Spans
from index.passage import Hit

if TYPE_CHECKING:
    from index.slow import CrossEncoder

DEPTH = 30  # hits that are looked at again
SLICE = 6  # of them at a time; the clock is read between
BUDGET = 1.0  # seconds, after which the hits that are left keep their places
MAXSIM = "maxsim"

Floats = npt.NDArray[np.float32]


class Reranker(Protocol):
    """Scores texts for a question, both seen together."""

    weight: float
    """Of its standardised scores, against those of the search."""

    def scores(self, question: str, texts: Sequence[str]) -> Floats:
        """Return a score a text, shape (n,); higher is better."""
        ...


class MaxSim:
    """Mean, over the words of a question, of the cosine of the nearest word of a text."""

    weight = 0.25  # chosen on SciFact; see eval/README.md

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def scores(self, question: str, texts: Sequence[str]) -> Floats:
        """Return a score a text, shape (n,)."""
        _, vectors = self._encoder.encode_parts([question, *texts], [_words(text) for text in (question, *texts)])
        asked = vectors[0]
        return np.array([(asked @ said.T).max(axis=1).mean() if said.size else 0.0 for said in vectors[1:]], np.float32)


class Judged:
    """A cross-encoder's own scores."""

    weight = 1.0

    def __init__(self, model: CrossEncoder) -> None:
        self._model = model

    def scores(self, question: str, texts: Sequence[str]) -> Floats:
        """Return a score a text, shape (n,)."""
        return self._model.logits([(question, text) for text in texts])[:, -1]


def load(which: str, encoder: Encoder) -> Reranker | None:
    """Return the reranker that a setting names: "" for none, "maxsim", or the folder of a cross-encoder.

    Raises ShelfError where the folder holds none.
    """
    if not which:
        return None
    if which == MAXSIM:
        return MaxSim(encoder)
    from index.slow import CrossEncoder

    return Judged(CrossEncoder(Path(which).expanduser(), setting="PREPSHELF_RERANKER"))


def rerank(question: str, hits: Sequence[Hit], reranker: Reranker, *, budget: float = BUDGET) -> list[Hit]:
    """Return hits in a new order: the best of them looked at again, as many as the budget (seconds) allows.

    Their scores keep the scale of the search, so that what was not looked at again stays comparable.
    """
    end = time.monotonic() + budget
    near = list(hits[:DEPTH])
    found: list[float] = []
    while len(found) < len(near) and (not found or time.monotonic() < end):
        texts = [_text(hit) for hit in near[len(found) : len(found) + SLICE]]
        found += reranker.scores(question, texts).tolist()
    seen = len(found)
    before = np.array([hit.score for hit in near[:seen]])
    closer = np.array(found)
    spread = float(closer.std()) if seen else 0.0
    if spread < 1e-9:  # nothing to tell apart
        return list(hits)
    scores = before + reranker.weight * float(before.std() or 1.0) * (closer - closer.mean()) / spread
    again = [replace(hit, score=float(score)) for hit, score in zip(near, scores, strict=False)]
    return [*sorted(again, key=lambda hit: -hit.score), *hits[seen:]]


def _text(hit: Hit) -> str:
    return " ".join([hit.source.title, *hit.passage.heading, hit.passage.text])


def _words(text: str) -> Spans:
    return [found.span() for found in re.finditer(r"\w+", text)]
