"""Memory: threads, steps and feedback in SQLite or PostgreSQL, through Chainlit's SQLAlchemy data layer.

Chainlit's own layer drops what a database refuses to take, cannot bind lists on SQLite, hands JSON back as text and
writes to any row whose id it is given. This one keeps what could not be written and tries again, in order, until it is
saved; reads JSON back as JSON; and never moves a step or a thread from one owner to another.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chainlit.data.sql_alchemy import SQLAlchemyDataLayer
from chainlit.data.utils import queue_until_user_message
from chainlit.types import Feedback, PageInfo, PaginatedResponse, Pagination, ThreadDict, ThreadFilter
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from app import ServerError, schema

Statement = tuple[str, dict[str, Any]]

LOCK_WAIT = 5  # seconds that SQLite waits for another writer
MOST_UNSAVED = 5000  # statements held back; beyond, no question is taken
LONGEST_TITLE = 80  # characters
_STEP_COLUMNS = """id name type threadId parentId streaming waitForAnswer isError metadata tags input output createdAt
    command modes start end generation showInput language icon defaultOpen autoCollapse""".split()
_STEP_FLAGS = ("streaming", "waitForAnswer", "isError", "defaultOpen", "autoCollapse")
_STEP_OBJECTS = {"metadata": {}, "generation": None, "tags": None, "modes": None}

log = logging.getLogger("prepshelf.memory")


class Memory(SQLAlchemyDataLayer):  # type: ignore[misc]  # Chainlit is untyped
    """All that the chat remembers."""

    def __init__(self, url: str) -> None:
        self.user_thread_limit = 1000
        self.show_logger = False
        self.storage_provider = None  # nothing we show is an element, so no file is kept
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

    # --- the database -----------------------------------------------------------------------------

    async def open(self) -> None:
        """Bring the database up to the newest schema.

        Raises ServerError where it cannot be reached or written.
        """
        try:
            async with self.engine.begin() as connection:
                await connection.run_sync(schema.migrate)
        except (SQLAlchemyError, OSError) as error:
            raise ServerError(
                f"the database of conversations cannot be opened ({_reason(error)}); see PREPSHELF_DATABASE."
            ) from error

    async def rows(self, query: str, **parameters: Any) -> list[dict[str, Any]]:
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

    async def execute_sql(self, query: str, parameters: dict[str, Any]) -> list[dict[str, Any]] | int | None:
        """Run a statement of Chainlit's own; its writes go the way of ours."""
        if query.lstrip().lower().startswith("select"):
            return await self.rows(query, **parameters)
        await self.write((query, {key: _stored(value) for key, value in parameters.items()}))
        return None

    async def close(self) -> None:
        """Save what is held back, as far as the database takes it, and let go of it."""
        await self.flush()
        if self._retry:
            self._retry.cancel()
        await self.engine.dispose()

    # --- threads ----------------------------------------------------------------------------------

    async def update_thread(
        self,
        thread_id: str,
        name: str | None = None,
        user_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        tags: Sequence[str] | None = None,
    ) -> None:
        """Make a thread, or change what is given of it; an owner once set stays."""
        merged = None
        if metadata is not None:
            before = await self.rows('select "metadata" from threads where "id" = :id', id=thread_id)
            kept = {**_loaded(before[0]["metadata"] if before else None, {}), **metadata}
            merged = json.dumps({key: value for key, value in kept.items() if value is not None})
        parameters = {
            "id": thread_id,
            "now": now(),
            "name": title(name) if name is not None else None,
            "user": user_id,
            "tags": _stored(tags),
            "metadata": merged,
        }
        await self.write(
            (
                'insert into threads ("id", "createdAt", "name", "userId", "userIdentifier", "tags", "metadata")'
                ' values (:id, :now, :name, :user, (select "identifier" from users where "id" = :user), :tags, :metadata)'
                ' on conflict ("id") do update set "name" = coalesce(excluded."name", threads."name"),'
                ' "userId" = coalesce(threads."userId", excluded."userId"),'
                ' "userIdentifier" = coalesce(threads."userIdentifier", excluded."userIdentifier"),'
                ' "tags" = coalesce(excluded."tags", threads."tags"),'
                ' "metadata" = coalesce(excluded."metadata", threads."metadata")',
                parameters,
            )
        )

    async def get_thread(self, thread_id: str) -> ThreadDict | None:
        """Return a thread with its steps, oldest first, and their feedback."""
        found = await self.rows('select * from threads where "id" = :id', id=thread_id)
        if not found:
            return None
        steps = await self.rows(
            'select steps.*, f."id" as feedback_id, f."value" as feedback_value, f."comment" as feedback_comment'
            ' from steps left join feedbacks f on f."forId" = steps."id"'
            ' where steps."threadId" = :id order by steps."createdAt"',
            id=thread_id,
        )
        return _thread(found[0], [_step(step) for step in steps])

    async def get_thread_author(self, thread_id: str) -> str:
        """Return who a thread belongs to, "" where there is none."""
        found = await self.rows('select "userIdentifier" from threads where "id" = :id', id=thread_id)
        return (found[0]["userIdentifier"] or "") if found else ""

    async def list_threads(self, pagination: Pagination, filters: ThreadFilter) -> PaginatedResponse[ThreadDict]:
        """Return a user's threads without their steps, last used first."""
        words = f"%{_like((filters.search or '').lower())}%"
        found = await self.rows(
            'select t.*, (select max(s."createdAt") from steps s where s."threadId" = t."id") as used from threads t'
            ' where t."userId" = :user and (:words = \'%%\' or lower(t."name") like :words escape \'\\\' or exists'
            ' (select 1 from steps s where s."threadId" = t."id" and s."type" like \'%message\''
            " and lower(s.\"output\") like :words escape '\\'))"
            ' order by coalesce((select max(s."createdAt") from steps s where s."threadId" = t."id"), t."createdAt") desc,'
            ' t."id" limit :most',
            user=filters.userId,
            words=words,
            most=self.user_thread_limit,
        )
        ids = [row["id"] for row in found]
        start = ids.index(pagination.cursor) + 1 if pagination.cursor in ids else 0
        page = found[start : start + min(max(pagination.first, 1), 100)]
        info = PageInfo(
            hasNextPage=start + len(page) < len(found),
            startCursor=page[0]["id"] if page else None,
            endCursor=page[-1]["id"] if page else None,
        )
        return PaginatedResponse(pageInfo=info, data=[_thread(row, []) for row in page])

    async def delete_thread(self, thread_id: str) -> None:
        """Forget a thread with all that belongs to it."""
        where = {"id": thread_id}
        await self.write(
            ('delete from feedbacks where "forId" in (select "id" from steps where "threadId" = :id)', where),
            *((f'delete from {table} where "threadId" = :id', where) for table in ("answers", "elements", "steps")),
            ('delete from threads where "id" = :id', where),
        )

    # --- steps and feedback -----------------------------------------------------------------------

    @queue_until_user_message()
    async def create_step(self, step_dict: Mapping[str, Any]) -> None:
        """Save a step once its thread has begun."""
        await self.keep_step(step_dict)

    @queue_until_user_message()
    async def update_step(self, step_dict: Mapping[str, Any]) -> None:
        """Save what a step has become."""
        await self.keep_step(step_dict)

    async def keep_step(self, step: Mapping[str, Any]) -> None:
        """Save a step now; a step of another thread with the same id stays as it is."""
        values = {column: _stored(step.get(column)) for column in _STEP_COLUMNS}
        values["showInput"] = str(step.get("showInput", "")).lower()
        columns = ", ".join(f'"{column}"' for column in _STEP_COLUMNS)
        changes = ", ".join(f'"{column}" = excluded."{column}"' for column in _STEP_COLUMNS[1:])
        await self.write(
            (
                'insert into threads ("id", "createdAt") values (:id, :now) on conflict ("id") do nothing',
                {"id": values["threadId"], "now": now()},
            ),
            (
                f"insert into steps ({columns}) values ({', '.join(f':{column}' for column in _STEP_COLUMNS)})"
                f' on conflict ("id") do update set {changes} where steps."threadId" = excluded."threadId"',
                values,
            ),
        )

    @queue_until_user_message()
    async def delete_step(self, step_id: str) -> None:
        """Forget a step."""
        where = {"id": step_id}
        await self.write(
            ('delete from feedbacks where "forId" = :id', where),
            ('delete from answers where "stepId" = :id', where),
            ('delete from steps where "id" = :id', where),
        )

    async def upsert_feedback(self, feedback: Feedback) -> str:
        """Keep one judgement an answer, the last one, and return its id: the id of what it judges."""
        await self.write(
            (
                'insert into feedbacks ("id", "forId", "threadId", "value", "comment", "createdAt")'
                " values (:for_id, :for_id, :thread, :value, :comment, :now) on conflict (\"forId\") do update"
                ' set "value" = excluded."value", "comment" = excluded."comment", "createdAt" = excluded."createdAt"',
                {
                    "for_id": feedback.forId,
                    "thread": feedback.threadId,
                    "value": feedback.value,
                    "comment": feedback.comment,
                    "now": now(),
                },
            )
        )
        return str(feedback.forId)


