"""Catalogue: any Markdown list of links becomes resources, its headings their topics.

Nested bullets, headings, reference-style links and autolinks are read as a person would: a bullet without a link
that has bullets with links under it is a heading too, text beside or under a link is the curator's note on it. A
comment behind a link sets how it is read: `<!-- fetch: ADDRESS; pages: 40; also: PREFIX; under: PREFIX -->`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ingest import IngestError
from ingest.sources import kind_of

HERE = Path(__file__).parent
LISTS = HERE / "catalogue"
STARTER = HERE / "starter"

MAX_LIST_BYTES = 8 * 2**20
_SETTING = re.compile(r"\b(fetch|pages|also|under)\s*:\s*([^;>]+?)\s*(?=;|-->)")
_GENERIC = {
    "website",
    "site",
    "here",
    "link",
    "video",
    "paper",
    "pdf",
    "code",
    "slides",
    "repo",
    "blog",
    "book",
    "github",
    "demo",
}


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

    @property
    def kind(self) -> str:
        """Return what it is to a reader: "video", "paper", "book", "course", "repository", "article" ..."""
        return kind_of(self.fetch or self.url)

    @property
    def topic(self) -> str:
        """Return its topics as one line."""
        return "; ".join(self.topics)


@dataclass
class _Reading:
    """What the reader has seen so far in one file."""

    headings: list[tuple[int, str]] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)  # bullets that act as headings, outermost first
    resources: list[Resource] = field(default_factory=list)

    def topic(self) -> str:
        return " > ".join([title for _, title in self.headings] + [group for group in self.groups if group])


def read(paths: Iterable[Path]) -> list[Resource]:
    """Return the resources of Markdown lists, each address once with all its topics, in order.

    Raises IngestError where a file cannot be read, or none of them holds a link.
    """
    paths = list(paths)
    merged: dict[str, Resource] = {}
    for path in paths:
        for resource in _read_one(path):
            known = merged.get(same_page(resource.url))
            if known:
                topics = tuple(dict.fromkeys(known.topics + resource.topics))
                merged[same_page(resource.url)] = replace(known, topics=topics, note=known.note or resource.note)
            else:
                merged[same_page(resource.url)] = resource
    if not merged:
        names = ", ".join(str(path) for path in paths) or "no file"
        raise IngestError(
            f"{names}: no link to http or https found; a list is Markdown such as `- [Title](https://...)`."
        )
    return list(merged.values())


def built_in() -> list[Resource]:
    """Return the resources of the lists that ship with the project."""
    return read(sorted(LISTS.glob("*.md")))


def same_page(url: str) -> str:
    """Return a key under which two spellings of one address are equal.

    >>> same_page("http://www.Example.org/a/?utm_source=x#top") == same_page("https://example.org/a")
    True
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").lower().removeprefix("www.")
    query = "&".join(
        part for part in parts.query.split("&") if part and not re.match(r"(?:utm_\w+|fbclid|gclid|si|ref)=", part)
    )
    return f"{host}{parts.path.rstrip('/')}{'?' if query else ''}{query}"


def _read_one(path: Path) -> list[Resource]:
    try:
        source = path.read_bytes()
    except OSError as error:
        raise IngestError(f"{path} cannot be read ({error.strerror}); name a Markdown file.") from error
    if len(source) > MAX_LIST_BYTES:
        raise IngestError(f"{path} has {len(source):,} bytes, more than a list of links needs; split it.")
    text = re.sub(r"\A---\n.*?\n---\n", "", source.decode("utf-8", "replace"), flags=re.DOTALL)
    reader = MarkdownIt("commonmark", {"linkify": True}).enable("linkify")
    reader.normalizeLink = lambda url: url  # type: ignore[method-assign]  # an address stays as it is written
    reader.validateLink = lambda url: True  # type: ignore[method-assign]  # noqa: ARG005  # _links chooses
    reading = _Reading()
    _walk(reader.parse(text), reading)
    return _without_list_title(reading.resources)


def _walk(tokens: Sequence[Token], reading: _Reading) -> None:
    depth = 0
    open_items: list[Resource | None] = []  # the resource that each open bullet is about
    for n, token in enumerate(tokens):
        if token.type == "list_item_open":
            depth += 1
            open_items.append(None)
            reading.groups.append("")
        elif token.type == "list_item_close":
            depth -= 1
            open_items.pop()
            reading.groups.pop()
        elif token.type == "inline" and tokens[n - 1].type == "heading_open":
            level = int(tokens[n - 1].tag[1])
            reading.headings = [step for step in reading.headings if step[0] < level]
            reading.headings.append((level, _plain(token.children or [])))
        elif token.type == "inline":
            _read_line(token.children or [], reading, open_items)


def _read_line(children: Sequence[Token], reading: _Reading, open_items: list[Resource | None]) -> None:
    """Read one bullet or paragraph: its links, or a note, or the name of a group."""
    above = next((item for item in reversed(open_items) if item), None)
    links = list(_links(children))
    if not links:
        text = _plain(children)
        if above:
            _add_note(reading, above, text)
        elif open_items:
            reading.groups[-1] = text.rstrip(":")
        return
    settings = dict(_SETTING.findall(" ".join(child.content for child in children if child.type == "html_inline")))
    for n, (url, title) in enumerate(links):
        before = links[n - 1][1] if n else above.title if above else ""
        named = f"{before}: {title}" if title.lower() in _GENERIC and before else title or url
        under = tuple(value for key in ("also", "under") if (value := settings.get(key)))
        pages = int(settings.get("pages", "1")) if settings.get("pages", "1").isdigit() else 1
        resource = Resource(
            url, named, (reading.topic(),), _note_beside(children), settings.get("fetch", ""), pages, under
        )
        reading.resources.append(resource)
        if open_items:
            open_items[-1] = resource


def _add_note(reading: _Reading, resource: Resource, text: str) -> None:
    for n, known in enumerate(reading.resources):
        if known.url == resource.url and known.topics == resource.topics:
            reading.resources[n] = replace(known, note=" ".join(filter(None, [known.note, text])))


def _links(children: Sequence[Token]) -> Iterator[tuple[str, str]]:
    """Yield (address, title) of the web links in a line; pictures and relative links are passed over."""
    for n, token in enumerate(children):
        url = str(token.attrs.get("href", "")) if token.type == "link_open" else ""
        if re.match(r"https?://", url, re.IGNORECASE):
            end = next(m for m in range(n, len(children)) if children[m].type == "link_close")
            yield url, _plain(children[n + 1 : end])


def _plain(children: Sequence[Token]) -> str:
    return " ".join(
        "".join(child.content for child in children if child.type in {"text", "code_inline", "softbreak"}).split()
    )


def _note_beside(children: Sequence[Token]) -> str:
    """Return the text beside the links of a line, without what only joins them."""
    inside, words = 0, []
    for child in children:
        inside += (child.type == "link_open") - (child.type == "link_close")
        if child.type in {"text", "code_inline"} and not inside:
            words.append(child.content)
    note = " ".join(" ".join(words).split()).strip(" -:–—·|,.()")
    return note if note.count(" ") > 1 else ""


def _without_list_title(resources: list[Resource]) -> list[Resource]:
    """Return resources without the first step of their topic where all share it: the title of the list."""
    first = {topic.split(" > ")[0] for resource in resources for topic in resource.topics}
    if len(first) != 1 or not all(" > " in topic for resource in resources for topic in resource.topics):
        return resources
    return [
        replace(resource, topics=tuple(topic.partition(" > ")[2] for topic in resource.topics))
        for resource in resources
    ]
