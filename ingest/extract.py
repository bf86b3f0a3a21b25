"""A response -> clean text: what kind of thing the bytes are, and the pieces in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ingest import markup, pdf, webpage
from ingest.archive import Response
from ingest.document import Piece, assemble

if TYPE_CHECKING:
    from lxml.html import HtmlElement

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
}
_LINK_SECTIONS = re.compile(
    r"(?:further reading|references?|bibliography|see also|external links|what'?s next|next steps|related resources"
    r"|related content|citations?|cited as:?|footnotes?|sources?(?: and further reading)?|acknowledge?ments?"
    r"|(?P<list>(?:table of )?contents|on this page|in this article))\W*",
    re.IGNORECASE,
)
_ADDRESSES_A_MODEL = re.compile(
    r"\b(?:ignore|disregard|forget)\b.{0,30}\b(?:previous|prior|above|earlier|all)\b.{0,20}\b(?:instructions?|prompts?|rules)\b"
    r"|\byou are (?:now )?(?:an?|the) (?:ai|assistant|language model|chatbot)\b.{0,60}\b(?:must|should|will)\b"
    r"|\b(?:system prompt|<\|im_start\|>|\[/?INST\])",
    re.IGNORECASE | re.DOTALL,
)


class Unreadable(Exception):
    """Bytes that give no text; the message is the ledger's reason."""


@dataclass(frozen=True, slots=True)
class Extract:
    """What was read in a response."""

    form: str  # "html", "markdown", "rst", "pdf" or "text"
    title: str
    language: str  # ISO 639-1
    pieces: tuple[Piece, ...]
    page_text: str  # what a browser shows; "" for a PDF
    published: str = ""  # ISO date
    linked: float = 0.0  # share of the text that is links
    flags: tuple[str, ...] = ()


def extract(response: Response) -> Extract:
    """Return the text of a response in pieces.

    Raises Unreadable with the reason where there is none.
    """
    if not response.body.strip():
        raise Unreadable("the body is empty")
    form = form_of(response)
    if form == "pdf":
        found = _from_pdf(response)
    elif form in {"html", "markdown", "rst", "text"}:
        found = _from_text(response, form)
    else:
        raise Unreadable(f"the content type {response.content_type or 'none'} is not one that holds text")
    pieces = without_title(mark_link_sections(found.pieces), found.title)
    text = " ".join(piece.text for piece in pieces)
    if not text.strip():
        raise Unreadable("the pages are pictures: no text in them" if form == "pdf" else "no text in the page")
    flags = ("instructions",) if _ADDRESSES_A_MODEL.search(text) else ()
    return replace(found, pieces=tuple(pieces), language=language_of(text), flags=flags)


def form_of(response: Response) -> str:
    """Return what the bytes are, by their beginning, then their type, then their address; "" where unknown."""
    head = response.body[:1024].lstrip().lower()
    if head.startswith(b"%pdf-"):
        return "pdf"
    suffix = re.search(r"\.\w+$", unquote(urlsplit(response.url).path))
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
    """Return bytes as text, by the first of these that fits: the header, the page's own word, UTF-8, a guess."""
    named = re.search(r"charset=[\"']?([\w-]+)", content_type, re.IGNORECASE)
    inner = re.search(rb"<meta[^>]+charset=[\"']?([\w-]+)", body[:4096], re.IGNORECASE)
    candidates = ["utf-8-sig" if body.startswith(b"\xef\xbb\xbf") else ""]
    candidates += [named.group(1) if named else "", inner.group(1).decode() if inner else "", "utf-8"]
    for charset in filter(None, candidates):
        try:
            return body.decode(charset)
        except (LookupError, UnicodeDecodeError):
            continue
    import charset_normalizer  # only for pages that misstate their charset

    best = charset_normalizer.from_bytes(body).best()
    return str(best) if best else body.decode("utf-8", "replace")


def language_of(text: str) -> str:
    """Return the ISO 639-1 code of a text's language, from at most its first 5,000 characters."""
    import py3langid  # loads a model: only where a page is read

    code, _ = py3langid.classify(text[:5000])
    return str(code)


