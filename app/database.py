"""Database: where the chat keeps things, SQLite or PostgreSQL, and what is held back while it refuses to save.

A write that a locked file, a full disk or an absent server refuses is kept in memory and tried again, in order, until
it is saved: what was shown is not lost, and `trouble` says so meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import create_async_engine

from app import ServerError, schema

Statement = tuple[str, dict[str, Any]]

LOCK_WAIT = 5  # seconds that SQLite waits for another writer
MOST_UNSAVED = 5000  # statements held back; beyond, no question is taken

_SQLITE_PASSING = {5, 6, 7, 8, 10, 13, 14, 15}  # busy, locked, no memory, read-only, I/O, full, cannot open, protocol
_POSTGRES_PASSING = {"08", "40", "53", "55", "57", "58"}  # classes: connection, rollback, resources, in use, operator

log = logging.getLogger("prepshelf.database")


class Database:
    """A database of conversations; every statement is ours, its values are bound."""

    def __init__(self, url: str) -> None:
        sqlite = url.startswith("sqlite")
        self.engine = create_async_engine(
            url, connect_args={"timeout": LOCK_WAIT} if sqlite else {}, hide_parameters=True, pool_pre_ping=not sqlite
        )
        if sqlite:
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self.engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql("begin"))
        self.trouble = ""
        """Why something shown is not saved yet; "" where all is."""
        self._unsaved: deque[list[Statement]] = deque()
        self._turn = asyncio.Lock()
        self._retry: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Bring the database up to the newest schema.

        Raises ServerError where it cannot be reached or written.
        """
        try:
            async with self.engine.begin() as connection:
                await connection.run_sync(schema.migrate)
        except (SQLAlchemyError, OSError) as error:
            await self.engine.dispose()
            raise ServerError(
                f"the database of conversations cannot be opened ({_reason(error)}); see PREPSHELF_DATABASE."
            ) from error

    async def rows(self, query: str, **parameters: object) -> list[dict[str, Any]]:
        """Return the rows that a query finds.

        Raises ServerError where the database does not answer.
        """
        try:
            async with self.engine.connect() as connection:
                found = await connection.execute(text(query), parameters)
                return [dict(row._mapping) for row in found]
        except (SQLAlchemyError, OSError) as error:
            raise ServerError(f"conversations cannot be read just now ({_reason(error)}); try again.") from error

    async def write(self, *statements: Statement) -> None:
        """Save statements in one transaction; where the database refuses, hold them back and keep trying."""
        self._unsaved.append(list(statements))
        if not self.trouble:  # else the retries save it; nobody waits for a database that is known to be away
            await self.flush()

    async def flush(self) -> None:
        """Try to save what is held back, oldest first."""
        async with self._turn:
            while self._unsaved:
                try:
                    async with self.engine.begin() as connection:
                        for query, parameters in self._unsaved[0]:
                            await connection.execute(text(query), parameters)
                except (SQLAlchemyError, OSError) as error:
                    if _passing(error):
                        self._hold_back(error)
                        return
                    log.error("a statement was refused for good: %s", _reason(error))  # it would block all others
                self._unsaved.popleft()
            self.trouble = ""

    def _hold_back(self, error: BaseException) -> None:
        if not self.trouble:
            log.error("the database refuses to save: %s", _reason(error))
        self.trouble = _reason(error)
        if self._retry is None or self._retry.done():
            self._retry = asyncio.create_task(self._keep_trying())

    async def _keep_trying(self) -> None:
        while self._unsaved:
            await asyncio.sleep(1)
            await self.flush()
        log.info("the database saves again; nothing is held back")

    @property
    def overfull(self) -> bool:
        """Return whether so much is held back that no more may be shown."""
        return len(self._unsaved) > MOST_UNSAVED

    async def close(self) -> None:
        """Save what is held back, as far as the database takes it, and let go of it."""
        if self._retry:
            self._retry.cancel()
        await self.flush()
        await self.engine.dispose()


def address(data: Path) -> str:
    """Return the address of the database in a data folder, whose folder is made where there is none."""
    (data / "chat").mkdir(parents=True, exist_ok=True)
    return f"sqlite+aiosqlite:///{data / 'chat' / 'memory.db'}"


def _prepare_sqlite(connection: DBAPIConnection, _record: object) -> None:
    connection.isolation_level = None  # we begin transactions ourselves, so that a migration is one, too
    cursor = connection.cursor()
    cursor.execute("pragma journal_mode=wal")
    cursor.execute("pragma synchronous=normal")
    cursor.close()


def _passing(error: BaseException) -> bool:
    """Return whether a statement may work another time: a lock, a full disk, a server that is away."""
    if isinstance(error, OSError | PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    if (code := getattr(error.orig, "sqlite_errorcode", None)) is not None:
        return code & 0xFF in _SQLITE_PASSING
    return str(getattr(error.orig, "sqlstate", "08"))[:2] in _POSTGRES_PASSING


def _reason(error: BaseException) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return " ".join(str(cause).split())[:200] or type(cause).__name__


def now() -> str:
    """Return the time as Chainlit writes it."""
    return datetime.now(UTC).replace(tzinfo=None).isoformat() + "Z"
