"""Robots: what a site lets programs read (RFC 9309), through protego."""

from __future__ import annotations

from dataclasses import dataclass

from protego import Protego

AGENT = "Prepshelf"  # the product token that a robots.txt names us by
MAX_BYTES = 500 * 1024  # of a robots.txt are read (section 2.5)
MAX_DELAY = 60.0  # seconds; a longer delay is cut to this


@dataclass(frozen=True, slots=True)
class Rules:
    """What one origin allows."""

    parsed: Protego | None = None  # None: there are no rules
    nothing: str = ""  # why nothing may be read, where nothing may

    def allows(self, url: str, agent: str = AGENT) -> bool:
        """Return whether a program may read an address, given whole or from its path on."""
        if self.nothing:
            return False
        return self.parsed is None or bool(self.parsed.can_fetch(url, agent))

    @property
    def delay(self) -> float:
        """Return the seconds that the site wants between two requests; 0 where it does not say."""
        wanted = (self.parsed.crawl_delay(AGENT) or 0.0) if self.parsed else 0.0
        return min(max(0.0, float(wanted)), MAX_DELAY)

    @property
    def sitemaps(self) -> tuple[str, ...]:
        """Return the addresses of sitemaps that it names."""
        return tuple(self.parsed.sitemaps) if self.parsed else ()


def rules_of(status: int, body: bytes) -> Rules:
    """Return what a robots.txt says, given the status it came with after its redirects (section 2.3.1).

    Of a server that fails nothing is read; where there is no such file, or no more than redirects, everything.

    >>> rules_of(404, b"").allows("/a"), rules_of(503, b"").allows("/a")
    (True, False)
    """
    if 200 <= status < 300:
        try:
            return Rules(Protego.parse(body[:MAX_BYTES].decode("utf-8", "replace").lstrip("\ufeff")))
        except Exception as error:  # what its parser makes of hostile bytes is not a permission
            return Rules(nothing=f"its robots.txt cannot be read ({type(error).__name__})")
    if 300 <= status < 500 and status != 429:  # who asks too often is not told that there are no rules
        return Rules()
    return Rules(nothing=f"its robots.txt answered with {status}" if status else "its robots.txt could not be read")
