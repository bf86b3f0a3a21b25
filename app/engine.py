"""Engine: what the chat asks of the rooms below: answers, reading lists, follow-ups, and the state of the shelf.

One engine stands over one version of the shelf. The desk opens a new one when a new shelf is published.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import AnswerError, ModelError, browse, starters
from app.answer import Done, Notice, Said, Shown, Status
from app.assistant import Assistant, Manner, Turn
from app.reading import ReadingList
from app.wishes import Choices, Wishes
from index.manifest import describe
from index.passage import Source
from ingest import IngestError, ledger
from ingest.ledger import Entry

if TYPE_CHECKING:
    from app.llm import Model

NAME_HOLDS = 15.0  # seconds that the name of the language model is believed; a server may come and go
RELEASE = "0.1.0"


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of the work that is done."""

    name: str
    spent: float  # milliseconds


@dataclass(frozen=True, slots=True)
class FollowUps:
    """Questions that go on from an answer, and that the shelf can answer."""

    questions: tuple[str, ...]


Heard = Status | Stage | Said | Shown | Notice | Done | FollowUps


class Writer:
    """The language model that writes answers, where there is one."""

    def __init__(self, connect: Callable[[], Model | None] = lambda: None) -> None:
        self.connect = connect
        self._name, self._holds_until = "", 0.0

    def name(self) -> str:
        """Return what it is called, "" where there is none; it may ask the server, so not on the event loop."""
        if time.monotonic() > self._holds_until:
            self._name = self._named()
            self._holds_until = time.monotonic() + NAME_HOLDS
        return self._name

    def _named(self) -> str:
        try:
            model = self.connect()
        except AnswerError:  # each answer says what is wrong
            return ""
        if model is None:
            return ""
        with suppress(ModelError):
            model.pick()
        return model.name or f"the model at {model.endpoint.place}"


@dataclass
class Engine:
    """Answers from one version of the shelf."""

    assistant: Assistant  # without a language model
    ledger: Path
    writer: Writer = field(default_factory=Writer)
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
            "model": self.writer.name(),
        }

    @cached_property
    def sources(self) -> dict[str, Source]:
        """Return what is known of every document, by address."""
        return {source.url: source for source in self.assistant.shelf.sources()}

    @cached_property
    def _offered(self) -> tuple[Sequence[str], Sequence[str]]:
        named = (name for source in self.sources.values() for name in source.topic.split("; "))
        topics = [name for name in dict.fromkeys(named) if name != ledger.ARCHIVE_TOPIC]
        return topics, sorted({source.kind for source in self.sources.values()})

    def choices(self) -> Choices:
        """Return what can be wished for: the topics and kinds that have text, and the model."""
        return Choices(*self._offered, self.writer.name())

    def entries(self) -> list[Entry]:
        """Return the ledger's rows as they are now; none where there is no ledger."""
        if not self.ledger.exists():
            return []
        try:
            with ledger.open_ledger(self.ledger) as book:
                return book.entries()
        except (IngestError, sqlite3.Error) as error:
            raise AnswerError(f"The ledger cannot be read just now ({error}). Try again in a moment.") from error

    def ask(self, question: str, history: Sequence[Turn], wishes: Wishes) -> Iterator[Heard]:
        """Yield an answer as it comes about, with each stage of the work as it ends; then what to ask next."""
        doing, since = "", time.perf_counter()
        for event in self._for(wishes).stream(question, history=history):
            goes_on = isinstance(event, Status) and event.text == doing  # a sign of life
            if doing and not goes_on:
                yield Stage(doing, 1000 * (time.perf_counter() - since))
            if not goes_on:
                doing, since = event.text if isinstance(event, Status) else "", time.perf_counter()
            yield event
            if isinstance(event, Done) and not event.answer.abstained:
                yield FollowUps(tuple(self.assistant.suggest(event.answer)))

    def _for(self, wishes: Wishes) -> Assistant:
        """Return the assistant that answers as somebody wishes."""
        shelf = self.assistant.shelf
        if wishes.topics or wishes.kinds or wishes.within:
            shelf = shelf.narrowed(topics=wishes.topics, kinds=wishes.kinds, resource=wishes.within)
        connect: Callable[[], Model | None] = (lambda: None) if wishes.extractive else self.writer.connect
        return self.assistant.over(shelf, model=connect, manner=Manner(wishes.passages, wishes.length))

    def read(self, request: str, wishes: Wishes) -> Iterator[ReadingList]:
        """Yield a reading list."""
        yield self._for(wishes).read(request)

    def starters(self, profile: str) -> tuple[tuple[str, str], ...]:
        """Return (label, message) pairs to begin with, all about what this shelf has text on."""
        if profile not in self._starters:
            self._starters[profile] = starters.choose(profile, self)
        return self._starters[profile]

    def about(self) -> dict[str, Any]:
        """Return what the banner says: what answers, and from what."""
        manifest = self.assistant.shelf.manifest
        entries = self.entries()
        covered, links = browse.coverage(entries)
        return {
            "model": self.writer.name(),
            "shelf": manifest.version,
            "date": manifest.built_at[:10],
            "documents": manifest.documents,
            "covered": covered,
            "links": links,
            "read": browse.asked(entries),
        }


@dataclass(frozen=True)
class EngineOpener:
    """Opens engines over the shelf of a data folder."""

    data: Path
    ledger: Path
    encoder: str = ""
    reader: str = ""
    nli: str = ""
    writer: Writer = field(default_factory=Writer)

    def open(self) -> Engine:
        """Return an engine over the shelf that serves; the encoder is loaded once."""
        assistant = Assistant.open(self.data, encoder_folder=self.encoder, reader_folder=self.reader, nli=self.nli)
        engine = Engine(assistant, self.ledger, self.writer)
        for profile in starters.PROFILES:  # now, so that the first who comes does not wait for it
            engine.starters(profile)
        return engine

    def newest(self) -> str:
        """Return the version of the shelf that should serve, "" where there is none."""
        served = describe(self.data / "shelves")
        return served.version if served else ""
