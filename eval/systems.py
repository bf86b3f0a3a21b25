"""Systems: what the cases are put to. Ours is the assistant of the chat; the others show what our choices buy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np

from app.assistant import Assistant, Turn
from eval.checks import Found, Said
from eval.rows import OURS
from index import search
from index.encoder import Encoder, Vectors
from index.passage import Hit
from index.search import Weights


class System(Protocol):
    """Something that finds passages for a question and may answer it."""

    @property
    def name(self) -> str:
        """Return what it is called in rows and reports."""
        ...

    @property
    def answers(self) -> bool:
        """Return whether it answers; else it only searches."""
        ...

    def prepare(self, questions: Sequence[str]) -> None:
        """Get ready for questions, where that is quicker for all at once."""
        ...

    def search(self, question: str, limit: int) -> list[Found]:
        """Return the passages that fit a question best, best first."""
        ...

    def ask(self, question: str, before: str = "") -> Said | None:
        """Return an answer as `prep ask --json` prints it, to a question after another; None: it only searches."""
        ...


class Ours:
    """The assistant as it serves people, one question after the other: how long it takes is measured, too."""

    answers = True

    def __init__(self, assistant: Assistant, name: str = OURS) -> None:
        self.name = name
        self._assistant = assistant

    def prepare(self, questions: Sequence[str]) -> None:
        """Do nothing."""

    def search(self, question: str, limit: int) -> list[Found]:
        """Return the assistant's hits."""
        return [found(hit) for hit in self._assistant.search(question, limit=limit)]

    def ask(self, question: str, before: str = "") -> Said:
        """Return the assistant's answer."""
        history: Sequence[Turn] = ()
        if before:
            history = (Turn("user", before), Turn("assistant", self._assistant.ask(before).text))
        said: Said = self._assistant.ask(question, history=history).as_json()
        return said


@dataclass(frozen=True)
class Ranking:
    """A way of ranking our passages, without an answerer."""

    name: str
    rank: Callable[[str, int], list[Hit]]
    answers = False

    def prepare(self, questions: Sequence[str]) -> None:
        """Do nothing."""

    def search(self, question: str, limit: int) -> list[Found]:
        """Return its hits."""
        return [found(hit) for hit in self.rank(question, limit)]

    def ask(self, question: str, before: str = "") -> None:
        """Answer nothing."""


def found(hit: Hit) -> Found:
    """Return a hit as the checks see it."""
    return Found(hit.source.url, hit.passage.text, hit.score, " > ".join(hit.passage.heading))


# Ways of searching our passages. Those after the third switch one part of ours off.
WEIGHTS: Mapping[str, Weights] = {
    OURS: Weights(),
    "dense": Weights(lexical=0.0, sentence=0.0, listed=0.0, wide=0.0),
    "bm25": Weights(lexical=1.0, listed=0.0, wide=0.0),
    "without words": Weights(lexical=0.0),
    "without sentences": Weights(sentence=0.0),
    "without lists": Weights(listed=0.0),
    "without wide": Weights(wide=0.0),
}
BASELINES = ("dense", "bm25")
ABLATIONS = tuple(name for name in WEIGHTS if name.startswith("without"))


def ranking(name: str, assistant: Assistant) -> Ranking:
    """Return a way of searching the assistant's shelf, by its name in WEIGHTS, before anything is read."""

    def rank(question: str, limit: int) -> list[Hit]:
        return search.hybrid(question, assistant.shelf, assistant.encoder, limit=limit, weights=WEIGHTS[name])

    return Ranking(name, rank)


class Remembering:
    """An encoder that makes the vector of a question once; all systems of a run ask the same ones."""

    def __init__(self, encoder: Encoder) -> None:
        self.name, self.dimension, self.width, self.window = (
            encoder.name,
            encoder.dimension,
            encoder.width,
            encoder.window,
        )
        self.count, self.encode_parts, self.ask = encoder.count, encoder.encode_parts, cache(encoder.ask)
        self._encoder = encoder
        self._known: dict[str, Vectors] = {}

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return a unit vector a text, shape (n, dimension)."""
        if new := [text for text in dict.fromkeys(texts) if text not in self._known]:
            self._known.update(zip(new, self._encoder.encode(new), strict=True))
        return np.array([self._known[text] for text in texts], dtype=np.float32).reshape(-1, self.dimension)