def address(data: Path) -> str:
    """Return the address of the database in a data folder, whose folder is made where there is none."""
    (data / "chat").mkdir(parents=True, exist_ok=True)
    return f"sqlite+aiosqlite:///{data / 'chat' / 'memory.db'}"


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we begin transactions ourselves, so that a migration is one, too
    cursor = connection.cursor()
    cursor.execute("pragma journal_mode=wal")
    cursor.execute("pragma synchronous=normal")
    cursor.close()


def _passing(error: BaseException) -> bool:
    """Return whether a statement may work another time: a lock, a full disk, a server that is away."""
    if isinstance(error, DBAPIError):
        return type(error).__name__ in {"OperationalError", "InterfaceError", "InternalError"} or bool(
            error.connection_invalidated
        )
    return True


def _reason(error: BaseException) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return " ".join(str(cause).split())[:200] or type(cause).__name__


def now() -> str:
    """Return the time as Chainlit writes it."""
    return datetime.now(UTC).replace(tzinfo=None).isoformat() + "Z"


def title(question: str) -> str:
    """Return what a thread is called: the first line of its first question, cut at a word.

    >>> title("How does ring-allreduce work?")
    'How does ring-allreduce work?'
    """
    line = " ".join(question.split("\n", 1)[0].split())
    return line if len(line) <= LONGEST_TITLE else f"{line[: LONGEST_TITLE - 1].rsplit(' ', 1)[0]}…"


