"""Walk: from a resource of many pages to the pages under it, level by level, so that the choice is always the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ingest import sources
from ingest.address import same_page
from ingest.catalogue import Resource
from ingest.crawl import Task
from ingest.owners import prefixes_of
from ingest.row import Trail
from ingest.sources import page, site, walled


class Walk:
    """Knows which pages of one resource come next.

    A level is complete when all its pages have ended; only then is the next one chosen, in the order of the links.
    Where the links give fewer pages than the resource may have, the site's sitemap is asked.
    """

    def __init__(self, resource: Resource, pages: int) -> None:
        """`pages` is how many may be read under the resource."""
        self._resource = replace(resource, pages=max(2, pages))
        self._left = pages
        self._source = sources.source_of(resource.fetch or resource.url)
        self._prefixes = list(prefixes_of(self._resource))
        self._seen = {same_page(url) for url in (resource.url, resource.fetch) if url}
        self._level: dict[str, Sequence[str]] = {resource.url: ()}  # page: its links, in the order of the level
        self._open = {resource.url}
        self._depth = 0
        self._maps_left = site.FILES
        self._maps: list[str] = []

    @property
    def is_over(self) -> bool:
        """Return whether no page is out any more."""
        return not self._open

    def knows(self, url: str) -> bool:
        """Return whether a page was chosen."""
        return same_page(url) in self._seen

    def onward(self, base: str, links: Sequence[str]) -> list[str]:
        """Return those links of the page at `base` that may be pages under the resource."""
        return self._source.onward(base, links, [*self._prefixes, *self._prefix_of(base)])

    def ended(self, task: Task, trail: Trail) -> list[Task]:
        """Return the tasks that follow now that a page has ended and left a trail."""
        if task.page not in self._open:
            return []
        self._open.discard(task.page)
        if task.source == site.NAME:
            return self._from_sitemap(trail)
        if self._depth == 0 and trail.base:
            self._prefixes += self._prefix_of(trail.base)
            self._seen.add(same_page(trail.base))
            if self._source is page:
                self._maps = list(trail.maps) or [site.address_of(trail.base)]
        self._level[task.page] = self.onward(trail.base, trail.links)
        if self._open:
            return []
        following = [link for found in self._level.values() for link in found]
        self._depth += 1
        if self._depth <= self._resource.depth and (tasks := self._chosen(following)):
            return tasks
        return self._next_sitemap()

    def _prefix_of(self, base: str) -> list[str]:
        """Return the folder to which a resource led, where that is another one than it names."""
        if self._source is not page or self._depth or not base or page.prefix_of(base) in self._prefixes:
            return []
        return [page.prefix_of(base)]

    def _chosen(self, links: Sequence[str]) -> list[Task]:
        tasks = []
        self._level = {}
        for link in links:
            if self.knows(link) or self._left <= 0 or walled.fits(link):
                continue
            self._seen.add(same_page(link))
            self._left -= 1
            self._level[link] = ()
            tasks.append(Task(link, self._resource.url, sources.source_of(link).NAME, depth=self._depth))
        self._open = set(self._level)
        return tasks

    def _next_sitemap(self) -> list[Task]:
        if self._left <= 0 or self._maps_left <= 0 or not self._maps:
            return []
        self._maps_left -= 1
        place = self._maps.pop(0)
        self._open = {place}
        return [Task(place, self._resource.url, site.NAME, depth=self._depth)]

    def _from_sitemap(self, trail: Trail) -> list[Task]:
        self._maps = site.onward(trail.base, trail.links, self._prefixes) + self._maps
        self._depth = self._resource.depth  # what a sitemap lists is not followed further
        if tasks := self._chosen(page.onward(trail.base, trail.links, self._prefixes)):
            return tasks
        return self._next_sitemap()
