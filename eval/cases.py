"""Cases: the questions that the shelf is measured with, what a right answer holds, and which a shelf can bear."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

from eval import EvalError
from ingest.address import same_page

Made = TypeVar("Made", "Case", "Request")
QUESTIONS = Path(__file__).parent / "questions"
STARTER = "ingest/starter/"
REQUESTED = ("reading", "needs")  # files of requests for reading lists
TESTED = tuple("short long abbreviated paraphrase compare list number how why fact definition design".split())
STYLES = ("named", "paraphrase")
REFUSED = ("near", "far", "premise", "unreadable")

Split = Literal["dev", "test"]


@dataclass(frozen=True, slots=True)
class Case:
    """A question and what a right answer holds; where `found` is empty, the right answer says that nothing is known.

    Regular expressions ignore case and match text on one line (see `one_line`).
    """

    id: str
    question: str
    kind: str  # one of TESTED, or of REFUSED
    topic: str
    found: tuple[str, ...] = ()  # addresses of documents, each of which holds the answer
    facts: tuple[str, ...] = ()  # each must match in the answer, and in a source that it cites
    quote: str = ""  # what the passage that answers matches
    before: str = ""  # the question asked first, in a dialogue of two turns
    absent: str = ""  # matches nothing on a shelf that cannot answer
    unread: tuple[str, ...] = ()  # listed resources that the question is about and that the shelf has no text of
    style: str = "named"  # one of STYLES: it uses the page's terms, or other words
    trap: bool = False  # the right answer is "no", or the opposite of what shares its words

    @property
    def suite(self) -> str:
        """Return "answers", "dialogues" or "refusals"."""
        return "refusals" if not self.found else "dialogues" if self.before else "answers"

    @property
    def split(self) -> Split:
        """Return the half of the cases it belongs to, fixed by its id: settings are tuned on "dev" alone."""
        return split_of(self.id)

    @property
    def starter(self) -> bool:
        """Return whether the project's own notes are all it needs."""
        return any(url.startswith(STARTER) for url in self.found) or not self.found


@dataclass(frozen=True, slots=True)
class Request:
    """A request for a reading list, and what belongs on it."""

    id: str
    request: str
    topic: str
    relevant: tuple[str, ...]  # resources that should be on the list
    also: tuple[str, ...] = ()  # resources that may be on it: these addresses and all beneath them
    only: tuple[str, ...] = ()  # the kinds of resource that the request allows; none: all
    without: tuple[str, ...] = ()  # the kinds that it rules out
    minutes: int = 0  # its time box; 0: none
    least: int = 0  # items that it asks for; 0: it does not say
    most: int = 0
    each: tuple[str, ...] = ()  # kinds of which it asks for one each
    free: bool = False  # it rules out what costs money
    longest: int = 0  # minutes of one item at most; 0: any
    same: tuple[str, ...] = ()  # the same request in other words
    need: bool = False  # it is written from a need over the recorded pages, not from what the lists hold

    @property
    def suite(self) -> str:
        """Return "reading", or "needs" where it is written from a need."""
        return "needs" if self.need else "reading"

    @property
    def split(self) -> Split:
        """Return the half of the cases it belongs to, fixed by its id."""
        return split_of(self.id)

    @property
    def constrained(self) -> bool:
        """Return whether it says how many, of which kind, at what cost or for how long."""
        return any((self.only, self.without, self.minutes, self.most, self.each, self.free, self.longest))

    def allows(self, kind: str) -> bool:
        """Return whether it allows items of a kind."""
        return (not self.only or kind in self.only) and kind not in self.without

    def welcome(self, url: str) -> bool:
        """Return whether what stands at an address may be on the list."""
        page = same_page(url)
        return page in {same_page(wanted) for wanted in self.relevant} or any(
            f"{page}/".startswith(f"{same_page(other)}/") for other in self.also
        )


def split_of(key: str) -> Split:
    """Return "dev" or "test" for a case's id, half of the ids each.

    >>> split_of("ring-how") == split_of("ring-how")
    True
    """
    return "dev" if hashlib.sha256(key.encode()).digest()[0] < 128 else "test"


def read(folder: Path = QUESTIONS) -> list[Case]:
    """Return the questions of a folder's files, reading lists left out.

    Raises EvalError where a file is not as eval/README.md says.
    """
    return [
        _made(Case, row, path)
        for path in sorted(folder.glob("*.toml"))
        if path.stem not in REQUESTED
        for row in _rows(path)
    ]


