"""Wikipedia: its articles, through the interface that it offers to programs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ingest.message import Ask, Get, Response

if TYPE_CHECKING:
    from ingest.extract import Extract

NAME = "wikipedia"
KEEPS = 0
PAGES = 1

_ARTICLE = re.compile(r"https?://([a-z-]+)(?:\.m)?\.wikipedia\.org/wiki/([^?#]+)", re.IGNORECASE)
_API = re.compile(r"https?://([a-z-]+)\.wikipedia\.org/w/rest\.php/v1/page/([^/?#]+)/html", re.IGNORECASE)


def fits(url: str) -> bool:
    """Return whether an address is that of an article."""
    return bool(api_address(url))


def gather(url: str, get: Get) -> list[Response]:
    """Return the article as HTML, without the page around it."""
    return [get(Ask(api_address(url), interface=True))]


def read(parts: Sequence[Response]) -> Extract:
    """Return the article."""
    from ingest.extract import extract

    return extract(parts[0])


def onward(base: str, links: Sequence[str], prefixes: Sequence[str]) -> list[str]:  # noqa: ARG001
    """Return nothing: an article's links lead everywhere."""
    return []


def api_address(url: str) -> str:
    """Return where the text of an article is offered to programs; "" for any other address.

    >>> api_address("https://en.m.wikipedia.org/wiki/TCP/IP#History")
    'https://en.wikipedia.org/w/rest.php/v1/page/TCP%2FIP/html'
    """
    found = _ARTICLE.match(url)
    if not found:
        return ""
    return (
        f"https://{found.group(1).lower()}.wikipedia.org/w/rest.php/v1/page/{found.group(2).replace('/', '%2F')}/html"
    )


def page_address(url: str) -> str:
    """Return the article that an address of the interface stands for; "" for any other address."""
    found = _API.fullmatch(url)
    return f"https://{found.group(1).lower()}.wikipedia.org/wiki/{found.group(2).replace('%2F', '/')}" if found else ""