def _stored(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list | tuple) else value


def _loaded(value: Any, default: Any) -> Any:
    if isinstance(value, str):
        with suppress(ValueError):
            return json.loads(value)
        return default
    return default if value is None else value


def _like(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _thread(row: Mapping[str, Any], steps: list[dict[str, Any]]) -> ThreadDict:
    return ThreadDict(
        id=row["id"],
        createdAt=row["createdAt"],
        name=row["name"],
        userId=row["userId"],
        userIdentifier=row["userIdentifier"],
        tags=_loaded(row["tags"], []),
        metadata=_loaded(row["metadata"], {}),
        steps=steps,
        elements=[],
    )


def _step(row: dict[str, Any]) -> dict[str, Any]:
    """Return a step as Chainlit's face wants it."""
    step = {column: row[column] for column in _STEP_COLUMNS}
    step |= {column: _loaded(row[column], default) for column, default in _STEP_OBJECTS.items()}
    step |= {flag: bool(row[flag]) for flag in _STEP_FLAGS}
    step["input"] = row["input"] if row["showInput"] not in {None, "", "false"} else ""
    if row["feedback_id"]:
        step["feedback"] = {
            "id": row["feedback_id"],
            "forId": row["id"],
            "value": row["feedback_value"],
            "comment": row["feedback_comment"],
        }
    return step
