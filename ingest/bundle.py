"""Bundles: what people save and sites do not send: MHTML, EPUB, subtitles."""

from __future__ import annotations

import email
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from email import policy
from typing import TYPE_CHECKING

from ingest import webpage
from ingest.decoding import decode
from ingest.document import NOTHING_SHOWN, Piece
from ingest.message import Response

if TYPE_CHECKING:
    from ingest.extract import Extract

MAX_CHAPTER = 8 * 2**20  # bytes of one file of a book, inflated
MAX_BOOK = 64 * 2**20  # bytes of all of them
MAX_CHAPTERS = 2_000


def read(response: Response, form: str) -> Extract:
    """Return what a saved file holds; raises Unreadable where it is damaged."""
    from ingest.extract import Unreadable

    try:
        if form == "mhtml":
            return _mhtml(response)
        if form == "epub":
            return _epub(response)
        return _subtitles(response, form)
    except (ValueError, KeyError, IndexError, zipfile.BadZipFile, NotImplementedError, RecursionError) as error:
        raise Unreadable(f"the {form} file is damaged ({type(error).__name__}: {str(error)[:200]})") from error


def _mhtml(response: Response) -> Extract:
    """Read the page in an archive of one page, as browsers save it (RFC 2557)."""
    from ingest.extract import Unreadable, page_in

    message = email.message_from_bytes(response.body, policy=policy.compat32)
    for part in message.walk():
        if part.get_content_type() in {"text/html", "application/xhtml+xml"}:
            body = part.get_payload(decode=True)
            if isinstance(body, bytes):
                return page_in(decode(body, part.get("Content-Type") or ""), response.where)
    raise Unreadable("the MHTML file holds no page")


def mhtml_address(head: bytes) -> str:
    """Return the address that an MHTML file was saved from, given its beginning; "" where it does not say."""
    found = re.search(rb"^(?:Snapshot-)?Content-Location:\s*(\S+)", head, re.IGNORECASE | re.MULTILINE)
    return found.group(1).decode("utf-8", "replace") if found else ""


# --- books ----------------------------------------------------------------------------------------


def _epub(response: Response) -> Extract:
    """Read the chapters of a book in the order of its spine (EPUB 3.3, section 5.7)."""
    from lxml import etree

    from ingest.extract import Extract

    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    with zipfile.ZipFile(io.BytesIO(response.body)) as book:
        box = etree.fromstring(_file(book, "META-INF/container.xml"), parser)
        root = box.find(".//{*}rootfile")
        place = str(root.get("full-path")) if root is not None else ""
        package = etree.fromstring(_file(book, place), parser)
        title = webpage.squeeze(package.findtext(".//{*}metadata/{*}title") or "")
        authors = tuple(webpage.squeeze(name.text or "") for name in package.iterfind(".//{*}metadata/{*}creator"))
        pieces = list(_chapters(book, package, place))
    return Extract("text", title, "", tuple(pieces), NOTHING_SHOWN, authors=authors)


def _chapters(book: zipfile.ZipFile, package: object, place: str) -> Iterator[Piece]:
    from ingest.address import join

    files = {item.get("id"): item.get("href") for item in package.iterfind(".//{*}manifest/{*}item")}  # type: ignore[attr-defined]
    left = MAX_BOOK
    spine = [ref.get("idref") for ref in package.iterfind(".//{*}spine/{*}itemref")]  # type: ignore[attr-defined]
    for name in spine[:MAX_CHAPTERS]:
        path = join(f"http://book/{place}", files.get(name) or "").removeprefix("http://book/").partition("#")[0]
        if path not in book.namelist():
            continue
        markup = _file(book, path)
        left -= len(markup)
        if left < 0:
            raise ValueError(f"more than {MAX_BOOK // 2**20} MiB of chapters")
        for piece in webpage.whole(decode(markup, "application/xhtml+xml"))[0]:
            # Below the title of the book: the heading of a chapter is not one that only repeats it.
            yield replace(piece, level=piece.level + 1) if piece.kind == "heading" else piece


def _file(book: zipfile.ZipFile, name: str) -> bytes:
    with book.open(name) as stream:
        content = stream.read(MAX_CHAPTER + 1)
    if len(content) > MAX_CHAPTER:
        raise ValueError(f"{name} is larger than {MAX_CHAPTER // 2**20} MiB")
    return content


# --- subtitles ------------------------------------------------------------------------------------


def _subtitles(response: Response, form: str) -> Extract:
    import webvtt
    from webvtt.errors import MalformedCaptionError, MalformedFileError

    from ingest.extract import Extract, Unreadable
    from ingest.transcript import Spoken, pieces_of

    text = decode(response.body, response.content_type).lstrip("\ufeff").replace("\r\n", "\n")
    try:
        captions = webvtt.from_buffer(io.StringIO(text), format=form)
    except (MalformedCaptionError, MalformedFileError) as error:
        raise Unreadable(f"the subtitles are malformed ({error})") from error
    spoken = [
        Spoken(caption.start_in_seconds, caption.text, caption.end_in_seconds - caption.start_in_seconds)
        for caption in captions.captions
    ]
    return Extract("transcript", "", "", tuple(pieces_of(spoken)), "")
