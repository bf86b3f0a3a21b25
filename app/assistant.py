"""Assistant: what every face talks to. It answers questions from one shelf."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app import (
    AnswerError,
    ModelError,
    clean,
    followups,
    intent,
    inventory,
    quoted,
    reading,
    spelling,
    suggestions,
    support,
)
from app.answer import Answer, Done, Event, Length, Notice, Said, Shown, Status
from app.citer import Citer
from app.intent import Intent
from app.quoted import Evidence, Quoter
from app.reading import ReadingList
from index import encoder as encoders
from index import planted, search, store
from index import reader as readers
from index.encoder import Encoder
from index.passage import Hit
from index.reader import narrow
from index.reader.narrow import Reader
from index.store import Shelf
from ingest.characters import whole

if TYPE_CHECKING:
    from app.llm import Model
    from app.proof import Score

SUGGESTIONS = 3
SUGGESTED_FROM = 4  # passages that are read to see whether a suggested question is answered
EARLIER = 8  # questions of a conversation that one is understood from
LONGEST_QUESTION = 4000  # characters


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation."""

    role: str  # "user" or "assistant"
    content: str


@dataclass(frozen=True, slots=True)
class Manner:
    """How answers are wanted."""

    passages: int = quoted.HITS  # read for each
    length: Length = "standard"


@dataclass
class Clock:
    """Times the stages of one answer, in milliseconds."""

    timings: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time that the block takes to a stage."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.timings[name] = self.timings.get(name, 0.0) + 1000 * (time.perf_counter() - begun)


