"""Owners: which curated link an address belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ingest.address import same_page
from ingest.catalogue import Resource
from ingest.sources import address_to_read, arxiv, github, page, public_address, threads


class Owners:
    """Tells which curated link an address is, or lies under."""

    def __init__(self, resources: Sequence[Resource], leads: Mapping[str, str] | None = None) -> None:
        """`leads` tells where addresses lead to by redirects."""
        leads = leads or {}
        self._own: dict[str, Resource] = {}
        for resource in resources:
            for url in _spellings(resource):
                self._own.setdefault(same_page(url), resource)
        led = {same_page(url): end for url, end in leads.items()}
        for resource in resources:
            for url in _spellings(resource):
                if end := led.get(same_page(url)):
                    self._own.setdefault(same_page(end), resource)
        self._prefixes = sorted(
            ((prefix, resource) for resource in resources for prefix in prefixes_of(resource, led)),
            key=lambda pair: -len(pair[0]),
        )

    def of(self, url: str) -> Resource | None:
        """Return the resource an address is, or lies under; None for a stray page."""
        key = same_page(url)
        if key in self._own:
            return self._own[key]
        path = f"{key}/".lower()  # names on GitHub have no case
        return next((resource for prefix, resource in self._prefixes if path.startswith(prefix.lower())), None)

    def is_own(self, url: str, resource: Resource) -> bool:
        """Return whether an address is the resource itself, not a page under it."""
        return self._own.get(same_page(url)) == resource


def _spellings(resource: Resource) -> list[str]:
    listed = [url for url in (resource.url, resource.fetch) if url]
    ways = (str, address_to_read, public_address, arxiv.html_address, threads.api_address)
    return list(dict.fromkeys(spelled for way in ways for url in listed if (spelled := way(url))))


def prefixes_of(resource: Resource, leads: Mapping[str, str] | None = None) -> Iterator[str]:
    """Yield the beginnings, as `same_page` writes them, of the addresses that belong to a resource of many pages."""
    if resource.pages < 2:
        return
    for url in (resource.fetch or resource.url, *resource.under):
        if repository := github.repository(url):
            yield f"github.com/{repository}/"
            yield f"raw.githubusercontent.com/{repository}/"
            continue
        yield page.prefix_of(url)
        if leads and (end := leads.get(same_page(url))):
            yield page.prefix_of(end)
