"""Narrow: the best hits read together with the question: does each answer it, and in which of its sentences?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from index.passage import Hit
from index.reader.readings import Reading, Text

READ = 10  # hits that are read: as many as half a second allows on two ordinary cores
SHARE = 0.3  # of what it says in a hit's score, against the search's; both standardised over the hits that are read


class Reader(Protocol):
    """Reads a question together with passages."""

    def read(self, first: str, seconds: Sequence[Text]) -> list[Reading]:
        """Return what it makes of the question with each passage."""
        ...


def read(question: str, hits: Sequence[Hit], reader: Reader, *, limit: int = READ) -> list[Hit]:
    """Return hits in a new order, the best `limit` of them read; the others keep their places behind."""
    near, rest = list(hits[:limit]), hits[limit:]
    if not near:
        return []
    readings = reader.read(question, [text_of(hit) for hit in near])
    before = np.array([hit.score for hit in near])
    said = np.array([reading.whole for reading in readings])
    scores = (1 - SHARE) * _unusual(before) + SHARE * _unusual(said)
    # Every score stays above those of the hits that were not read.
    scores += max((hit.score for hit in rest), default=0.0) - scores.min() + 1e-6
    again = [
        replace(hit, score=float(score), answers=reading.whole, marks=tuple(reading.parts.tolist()))
        for hit, score, reading in zip(near, scores, readings, strict=True)
    ]
    return [*sorted(again, key=lambda hit: -hit.score), *rest]


def text_of(hit: Hit) -> Text:
    """Return a hit as it is read: its text, and above it where it stands."""
    steps = [hit.source.title, *(step for step in hit.passage.heading if step != hit.source.title)]
    return Text(" > ".join(steps), hit.passage.text, hit.passage.sentences)


def _unusual(scores: np.ndarray[tuple[int], np.dtype[np.float64]]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    spread = float(scores.std())
    return (scores - scores.mean()) / spread if spread > 1e-9 else np.zeros_like(scores)
