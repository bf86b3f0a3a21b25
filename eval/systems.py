"""Systems: what the cases are put to. Ours is the assistant of the chat; the others show what our choices buy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.assistant import Assistant, Turn
from eval.checks import Found, Said
from eval.rows import OURS
from index import search
from index.passage import Hit
from index.search import Weights


class System(Protocol):
    """Something that finds passages for a question and may answer it."""

    @property
    def name(self) -> str:
        """Return what it is called in rows and reports."""
        ...


    def search(self, question: str, limit: int) -> list[Found]:
        """Return the passages that fit a question best, best first."""
        ...

    def ask(self, question: str, before: str = "") -> Said | None:
        """Return an answer as `prep ask --json` prints it, to a question after another; None: it only searches."""
        ...


class Ours:
    """The assistant as it serves people."""

    def __init__(self, assistant: Assistant, name: str = OURS) -> None:
        self.name = name
        self._assistant = assistant
        self._first: dict[str, str] = {}

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

    @property
    def name(self) -> str:
        """Return what it is called in rows and reports."""
        ...

    rank: Callable[[str, int], list[Hit]]

    def search(self, question: str, limit: int) -> list[Found]:
        """Return its hits."""
        return [found(hit) for hit in self.rank(question, limit)]

    def ask(self, question: str, before: str = "") -> None:
        """Answer nothing."""


def found(hit: Hit) -> Found:
    """Return a hit as the checks see it."""
    return Found(hit.source.url, hit.passage.text, hit.score, " > ".join(hit.passage.heading))


RANKINGS: Mapping[str, Weights] = {"dense": Weights(lexical=0.0), "bm25": Weights(lexical=1.0)}


def ranking(name: str, assistant: Assistant) -> Ranking:
    """Return one half of our search alone, "dense" or "bm25", over the same passages."""

    def rank(question: str, limit: int) -> list[Hit]:
        return search.hybrid(
            question,
            assistant.shelf,
            assistant.encoder,
            limit=limit,
            weights=RANKINGS[name],
            per_document=limit,
        )

    return Ranking(name, rank)
