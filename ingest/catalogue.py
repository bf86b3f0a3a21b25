"""Catalogue: lists of links become resources, each address once, with all the topics it stands under."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from ingest import IngestError
from ingest.address import same_page
from ingest.characters import whole
from ingest.lists import reading
from ingest.lists.found import Found
from ingest.sources import kind_of

HERE = Path(__file__).parent
LISTS = HERE / "catalogue"
STARTER = HERE / "starter"

MAX_LIST_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True)
class Resource:
    """One curated link."""

    url: str  # as the list has it
    title: str
    topics: tuple[str, ...]  # heading paths, " > " between the steps; the same link may stand under several
    note: str = ""  # what the curator says of it
    fetch: str = ""  # the address to read instead, where the listed one is malformed
    pages: int = 1  # at most so many pages are read under it
    under: tuple[str, ...] = ()  # prefixes whose pages belong to it, besides what lies under its own address
    depth: int = 3  # links away from it, at most
    lists: tuple[str, ...] = ()  # names of the list files that it stands in

    @property
    def kind(self) -> str:
        """Return what it is to a reader: "video", "paper", "book", "course", "repository", "article" ..."""
        return kind_of(self.fetch or self.url)

    @property
    def topic(self) -> str:
        """Return its topics as one line."""
        return "; ".join(self.topics)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a list lies, and what it is called in the ledger: a page of the web by its own address."""

    path: Path
    url: str = ""  # of a page of the web
    content_type: str = ""
    base: str = ""  # to which its links are relative


def read(lists: Iterable[Path | Origin]) -> list[Resource]:
    """Return the resources of lists of any form, each address once with all its topics, in order.

    Raises IngestError where one of them cannot be read, or holds no link.
    """
    found: list[Resource] = []
    problems: list[str] = []
    for each in lists:
        try:
            found += _read_one(each if isinstance(each, Origin) else Origin(each))
        except IngestError as error:
            problems.append(str(error))
    if problems or not found:
        raise IngestError("\n".join(problems) or "no list was named; name a file such as LIST.md.")
    return _merged(found)


def built_in() -> list[Resource]:
    """Return the resources of the lists that ship with the project; one of them holds no links."""
    lists = [path for path in sorted(LISTS.glob("*.md")) if b"](http" in path.read_bytes()]
    return read(lists)


def _merged(found: Iterable[Resource]) -> list[Resource]:
    merged: dict[str, Resource] = {}
    for resource in found:
        if known := merged.get(same_page(resource.url)):
            topics = tuple(dict.fromkeys(known.topics + resource.topics))
            names = tuple(dict.fromkeys(known.lists + resource.lists))
            resource = replace(known, topics=topics, lists=names, note=known.note or resource.note)
        merged[same_page(resource.url)] = resource
    return list(merged.values())


def _read_one(origin: Origin) -> list[Resource]:
    path = origin.path
    try:
        source = path.read_bytes()
    except OSError as error:
        raise IngestError(f"{path} cannot be read ({error.strerror}); name a list of links.") from error
    if len(source) > MAX_LIST_BYTES:
        raise IngestError(f"{path} has {len(source):,} bytes, more than a list of links needs; split it.")
    shown, reason = origin.url or path, ""
    found: list[Found] = []
    try:
        found = reading.links_in(source, path.name, base=origin.base, content_type=origin.content_type)
    except (ValueError, RecursionError) as error:
        reason = f" ({error})"
    if not found:
        raise IngestError(
            f"{shown}: no link to http or https found; a list is Markdown such as `- [Title](https://...)`, or"
            f" {reading.KNOWN}{reason}."
        )
    name = origin.url or str(path.resolve())
    return _without_list_title([_resource(each, name) for each in found])


def _resource(found: Found, name: str) -> Resource:
    settings = found.settings
    return Resource(
        url=whole(found.url),
        title=whole(found.title or found.url),
        topics=tuple(map(whole, found.topics)),
        note=whole(found.note),
        fetch=settings.get("fetch", ""),
        pages=_number(settings.get("pages", ""), 1),
        under=tuple(value for key in ("also", "under") if (value := settings.get(key))),
        depth=_number(settings.get("depth", ""), 3),
        lists=(name,),
    )


def _number(text: str, standard: int) -> int:
    return int(text[:6]) if text.isascii() and text.isdigit() else standard


def _without_list_title(resources: list[Resource]) -> list[Resource]:
    """Return resources without the first step of their topic where all share it: the title of the list."""
    first = {topic.split(" > ")[0] for resource in resources for topic in resource.topics}
    if len(first) != 1 or not all(" > " in topic for resource in resources for topic in resource.topics):
        return resources
    return [
        replace(resource, topics=tuple(topic.partition(" > ")[2] for topic in resource.topics))
        for resource in resources
    ]
