"""Crawl: tasks are fetched side by side, hosts in parallel and each of them in turn."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ingest import sources
from ingest.address import host_of
from ingest.fetch import Door
from ingest.message import Ask, FetchError, Response
from ingest.row import Copy

THREADS = 24  # hosts at once


@dataclass(frozen=True, slots=True)
class Task:
    """One page to fetch."""

    page: str  # the ledger's address for it
    resource: str
    source: str  # the kind of link, by its name
    url: str = ""  # what to fetch for it, where that is not the page's own address
    title: str = ""
    depth: int = 0  # links away from the resource
    fresh: bool = False  # whether to fetch it whatever is here
    paper: bool = False  # whether `url` is the PDF that the page leads to

    @property
    def address(self) -> str:
        """Return the address to gather from."""
        return self.url or self.page


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a task brought: responses, some of them with status 304, or the reason why there are none."""

    task: Task
    parts: tuple[Response, ...] = ()
    error: FetchError | None = None


class Crawl:
    """Fetches tasks through a door; `done` is called, in a thread, with what each brought."""

    def __init__(self, door: Door, copies: Mapping[str, Copy], done: Callable[[Fetched], None]) -> None:
        """`copies` are the responses that are here: servers are asked whether they still hold."""
        self._door = door
        self._copies = copies
        self._done = done
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[Task]] = {}  # by host; a host is in it while it is served
        self._hosts: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._threads = 0
        self._stopped = False
        self.flying: dict[str, str] = {}  # host: what is fetched from it right now

    def put(self, task: Task) -> None:
        """Fetch a task when its host's turn comes."""
        host = host_of(task.address)
        with self._lock:
            if host in self._waiting:
                self._waiting[host].append(task)
                return
            self._waiting[host] = deque([task])
            self._hosts.put(host)
            if self._threads < THREADS:
                self._threads += 1
                threading.Thread(target=self._work, daemon=True).start()  # a kill does not wait for the network

    def stop(self) -> None:
        """Fetch nothing more."""
        self._stopped = True
        self._door.close()

    def _work(self) -> None:
        while not self._stopped:
            host = self._hosts.get()
            with self._lock:
                task = self._waiting[host].popleft()
                self.flying[host] = task.address
            fetched = self._fetch(task)
            with self._lock:
                self.flying.pop(host, None)
                if self._waiting[host]:
                    self._hosts.put(host)  # behind the others: no host keeps a thread to itself
                else:
                    del self._waiting[host]
            if not self._stopped:
                self._done(fetched)

    def _fetch(self, task: Task) -> Fetched:
        def get(ask: Ask) -> Response:
            copy = self._copies.get(ask.key)
            if copy and copy.page == task.page and not task.fresh:
                ask = replace(ask, etag=copy.etag, modified=copy.modified)
            return replace(self._door.get(ask), url=ask.key)

        try:
            parts = sources.named(task.source).gather(task.address, get)
        except FetchError as error:
            return Fetched(task, error=error)
        except Exception as error:  # a fault in one source must not end the run
            return Fetched(task, error=FetchError(f"it could not be fetched ({type(error).__name__}: {error})"))
        return Fetched(task, tuple(parts))
