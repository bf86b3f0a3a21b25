"""Walled: stores, course platforms and platforms to practise on. They show no text to a program, but say what it is.

Their page is asked once, if they allow it, for a bibliographic row: title, author, kind, price. It never becomes a
document: what a store says of a book is not the book.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ingest.address import host_of, is_under, split
from ingest.message import Ask, Get, Response
from ingest.status import Status, Verdict

if TYPE_CHECKING:
    from ingest.extract import Extract

NAME = "walled"
KEEPS = 30
PAGES = 1

_STORE = Verdict(Status.METADATA, "a store page: the book itself is not free")
_LOGIN = "{} asks for a login"
# What stands at a host: its kind, and what is known beforehand to become of it.
_SITES: dict[str, tuple[str, Verdict]] = {
    "oreilly.com": ("book", _STORE),
    "learning.oreilly.com": ("book", _STORE),
    "gumroad.com": ("book", _STORE),
    "leanpub.com": ("book", _STORE),
    "manning.com": ("book", _STORE),
    "educative.io": ("course", Verdict(Status.WALLED, "Educative's courses are paid")),
    "udemy.com": ("course", Verdict(Status.WALLED, "Udemy's courses are paid")),
    "coursera.org": ("course", Verdict(Status.WALLED, _LOGIN.format("Coursera"))),
    "explore.skillbuilder.aws": ("course", Verdict(Status.WALLED, _LOGIN.format("AWS Skill Builder"))),
    "linkedin.com": ("course", Verdict(Status.WALLED, "LinkedIn shows its courses and posts to members only")),
    "leetcode.com": ("practice", Verdict(Status.WALLED, _LOGIN.format("LeetCode"))),
    "hackerrank.com": ("practice", Verdict(Status.WALLED, _LOGIN.format("HackerRank"))),
    "app.codesignal.com": ("practice", Verdict(Status.WALLED, _LOGIN.format("CodeSignal"))),
    "codeforces.com": ("practice", Verdict(Status.METADATA, "a platform to practise on: there is no text to read")),
    "excalidraw.com": ("tool", Verdict(Status.METADATA, "a drawing tool: there is no text to read")),
    "quora.com": ("article", Verdict(Status.WALLED, _LOGIN.format("Quora"))),
}
_AMAZON = re.compile(r"(?:www\.|smile\.)?amazon\.(?:com|ca|in|de|fr|it|es|nl|se|pl|co\.\w\w|com\.\w\w)")
_OPEN = re.compile(r"/(?:blog|blogs|pulse|radar|ideas|content|articles?)(?:/|$)")  # what these sites show to anyone
_ARTICLES = re.compile(r"/(?:posts|feed|discuss)(?:/|$)")


def fits(url: str) -> bool:
    """Return whether an address is on a site that shows programs no text."""
    return verdict_of(url) is not None


def verdict_of(url: str) -> Verdict | None:
    """Return what is known beforehand to become of an address; None for sites that show their texts.

    >>> verdict_of("https://www.quora.com/What-is-x").reason, verdict_of("https://aws.amazon.com/blogs/")
    ('Quora asks for a login', None)
    """
    return _site(url)[1]


def kind_of(url: str) -> str:
    """Return the kind of a walled address to a reader, "book" or "course" say; "" for any other address."""
    kind, verdict = _site(url)
    return "article" if verdict and _ARTICLES.match(split(url).path) else kind


def is_store(url: str) -> bool:
    """Return whether an address is that of a store, whose words are no part of what it sells."""
    return verdict_of(url) == _STORE


def _site(url: str) -> tuple[str, Verdict | None]:
    host = host_of(url).removeprefix("www.")
    if _OPEN.match(split(url).path):
        return "", None
    if _AMAZON.fullmatch(host):
        return "book", _STORE
    return _SITES.get(is_under(host, {"gumroad.com"}) or host, ("", None))


def gather(url: str, get: Get) -> list[Response]:
    """Return the page."""
    return [get(Ask(url, limit=4 * 2**20))]


def read(parts: Sequence[Response]) -> Extract:
    """Return what the page says of the book, course or platform."""
    from ingest.details import biblio

    verdict = verdict_of(parts[0].url) or _STORE
    return biblio(parts[0]).ending(verdict)


def onward(base: str, links: Sequence[str], prefixes: Sequence[str]) -> list[str]:  # noqa: ARG001
    """Return nothing: what lies behind the wall is not asked for."""
    return []
