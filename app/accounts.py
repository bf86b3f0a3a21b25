"""Accounts: who may log in, with argon2id, and which tokens are dead before their time."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections import deque
from dataclasses import dataclass, field

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app import ServerError
from app.database import Database
from ingest.characters import whole

SHORTEST_PASSWORD = 12  # characters, after NIST SP 800-63B for a password that stands alone
LONGEST_PASSWORD = 1024  # bytes; argon2 would hash any amount
FRESH = 5  # seconds that what is known of dead tokens may be old, where several servers share a database
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
_HASHER = PasswordHasher()  # the library's defaults are RFC 9106's second choice: 64 MiB, 3 passes, 4 lanes
_NOBODY = _HASHER.hash("nobody has this password")


class Accounts:
    """Names and passwords, and the tokens that were given for them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._dead: set[str] = set()
        self._valid_from: dict[str, int] = {}
        self._known_at = float("-inf")

    async def add(self, name: str, password: str) -> None:
        """Enter an account, or change its password; tokens given before are dead then.

        Raises ServerError where the name or the password will not do.
        """
        name = name.strip().lower()
        if not _NAME.fullmatch(name):
            raise ServerError(f"{name!r} is no account name; use letters, digits and . _ @ + -, at most 64.")
        if whole(password) != password:
            raise ServerError("the password is no text in UTF-8; take letters that your keyboard has.")
        if len(password) < SHORTEST_PASSWORD or len(password.encode()) > LONGEST_PASSWORD:
            raise ServerError(f"a password has at least {SHORTEST_PASSWORD} characters; take some words.")
        hashed = await asyncio.to_thread(_HASHER.hash, password)
        saved = await self._database.write(
            (
                """insert into accounts ("name", "password", "validFrom") values (:name, :password, :now)
                on conflict ("name") do update
                set "password" = excluded."password", "validFrom" = excluded."validFrom"
                """,
                {"name": name, "password": hashed, "now": int(time.time())},
            )
        )
        if not saved:
            raise ServerError(f"the account cannot be saved ({self._database.trouble}).")
        self._known_at = float("-inf")

    async def remove(self, name: str) -> None:
        """Remove an account with all that was kept for it, so that the next of that name does not find it.

        Raises ServerError where there is none.
        """
        name = name.strip().lower()
        if name not in await self.names():
            raise ServerError(f"there is no account {name!r}; `prep users list` names them.")
        found = await self._database.rows('select "id" from users where "identifier" = :name', name=name)
        where = {"user": found[0]["id"] if found else ""}
        threads = 'select "id" from threads where "userId" = :user'
        steps = f'select "id" from steps where "threadId" in ({threads})'
        await self._database.write(
            (f'delete from feedbacks where "forId" in ({steps})', where),
            (f'delete from steps where "threadId" in ({threads})', where),
            *((f'delete from {table} where "userId" = :user', where) for table in ("answers", "reads", "threads")),
            ('delete from users where "id" = :user', where),
            ('delete from accounts where "name" = :name', {"name": name}),
        )
        self._known_at = float("-inf")

    async def names(self) -> list[str]:
        """Return the names of all accounts, in order."""
        return [row["name"] for row in await self._database.rows('select "name" from accounts order by "name"')]

    async def check(self, name: str, password: str) -> str | None:
        """Return the account's name where the password is right; it takes as long where there is no such account."""
        name, password = whole(name).strip().lower(), whole(password)
        found = await self._database.rows('select "password" from accounts where "name" = :name', name=name)
        hashed = found[0]["password"] if found else _NOBODY
        right = len(password.encode()) <= LONGEST_PASSWORD and await asyncio.to_thread(_verify, hashed, password)
        return name if right and found else None

    # --- tokens -----------------------------------------------------------------------------------

    async def revoke(self, token: str, expires: int) -> bool:
        """Make a token dead before it expires (seconds since 1970), and return whether that outlives a restart yet."""
        digest = _digest(token)
        self._dead.add(digest)
        return await self._database.write(
            ('delete from revocations where "expires" < :now', {"now": int(time.time())}),
            (
                'insert into revocations ("token", "expires") values (:token, :expires) on conflict do nothing',
                {"token": digest, "expires": expires},
            ),
        )

    async def is_dead(self, token: str, name: str, issued: int, *, local: bool) -> bool:
        """Return whether a token was revoked, or, of a `local` account, is older than its password or its removal."""
        await self._refresh()
        if _digest(token) in self._dead:
            return True
        return local and issued < self._valid_from.get(name, 2**62)

    async def _refresh(self) -> None:
        if time.monotonic() - self._known_at < FRESH:
            return
        dead = await self._database.rows('select "token" from revocations')
        self._dead |= {row["token"] for row in dead}
        accounts = await self._database.rows('select "name", "validFrom" from accounts')
        self._valid_from = {row["name"]: int(row["validFrom"]) for row in accounts}
        self._known_at = time.monotonic()


def _verify(hashed: str, password: str) -> bool:
    try:
        return _HASHER.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass
class Pace:
    """So many events a minute and key; the oldest keys are forgotten where there are too many.

    >>> pace = Pace(2)
    >>> [pace.allows("a", now=second) for second in (0, 1, 2, 61)]
    [True, True, False, True]
    """

    per_minute: int
    most_keys: int = 10_000
    _seen: dict[str, deque[float]] = field(default_factory=dict)

    def allows(self, key: str, *, now: float | None = None) -> bool:
        """Count an event, and return whether it is within the limit."""
        moment = time.monotonic() if now is None else now
        times = self._seen.pop(key, deque())
        while times and moment - times[0] >= 60:
            times.popleft()
        allowed = len(times) < self.per_minute
        if allowed:
            times.append(moment)
        self._seen[key] = times  # at the end: the key used last
        if len(self._seen) > self.most_keys:
            del self._seen[next(iter(self._seen))]
        return allowed
