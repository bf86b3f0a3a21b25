"""PDF -> pieces, through pdfium: paragraphs in reading order, each with its page.

What a page carries besides its text is taken off (running heads, page numbers, watermarks, the ligatures and hyphens
of typesetting), captions and small print stand apart from the sentences they interrupt, and the bibliography is marked
as such.
"""

from __future__ import annotations

import ctypes
import re
import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import pypdfium2 as pdfium
from pypdfium2 import raw

from ingest import columns
from ingest.columns import Row
from ingest.document import Piece
from ingest.layout import Line, line_spacing, pieces_of, pieces_of_slides, without_front_matter
from ingest.ligatures import Ligatures

MAX_PAGES = 600
_BOLD = 600  # font weight; 400 is regular, 700 bold
_MARGIN = 0.12  # of the height of a page, at its head and its foot
_SLIDE_LINE = 60  # characters; lines of slides are shorter
_SAMPLE = 6  # lines of a page that are looked at for a gutter
_SPARSE = 1.25  # times as wide for its letters as other lines: there are gaps in it
_BESIDE = 4  # lines that run another way than the page, and are more than a stamp in its margin

_WORD = re.compile(r"\S+")
_PAGE_NUMBER = re.compile(r"\W*(?:page\s*)?(?:\d{1,4}|[ivxlc]{1,6})(?:\s*(?:of|/)\s*\d{1,4})?\W*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Paper:
    """What a PDF holds."""

    pieces: list[Piece]  # in reading order
    title: str  # as its properties give it; often none, or a wrong one
    pictures: tuple[int, ...] = ()  # pages that are pictures, without any text
    left_out: int = 0  # pages beyond those that are read


def read(content: bytes) -> Paper:
    """Return what a PDF holds; raises ValueError where the file is damaged or locked."""
    try:
        with pdfium.PdfDocument(content) as document:
            title = (document.get_metadata_dict().get("Title") or "").strip()
            sheets = [document[n] for n in range(min(len(document), MAX_PAGES))]
            wide = sum(sheet.get_width() > sheet.get_height() for sheet in sheets) > len(sheets) / 2
            by_page = [_Page(sheet, n).lines() for n, sheet in enumerate(sheets, 1)]
            bare = [(n, sheet) for n, (sheet, lines) in enumerate(zip(sheets, by_page, strict=True), 1) if not lines]
            pictures = tuple(n for n, sheet in bare if _has_picture(sheet))
            left_out = len(document) - len(sheets)
    except pdfium.PdfiumError as error:
        locked = "password" in str(error).lower()
        raise ValueError("locked by a password" if locked else f"damaged: {error}") from error
    lines = [line for line in _without_running_heads([line for page in by_page for line in page]) if line.text]
    repair = Ligatures("\n".join(line.text for line in lines))
    slides = wide and bool(lines) and statistics.median(len(line.text) for line in lines) < _SLIDE_LINE
    pieces = pieces_of_slides(lines, repair) if slides else without_front_matter(list(pieces_of(lines, repair)))
    return Paper(list(pieces), repair.whole(title), pictures, left_out)


def _has_picture(sheet: pdfium.PdfPage) -> bool:
    return next(sheet.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=3), None) is not None


@dataclass(frozen=True, slots=True)
class _Seen:
    """A line with where its characters are, and which way it runs."""

    line: Line
    first: int  # character of the page
    end: float  # points along the line, of its last character
    way: tuple[int, int]  # right, up, left or down, as (x, y)


