"""Run: what reading an archive and reading the network have in common: jobs go out to the parsers, rows come back."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence

from ingest.document import Document
from ingest.ledger import Ledger
from ingest.parsing import Job, Parsed, Parsers
from ingest.progress import Progress
from ingest.row import Copy, Row, Trail
from ingest.settle import Settler

Events = queue.SimpleQueue[object]
"""What happened, in the order in which it did: `Parsed` by a child process, `Fetched` by a thread."""


class Run:
    """One pass over pages; it keeps count of what is being parsed."""

    def __init__(
        self,
        ledger: Ledger,
        settler: Settler,
        parsers: Parsers,
        events: Events,
        progress: Progress,
        *,
        refresh: bool,
        written: Callable[[Document], None] | None = None,
    ) -> None:
        """`written` hears of each document as it is written; `refresh` reads what has not changed, too."""
        self.ledger = ledger
        self.settler = settler
        self.events = events
        self.progress = progress
        self.refresh = refresh
        self.read = 0
        self.unchanged = 0
        self.parsing = 0  # jobs that are with the parsers
        self._parsers = parsers
        self._written = written

    def submit(self, job: Job) -> None:
        """Have a job parsed."""
        self.parsing += 1
        self._parsers.submit(job)

    def settle(self, parsed: Parsed, copies: Sequence[Copy] | None = None, trail: Trail | None = None) -> Row:
        """Enter what came back from the parsers."""
        row = self.settler.settle(parsed, copies, trail)
        self.read += 1
        if parsed.document:
            self.progress.done += 1
            if self._written:
                self._written(parsed.document)
        else:
            self.progress.failed += 1
        return row

    def count_unchanged(self) -> None:
        """Count a page that is as it was."""
        self.unchanged += 1
        self.progress.unchanged += 1
