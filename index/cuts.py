"""Cuts: how documents were cut into passages, kept across builds: a new list does not have all others cut again."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import suppress
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Self

from index import split
from index.passage import Passage
from index.split import CountPieces
from ingest.document import Document


class Cuts:
    """Cuts documents, each once; use it as a context manager, which forgets what was not asked for."""

    def __init__(self, path: Path, encoder: str, count: CountPieces) -> None:
        """`encoder` is the name of the one whose word pieces `count` counts."""
        self._path, self._encoder, self._count = path, encoder, count
        self._asked: dict[str, str] = {}  # key: passages, where they are new

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._db: sqlite3.Connection | None = None
        self._kept: dict[str, str] = {}
        with suppress(sqlite3.Error):  # damaged, or no room: what is not kept is cut again
            self._db = sqlite3.connect(self._path)
            self._db.execute("create table if not exists cut (key text primary key, passages text) strict")
            self._kept = dict(self._db.execute("select key, passages from cut"))
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._db is None:
            return
        with suppress(sqlite3.Error), self._db:
            gone = [(key,) for key in self._kept if key not in self._asked] if kind is None else []
            self._db.executemany("delete from cut where key = ?", gone)
            new = [(key, passages) for key, passages in self._asked.items() if passages]
            self._db.executemany("insert or replace into cut values (?,?)", new)
        self._db.close()

    def split(self, document: Document) -> list[Passage]:
        """Return the passages of a document, as `index.split.split` does."""
        key = _key(document, self._encoder)
        with suppress(ValueError, TypeError, KeyError):
            if key in self._kept:
                passages = [_passage(each, document) for each in json.loads(self._kept[key])]
                self._asked[key] = ""
                return passages
        passages = split.split(document, self._count)
        self._asked[key] = json.dumps([_record(passage) for passage in passages], ensure_ascii=False)
        return passages


def _key(document: Document, encoder: str) -> str:
    shape = [(block.start, block.end, block.kind, block.heading, block.place) for block in document.blocks]
    made_by = json.dumps([split.VERSION, encoder, document.url, document.sha256, shape])
    return hashlib.sha256(made_by.encode("utf-8", "replace")).hexdigest()


def _record(passage: Passage) -> dict[str, Any]:
    """Return what of a passage cannot be told from its document."""
    return {name: value for name, value in asdict(passage).items() if name not in {"text", "document"}}


def _passage(record: dict[str, Any], document: Document) -> Passage:
    known = {"text": document.text[record["start"] : record["end"]], "document": document.url}
    given = {name: _tuples(value) for name, value in record.items()}
    return Passage(**{field.name: (given | known)[field.name] for field in fields(Passage)})


def _tuples(value: Any) -> Any:  # noqa: ANN401  # JSON
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
