"""Render: answers, hits and the ledger as people read them, on a terminal and as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from itertools import count, groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from app import clean
from app.answer import Answer, Citation, Done, Event, Notice, Said, Sentence, Shown
from app.answer import Status as Doing
from index.passage import Hit
from ingest.ledger import HAS_TEXT, Entry, Status
from ingest.status import STYLES

if TYPE_CHECKING:
    from app.reading import ReadingList

STAGE_NAMES = {"crawl": "Crawl: the basics", "walk": "Walk: the core", "run": "Run: the depth"}
WIDTH = 100  # columns; longer lines are hard to read


def answer(said: Answer, console: Console) -> None:
    """Print an answer: wrapped with numbered sources on a terminal, as Markdown into a pipe."""
    if not console.is_terminal:
        console.out(as_markdown(said), highlight=False)
        return
    width = min(WIDTH, console.width)
    if said.abstained:
        console.print(escape(said.text), width=width)
        return
    for line in said.text.split("\n"):
        console.print(_with_marks(line), width=width)
    console.print()
    for citation in said.citations:
        console.print(_source_line(citation), width=width)


def live(events: Iterable[Event], console: Console) -> None:
    """Print an answer as it comes about on a terminal, and then whole; into a pipe only whole."""
    said: list[str] = []
    doing = Spinner("dots")
    with Live(console=console, transient=True, refresh_per_second=8) if console.is_terminal else nullcontext() as shown:
        for event in events:
            if isinstance(event, Done):
                whole = event.answer
            elif isinstance(event, Said | Notice):
                lead = event.sentence if isinstance(event, Said) else Sentence(event.text, (), lead="\n\n")
                said.append(lead.written())
            elif isinstance(event, Shown):
                said.append(f"\n\n{event.section.written()}")
            elif isinstance(event, Doing):
                doing.update(text=Text(event.text, style="dim"))
            if shown:
                shown.update(Group(*map(_with_marks, "".join(said).strip().split("\n")), doing))
    answer(whole, console)


def reading_list(listed: ReadingList, console: Console) -> None:
    """Print a reading list: wrapped on a terminal, as Markdown into a pipe."""
    from rich.markdown import Markdown

    text = reading_as_markdown(listed)
    if console.is_terminal:
        console.print(Markdown(text, hyperlinks=True), width=min(WIDTH, console.width))
    else:
        console.out(text, highlight=False)


def reading_as_markdown(listed: ReadingList) -> str:
    """Return a reading list as Markdown, its items numbered on from stage to stage."""
    from app.reading import duration, length  # brings the search, which the ledger's readers do without

    lines = [f"# Reading list: {clean.markdown(listed.request)}"]
    if listed.understood:
        lines += ["", f"Understood: {clean.markdown(listed.understood)}"]
    if listed.items:
        spent = f", about {duration(listed.minutes)}" if listed.minutes else ""
        lines += ["", f"{len(listed.items)} resources{spent}."]
    numbers = count(1)
    for stage, items in groupby(listed.items, key=lambda item: item.stage):
        lines += ["", f"## {STAGE_NAMES[stage]}", ""]
        for item in items:
            about = ", ".join(
                filter(None, [item.kind, length(item), f"{item.status}, not read by us" if item.about else ""])
            )
            why = f"“{clean.markdown(_flat(item.quote))}”" if item.quote else clean.markdown(item.why)
            lines.append(
                f"{next(numbers)}. [{clean.markdown(item.title)}](<{clean.address(item.deep_url)}>) ({about}): {why}"
            )
            if item.part:
                lines.append(f"   Section: {clean.markdown(item.part)}")
    if listed.left_out:
        left = "; ".join(
            f"{clean.markdown(item.title)}{f' ({length(item)})' if item.minutes else ''}" for item in listed.left_out
        )
        lines += ["", f"Fits too, but not into the time or number asked for: {left}."]
    lines += ["", *(f"- {clean.markdown(gap)}" for gap in listed.gaps)]
    return "\n".join(lines).strip()


def as_markdown(said: Answer) -> str:
    """Return an answer with its sources, as Markdown."""
    lines = [said.written(clean.markdown)]
    if said.citations:
        lines += ["", "Sources:", ""]
        lines += [
            f"{cited.n}. [{clean.markdown(cited.source)}](<{cited.deep_url}>): “{clean.markdown(_flat(cited.quote))}”"
            for cited in said.citations
        ]
    return "\n".join(lines)


def _flat(text: str) -> str:
    return " ".join(text.split())


def _with_marks(line: str) -> Text:
    return Text.assemble(
        *((part, "bold cyan") if re.fullmatch(r"\[\d+\]", part) else part for part in re.split(r"(\[\d+\])", line))
    )


def _source_line(citation: Citation) -> Text:
    where = " > ".join(citation.heading[-2:])
    text = Text(f"[{citation.n}] ", style="bold cyan")
    text.append(citation.source, style=f"link {absolute(citation.deep_url)}")
    if where:
        text.append(f" · {where}", style="dim")
    text.append(f"\n    {citation.deep_url}", style=f"dim link {absolute(citation.deep_url)}")
    return text


def absolute(url: str) -> str:
    """Return an address that a terminal can open: a note's file by its full path."""
    if "://" in url:
        return url
    return Path(__file__).resolve().parent.parent.joinpath(url.partition("#")[0]).as_uri()


