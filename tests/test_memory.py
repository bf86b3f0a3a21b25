"""What the chat keeps: on SQLite, and on PostgreSQL where one can be started here."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sqlite3
import subprocess
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from chainlit.types import Feedback, Pagination, ThreadFilter
from chainlit.user import User
from sqlalchemy import text

from app import ServerError, schema
from app.accounts import Accounts
from app.database import Database, address, now
from app.memory import Memory, title
from app.records import Record, Records

Use = Callable[[Database], Awaitable[object]]


@pytest.fixture(scope="module")
def postgres(tmp_path_factory) -> Iterator[str]:
    """The address of a PostgreSQL server of our own."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    tools = found[-1].parent if found else shutil.which("initdb") and Path(shutil.which("initdb")).parent
    if not tools:
        pytest.skip("PostgreSQL is not installed here")
    user = {"user": "postgres"} if os.getuid() == 0 else {}  # it refuses to run as root
    folder = Path(f"/tmp/pg-{uuid.uuid4().hex[:8]}")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder.mkdir()
    if user:
        shutil.chown(folder, "postgres")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": True, "cwd": "/tmp", **user}
    subprocess.run([tools / "initdb", "-D", folder / "db", "-U", "prep", "-A", "trust", "-N"], **quiet)
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    subprocess.run([tools / "pg_ctl", "-D", folder / "db", "-o", options, "-w", "start"], **quiet)
    yield f"postgresql+asyncpg://prep@127.0.0.1:{port}/postgres"
    subprocess.run([tools / "pg_ctl", "-D", folder / "db", "-m", "immediate", "stop"], **quiet)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path) -> str:
    if request.param == "sqlite":
        return address(tmp_path)
    server = request.getfixturevalue("postgres")
    name = f"t{uuid.uuid4().hex[:8]}"

    async def create() -> None:
        from sqlalchemy.ext.asyncio import create_async_engine

        engine = create_async_engine(server, isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            await connection.execute(text(f"create database {name}"))
        await engine.dispose()

    asyncio.run(create())
    return server.replace("/postgres", f"/{name}")


def run(url: str, use: Use) -> object:
    """Return what is done with an open database."""

    async def with_database() -> object:
        database = Database(url)
        await database.open()
        try:
            return await use(database)
        finally:
            await database.close()

    return asyncio.run(with_database())


def a_step(thread: str, kind: str = "user_message", said: str = "How does a ring work?", **more: object) -> dict:
    return {
        "id": str(uuid.uuid4()),
        "name": "ann",
        "type": kind,
        "threadId": thread,
        "parentId": None,
        "output": said,
        "createdAt": now(),
        "metadata": {"a": [1]},
        "tags": ["x", "y"],
        "isError": False,
        "showInput": "json",
        "input": "in",
        "modes": {"m": "1"},
        "unknown column": 3,
        **more,
    }


async def a_conversation(database: Database, name: str = "ann", thread: str = "") -> tuple[Memory, object, str, dict]:
    """Make a user with a thread of a question and its answer."""
    memory = Memory(database)
    user = await memory.create_user(User(identifier=name, metadata={"k": 1}))
    thread = thread or str(uuid.uuid4())
    question = a_step(thread)
    await memory.update_thread(thread, name=question["output"], user_id=user.id, tags=["Answer"])
    await memory.keep_step(question)
    return memory, user, thread, question


def test_a_thread_comes_back_with_its_steps_feedback_and_settings(url):
    async def use(database):
        memory, user, thread, question = await a_conversation(database)
        answer = a_step(thread, "assistant_message", "So. [1](<https://x.org>)", parentId=question["id"])
        await memory.keep_step(answer)
        assert await memory.upsert_feedback(Feedback(forId=answer["id"], value=0, comment="no")) == answer["id"]
        assert await memory.upsert_feedback(Feedback(forId=answer["id"], value=1, comment="yes")) == answer["id"]
        await memory.update_thread(thread, metadata={"chat_settings": {"length": "short"}, "gone": 1})
        await memory.update_thread(thread, metadata={"gone": None, "within": "u"})
        return user, question, await memory.get_thread(thread), await memory.get_thread_author(thread)

    user, question, thread, author = run(url, use)
    assert (author, thread["userId"], thread["name"]) == ("ann", user.id, "How does a ring work?")
    assert thread["metadata"] == {"chat_settings": {"length": "short"}, "within": "u"}
    assert thread["tags"] == ["Answer"]
    first, second = thread["steps"]
    assert (first["id"], first["metadata"], first["tags"], first["modes"]) == (
        question["id"], {"a": [1]}, ["x", "y"], {"m": "1"}
    )  # fmt: skip
    assert second["feedback"] == {"id": second["id"], "forId": second["id"], "value": 1, "comment": "yes"}
    assert first["isError"] is False


def test_threads_are_listed_last_used_first_page_by_page_and_searched_in_title_and_text(url):
    async def use(database):
        made = []
        for n in range(5):
            memory, user, thread, _ = await a_conversation(database)
            await memory.update_thread(thread, name=f"Thread {n} 100%_sure" if n == 3 else f"Thread {n}")
            made.append(thread)
        await memory.keep_step(a_step(made[0], "assistant_message", "A Cache STAMPEDE happens"))
        await a_conversation(database, "bob")

        async def names(search=None, cursor=None, first=2):
            page = await memory.list_threads(
                Pagination(first=first, cursor=cursor), ThreadFilter(userId=user.id, search=search)
            )
            return [one["name"] for one in page.data], page.pageInfo

        first, info = await names()
        second, _ = await names(cursor=info.endCursor)
        return first, second, (await names("stampede"))[0], (await names("%_", first=9))[0], info.hasNextPage

    assert run(url, use) == (["Thread 0", "Thread 4"], ["Thread 3 100%_sure", "Thread 2"], ["Thread 0"], ["Thread 3 100%_sure"], True)  # fmt: skip


def test_nobody_can_take_another_ones_thread_or_step(url):
    async def use(database):
        memory, ann, thread, question = await a_conversation(database)
        _, bob, own, _ = await a_conversation(database, "bob")
        await memory.update_thread(thread, user_id=bob.id)
        await memory.keep_step({**question, "threadId": own, "output": "stolen"})
        records = Records(database)
        await records.keep(Record("s1", "r1", thread, ann.id, "answer", "q", {"x": 1}))
        await records.keep(Record("s1", "r1", own, bob.id, "answer", "q", {"x": 2}))
        kept = await memory.get_thread(thread)
        return (
            kept["userIdentifier"],
            [step["output"] for step in kept["steps"]],
            await records.of("s1", bob.id),
            (await records.of("s1", ann.id)).body,
            await records.owns(question["id"], bob.id),
            await records.owns(question["id"], ann.id) == thread,
        )

    assert run(url, use) == ("ann", ["How does a ring work?"], None, {"x": 1}, "", True)


def test_a_deleted_thread_and_a_removed_account_leave_nothing(url):
    async def use(database):
        memory, ann, thread, question = await a_conversation(database)
        accounts, records = Accounts(database), Records(database)
        await accounts.add("ann", "correct horse battery")
        await records.keep(Record(question["id"], "", thread, ann.id, "answer", "q", {}))
        await memory.upsert_feedback(Feedback(forId=question["id"], value=1))
        await records.mark(ann.id, "https://x.org", read=True)
        _, _, _second, _ = await a_conversation(database)
        await memory.delete_thread(thread)
        left = {}
        for table in ("threads", "steps", "feedbacks", "answers"):
            left[table] = len(await database.rows(f"select 1 from {table}"))
        await accounts.remove("ann")
        for table in ("threads", "steps", "users", "accounts", "reads"):
            left[f"after {table}"] = len(await database.rows(f"select 1 from {table}"))
        return left

    left = run(url, use)
    assert (left.pop("threads"), left.pop("steps")) == (1, 1)
    assert not any(left.values())


def test_judged_answers_come_with_question_answer_and_versions(url):
    async def use(database):
        memory, ann, thread, _question = await a_conversation(database)
        records = Records(database)
        run_step = a_step(thread, "run", "")
        await memory.keep_step(run_step)
        body = {"versions": {"shelf": "v1"}, "answer": {"answer": "So."}}
        await records.keep(Record("s1", run_step["id"], thread, ann.id, "answer", "How?", body))
        await memory.upsert_feedback(Feedback(forId=run_step["id"], value=0, comment="too short"))
        return await records.judged()

    (judged,) = run(url, use)
    assert (judged["question"], judged["value"], judged["comment"]) == ("How?", 0, "too short")
    assert judged["record"]["versions"] == {"shelf": "v1"}


def test_what_was_read_is_kept_once_and_can_be_taken_back(url):
    async def use(database):
        records = Records(database)
        for read in (True, True, False, True):
            await records.mark("u", "https://x.org", read=read)
        await records.mark("u", "https://y.org", read=True)
        await records.mark("u", "https://y.org", read=False)
        return await records.reads("u"), await records.reads("other")

    assert run(url, use) == (frozenset({"https://x.org"}), frozenset())


def test_an_older_database_is_brought_up_to_date_once(url, monkeypatch):
    async def steps_taken(database):
        async with database.engine.begin() as connection:
            return await connection.run_sync(schema.migrate)

    with monkeypatch.context() as older:
        older.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
        run(url, lambda database: a_conversation(database))

    async def use(database):  # opening it took the second step
        again = await steps_taken(database)
        kept = len(await database.rows("select 1 from threads"))
        return again, kept, len(await database.rows("select 1 from answers"))

    assert run(url, use) == (0, 1, 0)


def test_a_migration_that_fails_leaves_the_database_as_it_was(url, monkeypatch):
    run(url, lambda database: a_conversation(database))
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, ("create table half (id text)", "nonsense")))
    with pytest.raises(ServerError, match="cannot be opened"):
        run(url, lambda database: database.rows("select 1"))
    monkeypatch.undo()

    async def use(database):
        with pytest.raises(ServerError):
            await database.rows("select 1 from half")
        return len(await database.rows("select 1 from threads"))

    assert run(url, use) == 1


