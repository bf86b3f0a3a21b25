"""Pieces: what an extractor found, made ready: link sections marked, titles not said twice."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ingest.document import Piece, assemble

_LINK_SECTIONS = re.compile(
    r"(?:(?:further|additional|recommended) (?:reading|resources|links)|references?|bibliography|see also"
    r"|(?:external|useful) links|what'?s next|next steps|related resources|related content|citations?|cited as:?"
    r"|footnotes?|sources?(?: and further reading)?|acknowledge?ments?"
    r"|(?P<list>(?:table of )?contents|on this page|in this article))\W*",
    re.IGNORECASE,
)


def mark_link_sections(pieces: Sequence[Piece]) -> list[Piece]:
    """Return the pieces with what stands under "References", "Further reading" and the like as references."""
    marked: list[Piece] = []
    level = 0  # of the heading that opened such a section, 0 outside of one
    for piece in pieces:
        if piece.kind == "heading":
            if level and piece.level <= level:
                level = 0
            section = _LINK_SECTIONS.fullmatch(piece.text.strip())
            if section and not level:
                level = 7 if section["list"] else piece.level  # a table of contents ends at any heading
        elif level:
            piece = replace(piece, kind="reference")
        marked.append(piece)
    return marked


def without_title(pieces: Sequence[Piece], title: str) -> list[Piece]:
    """Return the pieces without the headings that only repeat the document's title at its top."""

    def words(text: str) -> list[str]:
        return re.findall(r"\w+", text.lower())

    first = next((n for n, piece in enumerate(pieces) if piece.kind != "heading"), 0)
    return [
        piece
        for n, piece in enumerate(pieces)
        if not (n < first and (words(piece.text) == words(title) or piece.level == 1))
    ]


def quotable(pieces: Sequence[Piece]) -> str:
    """Return the text of pieces that answers may quote: without references, captions and navigation."""
    return assemble([piece for piece in pieces if piece.kind != "reference"])[0]


def ranges(numbers: list[int], what: str) -> str:
    """Return numbers as people write them.

    >>> ranges([1, 2, 3, 7], "page"), ranges([4], "page")
    ('pages 1-3, 7', 'page 4')
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    written = ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)
    return f"{what}{'s' * (len(numbers) > 1)} {written}"
