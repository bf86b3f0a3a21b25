"""Memory: threads, steps and feedback, as Chainlit's SQLAlchemy data layer gives and takes them.

Chainlit's own layer drops what a database refuses to take, cannot bind lists on SQLite, hands JSON back as text and
writes to any row whose id it is given. This one writes through `app.database`, which loses nothing; reads JSON back as
JSON; and never moves a step or a thread from one owner to another.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from chainlit.data.sql_alchemy import SQLAlchemyDataLayer
from chainlit.data.utils import queue_until_user_message
from chainlit.types import Feedback, PageInfo, PaginatedResponse, Pagination, ThreadDict, ThreadFilter

from app.database import Database, now

LONGEST_TITLE = 80  # characters
_STEP_COLUMNS = """id name type threadId parentId streaming waitForAnswer isError metadata tags input output createdAt
    command modes start end generation showInput language icon defaultOpen autoCollapse""".split()
_STEP_FLAGS = ("streaming", "waitForAnswer", "isError", "defaultOpen", "autoCollapse")
_STEP_OBJECTS: dict[str, Any] = {"metadata": {}, "generation": None, "tags": None, "modes": None}


class Memory(SQLAlchemyDataLayer):  # type: ignore[misc]  # Chainlit is untyped
    """All that the chat remembers of conversations."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.user_thread_limit = 1000
        self.show_logger = False
        self.storage_provider = None  # nothing we show is an element, so no file is kept

    async def execute_sql(self, query: str, parameters: dict[str, Any]) -> list[dict[str, Any]] | int | None:
        """Run a statement of Chainlit's own; its writes go the way of ours."""
        if query.lstrip().lower().startswith("select"):
            return await self.database.rows(query, **parameters)
        await self.database.write((query, {key: _stored(value) for key, value in parameters.items()}))
        return None

    async def close(self) -> None:
        """Let go of the database."""
        await self.database.close()

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
            before = await self.database.rows('select "metadata" from threads where "id" = :id', id=thread_id)
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
        await self.database.write(
            (
                """insert into threads ("id", "createdAt", "name", "userId", "userIdentifier", "tags", "metadata")
                values (:id, :now, :name, :user, (select "identifier" from users where "id" = :user), :tags, :metadata)
                on conflict ("id") do update set "name" = coalesce(excluded."name", threads."name"),
                "userId" = coalesce(threads."userId", excluded."userId"),
                "userIdentifier" = coalesce(threads."userIdentifier", excluded."userIdentifier"),
                "tags" = coalesce(excluded."tags", threads."tags"),
                "metadata" = coalesce(excluded."metadata", threads."metadata")""",
                parameters,
            )
        )

    async def get_thread(self, thread_id: str) -> ThreadDict | None:
        """Return a thread with its steps, oldest first, and their feedback."""
        found = await self.database.rows('select * from threads where "id" = :id', id=thread_id)
        if not found:
            return None
        steps = await self.database.rows(
            """select steps.*, f."id" as feedback_id, f."value" as feedback_value, f."comment" as feedback_comment
            from steps left join feedbacks f on f."forId" = steps."id"
            where steps."threadId" = :id order by steps."createdAt"
            """,
            id=thread_id,
        )
        return _thread(found[0], [_step(step) for step in steps])

    async def get_thread_author(self, thread_id: str) -> str:
        """Return who a thread belongs to, "" where there is none."""
        found = await self.database.rows('select "userIdentifier" from threads where "id" = :id', id=thread_id)
        return (found[0]["userIdentifier"] or "") if found else ""

    async def list_threads(self, pagination: Pagination, filters: ThreadFilter) -> PaginatedResponse[ThreadDict]:
        """Return a user's threads without their steps, last used first."""
        words = f"%{_like((filters.search or '').lower())}%"
        found = await self.database.rows(
            """select t.* from threads t where t."userId" = :user and (
                :words = '%%' or lower(t."name") like :words escape '\\' or exists (
                    select 1 from steps s where s."threadId" = t."id" and s."type" like '%message'
                    and lower(s."output") like :words escape '\\'))
            order by coalesce((select max(s."createdAt") from steps s where s."threadId" = t."id"), t."createdAt") desc,
            t."id" limit :most""",
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
        await self.database.write(
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
        await self.database.write(
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
        await self.database.write(
            ('delete from feedbacks where "forId" = :id', where),
            ('delete from answers where "stepId" = :id', where),
            ('delete from steps where "id" = :id', where),
        )

    async def upsert_feedback(self, feedback: Feedback) -> str:
        """Keep one judgement an answer, the last one, and return its id: the id of what it judges."""
        await self.database.write(
            (
                """insert into feedbacks ("id", "forId", "threadId", "value", "comment", "createdAt") values
                (:for_id, :for_id, :thread, :value, :comment, :now) on conflict ("forId") do update set
                "value" = excluded."value", "comment" = excluded."comment", "createdAt" = excluded."createdAt"
                """,
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


def title(question: str) -> str:
    """Return what a thread is called: the first line of its first question, cut at a word.

    >>> title("How does ring-allreduce work?")
    'How does ring-allreduce work?'
    """
    line = " ".join(question.split("\n", 1)[0].split())
    return line if len(line) <= LONGEST_TITLE else f"{line[: LONGEST_TITLE - 1].rsplit(' ', 1)[0]}…"


def _stored(value: object) -> object:
    return json.dumps(value) if isinstance(value, dict | list | tuple) else value


def _loaded(value: Any, default: Any) -> Any:  # noqa: ANN401  # JSON is any
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
