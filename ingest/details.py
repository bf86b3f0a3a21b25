"""Details: what a page says of itself besides its text: title, authors, date, address, price, and where it leads."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from ingest import titles
from ingest.address import host_of, is_under, join, split
from ingest.decoding import decode
from ingest.message import Response
from ingest.sources import is_captions
from ingest.webpage import parse, squeeze

if TYPE_CHECKING:
    from lxml.html import HtmlElement

    from ingest.extract import Extract

MAX_LINKS = 2_000
MAX_DATA = 500_000  # characters of a page's structured data that are read

# Sites whose pages about a paper link to its PDF, without the meta tag that says so.
_LANDING = {"research.google", "research.google.com", "ojs.aaai.org", "openreview.net", "papers.nips.cc", "usenix.org"}
_PDF_WORDS = re.compile(r"\b(?:pdf|download|view (?:the )?paper|full text)\b", re.IGNORECASE)

Metas = Mapping[str, list[str]]
"""What the meta elements of a page hold, by the properties and names they give it."""

Links = Callable[[], tuple[str, ...]]
"""Gives the absolute addresses that a page links to, each once: work that most pages need not be put to."""

_KINDS = {"Book": "book", "Course": "course", "Product": "product", "VideoObject": "video", "Article": "article"}


@dataclass(frozen=True, slots=True)
class Details:
    """What a page says of itself; "" where it does not say."""

    title: str = ""
    published: str = ""  # ISO date
    canonical: str = ""
    authors: tuple[str, ...] = ()
    about: str = ""  # "Robert C. Martin · book · USD 36.99"
    paper: str = ""  # address of the PDF that the page is about
    links: Links = tuple


def details_of(tree: HtmlElement, url: str) -> Details:
    """Return what the page at an address says of itself."""
    base = join(url, next((element.get("href") or "" for element in tree.iter("base")), "")) or url
    hrefs = dict.fromkeys(href for element in tree.iter("a") if (href := element.get("href")))
    metas = _metas(tree)
    data = list(_structured(tree))
    authors = _authors(metas, data)
    return Details(
        title=_title(tree, metas),
        published=_date(tree, metas),
        canonical=_canonical(tree, metas, base, url),
        authors=authors,
        about=_about(data, authors),
        paper=_paper(tree, metas, base, url),
        links=lambda: tuple(_links(hrefs, base)),
    )


def biblio(response: Response) -> Extract:
    """Return what a page says of the thing it offers, without any of its text."""
    from ingest.extract import Extract

    found = Details()
    if response.status == 200 and "html" in response.content_type:
        try:
            found = details_of(parse(decode(response.body, response.content_type)), response.where)
        except (ValueError, AssertionError):
            found = Details()
    return Extract("html", found.title, "", (), "", authors=found.authors, about=found.about)


def _metas(tree: HtmlElement) -> dict[str, list[str]]:
    """Return what the meta elements of a page hold."""
    metas: dict[str, list[str]] = {}
    for element in tree.iter("meta"):
        for name in {element.get("property"), element.get("name"), element.get("itemprop")} - {None}:
            metas.setdefault(name, []).append(element.get("content") or "")
    return metas


def _title(tree: HtmlElement, metas: Metas) -> str:
    """Return the title a page gives itself, with the name of its site only where it says nothing without."""
    said, headings = (
        [squeeze("".join(element.itertext()))[:1000] for element in islice(tree.iter(tag), 3)]
        for tag in ("title", "h1")
    )
    shared = squeeze(next(iter(metas.get("og:title", [])), ""))[:1000]
    return titles.of_page(next(iter(said), ""), shared, headings)


def _date(tree: HtmlElement, metas: Metas) -> str:
    said = chain.from_iterable(metas.get(name, []) for name in ("article:published_time", "date", "datePublished"))
    times = (element.get("datetime") or "" for element in tree.iter("time"))
    dated = (re.match(r"\d{4}-\d{2}-\d{2}", value) for value in chain(said, times))
    return next((date.group(0) for date in dated if date), "")


def _canonical(tree: HtmlElement, metas: Metas, base: str, url: str) -> str:
    """Return the address that a page calls its own, where it is on the same site: a page may lie."""
    linked = (element.get("href") or "" for element in tree.iter("link") if element.get("rel") == "canonical")
    for href in chain(linked, metas.get("og:url", [])):
        own = join(base, href)
        if own and host_of(own).removeprefix("www.") == host_of(url).removeprefix("www."):
            return own
    return ""


def _paper(tree: HtmlElement, metas: Metas, base: str, url: str) -> str:
    """Return the PDF of the paper that a landing page is about, or the transcript of the episode that it plays."""
    for href in metas.get("citation_pdf_url", []):
        if paper := join(base, href):
            return paper
    if transcript := _transcript(tree, base):
        return transcript
    if not is_under(host_of(url), _LANDING):
        return ""
    for anchor in tree.iter("a"):
        target = join(base, anchor.get("href") or "")
        named = _PDF_WORDS.search("".join(anchor.itertext())) or "pdf" in (anchor.get("class") or "")
        if target and (split(target).path.lower().endswith(".pdf") or (named and "/view/" in target)):
            return target.replace("/article/view/", "/article/download/")
    return ""


def _transcript(tree: HtmlElement, base: str) -> str:
    """Return what was said in the episode that a page plays, where it links to that as captions; "" elsewhere."""
    if next(tree.iter("audio"), None) is None:
        return ""
    linked = (join(base, element.get("href") or "") for element in tree.iter("a", "link"))
    return next(filter(is_captions, linked), "")


def _links(hrefs: Iterable[str], base: str) -> Iterator[str]:
    seen: set[str] = set()
    for href in hrefs:
        link = join(base, href)
        if link and link not in seen:
            seen.add(link)
            yield link
            if len(seen) >= MAX_LINKS:
                return


# --- structured data ------------------------------------------------------------------------------


def _structured(tree: HtmlElement) -> Iterator[dict[str, Any]]:
    """Yield the objects of a page's JSON-LD, the nested ones too."""
    left = MAX_DATA
    for script in tree.iter("script"):
        source = (script.text or "") if script.get("type") == "application/ld+json" else ""
        left -= len(source)
        if left < 0:
            return
        try:
            stack = [json.loads(source)]
        except (ValueError, RecursionError):
            continue
        while stack:
            value = stack.pop()
            if isinstance(value, dict):
                yield value
                stack.extend(value.values())
            elif isinstance(value, list):
                stack.extend(value)


