"""Ledger: one row for every curated link and every page under it, and what became of it.

One SQLite file, written ahead and fully synced: what a call has recorded is there after any kill. A document, its
row, its validators and its sketch are one transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, fields, replace
from pathlib import Path
from typing import Any

from ingest import IngestError
from ingest.catalogue import Resource
from ingest.row import Copy as Copy
from ingest.row import Entry as Entry
from ingest.row import Row as Row
from ingest.row import Trail as Trail
from ingest.status import HAS_TEXT as HAS_TEXT
from ingest.status import READ
from ingest.status import Status as Status

VERSION = 2  # of the tables; those of another are emptied, and read anew from the archive


ARCHIVE_TOPIC = "From the archive"
GATHERING = "gathering"
"""What is noted while the links of the lists are still to be read for the first time."""

_SCHEMA = """
create table if not exists resource (
    url text primary key, position integer, title text, topics text, note text, fetch text, pages integer,
    under text, depth integer, lists text
) strict;
create table if not exists page (
    url text primary key, resource text not null, title text, status text not null, reason text, fix text,
    words integer, fetched_at text, document text, sha256 text, about text, final text, holder text, misses integer,
    checked_at text, reader text, saved text, paper text
) strict;
create index if not exists page_resource on page (resource);
create table if not exists copy (
    url text primary key, page text not null, sha256 text, etag text, modified text
) strict;
create index if not exists copy_page on copy (page);
create table if not exists trail (page text primary key, base text, maps text, links text) strict;
create table if not exists sketch (page text primary key, numbers blob) strict;
create table if not exists meta (key text primary key, value text) strict;
"""
_TABLES = ("resource", "page", "copy", "trail", "sketch", "meta")
_COLUMNS = ", ".join(field.name for field in fields(Row))
_MARKS = ", ".join("?" for _ in fields(Row))


class _DamagedError(Exception):
    """A value that no version of ours wrote."""


class Ledger:
    """The ledger in its file; every change is on disk when the call returns."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    # --- curated links ----------------------------------------------------------------------------

    def add_resources(self, resources: Iterable[Resource]) -> None:
        """Enter curated links, or bring their titles, topics and settings up to date."""
        update = ", ".join(
            f"{name}=excluded.{name}" for name in "position title topics note fetch pages under depth lists".split()
        )
        with self._db:
            count = self._db.execute("select coalesce(max(position), 0) from resource").fetchone()[0]
            self._db.executemany(
                f"insert into resource values (?,?,?,?,?,?,?,?,?,?) on conflict (url) do update set {update}",
                [
                    (
                        resource.url,
                        n,
                        resource.title,
                        json.dumps(resource.topics),
                        resource.note,
                        resource.fetch,
                        resource.pages,
                        json.dumps(resource.under),
                        resource.depth,
                        json.dumps(resource.lists),
                    )
                    for n, resource in enumerate(resources, count + 1)
                ],
            )

    def resources(self) -> list[Resource]:
        """Return the curated links list by list, in the order in which a list has them; links of no list come last."""
        found = self._db.execute(
            "select url, title, topics, note, fetch, pages, under, depth, lists from resource"
            " order by json_extract(lists, '$[0]') is null, json_extract(lists, '$[0]'), position"
        )
        return [
            Resource(
                url,
                title,
                _listed(topics),
                note,
                fetch,
                pages,
                _listed(under),
                depth,
                _listed(lists),
            )
            for url, title, topics, note, fetch, pages, under, depth, lists in found
        ]

    def drop_resource(self, url: str) -> list[Row]:
        """Forget a curated link and the pages under it, and return their rows."""
        gone = [row for row in self.rows() if row.resource == url]
        with self._db:
            self._db.execute("delete from resource where url = ?", (url,))
            for row in gone:
                self._forget(row.url)
        return gone

    # --- pages ------------------------------------------------------------------------------------

    def record(
        self,
        row: Row | None,
        *,
        page: str = "",
        copies: Sequence[Copy] | None = None,
        trail: Trail | None = None,
        sketch: frozenset[int] | None = None,
    ) -> None:
        """Enter what became of an address, in place of what was known of it; what is None stays as it was.

        `page` is the address, where there is no row: a sitemap is remembered, and is nothing to read.
        """
        page = row.url if row else page
        with self._db:
            if row:
                self._db.execute(f"insert or replace into page ({_COLUMNS}) values ({_MARKS})", astuple(row))
            if copies is not None:
                self._db.execute("delete from copy where page = ?", (page,))
                rows = [(copy.url, copy.page, copy.sha256, copy.etag, copy.modified) for copy in copies]
                self._db.executemany("insert or replace into copy values (?,?,?,?,?)", rows)
            if trail is not None:
                values = (page, trail.base, json.dumps(trail.maps), json.dumps(trail.links))
                self._db.execute("insert or replace into trail values (?,?,?,?)", values)
            if sketch is not None:
                numbers = b"".join(number.to_bytes(4, "big") for number in sorted(sketch))
                self._db.execute("insert or replace into sketch values (?,?)", (page, numbers))

    def row(self, url: str) -> Row | None:
        """Return what is known of an address."""
        found = self._db.execute(f"select {_COLUMNS} from page where url = ?", (url,)).fetchone()
        return _row(found) if found else None

    def rows(self) -> list[Row]:
        """Return all rows, ordered by address."""
        return [_row(found) for found in self._db.execute(f"select {_COLUMNS} from page order by url")]

    def under(self, resource: str) -> list[Row]:
        """Return the rows of the pages under a curated link, ordered by address."""
        found = self._db.execute(
            f"select {_COLUMNS} from page where resource = ? and url != ? order by url", (resource, resource)
        )
        return [_row(values) for values in found]

    def drop_page(self, url: str) -> None:
        """Forget a page."""
        with self._db:
            self._forget(url)

    def _forget(self, url: str) -> None:
        for table, column in (("page", "url"), ("copy", "page"), ("trail", "page"), ("sketch", "page")):
            self._db.execute(f"delete from {table} where {column} = ?", (url,))

    def copies(self) -> dict[str, Copy]:
        """Return the responses that are here, by the address asked for."""
        found = self._db.execute("select url, page, sha256, etag, modified from copy")
        return {copy[0]: Copy(*copy) for copy in found}

    def trail(self, page: str) -> Trail:
        """Return where a page was found to lead, for pages from which the way goes on."""
        found = self._db.execute("select base, maps, links from trail where page = ?", (page,)).fetchone()
        return Trail(found[0], _listed(found[1]), _listed(found[2])) if found else Trail()

    def sketches(self) -> dict[str, frozenset[int]]:
        """Return the sketches of all texts, by address."""
        found = self._db.execute("select page, numbers from sketch")
        return {
            page: frozenset(int.from_bytes(numbers[n : n + 4], "big") for n in range(0, len(numbers), 4))
            for page, numbers in found
        }

    # --- the round that is under way --------------------------------------------------------------

    def fact(self, key: str) -> str:
        """Return what was noted under a key; "" where nothing was."""
        found = self._db.execute("select value from meta where key = ?", (key,)).fetchone()
        return str(found[0]) if found else ""

    def note(self, key: str, value: str) -> None:
        """Note something under a key."""
        with self._db:
            self._db.execute("insert or replace into meta values (?,?)", (key, value))

    # --- as people see it -------------------------------------------------------------------------

    def entries(self) -> list[Entry]:
        """Return every curated link in the order of the lists with the pages under it, then the pages of archives."""
        by_resource: dict[str, list[Row]] = {}
        for row in self.rows():
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
    row = Row(*found)  # type: ignore[arg-type]  # the columns are the fields
    try:
        return replace(row, status=Status(row.status))
    except ValueError as error:
        raise _DamagedError(f"what became of {row.url} cannot be read ({error})") from error


