"""Main text: of all blocks of a page, those that are the article.

trafilatura finds the main text better than anything else in the open, and loses headings, anchors, listings and
formulas on the way. So its text serves as a mask: every block of the page is kept that stands in it, and what
belongs between kept blocks (their headings, listings, formulas) is kept with them.
"""

from __future__ import annotations

import re
from itertools import chain

import numpy as np
import trafilatura
from lxml import html
from trafilatura.settings import Document

from ingest import hidden
from ingest.document import Piece
from ingest.shingles import shingles
from ingest.webpage import PageBlock, page_blocks, visible_text

SHORT = 60  # words
_BLOCKS = "ab cell code fw head item lb list p quote row table".split()  # in trafilatura's tree
_SHINGLE = 4  # words; of a shorter block, the whole line must match
_LINE = 200  # characters of such a line at most
_WORD = re.compile(r"\w+")
_MATH = re.compile(r"\$\$.+?\$\$|\$[^$\n]+\$|\\\[.+?\\\]|\\\(.+?\\\)", re.DOTALL)


def article(tree: html.HtmlElement) -> tuple[list[Piece], str]:
    """Return the main text of a page as pieces, and all of its visible text with a line a block.

    What is hidden is taken off the tree first. An empty list: the page has no main text.
    """
    hidden.strip(tree)
    blocks = page_blocks(tree)
    main = _main(tree, fast=True)
    if len(main.split()) < SHORT:  # there a second opinion finds more, and on longer pages it finds worse
        main = max(main, _main(tree, fast=False), key=len)
    pieces = keep_main(blocks, main)
    if 2 * sum(len(piece.text) for piece in pieces) < len(main):  # the page hides its text from a plain walk
        pieces = [Piece("text", line) for line in main.splitlines()]
    return pieces, visible_text(blocks)


def _main(tree: html.HtmlElement, *, fast: bool) -> str:
    """Return the text that trafilatura finds, with a line for each of its blocks."""
    found = trafilatura.bare_extraction(
        tree, fast=fast, favor_recall=True, include_comments=False, output_format="txt", as_dict=False
    )
    if not isinstance(found, Document):
        return ""
    for element in found.body.iter(*_BLOCKS):
        end = " " if element.tag == "cell" else "\n"
        element.text = f"{end}{element.text or ''}"
        element.tail = f"{end}{element.tail or ''}"
    return "".join(found.body.itertext())


def keep_main(blocks: list[PageBlock], main: str) -> list[Piece]:
    """Return the pieces of the blocks that stand in the main text, with what belongs between them."""
    words = [_words(block.piece.text) for block in blocks]
    kept = _standing_in(main, words)
    for n, block in enumerate(blocks):
        kept[n] = kept[n] and block.piece.kind != "heading"
    _drop_repeats(blocks, kept)
    if not any(kept):
        return []
    _fill_between(blocks, words, kept)
    _keep_headings(blocks, kept)
    return [block.piece for block, keep in zip(blocks, kept, strict=True) if keep]


def _standing_in(main: str, blocks: list[list[str]]) -> list[bool]:
    """Return for each block, given by its words, whether at least half of its shingles stand in the main text."""
    short = {" ".join(_words(line)) for line in main.splitlines() if len(line) < _LINE}
    held = np.isin(shingles([*chain.from_iterable(blocks)], _SHINGLE), shingles(_words(main), _SHINGLE))
    counted = np.concatenate([[0], np.cumsum(held)])
    standing = []
    first = 0
    for block in blocks:
        runs = len(block) - _SHINGLE + 1
        if runs < 1:
            standing.append(bool(block) and " ".join(block) in short)
        else:
            standing.append(bool(2 * (counted[first + runs] - counted[first]) >= runs))
        first += len(block)
    return standing


def _words(text: str) -> list[str]:
    return _WORD.findall((_MATH.sub(" ", text) if "$" in text or "\\" in text else text).lower())


def _drop_repeats(blocks: list[PageBlock], kept: list[bool]) -> None:
    """Drop a passage that a page shows a second time (for telephones, say): two blocks in the same order."""
    seen: set[tuple[str, str]] = set()
    previous = ""
    for n, block in enumerate(blocks):
        if kept[n] and block.piece.text.count(" ") > 8:
            pair = (previous, block.piece.text)
            previous = block.piece.text
            kept[n] = pair not in seen
            seen.add(pair)


def _fill_between(blocks: list[PageBlock], words: list[list[str]], kept: list[bool]) -> None:
    """Keep listings, formulas and tables that lie between kept blocks, at most a few blocks from one."""
    first, last = kept.index(True), len(kept) - 1 - kept[::-1].index(True)
    for n in range(first, last):
        block = blocks[n]
        structural = block.piece.kind in {"code", "table"} or not words[n]  # a formula
        if structural and not block.apart and any(kept[max(first, n - 3) : n]):
            kept[n] = True


def _keep_headings(blocks: list[PageBlock], kept: list[bool]) -> None:
    """Keep a heading that is no teaser where kept text follows it before the next heading of its rank."""
    for n, block in enumerate(blocks):
        if block.piece.kind != "heading" or block.apart or block.linked > 0.5:
            continue
        skipped = 0
        for later in range(n + 1, len(blocks)):
            other = blocks[later].piece
            if other.kind == "heading" and other.level <= block.piece.level:
                break
            if other.kind != "heading":
                kept[n] = kept[later]
                skipped += 1
                if kept[n] or skipped > 3:
                    break
