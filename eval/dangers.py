"""Dangers: what ingestion meets, tried as it would be: addresses that must not be dialled, files that break parsers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from eval import EvalError
from eval.rows import Row, Run
from ingest import Track, silently
from ingest.fetch import Door
from ingest.manners import Manners
from ingest.message import Ask, FetchError, RefusedError, Response
from ingest.parsing import TIMEOUT, Job, Parsed, Parsers

SUITE = "robustness"
FILES = {".pdf", ".fuzz"}
GRACE = 15.0  # seconds besides the parser's own limit: starting its process, and a machine that has more to do


@dataclass(frozen=True, slots=True)
class File:
    """A file that is hostile, damaged or both."""

    id: str
    content: bytes


def files(folder: Path) -> list[File]:
    """Return the PDFs of a collection."""
    found = sorted(path for path in (folder / "pdf_hostile").rglob("*") if path.suffix in FILES)
    return [File(f"file {path.parent.name}/{path.name}", path.read_bytes()) for path in found]


def addresses(folder: Path) -> list[str]:
    """Return addresses that no door may open to. Raises EvalError where their file is not what it should be."""
    path = folder / "ssrf_urls.json"
    try:
        return [str(row["url"]) for row in json.loads(path.read_bytes())] if path.exists() else []
    except (ValueError, KeyError, TypeError) as error:
        raise EvalError(f"{path} does not list addresses ({error}).") from error


def run(folder: Path, run: Run, *, track: Track = silently) -> None:
    """Add a row to a run for each address and file of a collection that it has none of."""
    done = run.done(SUITE)
    left = [url for url in addresses(folder) if f"address {url}" not in done]
    for url in track(left, "Trying addresses", len(left)):
        run.add(_row(f"address {url}", "addresses", reached(url)))
    broken = [file for file in files(folder) if file.id not in done]
    for name, why in track(parsed(broken), "Parsing hostile files", len(broken)):
        run.add(_row(name, "files", why))


def reached(url: str) -> str:
    """Return how far a request got that should be refused, "" where it was. Every name leads to this machine."""
    with Door(contact="", manners=Manners(gap=0.0, tries=1, total=5.0), resolve=lambda *_: ["127.0.0.1"]) as door:
        try:
            door.get(Ask(url))
        except RefusedError:
            return ""
        except FetchError as error:
            return f"not refused: {error}"
        except Exception as error:  # any other error is what this suite looks for
            return f"{type(error).__name__}: {error}"
    return "fetched"


def parsed(broken: Sequence[File]) -> Iterator[tuple[str, str]]:
    """Yield each file's id and what went wrong, "" where it became a document or a verdict within its time."""
    ended: SimpleQueue[Parsed] = SimpleQueue()
    with Parsers(1, ended.put) as parsers:
        for file in broken:
            url = f"https://page.invalid/{file.id.partition(' ')[2]}"
            page = Response(url, 200, "application/pdf", file.content, "")
            begun = time.monotonic()
            parsers.submit(Job((page,), url, url, url))
            told = ended.get()
            late = time.monotonic() - begun > TIMEOUT + GRACE
            yield file.id, "took too long" if late else "" if told.document or told.verdict else "no word of it"


def _row(name: str, kind: str, why: str) -> Row:
    return Row(
        id=name,
        suite=SUITE,
        half="starter",
        kind=kind,
        question=name,
        scores={"held": float(not why)},
        detail={"why": why},
    )
