"""Deep links: the address that opens a source at the quoted words, or the plain one where that is in doubt."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from urllib.parse import quote as percent_encode

from ingest.sources import arxiv, github
from ingest.webpage import squeeze

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
        return f"{bare}{'&' if '?' in bare else '?'}{place}s" if place else bare
    if place.startswith("L") and form == "note":
        return f"{bare}#{place}"
    if place.startswith("L") and github.repository(bare):
        file = bare if "/blob/" in bare else f"{bare.rstrip('/')}/blob/HEAD/README.md"
        return f"{file}?plain=1#{place}"  # rendered Markdown has no line anchors
    fragment = text_fragment(quote, page_text)
    return f"{bare}#:~:text={fragment}" if fragment else bare


def text_fragment(quote: str, page_text: str) -> str:
    r"""Return the text directive that finds a quote, and only it, on a page; "" where none does.

    A browser searches block by block, ignoring case and runs of blanks (WICG, "Text Fragments"), so a quote must
    stand once on the page, within one line of `page_text`; a long one is given by its first and last words. Where the
    page has the number of a note between the words at an end of a quote, it is found by those behind or before it.

    >>> text_fragment("the ring", "the ring\\nof the ring")
    ''
    >>> text_fragment("Rings are an optimal algorithm.", "Rings are an optimal algorithm4.")
    'Rings%20are%20an%20optimal'
    """
    page = page_text.casefold()
    words = squeeze(quote).split(" ")
    parts = (words[head : len(words) - tail] for head, tail in _CUTS if head + tail <= len(words) // 3)
    return next(filter(None, (_directive(part, page) for part in parts)), "")


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
