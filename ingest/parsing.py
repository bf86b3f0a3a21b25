"""Parsing in child processes: hostile bytes may kill, hang or swell a child, never this process."""

from __future__ import annotations

import fcntl
import os
import resource as limits
import signal
from collections.abc import Callable
from concurrent.futures import TimeoutError as ParseTimeout
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing import get_context, parent_process
from types import TracebackType
from typing import TYPE_CHECKING, Self

from pebble import ProcessExpired, ProcessPool

from ingest.document import Document, assemble
from ingest.message import Response
from ingest.status import Status, Verdict

if TYPE_CHECKING:
    from pebble.common import ProcessFuture

    from ingest.extract import Extract

READER = "8"  # version of the way in which texts are read: what another read is read again
TIMEOUT = 20  # seconds a document, of the clock, and
WORK = 15  # of work
MEMORY = 2 * 2**30  # bytes of address space a child


@dataclass(frozen=True, slots=True)
class Job:
    """Responses to parse, and what their document is to be called."""

    parts: tuple[Response, ...]  # the one that matters most first
    page: str  # the ledger's address for it
    url: str  # the one that a citation links to
    resource: str
    source: str = "page"  # the kind of link, by its name
    title: str = ""  # of the resource, where the page gives none
    depth: int = 0  # links away from the resource
    digest: str = ""  # of the parts
    onward: bool = False  # whether its links are wanted
    asked: bool = False  # whether a site was asked for it just now
    saved: str = ""  # the file that a person saved, where it comes from one
    paper: str = ""  # where the page's own text is not read, but that of the PDF it leads to


@dataclass(frozen=True, slots=True)
class Parsed:
    """A document with the sketch of its text, or the verdict why there is none, or not all of it."""

    job: Job
    document: Document | None = None
    verdict: Verdict | None = None
    sketch: frozenset[int] = frozenset()
    title: str = ""
    about: str = ""
    final: str = ""
    links: tuple[str, ...] = ()
    paper: str = ""
    left_out: tuple[str, ...] = ()  # what of the text could not be read


def parse(job: Job) -> Parsed:
    """Return what responses hold; runs in a child process."""
    from ingest import sources  # the parsers: only a child loads them
    from ingest.duplicates import sketch
    from ingest.extract import Unreadable
    from ingest.gate import by_code, by_text, without_text

    main = job.parts[0]
    # What has several parts may be read from the others.
    if len(job.parts) == 1 and job.source != sources.walled.NAME and (verdict := by_code(main)):
        return Parsed(job, verdict=verdict, final=main.final)
    try:
        found = sources.named(job.source).read(job.parts)
    except Unreadable as error:
        verdict = without_text(main) or Verdict(Status.UNREADABLE, str(error))
        return Parsed(job, verdict=verdict, final=main.final)
    verdict = found.verdict or by_text(main, found)
    kept = Parsed(
        job,
        verdict=verdict,
        title=found.title,
        about=found.about,
        final=found.canonical or main.final,
        links=found.links() if job.onward or found.form == "sitemap" else (),
        paper=found.paper,
        left_out=found.left_out,
    )
    if verdict and not (found.verdict and found.pieces):
        return kept
    document = _document(job, found)
    return replace(kept, document=document, sketch=sketch(document.text))


def _document(job: Job, found: Extract) -> Document:
    from ingest import titles

    text, blocks = assemble(found.pieces)
    return Document(
        url=job.url,
        title=titles.of(found.title, listed=job.title, url=job.url),
        resource=job.resource,
        form=found.form,
        language=found.language,
        text=text,
        blocks=blocks,
        page_text=found.page_text,
        fetched_at=job.parts[0].fetched_at,
        published=found.published,
        flags=found.flags,
        authors=found.authors,
    )


class Parsers:
    """Child processes that parse side by side; use them as a context manager."""

    def __init__(self, workers: int, done: Callable[[Parsed], None]) -> None:
        """`done` is called, in a thread of its own, with what became of each job."""
        self._pool = ProcessPool(max_workers=workers, context=get_context("spawn"), initializer=_prepare)
        self._done = done

    def submit(self, job: Job) -> None:
        """Parse a job as soon as a child is free."""
        future = self._pool.schedule(_parse_within_limits, args=[job], timeout=TIMEOUT)
        future.add_done_callback(lambda ended: self._done(_result(job, ended)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._pool.close()
        else:
            self._pool.stop()
        self._pool.join()


def _result(job: Job, future: ProcessFuture) -> Parsed:
    try:
        parsed: Parsed = future.result()
    except ParseTimeout:
        reason = f"the parser was stopped after {TIMEOUT} s"
    except ProcessExpired as error:
        spent = error.exitcode == -signal.SIGXCPU
        reason = (
            f"the parser was stopped after {WORK} s of work"
            if spent
            else f"the parser crashed (exit code {error.exitcode})"
        )
    except (MemoryError, RecursionError):
        reason = "the parser ran out of memory"
    except Exception as error:  # whatever a parser raises on hostile bytes is that document's fate
        reason = f"the parser failed ({type(error).__name__}: {str(error)[:200]})"
    else:
        return replace(parsed, job=job)
    return Parsed(job, verdict=Verdict(Status.UNREADABLE, reason))


def _parse_within_limits(job: Job) -> Parsed:
    used = limits.getrusage(limits.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + WORK + 1  # the limit counts all that the process ever did
    limits.setrlimit(limits.RLIMIT_CPU, (soft, limits.getrlimit(limits.RLIMIT_CPU)[1]))
    return replace(parse(job), job=replace(job, parts=()))  # its bytes need not travel back


def _prepare() -> None:
    """Limit the memory of a child, and load the parsers before the clock of its first document runs."""
    import ingest.maintext
    import ingest.sources  # noqa: F401

    _end_with_parent()
    limits.setrlimit(limits.RLIMIT_CORE, (0, 0))
    with suppress(ValueError, OSError):  # not every system can limit it
        limits.setrlimit(limits.RLIMIT_AS, (MEMORY, MEMORY))


def _end_with_parent() -> None:
    """See that this child ends as soon as its parent does, however that ends.

    The parent holds the other end of a pipe; as it closes, the system sends SIGIO, which ends a process that does
    nothing about it, in the middle of any work. (Linux's PR_SET_PDEATHSIG hears of the thread that began the child.)
    """
    parent = parent_process()
    if parent is None:
        return
    with suppress(OSError, AttributeError):  # not every system has it; there a child ends with its work
        pipe = parent.sentinel
        signal.signal(signal.SIGIO, signal.SIG_DFL)
        fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)
