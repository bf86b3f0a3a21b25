"""Assistant: what every face talks to. It answers questions from one shelf."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app import AnswerError, ModelError, clean, compose, extractive
from app import question as questions
from app.answer import Answer, Citation, Done, Event, Nearest, Notice, Said, Sentence, Status
from app.links import deep_link
from app.question import Question
from index import encoder as encoders
from index import search, store
from index.encoder import Encoder, Vectors
from index.passage import Hit
from index.store import Shelf

if TYPE_CHECKING:
    from app.llm import Model

HITS = 12  # passages that an answer is made from
LONGEST_QUESTION = 4000  # characters


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation."""

    role: str  # "user" or "assistant"
    content: str


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

    def __init__(self, shelf: Shelf, encoder: Encoder, *, model: Callable[[], Model | None] = lambda: None) -> None:
        self.shelf = shelf
        self.encoder = encoder
        self._model = model  # asked for with each question, because a server may come and go

    @classmethod
    def open(
        cls, data: Path, *, encoder_folder: str = "", model: Callable[[], Model | None] = lambda: None
    ) -> Assistant:
        """Return an assistant over the shelf that serves under a data folder.

        `model` gives the language model that writes answers, None where they are quoted; see app.llm.connect.
        Raises ShelfError where there is no shelf, or it was built with another encoder.
        """
        encoder = encoders.load(encoder_folder, engines=data / "engines")
        return cls(store.open_shelf(data / "shelves", encoder=encoder.name), encoder, model=model)

    def search(self, question: str, *, limit: int = 10, topic: str = "") -> list[Hit]:
        """Return the passages that fit a question best, best first."""
        return search.hybrid(_checked(question), self.shelf, self.encoder, limit=limit, topic=topic)

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
            plainly = questions.standalone(question, [turn.content for turn in history if turn.role == "user"])
            if model and history:
                yield Status("Reading the question")
                with clock.stage("rewrite"):
                    plainly, fault = _rewritten(question, history, model, plainly)
            asked = questions.read(plainly)
            yield Status("Searching the shelf")
            with clock.stage("search"):
                vector = self.encoder.encode([asked.text])[0]
                hits = self._hits(asked, topic)
            if model and hits and not fault:
                said = yield from self._written(question, asked, vector, hits, model, clock)
            else:
                said = self._quoted(question, asked, vector, hits, clock)
                said = replace(said, notice=f"The language model did not answer: {fault}." if fault else "")
                yield from _events(said)
        yield Done(clean.answer(said))

    def _connected(self) -> tuple[Model | None, str]:
        """Return the language model, and why there is none where one is set that cannot be."""
        try:
            return self._model(), ""
        except AnswerError as error:
            return None, str(error).rstrip(".")

    def _written(
        self, question: str, asked: Question, vector: Vectors, hits: Sequence[Hit], model: Model, clock: Clock
    ) -> Generator[Event, None, Answer]:
        """Yield the answer that a language model writes from the hits; return it whole."""
        from app import generative, proof

        prover = proof.Prover(
            hits,
            vectors={hit.number: self.shelf.sentence_vectors(hit.number) for hit in hits},
            encode=lambda text: self.encoder.encode([text])[0],
            support=proof.agreement,
            cite=self._citation,
        )
        writing = generative.Writing(
            question,
            asked.text,
            hits,
            model,
            prover,
            quoted=lambda: clean.answer(self._quoted(question, asked, vector, hits, clock)),
            nearest=_nearest(hits),
            timings=clock.timings,
        )
        return (yield from writing.run())

    def _quoted(self, question: str, asked: Question, vector: Vectors, hits: Sequence[Hit], clock: Clock) -> Answer:
        """Return the answer that is made of quotes alone."""
        with clock.stage("answer"):
            rarity = self.shelf.lexical.rarity(asked.text)
            vectors = {hit.number: self.shelf.sentence_vectors(hit.number) for hit in hits}
            found = extractive.scored(extractive.candidates(asked, vector, hits, vectors, rarity))
            composed = compose.compose(asked, found)
        with clock.stage("cite"):
            citations, sentences = self._cited(composed.sentences)
        return Answer(
            question=question,
            mode="extractive",
            sentences=tuple(sentences),
            citations=tuple(citations),
            listed=composed.listed,
            nearest=() if sentences else _nearest(hits),
            timings=clock.timings,
        )

    def _hits(self, asked: Question, topic: str) -> list[Hit]:
        """Return the passages that an answer is made from; those of a comparison are searched side by side."""
        hits = search.hybrid(asked.text, self.shelf, self.encoder, limit=HITS, topic=topic)
        for side in asked.sides:
            known = {hit.number for hit in hits}
            more = search.hybrid(side, self.shelf, self.encoder, limit=HITS // 3, topic=topic)
            hits += [replace(hit, score=min(hit.score, hits[-1].score)) for hit in more if hit.number not in known]
        return hits

    def link(self, hit: Hit) -> str:
        """Return the address that opens a hit's source at the passage."""
        text, page_text = self.shelf.page(hit.source.url)
        spans = hit.passage.sentences
        quote = hit.passage.text[spans[0][0] : spans[0][1]] if spans else hit.passage.text
        return deep_link(hit.source.url, hit.source.form, hit.passage.place, quote, page_text or text)

    def _cited(self, chosen: Sequence[extractive.Candidate]) -> tuple[list[Citation], list[Sentence]]:
        citations: list[Citation] = []
        sentences: list[Sentence] = []
        for candidate in chosen:
            citation = self._citation(candidate.hit, candidate.span, len(citations) + 1)
            if citation:
                citations.append(citation)
                sentences.append(Sentence(readable(citation.quote), (citation.n,)))
        return citations, sentences

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
        yield Said(
            sentence, tuple(one for one in shown.citations if one.n in sentence.citations and one.n not in cited)
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


def readable(quote: str) -> str:
    r"""Return a quote as an answer shows it: on one line, without the source's own reference marks.

    >>> readable("Rings are optimal [12, 13] for   large buffers.")
    'Rings are optimal for large buffers.'
    """
    return re.sub(r"\s?\[\d{1,3}(?:\s?[,–-]\s?\d{1,3})*\]", "", " ".join(quote.split()))


def _nearest(hits: Sequence[Hit]) -> tuple[Nearest, ...]:
    named = {hit.source.resource: Nearest(hit.source.title, hit.source.url) for hit in reversed(hits[:6])}
    return tuple(reversed(list(named.values())))[:3]
