"""Online: curated links are fetched, and the pages under them; fetching and parsing go on at the same time."""

from __future__ import annotations

import hashlib
import queue
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from ingest import sources
from ingest.address import host_of, well_formed, without_tracking
from ingest.catalogue import Resource
from ingest.crawl import THREADS, Crawl, Fetched, Task
from ingest.fetch import Door
from ingest.keeper import Keeper
from ingest.message import FetchError, Response, UnreachedError
from ingest.parsing import Job, Parsed
from ingest.row import Row, Trail
from ingest.run import Run
from ingest.settle import copies_of, digest_of
from ingest.sources import site
from ingest.status import READ, Status
from ingest.walk import Walk

UNREACHED = 3  # hosts that could not be reached, with none that could
PATIENCE = 4.0  # seconds after which so many are enough to say that there is no network
NO_NETWORK = "there is no network"
SILENCE = 8.0  # seconds without a word from anyone say the same


@dataclass(frozen=True, slots=True)
class _Reading:
    """A task whose responses are with the parsers."""

    task: Task
    parts: tuple[Response, ...]


class OnlineRun(Run):
    """Fetches what is wanted and reads it into the ledger."""

    def fetch(self, wanted: Sequence[Resource], door: Door, keeper: Keeper, begun: str) -> str:
        """Fetch curated links and what is under them; return why those without a row have none.

        `begun` is when this round began: what was asked for since then is not asked for again.
        """
        self._door, self._keeper, self._begun = door, keeper, begun
        self._copies = self.ledger.copies()
        self._crawl = Crawl(door, self._copies, self.events.put)
        self._walks: dict[str, Walk] = {}
        self._reading: dict[str, _Reading] = {}  # by page
        self._landings: dict[str, tuple[Parsed, _Reading]] = {}  # pages about a paper whose PDF is being fetched
        self._unreached: list[Fetched] = []  # what may only mean that there is no network
        self._out = 0  # pages that have not ended
        self.progress.enter("Fetching")
        self.progress.flying = self._crawl.flying
        readable = [resource for resource in wanted if well_formed(resource.fetch or resource.url)]
        try:
            for resource in readable:
                self._start(resource)
            reached = self._loop(len({host_of(resource.fetch or resource.url) for resource in readable}))
        finally:
            self._crawl.stop()
            self.progress.flying = {}
        return "no answer" if reached else NO_NETWORK

    def _loop(self, hosts: int) -> bool:
        """Handle what happens until all has ended; return False where there is no network."""
        began = time.monotonic()
        while self._out:
            try:
                event = self.events.get(timeout=0.25)
            except queue.Empty:
                event = None
            if isinstance(event, Parsed):
                self._on_parsed(event)
            elif isinstance(event, Fetched):
                self._on_fetched(event)
            if self._door.reached.is_set():
                for fetched in self._unreached:
                    self._crawl.put(fetched.task)  # with as many tries as any
                self._unreached = []
            elif self._is_offline(hosts, time.monotonic() - began):
                return False
        return True

    def _is_offline(self, hosts: int, seconds: float) -> bool:
        failed = {host_of(fetched.task.address): str(fetched.error) for fetched in self._unreached}
        if len(failed) >= min(hosts, THREADS) or (len(failed) >= UNREACHED and seconds > PATIENCE) or seconds > SILENCE:
            said = "; ".join(f"{host}: {error}" for host, error in list(failed.items())[:UNREACHED])
            self.progress.tell(f"There is no network: {said or 'nobody answers'}. Nothing more was asked for.")
            return True
        return False

    # --- what to fetch ----------------------------------------------------------------------------

    def _start(self, resource: Resource) -> None:
        url = without_tracking(resource.fetch or resource.url)
        source = sources.source_of(url)
        pages = resource.pages if resource.pages > 1 or resource.kind == "video" else source.PAGES
        if pages > 1:
            self._walks[resource.url] = Walk(resource, pages)
        self._put(Task(resource.url, resource.url, source.NAME, url, resource.title))

    def _put(self, task: Task) -> None:
        """Fetch a page, unless that was done in this round, or what is here is kept for longer."""
        self._out += 1
        self.progress.total += 1
        known = self.ledger.row(task.page)
        trail = self.ledger.trail(task.page)
        sound = task.source == site.NAME or self.settler.is_sound(known)
        leads = trail.base or task.resource not in self._walks  # else its links are not known yet
        if known and leads and self._is_done(known, task, sound=sound):
            self.count_unchanged()
            self._end(task, trail)
        else:
            self._crawl.put(replace(task, fresh=self.refresh or not (sound and leads)))

    def _is_done(self, known: Row, task: Task, *, sound: bool) -> bool:
        if known.checked_at >= self._begun:
            return sound or known.status not in READ
        if self.refresh or not sound:
            return False
        keeps = sources.named(task.source).KEEPS
        lasting = known.status in {Status.TRANSCRIPT, Status.WALLED, Status.METADATA}
        since = (datetime.now(UTC) - timedelta(days=keeps)).isoformat()
        return bool(known.saved) or (keeps > 0 and lasting and known.checked_at > since)

    def _end(self, task: Task, trail: Trail) -> None:
        """Go on from a page that has ended."""
        self._out -= 1
        walk = self._walks.get(task.resource)
        following = walk.ended(task, trail) if walk else []
        if walk and walk.is_over:
            del self._walks[task.resource]
            following += self._left_behind(walk, task.resource)
        for each in following:
            self._put(each)

    def _left_behind(self, walk: Walk, resource: str) -> list[Task]:
        """Return pages that were fetched before and that nothing leads to now: are they still there?"""
        rows = [row for row in self.ledger.under(resource) if row.checked_at and row.document]
        kinds = [(row, sources.source_of(row.url).NAME) for row in rows if not walk.knows(row.url)]
        return [Task(row.url, resource, kind, title=row.title, depth=1) for row, kind in kinds]

    # --- what happened ----------------------------------------------------------------------------

    def _on_fetched(self, fetched: Fetched) -> None:
        task = fetched.task
        if fetched.error:
            if isinstance(fetched.error, UnreachedError) and not self._door.reached.is_set():
                self._unreached.append(fetched)
            else:
                self._on_failed(task, fetched.error)
            return
        for part in fetched.parts:
            if part.status != 304:
                self._keeper.keep(part)
        same = [part.status == 304 or self._holds(task.page, part) for part in fetched.parts]
        if all(same) and not task.fresh:
            self._on_unchanged(task, fetched.parts)
        elif any(part.status == 304 for part in fetched.parts):
            self._crawl.put(replace(task, fresh=True))  # one part changed: all of them are needed
        else:
            self._keeper.sync()
            self._parse(task, fetched.parts)

    def _holds(self, page: str, part: Response) -> bool:
        """Return whether a response is the one that is here already; that it is still not found is no such thing."""
        copy = self._copies.get(part.url) if part.status == 200 else None
        return copy is not None and copy.page == page and copy.sha256 == hashlib.sha256(part.body).hexdigest()

    def _on_unchanged(self, task: Task, parts: tuple[Response, ...]) -> None:
        known = self.ledger.row(task.page)
        if known and known.paper and not task.paper:
            self._crawl.put(replace(task, url=known.paper, source="page", paper=True))
            return
        if known:
            self.settler.unchanged(known)
        landing = self._landings.pop(task.page, None)
        if landing:
            both = (*landing[1].parts, *parts)
            self.ledger.record(None, page=task.page, copies=copies_of(task.page, both, self._copies))
        self.count_unchanged()
        self._end(task, self.ledger.trail(task.page))

    def _on_failed(self, task: Task, error: FetchError) -> None:
        if landing := self._landings.pop(task.page, None):
            self.progress.tell(f"{task.page}: its PDF could not be fetched ({error}); the page itself is read.")
            self._settle(*landing)
            return
        if task.source != site.NAME:
            self.settler.failed(task.page, task.resource, task.title, error)
        self.progress.failed += 1
        self._end(task, Trail())

    def _parse(self, task: Task, parts: tuple[Response, ...]) -> None:
        self._reading[task.page] = _Reading(task, parts)
        self.submit(
            Job(
                parts=parts,
                page=task.page,
                url=self._cited(task),
                resource=task.resource,
                source=task.source,
                title=task.title,
                digest=digest_of([hashlib.sha256(part.body).hexdigest() for part in parts]),
                onward=task.resource in self._walks,
                asked=True,
                paper=task.url if task.paper else "",
            )
        )

    def _cited(self, task: Task) -> str:
        """Return the address that a citation of what a task brought links to."""
        if not task.paper:
            return sources.public_address(task.address)
        return task.page if sources.is_captions(task.url) else task.url

    def _on_parsed(self, parsed: Parsed) -> None:
        self.parsing -= 1
        reading = self._reading.pop(parsed.job.page)
        task = reading.task
        if task.source == site.NAME:
            trail = Trail(reading.parts[0].where, (), parsed.links)
            copies = copies_of(task.page, reading.parts, self._copies)
            self.ledger.record(None, page=task.page, copies=copies, trail=trail)
            self.count_unchanged()
            self._end(task, trail)
        elif parsed.paper and not task.paper:
            self._landings[task.page] = (parsed, reading)
            self._crawl.put(replace(task, url=parsed.paper, source="page", paper=True))
        elif task.paper and not parsed.document and (landing := self._landings.pop(task.page, None)):
            self._settle(*landing)
        else:
            self._settle(parsed, reading)

    def _settle(self, parsed: Parsed, reading: _Reading) -> None:
        task, parts = reading.task, reading.parts
        if landing := self._landings.pop(task.page, None):
            parts = (*landing[1].parts, *parts)
        trail = None
        if walk := self._walks.get(task.resource):
            base = reading.parts[0].where
            trail = Trail(base, self._door.sitemaps(base), tuple(walk.onward(base, parsed.links)))
        self.settle(parsed, copies_of(task.page, parts, self._copies), trail)
        self._end(task, trail or Trail())
