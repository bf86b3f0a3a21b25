"""Page: an article, a PDF, any file that holds its own text. A site of many pages is followed link by link."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ingest.address import same_page, split, without_tracking
from ingest.message import Ask, Get, Response

if TYPE_CHECKING:
    from ingest.extract import Extract

NAME = "page"
KEEPS = 0
PAGES = 1

_NO_TEXT = re.compile(
    r"\.(?:png|jpe?g|gif|svg|webp|ico|bmp|css|js|mjs|json|xml|rss|atom|zip|gz|tgz|tar|bz2|xz|7z|exe|dmg|deb|rpm|jar|whl"
    r"|mp[34]|m4[av]|webm|og[gv]|wav|avi|mov|woff2?|ttf|eot|csv|xlsx?|ppt|doc|ya?ml|toml|sh|py)$",
    re.IGNORECASE,
)


def fits(url: str) -> bool:  # noqa: ARG001  # what fits nothing else is a page
    """Return True: the last of the kinds."""
    return True


def gather(url: str, get: Get) -> list[Response]:
    """Return the response at the address itself."""
    return [get(Ask(url))]


def read(parts: Sequence[Response]) -> Extract:
    """Return what the response holds."""
    from ingest.extract import extract  # the parsers: only a child loads them

    return extract(parts[0])


def onward(base: str, links: Sequence[str], prefixes: Sequence[str]) -> list[str]:  # noqa: ARG001  # links are absolute
    """Return the links that lie under the prefixes and may be pages, each once.

    Links with a query are passed over: calendars, sortings and searches have no end.

    >>> onward("", ["https://x.org/a/b.html#c", "https://x.org/z", "https://x.org/a/p.png"], ["x.org/a/"])
    ['https://x.org/a/b.html']
    """
    found: dict[str, str] = {}
    for link in links:
        url = without_tracking(link)
        key = same_page(url)
        if "?" in url or _NO_TEXT.search(split(url).path):
            continue
        if any(f"{key}/".startswith(prefix) for prefix in prefixes):
            found.setdefault(key, url)
    return list(found.values())


def prefix_of(url: str) -> str:
    """Return the beginning, as `same_page` writes it, of the addresses that lie under one: its folder.

    >>> prefix_of("https://www.example.org/book/toc.html"), prefix_of("https://example.org/docs")
    ('example.org/book/', 'example.org/docs/')
    """
    key = same_page(url).partition("?")[0]
    last = key.rpartition("/")[2]
    is_file = "." in last and "/" in key
    return f"{key.rpartition('/')[0] if is_file else key}/"
