"""PDF -> pieces, through pdfium: paragraphs in reading order, each with its page.

What a page carries besides its text is taken off (running heads, page numbers, the ligatures and hyphens of
typesetting), captions and small print stand apart from the sentences they interrupt, and the bibliography is
marked as such.
"""

from __future__ import annotations

import ctypes
import re
import statistics
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import pypdfium2 as pdfium
from pypdfium2 import raw

from ingest.document import Kind, Piece

MAX_PAGES = 600
_BOLD = 600  # font weight; 400 is regular, 700 bold

_LINE_END_HYPHEN = "\ufffe"  # what pdfium writes for it; the rest of the word follows on the same line
_BIBLIOGRAPHY = re.compile(r"(?:\d+\.?\s+)?(?:references?|bibliography|works cited|literature cited)\.?", re.IGNORECASE)
_KNOWN_HEADING = re.compile(
    r"abstract|(?:\d+\.?\s+)?(?:introduction|background|related work|motivation|evaluation|experiments?|results"
    r"|discussion|conclusions?|acknowledge?ments?|references|bibliography|summary|appendix(?:\s+[A-Z])?)\.?",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"(?P<number>(?:\d{1,2}|[A-Z])(?:\.\d{1,2}){0,3})\.?\s+(?P<title>[A-Z][^.!?]{2,80}\??)")
_BULLET = re.compile(r"[•●▪◦‣∙■□➢▶]\s*")
_DASH_OR_NUMBER = re.compile(
    r"(?:[-–*]|\(?\d{1,2}[.)]|\([a-z]\))\s+(?=\S)"
)  # a list item too, where a sentence has ended
_CAPTION = re.compile(r"(?:Figure|Fig\.|Table|Algorithm|Listing)\s*\d+\s*[:.]")
_FOOTNOTE = re.compile(r"[*∗†‡§⇤¶]\s*\w")
_PAGE_NUMBER = re.compile(r"\W*(?:page\s*)?(?:\d{1,4}|[ivxlc]{1,6})(?:\s*(?:of|/)\s*\d{1,4})?\W*", re.IGNORECASE)
_ENDS_SENTENCE = re.compile(r"[.!?:][\"'”’)\]]*$")


@dataclass(frozen=True, slots=True)
class _Line:
    page: int
    text: str
    left: float  # points from the left edge
    top: float  # baseline of its first character, points from the lower edge
    bottom: float  # baseline of its last: lower, where pdfium joined a word broken between two lines
    size: float  # of its type, in points
    bold: bool


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
    repair = _Ligatures("\n".join(line.text for line in lines))
    pieces = _slide_pieces(lines, repair) if slides else _pieces(lines, repair)
    return list(pieces), repair.whole(title)


def _lines(page: pdfium.PdfPage, number: int) -> Iterator[_Line]:
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
                yield _Line(number, shown, left, top, min(top, bottom), round(size, 1), bold)
        position += len(text) + 2


def _origin(text_page: pdfium.PdfTextPage, index: int) -> tuple[float, float]:
    x, y = ctypes.c_double(), ctypes.c_double()
    raw.FPDFText_GetCharOrigin(text_page, index, x, y)
    return x.value, y.value


# --- what is not the text -------------------------------------------------------------------------


def _without_running_heads(lines: list[_Line]) -> list[_Line]:
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


def _edge_lines(lines: list[_Line]) -> list[_Line]:
    """Return the three highest and the three lowest lines of every page."""
    by_page: dict[int, list[_Line]] = {}
    for line in lines:
        by_page.setdefault(line.page, []).append(line)
    edges = []
    for page_lines in by_page.values():
        ranked = sorted(page_lines, key=lambda line: line.bottom)
        edges += ranked[:3] + ranked[3:][-3:]
    return edges


def _shape(text: str) -> str:
    return re.sub(r"\d+", "#", text).casefold()


# --- paragraphs -----------------------------------------------------------------------------------


