"""What is asked of a site, and what it answers."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

MAX_BODY = 32 * 2**20  # bytes, inflated; the largest paper of the lists has 4 MB


class FetchError(Exception):
    """An address that gave no response; the message is the ledger's reason."""


class RefusedError(FetchError):
    """An address that was not asked: it is no public one, or its site does not want it."""


class UnknownRulesError(RefusedError):
    """An address that was not asked because its site's robots.txt could not be had: another time it may."""


class BrokenError(FetchError):
    """A connection that broke; it may hold another time."""


class UnreachedError(BrokenError):
    """A host to which there is no connection."""


class UnknownHostError(UnreachedError):
    """A host whose name nobody knows."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request."""

    url: str
    etag: str = ""  # of the copy that is here: the server may answer that it still holds
    modified: str = ""
    body: bytes = b""  # sent by POST, where there is one
    headers: tuple[tuple[str, str], ...] = ()
    limit: int = MAX_BODY  # bytes; a longer answer is refused, or cut there where this is negative
    # An interface that its site publishes for programs: its terms govern it (a contact in the User-Agent, the pace),
    # not the robots.txt, which is for crawlers and often closes the folder that the interface is in.
    interface: bool = False

    @property
    def key(self) -> str:
        """Return the address that an archive keeps the answer under; of a POST, its body is a part of it."""
        if not self.body:
            return self.url
        mark = "&" if "?" in self.url else "?"
        return f"{self.url}{mark}__wb_method=POST&__wb_post_data={base64.urlsafe_b64encode(self.body).decode()}"


@dataclass(frozen=True, slots=True)
class Redirect:
    """One step on the way to a response."""

    url: str
    status: int
    location: str


@dataclass(frozen=True, slots=True)
class Response:
    """What an address answered."""

    url: str  # the address that was asked for
    status: int
    content_type: str
    body: bytes
    fetched_at: str  # ISO 8601
    etag: str = ""
    modified: str = ""  # Last-Modified, as sent
    final: str = ""  # the address that answered, where redirects led away from `url`
    via: tuple[Redirect, ...] = ()

    @property
    def where(self) -> str:
        """Return the address that answered."""
        return self.final or self.url


Get = Callable[[Ask], Response]
"""Returns what an address answers, from the network or an archive; raises FetchError."""


def now() -> str:
    """Return the time in ISO 8601, UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