def _authors(metas: Metas, data: list[dict[str, Any]]) -> tuple[str, ...]:
    said = [squeeze(name) for name in metas.get("citation_author", [])]
    for thing in data:
        if not said and _type(thing) in _KINDS:
            people = thing.get("author") or thing.get("provider") or []
            said = [_name(person) for person in (people if isinstance(people, list) else [people])]
    said = said or [squeeze(name) for name in chain(metas.get("author", []), metas.get("book:author", []))]
    return tuple(dict.fromkeys(name[:100] for name in said if name and "://" not in name))[:20]


def _about(data: list[dict[str, Any]], authors: tuple[str, ...]) -> str:
    kind = price = ""
    for thing in data:
        kind = kind or _KINDS.get(_type(thing), "")
        offers = thing.get("offers")
        for offer in offers if isinstance(offers, list) else [offers]:
            if isinstance(offer, dict) and (amount := offer.get("price", offer.get("lowPrice"))) not in (None, ""):
                price = price or f"{offer.get('priceCurrency') or ''} {amount}".strip()[:40]
    return " · ".join(filter(None, [", ".join(authors[:3]), kind, price]))


def _type(thing: dict[str, Any]) -> str:
    said = thing.get("@type")
    named = said if isinstance(said, list) else [said]
    return next((name for name in named if isinstance(name, str) and name in _KINDS), "")


def _name(person: object) -> str:
    value = person.get("name") if isinstance(person, dict) else person
    return squeeze(value) if isinstance(value, str) else ""
