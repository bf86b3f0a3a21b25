"""Tables of a page: their cells in rows and columns, a cell that spans several in each of them."""

from __future__ import annotations

from collections.abc import Callable

from lxml import html

MAX_SPAN = 60  # columns or rows; more is a mistake, or an attack
MAX_CELLS = 60_000  # of one table

ReadCell = Callable[[html.HtmlElement], tuple[str, str]]
"""Returns what a cell says, and what a browser shows of it."""


def rows_of(table: html.HtmlElement, read: ReadCell) -> tuple[list[list[str]], list[str]] | None:
    """Return the rows of a data table and what each of its cells shows; None for one that only lays out a page."""
    if table.xpath(".//table|.//pre|.//h1|.//h2|.//h3"):
        return None
    if table.get("role") != "table" and not table.xpath(".//th|self::*[count(.//p|.//ul)=0]"):
        return None
    rows: list[list[str]] = []
    shown: list[str] = []
    hanging: dict[int, tuple[int, str]] = {}  # column: (rows that are left, text) of a cell that reaches further down
    cells = 0
    for row in table.iter("tr"):
        own = [cell for cell in row if cell.tag in {"td", "th"}]
        line: list[str] = []
        for cell in own:
            said, seen = read(cell)
            shown.append(seen)
            _fill(line, hanging)
            wide = _span(cell, "colspan") if len(own) > 1 or hanging else 1
            for _ in range(wide):
                if (down := _span(cell, "rowspan")) > 1:
                    hanging[len(line)] = (down - 1, said)
                line.append(said)
        _fill(line, hanging)
        cells += len(line)
        if cells > MAX_CELLS:
            break
        if any(line):
            rows.append(line)
    return (rows, shown) if any(len(line) > 1 for line in rows) else None


def _fill(line: list[str], hanging: dict[int, tuple[int, str]]) -> None:
    """Add the cells of rows above that reach down to the next places of a row."""
    while (place := len(line)) in hanging:
        left, text = hanging.pop(place)
        if left > 1:
            hanging[place] = (left - 1, text)
        line.append(text)


def _span(cell: html.HtmlElement, name: str) -> int:
    given = (cell.get(name) or "").strip()
    return min(MAX_SPAN, max(1, int(given[:4]))) if given.isascii() and given.isdigit() else 1


def as_lines(rows: list[list[str]]) -> str:
    """Return rows as lines of Markdown.

    >>> as_lines([["Gateway", "10 MB"]])
    '| Gateway | 10 MB |'
    """
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
