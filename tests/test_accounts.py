"""Who may log in, and which tokens are dead."""

from __future__ import annotations

import asyncio
import time

import pytest

from app import ServerError
from app.accounts import Accounts, Pace
from app.database import Database, address
from app.logins import may_enter

PASSWORD = "correct horse battery"


def with_accounts(tmp_path, use):
    async def run():
        database = Database(address(tmp_path))
        await database.open()
        try:
            return await use(Accounts(database), database)
        finally:
            await database.close()

    return asyncio.run(run())


def test_a_password_opens_its_own_account_only_and_is_kept_as_argon2id(tmp_path):
    async def use(accounts, database):
        await accounts.add("Ann", PASSWORD)
        await accounts.add("bob", PASSWORD + "!")
        kept = await database.rows('select "password" from accounts')
        checks = [
            ("ann", PASSWORD),
            ("ANN ", PASSWORD),
            ("ann", PASSWORD + "!"),
            ("nobody", PASSWORD),
            ("ann", "x" * 2000),
        ]
        return [await accounts.check(*check) for check in checks], [row["password"] for row in kept]

    found, kept = with_accounts(tmp_path, use)
    assert found == ["ann", "ann", None, None, None]
    assert all(hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$") for hashed in kept)


@pytest.mark.parametrize(
    ("name", "password"), [("a b", PASSWORD), ("", PASSWORD), ("ann", "short"), ("ann", "x" * 1025)]
)
def test_bad_names_and_passwords_are_refused_with_the_cure(tmp_path, name, password):
    with pytest.raises(ServerError, match=r"at most 64|at least 12"):
        with_accounts(tmp_path, lambda accounts, _: accounts.add(name, password))


def test_an_unknown_name_takes_as_long_as_a_wrong_password(tmp_path):
    async def use(accounts, _):
        await accounts.add("ann", PASSWORD)
        took = {}
        for name in ("ann", "nobody"):
            begun = time.perf_counter()
            for _ in range(3):
                await accounts.check(name, "wrong " + PASSWORD)
            took[name] = time.perf_counter() - begun
        return took

    took = with_accounts(tmp_path, use)
    assert 0.4 < took["ann"] / took["nobody"] < 2.5


def test_tokens_die_by_logout_by_a_new_password_and_with_their_account(tmp_path, monkeypatch):
    monkeypatch.setattr("app.accounts.FRESH", 0)

    async def use(accounts, database):
        await accounts.add("ann", PASSWORD)
        issued = int(time.time())
        dead = [await accounts.is_dead("t1", "ann", issued, local=True)]
        await accounts.revoke("t1", issued + 100)
        dead.append(await accounts.is_dead("t1", "ann", issued, local=True))
        other = Accounts(database)  # another server over the same database, or this one after a restart
        dead.append(await other.is_dead("t1", "ann", issued, local=True))
        dead.append(await accounts.is_dead("t2", "ann", issued - 10, local=True))  # older than the password
        dead.append(await accounts.is_dead("t3", "github:ann", issued - 10, local=False))
        await accounts.remove("ann")
        dead.append(await accounts.is_dead("t4", "ann", issued, local=True))
        return dead

    assert with_accounts(tmp_path, use) == [False, True, True, True, False, True]


def test_a_pace_forgets_the_keys_used_longest_ago():
    pace = Pace(1, most_keys=2)
    assert [pace.allows(key, now=0) for key in ("a", "b", "a", "c", "b", "a")] == [True, True, False, True, True, True]


@pytest.mark.parametrize(
    ("name", "mail", "allowed", "enters"),
    [
        ("github:al", "al@example.org", ("@example.org",), True),
        ("github:al", "AL@Example.ORG", ("al@example.org",), True),
        ("github:al", "", ("github:AL",), True),
        ("google:al", "", ("github:al",), False),
        ("github:al", "al@example.org.evil.net", ("@example.org",), False),
        ("github:al", "al@evil@example.net", ("@example.org",), False),
        ("github:al", "", ("",), False),
        ("github:al", "al@example.org", (), False),
    ],
)
def test_only_who_is_on_the_list_enters_by_oauth(name, mail, allowed, enters):
    assert may_enter(name, mail, allowed) is enters
