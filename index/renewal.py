"""Renewal: new shelves are published while documents are still coming in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from index import ShelfError
from ingest import IngestError

EVERY = 45.0  # seconds between two shelves


class Renewal:
    """Builds a shelf now and then, in a thread of its own; use it as a context manager."""

    def __init__(self, build: Callable[[], None], every: float = EVERY) -> None:
        """`build` publishes a shelf of the documents that are there."""
        self._build = build
        self._every = every
        self._news = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def add(self) -> None:
        """Hear of a new document."""
        self._news.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish the shelf in hand; the last one is built by whoever ends the run."""
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._over.wait(self._every):
            if self._news.is_set():
                self._news.clear()
                try:
                    self._build()
                except (ShelfError, IngestError):  # the next one may do; the last one tells
                    self._news.set()
