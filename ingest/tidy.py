"""Tidy: what is done once all pages are settled: one document a text, and no file that no row names."""

from __future__ import annotations

from dataclasses import replace

from ingest import IngestError, document
from ingest.duplicates import SAME, same_texts, share_of
from ingest.folder import Folder
from ingest.ledger import Ledger
from ingest.row import Row
from ingest.status import READ, Status

FEW = 60  # numbers of a sketch, of some 500 words


def point_duplicates(ledger: Ledger, folder: Folder) -> None:
    """Keep one of the documents that hold the same text, and point the others at it."""
    curated = {resource.url for resource in ledger.resources()}
    rows = [row for row in ledger.rows() if row.status in READ or row.status is Status.DUPLICATE]
    # The one to keep comes first: a curated page before a stray one, a web page before its PDF, the longer text.
    rows.sort(key=lambda row: (row.resource not in curated, ".pdf" in row.url or bool(row.paper), -row.words, row.url))
    kept_sketches, by_url = ledger.sketches(), {row.url: row for row in rows}
    sketches = {row.url: kept_sketches[row.url] for row in rows if row.url in kept_sketches}
    holders: dict[str, str] = {}
    for holder, held in same_texts(sketches):
        short = min(len(sketches[holder]), len(sketches[held])) < FEW
        if (
            holder not in holders
            and held not in holders
            and (not short or _holds(by_url[holder], by_url[held], folder))
        ):
            holders[held] = holder
    for url, row in by_url.items():
        holder = holders.get(url, "")
        if holder and (row.status is not Status.DUPLICATE or row.holder != holder):
            reason = f"the same text as {holder}"
            ledger.record(replace(row, status=Status.DUPLICATE, reason=reason, document="", holder=holder))
            _remove(row, folder)
        elif not holder and row.status is Status.DUPLICATE:
            reason = f"{row.holder} no longer holds its text"
            again = "run `prep ingest` again"
            ledger.record(
                replace(row, status=Status.PENDING, reason=reason, fix=again, holder="", sha256=""), copies=[]
            )


def _holds(holder: Row, held: Row, folder: Folder) -> bool:
    """Return whether most of a text stands in another one, going by the texts: sketches of short ones tell little."""
    if not (holder.document and held.document):
        return True  # it was looked at when one of them was pointed at the other
    try:
        whole, part = (document.read(folder.documents / row.document).text for row in (holder, held))
    except IngestError:
        return False
    return share_of(part, whole) >= SAME


def sweep(ledger: Ledger, folder: Folder) -> None:
    """Remove documents that no row names: what a killed run left, or a resource that was taken out of its list."""
    named = {row.document for row in ledger.rows()}
    for path in folder.documents.rglob("*.md"):
        if str(path.relative_to(folder.documents)) not in named and path.with_suffix(".json").exists():
            document.remove(path)
    for path in folder.documents.rglob("*.json"):
        if not path.with_suffix(".md").exists():
            path.unlink(missing_ok=True)  # the first of two files, the other of which was never written
    for left in folder.documents.rglob(".*"):
        if left.is_file():
            left.unlink(missing_ok=True)  # a file that was being written


def _remove(row: Row, folder: Folder) -> None:
    if row.document:
        document.remove(folder.documents / row.document)
