"""Bench: what the public benchmarks share: texts become a shelf of their own, and what is embedded once stays."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index import build, split
from index.encoder import Encoder
from index.passage import Passage, Source
from index.reader.narrow import Reader
from index.store import Shelf
from ingest import Track, silently
from ingest.document import Block, Document


@dataclass(frozen=True, slots=True)
class Bench:
    """What a benchmark is run with."""

    encoder: Encoder
    folder: Path  # keeps vectors between runs, by encoder and text
    track: Track = silently
    reader: Reader | None = None  # reads what was found


def shelf_of(texts: Mapping[str, str], bench: Bench, name: str, *, whole: bool = False) -> Shelf:
    """Return a shelf of texts by address, cut into passages as documents are, or each of them one passage."""
    documents, passages = [], []
    for url, text in texts.items():
        document = document_of(url, text)
        documents.append((document, Source(url, "", url, "", "", "", "text", document.sha256, "", "")))
        passages += [_one_passage(document)] if whole else split.split(document, bench.encoder.count)
    contexts = [""] * len(passages)
    return build.shelf_of(documents, passages, contexts, bench.encoder, bench.folder / name, track=bench.track)


def document_of(url: str, text: str) -> Document:
    """Return a document with exactly this text, its paragraphs its blocks."""
    paragraphs = re.finditer(r"\S(?:.*?\S)??(?=\s*\n\s*\n|\s*\Z)", text, re.DOTALL)
    blocks = tuple(Block(found.start(), found.end(), "text", (), "") for found in paragraphs)
    return Document(url, "", url, "text", "en", text, blocks or (Block(0, len(text), "text", (), ""),), "")


def _one_passage(document: Document) -> Passage:
    text = document.text
    return Passage(document.url, document.url, 0, len(text), text, (), (), "text", tuple(split.sentence_bounds(text)))


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a file that has one a line."""
    with path.open(encoding="utf-8") as stream:
        yield from (json.loads(line) for line in stream if line.strip())
