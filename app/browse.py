"""Browse: the shelf by topic: how much of it has text, what became of each link, and what a person can do about it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.cards import ask, link, shown, site, target
from ingest.ledger import HAS_TEXT, Entry, Status

BAR = 10  # characters
MOST_ROWS = 60
EVERYTHING = "All topics"
FIXES = "What can I fix?"
TOPIC = "Topic: "
WITHIN = "Ask within: "
LEAVE = "Ask the whole shelf"
_MARKS = {Status.TEXT: "●", Status.TRANSCRIPT: "●", Status.FOREIGN: "◐", Status.OUTLINE: "◐", Status.METADATA: "◐"}


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of the lists, with its links."""

    name: str
    entries: tuple[Entry, ...]

    @property
    def covered(self) -> tuple[int, int]:
        """Return how many of its links have text, and how many there are; notes are none."""
        return coverage(self.entries)

    @property
    def notes(self) -> int:
        """Return how many notes of the project stand under it."""
        return sum(entry.kind == "note" for entry in self.entries)

    @property
    def readable(self) -> int:
        """Return how much of it answers can quote: links with text, and notes."""
        return self.covered[0] + self.notes

    @property
    def bar(self) -> str:
        """Return its coverage as a bar, and its notes."""
        shown = [bar(*self.covered)] if self.covered[1] else []
        return " · ".join([*shown, *([f"{self.notes} note{'s' * (self.notes > 1)}"] if self.notes else [])])


def links(entries: Sequence[Entry]) -> list[Entry]:
    """Return the curated links and notes, without the pages under them and what only an archive held."""
    return [entry for entry in entries if entry.curated and entry.row.url == entry.row.resource]


def topics(entries: Sequence[Entry]) -> list[Topic]:
    """Return the topics of the lists, in their order; a link under several stands in each."""
    grouped: dict[str, list[Entry]] = {}
    for entry in links(entries):
        for name in entry.topic.split("; "):
            grouped.setdefault(name, []).append(entry)
    return [Topic(name, tuple(group)) for name, group in grouped.items()]


def coverage(entries: Sequence[Entry]) -> tuple[int, int]:
    """Return how many curated links have text, and how many there are; the project's notes are not links."""
    curated = [entry for entry in links(entries) if entry.kind != "note"]
    return sum(entry.row.status in HAS_TEXT for entry in curated), len(curated)


def asked(entries: Sequence[Entry]) -> int:
    """Return how many curated links were asked for, or need not be."""
    curated = [entry.row for entry in links(entries) if entry.kind != "note"]
    return sum(bool(row.checked_at or row.saved) or row.status is Status.MALFORMED for row in curated)


def respond(request: str, entries: Sequence[Entry]) -> str:
    """Return the message that answers what somebody looks for on the shelf."""
    wanted = " ".join(request.split())
    if not wanted or wanted.casefold() in {EVERYTHING.casefold(), "topics", "everything", "all"}:
        return overview(entries)
    if re.fullmatch(rf"{re.escape(FIXES)}|(?:.*\b)?fix(?:\b.*)?", wanted, re.IGNORECASE):
        return fixes(entries)
    words = wanted.removeprefix(TOPIC).casefold()
    for topic in topics(entries):
        if topic.name.casefold() == words:
            return one_topic(topic)
    found = [topic for topic in topics(entries) if words in topic.name.casefold()]
    if len(found) == 1:
        return one_topic(found[0])
    return matches(words, found, [entry for entry in links(entries) if _mentions(entry, words)])


def _mentions(entry: Entry, words: str) -> bool:
    held = f"{entry.row.title} {entry.row.url}".casefold()
    return all(word in held for word in words.split())