# --- when the database refuses ------------------------------------------------------------------------


def test_what_a_locked_database_refuses_is_saved_when_it_is_free(tmp_path, monkeypatch):
    monkeypatch.setattr("app.database.LOCK_WAIT", 0.1)
    url = address(tmp_path)

    async def use(database):
        memory, _, thread, _question = await a_conversation(database)
        other = sqlite3.connect(tmp_path / "chat" / "memory.db", isolation_level=None)
        other.execute("begin immediate")
        answer = a_step(thread, "assistant_message", "shown while locked")
        await memory.keep_step(answer)
        locked = database.trouble
        await memory.keep_step({**answer, "output": "shown later"})
        other.execute("rollback")
        other.close()
        await asyncio.sleep(1.5)
        kept = await memory.get_thread(thread)
        return locked, database.trouble, [step["output"] for step in kept["steps"]]

    assert run(url, use) == ("database is locked", "", ["How does a ring work?", "shown later"])


def test_what_a_full_disk_refuses_is_saved_when_there_is_room(tmp_path):
    async def use(database):
        memory, _, thread, _question = await a_conversation(database)
        async with database.engine.connect() as connection:
            pages = (await connection.execute(text("pragma page_count"))).scalar_one()
        limited(database, pages)
        answer = a_step(thread, "assistant_message", "x" * 200_000)
        await memory.keep_step(answer)
        full = database.trouble
        limited(database, 1_000_000)
        await asyncio.sleep(1.5)
        kept = await memory.get_thread(thread)
        return full, database.trouble, len(kept["steps"][-1]["output"])

    def limited(database, pages):
        from sqlalchemy import event

        def limit(connection, *_):
            cursor = connection.cursor()
            cursor.execute(f"pragma max_page_count={pages}")
            cursor.close()

        event.listen(database.engine.sync_engine.pool, "checkout", limit)

    assert run(address(tmp_path), use) == ("database or disk is full", "", 200_000)


