"""Shingles: a number for each run of so many words, to tell how much of one text stands in another.

The numbers are those of Karp and Rabin ("Efficient randomized pattern-matching algorithms", 1987): a polynomial over
the bytes of the run, here modulo 2**64, so that all of a text's runs come from one running sum.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.uint64]

_BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse
_INVERSE = pow(_BASE, -1, 2**64)
_IN_NO_WORD = re.compile(r"[^\x00-\x7f\w]")
_LETTERS = bytes(n if n > 127 or chr(n).isalnum() or n == 0 else ord(" ") for n in bytes(range(256)).lower())


def plain(text: str) -> bytes:
    """Return a text in UTF-8 and small ASCII letters, with blanks for all that is part of no word; a NUL stays.

    >>> plain("All-reduce – twice!").split()
    [b'all', b'reduce', b'twice']
    """
    words = text if text.isascii() else _IN_NO_WORD.sub(" ", text)
    return words.encode("utf-8", "replace").translate(_LETTERS)


def shingles(words: Sequence[bytes], size: int) -> Numbers:
    """Return a number below 2**32 for each run of `size` words (no word holds a blank), in order.

    There is none where there are fewer words.

    >>> one, two = shingles(b"a ring sums a ring".split(), 2), shingles(b"ring sums".split(), 2)
    >>> len(one), (one == two).tolist()
    (4, [False, True, False, False])
    """
    runs = len(words) - size + 1
    if runs < 1:
        return np.zeros(0, dtype=np.uint64)
    letters = np.frombuffer(b" %b " % b" ".join(words), dtype=np.uint8)
    blanks = np.flatnonzero(letters == ord(" "))
    sums = np.cumsum(_powers(_BASE, len(letters)) * letters)
    first, last = blanks[:runs], blanks[size:]
    values = (sums[last] - sums[first]) * _powers(_INVERSE, len(letters))[first]
    numbers: Numbers = (values * np.uint64(_BASE)) >> np.uint64(32)
    return numbers


def _powers(base: int, count: int) -> Numbers:
    return np.cumprod(np.concatenate([np.ones(1, np.uint64), np.full(count - 1, base, np.uint64)]))
