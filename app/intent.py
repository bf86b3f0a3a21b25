"""Intent: what a message wants, told from the encoder's vector; most messages want an answer."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from app.answer import Length
from index.encoder import Asked, Vectors

Kind = Literal["ask", "outline", "list", "shelf", "talk", "quiz", "reshape", "longer", "follow", "other"]

TINY = 1e-9
LEAST = 0.5  # probability from which a message is taken for anything but a question
ALONE = frozenset({"ask", "outline", "other"})  # questions that can be understood alone
ASIDE = frozenset({"shelf", "talk", "quiz"})  # want nothing that the sources say

# What is said to messages that no source answers.
REPLIES: Mapping[str, str] = {
    "talk": "Hello! I answer questions on ML infrastructure and interviews from the shelf, and every sentence opens its"
    " source. Ask, for example, “How does ring-allreduce work?”",
    "shelf": "I answer from {documents} documents on this shelf, quoted word for word, each sentence linked to its"
    " place. I also make reading lists (“papers on consensus, two hours”), and say so if nothing here answers. Nothing"
    " that you type leaves this machine unless you set a language model. `prep status` lists all sources and those that"
    " could not be read; `prep ingest` adds your own.",
    "quiz": "I cannot quiz you yet. What I can do: answer the questions that you would be asked, with the sources"
    " (“What is a cache stampede?”), or list what to read before the round.",
    "reshape": "There is no earlier answer to change. Ask a question first; “shorter” and “longer” then change its"
    " answer.",
}
LENGTHS: Mapping[Kind, Length] = {"reshape": "short", "longer": "long"}  # in which an earlier answer is given again
ENGLISH = "The sources on this shelf are in English; a question in English finds more."


class Intent(NamedTuple):
    """What a message wants, and how likely it does, 0 to 1."""

    kind: Kind
    probability: float


@dataclass(frozen=True)
class Head:
    """A softmax regression over the vectors of one encoder; `prep eval fit intent` writes it."""

    encoder: str
    kinds: tuple[Kind, ...]
    weights: Vectors  # (kinds, dimension + 1), the last the intercept


def of(asked: Asked, encoder: str) -> Intent:
    """Return what a message wants; with another encoder than the one that was fitted on, an answer."""
    head = _head()
    if encoder != head.encoder:
        return Intent("ask", 1.0)
    likely = _likely(asked, head)
    best = int(likely.argmax())
    probability = float(likely[best])
    return Intent(head.kinds[best], probability) if probability >= LEAST else Intent("ask", 1 - probability)


def follows(asked: Asked, encoder: str) -> float:
    """Return the log-odds that a question is a follow-up, by its own words; 0 with another encoder."""
    head = _head()
    if encoder != head.encoder:
        return 0.0
    likely = float(_likely(asked, head)[head.kinds.index("follow")])
    return math.log(likely + TINY) - math.log(1 - likely + TINY)


def _likely(asked: Asked, head: Head) -> Vectors:
    odds = head.weights[:, :-1] @ asked.vector + head.weights[:, -1]
    likely: Vectors = np.exp(odds - odds.max())
    likely /= likely.sum()
    return likely


@cache
def _head() -> Head:
    held: dict[str, Any] = json.loads((Path(__file__).parent / "intent.json").read_bytes())
    kinds: tuple[Kind, ...] = tuple(kind for kind in get_args(Kind) if kind in held)
    return Head(held["encoder"], kinds, np.array([held[name] for name in kinds], dtype=np.float32))
