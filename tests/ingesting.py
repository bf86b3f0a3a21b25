"""Runs of the ingestion against sites on loopback, for the tests that look at what becomes of links."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from loopback import Site

from ingest import job, ledger, parsing
from ingest.document import Document, read
from ingest.folder import Folder
from ingest.job import Outcome, Request
from ingest.ledger import Row

SUBJECTS = "ring tree shard quorum cache queue lease gossip vector batch".split()


def article(title: str, seed: int = 0, more: str = "") -> str:
    """Return a page with a text of its own, some 150 words, in a site's frame."""
    subject = SUBJECTS[seed % len(SUBJECTS)]
    said = " ".join(
        f"Machine {seed}-{n} holds a {subject} of {seed * 31 + n * 7} entries, and passes part {n} of run {seed} on to"
        f" its neighbour once {n + seed} others have confirmed it."
        for n in range(6)
    )
    return (
        f"<!doctype html><html lang=en><head><title>{title} | A site</title></head><body><nav><a href='/'>Home</a></nav>"
        f"<main><article><h1>{title}</h1><p>{said}</p>{more}</article></main><footer>Copyright 2026</footer></body></html>"
    )


def a_list(folder: Path, links: Sequence[str], name: str = "list.md") -> Path:
    """Write a list of links, each "[Title](address)" or a bare address."""
    path = folder / name
    lines = [link if link.startswith("[") else f"[Link {n}]({link})" for n, link in enumerate(links)]
    path.write_text("# Links\n\n## Topic\n\n" + "\n".join(f"- {line}" for line in lines) + "\n", encoding="utf-8")
    return path


class Inline:
    """Parses at once, in this process: what a child does, without the seconds that its start takes."""

    def __init__(self, workers: int, done: Callable[[parsing.Parsed], None]) -> None:
        self._done = done

    def submit(self, job: parsing.Job) -> None:
        try:
            self._done(parsing.parse(job))
        except Exception as error:
            raise AssertionError(f"{job.url}: the parser failed") from error

    def __enter__(self) -> Inline:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def ingest(
    folder: Path,
    *lists: Path,
    site: Site | None = None,
    door: dict[str, object] | None = None,
    children: bool = False,
    **asked: object,
) -> Outcome:
    """Ingest lists into a folder, through a site on loopback where there is one, else offline."""
    request = replace(Request(lists=lists, offline=site is None), **asked)
    home = Folder(folder)
    inline = nullcontext() if children else patch.object(job, "Parsers", Inline)
    with home.alone(), inline:
        return job.ingest(request, home, (lambda: site.door(**(door or {}))) if site else None, workers=1)


def rows(folder: Path) -> dict[str, Row]:
    """Return the rows of all links and pages that are no notes."""
    with ledger.open_ledger(Folder(folder).ledger) as book:
        return {entry.row.url: entry.row for entry in book.entries() if entry.kind != "note"}


def text_of(folder: Path, url: str) -> Document:
    """Return the document of an address."""
    return read(Folder(folder).documents / rows(folder)[url].document)
