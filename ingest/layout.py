"""Layout: lines of type -> headings, paragraphs and items, as their sizes, weights and distances tell them apart."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ingest.document import Kind, Piece
from ingest.ligatures import Ligatures

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
_ENDS_SENTENCE = re.compile(r"[.!?:][\"'”’)\]]*$")
# Where the text of a paper begins; and what a publisher puts between its abstract and its introduction.
_BEGINS = re.compile(r"(?:abstract|executive summary|(?:\d{1,2}|I)?[.:]?\s*introduction)\b", re.IGNORECASE)
_FORMALITIES = re.compile(
    r"(?:ccs concepts?|(?:general|index) terms|(?:author )?keywords?(?: and phrases)?|acm reference format"
    r"|categories and subject descriptors|permission to .*)\W*",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?:[A-Z][\w.’'-]*\s?){2,4}[∗*†‡\d]*")
_SENTENCES = 40  # words; a shorter paragraph before the abstract is a name, an address, a date


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a page."""

    page: int
    text: str
    left: float  # points from the left edge
    top: float  # baseline of its first character, points from the lower edge
    bottom: float  # baseline of its last: lower, where pdfium joined a word broken between two lines
    size: float  # of its type, in points
    bold: bool
    margin: float = 0.5  # of the height of the sheet, from its head or its foot
    cells: tuple[str, ...] = ()  # of a row of a table


class _Paragraphs:
    """Collects lines into paragraphs; small print waits until the sentence it interrupts has ended."""

    def __init__(self, repair: Ligatures) -> None:
        self.repair = repair
        self.kind: Kind = "text"
        self.level = 0
        self.lines: list[Line] = []
        self.waiting: list[Piece] = []
        self.in_bibliography = False

    def add(self, line: Line, kind: Kind = "text", level: int = 0) -> None:
        if not self.lines:
            self.kind, self.level = kind, level
        self.lines.append(line)

    def continues_heading(self, line: Line, spacing: float) -> bool:
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

    def set_aside(self, line: Line) -> None:
        piece = self._piece([line], "reference")
        if piece.text:
            self.waiting.append(piece)

    def _piece(self, lines: list[Line], kind: Kind) -> Piece:
        if kind == "table":
            return self._table(lines)
        text = self.repair.joined([line.text for line in lines])
        if kind == "item":
            text = _BULLET.sub("", text, count=1)
        letters = sum(map(str.isalpha, text))
        if letters < 4:  # the bits of a formula
            return Piece("reference", "")
        unreadable = 2 * letters < len(text.replace(" ", ""))  # figures, formulas, tables of numbers
        if kind != "heading" and (self.in_bibliography or unreadable):
            kind = "reference"
        return Piece(kind, text, self.level if kind == "heading" else 0, f"page={lines[0].page}")

    def _table(self, lines: list[Line]) -> Piece:
        text = "\n".join(f"| {' | '.join(self.repair.joined([cell]) for cell in line.cells)} |" for line in lines)
        numbers = 5 * sum(map(str.isalpha, text)) < len(re.sub(r"[\s|]", "", text))
        return Piece("reference" if numbers or self.in_bibliography else "table", text, place=f"page={lines[0].page}")


def pieces_of(lines: list[Line], repair: Ligatures) -> Iterator[Piece]:
    """Yield the headings, paragraphs and items that lines make."""
    if not lines:
        return
    body = statistics.mode(line.size for line in lines)
    body_bold = statistics.mode(line.bold for line in lines)
    spacing = line_spacing(lines)
    paragraphs = _Paragraphs(repair)
    previous: Line | None = None
    for line in lines:
        marked = (line.bold and not body_bold) or line.size > 1.12 * body
        level = _heading_level(line, marked=marked, body=body, previous=previous, spacing=spacing)
        if line.cells:
            if paragraphs.kind != "table":
                yield from paragraphs.end()
            paragraphs.add(line, "table")
        elif marked and paragraphs.continues_heading(line, spacing):
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
        elif _begins_item(line, previous):
            yield from paragraphs.end()
            paragraphs.add(line, "item")
        else:
            if (
                paragraphs.kind in {"heading", "table"}
                or previous is None
                or _begins_paragraph(line, previous, spacing)
            ):
                yield from paragraphs.end()
            paragraphs.add(line)
        previous = line
    yield from paragraphs.end()


