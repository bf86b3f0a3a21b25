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
from app.leaks import Leaks
from app.worth import Worth
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
TOKENS = 1200  # of an answer
OVERHEAD = 300  # characters that a request takes besides: fences, the names of roles
CHARACTERS = 3.5  # of English that make a token, at least
SHRINK = 0.6  # of the passages that are shown again, where a model says that it cannot read them all
SHRINKS = 4  # times that they are shown
LONGEST = 8000  # characters that a model may write, quotes included
LONGEST_QUESTION = 300  # characters of a rewritten one
REMEMBERED = 6  # messages of a conversation that a question is understood from
LENGTHS: dict[Length, str] = {"short": "Two or three", "standard": "Three to eight", "long": "Eight to ten"}
UNPROVED = "What the language model wrote does not hold against the sources, or does not answer."
UNPROVED_REST = "The rest of what the language model wrote does not hold against the sources."
STIR = 1.0  # seconds between signs of life, at which who no longer listens can leave


def rewritten(question: str, history: Sequence[Turn], model: Model) -> str:
    """Return the question as it can be understood without the conversation, "" where the model gives none of use.

    A model that needs too long for it is not asked until it has been quicker. Raises ModelError where it cannot be had.
    """
    if not model.follow_up or model.late:
        return ""
    fence = _fence("CONVERSATION")
    said = [f"{turn.role}: {_flat(turn.content)[:600]}" for turn in history[-REMEMBERED:]]
    request = fill("rewrite_request", fence=fence, conversation="\n".join(said), question=question)
    pieces = model.write(fill("rewrite_rules"), request, longest=4 * LONGEST, tokens=400, within=model.follow_up)
    try:
        text = re.sub(r".*</think(?:ing)?>", "", "".join(pieces), flags=re.DOTALL).strip()
    except ModelError as error:
        model.late |= error.late
        if error.late or error.healthy:
            return ""
        raise
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
    sure: bool = False  # whether the hits are known to answer
    length: Length = "standard"
    sentences: list[Sentence] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin with nothing said."""
        self._worth = Worth(self.asked, self.hits if self.sure else ())
        self._held: list[Said] = []  # checked, and not shown until the draft is worth it
        self._known = 0  # citations of what is shown
        self._refused = False
        self._missing = ""

    def run(self) -> Generator[Event, None, Answer]:
        """Yield the answer as it is written and checked; return it whole.

        Nothing is shown before the draft is worth more than quotes. Where it is not, or the model fails, the reason is
        named and the quoted answer follows.
        """
        begun = time.perf_counter()
        fault = yield from self._ask(begun)
        self.timings["write"] = 1000 * (time.perf_counter() - begun)
        del self.prover.citations[self._known :]  # those of sentences that were not shown
        if self.sentences and not fault and self._worth.enough:
            return self._answer(tuple(self.sentences), missing=_missing(self._missing))
        return (yield from self._quote(fault))

    def _ask(self, begun: float) -> Generator[Event, None, str]:
        """Yield the draft's sentences as far as they are shown; return how the model failed, "" if it did not."""
        rules = fill("answer_rules", refusal=REFUSAL, length=LENGTHS[self.length])
        window, room = self.model.window, CONTEXT
        for _ in range(SHRINKS):
            tokens, fits = _fitting(window, len(rules) + len(self.asked))
            if room < CONTEXT and not window:
                tokens = TOKENS // 2
            passages, fence = shown(self.hits, min(room, fits)), _fence("PASSAGES")
            request = fill("answer_request", fence=fence, passages="\n\n".join(passages), question=self.asked)
            leaks = Leaks(rules, fence, self.model.endpoint.key)
            reader = Reader(len(passages))
            try:
                return (yield from self._read(rules, request, tokens, reader, leaks, begun))
            except ModelError as error:
                if error.overflow and not reader.begun:
                    # What it says of itself holds for every question; what is guessed holds for this one.
                    self.model.window = window = error.window or window
                    room = int(SHRINK * sum(map(len, passages)))
                    continue
                yield from self._say(reader.end(whole=False), leaks, begun)
                return str(error)
        return "its context is too short for the question and a passage"

    def _read(
        self, rules: str, request: str, tokens: int, reader: Reader, leaks: Leaks, begun: float
    ) -> Generator[Event, None, str]:
        asking = Status(f"Asking {self.model.endpoint.model or 'the language model'} at {self.model.endpoint.place}")
        writing = Status("Writing, and checking each sentence")
        yield asking
        asked = stirred = time.perf_counter()
        for piece in self.model.write(rules, request, longest=LONGEST, tokens=tokens):
            if piece and not reader.begun and time.perf_counter() < asked + self.model.follow_up:
                self.model.late = False
            yield from self._say(reader.feed(piece), leaks, begun)
            if time.perf_counter() > stirred + STIR:
                stirred = time.perf_counter()
                yield writing if reader.begun else asking
            if self._worth.lost:
                return ""
            if reader.circles:
                yield from self._say(reader.end(whole=False), leaks, begun)
                return f"{self.model.endpoint.place} says the same again and again"
        yield from self._say(reader.end(), leaks, begun)
        self._refused, self._missing = reader.refused, reader.missing
        return ""

    def _say(self, drafts: Sequence[Draft], leaks: Leaks, begun: float) -> Iterator[Event]:
        """Yield the sentences that may be shown now."""
        for draft in drafts:
            text = shown_text(draft)
            if not text or leaks.has(text):
                continue
            said = Said(*self.prover.prove(replace(draft, text=text)))
            self._worth.weigh(said.sentence)
            self._held.append(said)
            if self._worth.enough:
                self.timings.setdefault("first_sentence", 1000 * (time.perf_counter() - begun))
                self.sentences += [each.sentence for each in self._held]
                yield from self._held
                self._held, self._known = [], len(self.prover.citations)

    def _quote(self, fault: str) -> Generator[Event, None, Answer]:
        """Yield the answer without a model after what is shown of the model's; return both."""
        quoted, written = clean.answer((yield from self.quoted())), len(self.sentences)
        refused = self._refused and not fault and not written
        if refused and quoted.abstained:
            return self._answer((), nearest=self.nearest)
        notice = _notice(fault, partial=bool(written), more=not quoted.abstained, refused=refused)
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
        return Answer(
            self.question,
            "llm",
            sentences,
            tuple(self.prover.citations) if sentences else (),
            sections=sections,
            outcome="answered" if sentences else "refused",
            missing=missing,
            nearest=nearest,
            timings=self.timings,
        )


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