class _Paragraphs:
    """Collects lines into paragraphs; small print waits until the sentence it interrupts has ended."""

    def __init__(self, repair: _Ligatures) -> None:
        self.repair = repair
        self.kind: Kind = "text"
        self.level = 0
        self.lines: list[_Line] = []
        self.waiting: list[Piece] = []
        self.in_bibliography = False

    def add(self, line: _Line, kind: Kind = "text", level: int = 0) -> None:
        if not self.lines:
            self.kind, self.level = kind, level
        self.lines.append(line)

    def continues_heading(self, line: _Line, spacing: float) -> bool:
        if (
            self.kind != "heading"
            or not self.lines
            or _NUMBERED.match(line.text)
            or _KNOWN_HEADING.fullmatch(line.text)
        ):
            return False
        last = self.lines[-1]
        return last.page == line.page and last.size == line.size and 0 < last.bottom - line.top < 2 * spacing

    def end(self) -> Iterator[Piece]:
        if self.lines:
            piece = self._piece(self.lines, self.kind)
            self.lines = []
            if piece.text:
                yield piece
            if piece.kind == "heading":
                self.in_bibliography = bool(_BIBLIOGRAPHY.fullmatch(piece.text))
        self.kind = "text"
        yield from self.waiting
        self.waiting = []

    def set_aside(self, line: _Line) -> None:
        piece = self._piece([line], "reference")
        if piece.text:
            self.waiting.append(piece)

    def _piece(self, lines: list[_Line], kind: Kind) -> Piece:
        text = self.repair.joined([line.text for line in lines])
        if kind == "item":
            text = _BULLET.sub("", text, count=1)
        letters = sum(character.isalpha() for character in text)
        if letters < 4:  # the bits of a formula
            return Piece("reference", "")
        unreadable = 2 * letters < len(text.replace(" ", ""))  # figures, formulas, tables of numbers
        if kind != "heading" and (self.in_bibliography or unreadable):
            kind = "reference"
        return Piece(kind, text, self.level if kind == "heading" else 0, f"page={lines[0].page}")


def _pieces(lines: list[_Line], repair: _Ligatures) -> Iterator[Piece]:
    if not lines:
        return
    body = statistics.mode(line.size for line in lines)
    body_bold = statistics.mode(line.bold for line in lines)
    spacing = _line_spacing(lines)
    paragraphs = _Paragraphs(repair)
    previous: _Line | None = None
    for line in lines:
        marked = (line.bold and not body_bold) or line.size > 1.12 * body
        level = _heading_level(line, marked=marked, body=body, previous=previous, spacing=spacing)
        if marked and paragraphs.continues_heading(line, spacing):
            paragraphs.add(line)
        elif level:
            yield from paragraphs.end()
            paragraphs.add(line, "heading", level)
        elif line.size < 0.9 * body or _FOOTNOTE.match(line.text):  # small print, figure labels
            paragraphs.set_aside(line)
            continue
        elif _CAPTION.match(line.text):
            yield from paragraphs.end()
            paragraphs.add(line, "reference")
        elif _BULLET.match(line.text) or (
            _DASH_OR_NUMBER.match(line.text) and previous and _ENDS_SENTENCE.search(previous.text)
        ):
            yield from paragraphs.end()
            paragraphs.add(line, "item")
        else:
            if paragraphs.kind == "heading" or previous is None or _begins_paragraph(line, previous, spacing):
                yield from paragraphs.end()
            paragraphs.add(line)
        previous = line
    yield from paragraphs.end()


def _slide_pieces(lines: list[_Line], repair: _Ligatures) -> Iterator[Piece]:
    """Yield the lines of slides, each once: slides that build up repeat what stood before."""
    body = statistics.median(line.size for line in lines) if lines else 0
    seen: set[str] = set()
    page = 0
    held: Piece | None = None
    for line in lines:
        text = _BULLET.sub("", repair.joined([line.text]))
        title = line.page != page and (line.size > 1.12 * body or line.bold)
        place = f"page={line.page}"
        page = line.page
        if text in seen or sum(map(str.isalpha, text)) < 4:
            continue
        seen.add(text)
        if held and held.place == place and held.kind == "item" and text[0].islower():
            held = replace(held, text=f"{held.text} {text}")
            continue
        if held:
            yield held
        held = Piece("heading" if title else "item", text, int(title), place)
    if held:
        yield held


def _line_spacing(lines: list[_Line]) -> float:
    gaps = [a.bottom - b.top for a, b in pairwise(lines) if a.page == b.page and 4 < a.bottom - b.top < 40]
    return statistics.median(gaps) if gaps else 12.0


def _begins_paragraph(line: _Line, previous: _Line, spacing: float) -> bool:
    """Return whether a line begins a paragraph: after a gap, or indented after a full stop."""
    if line.page != previous.page or line.top > previous.bottom + spacing:  # a new page or column
        return bool(_ENDS_SENTENCE.search(previous.text))
    drop = previous.bottom - line.top
    if drop > 1.6 * spacing:
        return True
    if drop < 0.3 * spacing:  # the same line, cut by a formula
        return False
    return 3 < line.left - previous.left < 60 and bool(_ENDS_SENTENCE.search(previous.text))


