"""Rows: one JSON line for each case and system, written as they are made; every average is folded from them."""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any

from eval import EvalError

OURS = "ours"


@dataclass(frozen=True, slots=True)
class Row:
    """What one system did with one case."""

    id: str
    suite: str
    system: str = OURS
    split: str = ""
    half: str = ""  # "starter": the project's own notes are all it needs; "pages": it names recorded pages
    style: str = ""  # "named": it uses the page's terms; "paraphrase": other words
    kind: str = ""
    topic: str = ""
    question: str = ""
    case: str = ""  # digest of the case: another one asks, or expects, something else
    scores: dict[str, float] = field(default_factory=dict)  # what averages are made of; most lie between 0 and 1
    detail: dict[str, Any] = field(default_factory=dict)  # what was found and said, for people
    timings: dict[str, float] = field(default_factory=dict)  # milliseconds a stage
    skipped: str = ""  # why it was not run; it counts in no average

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what it is a row of: suite, case and system."""
        return self.suite, self.id, self.system


@dataclass(frozen=True, slots=True)
class About:
    """What a run measured, and with what: runs that are equal in `fingerprint` measured the same."""

    name: str  # of its folder
    started_at: str
    shelf: dict[str, Any]  # see eval.corpus
    cases: dict[str, str]  # digest of the cases of each suite
    settings: dict[str, Any]
    finished: bool = False

    @property
    def fingerprint(self) -> str:
        """Return all that decides about the rows."""
        return json.dumps([self.shelf, self.cases, self.settings], sort_keys=True)


class Run:
    """The rows of one run in their folder."""

    def __init__(self, folder: Path, about: About) -> None:
        self.folder = folder
        self.about = about
        self.rows = list(read_rows(folder / "rows.jsonl"))

    def done(self, suite: str, system: str = OURS) -> set[str]:
        """Return the ids of the cases that a system has a row for."""
        return {row.id for row in self.rows if (row.suite, row.system) == (suite, system)}

    def add(self, row: Row) -> None:
        """Keep a row; it is in the file when the call returns."""
        line = json.dumps({key: value for key, value in asdict(row).items() if value != ""}, ensure_ascii=False)
        with (self.folder / "rows.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(f"{line}\n")
        self.rows.append(row)

    def finish(self) -> None:
        """Mark the run as whole."""
        self.about = replace(self.about, finished=True)
        _write(self.folder / "run.json", asdict(self.about))


def begin(runs: Path, about: About) -> Run:
    """Return the newest unfinished run that measured the same, to be continued, or else a new one."""
    for folder in reversed(folders(runs)):
        known = _about(folder)
        if known and not known.finished and known.fingerprint == about.fingerprint:
            _mend(folder / "rows.jsonl")
            return Run(folder, known)
    folder = runs / about.name
    folder.mkdir(parents=True)
    _write(folder / "run.json", asdict(about))
    return Run(folder, about)


def new_name() -> str:
    """Return a name for a run: sorted by name, runs are sorted by time."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{uuid.uuid4().hex[:4]}"


def folders(runs: Path) -> list[Path]:
    """Return the folders of all runs, oldest first."""
    return sorted(path.parent for path in runs.glob("*/run.json"))


def open_run(runs: Path, name: str = "") -> Run:
    """Return a run by its name, or a part of it; the newest finished one where none is named.

    Raises EvalError where there is no such run.
    """
    there = folders(runs)
    named = [folder for folder in there if name in folder.name] if name else there
    for folder in reversed(named):
        about = _about(folder)
        if about and (name or about.finished):
            return Run(folder, about)
    listed = ", ".join(folder.name for folder in there[-5:]) or "none yet; `prep eval` makes one"
    raise EvalError(f"{runs} holds no run {name!r}; there are: {listed}.")


def previous(runs: Path, run: Run) -> Run | None:
    """Return the finished run before another, None where it was the first."""
    for folder in reversed(folders(runs)):
        about = _about(folder)
        if folder.name < run.folder.name and about and about.finished:
            return Run(folder, about)
    return None


def read_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a file; a line that a kill cut off is left out."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            if line.endswith("\n"):
                yield Row(**json.loads(line))


def _mend(path: Path) -> None:
    """Cut off a last line that a kill left without its end, so that rows can be added."""
    if path.exists():
        whole = path.read_bytes()
        path.write_bytes(whole[: whole.rfind(b"\n") + 1])


def _about(folder: Path) -> About | None:
    try:
        return About(**json.loads((folder / "run.json").read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _write(path: Path, value: object) -> None:
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(value, indent=1, ensure_ascii=False), encoding="utf-8")
    os.replace(part, path)  # noqa: PTH105  # atomic, also where the target exists


# --- averages -------------------------------------------------------------------------------------


def chosen(rows: Iterable[Row], **wanted: str) -> list[Row]:
    """Return the rows that were run and have these values.

    >>> [row.id for row in chosen([Row("a", "answers"), Row("b", "reading")], suite="reading")]
    ['b']
    """
    return [row for row in rows if not row.skipped and all(getattr(row, key) == value for key, value in wanted.items())]


def values(rows: Iterable[Row], metric: str) -> dict[str, float]:
    """Return a metric of each case that has it, by id."""
    return {row.id: row.scores[metric] for row in rows if metric in row.scores}


def average(rows: Iterable[Row], metric: str) -> float | None:
    """Return the mean of a metric over the rows that have it, None where none has."""
    held = list(values(rows, metric).values())
    return fmean(held) if held else None


def grouped(rows: Sequence[Row], key: Callable[[Row], str]) -> dict[str, list[Row]]:
    """Return rows by a property of theirs, in the order of its names."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return dict(sorted(groups.items(), key=lambda pair: re.sub(r"\W", "", pair[0]).lower()))
