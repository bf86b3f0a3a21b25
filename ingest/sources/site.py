"""Site: the sitemap of a site, for pages that no link leads to."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ingest.address import split
from ingest.message import MAX_BODY, Ask, Get, Response

if TYPE_CHECKING:
    from ingest.extract import Extract

NAME = "sitemap"
KEEPS = 1
PAGES = 1
FILES = 5  # sitemaps of one site that are read

_GZIP = b"\x1f\x8b"


def fits(url: str) -> bool:  # noqa: ARG001
    """Return False: it is asked for by name."""
    return False


def gather(url: str, get: Get) -> list[Response]:
    """Return the sitemap."""
    return [get(Ask(url))]


def read(parts: Sequence[Response]) -> Extract:
    """Return the addresses it lists."""
    from ingest.extract import Unreadable, sitemap

    body = parts[0].body
    if body.startswith(_GZIP):
        try:
            body = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(body, MAX_BODY)
        except zlib.error as error:
            raise Unreadable(f"the sitemap cannot be inflated ({error})") from error
    return sitemap(replace(parts[0], body=body))


def onward(base: str, links: Sequence[str], prefixes: Sequence[str]) -> list[str]:
    """Return the further sitemaps that an index of sitemaps lists, those about the prefixes first."""
    maps = [link for link in links if split(link).path.endswith((".xml", ".xml.gz"))]
    steps = {step for prefix in prefixes for step in prefix.strip("/").split("/")[1:] if step}
    return sorted(maps, key=lambda link: (not steps & set(split(link).path.strip("/").split("/")), link != base))


def address_of(url: str) -> str:
    """Return where a site keeps its sitemap, where its robots.txt names none."""
    parts = split(url)
    return f"{parts.scheme}://{parts.netloc}/sitemap.xml"
