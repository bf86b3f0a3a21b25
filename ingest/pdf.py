"""PDF -> pieces, through pdfium: paragraphs in reading order, each with its page.

What a page carries besides its text is taken off (running heads, page numbers, the ligatures and hyphens of
typesetting), captions and small print stand apart from the sentences they interrupt, and the bibliography is
marked as such.
"""

from __future__ import annotations

import ctypes
import re
from collections import Counter
from collections.abc import Iterator

import pypdfium2 as pdfium
from pypdfium2 import raw

from ingest.document import Piece
from ingest.layout import Line, pieces_of, pieces_of_slides, without_front_matter
from ingest.ligatures import Ligatures

MAX_PAGES = 600
_BOLD = 600  # font weight; 400 is regular, 700 bold

_PAGE_NUMBER = re.compile(r"\W*(?:page\s*)?(?:\d{1,4}|[ivxlc]{1,6})(?:\s*(?:of|/)\s*\d{1,4})?\W*", re.IGNORECASE)


def pages(content: bytes) -> tuple[list[Piece], str]:
    """Return the pieces of a PDF, in reading order, and the title its properties give (often none).

    An empty list: the pages hold pictures only. Raises ValueError where the file is damaged or locked.
    """
    try:
        with pdfium.PdfDocument(content) as document:
            title = (document.get_metadata_dict().get("Title") or "").strip()
            sheets = [document[n] for n in range(min(len(document), MAX_PAGES))]
            slides = sum(sheet.get_width() > sheet.get_height() for sheet in sheets) > len(sheets) / 2
            lines = [line for n, sheet in enumerate(sheets, 1) for line in _lines(sheet, n)]
    except pdfium.PdfiumError as error:
        locked = "password" in str(error).lower()
        raise ValueError("locked by a password" if locked else f"damaged: {error}") from error
    lines = [line for line in _without_running_heads(lines) if line.text]
    repair = Ligatures("\n".join(line.text for line in lines))
    pieces = pieces_of_slides(lines, repair) if slides else without_front_matter(list(pieces_of(lines, repair)))
    return list(pieces), repair.whole(title)


def _lines(page: pdfium.PdfPage, number: int) -> Iterator[Line]:
    text_page = page.get_textpage()
    position = 0
    for text in text_page.get_text_range().split("\r\n"):
        if shown := text.strip():
            first = position + len(text) - len(text.lstrip())
            middle = first + shown.index(max(shown.split(), key=len))  # a blank has no type of its own
            matrix = raw.FS_MATRIX()
            raw.FPDFText_GetMatrix(text_page, middle, matrix)
            if abs(matrix.b) <= abs(matrix.a):  # else it runs up the margin
                last = first + len(shown) - 1
                left, top = _origin(text_page, first)
                _, bottom = _origin(text_page, last)
                size = raw.FPDFText_GetFontSize(text_page, middle) * (matrix.c**2 + matrix.d**2) ** 0.5
                bold = all(raw.FPDFText_GetFontWeight(text_page, n) >= _BOLD for n in (first, middle, last))
                yield Line(number, shown, left, top, min(top, bottom), round(size, 1), bold)
        position += len(text) + 2


def _origin(text_page: pdfium.PdfTextPage, index: int) -> tuple[float, float]:
    x, y = ctypes.c_double(), ctypes.c_double()
    raw.FPDFText_GetCharOrigin(text_page, index, x, y)
    return x.value, y.value


# --- what is not the text -------------------------------------------------------------------------


def _without_running_heads(lines: list[Line]) -> list[Line]:
    """Drop page numbers, and lines that stand at the edge of at least three pages."""
    edges = _edge_lines(lines)
    seen = Counter(key for key in {(line.page, _shape(line.text)) for line in edges})
    repeated = Counter(shape for _, shape in seen)
    edge_ids = {id(line) for line in edges}
    return [
        line
        for line in lines
        if id(line) not in edge_ids or not (_PAGE_NUMBER.fullmatch(line.text) or repeated[_shape(line.text)] >= 3)
    ]


def _edge_lines(lines: list[Line]) -> list[Line]:
    """Return the three highest and the three lowest lines of every page."""
    by_page: dict[int, list[Line]] = {}
    for line in lines:
        by_page.setdefault(line.page, []).append(line)
    edges = []
    for page_lines in by_page.values():
        ranked = sorted(page_lines, key=lambda line: line.bottom)
        edges += ranked[:3] + ranked[3:][-3:]
    return edges


def _shape(text: str) -> str:
    return re.sub(r"\d+", "#", text).casefold()
