"""Assistant: what every face talks to. It answers questions from one shelf."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from app import AnswerError, ModelError, clean, inventory, quoted, reading, suggestions, support
from app import question as questions
from app.answer import Answer, Citation, Done, Event, Length, Notice, Said, Status
from app.links import deep_link
from app.quoted import Evidence, Quoter
from app.reading import ReadingList
from index import encoder as encoders
from index import rerank, search, store
from index.encoder import Encoder
from index.passage import Hit
from index.store import Shelf

if TYPE_CHECKING:
    from app.llm import Model
    from app.proof import Score
    from index.rerank import Reranker

SUGGESTIONS = 3
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
        reranker: Reranker | None = None,
        supports: Score = support.support,
    ) -> None:
        self.shelf = shelf
        self.encoder = encoder
        self.manner = manner or Manner()
        self._model = model  # asked for with each question, because a server may come and go
        self.reranker = reranker
        self.supports = supports
        self._quoter = Quoter(shelf, encoder, self._citation)

    @classmethod
    def open(
        cls,
        data: Path,
        *,
        encoder_folder: str = "",
        model: Callable[[], Model | None] = lambda: None,
        reranker: str = "",
        nli: str = "",
    ) -> Assistant:
        """Return an assistant over the shelf that serves under a data folder.

        `model` gives the language model that writes answers, None where they are quoted; see app.llm.connect.
        `reranker` is as index.rerank.load takes it, `nli` the folder of a model in the place of the support check.
        Raises ShelfError where there is no shelf, or it was built with another encoder, or a model cannot be loaded.
        """
        encoder = encoders.load(encoder_folder, engines=data / "engines")
        return cls(
            store.open_shelf(data / "shelves", encoder=encoder.name),
            encoder,
            model=model,
            reranker=rerank.load(reranker, encoder),
            supports=support.load(nli),
        )

    def over(self, shelf: Shelf, *, model: Callable[[], Model | None], manner: Manner) -> Assistant:
        """Return an assistant with the same encoder and checks over another shelf, or a part of this one."""
        return Assistant(
            shelf, self.encoder, model=model, manner=manner, reranker=self.reranker, supports=self.supports
        )

    def search(self, question: str, *, limit: int = 10, topic: str = "") -> list[Hit]:
        """Return the passages that fit a question best, best first."""
        question = _checked(question)
        if not self.reranker:
            return search.hybrid(question, self.shelf, self.encoder, limit=limit, topic=topic)
        hits = search.hybrid(question, self.shelf, self.encoder, limit=max(limit, rerank.DEPTH), topic=topic)
        return rerank.rerank(question, hits, self.reranker)[:limit]

    def ask(self, question: str, *, history: Sequence[Turn] = (), topic: str = "") -> Answer:
        """Return a cited answer, or one that says what the shelf does not hold.

        Raises AnswerError where the question is empty or far too long.
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
            plainly = questions.standalone(question, before[-EARLIER:], partial(self._quoter.alone, topic=topic))
            if model and history:
                yield Status("Reading the question")
                with clock.stage("rewrite"):
                    plainly, fault = _rewritten(question, history, model, plainly)
            request = inventory.asked(plainly)
            yield Status("Looking through the lists" if request else "Searching the shelf")
            if request and (said := self._listed(question, request, clock)):
                yield from _events(said)
            else:
                said = yield from self._answered(question, plainly, topic, model, fault, clock)
        yield Done(clean.answer(said))

    def read(self, request: str, *, minutes: float | None = None) -> ReadingList:
        """Return a reading list for a request in plain words; `minutes` is its time box, where it names none itself.

        Raises AnswerError where the request is empty or far too long.
        """
        return reading.read(_checked(request), self.shelf, self.encoder, self._citation, minutes=minutes)

    def suggest(self, said: Answer) -> list[str]:
        """Return questions that go on from an answer and that the shelf can answer, up to three."""
        found = []
        for question in suggestions.after(said, self.shelf):
            asked = questions.read(question)
            if self._quoter.weigh(asked, self._quoter.hits(asked)).answers:
                found.append(question)
            if len(found) == SUGGESTIONS:
                break
        return found

    def _answered(
        self, question: str, plainly: str, topic: str, model: Model | None, fault: str, clock: Clock
    ) -> Generator[Event, None, Answer]:
        """Yield the answer to a question that stands alone; return it whole."""
        parts = quoted.parts(plainly)
        with clock.stage("search"):
            limit = max(self.manner.passages, rerank.DEPTH if self.reranker else 0)
            hits = [self._quoter.hits(asked, topic, limit) for asked in parts]
        if self.reranker:
            with clock.stage("rerank"):
                again = [rerank.rerank(asked.text, own, self.reranker) for asked, own in zip(parts, hits, strict=True)]
                hits = [own[: self.manner.passages] for own in again]
        yield Status(f"Reading {sum(map(len, hits))} passages")
        with clock.stage("weigh"):
            found = [self._quoter.weigh(asked, own) for asked, own in zip(parts, hits, strict=True)]
        if model and not fault and any(one.hits for one in found):
            return (yield from self._written(question, plainly, found, model, clock))
        said = yield from self._quoted(question, found, clock)
        said = replace(said, notice=f"The language model did not answer: {fault}." if fault else "")
        yield from _events(said)
        return said

    def _connected(self) -> tuple[Model | None, str]:
        """Return the language model, and why there is none where one is set that cannot be."""
        try:
            return self._model(), ""
        except AnswerError as error:
            return None, str(error).rstrip(".")

    def _written(
        self, question: str, plainly: str, found: Sequence[Evidence], model: Model, clock: Clock
    ) -> Generator[Event, None, Answer]:
        """Yield the answer that a language model writes from the hits; return it whole."""
        from app import generative, proof

        hits = generative.joined(list({hit.number: hit for one in found for hit in one.hits}.values()))
        prover = proof.Prover(
            hits,
            vectors={hit.number: self.shelf.sentence_vectors(hit.number) for hit in hits},
            encode=lambda text: self.encoder.encode([text])[0],
            support=self.supports,
            cite=self._citation,
        )
        writing = generative.Writing(
            question,
            plainly,
            hits,
            model,
            prover,
            quoted=lambda: self._quoted(question, found, clock),
            nearest=self._quoter.nearest(found[0]),
            length=self.manner.length,
            timings=clock.timings,
        )
        return (yield from writing.run())

    def _quoted(self, question: str, found: Sequence[Evidence], clock: Clock) -> Generator[Event, None, Answer]:
        """Yield what is done for the answer that is made of quotes alone; return it."""
        yield Status("Choosing and checking the quotes")
        with clock.stage("quote"):
            made = self._quoter.quote(found, self.manner.length)
        return Answer(
            question=question,
            mode="extractive",
            sentences=made.sentences,
            citations=made.citations,
            listed=made.listed,
            differ=made.differ,
            missing=made.missing,
            nearest=made.nearest,
            confidence=min(one.confidence for one in found),
            timings=clock.timings,
        )

    def _listed(self, question: str, request: str, clock: Clock) -> Answer | None:
        """Return what the lists hold of a request, None where they hold nothing."""
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

    def link(self, hit: Hit) -> str:
        """Return the address that opens a hit's source at the passage."""
        text, page_text = self.shelf.page(hit.source.url)
        spans = hit.passage.sentences
        quote = hit.passage.text[spans[0][0] : spans[0][1]] if spans else hit.passage.text
        return deep_link(hit.source.url, hit.source.form, hit.passage.place, quote, page_text or text)

    def _citation(self, hit: Hit, span: tuple[int, int], n: int) -> Citation | None:
        """Return a citation of a stretch of a passage, None where the document does not hold it verbatim."""
        passage, source = hit.passage, hit.source
        text, page_text = self.shelf.page(source.url)
        start, end = passage.start + span[0], passage.start + span[1]
        quote = passage.text[span[0] : span[1]]
        if text[start:end] != quote:
            return None
        made = Citation(
            n=n,
            url=source.url,
            deep_url=deep_link(source.url, source.form, passage.place, quote, page_text or text),
            title=source.title,
            quote=quote,
            start=start,
            end=end,
            sha256=source.sha256,
            heading=passage.heading,
            passage=passage.text,
            kind=source.kind,
        )
        return clean.citation(made)


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


def _checked(question: str) -> str:
    question = " ".join(question.split())
    if not question:
        raise AnswerError('the question is empty; ask something, such as `prep ask "how does ring-allreduce work?"`.')
    if len(question) > LONGEST_QUESTION:
        raise AnswerError(f"the question has {len(question):,} characters; ask with at most {LONGEST_QUESTION:,}.")
    return question


def _rewritten(question: str, history: Sequence[Turn], model: Model, plainly: str) -> tuple[str, str]:
    """Return the question as it can be understood alone, and why the model could not be asked for it."""
    from app import generative

    try:
        return generative.rewritten(question, history, model) or plainly, ""
    except ModelError as error:
        return plainly, str(error)
