"""Schema: the tables that the chat keeps, and how an older file or server gets them.

The first step holds the tables that Chainlit's SQLAlchemy data layer writes, with the columns of its last release;
the second those of Prepshelf. Every statement means the same to SQLite and PostgreSQL: lists and objects are JSON text.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

_CHAINLIT = (
    """create table users (
    "id" text primary key, "identifier" text not null unique, "metadata" text not null, "createdAt" text)""",
    """create table threads (
    "id" text primary key, "createdAt" text, "name" text, "userId" text, "userIdentifier" text,
    "tags" text, "metadata" text)""",
    """create table steps (
    "id" text primary key, "name" text not null, "type" text not null, "threadId" text not null, "parentId" text,
    "streaming" boolean, "waitForAnswer" boolean, "isError" boolean, "metadata" text, "tags" text, "input" text,
    "output" text, "createdAt" text, "command" text, "modes" text, "start" text, "end" text, "generation" text,
    "showInput" text, "language" text, "indent" integer, "icon" text, "defaultOpen" boolean, "autoCollapse" boolean)""",
    """create table elements (
    "id" text primary key, "threadId" text, "type" text, "url" text, "chainlitKey" text, "name" text not null,
    "display" text, "objectKey" text, "size" text, "page" integer, "language" text, "forId" text, "mime" text,
    "props" text, "autoPlay" boolean, "playerConfig" text)""",
    """create table feedbacks (
    "id" text primary key, "forId" text not null unique, "threadId" text, "value" integer not null, "comment" text,
    "createdAt" text)""",
    'create index threads_of_user on threads ("userId")',
    'create index steps_of_thread on steps ("threadId", "createdAt")',
    'create index elements_of_thread on elements ("threadId")',
)
_PREPSHELF = (
    """create table answers (
    "stepId" text primary key, "runId" text, "threadId" text not null, "userId" text not null, "kind" text not null,
    "question" text not null, "record" text not null, "createdAt" text not null)""",
    'create index answers_of_run on answers ("runId")',
    'create index answers_of_thread on answers ("threadId")',
    """create table reads (
    "userId" text not null, "url" text not null, "readAt" text not null, primary key ("userId", "url"))""",
    """create table accounts (
    "name" text primary key, "password" text not null, "validFrom" integer not null)""",
    """create table revocations (
    "token" text primary key, "expires" integer not null)""",
)
MIGRATIONS = (_CHAINLIT, _PREPSHELF)
"""The statements of each step, oldest first. A step that was released is never edited; a change is a new step."""

_LOCK = 0x50524550  # any number will do, as long as every process takes the same


def migrate(connection: Connection) -> int:
    """Bring a database up to the newest schema, within the caller's transaction, and return how many steps it took."""
    if connection.dialect.name == "postgresql":  # two processes that start at once take turns
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    connection.execute(text("create table if not exists prepshelf_schema (step integer primary key)"))
    done = connection.execute(text("select coalesce(max(step), 0) from prepshelf_schema")).scalar_one()
    for number, statements in enumerate(MIGRATIONS[done:], done + 1):
        for statement in statements:
            connection.execute(text(statement))
        connection.execute(text("insert into prepshelf_schema values (:step)"), {"step": number})
    return len(MIGRATIONS) - int(done)
