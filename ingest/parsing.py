"""Parsing in child processes: hostile bytes may kill, hang or swell a child, never this process."""

from __future__ import annotations

import resource as limits
from collections.abc import Iterable, Iterator
from concurrent.futures import TimeoutError as ParseTimeout
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING

from pebble import ProcessExpired, ProcessPool

from ingest.archive import Response
from ingest.document import Document, assemble
from ingest.duplicates import sketch
from ingest.gate import Verdict, by_code, by_text
from ingest.ledger import Status

if TYPE_CHECKING:
    from pebble.common import ProcessFuture

TIMEOUT = 25  # seconds a document
MEMORY = 3 * 2**30  # bytes of address space a child


@dataclass(frozen=True, slots=True)
class Job:
    """One response to parse, and what its document is to be called."""

    response: Response
    url: str  # the public address
    resource: str
    title: str = ""  # of the resource, where the page gives none


@dataclass(frozen=True, slots=True)
class Parsed:
    """A document with the sketch of its text, or the verdict why there is none."""

    job: Job
    document: Document | None
    verdict: Verdict | None
    sketch: frozenset[int] = frozenset()


def parse(job: Job) -> Parsed:
    """Return what a response holds; runs in a child process."""
    from ingest.extract import Unreadable, extract  # the parsers: only a child loads them

    response = job.response
    if verdict := by_code(response):
        return Parsed(job, None, verdict)
    try:
        found = extract(response)
    except Unreadable as error:
        return Parsed(job, None, Verdict(Status.UNREADABLE, str(error)))
    if verdict := by_text(response, found):
        return Parsed(job, None, verdict)
    text, blocks = assemble(found.pieces)
    document = Document(
        url=job.url,
        title=found.title or job.title or job.url,
        resource=job.resource,
        form=found.form,
        language=found.language,
        text=text,
        blocks=blocks,
        page_text=found.page_text,
        fetched_at=response.fetched_at,
        published=found.published,
        flags=found.flags,
    )
    return Parsed(job, document, None, sketch(text))


def parse_all(jobs: Iterable[Job], *, workers: int) -> Iterator[Parsed]:
    """Yield what each response holds, in order, parsed side by side; a few jobs are read ahead."""
    waiting: list[tuple[Job, ProcessFuture]] = []
    with ProcessPool(max_workers=workers, context=get_context("spawn"), initializer=_limit) as pool:
        try:
            for job in jobs:
                waiting.append((job, pool.schedule(parse, args=[job], timeout=TIMEOUT)))
                if len(waiting) > 4 * workers:
                    yield _result(*waiting.pop(0))
            while waiting:
                yield _result(*waiting.pop(0))
        except BaseException:
            pool.stop()
            raise


def _result(job: Job, future: ProcessFuture) -> Parsed:
    try:
        parsed: Parsed = future.result()
    except ParseTimeout:
        reason = f"the parser was stopped after {TIMEOUT} s"
    except ProcessExpired as error:
        reason = f"the parser crashed ({error})"
    except (MemoryError, RecursionError):
        reason = "the parser ran out of memory"
    except Exception as error:  # whatever a parser raises on hostile bytes is that document's fate
        reason = f"the parser failed ({type(error).__name__}: {error})"
    else:
        return parsed
    return Parsed(job, None, Verdict(Status.UNREADABLE, reason))


def _limit() -> None:
    limits.setrlimit(limits.RLIMIT_AS, (MEMORY, MEMORY))
    limits.setrlimit(limits.RLIMIT_CORE, (0, 0))