POISON = [
    ("insert into nowhere values (1)", {}),
    ("insert into reads values (:a, :b, :c)", {"a": "ann", "b": "half \ud800", "c": "now"}),
    ("insert into reads values (:a, :b, :c)", {"a": "ann", "b": None, "c": "now"}),
    ("insert into reads values (:a, :b, :c)", {"a": "ann", "b": object(), "c": "now"}),
    ("insert into reads values (:a)", {}),
]


@pytest.mark.parametrize(("query", "values"), POISON)
def test_a_statement_that_can_never_be_saved_is_told_to_its_author_and_stands_in_nobodys_way(url, query, values):
    async def use(database):
        poison = asyncio.create_task(database.write((query, values)))
        await a_conversation(database)
        with pytest.raises(ServerError, match="could not be saved"):
            await poison
        return database.trouble, database.state, len(await database.rows("select 1 from threads"))

    assert run(url, use) == ("", "", 1)


def test_a_value_that_no_query_can_hold_is_an_error_of_that_query(url):
    async def use(database):
        with pytest.raises(ServerError, match="cannot be read"):
            await database.rows('select 1 from threads where "id" = :id', id="half \ud800")
        return len(await database.rows("select 1 as one"))

    assert run(url, use) == 1


def test_a_token_that_was_revoked_is_on_the_disk_when_that_is_said_and_else_it_is_not_said(tmp_path, monkeypatch):
    monkeypatch.setattr("app.database.LOCK_WAIT", 0.1)

    async def use(database):
        accounts = Accounts(database)
        said = [await accounts.revoke("t1", 2**31)]
        other = sqlite3.connect(tmp_path / "chat" / "memory.db", isolation_level=None)
        on_disk = other.execute("select count(*) from revocations").fetchone()[0]
        other.execute("begin immediate")
        said.append(await accounts.revoke("t2", 2**31))
        refused, dead = database.state, await accounts.is_dead("t2", "ann", 0, local=False)
        other.execute("rollback")
        other.close()
        await asyncio.sleep(1.5)
        kept = len(await database.rows("select 1 from revocations"))
        return said, on_disk, "database is locked" in refused, dead, database.state, kept

    assert run(address(tmp_path), use) == ([True, False], 1, True, True, "", 2)


