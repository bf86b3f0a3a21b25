"""Columns: lines that a PDF runs across a gutter are taken apart, and read column by column; rows of a table as cells.

Most files hold their columns one after the other. Some, and most text layers of scans, hold them row by row: then a
line joins what stands beside it. The gaps between words tell: a gutter is a gap at one place of many lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ingest.layout import Line

GAP = 1.2  # times the size of the type: wider than any blank
ROWS = 3  # lines that share a gutter, or rows of a table of two columns
PROSE = 4  # words that a line of a column has on the average; a cell has fewer
LONG = 12  # words; no cell on one line has so many
_LABEL = re.compile(r"[•●▪◦‣∙■□➢▶–*-]|\(?[\w.]{1,4}[.)]|\[\d{1,3}\]")  # of an item
_NUMBER = re.compile(r"\(\d{1,3}(?:\.\d{1,3})?[a-z]?\)")  # of an equation


@dataclass(frozen=True, slots=True)
class Part:
    """What stands between two gaps of a line."""

    text: str
    start: float  # points along the line
    end: float


@dataclass(frozen=True, slots=True)
class Row:
    """A line with its parts; one part where it has no gap."""

    line: Line
    parts: tuple[Part, ...]

    def covers(self, place: float) -> bool:
        """Return whether a gap of this line lies over a place."""
        return any(a.end < place < b.start for a, b in zip(self.parts, self.parts[1:], strict=False))

    def side(self, place: float) -> int:
        """Return -1 for a line left of a place, 1 for one right of it, 0 for any other."""
        return -1 if self.parts[-1].end <= place else 1 if self.parts[0].start >= place else 0


def parts_of(words: Sequence[tuple[str, float, float]], size: float) -> tuple[Part, ...]:
    """Return the parts of a line, given its words with where they begin and end.

    >>> [part.text for part in parts_of([("a", 0, 5), ("b", 8, 13), ("c", 60, 65)], 10)]
    ['a b', 'c']
    """
    parts: list[Part] = []
    first = at = 0
    for at in range(1, len(words) + 1):
        if at < len(words) and words[at][1] - words[at - 1][2] < GAP * size:
            continue
        text = " ".join(word[0] for word in words[first:at])
        if at < len(words) and first == 0 and _LABEL.fullmatch(text):
            continue
        if words:
            parts.append(Part(text, words[first][1], words[at - 1][2]))
        first = at
    return tuple(parts)


def gutter(rows: Sequence[Row]) -> float | None:
    """Return a place over which the gaps of most lines lie; None where there is none that enough share."""
    gaps = [(a.end, b.start) for row in rows for a, b in zip(row.parts, row.parts[1:], strict=False)]
    middles = [(a + b) / 2 for a, b in gaps]
    if not middles:
        return None
    best = max(middles, key=lambda place: sum(a < place < b for a, b in gaps))
    return best if sum(row.covers(best) for row in rows) >= ROWS else None


def in_order(rows: Sequence[Row]) -> Iterator[Line]:
    """Yield the lines of a page as they are read: columns one after the other, rows of tables with their cells."""
    place = gutter(rows)
    at = 0
    while at < len(rows):
        end = _run_end(rows, at, place)
        if place is not None and end - at >= ROWS and _is_prose(rows[at:end], place):
            yield from in_order(_sides(rows[at:end], place, -1))
            yield from in_order(_sides(rows[at:end], place, 1))
        else:
            end = max(end, at + 1)
            yield from _with_tables(rows[at:end])
        at = end


def _with_tables(rows: Sequence[Row]) -> Iterator[Line]:
    at = 0
    while at < len(rows):
        if cells := _table(rows, at):
            for row, texts in zip(rows[at:], cells, strict=False):
                yield replace(row.line, cells=tuple(texts))
            at += len(cells)
        else:
            yield rows[at].line
            at += 1


def _run_end(rows: Sequence[Row], at: int, place: float | None) -> int:
    """Return where the lines end that do not cross a gutter; the end of all where there is none."""
    if place is None:
        return len(rows)
    end = at
    while end < len(rows) and (rows[end].side(place) or rows[end].covers(place)):
        end += 1
    return end


def _is_prose(rows: Sequence[Row], place: float) -> bool:
    """Return whether lines on both sides of a gutter are those of two columns of text."""
    if sum(row.covers(place) for row in rows) < ROWS:
        return False
    sides = [_sides(rows, place, side) for side in (-1, 1)]
    return all(sum(len(row.line.text.split()) for row in side) >= PROSE * len(side) for side in sides)


def _sides(rows: Sequence[Row], place: float, side: int) -> list[Row]:
    """Return what stands on one side of a gutter."""
    found = []
    for row in rows:
        parts = tuple(part for part in row.parts if (part.end <= place) == (side < 0))
        if parts:
            text = " ".join(part.text for part in parts)
            found.append(Row(replace(row.line, text=text, left=parts[0].start), parts))
    return found


def _table(rows: Sequence[Row], at: int) -> list[list[str]]:
    """Return the cells of the rows of a table that begins at a line; [] where none does."""
    end = at
    while end < len(rows) and _is_row(rows[end]) and (end == at or _below(rows[end - 1].line, rows[end].line)):
        end += 1
    widest = max(rows[at:end], key=lambda row: len(row.parts), default=None)
    if widest is None or end - at < (ROWS if len(widest.parts) == 2 else 2):
        return []
    return [_cells(row, widest) for row in rows[at:end]]


def _is_row(row: Row) -> bool:
    return len(row.parts) > 1 and not _NUMBER.fullmatch(row.parts[-1].text) and _is_short(row)


def _is_short(row: Row) -> bool:
    return all(part.text.count(" ") < LONG for part in row.parts)


def _below(one: Line, other: Line) -> bool:
    return 0 < one.bottom - other.top < 4 * max(one.size, other.size)


def _cells(row: Row, widest: Row) -> list[str]:
    """Return the texts of a row under the columns of the widest one."""
    cells = [""] * len(widest.parts)
    for part in row.parts:
        gaps = [max(column.start - part.end, part.start - column.end) for column in widest.parts]
        n = gaps.index(min(gaps))
        cells[n] = f"{cells[n]} {part.text}".strip()
    return cells
