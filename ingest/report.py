"""Report: the ledger as a page to look at, with a bar for the coverage of each topic; it loads nothing from outside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path

from ingest.document import replace_file
from ingest.row import Entry, Row
from ingest.status import HAS_TEXT, Status
from ingest.view import by_topic, links_of

_COLOURS = {
    Status.TEXT: "#2e7d32",
    Status.TRANSCRIPT: "#558b2f",
    Status.FOREIGN: "#7cb342",
    Status.OUTLINE: "#f9a825",
    Status.METADATA: "#f9a825",
    Status.WALLED: "#ef6c00",
    Status.DUPLICATE: "#78909c",
    Status.PENDING: "#b0bec5",
}
_OTHER = "#c62828"
_STYLE = """
:root { color-scheme: light dark; --line: #8884; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin: 2.2rem 0 .3rem; font-size: 1.15rem; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0; border-bottom: 1px solid var(--line); }
td.words { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td.status { white-space: nowrap; }
.dot { display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .45em; }
.bar { display: flex; height: .7rem; border-radius: .35rem; overflow: hidden; background: var(--line); }
.bar { margin: .2rem 0 .8rem; }
.why { color: #777; font-size: .88rem; overflow-wrap: anywhere; }
"""


def write(entries: Sequence[Entry], shelf: str, path: Path) -> None:
    """Write the page to a file; `shelf` is a line about the shelf. Raises OSError where it cannot be written."""
    replace_file(path, page(entries, shelf).encode())
    path.chmod(0o644)


def page(entries: Sequence[Entry], shelf: str) -> str:
    """Return the page as HTML."""
    links = links_of(entries)
    have = sum(entry.row.status in HAS_TEXT for entry in links)
    topics = "".join(_topic(topic, group, entries) for topic, group in by_topic(entries))
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Prepshelf: what is on the shelf</title>"
        "<meta name='viewport' content='width=device-width'>"
        "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<style>{_STYLE}</style></head><body><h1>What is on the shelf</h1>"
        f"<p>{have} of {len(links)} links have text. {escape(shelf)}</p>{_bar(links)}{_legend(links)}"
        f"{_fixes(links)}{topics}</body></html>\n"
    )


def _topic(topic: str, links: Sequence[Entry], entries: Sequence[Entry]) -> str:
    have = sum(entry.row.status in HAS_TEXT for entry in links)
    pages = Counter(entry.row.resource for entry in entries if entry.row.url != entry.row.resource)
    rows = "".join(_row(entry.row, pages[entry.row.url]) for entry in links)
    heads = "<tr><th>Status</th><th>Words</th><th>Link</th></tr>"
    return f"<h2>{escape(topic)}: {have} of {len(links)}</h2>{_bar(links)}<table>{heads}{rows}</table>"


def _row(row: Row, pages: int) -> str:
    said = [row.about, row.reason, f"{pages} pages under it" if pages else "", f"fetched {row.fetched_at[:10]}"]
    why = " · ".join(text for text in said if text and text != "fetched ")
    words = f"{row.words:,}" if row.words else ""
    status = f"<td class='status'>{_dot(row.status)}{row.status}</td>"
    return f"<tr>{status}<td class='words'>{words}</td><td>{_link(row)}<div class='why'>{escape(why)}</div></td></tr>"


def _fixes(links: Sequence[Entry]) -> str:
    rows = [entry.row for entry in links if entry.row.fix]
    if not rows:
        return ""
    cells = ((f"<td class='status'>{_dot(row.status)}{row.status}</td><td>{_link(row)}</td>", row.fix) for row in rows)
    lines = "".join(f"<tr>{start}<td>{escape(fix)}</td></tr>" for start, fix in cells)
    heads = "<tr><th>Status</th><th>Link</th><th>What to do</th></tr>"
    return f"<details><summary>What you can fix: {len(rows)} links</summary><table>{heads}{lines}</table></details>"


def _link(row: Row) -> str:
    if not row.url.lower().startswith(("http://", "https://")):
        return escape(row.title)
    return f"<a href='{escape(row.url)}' rel='noreferrer'>{escape(row.title)}</a>"


def _bar(links: Sequence[Entry]) -> str:
    parts = "".join(
        f"<span style='flex:{count};background:{_COLOURS.get(status, _OTHER)}' title='{count} {status}'></span>"
        for status, count in _counts(links)
    )
    return f"<div class='bar'>{parts}</div>"


def _legend(links: Sequence[Entry]) -> str:
    return f"<p>{' &nbsp; '.join(f'{_dot(status)}{count} {status}' for status, count in _counts(links))}</p>"


def _counts(links: Sequence[Entry]) -> list[tuple[Status, int]]:
    counts = Counter(entry.row.status for entry in links)
    return [(status, counts[status]) for status in Status if counts[status]]


def _dot(status: Status) -> str:
    return f"<span class='dot' style='background:{_COLOURS.get(status, _OTHER)}'></span>"
