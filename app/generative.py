"""Generative: answers that a language model writes from the hits, each sentence proved before it is shown."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from app import ModelError, clean, marks
from app.answer import REFUSAL, Answer, Event, Length, Nearest, Notice, Said, Section, Sentence, Shown, Status
from app.draft import Draft, Reader
from index.lexical import terms
from prompts import fill

if TYPE_CHECKING:
    from app.assistant import Turn
    from app.llm import Model
    from app.proof import Prover
    from index.passage import Hit

PASSAGES = 10  # shown to a model at most
TOGETHER = 3  # passages that follow on one another are read as they stand
CONTEXT = 9000  # characters of them: with the rules and the answer within the 4,096 tokens of a small local model
LONGEST = 8000  # characters that a model may write, quotes included
LONGEST_QUESTION = 300  # characters of a rewritten one
REWRITE_WITHIN = 10.0  # seconds
REMEMBERED = 6  # messages of a conversation that a question is understood from
LENGTHS: dict[Length, str] = {"short": "Two or three", "standard": "Three to eight", "long": "Eight to ten"}
STIR = 1.0  # seconds between signs of life, at which who no longer listens can leave
LEAK = 8  # words in a row that a sentence shares with the rules by no accident


def rewritten(question: str, history: Sequence[Turn], model: Model) -> str:
    """Return the question as it can be understood without the conversation, "" where the model gives none of use.

    Raises ModelError where the model cannot be had.
    """
    fence = _fence("CONVERSATION")
    said = [f"{turn.role}: {_flat(turn.content)[:600]}" for turn in history[-REMEMBERED:]]
    request = fill("rewrite_request", fence=fence, conversation="\n".join(said), question=question)
    pieces = model.write(
        fill("rewrite_rules", fence=fence), request, longest=4 * LONGEST, tokens=400, within=REWRITE_WITHIN
    )
    text = re.sub(r".*</think(?:ing)?>", "", "".join(pieces), flags=re.DOTALL).strip()
    line = clean.inert(text.partition("\n")[0]).strip(" \"'“”*")
    known = set(terms(" ".join([question, *said])))
    sound = 3 < len(line) <= LONGEST_QUESTION and fence not in line
    # A rewriting takes words from the conversation; one that brings its own is an answer, or somebody else's question.
    words = terms(line)
    return line if sound and words and len(known.intersection(words)) >= 0.6 * len(words) else ""


@dataclass
class Writing:
    """One answer in the making."""

    question: str  # as it was asked
    asked: str  # as it can be understood alone
    hits: Sequence[Hit]
    model: Model
    prover: Prover
    quoted: Callable[[], Generator[Event, None, Answer]]  # the answer without a model
    nearest: tuple[Nearest, ...] = ()
    length: Length = "standard"
    sentences: list[Sentence] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)

    def run(self) -> Generator[Event, None, Answer]:
        """Yield the answer as it is written and checked; return it whole.

        Where the model fails, what it wrote is kept, the reason named, and the quoted answer follows.
        """
        asking = Status(f"Asking {self.model.endpoint.model or 'the language model'} at {self.model.endpoint.place}")
        writing = Status("Writing, and checking each sentence")
        yield asking
        begun = stirred = time.perf_counter()
        fence, passages = _fence("PASSAGES"), shown(self.hits)
        rules = fill("answer_rules", fence=fence, refusal=REFUSAL, length=LENGTHS[self.length])
        request = fill("answer_request", fence=fence, passages="\n\n".join(passages), question=self.asked)
        reader, leaks, fault = Reader(len(passages)), Leaks(rules, fence, self.model.endpoint.key), ""
        try:
            for piece in self.model.write(rules, request, longest=LONGEST):
                yield from self._say(reader.feed(piece), leaks, begun)
                if time.perf_counter() > stirred + STIR:
                    stirred = time.perf_counter()
                    yield writing if self.sentences else asking
                if reader.circles:
                    fault = f"{self.model.endpoint.place} says the same again and again"
                    break
        except ModelError as error:
            fault = str(error)
        yield from self._say(reader.end(whole=not fault), leaks, begun)
        self.timings["write"] = 1000 * (time.perf_counter() - begun)
        if reader.refused and not fault and not self._proved:
            return self._answer((), nearest=self.nearest)
        if fault or not self._proved:
            return (yield from self._quote(fault))
        return self._answer(tuple(self.sentences), missing=_missing(reader.missing))

    @property
    def _proved(self) -> bool:
        return any(sentence.support != "unsupported" for sentence in self.sentences)

    def _say(self, drafts: Sequence[Draft], leaks: Leaks, begun: float) -> Iterator[Event]:
        for draft in drafts:
            text = shown_text(draft)
            if not text or leaks.has(text):
                continue
            sentence, citations = self.prover.prove(replace(draft, text=text))
            self.timings.setdefault("first_sentence", 1000 * (time.perf_counter() - begun))
            self.sentences.append(sentence)
            yield Said(sentence, citations)

    def _quote(self, fault: str) -> Generator[Event, None, Answer]:
        """Yield the answer without a model after what the model wrote; return both."""
        quoted, written = clean.answer((yield from self.quoted())), len(self.sentences)
        notice = _notice(fault, partial=bool(written), more=not quoted.abstained)
        yield Notice(notice)
        known = len(self.prover.citations)
        number = {one.n: self.prover.adopt(one) for one in quoted.citations}
        new = {one.n: one for one in self.prover.citations[known:]}
        joined = [
            replace(
                sentence,
                citations=tuple(number[n] for n in sentence.citations),
                lead="\n\n" if n == 0 else sentence.lead,
            )
            for n, sentence in enumerate(quoted.sentences)
        ]
        sections = [replace(section, n=number[section.n]) for section in quoted.sections]
        for sentence in joined:
            yield Said(sentence, tuple(new.pop(n) for n in sentence.citations if n in new))
        if not quoted.abstained:
            for section in sections:
                yield Shown(section, self.prover.citations[section.n - 1])
        if not written:
            return replace(quoted, notice=notice)
        said = self._answer((*self.sentences, *joined), tuple(sections), missing=quoted.missing, nearest=quoted.nearest)
        return replace(said, notice=notice, notice_at=written)

    def _answer(
        self,
        sentences: tuple[Sentence, ...],
        sections: tuple[Section, ...] = (),
        *,
        missing: str | None = None,
        nearest: tuple[Nearest, ...] = (),
    ) -> Answer:
        proved = any(sentence.support != "unsupported" for sentence in sentences)
        return Answer(
            self.question,
            "llm",
            sentences,
            tuple(self.prover.citations) if sentences else (),
            sections=sections,
            outcome="answered" if proved else "refused",
            missing=missing,
            nearest=nearest,
            timings=self.timings,
        )


class Leaks:
    """Knows the words of the rules, so that a sentence that recites them is not shown."""

    def __init__(self, rules: str, fence: str, key: str) -> None:
        self._secrets = [secret for secret in (fence.split()[-1], key) if secret]
        self._rules = " " + " ".join(_words(rules.replace(REFUSAL, ""))) + " "

    def has(self, text: str) -> bool:
        """Return whether a text recites the rules, the word that fences the passages or the key."""
        words = _words(text)
        runs = [words] if 4 <= len(words) < LEAK else [words[n : n + LEAK] for n in range(len(words) - LEAK + 1)]
        recited = any(f" {' '.join(run)} " in self._rules for run in runs)
        return recited or any(secret in text for secret in self._secrets)


def joined(hits: Sequence[Hit]) -> list[Hit]:
    """Return hits, best first, with up to three that follow on one another in a document as they stand there."""
    runs: list[list[Hit]] = []
    for hit in sorted(hits, key=lambda hit: hit.number):
        if runs and len(runs[-1]) < TOGETHER and hit.follows(runs[-1][-1]):
            runs[-1].append(hit)
        else:
            runs.append([hit])
    place = {hit.number: n for n, hit in enumerate(hits)}
    runs.sort(key=lambda run: min(place[hit.number] for hit in run))
    return [hit for run in runs for hit in run]


def shown(hits: Sequence[Hit]) -> list[str]:
    """Return passages as a model reads them, numbered from 1 and with their headings: as many as fit, best first."""
    texts: list[str] = []
    for before, hit in zip([None, *hits], hits[:PASSAGES], strict=False):
        heads = dict.fromkeys([hit.source.title, *hit.passage.heading])
        where = "(goes on)" if before and hit.follows(before) else " > ".join(heads)
        text = f"[{len(texts) + 1}] {_flat(where)}\n{clean.visible(hit.passage.text)}"
        if texts and sum(map(len, texts)) + len(text) > CONTEXT:
            break
        texts.append(text[:CONTEXT])
    return texts


def shown_text(draft: Draft) -> str:
    """Return the text of a draft as it may be shown: inert, and without a mark that cleaning has laid bare."""
    text = draft.text
    if not draft.whole:
        text = text[:400].rstrip() + " …"
    text = clean.inert(text)
    return text if text.startswith(("```", "~~~")) else clean.inert(marks.strip(text)).strip()


def _missing(said: str) -> str | None:
    text = " ".join(clean.inert(said).split())[:300]
    return f"Not on the shelf: {text}" if text else None


def _notice(fault: str, *, partial: bool, more: bool) -> str:
    if not fault:
        what = "Nothing that the language model wrote is supported by the shelf."
    elif partial:
        what = f"The language model's answer is incomplete: {fault}."
    else:
        what = f"The language model did not answer: {fault}."
    return f"{what} What follows is quoted from the sources." if more else what


def _fence(name: str) -> str:
    """Return a line that no page can have foreseen."""
    return f"===== {name} {secrets.token_hex(8)}"


def _flat(text: str) -> str:
    return " ".join(clean.visible(text).split())


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