# --- one function a form --------------------------------------------------------------------------


def _from_pdf(response: Response) -> Extract:
    try:
        pieces, title = pdf.pages(response.body)
    except ValueError as error:
        raise Unreadable(f"the PDF is {error}") from error
    first = next((piece.text for piece in pieces[:3] if piece.kind == "heading"), "")
    titled = title if title and not re.search(r"\.\w{2,4}$|untitled|^microsoft word", title, re.IGNORECASE) else first
    return Extract("pdf", titled, "", tuple(pieces), "")


def _from_text(response: Response, form: str) -> Extract:
    source = decode(response.body, response.content_type)
    title, published = "", ""
    try:
        if form == "html":
            tree = webpage.parse(source)
            title, published = _page_title(tree), _page_date(tree)
            pieces, shown = webpage.article(source)
        elif form == "text":
            pieces = [Piece("text", part) for part in re.split(r"\n\s*\n", source)]
            shown = source
        else:
            title = markup.front_matter(source).get("title", "")
            rendered = markup.markdown_to_html(source) if form == "markdown" else markup.rst_to_html(source)
            pieces, shown = webpage.whole(rendered)
    except (ValueError, RecursionError, AssertionError) as error:  # lxml, markdown-it and docutils on broken markup
        raise Unreadable(f"the {form} cannot be parsed ({type(error).__name__}: {error})") from error
    title = title or next((piece.text for piece in pieces if piece.kind == "heading"), "")
    linked = sum(len(piece.text) for piece in pieces if piece.kind == "reference")
    share = linked / max(1, sum(len(piece.text) for piece in pieces))
    return Extract(form, title, "", tuple(pieces), shown, published, share)


def _page_title(tree: HtmlElement) -> str:
    """Return the title a page gives itself, without the name of its site."""
    for path in ("//meta[@property='og:title']/@content", "//h1", "//title"):
        for found in tree.xpath(path)[:1]:
            title = webpage.squeeze(found if isinstance(found, str) else "".join(found.itertext()))
            if title:
                return re.split(r"\s[|·•—]\s", title)[0].rstrip("¶# ")
    return ""


def _page_date(tree: HtmlElement) -> str:
    said = "@property='article:published_time' or @name='date' or @itemprop='datePublished'"
    dates = tree.xpath(f"//meta[{said}]/@content | //time/@datetime")
    dated = (re.match(r"\d{4}-\d{2}-\d{2}", value) for value in dates)
    return next((date.group(0) for date in dated if date), "")


# --- pieces ---------------------------------------------------------------------------------------


def mark_link_sections(pieces: Sequence[Piece]) -> list[Piece]:
    """Return the pieces with what stands under "References", "Further reading" and the like as references."""
    marked: list[Piece] = []
    level = 0  # of the heading that opened such a section, 0 outside of one
    for piece in pieces:
        if piece.kind == "heading":
            if level and piece.level <= level:
                level = 0
            section = _LINK_SECTIONS.fullmatch(piece.text.strip())
            if section and not level:
                level = 7 if section["list"] else piece.level  # a table of contents ends at any heading
        elif level:
            piece = replace(piece, kind="reference")
        marked.append(piece)
    return marked


def without_title(pieces: Sequence[Piece], title: str) -> list[Piece]:
    """Return the pieces without the headings that only repeat the document's title at its top."""

    def words(text: str) -> list[str]:
        return re.findall(r"\w+", text.lower())

    first = next((n for n, piece in enumerate(pieces) if piece.kind != "heading"), 0)
    return [
        piece
        for n, piece in enumerate(pieces)
        if not (n < first and (words(piece.text) == words(title) or piece.level == 1))
    ]


def quotable(pieces: Sequence[Piece]) -> str:
    """Return the text of pieces that answers may quote: without references, captions and navigation."""
    return assemble([piece for piece in pieces if piece.kind != "reference"])[0]
