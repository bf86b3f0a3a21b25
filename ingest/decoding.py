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
    ".qmd": "markdown",
    ".rmd": "markdown",
    ".rst": "rst",
    ".adoc": "asciidoc",
    ".asciidoc": "asciidoc",
    ".asc": "asciidoc",
    ".org": "org",
    ".ipynb": "notebook",
    ".docx": "docx",
    ".pptx": "pptx",
    ".epub": "epub",
    ".vtt": "vtt",
    ".srt": "srt",
    ".sbv": "sbv",
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
    "text/prs.fallenstein.rst": "rst",
    "text/asciidoc": "asciidoc",
    "text/x-asciidoc": "asciidoc",
    "text/x-org": "org",
    "text/org": "org",
    "application/x-ipynb+json": "notebook",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/json": "json",
    "application/pdf": "pdf",
    "application/x-pdf": "pdf",
    "multipart/related": "mhtml",
    "message/rfc822": "mhtml",
    "text/vtt": "vtt",
    "application/x-subrip": "srt",
    "application/srt": "srt",
    "text/srt": "srt",
    "application/epub+zip": "epub",
    "application/xml": "sitemap",
    "text/xml": "sitemap",
}


_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f\x80-\x9f\ufffd]")
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_INNER = re.compile(rb"<meta[^>]+charset=[\"']?([\w-]+)|\A\s*<\?xml[^>]+encoding=[\"']([\w-]+)", re.IGNORECASE)
# What the names of charsets stand for in browsers (WHATWG, "Encoding"), where Python takes them by their letter.
_WINDOWS = dict.fromkeys(("iso-8859-1", "iso8859-1", "latin1", "latin-1", "ascii", "us-ascii", "l1"), "cp1252")
_WINDOWS |= dict.fromkeys(("gb2312", "gbk", "x-gbk", "gb_2312-80", "chinese"), "gb18030")
_WINDOWS |= {"shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "big5": "big5hkscs"}
_WINDOWS |= {
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "iso-8859-9": "cp1254",
    "latin5": "cp1254",
    "tis-620": "cp874",
}


def form_of(response: Response) -> str:
    """Return what the bytes are, by their beginning, then their type, then their address; "" where unknown."""
    head = response.body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"%pdf-"):
        return "pdf"
    suffix = re.search(r"\.\w+$", unquote(split(response.url).path))
    by_name = _BY_SUFFIX.get(suffix.group(0).lower(), "") if suffix else ""
    media = response.content_type.partition(";")[0].strip().lower()
    if media in {"text/plain", "application/octet-stream", "application/zip", "application/json", ""}:
        if by_name:
            return "" if by_name == "pdf" else by_name
        if media == "application/json":
            return "notebook" if b'"nbformat"' in response.body else "json"
        if head.startswith((b"<!doctype html", b"<html")):
            return "html"
        return "text" if media == "text/plain" else ""
    return _BY_TYPE.get(media, "")


def decode(body: bytes, content_type: str = "") -> str:
    """Return bytes as text, by the first that fits: their first bytes, the header, the page's word, UTF-8, a guess.

    As in a browser, a text that is in UTF-8 but for a few bytes has U+FFFD in their place.
    """
    named = re.search(r"charset=[\"']?([\w-]+)", content_type, re.IGNORECASE)
    inner = _INNER.search(body[:4096])
    candidates = [next((charset for mark, charset in _MARKS if body.startswith(mark)), "")]
    candidates += [named.group(1) if named else "", (inner[1] or inner[2]).decode() if inner else "", "utf-8"]
    for charset in filter(None, map(_as_browsers_read, candidates)):
        # UTF-7 hides markup in plain letters, and a page that calls itself UTF-16 in ASCII is none (HTML standard).
        if re.match(r"utf-?7|utf-?(?:16|32)", charset) and not body.startswith((b"\xff\xfe", b"\xfe\xff")):
            continue
        try:
            text = body.decode(charset)
        except UnicodeDecodeError:
            if charset.startswith("utf-8") and _is_mostly_utf8(body):
                return body.decode(charset, "replace")
        except (LookupError, UnicodeError, ValueError):  # ValueError: codecs that are no charsets
            continue
        else:
            if isinstance(text, str):
                return text
    return body.decode(_guess(body), "replace")


def _as_browsers_read(charset: str) -> str:
    """Return the charset that browsers take for a name: many names stand for what Windows made of them."""
    name = charset.lower()
    return _WINDOWS.get(name, name)


def _is_mostly_utf8(body: bytes) -> bool:
    """Return whether the bytes that are not ASCII are UTF-8 more often than not."""
    text = body[: 2**20].decode("utf-8", "replace")
    return 2 * text.count("\ufffd") <= sum(not character.isascii() for character in text)


def _guess(body: bytes) -> str:
    """Return the charset of bytes that name none, or a wrong one: that of Western Windows, where it fits as well."""
    import charset_normalizer  # only for the few such texts

    found = charset_normalizer.from_bytes(body[: 2**20])
    best = found.best()
    western = next((match for match in found if match.encoding == "cp1252"), None)
    if not best or (western and western.coherence >= best.coherence and western.chaos <= best.chaos + 0.05):
        return "cp1252"
    return str(best.encoding)


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
