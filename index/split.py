"""Documents -> passages: along headings and sentences, no larger than the encoder sees."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from index.passage import Nature, Passage
from ingest.document import Block, Document

CONTEXT_PIECES = 40  # word pieces of title and headings that are embedded in front of a passage
PIECES = 200  # word pieces of the passage itself, at most
VERSION = "4"  # of this module's way of splitting: a shelf of another is rebuilt

_APART = {"heading", "reference"}  # kinds of blocks that are in no passage

CountPieces = Callable[[Sequence[str]], list[int]]
"""Tells how many word pieces the encoder makes of each text, special tokens left out."""

_MARKER = re.compile(r"\s*(?:[-*•]|\d{1,2}[.)])\s+")
_ABBREVIATED = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|cf|viz|al|resp|approx|Fig|Figs|Eq|Eqs|Sec|Secs|Ch|Chap|No|Nos|Vol|pp|Ref|Refs|Tab|Thm|Def"
    r"|Dr|Mr|Mrs|Ms|Prof|St|Inc|Ltd|Corp|U\.S|a\.k\.a|w\.r\.t)\.|(?:^|\s)[A-Z]\.)[\"')\]]*\s*$"
)


@dataclass(frozen=True, slots=True)
class _Unit:
    """A stretch that is not taken apart: a sentence, a line of a listing."""

    start: int
    end: int
    pieces: int


def context_of(document_title: str, heading: Sequence[str]) -> str:
    """Return what is embedded in front of a passage: where it stands."""
    steps = [document_title, *(step for step in heading if step != document_title)]
    return " > ".join(steps)


def split(document: Document, count: CountPieces) -> list[Passage]:
    """Return the passages of a document, in order.

    Headings, bibliographies, link lists and captions are in none; a passage never crosses one of them.
    """
    seen: dict[str, int] = {}
    passages = []
    held = [block for block in document.blocks if block.kind not in _APART]
    pieces = dict(zip(held, count([document.text[block.start : block.end] for block in held]), strict=True))
    for run in _runs(document):
        for start, end in _pack(document.text, run, pieces, count):
            text = document.text[start:end]
            nth = seen[text] = seen.get(text, -1) + 1
            digest = hashlib.sha256(f"{document.url}\0{text}\0{nth}".encode()).hexdigest()
            blocks = [block for block in run if block.start < end and block.end > start]
            passages.append(
                Passage(
                    id=digest[:16],
                    document=document.url,
                    start=start,
                    end=end,
                    text=text,
                    heading=run[0].heading,
                    places=_places(blocks, start),
                    kind=_nature(run[0]),
                    sentences=tuple(_quotable(document.text, blocks, start, end)),
                )
            )
    return passages


def _places(blocks: Sequence[Block], start: int) -> tuple[tuple[int, str], ...]:
    """Return the places of blocks, each once with the offset from which on it holds."""
    places: list[tuple[int, str]] = []
    for block in blocks:
        if not places or places[-1][1] != block.place:
            places.append((max(0, block.start - start), block.place))
    return tuple(places)


def _runs(document: Document) -> Iterator[list[Block]]:
    """Yield stretches of blocks that may share a passage: neighbours under one heading and of one nature."""
    run: list[Block] = []
    for block in document.blocks:
        if block.kind in _APART:
            if run:
                yield run
            run = []
            continue
        if run and (block.heading != run[-1].heading or _nature(block) != _nature(run[-1])):
            yield run
            run = []
        run.append(block)
    if run:
        yield run


def _nature(block: Block) -> Nature:
    return "code" if block.kind == "code" else "table" if block.kind == "table" else "text"


def _pack(
    text: str, run: Sequence[Block], counted: Mapping[Block, int], count: CountPieces
) -> Iterator[tuple[int, int]]:
    """Yield the bounds of passages that together cover a run, each of at most PIECES word pieces."""
    start = end = filled = 0
    for block in run:
        pieces = counted[block]
        whole = [_Unit(block.start, block.end, pieces)]
        fits_later = pieces <= PIECES and filled > PIECES // 2
        units = whole if pieces <= PIECES and (filled + pieces <= PIECES or fits_later) else _units(text, block, count)
        for unit in units:
            if filled and filled + unit.pieces > PIECES:
                yield start, end
                filled = 0
            if not filled:
                start = unit.start
            filled += unit.pieces
            end = unit.end
    if filled:
        yield start, end


def _units(text: str, block: Block, count: CountPieces) -> list[_Unit]:
    """Return the sentences of a block (the lines of a listing or table), those too long cut between words."""
    body = text[block.start : block.end]
    bounds = _lines(body) if _nature(block) != "text" else sentence_bounds(body)
    units = []
    for (start, end), pieces in zip(bounds, count([body[a:b] for a, b in bounds]), strict=True):
        parts = [(start, end, pieces)] if pieces <= PIECES else _cut(body, start, end, count)
        units += [_Unit(block.start + a, block.start + b, n) for a, b, n in parts if n]
    return units


def _lines(body: str) -> list[tuple[int, int]]:
    return [found.span() for found in re.finditer(r"[^\n]+", body)]


def _cut(body: str, start: int, end: int, count: CountPieces) -> list[tuple[int, int, int]]:
    """Cut a stretch between words so that each part has at most PIECES word pieces; a longer word is cut itself."""
    words = [(start + found.start(), start + found.end()) for found in re.finditer(r"\S{1,100}\s*", body[start:end])]
    parts: list[tuple[int, int, int]] = []
    for (a, b), pieces in zip(words, count([body[a:b] for a, b in words]), strict=True):
        if parts and parts[-1][2] + pieces <= PIECES:
            parts[-1] = (parts[-1][0], b, parts[-1][2] + pieces)
        else:
            parts.append((a, b, pieces))
    return [(a, a + len(body[a:b].rstrip()), n) for a, b, n in parts]


# --- sentences ------------------------------------------------------------------------------------


def sentence_bounds(text: str) -> list[tuple[int, int]]:
    """Return where the sentences of a text begin and end, without the blanks between them.

    >>> text = "See Fig. 3 of Li et al. for it. Then sum."
    >>> [text[a:b] for a, b in sentence_bounds(text)]
    ['See Fig. 3 of Li et al. for it.', 'Then sum.']
    """
    bounds: list[tuple[int, int]] = []
    for line in re.finditer(r"[^\n]+", text):
        start = line.start()
        joined = False
        for part in _splitter()(line.group()):
            end = start + len(part)
            if joined:
                bounds[-1] = (bounds[-1][0], end)
            else:
                bounds.append((start, end))
            following = text[end : end + 1]
            joined = bool(_ABBREVIATED.search(part)) or following.islower()
            start = end
    stripped = ((a + len(text[a:b]) - len(text[a:b].lstrip()), a + len(text[a:b].rstrip())) for a, b in bounds)
    return [(a, b) for a, b in stripped if b > a]


@cache
def _splitter() -> Callable[[str], list[str]]:
    """Return llama-index's splitter: Punkt, whose parts joined are the text again."""
    from llama_index.core.node_parser.text.utils import split_by_sentence_tokenizer  # 3 s, and only to build

    splitter: Callable[[str], list[str]] = split_by_sentence_tokenizer()
    return splitter


