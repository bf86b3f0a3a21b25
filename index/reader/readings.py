"""Readings: a text that is read together with another, and what a model makes of the two."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from index.encoder import Spans

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Text:
    """A text to be read together with another."""

    head: str  # where it stands: title and headings
    text: str
    parts: Spans  # its sentences


@dataclass(frozen=True, slots=True)
class Reading:
    """What a model makes of two texts: log-odds, 0 is undecided."""

    whole: float  # that the second answers, or supports, the first
    parts: Floats  # that a sentence of it does, shape (sentences,); the lowest of all for what the window does not show