def hits(found: Sequence[Hit], console: Console) -> None:
    """Print hits, best first."""
    for rank, hit in enumerate(found, 1):
        where = clean.inert(" > ".join([hit.source.title, *hit.passage.heading]))
        console.print(f"[bold]{rank}[/] {escape(where)}  [dim]{hit.score:.2f}[/]", highlight=False)
        console.print(Text(" ".join(hit.passage.text.split())[:300]), style="dim")
        console.print(Text(clean.address(hit.source.url), style=f"link {absolute(hit.source.url)}"))


def ledger(entries: Sequence[Entry], shelf: dict[str, Any] | None, console: Console) -> None:
    """Print every curated link by topic with what became of it, then the totals."""
    curated = [entry for entry in entries if entry.curated and entry.kind != "note"]
    links = [entry for entry in curated if entry.row.url == entry.row.resource]
    for topic, group in groupby(links, key=lambda entry: entry.topic):
        if not console.is_terminal:  # a line a link, for other programs
            console.out("\n".join([topic, *map(_line, group), ""]), highlight=False)
            continue
        table = Table(title=topic, title_justify="left", title_style="bold", box=None, pad_edge=False, expand=False)
        table.add_column("status", width=14, no_wrap=True)
        table.add_column("words", width=8, justify="right")
        table.add_column("resource", ratio=1, overflow="fold")
        for entry in group:
            row = entry.row
            text = Text(row.title, style=f"link {absolute(row.url)}")
            if row.reason:
                text.append(f" · {row.reason}", style="dim")
            table.add_row(
                Text(row.status.value, style=STYLES.get(row.status, "red")),
                f"{row.words:,}" if row.words else "",
                text,
            )
        console.print(table)
        console.print()
    console.print(totals(entries, shelf), highlight=False)


def _line(entry: Entry) -> str:
    row = entry.row
    words = f"{row.words:,}" if row.words else ""
    about = f"{row.title} · {row.reason}" if row.reason else row.title
    return f"{row.status.value:<14} {words:>8}  {' '.join(clean.inert(about).split())}"


def totals(entries: Sequence[Entry], shelf: dict[str, Any] | None) -> str:
    """Return the state of links and shelf in a few lines."""
    links = [
        entry for entry in entries if entry.curated and entry.kind != "note" and entry.row.url == entry.row.resource
    ]
    pages = [entry for entry in entries if entry.row.url != entry.row.resource or not entry.curated]
    notes = [entry for entry in entries if entry.kind == "note"]
    have = sum(entry.row.status in HAS_TEXT for entry in links)
    lines = [f"{have} of {len(links)} links have text that answers can quote"] if links else []
    lines += [
        f"{len(links)} links: {_counts(links)}",
        f"{len(pages)} more pages: {_counts(pages)}",
        f"{len(notes)} notes of this project",
    ]
    if shelf:
        lines.append(
            f"shelf of {shelf['built_at']}: {shelf['documents']} documents, {shelf['passages']:,} passages,"
            f" encoder {shelf['encoder']}"
        )
    else:
        lines.append("no shelf yet; run `prep ingest`")
    return "\n".join(lines)


def _counts(entries: Iterable[Entry]) -> str:
    counted: dict[Status, int] = {}
    for entry in entries:
        counted[entry.row.status] = counted.get(entry.row.status, 0) + 1
    ordered = sorted(counted.items(), key=lambda pair: (pair[0] not in HAS_TEXT, -pair[1]))
    return ", ".join(f"{count} {status}" for status, count in ordered) or "none"


def fixable(entries: Sequence[Entry]) -> list[tuple[str, str]]:
    """Return (title, what to do) of the curated links that a person can do something about."""
    return [(entry.row.title, entry.row.fix) for entry in entries if entry.curated and entry.row.fix]


# --- the chat -------------------------------------------------------------------------------------


def stream(said: Answer, before: int) -> Iterator[str]:
    """Yield an answer in pieces, its citations numbered on from those of the conversation before."""
    yield from re.findall(r"\S+\s*", said.written(clean.markdown, first=before))