def test_what_hangs_is_told_as_what_hangs_and_ends_nobodys_wait(tmp_path, monkeypatch):
    monkeypatch.setattr("app.database.SAVED_WITHIN", 0.2)
    monkeypatch.setattr("app.database.STUCK", 0.1)

    async def use(database):
        free, begin = asyncio.Event(), database.engine.begin

        def slow():
            return _after(free, begin)

        monkeypatch.setattr(type(database.engine), "begin", lambda _: slow())
        saved = await database.write(("insert into reads values (:a, :b, :c)", {"a": "ann", "b": "u", "c": "now"}))
        state = database.state
        free.set()
        while database.state:
            await asyncio.sleep(0.01)
        return saved, state, len(await database.rows("select 1 from reads"))

    saved, state, kept = run(address(tmp_path), use)
    assert (saved, kept) == (False, 1)
    assert state == "it is slow"


@asynccontextmanager
async def _after(free, begin):
    await free.wait()
    async with begin() as connection:
        yield connection


def test_a_question_that_is_stopped_while_it_is_saved_is_saved_all_the_same(tmp_path):
    async def use(database):
        writing = asyncio.create_task(
            database.write(("insert into reads values (:a, :b, :c)", {"a": "ann", "b": "u", "c": "now"}))
        )
        await asyncio.sleep(0)
        writing.cancel()
        await database.write(("insert into reads values (:a, :b, :c)", {"a": "bob", "b": "u", "c": "now"}))
        return [row["userId"] for row in await database.rows('select "userId" from reads order by 1')]

    assert run(address(tmp_path), use) == ["ann", "bob"]