def shown(hits: Sequence[Hit], room: int = CONTEXT) -> list[str]:
    """Return passages as a model reads them, numbered from 1 and with their headings: as many as fit, best first.

    The first is cut behind a sentence where it alone is too long.
    """
    texts: list[str] = []
    for before, hit in zip([None, *hits], hits[:PASSAGES], strict=False):
        heads = dict.fromkeys([hit.source.title, *hit.passage.heading])
        where = "(goes on)" if before and hit.follows(before) else " > ".join(heads)
        head = f"[{len(texts) + 1}] {_flat(where)}\n"
        text = head + clean.visible(hit.passage.text)
        if sum(map(len, texts)) + len(text) > room:
            if not texts:
                texts.append(head + clean.visible(_begun(hit, room - len(head))))
            break
        texts.append(text)
    return texts


def _begun(hit: Hit, room: int) -> str:
    """Return the first sentences of a passage that fit, the first of them in any case."""
    ends = [end for _, end in hit.passage.sentences] or [len(hit.passage.text)]
    return hit.passage.text[: max([ends[0], *(end for end in ends if end <= room)])][:CONTEXT]


def _fitting(window: int, others: int) -> tuple[int, int]:
    """Return the tokens that are left for an answer and the characters for passages, beside `others` characters."""
    if not window:
        return TOKENS, CONTEXT
    tokens = min(TOKENS, window // 3)
    return tokens, min(CONTEXT, max(0, int(CHARACTERS * (window - tokens)) - others - OVERHEAD))


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


def _notice(fault: str, *, partial: bool, more: bool, refused: bool) -> str:
    if refused:
        what = "The language model finds no answer in these passages."
    elif not fault:
        what = UNPROVED_REST if partial else UNPROVED
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