def overview(entries: Sequence[Entry]) -> str:
    """Return all topics with how much of each has text."""
    if not entries:
        return "The ledger is empty: nothing was read yet. Run `prep ingest`, then look again."
    covered, total = coverage(entries)
    rows = [f"| {ask(TOPIC + t.name, t.name.replace(' > ', ' › '))} | {t.bar} |" for t in topics(entries)]
    foreign = sum(entry.row.status is Status.FOREIGN for entry in links(entries))
    more = f" {foreign} more {'were' if foreign > 1 else 'was'} read in other languages." if foreign else ""
    head = (
        f"**{covered} of {total} links have text that answers can quote.**{more} Follow a topic to see what is in it."
    )
    return "\n".join([head, "", "| Topic | Links with text |", "| --- | --- |", *rows, "", ask(FIXES)])


def one_topic(topic: Topic) -> str:
    """Return a topic's links with what became of each."""
    rows = [_row(entry) for entry in topic.entries[:MOST_ROWS]]
    more = [f"… and {len(topic.entries) - MOST_ROWS} more."] if len(topic.entries) > MOST_ROWS else []
    head = f"### {shown(topic.name.replace(' > ', ' › '))}\n\n{topic.bar}"
    return "\n\n".join([head, "\n".join(rows), *more, ask(EVERYTHING)])


def matches(words: str, found: Sequence[Topic], entries: Sequence[Entry]) -> str:
    """Return the topics and links that a search in the ledger finds."""
    if not found and not entries:
        return (
            f"Nothing on the shelf is called “{shown(words)}”. {ask(EVERYTHING)} shows what there is; "
            "the Answer profile searches inside the texts."
        )
    lines = [f"- {ask(TOPIC + topic.name, topic.name.replace(' > ', ' › '))} {topic.bar}" for topic in found]
    return "\n".join([*lines, *(_row(entry) for entry in entries[:MOST_ROWS])])


def _row(entry: Entry) -> str:
    row = entry.row
    facts = [f"{_MARKS.get(row.status, '○')} {row.status}", entry.kind, f"{row.words:,} words" if row.words else ""]
    about = " · ".join(filter(None, [*facts, site(row.url)]))
    asks = f" · {ask(WITHIN + row.url, 'ask within it')}" if row.status in HAS_TEXT else ""
    lines = [f"- **{link(shown(row.title), target(row.url))}**", f"{about}{asks}", shown(row.reason), _remedy(entry)]
    return "  \n  ".join(filter(None, lines))  # two blanks: a new line within the item


def _remedy(entry: Entry) -> str:
    """Return what a person can do, the commands in it as such; the ledger wrote it, but for the address in it."""
    fix = entry.row.fix.replace(entry.row.url, "the page")
    parts = [f"`{part}`" if n % 2 else shown(part) for n, part in enumerate(fix.split("`"))]
    return f"**Fix:** {''.join(parts)}" if fix else ""


def fixes(entries: Sequence[Entry]) -> str:
    """Return what a person can do for links that could not be read, most common remedy first."""
    by_remedy: dict[str, list[Entry]] = {}
    for entry in links(entries):
        if entry.row.fix and entry.row.status not in HAS_TEXT:
            by_remedy.setdefault(_remedy(entry), []).append(entry)
    if not by_remedy:
        return "Every link that can be read was read; there is nothing to fix."
    parts = [f"**{sum(map(len, by_remedy.values()))} links can be helped by hand.**"]
    for remedy, group in sorted(by_remedy.items(), key=lambda pair: -len(pair[1])):
        rows = "\n".join(
            f"- {link(shown(entry.row.title), target(entry.row.url))} · {entry.row.status}"
            + (f": {shown(entry.row.reason)}" if entry.row.reason else "")
            for entry in group
        )
        parts.append(f"{remedy}\n\n{rows}")
    return "\n\n".join([*parts, ask(EVERYTHING)])


def bar(covered: int, total: int) -> str:
    """Return a share as a bar of text.

    >>> bar(3, 6)
    '▰▰▰▰▰▱▱▱▱▱ 3 of 6'
    """
    full = round(BAR * covered / total) if total else 0
    full = min(max(full, 1 if covered else 0), BAR if covered == total else BAR - 1)
    return f"{'▰' * full}{'▱' * (BAR - full)} {covered} of {total}"
