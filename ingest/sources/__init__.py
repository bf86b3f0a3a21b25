"""Kinds of link: what an address is to a reader, and which module of this folder gets its text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from ingest.address import host_of, is_under, split
from ingest.message import Get, Response
from ingest.sources import arxiv, github, page, saved, site, threads, walled, wikipedia, youtube

if TYPE_CHECKING:
    from ingest.extract import Extract

_BY_HOST = {
    "arxiv.org": "paper",
    "ojs.aaai.org": "paper",
    "dl.acm.org": "paper",
    "papers.nips.cc": "paper",
    "openreview.net": "paper",
    "ocw.mit.edu": "course",
    "workshops.aws": "workshop",
    "workshop.aws": "workshop",
    "ecsworkshop.com": "workshop",
    "eksworkshop.com": "workshop",
    "serverlessworkshops.io": "workshop",
    "awspartner.com": "workshop",
    "aws-management.tools": "workshop",
    "github.com": "repository",
    "raw.githubusercontent.com": "repository",
}
_YOUTUBE = {"youtu.be", "youtube.com", "youtube-nocookie.com"}


def kind_of(url: str) -> str:
    """Return what an address is to a reader.

    >>> kind_of("https://www.youtube.com/watch?v=abc"), kind_of("https://arxiv.org/abs/1708.05031")
    ('video', 'paper')
    """
    parts, host = split(url), host_of(url)
    if url and "://" not in url:
        return "note"
    if is_under(host, _YOUTUBE):
        channel = re.match(r"/(?:c/|channel/|user/|@)", parts.path)
        return "channel" if channel else "playlist" if parts.path == "/playlist" else "video"
    if kind := walled.kind_of(url):
        return kind
    if parts.path.lower().endswith(".pdf"):
        return "paper"
    return _BY_HOST.get(is_under(host, _BY_HOST), "article")


class Source(Protocol):
    """One kind of link. The modules of this folder that are listed in SOURCES are its instances."""

    NAME: str
    KEEPS: int
    """Days for which what was read is not asked for again; 0 asks whether it still holds in every run."""
    PAGES: int
    """How many pages are read under such a link where its list does not say."""

    def fits(self, url: str) -> bool:
        """Return whether an address is of this kind."""

    def gather(self, url: str, get: Get) -> list[Response]:
        """Return the responses that its text is made of, the one that matters most first; raises FetchError."""

    def read(self, parts: Sequence[Response]) -> Extract:
        """Return what the responses hold; runs in a child process. Raises Unreadable."""

    def onward(self, base: str, links: Sequence[str], prefixes: Sequence[str]) -> list[str]:
        """Return those links of a page that are pages under the same resource, in order."""


SOURCES: tuple[Source, ...] = (threads, github, arxiv, wikipedia, youtube, walled, page)


def source_of(url: str) -> Source:
    """Return the kind of an address.

    >>> source_of("https://arxiv.org/abs/1708.05031").NAME, source_of("https://example.org/").NAME
    ('arxiv', 'page')
    """
    return next(source for source in SOURCES if source.fits(url))


def named(name: str) -> Source:
    """Return the kind with a name: those above, and two that no address shows."""
    return next(source for source in (*SOURCES, site, saved) if name == source.NAME)


def address_to_read(url: str) -> str:
    """Return the address whose bytes hold the text of a link: the raw file, the PDF, most often the link itself."""
    return github.raw_address(url) or arxiv.pdf_address(url) or wikipedia.api_address(url) or url


def public_address(url: str) -> str:
    """Return the address that people use for what was read at `url`."""
    return github.page_address(url) or threads.page_address(url) or wikipedia.page_address(url) or url


def is_captions(url: str) -> bool:
    """Return whether an address is that of captions: a citation opens the page that plays what they say."""
    return split(url).path.lower().endswith((".vtt", ".srt"))


def is_part(url: str) -> bool:
    """Return whether an address holds only a part of a text, or what leads to texts: metadata, captions, a sitemap."""
    path, host = split(url).path, host_of(url)
    if path == "/robots.txt" or re.search(r"/sitemap[\w.-]*\.xml(?:\.gz)?$", path):
        return True
    if host == "api.github.com":
        return not threads.page_address(url)
    return host == "export.arxiv.org" or path.startswith(("/youtubei/", "/api/timedtext"))
