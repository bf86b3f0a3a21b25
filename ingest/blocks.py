"""Blocks: what a page shows as one thing, and the text that is collected for the next one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ingest.document import Piece

BREAK = "\0"  # in collected text: the end of a line, or of a block that is joined with another; none is in a page's own


@dataclass(frozen=True, slots=True)
class PageBlock:
    """One visible block of a page."""

    piece: Piece
    visible: str  # as the browser shows it: with note marks, without the source of formulas
    apart: bool  # inside navigation, a footer, a form and the like
    linked: float  # share of its characters inside links


@dataclass
class Run:
    """The inline text collected since the last block began."""

    text: list[str] = field(default_factory=list)
    visible: list[str] = field(default_factory=list)
    linked: int = 0

    def add(self, text: str, visible: str, *, in_link: bool) -> None:
        """Collect text, and what a browser shows of it."""
        self.text.append(text)
        self.visible.append(visible)
        self.linked += len(text.strip()) if in_link else 0


def beside(one: PageBlock, other: PageBlock, joint: str) -> PageBlock:
    """Return two blocks of text as one."""
    a, b = len(one.piece.text), len(other.piece.text)
    return PageBlock(
        replace(one.piece, text=f"{one.piece.text}{joint}{other.piece.text}"),
        f"{one.visible}{BREAK}{other.visible}",
        one.apart or other.apart,
        (a * one.linked + b * other.linked) / (a + b),
    )
