"""Cache: vectors by what they were made of, kept across builds and kills."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from index import ShelfError
from index.encoder import Encoded, Vectors


class DamagedError(ShelfError):
    """The cache of vectors is damaged."""


class Cache:
    """Vectors by what they were made of, kept across builds and kills."""

    def __init__(self, path: Path, dimension: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._dimension = dimension
        self._db = sqlite3.connect(path)

    def __enter__(self) -> Cache:
        self._db.execute("pragma journal_mode=wal")
        self._db.execute(
            "create table if not exists encoded (key blob primary key, whole blob, parts blob, tokens blob) strict"
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def missing(self, keys: Sequence[bytes]) -> list[int]:
        """Return the places of the keys that are not kept, of equal ones the first."""
        known = {key for (key,) in self._db.execute("select key from encoded")}
        first: dict[bytes, int] = {}
        for n, key in enumerate(keys):
            if key not in known:
                first.setdefault(key, n)
        return list(first.values())

    def keep(self, made: Mapping[bytes, Encoded]) -> None:
        """Keep vectors; they are on disk when the call returns."""
        rows = (
            (key, one.whole.tobytes(), one.parts.astype(np.float16).tobytes(), one.tokens.tobytes())
            for key, one in made.items()
        )
        with self._db:
            self._db.executemany("insert or replace into encoded values (?,?,?,?)", rows)

    def get(self, keys: Sequence[bytes]) -> tuple[Vectors, npt.NDArray[np.float16], npt.NDArray[np.int64]]:
        """Return the vectors of the keys, all those of their parts in order, and the bytes of their token vectors."""
        found = [
            self._db.execute("select whole, parts, length(tokens) from encoded where key = ?", (key,)).fetchone()
            for key in keys
        ]
        if None in found:
            raise sqlite3.DatabaseError("a row is lost")
        whole = np.frombuffer(b"".join(row[0] for row in found), dtype=np.float32).reshape(-1, self._dimension)
        parts = np.frombuffer(b"".join(row[1] for row in found), dtype=np.float16).reshape(-1, self._dimension)
        return whole, parts, np.asarray([row[2] for row in found], dtype=np.int64)

    def tokens(self, keys: Sequence[bytes]) -> Iterator[bytes]:
        """Yield the token vectors of the keys."""
        for key in keys:
            yield self._db.execute("select tokens from encoded where key = ?", (key,)).fetchone()[0]


@contextmanager
def opened(path: Path, dimension: int) -> Iterator[Cache]:
    """Open the cache; raises ShelfError where it cannot be written, DamagedError where it is damaged."""
    try:
        with Cache(path, dimension) as kept:
            yield kept
    except sqlite3.OperationalError as error:
        raise ShelfError(f"{path}: {error}. Make room on the disk and run `prep index` again.") from error
    except sqlite3.Error as error:
        raise DamagedError(f"{path}: {error}. Remove it, and all passages are embedded anew.") from error
