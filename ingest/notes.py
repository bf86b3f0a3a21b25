"""Notes: the project's own study notes, the part of every shelf that needs no network."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ingest import document, webpage
from ingest.catalogue import STARTER, Resource
from ingest.document import Document, assemble
from ingest.folder import Folder
from ingest.forms import front, markdown
from ingest.ledger import Ledger
from ingest.pieces import mark_link_sections, without_title
from ingest.row import Row
from ingest.status import Status

PLACE = "ingest/starter/"


def enter(ledger: Ledger, folder: Folder) -> None:
    """Write the notes that changed as documents, and enter them in the ledger; forget those that are gone."""
    paths = sorted(STARTER.glob("*.md"))
    here = {f"{PLACE}{path.name}" for path in paths}
    for resource in ledger.resources():
        if resource.url.startswith(PLACE) and resource.url not in here:
            for row in ledger.drop_resource(resource.url):
                document.remove(folder.documents / row.document)
    for path in paths:
        url = f"{PLACE}{path.name}"
        source = path.read_text(encoding="utf-8")
        digest = hashlib.sha256(source.encode()).hexdigest()
        known = ledger.row(url)
        if known and known.sha256 == digest and (folder.documents / known.document).exists():
            continue
        said = front.settings(source)
        note = read(path, url)
        ledger.add_resources([Resource(url, note.title, (said.get("topic", ""),), f"stage: {said.get('stage', '')}")])
        written = document.write(note, folder.documents).relative_to(folder.documents)
        reason = "a note of this project"
        row = Row(url, url, note.title, Status.TEXT, reason, words=note.words, document=str(written), sha256=digest)
        ledger.record(row)


def read(path: Path, url: str) -> Document:
    """Return a study note as a document."""
    pieces, shown = webpage.whole(markdown.to_html(path.read_text(encoding="utf-8")))
    title = next(piece.text for piece in pieces if piece.kind == "heading")
    text, blocks = assemble(without_title(mark_link_sections(pieces), title))
    return Document(url, title, url, "note", "en", text, blocks, shown)
