"""View: a run as a person sees it, while it goes on and when it has ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ingest.progress import Progress
from ingest.row import Entry
from ingest.status import HAS_TEXT, STYLES, Status

HOSTS = 8  # that are shown at once


@contextmanager
def live(progress: Progress, console: Console) -> Iterator[None]:
    """Show a run while it goes on; nothing where the console is no terminal."""
    if not console.is_terminal:
        yield
        return
    with Live(get_renderable=lambda: picture(progress), console=console, transient=True, refresh_per_second=5):
        yield


def picture(progress: Progress) -> Group:
    """Return how far a run is: a bar, what has ended and how, the rate, the time left, the hosts in flight."""
    ended, total = progress.ended, progress.total
    row = Table.grid(padding=(0, 1))
    bar = ProgressBar(total=max(total, 1), completed=ended, width=30, pulse=not total)
    counts = f"{ended}/{total}" if total else ""
    pace = f"{progress.rate:.1f}/s" if ended else ""
    left = f"about {_clock(progress.left)} left" if progress.left else ""
    row.add_row(progress.stage, bar, counts, pace, left)
    ways = (("read", progress.done), ("unchanged", progress.unchanged), ("without text", progress.failed))
    said = ", ".join(f"{count} {name}" for name, count in ways if count)
    lines = [Text(f"  {said}", style="dim")] if said else []
    flying = sorted(dict(progress.flying).items())
    lines += [Text(f"  {host}  {url}", style="dim", no_wrap=True, overflow="ellipsis") for host, url in flying[:HOSTS]]
    lines += [Text(f"  and {len(flying) - HOSTS} more hosts", style="dim")] if len(flying) > HOSTS else []
    return Group(row, *lines)


def _clock(seconds: float) -> str:
    whole = int(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


# --- when it has ended ----------------------------------------------------------------------------


def links_of(entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries of the curated links themselves, without pages under them and notes."""
    return [
        entry for entry in entries if entry.curated and entry.kind != "note" and entry.row.url == entry.row.resource
    ]


def by_topic(entries: Sequence[Entry]) -> list[tuple[str, list[Entry]]]:
    """Return the curated links by the first step of their topic, in the order of the lists."""

    def first(entry: Entry) -> str:
        return entry.topic.split("; ")[0].split(" > ")[0]

    return [(topic, list(group)) for topic, group in groupby(links_of(entries), key=first)]


def summary(entries: Sequence[Entry], console: Console) -> None:
    """Print what became of the curated links, by topic and status, and what a person can fix."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("topic")
    table.add_column("text", justify="right")
    table.add_column("of", justify="right")
    table.add_column("the others")
    for topic, links in by_topic(entries):
        statuses = Counter(entry.row.status for entry in links)
        others = Text(", ").join(
            Text(f"{count} {status}", style=STYLES.get(status, "red"))
            for status, count in statuses.most_common()
            if status not in HAS_TEXT
        )
        have = sum(count for status, count in statuses.items() if status in HAS_TEXT)
        table.add_row(Text(topic), f"{have}", f"{len(links)}", others)
    console.print(table)
    fixes(entries, console)


def fixes(entries: Sequence[Entry], console: Console) -> None:
    """Print what a person can do about the links that gave no text, one line each."""
    fixable = [entry.row for entry in links_of(entries) if entry.row.fix]
    by_hand = [row for row in fixable if row.status is not Status.PENDING]
    if by_hand and not console.is_terminal:  # whoever reads a file wants each line whole
        console.print("\nWhat you can fix")
        for row in by_hand:
            console.print(Text(f"{row.status}: {row.title}: {row.fix}"), soft_wrap=True)
    elif by_hand:
        table = Table(title="What you can fix", title_style="bold", title_justify="left", box=None, pad_edge=False)
        table.add_column("status", no_wrap=True, min_width=14)
        table.add_column("link", no_wrap=True, overflow="ellipsis", min_width=16, max_width=44)
        table.add_column("what to do", no_wrap=True, overflow="ellipsis")
        for row in by_hand:
            table.add_row(Text(row.status.value, style=STYLES.get(row.status, "red")), Text(row.title), Text(row.fix))
        console.print()
        console.print(table)
        console.print("`prep status --html FILE` shows each line whole.", style="dim")
    if waiting := len(fixable) - len(by_hand):
        console.print(f"{waiting} links were not fetched; `prep ingest` with a network fetches them.")
