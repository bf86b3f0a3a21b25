"""Fast: the built-in model on the CPU by OpenVINO, without torch.

"exact" computes in float32. "int8" has the products of linear layers in 8-bit integers, their ranges measured once, on
the model's own card; the rest of it is in bfloat16 on processors that multiply it. (All of it in bfloat16 is slower,
and finds no more.) On each machine an engine is trusted after it gave vectors like those that torch made of the probe
texts.
"""

from __future__ import annotations

import hashlib
import os
import threading
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding, Tokenizer

from index import network
from index.encoder import WEIGHTS_SHA256, Spans, Vectors, inside, unit

Precision = Literal["exact", "int8"]

WINDOW = 256  # word pieces that the model was made for
ATONCE = 4096  # texts tokenised and sorted together: bounds the memory of a long list
BATCH_PIECES = 2048  # keeps what a batch computes in the processor's cache; measured flat from 1,024 to 4,096
STEP = 16  # lengths are padded to its multiples: then a text's vector is the same in any batch
CUTS = 60, 300, 1200  # characters of the texts that are measured: short ones reach other ranges than long ones
LEAST = {"exact": 0.9999, "int8": 0.99}  # cosine of a probe's vector with torch's, at least
VERSION = 1  # of the network as it is made here
_HERE = Path(__file__).parent


class FastEncoder:
    """The built-in model, ready to run. Threads may share it: it computes a batch at a time."""

    dimension = network.DIMENSION
    window = WINDOW

    def __init__(self, compiled: Any, tokenizer: Tokenizer, *, name: str) -> None:  # noqa: ANN401  # OpenVINO's
        self.name = name
        self._tokenizer = tokenizer
        self._request = compiled.create_infer_request()
        self._lock = threading.Lock()

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return how many word pieces each text has, special ones left out."""
        return [len(found) for found in self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return a unit vector a text, shape (n, dimension)."""
        whole = np.empty((len(texts), self.dimension), dtype=np.float32)
        for first in range(0, len(texts), ATONCE):
            tokens = self._tokenizer.encode_batch_fast(list(texts[first : first + ATONCE]))
            for rows, vectors in self._run([token.ids for token in tokens], [_NONE] * len(tokens)):
                whole[first + rows] = vectors[:, 0]
        return whole

    def encode_parts(self, texts: Sequence[str], parts: Sequence[Spans]) -> tuple[Vectors, list[Vectors]]:
        """Return a unit vector a text and one a part; see Encoder."""
        whole = np.empty((len(texts), self.dimension), dtype=np.float32)
        pooled: list[Vectors] = [np.zeros((len(spans), self.dimension), dtype=np.float32) for spans in parts]
        for first in range(0, len(texts), ATONCE):
            tokens = self._tokenizer.encode_batch(list(texts[first : first + ATONCE]))
            spans = [_within(token, given) for token, given in zip(tokens, parts[first : first + ATONCE], strict=True)]
            for rows, vectors in self._run([token.ids for token in tokens], spans):
                whole[first + rows] = vectors[:, 0]
                for row, number in enumerate(rows.tolist()):
                    pooled[first + number][:] = vectors[row, 1 : 1 + len(spans[number])]
        return whole, pooled

    def _run(
        self, ids: Sequence[list[int]], spans: Sequence[Vectors]
    ) -> Iterator[tuple[npt.NDArray[np.intp], Vectors]]:
        for rows, pieces, mask, pool in batches(ids, spans):
            with self._lock:
                self._request.infer([pieces, mask], share_inputs=True)
                # Not by `@`: the threads of its library go on spinning, and the next batch takes half as long again.
                vectors = unit(np.einsum("rsw,rwd->rsd", pool, self._request.get_output_tensor(0).data))
            yield rows, vectors


_NONE = np.zeros((0, WINDOW), dtype=np.float32)


