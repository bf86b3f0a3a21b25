"""Gathering: the links of the lists are read while the chat is open, in a process of its own that gives way to it.

It publishes new shelves as it goes, which the desk changes to. It is stopped with the chat, and the next start goes on
where it was.
"""

from __future__ import annotations

import signal
import sqlite3
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ingest import IngestError
from ingest.folder import Folder
from ingest.ledger import GATHERING, open_ledger

PARTING = 8.0  # seconds that it has to end a document and close its files


class Gathering:
    """The process that reads the links, where there are any to read."""

    def __init__(self, command: Sequence[str], data: Path) -> None:
        """`command` is what reads them; where it is empty, there is nothing to do."""
        self._command = list(command)
        self._data = data
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin to read, or go on."""
        if not self._command:
            return
        log = self._data / "chat" / "gathering.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as out:
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    @property
    def runs(self) -> bool:
        """Return whether it is reading."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Have it end; what it read is kept."""
        if self._process is None or not self.runs:
            return
        self._process.send_signal(signal.SIGINT)  # as Ctrl-C does, which it may have heard already
        try:
            self._process.wait(PARTING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def as_json(self) -> dict[str, object]:
        """Return whether it is reading, and why not all was read, where it has ended and some was not."""
        return {"gathering": self.runs, "ungathered": "" if self.runs else self._why_not()}

    def _why_not(self) -> str:
        if self._process is None:
            return ""
        try:
            with open_ledger(Folder(self._data).ledger) as book:
                left = bool(book.fact(GATHERING))
        except (IngestError, sqlite3.Error):
            return ""
        return "the links could not be read: there is no network; the next start tries again" if left else ""
