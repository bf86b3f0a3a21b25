"""Status: what can become of a link."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """What became of a link."""

    TEXT = "full text"
    TRANSCRIPT = "transcript"
    FOREIGN = "other language"  # read and kept, and not searched: its language is none that the encoder reads
    OUTLINE = "outline"  # headings and links, hardly a sentence
    METADATA = "metadata only"
    WALLED = "walled"  # a login, a price or a consent stands before it
    DEAD = "dead"
    MALFORMED = "malformed"
    DUPLICATE = "duplicate"  # its text stands in another document
    REJECTED = "rejected"  # an error page, a consent page, a shell without text
    UNREADABLE = "unreadable"  # bytes that no parser makes text of
    FAILED = "failed"  # it may work another time
    PENDING = "not fetched"


HAS_TEXT = frozenset({Status.TEXT, Status.TRANSCRIPT})
"""Those whose text is searched, and can be quoted."""

READ = HAS_TEXT | {Status.FOREIGN}
"""Those whose text is here."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why something is no document."""

    status: Status
    reason: str


STYLES = {
    Status.TEXT: "green",
    Status.TRANSCRIPT: "green",
    Status.WALLED: "yellow",
    Status.METADATA: "yellow",
    Status.OUTLINE: "yellow",
    Status.FOREIGN: "yellow",
    Status.PENDING: "dim",
    Status.DUPLICATE: "dim",
}
"""Colours in which a terminal shows them; the others are red."""
