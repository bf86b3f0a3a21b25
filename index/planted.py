"""Planted: sentences that address a model, or ask the reader for secrets, told from their vectors by learned weights.

A page may hold commands to whatever reads it. Such a paragraph is no passage: nothing finds, quotes or obeys it.
`prep eval planted` learns the weights from eval/planted.toml; they belong to one encoder, and to no other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from index.encoder import Vectors
from index.passage import Passage
from ingest.document import Block, Document

HERE = Path(__file__).parent
FILE = HERE / "planted.json"


@dataclass(frozen=True)
class Head:
    """A logistic model over the vectors of sentences."""

    encoder: str  # the name of the one whose vectors it reads
    weights: tuple[float, ...]
    intercept: float
    threshold: float  # log-odds from which a sentence is taken for planted

    def planted(self, vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.bool_]:
        """Return which sentences are planted, given their vectors, shape (sentences, dimension)."""
        return self.log_odds(vectors) >= self.threshold

    def log_odds(self, vectors: npt.NDArray[np.floating]) -> Vectors:
        """Return how sure that is, a number a sentence."""
        return np.asarray(vectors, dtype=np.float32) @ np.asarray(self.weights, dtype=np.float32) + self.intercept

    @property
    def name(self) -> str:
        """Return a name that other weights do not have."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:12]


def read(encoder: str, file: Path | None = None) -> Head | None:
    """Return the weights for an encoder, None where there are none for it."""
    held = json.loads((file or FILE).read_bytes())
    head = Head(held["encoder"], tuple(held["weights"]), held["intercept"], held["threshold"])
    return head if head.encoder == encoder else None


def blocks(
    head: Head, documents: Mapping[str, Document], passages: Sequence[Passage], vectors: npt.NDArray[np.floating]
) -> dict[str, list[Block]]:
    """Return the blocks of documents that hold a planted sentence, by the document's address.

    `vectors` are those of all sentences of the passages, in order.
    """
    found: dict[str, list[Block]] = {}
    places = [(passage, *bounds) for passage in passages for bounds in passage.sentences]
    for n in np.flatnonzero(head.planted(vectors)).tolist():
        passage, start, _ = places[n]
        block = documents[passage.document].block_at(passage.start + start)
        held = found.setdefault(passage.document, [])
        if block not in held:
            held.append(block)
    return found


def without(document: Document, planted: Sequence[Block]) -> Document:
    """Return a document in which some blocks stand in no passage; its text stays as it is."""
    kept = (replace(block, kind="reference") if block in planted else block for block in document.blocks)
    return replace(document, blocks=tuple(kept))
