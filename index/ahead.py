"""Ahead: documents are embedded while others are still being fetched; the build then finds their vectors made."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from index import ShelfError, build
from index.encoder import Encoder
from ingest.document import Document


class Ahead:
    """Embeds documents in a thread of its own, as they come; use it as a context manager."""

    def __init__(self, encoder: Callable[[], Encoder], folder: Path) -> None:
        """`encoder` loads it, once the first document has come."""
        self._encoder = encoder
        self._folder = folder
        self._documents: queue.SimpleQueue[Document | None] = queue.SimpleQueue()
        self._stopped = False
        self._thread = threading.Thread(target=self._work, daemon=True)

    def add(self, document: Document) -> None:
        """Embed a document when its turn comes."""
        self._documents.put(document)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish the document in hand, after Ctrl-C, too: an encoder that works while the process ends aborts it.

        The build embeds what is left, and shows how far it is.
        """
        self._stopped = True
        self._documents.put(None)
        self._thread.join()

    def _work(self) -> None:
        first = self._documents.get()
        if first is None or self._stopped:
            return
        document: Document | None = first
        with suppress(ShelfError):  # the build meets it again, and says so
            encoder = self._encoder()
            while document is not None and not self._stopped:
                build.embed(document, encoder, self._folder)
                document = self._documents.get()