def _within(token: Encoding, spans: Spans) -> Vectors:
    """Return which of the word pieces that are seen lie inside which span; what ends a cut text lies in none."""
    return inside(np.asarray(token.offsets, dtype=np.int64)[: WINDOW - 1], spans)


def batches(
    ids: Sequence[list[int]], spans: Sequence[Vectors]
) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.int32], Vectors, Vectors]]:
    """Yield texts' numbers, ids and masks, like lengths together, longest first; and which pieces make which vector.

    The first vector of a text is that of all of it, the others are those of its spans.
    """
    lengths = np.asarray([min(len(pieces), WINDOW) for pieces in ids], dtype=np.intp)
    order = np.argsort(-lengths, kind="stable")
    while len(order):
        width = -(-lengths[order[0]] // STEP) * STEP
        rows, order = np.split(order, [max(1, BATCH_PIECES // width)])
        stretches = 1 + max(len(spans[number]) for number in rows)
        pieces, mask = np.zeros((len(rows), width), np.int32), np.zeros((len(rows), width), np.float32)
        pool = np.zeros((len(rows), stretches, width), np.float32)
        for row, number in enumerate(rows):
            length, held = lengths[number], spans[number]
            pieces[row, :length] = ids[number][:length]
            pieces[row, length - 1] = ids[number][-1]  # a text that is cut ends as any other
            mask[row, :length] = pool[row, 0, :length] = 1
            if len(held):
                pool[row, 1 : 1 + len(held), : held.shape[1]] = held
        yield rows, pieces, mask, pool


def load(folder: Path, *, name: str, precision: Precision, keep: Path | None) -> FastEncoder:
    """Return the encoder whose model lies in a folder; `keep` remembers what was measured and that it was checked.

    Raises RuntimeError where it cannot be made, or does not compute what torch does.
    """
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    weights = network.read_weights(folder / "model.safetensors")
    key = hashlib.sha256(f"{VERSION} {WEIGHTS_SHA256} {network.machine()}".encode()).hexdigest()
    kept = keep / f"{precision}-{key[:12]}.npz" if keep else None
    known = _read(kept) if kept else None
    ranges = known if known is not None else {}
    if known is None and precision == "int8":
        ranges = network.measure(weights, _card(folder, tokenizer))
    compiled = network.compiled(network.Network(weights, ranges), exact=precision == "exact")
    encoder = FastEncoder(compiled, tokenizer, name=name)
    if known is None:
        likeness = agreement(encoder)
        if likeness < LEAST[precision]:
            raise RuntimeError(f"its vectors are not torch's: cosine {likeness:.4f}, {LEAST[precision]} is asked for")
        if kept:
            _write(kept, ranges)
    return encoder


def agreement(encoder: FastEncoder) -> float:
    """Return the lowest cosine of the vectors of the probe texts with those that torch made of them in float32."""
    texts = (_HERE / "probe.txt").read_text(encoding="utf-8").splitlines()
    wanted = unit(np.load(_HERE / "probe.npy", allow_pickle=False).astype(np.float32))
    return float((encoder.encode(texts) * wanted).sum(axis=1).min())


def _card(folder: Path, tokenizer: Tokenizer) -> Iterator[list[npt.NDArray[Any]]]:
    """Yield the ids and mask of stretches of the model's card: prose, lists, tables and code of this field."""
    card = (folder / "README.md").read_text(encoding="utf-8")
    texts = [card[n : n + cut] for cut in CUTS for n in range(0, len(card), cut)]
    ids = [token.ids for token in tokenizer.encode_batch_fast(texts)]
    return ([pieces, mask] for _, pieces, mask, _ in batches(ids, [_NONE] * len(ids)))


def _read(path: Path) -> network.Ranges | None:
    """Return the ranges in a file, none for a precision that needs none; None where nothing was kept."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as held:
            return {name: (held[name][0], held[name][1]) for name in held.files}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None


def _write(path: Path, ranges: network.Ranges) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    with part.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **{name: np.stack(both) for name, both in ranges.items()})
    part.replace(path)
