"""Books: EPUB, read in the order of its spine; what of it cannot be read is told."""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from unicodedata import normalize
from urllib.parse import unquote

from ingest import webpage
from ingest.decoding import decode
from ingest.document import NOTHING_SHOWN, Piece
from ingest.message import Response

if TYPE_CHECKING:
    from ingest.extract import Extract

MAX_CHAPTER = 8 * 2**20  # bytes of one file of a book, inflated
MAX_BOOK = 64 * 2**20  # bytes of all of them
MAX_CHAPTERS = 2_000
NAMED = 5  # chapters that are named among those left out

_TEXT = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml", "text/x-oeb1-document", "")
_FONT_ONLY = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")  # only fonts are hidden so


@dataclass
class _Book:
    """An open book: its files by whichever spelling they are asked for, and what could not be read."""

    file: zipfile.ZipFile
    left: int = MAX_BOOK
    missing: list[str] = field(default_factory=list)  # "NAME: WHY" of each chapter

    def __post_init__(self) -> None:
        self._names = {_spelled(name): name for name in reversed(self.file.namelist()) if not name.endswith("/")}
        bases: dict[str, list[str]] = {}
        for key, name in self._names.items():
            bases.setdefault(posixpath.basename(key), []).append(name)
        self._alone = {base: names[0] for base, names in bases.items() if len(names) == 1}
        self.locked = {_spelled(name) for name in _locked(self)}

    def find(self, path: str) -> str:
        """Return the name in the archive of a path, however it is written; "" where there is none."""
        key = _spelled(path)
        return self._names.get(key) or self._alone.get(posixpath.basename(key), "")

    def read(self, path: str) -> bytes:
        """Return a file's bytes; raises KeyError where it is not there, ValueError where it is too large."""
        if not (name := self.find(path)):
            raise KeyError("it is not in the file")
        with self.file.open(name) as stream:
            content = stream.read(MAX_CHAPTER + 1)
        self.left -= len(content)
        if len(content) > MAX_CHAPTER or self.left < 0:
            raise ValueError("it is too large")
        return content

    def parsed(self, path: str) -> Any:  # noqa: ANN401  # an element of lxml's
        """Return the root of an XML file."""
        from lxml import etree

        parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
        return etree.fromstring(self.read(path), parser)


def _spelled(path: str) -> str:
    """Return a path as one of its many spellings: encoded or not, composed or not, in either case.

    >>> _spelled("/OEBPS/Text/../Chapter%201.xhtml")
    'oebps/chapter 1.xhtml'
    """
    plain = unquote(path.partition("#")[0]).replace("\\", "/")
    return normalize("NFC", posixpath.normpath(plain).lstrip("/")).casefold()


def _locked(book: _Book) -> Iterator[str]:
    """Yield the files of a book that a seller locked."""
    if not book.find("META-INF/encryption.xml"):
        return
    for data in book.parsed("META-INF/encryption.xml").iterfind(".//{*}EncryptedData"):
        method, place = data.find(".//{*}EncryptionMethod"), data.find(".//{*}CipherReference")
        if place is not None and (method is None or method.get("Algorithm") not in _FONT_ONLY):
            yield str(place.get("URI"))


def read(response: Response) -> Extract:
    """Return the chapters of a book in the order of its spine (EPUB 3.3, section 5.7)."""
    from ingest.extract import Extract

    with zipfile.ZipFile(io.BytesIO(response.body)) as file:
        book = _Book(file)
        place = _package(book)
        package = book.parsed(place)
        title = webpage.squeeze(package.findtext(".//{*}metadata/{*}title") or "")
        authors = tuple(webpage.squeeze(name.text or "") for name in package.iterfind(".//{*}metadata/{*}creator"))
        chapters = list(_spine(package, posixpath.dirname(place)))
        pieces = [piece for path, kind in chapters[:MAX_CHAPTERS] for piece in _chapter(book, path, kind)]
        missing = [*book.missing, *(f"{path}: more than {MAX_CHAPTERS}" for path, _ in chapters[MAX_CHAPTERS:])]
    left_out = (_told(missing, len(chapters)),) if missing else ()
    return Extract("text", title, "", tuple(pieces), NOTHING_SHOWN, authors=authors, left_out=left_out)


def _package(book: _Book) -> str:
    """Return where the list of a book's files is."""
    if book.find("META-INF/container.xml"):
        root = book.parsed("META-INF/container.xml").find(".//{*}rootfile")
        if root is not None and book.find(str(root.get("full-path"))):
            return str(root.get("full-path"))
    found = next((name for name in book.file.namelist() if name.lower().endswith(".opf")), "")
    if not found:
        raise KeyError("it does not say what its chapters are")
    return found


def _spine(package: Any, folder: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401
    """Yield the path and the type of each chapter; of a book without a spine, those of all its pages."""
    items = {item.get("id"): item for item in package.iterfind(".//{*}manifest/{*}item")}
    order = [ref.get("idref") for ref in package.iterfind(".//{*}spine/{*}itemref")] or list(items)
    for name in order:
        item = items.get(name)
        if item is None:
            yield str(name), "missing"
        elif "nav" not in (item.get("properties") or "").split():
            yield posixpath.join(folder, item.get("href") or ""), (item.get("media-type") or "").lower()


def _chapter(book: _Book, path: str, kind: str) -> list[Piece]:
    try:
        if _spelled(book.find(path)) in book.locked:
            raise ValueError("it is locked by its seller")
        if kind not in _TEXT and not (kind == "missing" or path.lower().endswith((".xhtml", ".html", ".htm"))):
            raise ValueError(f"it is no text ({kind})")
        pieces = webpage.whole(decode(book.read(path), "application/xhtml+xml"))[0]
    except (KeyError, ValueError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        book.missing.append(f"{unquote(posixpath.basename(path))}: {error.args[0] if error.args else error}")
        return []
    # Below the title of the book: the heading of a chapter is not one that only repeats it.
    return [replace(piece, level=piece.level + 1) if piece.kind == "heading" else piece for piece in pieces]


def _told(missing: Sequence[str], count: int) -> str:
    """Return which chapters were left out, and why.

    >>> _told(["a.xhtml: it is not in the file"], 7)
    '1 of 7 chapters (a.xhtml: it is not in the file)'
    """
    named = "; ".join(missing[:NAMED])
    more = f"; and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
    return f"{len(missing)} of {count} chapters ({named}{more})"
