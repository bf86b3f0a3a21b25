"""Reading: a list of links in any form that people keep one in -> its links."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING

from ingest.decoding import decode, is_binary
from ingest.lists import markup, records, tree
from ingest.lists.found import Found

if TYPE_CHECKING:
    from lxml.html import HtmlElement

FORMS = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".mdx": "markdown",
    ".rst": "rst",
    ".adoc": "asciidoc",
    ".asciidoc": "asciidoc",
    ".org": "org",
    ".html": "html",
    ".htm": "html",
    ".opml": "xml",
    ".xml": "xml",
    ".csv": "csv",
    ".tsv": "csv",
    ".json": "json",
    ".txt": "lines",
}
KNOWN = "HTML, bookmarks, OPML, CSV, JSON, reStructuredText, AsciiDoc, Org, a sitemap, or lines of addresses"


def links_in(body: bytes, name: str, *, base: str = "", content_type: str = "") -> list[Found]:
    """Return the links of a list, given what it is called and, where it has one, its address.

    Raises ValueError where it is no list, with the reason.
    """
    text = decode(body, content_type).lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if is_binary(text):
        raise ValueError("it is no text")
    form = "html" if "html" in content_type else form_of(text, name)
    if form == "csv":
        return records.of_csv(text)
    if form == "json":
        return records.of_json(text)
    if form == "xml":
        return records.of_xml(re.sub(r"^\s*<\?xml[^>]*\?>", "", text).encode())
    if form == "lines":
        return records.of_lines(text)
    page = markup.tree_of(text, form)
    if re.match(r"\s*<!doctype netscape", text, re.IGNORECASE) and (name_of_all := page.find(".//h1")) is not None:
        name_of_all.drop_tree()  # what a browser calls all of its bookmarks
    return tree.links_of(_main(page) if base else page, base)


def form_of(text: str, name: str) -> str:
    """Return what a list is written in: by how it begins, then by its name."""
    head = text[:2048].lstrip().lower()
    if re.match(r"<!doctype (?:html|netscape)|<html|<dl\b|<meta\b", head):
        return "html"
    if re.match(r"(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)?<(?:opml|urlset|sitemapindex|\w+:urlset)\b", head, re.DOTALL):
        return "xml"
    form = FORMS.get(PurePath(name).suffix.lower(), "")
    if form in {"lines", ""} and re.search(r"\]\(\s*<?https?://|^\s*[-*+]\s+\S|^#{1,6}\s", text, re.MULTILINE):
        return "markdown"
    if form in {"lines", ""} and re.match(r"[\[{]\s*[\"{\[]", head):
        return "json"
    return form or "lines"


def _main(page: HtmlElement) -> HtmlElement:
    """Return the part of a page of the web that is its text, where it says so."""
    parts = page.xpath("//main | //article | //*[@role='main']")
    found: HtmlElement = max(parts, key=lambda part: len(part.findall(".//a")), default=page)
    return found