class Assistant:
    """Answers from one shelf; make a new one to answer from a newer shelf."""

    def __init__(
        self,
        shelf: Shelf,
        encoder: Encoder,
        *,
        model: Callable[[], Model | None] = lambda: None,
        manner: Manner | None = None,
        reader: Reader | None = None,
        supports: Score = support.support,
    ) -> None:
        """Without a `reader` nothing is claimed to answer a question: what comes closest is shown."""
        self.shelf = shelf
        self.encoder = encoder
        self.manner = manner or Manner()
        self.citer = Citer(shelf)
        self.reader = reader
        self.supports = supports
        self._model = model  # asked for with each question, because a server may come and go
        self._quoter = Quoter(shelf, encoder, reader, self.citer)

    @classmethod
    def open(
        cls,
        data: Path,
        *,
        encoder_folder: str = "",
        model: Callable[[], Model | None] = lambda: None,
        reader_folder: str = "",
        nli: str = "",
    ) -> Assistant:
        """Return an assistant over the shelf that serves under a data folder.

        `model` gives the language model that writes answers, None if they are quoted; see app.llm.connect.
        `reader_folder` is that of a cross-encoder in the place of the built-in reader, `nli` that of a model in the
        place of the support check; "" are the built-in ones. Raises ShelfError if there is no shelf, or it was built
        with another encoder, or a model cannot be loaded.
        """
        encoder = encoders.load(encoder_folder, engines=data / "engines")
        return cls(
            store.open_shelf(data / "shelves", encoder=encoder.name),
            encoder,
            model=model,
            reader=readers.load(reader_folder, engines=data / "engines"),
            supports=support.load(nli, engines=data / "engines"),
        )

    def over(self, shelf: Shelf, *, model: Callable[[], Model | None], manner: Manner) -> Assistant:
        """Return an assistant with the same encoder and checks over another shelf, or a part of this one."""
        return Assistant(shelf, self.encoder, model=model, manner=manner, reader=self.reader, supports=self.supports)

    def search(self, question: str, *, limit: int = 10, topic: str = "") -> list[Hit]:
        """Return the passages that fit a question best, best first, the first of them read."""
        question = _checked(question)
        hits = search.hybrid(question, self.shelf, self.encoder, limit=max(limit, narrow.READ), topic=topic)
        return (narrow.read(question, hits, self.reader) if self.reader else hits)[:limit]

    def find(self, question: str, *, topic: str = "") -> Evidence:
        """Return what the shelf has for a question that stands alone, and how surely that answers it."""
        return self._quoter.find(_checked(question), topic)

    def ask(self, question: str, *, history: Sequence[Turn] = (), topic: str = "") -> Answer:
        """Return a cited answer, or one that says what the shelf does not hold.

        Raises AnswerError if the question is empty or far too long.
        """
        (*_, last) = self.stream(question, history=history, topic=topic)
        assert isinstance(last, Done)  # a stream ends with it
        return last.answer

    def stream(self, question: str, *, history: Sequence[Turn] = (), topic: str = "") -> Iterator[Event]:
        """Yield an answer as it comes about, its last event the whole of it; everything in it may be shown.

        It blocks while it works: a face that must not wait takes its events in a thread. Closing it stops the model.
        Raises AnswerError as `ask` does.
        """
        question = _checked(question)
        clock = Clock()
        with clock.stage("total"):
            model, fault = self._connected()
            before = [turn.content for turn in history if turn.role == "user"]
            rewritten = question
            if model and history:
                yield Status("Reading the question")
                with clock.stage("rewrite"):
                    rewritten, fault = _rewritten(question, history, model)
            with clock.stage("intent"):
                plainly = spelling.respelled(rewritten, self.shelf)
                wanted = self._wants(plainly)
            request = inventory.asked(plainly) or (plainly if wanted.kind == "list" else "")
            yield Status("Looking through the lists" if request else "Searching the shelf")
            if wanted.kind in intent.LENGTHS and not model:
                said = yield from self._again(question, wanted.kind, before, topic, clock)
            elif request and (listed := self._listed(question, request, clock)):
                said = listed
                yield from _events(said)
            else:
                found = self._found(rewritten, before[-EARLIER:] if rewritten == question else [], topic, clock)
                if wanted.kind in intent.ASIDE and wanted.probability > found.confidence:
                    said = self._aside(question, wanted.kind, clock)
                    yield from _events(said)
                else:
                    said = yield from self._answered(question, found, model, fault, clock, wanted.kind)
        if wanted.kind == "other" and not said.notice:
            said = replace(said, notice=intent.ENGLISH, notice_at=len(said.sentences))
        yield Done(clean.answer(said))

    def read(self, request: str, *, minutes: float | None = None) -> ReadingList:
        """Return a reading list for a request in plain words; `minutes` is its time box, if it names none itself.

        Raises AnswerError if the request is empty or far too long.
        """
        return reading.read(_checked(request), self.shelf, self.encoder, self.citer, minutes=minutes)

    def suggest(self, said: Answer) -> list[str]:
        """Return questions that go on from an answer and that the shelf can answer, up to three."""
        found = []
        for question in suggestions.after(said, self.shelf):
            if self._quoter.find(question, limit=SUGGESTED_FROM).outcome == "answered":
                found.append(question)
            if len(found) == SUGGESTIONS:
                break
        return found

    def _found(self, question: str, before: Sequence[str], topic: str, clock: Clock) -> Evidence:
        """Return what the shelf has for a question, understood from those before it if it is a follow-up."""
        limit = max(self.manner.passages, narrow.READ)
        spelled = spelling.respelled(question, self.shelf)
        found = followups.best(
            [self._quoter.find(text, topic, limit, stage=clock.stage) for text in dict.fromkeys([spelled, question])]
        )
        earlier = next((text for text in reversed(before) if self._wants(text).kind in intent.ALONE), "")
        if not earlier:
            return found
        joined = self._quoter.find(f"{earlier} {spelled}", topic, limit, stage=clock.stage)
        follow = intent.follows(self.encoder.ask(spelled), self.encoder.name)
        return followups.Readings(follow, found, joined, self.encoder.ask(earlier).vector).meant

    def _wants(self, text: str) -> Intent:
        return intent.of(self.encoder.ask(text), self.encoder.name)

    def _answered(
        self, question: str, found: Evidence, model: Model | None, fault: str, clock: Clock, kind: intent.Kind
    ) -> Generator[Event, None, Answer]:
        """Yield the answer that is made of what was found; return it whole."""
        yield Status(f"Reading {len(found.hits)} passages")
        if model and not fault and found.hits:
            return (yield from self._written(question, found, model, clock))
        said = yield from self._quoted(question, found, clock, outline=kind == "outline")
        said = replace(said, notice=f"The language model did not answer: {fault}." if fault else "")
        yield from _events(said)
        return said

    def _again(
        self, question: str, kind: intent.Kind, before: Sequence[str], topic: str, clock: Clock
    ) -> Generator[Event, None, Answer]:
        """Yield the answer to the last question again, shorter or longer; say so if there was no question."""
        asked = [text for text in before if self._wants(text).kind in {*intent.ALONE, "follow"}]
        if not asked:
            said = self._aside(question, "reshape", clock)
        else:
            found = self._found(asked[-1], asked[:-1], topic, clock)
            said = yield from self._quoted(question, found, clock, intent.LENGTHS[kind])
        yield from _events(said)
        return said

    def _aside(self, question: str, kind: intent.Kind, clock: Clock) -> Answer:
        """Return the reply to a message that asks nothing of the sources."""
        text = intent.REPLIES[kind].format(documents=self.shelf.manifest.documents)
        return Answer(question, "extractive", (), (), outcome="refused", aside=True, notice=text, timings=clock.timings)

    def _connected(self) -> tuple[Model | None, str]:
        """Return the language model, and why there is none if one is set that cannot be."""
        try:
            return self._model(), ""
        except AnswerError as error:
            return None, str(error).rstrip(".")

    def _written(self, question: str, found: Evidence, model: Model, clock: Clock) -> Generator[Event, None, Answer]:
        """Yield the answer that a language model writes from the hits; return it whole."""
        from app import generative, proof

        hits = generative.joined(found.hits)
        head = planted.read(self.encoder.name)
        prover = proof.Prover(
            hits,
            vectors={hit.number: self.shelf.sentence_vectors(hit.number) for hit in hits},
            encode=lambda text: self.encoder.encode([text])[0],
            support=self.supports,
            citer=self.citer,
            planted=lambda vector: head is not None and bool(head.alone.holds(vector)),
        )
        writing = generative.Writing(
            question,
            found.asked.text,
            hits,
            model,
            prover,
            quoted=lambda: self._quoted(question, found, clock),
            nearest=self._quoter.nearest(found),
            sure=found.outcome == "answered",
            length=self.manner.length,
            timings=clock.timings,
        )
        return (yield from writing.run())

    def _quoted(
        self, question: str, found: Evidence, clock: Clock, length: Length | None = None, *, outline: bool = False
    ) -> Generator[Event, None, Answer]:
        """Yield what is done for the answer that is made of quotes alone; return it."""
        yield Status("Choosing and checking the quotes")
        with clock.stage("quote"):
            made = self._quoter.quote(found, length or self.manner.length, outline=outline)
        return Answer(
            question=question,
            mode="extractive",
            sentences=made.sentences,
            citations=made.citations,
            sections=made.sections,
            outcome=made.outcome,
            differ=made.differ,
            missing=made.missing,
            nearest=made.nearest,
            confidence=found.confidence,
            timings=clock.timings,
        )

    def _listed(self, question: str, request: str, clock: Clock) -> Answer | None:
        """Return what the lists hold of a request, None if they hold nothing."""
        with clock.stage("lists"):
            items = self.read(request).items[: inventory.MOST]
            made = inventory.cited(items, self.shelf)
        if not items:
            return None
        return Answer(
            question=question,
            mode="extractive",
            sentences=made.sentences,
            citations=made.citations,
            listed=True,
            missing=made.missing,
            timings=clock.timings,
        )


