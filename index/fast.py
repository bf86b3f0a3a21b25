"""Fast: the built-in encoder on the CPU by OpenVINO, without torch.

"exact" is the packaged model as published, in float32. "int8" is the one that Prepshelf trained from it, which makes
token vectors too, with the products of its linear layers in 8-bit integers; the rest of it is in bfloat16 on
processors that multiply it. (All of it in bfloat16 is slower, and finds no more.)
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from tokenizers import Encoding, Tokenizer

from index import DIMENSION
from index.batching import NONE, WINDOW, batches, pooled
from index.encoder import Asked, Encoded, Spans, Vectors, inside, unit
from index.reader import engine, weights
from index.reader.engine import Run
from index.reader.wide import levels

Precision = Literal["exact", "int8"]

ATONCE = 4096  # texts tokenised and sorted together: bounds the memory of a long list


class FastEncoder:
    """The built-in model, ready to run."""

    dimension = DIMENSION
    window = WINDOW

    def __init__(self, run: Run, tokenizer: Tokenizer, *, name: str, width: int) -> None:
        self.name = name
        self.width = width
        self._run = run
        self._tokenizer = tokenizer

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return how many word pieces each text has, special ones left out."""
        return [len(found) for found in self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]

    def ask(self, question: str) -> Asked:
        """Return what a question is searched with."""
        ids = [self._tokenizer.encode(question).ids]
        for _, pieces, mask, pool in batches(ids, [NONE]):
            with self._run(pieces, mask) as (states, heads):
                return Asked(question, pooled(pool, states)[0, 0], self._weighed(heads[0, : int(mask[0].sum())]))
        raise AssertionError("one text makes one batch")

    def _weighed(self, heads: Vectors) -> Vectors:
        """Return the token vectors of a question, each as long as its share of what the question asks for."""
        if not self.width:
            return np.zeros((0, 0), dtype=np.float32)
        matters = np.exp(heads[:, self.width :])
        return np.asarray(unit(heads[:, : self.width]) * matters / matters.sum(), dtype=np.float32)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return a unit vector a text, shape (n, dimension)."""
        whole = np.empty((len(texts), self.dimension), dtype=np.float32)
        for first in range(0, len(texts), ATONCE):
            tokens = self._tokenizer.encode_batch_fast(list(texts[first : first + ATONCE]))
            for rows, pieces, mask, pool in batches([token.ids for token in tokens], [NONE] * len(tokens)):
                with self._run(pieces, mask) as (states, _):
                    whole[first + rows] = pooled(pool, states)[:, 0]
        return whole

    def encode_parts(self, texts: Sequence[str], parts: Sequence[Spans]) -> list[Encoded]:
        """Return all vectors of each text; see Encoder."""
        made: list[Encoded] = []
        for first in range(0, len(texts), ATONCE):
            found = self._tokenizer.encode_batch(list(texts[first : first + ATONCE]))
            spans = [_within(token, given) for token, given in zip(found, parts[first : first + ATONCE], strict=True)]
            here: dict[int, Encoded] = {}
            for rows, pieces, mask, pool in batches([token.ids for token in found], spans):
                with self._run(pieces, mask) as (states, heads):
                    vectors, tokens = pooled(pool, states), levels(unit(heads[:, :, : self.width]))
                for row, number in enumerate(rows.tolist()):
                    held = tokens[row, : int(mask[row].sum())]
                    here[number] = Encoded(vectors[row, 0], vectors[row, 1 : 1 + len(spans[number])], held)
            made += [here[number] for number in range(len(found))]
        return made


def _within(token: Encoding, spans: Spans) -> Vectors:
    """Return which of the word pieces that are seen lie inside which span; what ends a cut text lies in none."""
    return inside(np.asarray(token.offsets, dtype=np.int64)[: WINDOW - 1], spans)


def load(folder: Path, *, name: str, precision: Precision, keep: Path | None) -> FastEncoder:
    """Return the encoder whose packaged model lies in a folder; `keep` remembers that it was checked on this machine.

    Raises RuntimeError if it cannot be made, or does not compute what torch does.
    """
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    packaged = folder / "model.safetensors"
    if precision == "exact":
        return FastEncoder(engine.published(packaged, tokenizer, keep=keep), tokenizer, name=name, width=0)
    trained = weights.load("wide", packaged)
    width = len(trained.tensors["heads.bias"]) - 1  # the last head tells how much a piece of a question matters
    return FastEncoder(engine.trained(trained, tokenizer, keep=keep), tokenizer, name=name, width=width)
