"""Planted: sentences that address a model, or ask the reader for secrets, told from their vectors by learned weights.

A page may hold commands to whatever reads it. Such a paragraph is no passage: nothing finds, quotes or obeys it.
`prep eval planted` learns the weights from eval/planted.toml; they belong to one encoder, and to no other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
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
class Line:
    """A logistic model over vectors."""

    weights: tuple[float, ...]
    intercept: float
    threshold: float  # log-odds from which the answer is yes

    def log_odds(self, vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        """Return the log-odds for vectors, shape (..., dimension)."""
        odds = np.asarray(vectors, dtype=np.float32) @ np.asarray(self.weights, dtype=np.float32) + self.intercept
        return np.asarray(odds, dtype=np.float32)

    def holds(self, vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.bool_]:
        """Return for which vectors the answer is yes."""
        return np.asarray(self.log_odds(vectors) >= self.threshold)


@dataclass(frozen=True)
class Head:
    """What tells planted sentences: a sentence that may be one by its vector within its passage is read alone.

    The vectors of a passage's sentences are there, and what stands round a sentence blurs them.
    """

    encoder: str  # the name of the one whose vectors it reads
    within: Line  # may it be one?
    alone: Line  # is it one?

    @property
    def name(self) -> str:
        """Return a name that other weights do not have."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:12]


def read(encoder: str, file: Path | None = None) -> Head | None:
    """Return the weights for an encoder, None where there are none for it."""
    held = json.loads((file or FILE).read_bytes())
    if held["encoder"] != encoder:
        return None
    within, alone = (
        Line(tuple(each["weights"]), each["intercept"], each["threshold"]) for each in (held["within"], held["alone"])
    )
    return Head(encoder, within, alone)


def blocks(
    head: Head,
    documents: Mapping[str, Document],
    passages: Sequence[Passage],
    vectors: npt.NDArray[np.floating],
    encode: Callable[[Sequence[str]], Vectors],
) -> dict[str, list[Block]]:
    """Return the blocks of documents that hold a planted sentence, by the document's address.

    `vectors` are those of all sentences of the passages, in order, each as it stands in its passage.
    """
    places = [(passage, *bounds) for passage in passages for bounds in passage.sentences]
    suspects = [places[n] for n in np.flatnonzero(head.within.holds(vectors)).tolist()]
    certain = head.alone.holds(encode([passage.text[start:end] for passage, start, end in suspects]))
    found: dict[str, list[Block]] = {}
    for passage, start, _ in (suspects[n] for n in np.flatnonzero(certain).tolist()):
        block = documents[passage.document].block_at(passage.start + start)
        held = found.setdefault(passage.document, [])
        if block not in held:
            held.append(block)
    return found


def without(document: Document, planted: Sequence[Block]) -> Document:
    """Return a document in which some blocks stand in no passage; its text stays as it is."""
    kept = (replace(block, kind="reference") if block in planted else block for block in document.blocks)
    return replace(document, blocks=tuple(kept))