def read_requests(folder: Path = QUESTIONS) -> list[Request]:
    """Return the requests for reading lists of a folder.

    Raises EvalError where a file is not as eval/README.md says.
    """
    return [
        _made(Request, {**row, "need": name == "needs"}, folder / f"{name}.toml")
        for name in REQUESTED
        for row in _rows(folder / f"{name}.toml")
    ]


def requests_of(path: Path) -> list[Request]:
    """Return the requests of a file of lines with `id`, `request`, `core` and `relevant_urls`.

    Raises EvalError where the file is not so.
    """
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        return [
            Request(
                id=row["id"],
                request=row["request"],
                topic=path.stem,
                relevant=tuple(row["core"]),
                also=tuple(row["relevant_urls"]),
                need=True,
            )
            for row in rows
        ]
    except (OSError, ValueError, KeyError) as error:
        raise EvalError(f"{path} holds no requests ({error}); eval/README.md says how they are written.") from error


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        rows: list[dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))["case"]
    except (OSError, ValueError, KeyError) as error:
        raise EvalError(f"{path} holds no [[case]] tables ({error}); eval/README.md shows one.") from error
    return rows


def _made(kind: type[Made], row: dict[str, Any], path: Path) -> Made:
    known = {field.name for field in fields(kind)}
    if odd := sorted(row.keys() - known):
        raise EvalError(f"{path}: case {row.get('id', '?')} has {', '.join(odd)}; a case may have {', '.join(known)}.")
    try:
        values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
        return kind(**values)
    except TypeError as error:
        raise EvalError(f"{path}: case {row.get('id', '?')} is not complete ({error}).") from error


def digest(cases: Iterable[Case | Request]) -> str:
    """Return a fingerprint of cases: another one means that other things are measured."""
    return digest_of("\n".join(sorted(repr(case) for case in cases)))


def digest_of(text: str) -> str:
    """Return a short fingerprint of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def one_line(text: str) -> str:
    r"""Return a text as the expressions of cases see it.

    >>> one_line("two \n lines")
    'two lines'
    """
    return " ".join(text.split())


def matches(pattern: str, text: str) -> bool:
    """Return whether an expression of a case matches a text.

    >>> matches("RING.allreduce", "how ring-allreduce works")
    True
    """
    return re.search(pattern, one_line(text), re.IGNORECASE) is not None


def why_not(case: Case, texts: Mapping[str, str]) -> str:
    """Return why a shelf of these texts, by address and on one line each, cannot bear a case; "" where it can.

    A question needs one of its documents, a refusal needs that the answer is nowhere.
    """
    if case.found:
        return "" if any(url in texts for url in case.found) else "none of its documents is on the shelf"
    if any(url in texts for url in case.unread):
        return "the shelf has a text of the resource it asks about"
    if case.absent and any(re.search(case.absent, text, re.IGNORECASE) for text in texts.values()):
        return "the shelf holds what it asks for"
    return ""


def faults(cases: Sequence[Case], texts: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong with the gold of cases, as far as the texts of a shelf can tell.

    Every document named must hold the passage that answers, and each fact must stand in one of them.
    """
    seen: set[str] = set()
    for case in cases:
        if case.id in seen:
            yield f"{case.id}: another case has this id"
        seen.add(case.id)
        if case.kind not in (TESTED if case.found else REFUSED):
            yield f"{case.id}: there is no kind {case.kind!r}"
        if case.style not in STYLES:
            yield f"{case.id}: there is no style {case.style!r}"
        here = {url: texts[url] for url in case.found if url in texts}
        yield from (f"{case.id}: {url} holds no {case.quote}" for url in here if not matches(case.quote, here[url]))
        for fact in case.facts:
            if here and not any(matches(fact, text) for text in here.values()):
                yield f"{case.id}: no document holds {fact}"
        if case.found and not case.facts:
            yield f"{case.id}: says no fact that an answer must hold"
        if not case.found and not (case.absent or case.unread):
            yield f"{case.id}: says neither what is absent nor which resource is unread"
        asked = f"{case.before} {case.question}"
        if case.found and (matches(case.quote, asked) or all(matches(fact, asked) for fact in case.facts)):
            yield f"{case.id}: its question holds its own answer"
