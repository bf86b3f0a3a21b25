"""Batching: word pieces of texts, padded into batches of like length, and vectors pooled from what comes out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from index.encoder import Vectors, unit

WINDOW = 256  # word pieces that the packaged model was made for
BATCH_PIECES = 2048  # keeps what a batch computes in the processor's cache; measured flat from 1,024 to 4,096
STEP = 16  # lengths are padded to its multiples: then a text's vector is the same in any batch
NONE = np.zeros((0, WINDOW), dtype=np.float32)  # no stretch of a text


def batches(
    ids: Sequence[list[int]], spans: Sequence[Vectors], *, window: int = WINDOW
) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.int32], Vectors, Vectors]]:
    """Yield texts' numbers, ids and masks, like lengths together, longest first; and which pieces make which vector.

    The first stretch of a text is that of all of it, the others are those of its spans.
    """
    lengths = np.asarray([min(len(pieces), window) for pieces in ids], dtype=np.intp)
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
                pool[row, 1 : 1 + len(held), : held.shape[1]] = held[:, :width]
        yield rows, pieces, mask, pool


def pooled(pool: Vectors, states: Vectors) -> Vectors:
    """Return the unit mean of the states of each stretch, shape (texts, stretches, dimension)."""
    # Not by `@`: the threads of its library go on spinning, and the next batch takes half as long again.
    return unit(np.einsum("rsw,rwd->rsd", pool, states))
