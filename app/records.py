"""Records: what stands behind each answer that was shown, and what each person has read.

A record is all that a citation's panel, an export and an evaluation need, as it was when the answer was given: it
outlives the shelf that the answer came from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from app.database import Database, now

Kind = Literal["answer", "reading"]


@dataclass(frozen=True, slots=True)
class Record:
    """One answer or reading list, with its provenance."""

    step: str  # id of the message that shows it
    run: str  # id of the run that made it, which feedback refers to
    thread: str
    user: str
    kind: Kind
    question: str
    body: Mapping[str, Any]  # see app.cards: the answer, its citations, and the versions that made it


class Records:
    """The records of all answers, and the reading marks of all people."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, record: Record) -> None:
        """Save a record, in the place of the last one for the same message."""
        await self._database.write(
            (
                """insert into answers
                ("stepId", "runId", "threadId", "userId", "kind", "question", "record", "createdAt")
                values (:step, :run, :thread, :user, :kind, :question, :body, :now)
                on conflict ("stepId") do update set "record" = excluded."record"
                where answers."userId" = excluded."userId"
                """,
                {
                    "step": record.step,
                    "run": record.run,
                    "thread": record.thread,
                    "user": record.user,
                    "kind": record.kind,
                    "question": record.question,
                    "body": json.dumps(record.body, ensure_ascii=False),
                    "now": now(),
                },
            )
        )

    async def of(self, step: str, user: str) -> Record | None:
        """Return the record behind a message, where it is this user's."""
        found = await self._database.rows(
            'select * from answers where "stepId" = :step and "userId" = :user', step=step, user=user
        )
        return _record(found[0]) if found else None

    async def of_thread(self, thread: str, user: str) -> list[Record]:
        """Return the records of a thread, oldest first, where it is this user's."""
        found = await self._database.rows(
            'select * from answers where "threadId" = :thread and "userId" = :user order by "createdAt"',
            thread=thread,
            user=user,
        )
        return [_record(row) for row in found]

    async def owns(self, step: str, user: str) -> str:
        """Return the thread that a message or run stands in, "" where it is not this user's."""
        found = await self._database.rows(
            """select t."id" from steps s join threads t on t."id" = s."threadId"
            where s."id" = :step and t."userId" = :user""",
            step=step,
            user=user,
        )
        return str(found[0]["id"]) if found else ""

    async def judged(self) -> list[dict[str, Any]]:
        """Return every judged answer: question, record, value (1 helpful, 0 not) and comment, oldest first."""
        found = await self._database.rows(
            """select a."question", a."kind", a."record", a."createdAt" as asked_at, f."value", f."comment",
            f."createdAt" as judged_at from feedbacks f
            join answers a on a."runId" = f."forId" or a."stepId" = f."forId" order by f."createdAt"
            """
        )
        return [{**row, "record": json.loads(row["record"])} for row in found]

    async def reads(self, user: str) -> frozenset[str]:
        """Return the addresses that a user has read."""
        found = await self._database.rows('select "url" from reads where "userId" = :user', user=user)
        return frozenset(row["url"] for row in found)

    async def mark(self, user: str, url: str, *, read: bool) -> None:
        """Note that a user has read an address, or has not."""
        if read:
            await self._database.write(
                (
                    'insert into reads ("userId", "url", "readAt") values (:user, :url, :now) on conflict do nothing',
                    {"user": user, "url": url, "now": now()},
                )
            )
        else:
            await self._database.write(
                ('delete from reads where "userId" = :user and "url" = :url', {"user": user, "url": url})
            )


def _record(row: Mapping[str, Any]) -> Record:
    return Record(
        step=row["stepId"],
        run=row["runId"] or "",
        thread=row["threadId"],
        user=row["userId"],
        kind=row["kind"],
        question=row["question"],
        body=json.loads(row["record"]),
    )