def _heading_level(line: _Line, *, marked: bool, body: float, previous: _Line | None, spacing: float) -> int:
    """Return 1 to 4 for a heading, 0 for any other line."""
    text = line.text
    if _BULLET.match(text) or _CAPTION.match(text):
        return 0
    if len(text) > 100 or text.count(",") > 2 or text.endswith(",") or sum(map(str.isalpha, text)) < 3:
        return 0
    apart = previous is None or line.page != previous.page or abs(previous.bottom - line.top) > 1.2 * spacing
    if numbered := _NUMBERED.fullmatch(text):
        if marked or (apart and numbered["title"].isupper()):
            return min(4, 1 + numbered["number"].count("."))
        return 0
    if _KNOWN_HEADING.fullmatch(text) and (marked or text.isupper() or apart):
        return 1
    if marked and apart and not _ENDS_SENTENCE.search(text) and not text[0].islower():
        return 1 if line.size > 1.3 * body else 2
    return 0


# --- words that typesetting changed ---------------------------------------------------------------

# Fonts without a Unicode map show their ligatures as control characters or symbols, each font its own way. Which
# ligature a character stands for is told by the words it makes: a few frequent ones for each.
_LIGATURE_WORDS = {
    "fi": "first find finding define defined definition specific specification final field filter file fixed",
    "ff": "different difference effect effective effort off offer buffer affect staff efforts effects",
    "fl": "flow float floating flexible reflect influence fly conflict overflow flag flat",
    "ffi": "efficient efficiently efficiency difficult sufficient coefficient coefficients official traffic affinity",
    "ffl": "offline shuffle shuffled",
    "tt": "better setting attention little pattern attribute attributes matter written getting",
    "Th": "the this that these then there they thus those therefore",
    "ft": "after often left software shift draft",
    "ti": "time function information operation action iteration distribution",
}
_ODD = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2190-\u21ff\u2700-\u27bf]")


class _Ligatures:
    """Puts words back together: ligatures, line-end hyphens, compatibility characters."""

    def __init__(self, text: str) -> None:
        self._hyphenated = set(re.findall(r"\b\w+-\w+\b", text.lower()))
        words = re.findall(r"[A-Za-z]*" + _ODD.pattern + r"[A-Za-z]+|[A-Za-z]+" + _ODD.pattern + r"[A-Za-z]*", text)
        self._letters: dict[str, str] = {}
        for odd in {character for word in words for character in _ODD.findall(word)}:
            mine = Counter(word for word in words if odd in word)
            votes = {
                letters: sum(n for word, n in mine.items() if word.replace(odd, letters).lower() in known.split())
                for letters, known in _LIGATURE_WORDS.items()
            }
            best = max(votes, key=lambda letters: votes[letters])
            if votes[best]:
                self._letters[odd] = best

    def whole(self, text: str) -> str:
        """Return one line of text with its ligatures spelled out and without control characters."""
        text = _ODD.sub(lambda found: self._letters.get(found.group(0), " "), text)
        return " ".join(unicodedata.normalize("NFKC", text).split())

    def joined(self, lines: list[str]) -> str:
        """Return lines as one text, words broken at line ends made whole."""
        text = ""
        for line in lines:
            line = re.sub(r"\u00ad(?=.)", "-", line)  # within a line it is a plain hyphen
            odd = sum(character not in self._letters for character in _ODD.findall(line))
            if 4 * odd > len(line):  # a font without any map: nothing in it can be read
                continue
            if re.search(r"\w[-\u00ad\u2010]$", text) and line[0].islower():
                text = f"{text[:-1]}{_LINE_END_HYPHEN}{line}"
            else:
                text = f"{text} {line}" if text else line
        text = re.sub(rf"(\w+)[{_LINE_END_HYPHEN}\u00ad]\s*(\w+)", self._rejoin, text)
        return self.whole(text.replace(_LINE_END_HYPHEN, ""))

    def _rejoin(self, parts: re.Match[str]) -> str:
        compound = f"{parts.group(1)}-{parts.group(2)}"
        return compound if compound.lower() in self._hyphenated else parts.group(1) + parts.group(2)
