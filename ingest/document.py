"""Document: clean text with its provenance, and a map from any character back to its place."""

from __future__ import annotations

import bisect
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from ingest import IngestError

Kind = Literal["heading", "text", "item", "code", "table", "reference"]
"""What a block is. A `reference` (bibliography, link list, navigation) is kept but never quoted."""


NOTHING_SHOWN = "\n"
"""What stands for the text of a page that shows none of a document: the store's page of a book that was saved."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What an extractor found next on the page, before it has offsets."""

    kind: Kind
    text: str
    level: int = 0  # of a heading (1 to 6), or the depth of a list item (0 is the outermost)
    place: str = ""  # see Block.place


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a document's text that is one thing: a paragraph, an item, a listing, a table."""

    start: int  # characters into the document's text
    end: int
    kind: Kind
    heading: tuple[str, ...]  # the headings above it, outermost first
    place: str  # a URL fragment without its mark: "page=3", "L120", "t=95", an element's id, or ""


@dataclass(frozen=True)
class Document:
    """The clean text got for a resource, or for one page under it."""

    url: str  # the public address, the one a citation links to
    title: str
    resource: str  # the catalogue address it belongs to (its own where it is a stray page)
    form: str  # "html", "markdown", "rst", "pdf", "text", "transcript" or "note"
    language: str  # ISO 639-1
    text: str
    blocks: tuple[Block, ...]
    page_text: str  # all that a browser shows on the page, a line a block; "" where it shows `text`
    fetched_at: str = ""  # ISO 8601, when the bytes were fetched
    published: str = ""  # ISO date, where the page says it
    flags: tuple[str, ...] = ()  # what a reader should know, "instructions" (text that addresses a model), say
    authors: tuple[str, ...] = ()

    @cached_property
    def sha256(self) -> str:
        """Return the hash of the text, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def words(self) -> int:
        """Return how many words the text has; in scripts without spaces, two characters are one word."""
        wide = len(re.findall(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]", self.text))
        return len(re.findall(r"[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+", self.text)) + wide // 2

    def block_at(self, offset: int) -> Block:
        """Return the block that holds a character, or the last one that begins before it."""
        starts = [block.start for block in self.blocks]
        return self.blocks[max(0, bisect.bisect_right(starts, offset) - 1)]


def assemble(pieces: Iterable[Piece]) -> tuple[str, tuple[Block, ...]]:
    r"""Return the text that pieces make together, readable as Markdown, and its blocks.

    >>> text, blocks = assemble([Piece("heading", "Ring", level=2), Piece("text", "N workers.")])
    >>> text
    '## Ring\n\nN workers.'
    >>> blocks[1].heading, text[blocks[1].start : blocks[1].end]
    (('Ring',), 'N workers.')
    """
    parts: list[str] = []
    blocks: list[Block] = []
    path: list[tuple[int, str]] = []
    length, previous = 0, ""
    for piece in pieces:
        body = _clean(piece.text)
        if not body.strip():
            continue
        if parts:
            parts.append("\n" if piece.kind == previous == "item" else "\n\n")
            length += len(parts[-1])
        if piece.kind == "heading":
            level = min(6, max(1, piece.level))
            path = [step for step in path if step[0] < level]
            body = f"{'#' * level} {body}"
            heading = tuple(title for _, title in path)
            path.append((level, piece.text.strip()))
        else:
            heading = tuple(title for _, title in path)
            if piece.kind == "item":
                body = f"{'  ' * piece.level}- {body}"
            elif piece.kind == "code":
                body = f"```\n{body}\n```"
        parts.append(body)
        blocks.append(Block(length, length + len(body), piece.kind, heading, piece.place))
        length += len(body)
        previous = piece.kind
    return "".join(parts), tuple(blocks)


# Zero-width, bidirectional and other control characters hide text or reorder it on screen.
ZERO_WIDTH = "\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\U000e0000-\U000e0fff"
_INVISIBLE = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{ZERO_WIDTH}\ufff9-\ufffc\ufffe\uffff\ud800-\udfff]")


def _clean(text: str) -> str:
    return _INVISIBLE.sub("", text.replace("\u00a0", " ")).strip("\n").rstrip()


def file_stem(url: str) -> str:
    """Return where a document's files lie under the documents folder: the host, a slug, and a hash.

    >>> file_stem("https://kubernetes.io/docs/concepts/workloads/pods/")
    'kubernetes.io/docs-concepts-workloads-pods-6ed556c1'
    """
    parts = urlsplit(url)
    slug = re.sub(r"[^A-Za-z0-9._]+", "-", f"{parts.path}-{parts.query}").strip("-.")[:80] or "index"
    host = re.sub(r"[^a-z0-9.-]+", "-", (parts.hostname or parts.scheme or "notes").lower()).strip(".")
    return f"{host}/{slug}-{hashlib.sha256(url.encode()).hexdigest()[:8]}"


def write(document: Document, folder: Path) -> Path:
    """Write the text as a file anyone can read, its provenance beside it, and return the text's path.

    The `.md` file holds the text and nothing else, so its sha256 is the document's. Its beginning stands in the name:
    another text is another pair of files, so that a run which is killed between the two spoils no pair.
    """
    path = folder / f"{file_stem(document.url)}-{document.sha256[:8]}.md"
    headings = list(dict.fromkeys(block.heading for block in document.blocks))
    index = {heading: n for n, heading in enumerate(headings)}
    record = {key: value for key, value in asdict(document).items() if key not in {"text", "blocks", "page_text"}} | {
        "words": document.words,
        "sha256": document.sha256,
        "headings": headings,
        "blocks": [(b.start, b.end, b.kind, index[b.heading], b.place) for b in document.blocks],
        "page_text": document.page_text,
    }
    replace_file(path.with_suffix(".json"), _sealed(record))
    replace_file(path, document.text.encode())
    return path


def _sealed(record: dict[str, Any]) -> bytes:
    """Return a record as its file holds it, with a checksum of its own."""
    bare = {key: value for key, value in record.items() if key != "seal"}
    seal = hashlib.sha256(json.dumps(bare, ensure_ascii=False).encode()).hexdigest()
    return json.dumps(bare | {"seal": seal}, ensure_ascii=False).encode()


def read(path: Path) -> Document:
    """Return the document whose text is at `path`.

    Raises IngestError where its two files do not belong together.
    """
    try:
        text = path.read_bytes().decode()
        written = path.with_suffix(".json").read_bytes()
        record = json.loads(written)
        if "seal" in record and _sealed(record) != written:  # without it, it is of a version before
            raise ValueError("it is not what was written")
        headings = [tuple(heading) for heading in record["headings"]]
        document = Document(
            url=record["url"],
            title=record["title"],
            resource=record["resource"],
            form=record["form"],
            language=record["language"],
            text=text,
            blocks=tuple(Block(s, e, kind, headings[h], place) for s, e, kind, h, place in record["blocks"]),
            page_text=record["page_text"],
            fetched_at=record["fetched_at"],
            published=record["published"],
            flags=tuple(record["flags"]),
            authors=tuple(record.get("authors", ())),
        )
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise IngestError(f"{path} cannot be read ({error}); `prep ingest --refresh` writes it anew.") from error
    if document.sha256 != record["sha256"]:
        raise IngestError(f"{path} was changed since it was written; `prep ingest --refresh` writes it anew.")
    return document


def damaged(folder: Path, paths: Iterable[str]) -> list[str]:
    """Return what is wrong with the documents at some paths under a folder; "" is the path of none."""
    found = []
    for path in filter(None, paths):
        try:
            read(folder / path)
        except IngestError as error:
            found.append(str(error))
    return found


def remove(path: Path) -> None:
    """Remove a document's two files."""
    path.unlink(missing_ok=True)
    path.with_suffix(".json").unlink(missing_ok=True)


def read_all(folder: Path) -> Iterator[Document]:
    """Yield every document under a folder, ordered by path."""
    for path in sorted(folder.rglob("*.md")):
        yield read(path)


def replace_file(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees either the old content or all of the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
