"""Manners: one request at a time for a host, with a pause after it, and no knocking where one was asked to wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from ingest.address import is_under


@dataclass(frozen=True, slots=True)
class Manners:
    """How much a site is asked, and for how long."""

    gap: float = 1.0  # seconds between two requests to a host
    gaps: tuple[tuple[str, float], ...] = ()  # longer ones, of names whose hosts share one queue
    tries: int = 3  # of what may pass: a busy or failing server, a connection that broke
    backoff: float = 2.0  # seconds before the second try, doubled before the third
    patience: float = 120.0  # seconds; a server that wants a longer wait is left alone for this run
    total: float = 120.0  # seconds of work on one address, redirects and tries included
    redirects: int = 5


class StoppedError(Exception):
    """The run was stopped while a request waited for its turn."""


class WaitError(Exception):
    """A host wants to be left alone for longer than a run waits."""


@dataclass
class _Host:
    """What is known of one queue."""

    gap: float
    lock: threading.Lock = field(default_factory=threading.Lock)
    free_at: float = 0.0  # of time.monotonic
    closed_until: float = 0.0  # of time.time


class Turns:
    """The queues of all hosts; safe to use from many threads."""

    def __init__(self, manners: Manners) -> None:
        self._manners = manners
        self._hosts: dict[str, _Host] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Let everything that waits for its turn end with StoppedError."""
        self._stopped.set()

    def sleep(self, seconds: float) -> None:
        """Wait, unless the run is stopped meanwhile."""
        if self._stopped.wait(max(0.0, seconds)):
            raise StoppedError

    @contextmanager
    def take(self, host: str) -> Iterator[None]:
        """Hold a host's turn: it comes when the last one ended a gap ago.

        Raises WaitError where the host wants to be left alone, StoppedError when the run is stopped.
        """
        queue = self._queue(host)
        with queue.lock:
            if queue.closed_until > time.time():
                until = datetime.fromtimestamp(queue.closed_until, UTC).strftime("%Y-%m-%d %H:%M UTC")
                raise WaitError(f"{host} asks to be left alone until {until}")
            self.sleep(queue.free_at - time.monotonic())
            try:
                yield
            finally:
                queue.free_at = max(queue.free_at, time.monotonic() + queue.gap)

    def slow_down(self, host: str, gap: float) -> None:
        """Make the pause after each request to a host at least so many seconds."""
        queue = self._queue(host)
        queue.gap = max(queue.gap, gap)

    def hold(self, host: str, seconds: float) -> None:
        """Ask a host for nothing in so many seconds; for longer than a run waits, in this run."""
        queue = self._queue(host)
        if seconds > self._manners.patience:
            queue.closed_until = time.time() + seconds
        else:
            queue.free_at = max(queue.free_at, time.monotonic() + seconds)

    def _queue(self, host: str) -> _Host:
        gaps = dict(self._manners.gaps)
        name = is_under(host, gaps) or host
        with self._lock:
            if name not in self._hosts:
                self._hosts[name] = _Host(max(self._manners.gap, gaps.get(name, 0.0)))
            return self._hosts[name]


def seconds_to_wait(header: str, now: datetime | None = None) -> float | None:
    """Return how long a Retry-After header asks to wait, given in seconds or as a date; None where it says nothing.

    >>> seconds_to_wait("120"), seconds_to_wait("soon")
    (120.0, None)
    >>> seconds_to_wait("Wed, 21 Oct 2026 07:28:30 GMT", datetime(2026, 10, 21, 7, 28, tzinfo=UTC))
    30.0
    """
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
