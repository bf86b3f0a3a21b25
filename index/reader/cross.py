"""Cross: a trained model that reads two texts together, and says how they fit and which sentences of the second do."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from index.batching import batches
from index.encoder import built_in_folder, inside
from index.reader import engine, weights
from index.reader.engine import Run
from index.reader.readings import Reading, Text

Floats = npt.NDArray[np.float32]

FIRST = 62  # word pieces of the first text that are read
HEAD = 40  # word pieces of what says where the second stands
WINDOW = 320  # word pieces of both, special ones included


class Cross:
    """The model, ready to run. Threads may share it."""

    def __init__(self, run: Run, tokenizer: Tokenizer) -> None:
        self._run = run
        self._tokenizer = tokenizer

    def read(self, first: str, seconds: Sequence[Text]) -> list[Reading]:
        """Return what the model makes of a text together with each of others."""
        asked = self._tokenizer.encode(first).ids
        asked = [*asked[: FIRST + 1], asked[-1]]
        heads = self._tokenizer.encode_batch_fast([second.head for second in seconds], add_special_tokens=False)
        found = self._tokenizer.encode_batch([second.text for second in seconds])
        ids, spans = [], []
        for second, head, token in zip(seconds, heads, found, strict=True):
            before = asked + head.ids[:HEAD]
            held = inside(np.asarray(token.offsets, dtype=np.int64)[1:], second.parts)
            ids.append(before + token.ids[1:])
            spans.append(np.pad(held, ((0, 0), (len(before), 0)))[:, : WINDOW - 1])
        made: dict[int, Reading] = {}
        for rows, pieces, mask, pool in batches(ids, spans, window=WINDOW):
            types = ((np.arange(pieces.shape[1]) >= len(asked)) & (mask > 0)).astype(np.int32)
            with self._run(pieces, mask, types) as (_, said):
                for row, number in enumerate(rows.tolist()):
                    made[number] = _reading(said[row], pool[row, 1 : 1 + len(spans[number])])
        return [made[number] for number in range(len(found))]


def _reading(heads: Floats, pool: Floats) -> Reading:
    shown = pool.sum(axis=1)
    means = (pool @ heads[:, -1]) / np.maximum(shown, 1)
    return Reading(float(heads[0, 0]), np.where(shown > 0, means, -np.inf).astype(np.float32))


@cache
def load(name: Literal["narrow", "support"], *, engines: Path | None = None) -> Cross:
    """Return a trained model; `engines` is a folder that remembers that it was checked on this machine.

    Raises ShelfError if its file is missing or damaged.
    """
    folder = built_in_folder()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    trained = weights.load(name, folder / "model.safetensors")
    return Cross(engine.trained(trained, tokenizer, keep=engines, paired=True), tokenizer)
