"""Catalogue: any Markdown list of links becomes resources, its headings their topics.

Nested bullets, headings, reference-style links and autolinks are read as a person would: a bullet without a link
that has bullets with links under it is a heading too, text beside or under a link is the curator's note on it. A
comment behind a link sets how it is read: `<!-- fetch: ADDRESS; pages: 40; depth: 2; also: PREFIX; under: PREFIX -->`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ingest import IngestError
from ingest.address import same_page
from ingest.sources import kind_of

if TYPE_CHECKING:
    from markdown_it.token import Token

HERE = Path(__file__).parent
LISTS = HERE / "catalogue"
STARTER = HERE / "starter"

MAX_LIST_BYTES = 8 * 2**20
_SETTING = re.compile(r"\b(fetch|pages|depth|also|under)\s*:\s*([^;>]+?)\s*(?=;|-->)")
_ANCHOR = re.compile(r"""<a\s[^>]*?href\s*=\s*["']?([^"'\s>]+)""", re.IGNORECASE)
_SAID = {"text", "code_inline", "softbreak", "hardbreak"}
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
                lists = tuple(dict.fromkeys(known.lists + resource.lists))
                note = known.note or resource.note
                merged[same_page(resource.url)] = replace(known, topics=topics, lists=lists, note=note)
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


def _read_one(path: Path) -> list[Resource]:
    try:
        source = path.read_bytes()
    except OSError as error:
        raise IngestError(f"{path} cannot be read ({error.strerror}); name a Markdown file.") from error
    if len(source) > MAX_LIST_BYTES:
        raise IngestError(f"{path} has {len(source):,} bytes, more than a list of links needs; split it.")
    text = re.sub(r"\A---\n.*?\n---\n", "", source.decode("utf-8", "replace"), flags=re.DOTALL)
    from markdown_it import MarkdownIt  # a look at the ledger reads no list

    reader = MarkdownIt("commonmark", {"linkify": True}).enable("linkify")
    reader.normalizeLink = lambda url: url  # type: ignore[method-assign]  # an address stays as it is written
    reader.validateLink = lambda url: True  # type: ignore[method-assign]  # noqa: ARG005  # _links chooses
    reading = _Reading()
    _walk(reader.parse(text), reading)
    name = str(path.resolve())
    return [replace(resource, lists=(name,)) for resource in _without_list_title(reading.resources)]


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
            children = token.children or []
            if list(_links(children)):  # a heading that is a link is both
                _read_line(children, reading, open_items)
            reading.headings.append((level, _plain(children)))
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
        before = links[0][1] if n else above.title if above else ""
        named = f"{before}: {title}" if title.lower() in _GENERIC and before else title or url
        under = tuple(value for key in ("also", "under") if (value := settings.get(key)))
        pages, depth = (_number(settings.get(key, ""), standard) for key, standard in (("pages", 1), ("depth", 3)))
        note, fetch = _note_beside(children), settings.get("fetch", "")
        resource = Resource(url, named, (reading.topic(),), note, fetch, pages, under, depth)
        reading.resources.append(resource)
        if open_items:
            open_items[-1] = resource


def _number(text: str, standard: int) -> int:
    return int(text[:6]) if text.isascii() and text.isdigit() else standard


def _add_note(reading: _Reading, resource: Resource, text: str) -> None:
    for n, known in enumerate(reading.resources):
        if known.url == resource.url and known.topics == resource.topics:
            reading.resources[n] = replace(known, note=" ".join(filter(None, [known.note, text])))


def _links(children: Sequence[Token]) -> Iterator[tuple[str, str]]:
    """Yield (address, title) of the web links in a line; pictures, badges and relative links are passed over."""
    for n, token in enumerate(children):
        if token.type == "link_open":
            url = str(token.attrs.get("href", ""))
            end = next(m for m in range(n, len(children)) if children[m].type == "link_close")
            guessed = _is_guess(token, children[n + 1])
        elif token.type == "html_inline" and (found := _ANCHOR.match(token.content)):
            url, guessed = found.group(1), False
            ends = (m for m in range(n, len(children)) if children[m].content.lower() == "</a>")
            end = next(ends, len(children))
        else:
            continue
        inside = children[n + 1 : end]
        badge = not _plain(inside) and any(child.type == "image" for child in inside)
        if re.match(r"https?://", url, re.IGNORECASE) and not guessed and not badge:
            yield url, _plain(inside)


def _is_guess(link: Token, text: Token) -> bool:
    """Return whether a link was made of bare text that is no address: "README.md", though .md is a country's domain."""
    return link.markup == "linkify" and not re.match(r"https?:|www\.", text.content, re.IGNORECASE)


def _plain(children: Sequence[Token]) -> str:
    words = (
        "\n" if child.type in {"softbreak", "hardbreak"} else child.content for child in children if child.type in _SAID
    )
    return " ".join("".join(words).split())


def _note_beside(children: Sequence[Token]) -> str:
    """Return the text beside the links of a line, without what only joins them."""
    inside, words = 0, []
    for n, child in enumerate(children):
        if child.type in {"link_open", "link_close"} and not _is_guess(child, children[min(n + 1, len(children) - 1)]):
            inside += child.nesting
        elif child.type == "html_inline" and re.match(r"</?a\b", child.content, re.IGNORECASE):
            inside += -1 if child.content.startswith("</") else 1
        elif child.type in {"text", "code_inline"} and inside <= 0:
            words.append(child.content)
    note = " ".join(" ".join(words).split()).strip(" -:–—·|,.()")
    return note if note.count(" ") > 1 and "|" not in note else ""


def _without_list_title(resources: list[Resource]) -> list[Resource]:
    """Return resources without the first step of their topic where all share it: the title of the list."""
    first = {topic.split(" > ")[0] for resource in resources for topic in resource.topics}
    if len(first) != 1 or not all(" > " in topic for resource in resources for topic in resource.topics):
        return resources
    return [
        replace(resource, topics=tuple(topic.partition(" > ")[2] for topic in resource.topics))
        for resource in resources
    ]