def _begins_item(line: Line, previous: Line | None) -> bool:
    after_sentence = previous is not None and bool(_ENDS_SENTENCE.search(previous.text))
    return bool(_BULLET.match(line.text)) or (after_sentence and bool(_DASH_OR_NUMBER.match(line.text)))


def pieces_of_slides(lines: list[Line], repair: Ligatures) -> Iterator[Piece]:
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


def line_spacing(lines: list[Line]) -> float:
    """Return how far a line stands below the one before it, most often; in points."""
    gaps = [a.bottom - b.top for a, b in pairwise(lines) if a.page == b.page and 4 < a.bottom - b.top < 40]
    return statistics.median(gaps) if gaps else 12.0


def _begins_paragraph(line: Line, previous: Line, spacing: float) -> bool:
    """Return whether a line begins a paragraph: after a gap, or indented after a full stop."""
    if line.page != previous.page or line.top > previous.bottom + spacing:  # a new page or column
        return bool(_ENDS_SENTENCE.search(previous.text))
    drop = previous.bottom - line.top
    if drop > 1.6 * spacing:
        return True
    if drop < 0.3 * spacing:  # the same line, cut by a formula
        return False
    return 3 < line.left - previous.left < 60 and bool(_ENDS_SENTENCE.search(previous.text))


def _heading_level(line: Line, *, marked: bool, body: float, previous: Line | None, spacing: float) -> int:
    """Return 1 to 4 for a heading, 0 for any other line."""
    text = line.text
    if _BULLET.match(text) or _CAPTION.match(text):
        return 0
    if len(text) > 100 or text.count(",") > 2 or text.endswith(",") or sum(map(str.isalpha, text)) < 3:
        return 0
    apart = previous is None or line.page != previous.page or abs(previous.bottom - line.top) > 1.2 * spacing
    if numbered := _NUMBERED.fullmatch(text):
        if marked or (apart and (numbered["title"].isupper() or _KNOWN_HEADING.fullmatch(text))):
            return min(4, 1 + numbered["number"].count("."))
        return 0
    if _KNOWN_HEADING.fullmatch(text) and (marked or text.isupper() or apart):
        return 1
    if marked and apart and not _ENDS_SENTENCE.search(text) and not text[0].islower():
        return 1 if line.size > 1.3 * body else 2
    return 0


def without_front_matter(pieces: Sequence[Piece]) -> list[Piece]:
    """Return the pieces of a paper with what stands between its title and its text as references.

    Names, addresses and dates before the abstract look like headings and are none; keywords and the like after it are
    no text. A text that does not begin as papers do stays as it is.
    """
    begin = _beginning(pieces)
    if begin is None:
        return list(pieces)
    headings = [n for n in range(begin) if pieces[n].kind == "heading"]
    beside = [n for n in headings if pieces[n].place == pieces[begin].place]  # not that of a cover
    title = next(iter(beside or headings), None)
    marked = []
    formal = False
    for n, piece in enumerate(pieces):
        if piece.kind == "heading" and n >= begin:
            formal = bool(_FORMALITIES.fullmatch(piece.text))
        if (n < begin and n != title and not _is_prose(piece)) or formal:
            piece = replace(piece, kind="reference", level=0)
        marked.append(piece)
    return marked


def _beginning(pieces: Sequence[Piece]) -> int | None:
    """Return where the text of a paper begins: at its abstract or introduction, or else behind its authors' names."""
    early = [n for n, piece in enumerate(pieces) if piece.place in {"page=1", "page=2"}]
    begin = next((n for n in early if _BEGINS.match(pieces[n].text)), None)
    if begin is None:
        prose = next((n for n in early if _is_prose(pieces[n])), 0)
        names = sum(bool(_NAME.fullmatch(piece.text)) for piece in pieces[:prose])
        begin = prose if names > 1 else None
    return begin


def _is_prose(piece: Piece) -> bool:
    return piece.kind == "text" and piece.text.count(" ") >= _SENTENCES and ". " in piece.text
