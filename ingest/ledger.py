"""Ledger: one row for every curated link and every page under it, and what became of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ingest import IngestError
from ingest.catalogue import Resource


class Status(StrEnum):
    """What became of a link."""

    TEXT = "full text"
    TRANSCRIPT = "transcript"
    OUTLINE = "outline"  # headings and links, hardly a sentence
    METADATA = "metadata only"
    WALLED = "walled"  # a login, a price or a consent stands before it
    DEAD = "dead"
    MALFORMED = "malformed"
    DUPLICATE = "duplicate"  # its text stands in another document
    REJECTED = "rejected"  # an error page, a consent page, a shell without text
    UNREADABLE = "unreadable"  # bytes that no parser makes text of
    FAILED = "failed"  # it may work another time
    PENDING = "not fetched"


HAS_TEXT = frozenset({Status.TEXT, Status.TRANSCRIPT})


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one address."""

    url: str
    resource: str  # the curated link it belongs to; its own address for that link itself
    title: str
    status: Status
    reason: str = ""
    fix: str = ""  # what a person can do about it
    words: int = 0
    fetched_at: str = ""
    document: str = ""  # path of the text under the documents folder
    sha256: str = ""  # of the response's body


@dataclass(frozen=True, slots=True)
class Entry:
    """A row as `prep status` shows it: with the topic and kind of its resource."""

    row: Row
    topic: str
    kind: str
    curated: bool  # False for a page that an archive held and no list names


ARCHIVE_TOPIC = "From the archive"

_SCHEMA = """
create table if not exists resource (
    url text primary key, position integer, title text, topics text, note text, kind text, fetch text, pages integer,
    under text
) strict;
create table if not exists page (
    url text primary key, resource text not null, title text, status text not null, reason text, fix text,
    words integer, fetched_at text, document text, sha256 text
) strict;
create index if not exists page_resource on page (resource);
"""
_COLUMNS = "url, resource, title, status, reason, fix, words, fetched_at, document, sha256"


class Ledger:
    """The ledger in its file; every change is on disk when the call returns."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def add_resources(self, resources: Iterable[Resource]) -> None:
        """Enter curated links, or bring their titles, topics and settings up to date."""
        with self._db:
            count = self._db.execute("select coalesce(max(position), 0) from resource").fetchone()[0]
            for n, resource in enumerate(resources, count + 1):
                self._db.execute(
                    "insert into resource values (?,?,?,?,?,?,?,?,?) on conflict (url) do update set"
                    " title=excluded.title, topics=excluded.topics, note=excluded.note, kind=excluded.kind,"
                    " fetch=excluded.fetch, pages=excluded.pages, under=excluded.under",
                    (
                        resource.url,
                        n,
                        resource.title,
                        json.dumps(resource.topics),
                        resource.note,
                        resource.kind,
                        resource.fetch,
                        resource.pages,
                        json.dumps(resource.under),
                    ),
                )

    def resources(self) -> list[Resource]:
        """Return the curated links, in the order in which they were entered."""
        found = self._db.execute("select url, title, topics, note, fetch, pages, under from resource order by position")
        return [
            Resource(url, title, tuple(json.loads(topics)), note, fetch, pages, tuple(json.loads(under)))
            for url, title, topics, note, fetch, pages, under in found
        ]

    def record(self, row: Row) -> None:
        """Enter what became of an address, in place of what was known of it."""
        with self._db:
            self._db.execute(
                f"insert or replace into page ({_COLUMNS}) values (?,?,?,?,?,?,?,?,?,?)",
                (
                    row.url,
                    row.resource,
                    row.title,
                    row.status.value,
                    row.reason,
                    row.fix,
                    row.words,
                    row.fetched_at,
                    row.document,
                    row.sha256,
                ),
            )

    def row(self, url: str) -> Row | None:
        """Return what is known of an address."""
        found = self._db.execute(f"select {_COLUMNS} from page where url = ?", (url,)).fetchone()
        return _row(found) if found else None

    def rows(self) -> list[Row]:
        """Return all rows, ordered by address."""
        return [_row(found) for found in self._db.execute(f"select {_COLUMNS} from page order by url")]

    def entries(self) -> list[Entry]:
        """Return every curated link in the order of the lists with the pages under it, then the pages of archives."""
        rows = self.rows()
        by_resource: dict[str, list[Row]] = {}
        for row in rows:
            by_resource.setdefault(row.resource, []).append(row)
        entries: list[Entry] = []
        for resource in self.resources():
            pages = by_resource.pop(resource.url, [])
            entries.append(Entry(_summary(resource, pages), resource.topic, resource.kind, curated=True))
            entries += [
                Entry(page, resource.topic, resource.kind, curated=True) for page in pages if page.url != resource.url
            ]
        entries += [Entry(row, ARCHIVE_TOPIC, "page", curated=False) for pages in by_resource.values() for row in pages]
        return entries


def _row(found: tuple[str, ...]) -> Row:
    url, resource, title, status, reason, fix, words, fetched_at, document, sha256 = found
    return Row(url, resource, title, Status(status), reason, fix, int(words), fetched_at, document, sha256)


def _summary(resource: Resource, pages: list[Row]) -> Row:
    """Return the row of a curated link: its own, with the words of all pages under it."""
    own = next((page for page in pages if page.url == resource.url), None)
    read = [page for page in pages if page.status in HAS_TEXT]
    words = sum(page.words for page in read)
    if own is None:
        own = Row(resource.url, resource.url, resource.title, Status.PENDING, "not tried yet", "run `prep ingest`")
    status, reason = own.status, own.reason
    if read and own.status not in HAS_TEXT:
        status, reason = Status.TEXT, f"{len(read)} pages under it were read; the address itself: {own.reason}"
    elif len(read) > 1:
        reason = f"{len(read)} pages" + (f"; {own.reason}" if own.reason else "")
    fix = "" if status in HAS_TEXT else own.fix
    return Row(
        own.url, own.resource, resource.title, status, reason, fix, words, own.fetched_at, own.document, own.sha256
    )


@contextmanager
def open_ledger(path: Path) -> Iterator[Ledger]:
    """Open the ledger, making it where there is none.

    Raises IngestError where the file is damaged or in use by another ingestion.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=5)
    try:
        connection.execute("pragma journal_mode=wal")
        connection.execute("pragma synchronous=full")
        connection.executescript(_SCHEMA)
        yield Ledger(connection)
    except sqlite3.DatabaseError as error:
        raise IngestError(f"{path}: {error}. Where it is damaged, remove it and run `prep ingest` again.") from error
    finally:
        connection.close()
