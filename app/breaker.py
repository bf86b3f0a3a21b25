"""Breaker: keeps questions from a language model's server that fails, until it has had a rest."""

from __future__ import annotations

import threading
import time

from app import ModelError

FAILURES = 3  # in a row, after which a model is left to rest
REST = 30.0  # seconds


class Breaker:
    """Lets a server that fails rest, so that nobody waits for it; after each rest one question tries it again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._until = 0.0

    def enter(self, host: str) -> None:
        """Let a question through, or raise ModelError."""
        with self._lock:
            now = time.monotonic()
            if now < self._until:
                raise ModelError(f"{host} failed just now and is not asked again for {self._until - now:.0f} s")
            if self._failures >= FAILURES:
                self._until = now + REST  # this question tries; the others go on waiting

    def worked(self) -> None:
        """Note that an answer came whole."""
        with self._lock:
            self._failures, self._until = 0, 0.0

    def failed(self, *, lasting: bool) -> None:
        """Note a failure; one that only a person can mend counts for all."""
        with self._lock:
            self._failures = FAILURES if lasting else self._failures + 1
            if self._failures >= FAILURES:
                self._until = time.monotonic() + REST