@pytest.mark.parametrize(
    "url", ["postgresql+asyncpg://nobody@127.0.0.1:1/none", "nonsense", "mysql://x/y", "sqlite+aiosqlite:////no/where"]
)
def test_a_database_that_cannot_be_opened_says_so(url):
    with pytest.raises(ServerError, match="PREPSHELF_DATABASE"):
        run(url, lambda database: database.rows("select 1"))


@pytest.mark.parametrize(
    ("question", "called"),
    [
        ("How does a ring work?\nAnd why?", "How does a ring work?"),
        ("word " * 40, "word " * 14 + "word…"),
        ("x" * 200, "x" * 79 + "…"),
    ],
)
def test_a_thread_is_called_by_its_first_question(question, called):
    assert title(question) == called


# --- faults, each injected while two people are served --------------------------------------------


def each_connection(database: Database, pragma: str) -> None:
    """Have every connection that is taken from the pool set something first."""
    from sqlalchemy import event

    def set_it(connection, *_: object) -> None:
        cursor = connection.cursor()
        cursor.execute(pragma)
        cursor.close()

    event.listen(database.engine.sync_engine.pool, "checkout", set_it)


@asynccontextmanager
async def locked(database, path, monkeypatch):
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin immediate")
    yield
    other.execute("rollback")
    other.close()


@asynccontextmanager
async def full(database, path, monkeypatch):
    async with database.engine.connect() as connection:
        pages = (await connection.execute(text("pragma page_count"))).scalar_one()
    each_connection(database, f"pragma max_page_count={pages}")
    yield
    each_connection(database, "pragma max_page_count=1000000")


@asynccontextmanager
async def read_only(database, path, monkeypatch):
    each_connection(database, "pragma query_only=1")
    yield
    each_connection(database, "pragma query_only=0")


@asynccontextmanager
async def slow(database, path, monkeypatch):
    begin = database.engine.begin

    @asynccontextmanager
    async def slowly(_engine):
        await asyncio.sleep(0.4)
        async with begin() as connection:
            yield connection

    with monkeypatch.context() as patch:
        patch.setattr(type(database.engine), "begin", slowly)
        yield
        while database.state:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("fault", [locked, full, read_only, slow])
def test_a_fault_of_the_database_loses_nothing_that_was_shown_and_the_next_user_is_served(tmp_path, monkeypatch, fault):
    monkeypatch.setattr("app.database.LOCK_WAIT", 0.1)
    monkeypatch.setattr("app.database.SAVED_WITHIN", 0.2)
    monkeypatch.setattr("app.database.AGAIN", 0.1)

    async def use(database):
        memory, _, ann, _ = await a_conversation(database)
        _, _, bob, _ = await a_conversation(database, "bob")
        shown = {thread: a_step(thread, "assistant_message", "shown " * 20_000) for thread in (ann, bob)}
        async with fault(database, tmp_path / "chat" / "memory.db", monkeypatch):
            for step in shown.values():
                await memory.keep_step(step)
            told = database.state
            await memory.keep_step({**shown[ann], "output": "shown later"})
            read = [len((await memory.get_thread(thread))["steps"]) for thread in (ann, bob)]
        async with asyncio.timeout(20):
            while database.state:
                await asyncio.sleep(0.05)
        await memory.keep_step(a_step(bob, said="asked next"))
        kept = {
            thread: [step["output"] for step in (await memory.get_thread(thread))["steps"]] for thread in (ann, bob)
        }
        return bool(told), min(read) >= 1, kept[ann][-1], len(kept[bob][1]), kept[bob][-1]

    assert run(address(tmp_path), use) == (True, True, "shown later", 120_000, "asked next")