def _rows(table: str) -> Iterator[tuple[int, int]]:
    """Yield the rows of figures in a table, without the bars around them: each says what its first cell has."""
    for row in re.finditer(r"^\|\s*(\S.*?\S)\s*\|$", table, re.MULTILINE):
        if re.search(r"\d", row[1]) and re.match(r"[^|]*[^\W\d_]", row[1]):
            yield row.span(1)


def _quotable(text: str, blocks: Sequence[Block], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield, as offsets into the passage, what an answer may quote: sentences, items, prose cells of tables."""
    for block in blocks:
        a, b = max(start, block.start), min(end, block.end)
        if block.kind == "table":
            cells = ((a + found.start(), a + found.end()) for found in re.finditer(r"[^|\n]+", text[a:b]))
            spans = [(x, y) for x, y in cells if text[x:y].count(" ") > 8]  # prose, not figures
            if not spans:
                yield from ((a + x - start, a + y - start) for x, y in _rows(text[a:b]))
        elif block.kind == "code":
            continue
        else:
            marker = _MARKER.match(text[a:b]) if a == block.start and block.kind == "item" else None
            spans = [(a + (marker.end() if marker else 0), b)]
        for x, y in spans:
            for u, v in sentence_bounds(text[x:y]):
                yield x + u - start, x + v - start