def _events(said: Answer) -> Iterator[Event]:
    """Yield an answer that is whole already as if it came about."""
    shown = clean.answer(said)
    if shown.notice:
        yield Notice(shown.notice)
    cited: set[int] = set()
    for sentence in shown.sentences:
        lead = "\n- " if shown.listed and sentence.lead == " " else sentence.lead
        yield Said(
            replace(sentence, lead=lead),
            tuple(one for one in shown.citations if one.n in sentence.citations and one.n not in cited),
        )
        cited.update(sentence.citations)
    if not shown.abstained:  # what comes closest is shown when it is said that it is no answer
        of = {one.n: one for one in shown.citations}
        yield from (Shown(section, of[section.n]) for section in shown.sections)


def _checked(question: str) -> str:
    question = " ".join(whole(question).split())
    if not question.strip("\ufffd "):
        raise AnswerError('the question is empty; ask something, such as `prep ask "how does ring-allreduce work?"`.')
    if len(question) > LONGEST_QUESTION:
        raise AnswerError(f"the question has {len(question):,} characters; ask with at most {LONGEST_QUESTION:,}.")
    return question


def _rewritten(question: str, history: Sequence[Turn], model: Model) -> tuple[str, str]:
    """Return the question as it can be understood alone, and why the model could not be asked for it."""
    from app import generative

    try:
        return generative.rewritten(question, history, model) or question, ""
    except ModelError as error:
        return question, str(error)
