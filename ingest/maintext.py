"""Main text: of all blocks of a page, those that are the article.

trafilatura finds the main text better than anything else in the open, and loses headings, anchors, listings and
formulas on the way. So its text serves as a mask: every block of the page is kept that stands in it, and what
belongs between kept blocks (their headings, listings, formulas) is kept with them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain

import numpy as np
import trafilatura
from lxml import etree, html
from numpy.typing import NDArray
from trafilatura.settings import Document

from ingest import hidden
from ingest.document import Piece
from ingest.shingles import Numbers, plain, shingles
from ingest.webpage import PageBlock, page_blocks, visible_text

SHORT = 360  # characters
_BLOCKS = "ab cell code fw head item lb list p quote row table".split()  # in trafilatura's tree
_BESIDE = "aside audio button canvas footer head iframe input label map math nav noscript script select style svg".split()
_BESIDE += ["textarea", "video"]
_HAS_TEXT = etree.XPath(f"boolean(//p[not({' or '.join(f'ancestor::{tag}' for tag in _BESIDE)})])")
_TABLE = np.uint64(1 << 20)  # places in the filter
_UPPER = np.uint64(12)
_SHINGLE = 4  # words; of a shorter block, the whole line must match
_MATH = re.compile(r"\$\$.+?\$\$|\$[^$\n]+\$|\\\[.+?\\\]|\\\(.+?\\\)", re.DOTALL)


def article(tree: html.HtmlElement) -> tuple[list[Piece], str]:
    """Return the main text of a page as pieces, and all of its visible text with a line a block.

    What is hidden is taken off the tree first. An empty list: the page has no main text.
    """
    hidden.strip(tree)
    for listing in tree.iter("pre"):
        etree.strip_tags(listing, "span")  # colours
    blocks = page_blocks(tree)
    if _HAS_TEXT(tree):
        etree.strip_elements(tree, *_BESIDE, with_tail=False)
    main = _main(tree, fast=True)
    if len(main) < SHORT:  # there a second opinion finds more, and on longer pages it finds worse
        main = max(main, "\n".join(b.piece.text for b in blocks if not b.apart and b.linked <.5 and b.piece.kind in {"text","item","code"}), key=len)
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
    words = _words(block.piece.text for block in blocks)
    kept = _standing_in(main, words)
    for n, block in enumerate(blocks):
        kept[n] = kept[n] and block.piece.kind != "heading"
    _drop_repeats(blocks, kept)
    if not any(kept):
        return []
    _fill_between(blocks, words, kept)
    _keep_headings(blocks, kept)
    return [block.piece for block, keep in zip(blocks, kept, strict=True) if keep]


def _standing_in(main: str, blocks: list[list[bytes]]) -> list[bool]:
    """Return for each block, given by its words, whether at least half of its shingles stand in the main text."""
    lines = _words(main.splitlines())
    short = {b" ".join(line) for line in lines if len(line) < _SHINGLE}
    held = _among(
        shingles([*chain.from_iterable(blocks)], _SHINGLE), shingles([*chain.from_iterable(lines)], _SHINGLE)
    )
    counted = [0, *np.cumsum(held).tolist()]
    standing = []
    first = 0
    for block in blocks:
        runs = len(block) - _SHINGLE + 1
        if runs < 1:
            standing.append(bool(block) and b" ".join(block) in short)
        else:
            standing.append(2 * (counted[first + runs] - counted[first]) >= runs)
        first += len(block)
    return standing


def _among(numbers: Numbers, others: Numbers) -> NDArray[np.bool_]:
    """Return which numbers are among others: a Bloom filter, wrong for one in thousands, in a tenth of isin's time."""
    table = np.zeros(_TABLE, dtype=bool)
    table[others % _TABLE] = table[(others >> _UPPER) % _TABLE] = True
    found: NDArray[np.bool_] = table[numbers % _TABLE] & table[(numbers >> _UPPER) % _TABLE]
    return found


def _words(texts: Iterable[str]) -> list[list[bytes]]:
    """Return the words of each text, without its formulas."""
    whole = "\0".join(_MATH.sub(" ", text) if "$" in text or "\\" in text else text for text in texts)
    return [text.split() for text in plain(whole).split(b"\0")]


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


def _fill_between(blocks: list[PageBlock], words: list[list[bytes]], kept: list[bool]) -> None:
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
