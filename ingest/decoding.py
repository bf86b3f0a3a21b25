"""Decoding: bytes -> what kind of thing they are, and their characters."""

from __future__ import annotations

import re
from urllib.parse import unquote

from ingest.address import split
from ingest.message import Response

_BY_SUFFIX = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".mdx": "markdown",
    ".rst": "rst",
    ".htm": "html",
    ".html": "html",
    ".xhtml": "html",
    ".pdf": "pdf",
    ".txt": "text",
}
_BY_TYPE = {
    "text/html": "html",
    "application/xhtml+xml": "html",
    "text/markdown": "markdown",
    "text/x-markdown": "markdown",
    "text/x-rst": "rst",
    "application/pdf": "pdf",
    "application/x-pdf": "pdf",
    "multipart/related": "mhtml",
    "message/rfc822": "mhtml",
    "text/vtt": "vtt",
    "application/x-subrip": "srt",
    "application/epub+zip": "epub",
    "application/xml": "sitemap",
    "text/xml": "sitemap",
}


_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f\x80-\x9f\ufffd]")


def form_of(response: Response) -> str:
    """Return what the bytes are, by their beginning, then their type, then their address; "" where unknown."""
    head = response.body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"%pdf-"):
        return "pdf"
    suffix = re.search(r"\.\w+$", unquote(split(response.url).path))
    by_name = _BY_SUFFIX.get(suffix.group(0).lower(), "") if suffix else ""
    media = response.content_type.partition(";")[0].strip().lower()
    if media in {"text/plain", "application/octet-stream", ""}:
        if by_name:
            return "" if by_name == "pdf" else by_name
        if head.startswith((b"<!doctype html", b"<html")):
            return "html"
        return "text" if media == "text/plain" else ""
    return _BY_TYPE.get(media, "")


def decode(body: bytes, content_type: str) -> str:
    """Return bytes as text, by the first that fits: their first bytes, the header, the page's word, UTF-8, a guess."""
    named = re.search(r"charset=[\"']?([\w-]+)", content_type, re.IGNORECASE)
    inner = re.search(rb"<meta[^>]+charset=[\"']?([\w-]+)", body[:4096], re.IGNORECASE)
    marks = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe\x00\x00": "utf-32", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
    candidates = [next((charset for mark, charset in marks.items() if body.startswith(mark)), "")]
    candidates += [named.group(1) if named else "", inner.group(1).decode() if inner else "", "utf-8"]
    for charset in filter(None, candidates):
        # UTF-7 hides markup in plain letters, and a page that calls itself UTF-16 in ASCII is none (HTML standard).
        if re.match(r"utf-?7|utf-?(?:16|32)", charset, re.IGNORECASE) and not body.startswith(
            (b"\xff\xfe", b"\xfe\xff")
        ):
            continue
        try:
            text = body.decode(charset)
        except (LookupError, UnicodeError, ValueError):  # ValueError: codecs that are no charsets
            continue
        if isinstance(text, str):
            return text
    import charset_normalizer  # only for pages that misstate their charset

    best = charset_normalizer.from_bytes(body[: 2**20]).best()
    return body.decode(best.encoding if best else "utf-8", "replace")


def is_binary(text: str) -> bool:
    r"""Return whether what was decoded is no text: too many of its characters control a device.

    >>> is_binary("A line.\nAnother."), is_binary("PK\x03\x04\x14\x00\x06")
    (False, True)
    """
    start = text[:20_000]
    return 50 * len(_CONTROLS.findall(start)) > len(start)


def language_of(text: str) -> str:
    """Return the ISO 639-1 code of a text's language, from at most its first 1,000 characters."""
    import py3langid  # loads a model: only where a page is read

    code, _ = py3langid.classify(text[:1000])
    return str(code)
