"""Wide: many candidates put in order by their token vectors, made at indexing ("ColBERT", Khattab and Zaharia 2020)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from index.encoder import Asked, Tokens

LEVELS = 127 / 0.4  # a token vector's components as 8-bit integers; hardly one is beyond 0.4

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]


def maxsim(asked: Asked, tokens: Tokens, counts: Numbers) -> Floats:
    """Return a score a passage, shape (n,): for each word piece of a question its nearest in the passage, summed.

    `tokens` are the token vectors of all passages in a row, `counts` how many each has. A score is a mean of cosines,
    weighted by how much each piece matters.
    """
    return np.asarray(met(asked, tokens, counts).sum(axis=1), dtype=np.float32)


def met(asked: Asked, tokens: Tokens, counts: Numbers) -> Floats:
    """Return how near the nearest piece of each passage is to each piece of a question, shape (passages, pieces)."""
    if not len(counts):
        return np.zeros((0, len(asked.tokens)), dtype=np.float32)
    near = tokens.astype(np.float32) @ (asked.tokens.T / LEVELS)
    return np.asarray(np.maximum.reduceat(near, np.cumsum(counts) - counts, axis=0), dtype=np.float32)


def levels(vectors: Floats) -> Tokens:
    """Return token vectors as 8-bit integers."""
    return np.asarray(np.clip(np.rint(vectors * LEVELS), -127, 127), dtype=np.int8)
