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
from ingest.blocks import PageBlock
from ingest.document import Piece
from ingest.shingles import Numbers, plain, shingles
from ingest.webpage import LINE_NUMBERS, page_blocks, visible_text

SHORT = 360  # characters
_BLOCKS = "ab cell code fw head item lb list p quote row table".split()  # in trafilatura's tree
_BESIDE = (  # what trafilatura leaves out itself, after it has looked for much else in it
    "aside audio button canvas footer head iframe input label map math nav script select style svg textarea video"
).split()
MOST_NAMES = 500  # characters of an element's classes
_LAYERS = "//div[@class or @id] | //section[@class or @id] | //aside | //dialog | //form"
_HOLDS_TEXT = "boolean(self::article or .//article or .//main or .//h1)"
_CONSENT = re.compile(
    r"(?:^|[\s_-])(?:cookies?|cmp|gdpr|ccpa|consent|onetrust|didomi|usercentrics|cookiebot|truste|osano|klaro|iubenda)"
    r"(?:$|[\s_-]?(?:banner|bar|box|layer|modal|popup|pop|notice|overlay|wall|container|wrapper|dialog|consent|law|info"
    r"|message|policy|settings|preferences|cs|sdk|root|app|ui|manager|body|content|inner|main|cookie|cookies)?(?:$|[\s_-]))",
    re.IGNORECASE,
)
_SHINGLE = 4  # words; of a shorter block, the whole line must match
_PLACES = np.uint64(1 << 20)  # in a filter, and
_UPPER = np.uint64(12)  # bits by which a number is shifted for its second one
_MATH = re.compile(r"\$\$.+?\$\$|\$[^$\n]+\$|\\\[.+?\\\]|\\\(.+?\\\)", re.DOTALL)


def article(tree: html.HtmlElement) -> tuple[list[Piece], str]:
    """Return the main text of a page as pieces, and all of its visible text with a line a block.

    What is hidden is taken off the tree first. An empty list: the page has no main text.
    """
    hidden.strip(tree)
    for listing in tree.iter("pre"):
        for numbers in listing.xpath(".//span[contains(@class, 'line')]"):
            if LINE_NUMBERS.search(numbers.get("class")):
                numbers.text = ""
        etree.strip_tags(listing, "span")  # colours: a sixth of all elements
    _drop_consent(tree)
    blocks = page_blocks(tree)
    if any(_says_more(paragraph) for paragraph in tree.iter("p")):
        etree.strip_elements(tree, *_BESIDE, with_tail=False)
    main = _main(tree)
    if len(main) < SHORT:  # a page of so few words is mostly its text, which trafilatura may have passed over
        main = max(main, "\n".join(block.piece.text for block in blocks if _may_be_text(block)), key=len)
    pieces = keep_main(blocks, main)
    if 2 * sum(len(piece.text) for piece in pieces) < len(main):  # the page hides its text from a plain walk
        pieces = [Piece("text", line) for line in main.splitlines() if line.strip()]
    return pieces, visible_text(blocks)


def _drop_consent(tree: html.HtmlElement) -> None:
    """Take the layers off a page in which it asks for consent; the article is in none of them."""
    for element in tree.xpath(_LAYERS):
        named = f"{element.get('class', '')} {element.get('id', '')}"[:MOST_NAMES]
        if _CONSENT.search(named) and element.getparent() is not None and not element.xpath(_HOLDS_TEXT):
            element.drop_tree()


def _main(tree: html.HtmlElement) -> str:
    """Return the text that trafilatura finds, with a line for each of its blocks."""
    found = trafilatura.bare_extraction(
        tree, fast=True, favor_recall=True, include_comments=False, output_format="txt", as_dict=False
    )
    if not isinstance(found, Document):
        return ""
    for element in found.body.iter(*_BLOCKS):
        end = " " if element.tag == "cell" else "\n"
        element.text = f"{end}{element.text or ''}"
        element.tail = f"{end}{element.tail or ''}"
    return "".join(found.body.itertext())


def _says_more(paragraph: html.HtmlElement) -> bool:
    """Return whether a paragraph holds text that does not stand beside what the page is about."""
    return next(paragraph.iterancestors(_BESIDE), None) is None and bool("".join(paragraph.itertext()).strip())


def _may_be_text(block: PageBlock) -> bool:
    return not block.apart and block.linked < 0.5 and block.piece.kind in {"text", "item", "code"}


def keep_main(blocks: list[PageBlock], main: str) -> list[Piece]:
    """Return the pieces of the blocks that stand in the main text, with what belongs between them."""
    words = _words(map(_as_trafilatura_has_it, blocks))
    kept = _standing_in(main, words)
    for n, block in enumerate(blocks):
        kept[n] = kept[n] and block.piece.kind != "heading"
    _drop_repeats(blocks, kept)
    if not any(kept):
        return []
    _fill_between(blocks, words, kept)
    _keep_headings(blocks, kept)
    return [block.piece for block, keep in zip(blocks, kept, strict=True) if keep]


def _as_trafilatura_has_it(block: PageBlock) -> str:
    """Return a block's words as they stand in a page, powers and the numbers of notes beside them; formulas as TeX."""
    return block.piece.text if "$" in block.piece.text else block.visible.replace("\0", " ")


def _standing_in(main: str, blocks: list[list[bytes]]) -> list[bool]:
    """Return for each block, given by its words, whether at least half of its shingles stand in the main text."""
    lines = _words(main.splitlines())
    short = {b" ".join(line) for line in lines if len(line) < _SHINGLE}
    held = among(shingles([*chain.from_iterable(blocks)], _SHINGLE), shingles([*chain.from_iterable(lines)], _SHINGLE))
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


def among(numbers: Numbers, others: Numbers) -> NDArray[np.bool_]:
    """Return which numbers are among others, several times quicker than np.isin.

    A filter as in Bloom, "Space/time trade-offs in hash coding with allowable errors", 1970: among 10,000 others, it
    finds 4 in 10,000 that are not there, of which a block's half is hardly ever made.
    """
    places = np.zeros(_PLACES, dtype=bool)
    places[others % _PLACES] = places[(others >> _UPPER) % _PLACES] = True
    found: NDArray[np.bool_] = places[numbers % _PLACES] & places[(numbers >> _UPPER) % _PLACES]
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