def _listed(said: str) -> tuple[Any, ...]:
    """Return a list that is kept as JSON."""
    try:
        return tuple(json.loads(said))
    except (ValueError, TypeError) as error:
        raise _DamagedError(f"a list cannot be read ({error})") from error


def _summary(resource: Resource, pages: list[Row]) -> Row:
    """Return the row of a curated link: its own, with the words of all pages under it."""
    own = next((page for page in pages if page.url == resource.url), None)
    read = [page for page in pages if page.status in HAS_TEXT]
    if own is None:
        own = Row(resource.url, resource.url, resource.title, Status.PENDING, "not tried yet", "run `prep ingest`")
    status, reason = own.status, own.reason
    if read and own.status not in HAS_TEXT:
        kinds = {page.status for page in read}
        status = Status.TRANSCRIPT if kinds == {Status.TRANSCRIPT} else Status.TEXT
        reason = f"{len(read)} pages under it were read; the address itself: {own.reason}"
    elif len(read) > 1:
        reason = f"{len(read)} pages" + (f"; {own.reason}" if own.reason else "")
    fix = "" if status in HAS_TEXT else own.fix
    words = sum(page.words for page in pages if page.status in READ)
    return replace(own, title=resource.title, status=status, reason=reason, fix=fix, words=words)


@contextmanager
def open_ledger(path: Path) -> Iterator[Ledger]:
    """Open the ledger, making it where there is none.

    Raises IngestError where the file is damaged, the disk is full, or it may not be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = None
    try:
        connection = sqlite3.connect(path, timeout=10)
        connection.execute("pragma journal_mode=wal")
        connection.execute("pragma synchronous=full")
        version = connection.execute("pragma user_version").fetchone()[0]
        held = connection.execute("select count(*) from sqlite_master").fetchone()[0]
        if version > VERSION or (held and version < 1):  # no version of ours: nothing is emptied for a damaged byte
            raise sqlite3.DatabaseError(f"it is of version {version}")
        if version != VERSION:
            with connection:
                for table in _TABLES:
                    connection.execute(f"drop table if exists {table}")
                connection.execute(f"pragma user_version={VERSION}")
        connection.executescript(_SCHEMA)
        yield Ledger(connection)
    except (sqlite3.Error, _DamagedError) as error:
        raise IngestError(f"{path}: {error}. {_cure(error, path)}") from error
    finally:
        if connection:
            connection.close()


def _cure(error: Exception, path: Path) -> str:
    said = str(error).lower()
    if "full" in said or "disk i/o" in said:
        return "Make room on the disk and run the command again; what was there before still serves."
    if "locked" in said or "readonly" in said or "unable to open" in said:
        return "See that no other program holds it and that it may be written, and run the command again."
    return f"It is damaged: remove {path.name}* there and run `prep ingest --offline`, which reads the archive again."
