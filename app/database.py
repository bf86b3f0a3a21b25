"""Database: where the chat keeps things, SQLite or PostgreSQL, and what is held back while it refuses to save.

A write that a locked file, a full disk or an absent server refuses is kept in memory and tried again, in order, until
it is saved: what was shown is not lost, and `trouble` says so meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
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
CONNECT_WAIT = 10  # seconds for a server to let us in, and
COMMAND_WAIT = 30  # for it to do one statement
SAVED_WITHIN = 8.0  # seconds that somebody waits for a change to be saved
AGAIN = 1.0  # seconds between two tries
STUCK = 15.0  # seconds: what waits longer to be saved is no longer on its way
LAST_WAIT = 7.0  # seconds that what is held back has when the server ends
PARTING = 0.05  # seconds that a driver's thread has for its last word, where it could not connect
LIKE = "postgresql://user:password@host/name"
MOST_UNSAVED = 5000  # statements held back; beyond, no question is taken

_SQLITE_PASSING = {5, 6, 7, 8, 10, 13, 14, 15}  # busy, locked, no memory, read-only, I/O, full, cannot open, protocol
_POSTGRES_PASSING = {"08", "40", "53", "55", "57", "58"}  # classes: connection, rollback, resources, in use, operator

log = logging.getLogger("prepshelf.database")


@dataclass(eq=False)
class _Write:
    """Statements of one transaction that are not saved yet, and who waits to hear of them."""

    statements: Sequence[Statement]
    since: float  # by time.monotonic
    told: asyncio.Future[bool]  # True: saved; False: held back; it raises where they were refused for good


class Database:
    """A database of conversations; every statement is ours, its values are bound."""

    def __init__(self, url: str) -> None:
        """Take an SQLAlchemy address; raises ServerError where it is none that is known here."""
        sqlite = url.startswith("sqlite")
        waits = {"timeout": LOCK_WAIT} if sqlite else {"timeout": CONNECT_WAIT, "command_timeout": COMMAND_WAIT}
        try:
            self.engine = create_async_engine(url, connect_args=waits, hide_parameters=True, pool_pre_ping=not sqlite)
        except (SQLAlchemyError, ImportError, ValueError) as error:
            raise ServerError(f"PREPSHELF_DATABASE is no address of a database; set one like {LIKE}.") from error
        if sqlite:
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self.engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql("begin"))
        self.trouble = ""
        """Why something shown is not saved yet; "" where all is."""
        self._unsaved: deque[_Write] = deque()
        self._saver: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Bring the database up to the newest schema.

        Raises ServerError where it cannot be reached or written.
        """
        try:
            async with self.engine.begin() as connection:
                await connection.run_sync(schema.migrate)
        except Exception as error:  # whatever a driver makes of an address, a server or a file
            await self.engine.dispose()
            await asyncio.sleep(PARTING)
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
        except Exception as error:  # drivers let their own escape, for values that they cannot encode, say
            raise ServerError(f"conversations cannot be read just now ({_reason(error)}); try again.") from error

    async def write(self, *statements: Statement) -> bool:
        """Save statements in one transaction, and return whether they are saved.

        Where the database refuses for now, they are held back and tried again until it takes them; a call waits for
        SAVED_WITHIN seconds at most, and not at all while it is known to be away. Raises ServerError where it can
        never take them: they are dropped then, and stand in nobody's way.
        """
        one = _Write(statements, time.monotonic(), asyncio.get_running_loop().create_future())
        one.told.add_done_callback(lambda told: told.cancelled() or told.exception())  # nobody may be left to hear it
        self._unsaved.append(one)
        if self._saver is None or self._saver.done():
            # A task of its own: a question that is stopped must not take half a transaction with it.
            self._saver = asyncio.create_task(self._save_all())
        if self.trouble:
            return False
        done, _ = await asyncio.wait([one.told], timeout=SAVED_WITHIN)
        if not done:
            self.trouble = self.trouble or "it is slow"
            return False
        return one.told.result()

    async def _save_all(self) -> None:
        """Save what is held back, oldest first, until all of it is."""
        while self._unsaved:
            one = self._unsaved[0]
            try:
                async with self.engine.begin() as connection:
                    for query, parameters in one.statements:
                        await connection.execute(text(query), parameters)
            except Exception as error:
                if _passing(error):
                    self._hold_back(error)
                    await asyncio.sleep(AGAIN)
                    continue
                # It would block all others, and nothing will ever make it pass.
                log.error("a statement was refused for good, and is dropped: %s", _reason(error))
                self._unsaved.popleft()
                _tell(one, ServerError(f"this could not be saved ({_reason(error)})."))
            else:
                self._unsaved.popleft()
                _tell(one, True)
        if self.trouble:
            log.info("the database saves again; nothing is held back")
        self.trouble = ""

    def _hold_back(self, error: BaseException) -> None:
        if not self.trouble:
            log.error("the database refuses to save: %s", _reason(error))
        self.trouble = _reason(error)
        for one in self._unsaved:
            _tell(one, False)

    @property
    def state(self) -> str:
        """Return what keeps the database from being ready: that it refuses, or that what is to be saved piles up."""
        oldest = time.monotonic() - self._unsaved[0].since if self._unsaved else 0.0
        stuck = f"{len(self._unsaved)} changes wait for {oldest:.0f} s to be saved" if oldest > STUCK else ""
        return self.trouble or stuck

    @property
    def overfull(self) -> bool:
        """Return whether so much is held back that no more may be shown."""
        return len(self._unsaved) > MOST_UNSAVED

    async def close(self) -> None:
        """Save what is held back, as far as the database takes it, and let go of it."""
        if self._saver and not self._saver.done():
            await asyncio.wait([self._saver], timeout=LAST_WAIT if self._unsaved else None)
            self._saver.cancel()
        if self._unsaved:
            log.error("%d changes could not be saved before the end", len(self._unsaved))
        await self.engine.dispose()


def _tell(one: _Write, what: bool | ServerError) -> None:
    if one.told.done():
        return
    if isinstance(what, ServerError):
        one.told.set_exception(what)
    else:
        one.told.set_result(what)


def address(data: Path) -> str:
    """Return the address of the database in a data folder, whose folder is made where there is none."""
    (data / "chat").mkdir(parents=True, exist_ok=True)
    return f"sqlite+aiosqlite:///{data / 'chat' / 'memory.db'}"


def _prepare_sqlite(connection: DBAPIConnection, _record: object) -> None:
    connection.isolation_level = None  # we begin transactions ourselves, so that a migration is one, too
    cursor = connection.cursor()
    cursor.execute("pragma journal_mode=wal")
    cursor.execute("pragma synchronous=full")  # a login that was ended must not come back after a power cut
    cursor.close()


def _passing(error: BaseException) -> bool:
    """Return whether a statement may work another time: a lock, a full disk, a server that is away."""
    if isinstance(error, OSError | PoolTimeout):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    cause = error.orig if isinstance(error, DBAPIError) else error
    if (code := getattr(cause, "sqlite_errorcode", None)) is not None:
        return code & 0xFF in _SQLITE_PASSING
    return str(getattr(cause, "sqlstate", ""))[:2] in _POSTGRES_PASSING


def _reason(error: BaseException) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return " ".join(str(cause).split())[:200] or type(cause).__name__


def now() -> str:
    """Return the time as Chainlit writes it."""
    return datetime.now(UTC).replace(tzinfo=None).isoformat() + "Z"
