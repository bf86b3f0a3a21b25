"""Plain text: paragraphs whose lines were broken to fit a screen, headings, items, and what is set in columns."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ingest.document import Piece

WRAPPED = 45  # characters; lines of a paragraph that was broken to fit are longer
_ITEM = re.compile(r"^\s*(?:[-*•+o]|\(?\d{1,3}[.)]|\([a-z]\))\s+(?=\S)")
_UNDERLINE = re.compile(r"^([=\-~^*#])\1{2,}\s*$")
_NUMBERED = re.compile(r"^\d{1,2}(?:\.\d{1,2})*\.?\s+[A-Z][^.!?]{2,70}$")
_CAPITALS = re.compile(r"^[A-Z][A-Z0-9 ,:&/'()-]{3,70}$")
_PAGE = re.compile(r"^.{0,80}\[Page \d+\]\s*$|^RFC \d+ .*\d{4}$", re.MULTILINE)


def pieces_of(source: str) -> Iterator[Piece]:
    """Yield what stands in a plain text, each block with the line at which it begins."""
    source = _PAGE.sub("", source.replace("\r\n", "\n").replace("\f", "\n"))
    lines = source.expandtabs(8).split("\n")
    block: list[str] = []
    for number, line in enumerate([*lines, ""], 1):
        if line.strip():
            block.append(line)
        elif block:
            yield from _block(block, f"L{number - len(block)}")
            block = []


def _block(lines: list[str], place: str) -> Iterator[Piece]:
    if len(lines) > 1 and _UNDERLINE.match(lines[1].strip()) and len(lines[0].strip()) < 80:
        yield Piece("heading", lines[0].strip(), 1 if lines[1].strip()[0] in "=#*" else 2, place)
        lines = lines[2:]
    elif len(lines) == 1 and (_NUMBERED.match(lines[0].strip()) or _CAPITALS.match(lines[0].strip())):
        depth = re.match(r"[\d.]+", lines[0].strip().rstrip("."))
        yield Piece("heading", lines[0].strip(), 2 + depth[0].strip(".").count(".") if depth else 2, place)
        return
    if not lines:
        return
    if _is_set(lines):
        margin = min(len(line) - len(line.lstrip()) for line in lines)
        yield Piece("code", "\n".join(line[margin:].rstrip() for line in lines), place=place)
    elif _ITEM.match(lines[0]):
        yield from _items(lines, place)
    elif _is_wrapped(lines):
        yield Piece("text", " ".join(" ".join(lines).split()), place=place)
    else:
        yield Piece("text", "\n".join(" ".join(line.split()) for line in lines), place=place)


def _items(lines: list[str], place: str) -> Iterator[Piece]:
    held: list[str] = []
    for line in lines:
        if held and _ITEM.match(line):
            yield Piece("item", _joined(held), place=place)
            held = []
        held.append(line)
    yield Piece("item", _joined(held), place=place)


def _joined(lines: list[str]) -> str:
    return " ".join(_ITEM.sub("", " ".join(line.strip() for line in lines), count=1).split())


def _is_set(lines: list[str]) -> bool:
    """Return whether lines are set in columns, or are a drawing or a listing: blanks in them stand for something."""
    inner = sum(bool(re.search(r"\S {3,}\S|[|+][-=+]{2,}|[{};]\s*$", line)) for line in lines)
    return 2 * inner > len(lines)


def _is_wrapped(lines: list[str]) -> bool:
    """Return whether lines but the last are about as long as fits."""
    return all(len(line.strip()) >= WRAPPED for line in lines[:-1])
