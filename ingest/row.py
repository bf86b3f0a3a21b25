"""Row: what is known of a page, of the responses it was read from, and of the pages it leads to."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.status import Status


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one address."""

    url: str
    resource: str  # the curated link it belongs to; its own address for that link itself
    title: str
    status: Status
    reason: str = ""
    fix: str = ""  # what a person can do about it
    words: int = 0
    fetched_at: str = ""
    document: str = ""  # path of the text under the documents folder
    sha256: str = ""  # of what was fetched
    about: str = ""  # who made it, what it is, how long, at what price: what is known besides the text
    final: str = ""  # where it is found, after redirects and by the page's own word
    holder: str = ""  # of a duplicate: the address whose document holds its text
    misses: int = 0  # how often in a row it was not found
    checked_at: str = ""  # when a site was last asked for it
    reader: str = ""  # version of the code that read it
    saved: str = ""  # the file it was read from, where a person saved it
    paper: str = ""  # address of the PDF that was read instead of the page about it


@dataclass(frozen=True, slots=True)
class Copy:
    """What is known of a response that is here: enough to ask whether it still holds."""

    url: str  # asked for
    page: str  # the row it is for
    sha256: str
    etag: str = ""
    modified: str = ""


@dataclass(frozen=True, slots=True)
class Trail:
    """Where the pages under a page are found."""

    base: str = ""  # the address that answered
    maps: tuple[str, ...] = ()  # the sitemaps of its site
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A row as `prep status` shows it: with the topic and kind of its resource."""

    row: Row
    topic: str
    kind: str
    curated: bool  # False for a page that an archive held and no list names