class _Page:
    """One page; its lines as they are read."""

    def __init__(self, sheet: pdfium.PdfPage, number: int) -> None:
        self._number = number
        self._text = sheet.get_textpage()
        self._box = sheet.get_mediabox()
        self._turned = bool(sheet.get_rotation())
        self._heights: dict[tuple[int, int], list[float]] = {}  # of its foot and its head, by the way of a line
        self._matrix = raw.FS_MATRIX()
        self._x, self._y = ctypes.c_double(), ctypes.c_double()
        self._edges = [ctypes.c_double() for _ in range(4)]

    def lines(self) -> list[Line]:
        """Return the lines that run the way most of the page does, then others that are more than a stamp."""
        by_way: dict[tuple[int, int], list[_Seen]] = {}
        for seen in self._seen():
            by_way.setdefault(seen.way, []).append(seen)
        ways = sorted(by_way.values(), key=lambda lines: -sum(len(seen.line.text) for seen in lines))
        found: list[Line] = []
        for n, lines in enumerate(ways):
            if n == 0 or len(lines) >= _BESIDE:
                found += self._in_order(_downwards(lines) if self._turned or lines[0].way != (1, 0) else lines)
        return found

    def _seen(self) -> Iterator[_Seen]:
        position = 0
        for text in self._text.get_text_range().split("\r\n"):
            if shown := text.strip():
                # Characters that a font gives no letter for are none of the text's.
                first = raw.FPDFText_GetCharIndexFromTextIndex(self._text, position + len(text) - len(text.lstrip()))
                middle = first + shown.index(max(shown.split(), key=len))  # a blank has no type of its own
                raw.FPDFText_GetMatrix(self._text, middle, self._matrix)
                if first >= 0 and (way := _way(self._matrix.a, self._matrix.b)):
                    yield self._line(shown, first, middle, way)
            position += len(text) + 2

    def _line(self, shown: str, first: int, middle: int, way: tuple[int, int]) -> _Seen:
        last = first + len(shown) - 1
        left, top = self._origin(first, way)
        end, bottom = self._origin(last, way)
        size = raw.FPDFText_GetFontSize(self._text, middle) * (self._matrix.c**2 + self._matrix.d**2) ** 0.5
        bold = all(raw.FPDFText_GetFontWeight(self._text, n) >= _BOLD for n in (first, middle, last))
        line = Line(self._number, shown, left, top, min(top, bottom), round(size, 1), bold, self._margin(top, way))
        return _Seen(line, first, end, way)

    def _origin(self, index: int, way: tuple[int, int]) -> tuple[float, float]:
        """Return where a character stands: along its line, and upwards."""
        raw.FPDFText_GetCharOrigin(self._text, index, self._x, self._y)
        return _turned(self._x.value, self._y.value, way)

    def _margin(self, top: float, way: tuple[int, int]) -> float:
        if way not in self._heights:
            left, bottom, right, above = self._box
            self._heights[way] = sorted((_turned(left, bottom, way)[1], _turned(right, above, way)[1]))
        low, high = self._heights[way]
        return min(top - low, high - top) / (high - low + 0.1)

    # --- gaps -------------------------------------------------------------------------------------

    def _in_order(self, lines: list[_Seen]) -> list[Line]:
        """Return lines as they are read, where some of them hold what stands side by side."""
        rates = [(seen.end - seen.line.left) / (len(seen.line.text) * seen.line.size + 0.1) for seen in lines]
        most = _SPARSE * statistics.median_low(rates)
        wider = [rate > most and " " in seen.line.text for rate, seen in zip(rates, lines, strict=True)]
        sparse = {
            n
            for n, is_wide in enumerate(wider)
            if is_wide and True in (*wider[max(0, n - 1) : n], *wider[n + 1 : n + 2])
        }
        widest = 0.6 * (max(seen.end for seen in lines) - min(seen.line.left for seen in lines))
        wide = [seen for seen in lines if seen.end - seen.line.left > widest and len(seen.line.text) > _SLIDE_LINE]
        sample = [self._row(seen, middle=True) for seen in wide[:: max(1, len(wide) // _SAMPLE)][:_SAMPLE]]
        joined = columns.gutter(sample) is not None
        if not joined and not sparse:
            return [seen.line for seen in lines]
        rows = [self._row(seen) if joined or n in sparse else _whole(seen) for n, seen in enumerate(lines)]
        return list(columns.in_order(rows))

    def _row(self, seen: _Seen, *, middle: bool = False) -> Row:
        """Return a line with its parts; of those in the middle of it only, where that is enough."""
        words = []
        length = len(seen.line.text)
        first, last = (length * 3 // 10, length * 7 // 10) if middle else (0, length)
        for word in _WORD.finditer(seen.line.text, first, last):
            start, _ = self._extent(seen.first + word.start(), seen.way)
            _, end = self._extent(seen.first + word.end() - 1, seen.way)
            words.append((word.group(), start, end))
        return Row(seen.line, columns.parts_of(words, seen.line.size))

    def _extent(self, index: int, way: tuple[int, int]) -> tuple[float, float]:
        """Return where a character begins and ends along its line."""
        left, right, bottom, top = self._edges
        raw.FPDFText_GetCharBox(self._text, index, left, right, bottom, top)
        one, other = _turned(left.value, bottom.value, way)[0], _turned(right.value, top.value, way)[0]
        return min(one, other), max(one, other)


def _way(a: float, b: float) -> tuple[int, int] | None:
    """Return which way a line runs; None for one that runs aslant, over the page: a watermark."""
    if min(abs(a), abs(b)) > 0.1 * max(abs(a), abs(b)):
        return None
    return (1 if a >= 0 else -1, 0) if abs(a) >= abs(b) else (0, 1 if b > 0 else -1)


def _turned(x: float, y: float, way: tuple[int, int]) -> tuple[float, float]:
    """Return a place as if its line ran to the right."""
    if way == (1, 0):
        return x, y
    cos, sin = way
    return x * cos + y * sin, y * cos - x * sin


def _downwards(lines: list[_Seen]) -> list[_Seen]:
    """Return lines of a turned page from its head on; pdfium may give them from its foot."""
    rising = sum(a.line.top < b.line.top for a, b in pairwise(lines))
    return lines[::-1] if 2 * rising > len(lines) - 1 else lines


def _whole(seen: _Seen) -> Row:
    return Row(seen.line, (columns.Part(seen.line.text, seen.line.left, seen.end),))


# --- what is not the text -------------------------------------------------------------------------


def _without_running_heads(lines: list[Line]) -> list[Line]:
    """Drop page numbers, what stands in the margin of at least three pages, and what is stamped over as many."""
    if not lines:
        return []
    body = statistics.mode(line.size for line in lines)
    edges, apart = _edge_lines(lines)
    heads = {(line.page, _shape(line, body)) for line in apart}
    pages = Counter(shape for _, shape in heads)
    stamps = Counter(text for _, text in {(line.page, line.text) for line in lines if line.size > 2.5 * body})
    repeated = {id(line) for line in apart if pages[_shape(line, body)] >= 3}
    numbers = {id(line) for line in edges if _PAGE_NUMBER.fullmatch(line.text)}
    return [line for line in lines if id(line) not in repeated | numbers and stamps[line.text] < 3]


def _edge_lines(lines: list[Line]) -> tuple[list[Line], list[Line]]:
    """Return the three highest and the three lowest lines of every page; then those of them that are no part of it.

    They stand in the margin of the sheet, or near it and apart from the text.
    """
    spacing = line_spacing(lines)
    by_page: dict[int, list[Line]] = {}
    for line in lines:
        by_page.setdefault(line.page, []).append(line)
    edges: list[Line] = []
    apart: list[Line] = []
    for page_lines in by_page.values():
        ranked = sorted(page_lines, key=lambda line: line.bottom)
        gaps = [b.bottom - a.bottom for a, b in pairwise(ranked)]
        for n, line in [*enumerate(ranked[:3]), *list(enumerate(ranked))[3:][-3:]]:
            inwards = gaps[n:3] if n < 3 else gaps[max(3, len(ranked) - 4) : n]
            edges.append(line)
            if line.margin < _MARGIN or (line.margin < 2 * _MARGIN and max(inwards, default=0) > 1.5 * spacing):
                apart.append(line)
    return edges, apart


def _shape(line: Line, body: float) -> str:
    """Return what two running heads have in common; headings in larger type are told apart by their numbers."""
    return line.text if line.size > 1.12 * body else re.sub(r"\d+", "#", line.text).casefold()
