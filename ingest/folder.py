"""Folder: where programs write, and the lock that lets one run write at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ingest import IngestError


@dataclass(frozen=True, slots=True)
class Folder:
    """The data folder: all that programs write."""

    path: Path

    @property
    def documents(self) -> Path:
        """Return where the texts lie."""
        return self.path / "documents"

    @property
    def archive(self) -> Path:
        """Return where responses are kept."""
        return self.path / "archive"

    @property
    def lists(self) -> Path:
        """Return where lists of the web are kept."""
        return self.path / "lists"

    @property
    def ledger(self) -> Path:
        """Return the ledger's file."""
        return self.path / "ledger.db"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder for one run; the lock goes with the process, however it ends.

        Raises IngestError where another run holds it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / ".lock").open("a+", errors="replace") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                lock.seek(0)
                who = lock.read(20).strip() or "another"
                raise IngestError(
                    f"{self.path} is being written to by process {who}; wait until that `prep ingest` has ended."
                ) from error
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield
