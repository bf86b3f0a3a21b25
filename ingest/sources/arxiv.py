"""arXiv: the text behind any address of a paper, with what its interface says of it.

Papers since the end of 2023 have a page, which keeps sections and formulas; the others a PDF.

arXiv wants at most one request in three seconds (https://info.arxiv.org/help/api/tou.html), over all its hosts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ingest.message import Ask, BrokenError, FetchError, Get, Response

if TYPE_CHECKING:
    from ingest.extract import Extract

NAME = "arxiv"
KEEPS = 0
PAGES = 1
FIRST_PAGES = "2312"  # year and month
GAP = ("arxiv.org", 3.0)  # seconds between two requests

_PAPER = re.compile(
    r"https?://(?:www\.|export\.)?arxiv\.org/(?:abs|pdf|html|format)/"
    r"((?:[a-z-]+(?:\.[A-Z]{2})?/\d{7}|\d{4}\.\d{4,5})(?:v\d+)?)(?:\.pdf)?/?(?:\?.*)?",
    re.IGNORECASE,
)
_ATOM = "{http://www.w3.org/2005/Atom}"


def fits(url: str) -> bool:
    """Return whether an address is that of a paper."""
    return bool(paper_id(url))


def gather(url: str, get: Get) -> list[Response]:
    """Return the paper and what is known of it; either alone where the other cannot be had."""
    parts: list[Response] = []
    failed: FetchError | None = None
    query = f"https://export.arxiv.org/api/query?id_list={paper_id(url)}"
    for ask in (*_texts(url, get, parts), Ask(query, interface=True)):
        try:
            parts.append(get(ask))
        except BrokenError:
            if not parts:
                raise
        except FetchError as error:
            failed = error
    if not parts and failed:
        raise failed
    return parts


def _texts(url: str, get: Get, parts: list[Response]) -> list[Ask]:
    """Add a paper's page to the parts, where it has one; else return what to ask for instead."""
    if _has_page(paper_id(url)):
        try:
            page = get(Ask(html_address(url)))
        except FetchError:
            return [Ask(pdf_address(url))]
        if page.status in {200, 304}:
            parts.append(page)
            return []
    return [Ask(pdf_address(url))]


def _has_page(paper: str) -> bool:
    """Return whether a paper may have a page: those of the months since December 2023."""
    month = re.match(r"(\d{4})\.", paper)
    return bool(month) and month[1] >= FIRST_PAGES  # type: ignore[index]  # found


def read(parts: Sequence[Response]) -> Extract:
    """Return the paper with its title, authors and date; its abstract where that is all there is."""
    from ingest.extract import Unreadable, about_paper, extract

    about = next((found for part in parts if (found := _entry(part))), None)
    papers = [part for part in parts if not _is_feed(part)]
    try:
        if not papers or papers[0].status != 200:
            raise Unreadable(f"the PDF was answered with {papers[0].status}" if papers else "the PDF was not to be had")
        paper = extract(papers[0])
    except Unreadable as error:
        if not about:
            raise
        return about_paper(*about, reason=f"only the abstract: {error}")
    if not about:
        return paper
    title, authors, published, _ = about
    return replace(paper, title=title or paper.title, authors=authors, published=published or paper.published)


def onward(base: str, links: Sequence[str], prefixes: Sequence[str]) -> list[str]:  # noqa: ARG001
    """Return nothing: a paper is one text."""
    return []


def paper_id(url: str) -> str:
    """Return the identifier in an arXiv address, its version included; "" for any other address.

    >>> paper_id("https://arxiv.org/pdf/2006.11632.pdf"), paper_id("https://arxiv.org/abs/hep-th/9901001v2")
    ('2006.11632', 'hep-th/9901001v2')
    """
    found = _PAPER.fullmatch(url.partition("#")[0])
    return found.group(1) if found else ""


def pdf_address(url: str) -> str:
    """Return the address of the PDF behind any address of a paper; "" for any other address."""
    paper = paper_id(url)
    return f"https://arxiv.org/pdf/{paper}" if paper else ""


def html_address(url: str) -> str:
    """Return the address of a paper as a page, behind any address of it; "" for any other address."""
    paper = paper_id(url)
    return f"https://arxiv.org/html/{paper}" if paper else ""


def _is_feed(part: Response) -> bool:
    return "atom" in part.content_type or part.body[:300].lstrip().startswith(b"<?xml")


def _entry(part: Response) -> tuple[str, tuple[str, ...], str, str] | None:
    """Return (title, authors, ISO date, abstract) of the one paper in a feed."""
    from lxml import etree

    if not _is_feed(part) or part.status != 200:
        return None
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        entry = etree.fromstring(part.body, parser).find(f"{_ATOM}entry")
    except etree.XMLSyntaxError:
        return None
    if entry is None or "api/errors" in (entry.findtext(f"{_ATOM}id") or ""):
        return None
    said = {name: " ".join((entry.findtext(f"{_ATOM}{name}") or "").split()) for name in ("title", "summary")}
    names = tuple(" ".join((name.text or "").split()) for name in entry.iterfind(f"{_ATOM}author/{_ATOM}name"))
    published = (entry.findtext(f"{_ATOM}published") or "")[:10]
    return said["title"], names, published, said["summary"]
