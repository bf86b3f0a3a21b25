"""Engine: what the chat asks of the rooms below: answers, reading lists, follow-ups, and the state of the shelf.

One engine stands over one version of the shelf. The desk opens a new one when a new shelf is published.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from app import AnswerError, browse, starters
from app.answer import Answer
from app.assistant import Assistant, Turn
from app.reading import ReadingList
from app.wishes import Choices, Wishes
from index import encoder as encoders
from index import store
from index.passage import Source
from ingest import IngestError, ledger
from ingest.ledger import Entry

RELEASE = "0.1.0"


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of the work that is done."""

    name: str
    spent: float  # milliseconds
    note: str = ""  # what was done, where that says more than the name


@dataclass
class Engine:
    """Answers from one version of the shelf."""

    assistant: Assistant
    ledger: Path
    model: str = ""  # the language model's name, where one is configured
    _starters: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """Return the version of the shelf."""
        return self.assistant.shelf.manifest.version

    @property
    def versions(self) -> dict[str, str]:
        """Return what a record must name for an answer to be understood later."""
        manifest = self.assistant.shelf.manifest
        return {
            "prepshelf": RELEASE,
            "shelf": manifest.version,
            "encoder": manifest.encoder,
            "splitter": manifest.splitter,
            "model": self.model,
        }

    @cached_property
    def sources(self) -> dict[str, Source]:
        """Return what is known of every document, by address."""
        return {source.url: source for source in self.assistant.shelf.sources()}

    @cached_property
    def choices(self) -> Choices:
        """Return what can be wished for: the topics and kinds that have text, and the model."""
        named = (name for source in self.sources.values() for name in source.topic.split("; "))
        topics = [name for name in dict.fromkeys(named) if name != ledger.ARCHIVE_TOPIC]
        return Choices(topics, sorted({source.kind for source in self.sources.values()}), self.model)

    def entries(self) -> list[Entry]:
        """Return the ledger's rows as they are now; none where there is no ledger."""
        if not self.ledger.exists():
            return []
        try:
            with ledger.open_ledger(self.ledger) as book:
                return book.entries()
        except (IngestError, sqlite3.Error) as error:
            raise AnswerError(f"The ledger cannot be read just now ({error}). Try again in a moment.") from error

    def ask(self, question: str, history: Sequence[Turn], wishes: Wishes) -> Iterator[Stage | Answer]:
        """Yield the stages of the work as they are done, then the answer."""
        said = self._for(wishes).ask(question, history=history)
        for stage, spent in said.timings.items():
            if stage != "total":
                yield Stage(stage, spent)
        yield said

    def _for(self, wishes: Wishes) -> Assistant:
        """Return the assistant over what somebody wants searched."""
        if not (wishes.topics or wishes.kinds or wishes.within):
            return self.assistant
        shelf = self.assistant.shelf.narrowed(topics=wishes.topics, kinds=wishes.kinds, resource=wishes.within)
        return Assistant(shelf, self.assistant.encoder)

    def follow_ups(self, said: Answer) -> list[str]:
        """Return up to three questions that go on from an answer and that the shelf can answer."""
        suggest = getattr(self.assistant, "suggest", None)
        return list(suggest(said))[:3] if suggest else []

    def read(self, request: str, minutes: float | None) -> Iterator[ReadingList]:
        """Yield a reading list."""
        read = getattr(self.assistant, "read", None)
        if read is None:
            raise AnswerError("Reading lists are not built in here.")
        yield read(request, minutes=minutes)

    def starters(self, profile: str) -> tuple[tuple[str, str], ...]:
        """Return (label, message) pairs to begin with, all about what this shelf has text on."""
        if profile not in self._starters:
            self._starters[profile] = starters.choose(profile, self)
        return self._starters[profile]

    def about(self) -> dict[str, Any]:
        """Return what the banner says: what answers, and from what."""
        manifest = self.assistant.shelf.manifest
        covered, links = browse.coverage(self.entries())
        return {
            "model": self.model,
            "shelf": manifest.version,
            "date": manifest.built_at[:10],
            "documents": manifest.documents,
            "covered": covered,
            "links": links,
        }


@dataclass(frozen=True)
class EngineOpener:
    """Opens engines over the shelf of a data folder."""

    data: Path
    ledger: Path
    encoder: str = ""
    model: str = ""

    def open(self) -> Engine:
        """Return an engine over the shelf that serves; the encoder is loaded once."""
        loaded = encoders.load(self.encoder, engines=self.data / "engines")
        shelf = store.open_shelf(self.data / "shelves", encoder=loaded.name)
        return Engine(Assistant(shelf, loaded), self.ledger, self.model)

    def newest(self) -> str:
        """Return the version of the shelf that serves, "" where there is none."""
        manifest = store.describe(self.data / "shelves")
        return manifest.version if manifest else ""
