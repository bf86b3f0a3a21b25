"""Deep links: the address that opens a source at the quoted words, or the plain one where that is in doubt."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product
from unicodedata import normalize
from urllib.parse import quote as percent_encode

from ingest.address import host_of, is_under, split
from ingest.sources import arxiv, github, youtube
from ingest.webpage import squeeze

_PLAYED = re.compile(r"\.(?:mp[34]|m4[av]|webm|og[gv]|opus|wav)$", re.IGNORECASE)
EXACT = 300  # characters; a longer quote is linked by its first and last words
# How many words a link may leave out at the head and the tail of a quote, the fewest first.
_CUTS = sorted(product(range(4), repeat=2), key=sum)


def deep_link(url: str, form: str, place: str, quote: str, page_text: str) -> str:
    r"""Return an address that opens a document at a quote.

    `place` is the document's own for that stretch (see ingest.document.Block), `page_text` all that its page shows.

    >>> deep_link("https://x.org/a", "html", "", "two words", "One line\\nAnd two words.")
    'https://x.org/a#:~:text=two%20words'
    >>> deep_link("https://arxiv.org/abs/1708.05031", "pdf", "page=3", "any", "")
    'https://arxiv.org/pdf/1708.05031#page=3'
    """
    bare = url.partition("#")[0]
    if form == "pdf":
        return f"{arxiv.pdf_address(bare) or bare}#{place}" if place else bare
    if form == "transcript":
        return _moment(bare, place)
    if form == "html":
        bare = arxiv.html_address(bare) or bare
    if place.startswith("L") and form == "note":
        return f"{bare}#{place}"
    if place.startswith("L") and (line := github.line_address(bare, place)):
        return line
    fragment = text_fragment(quote, page_text)
    return f"{bare}#:~:text={fragment}" if fragment else bare


def _moment(url: str, place: str) -> str:
    """Return an address that plays a recording from a second on; the plain one where nothing plays.

    >>> _moment("https://youtu.be/KJFOlhD3L1E", "t=95"), _moment("https://x.org/talk.srt", "t=95")
    ('https://youtu.be/KJFOlhD3L1E?t=95s', 'https://x.org/talk.srt')
    """
    if place and youtube.is_there(url):
        return f"{url}{'&' if '?' in url else '?'}{place}s"
    if place and (_PLAYED.search(split(url).path) or is_under(host_of(url), {"vimeo.com"})):  # W3C, "Media Fragments"
        return f"{url}#{place}"
    return url


def text_fragment(quote: str, page_text: str) -> str:
    r"""Return the text directive that finds a quote, and only it, on a page; "" where none does.

    A browser searches block by block, ignoring case and runs of blanks (WICG, "Text Fragments"), so a quote must
    stand once on the page, within one line of `page_text`; a long one is given by its first and last words. Where the
    page has the number of a note between the words at an end of a quote, it is found by those behind or before it.
    Of a table's row, the cells are found; 10⁶ is found where a page shows 106.

    >>> text_fragment("the ring", "the ring\\nof the ring")
    ''
    >>> text_fragment("Rings are an optimal algorithm.", "Rings are an optimal algorithm4.")
    'Rings%20are%20an%20optimal'
    """
    page = page_text.casefold()
    row = next((line for line in quote.splitlines() if "|" in line), "")
    return (
        _of_words(squeeze(quote), page)
        or _of_words(squeeze(normalize("NFKC", quote)), page)
        or _of_cells([cell for cell in map(squeeze, row.split("|")) if cell], page)
    )


def _of_words(quote: str, page: str) -> str:
    words = quote.split(" ")
    parts = (words[head : len(words) - tail] for head, tail in _CUTS if head + tail <= len(words) // 3)
    return next(filter(None, (_directive(part, page) for part in parts)), "")


def _of_cells(cells: Sequence[str], page: str) -> str:
    """Return the directive that finds a row: each cell is a block of its own to a browser."""
    for n, cell in enumerate(cells):
        if _once(cell, page):
            last = cells[-1]
            to_the_end = n < len(cells) - 1 and _follows(cell, last, page, within=sum(map(len, cells)) + 100)
            return f"{_encode(cell)},{_encode(last)}" if to_the_end else _encode(cell)
    return ""


def _directive(words: Sequence[str], page: str) -> str:
    wanted = " ".join(words)
    if len(wanted) <= EXACT and _once(wanted, page):
        return _encode(wanted)
    for count in range(3, min(10, len(words) // 2 + 1)):
        first, last = " ".join(words[:count]), " ".join(words[-count:])
        if _once(first, page) and _follows(first, last, page, within=2 * len(wanted) + 100):
            return f"{_encode(first)},{_encode(last)}"
    return ""


def _once(text: str, page: str) -> bool:
    wanted = text.casefold()
    first = page.find(wanted)
    return first >= 0 and page.find(wanted, first + 1) < 0 and _whole_words(wanted, page, first)


def _whole_words(wanted: str, page: str, at: int) -> bool:
    """Return whether a match begins and ends at word boundaries; a browser takes no other."""
    before, after = page[at - 1 : at], page[at + len(wanted) : at + len(wanted) + 1]
    return not (before.isalnum() and wanted[0].isalnum()) and not (after.isalnum() and wanted[-1].isalnum())


def _follows(first: str, last: str, page: str, *, within: int) -> bool:
    start = page.find(first.casefold())
    end = page.find(last.casefold(), start + len(first))
    return 0 <= end - start <= within and _whole_words(last, page, end)


def _encode(text: str) -> str:
    return percent_encode(text, safe="").replace("-", "%2D")  # a hyphen would begin or end a context
