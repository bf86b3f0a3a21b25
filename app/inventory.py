"""Inventory: questions about the shelf itself ("which videos cover TinyURL?"), answered from its lists and ledger.

What such an answer names is cited where the shelf names it: in a page's own words, or in the further reading of a note.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.answer import Citation, Sentence
from app.reading import Item
from index.passage import Source
from index.store import Shelf
from ingest.status import Status

MOST = 12  # resources that are named
_KINDS = (
    r"(?P<kind>videos?|talks?|lectures?|papers?|books?|courses?|workshops?|articles?|blog posts?"
    r"|repos(?:itories)?|notes?)"
)
_ANY = r"(?P<kind>resources?|links?|things?|material|anything|something|everything|what)"
_HERE = (
    r"(?:on (?:the|this|your) (?:shelf|lists?)|do you have|have you got|are (?:there|listed|here)"
    r"|is (?:there|here|listed)|here)"
)
_ABOUT = (
    r"(?:about|on|for|cover(?:s|ing)?|explain(?:s|ing)?|discuss(?:es|ing)?|teach(?:es|ing)?|mention(?:s"
    r"|ing)?|deal(?:s|ing)? with)"
)
_ARE_ABOUT = rf"(?: that| which)?(?: are| is| talks?| speaks?)? {_ABOUT}"
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        (
            rf"^(?:which|what|how many|list|show"
            rf"|name)(?: me)?(?: all)?(?: the)? {_KINDS}(?: {_HERE})?{_ARE_ABOUT} (?P<subject>.+)$"
        ),
        (
            r"^(?:which|what|how many|list|show|name)(?: me)?(?: all)?(?: the)?"
            rf" (?:resources|links|pages|sources|documents){_ARE_ABOUT} (?P<subject>.+)$"
        ),
        r"^where (?:can|could|do|should) i (?:read|learn|find|study|watch)(?: \w+)? (?:about|on) (?P<subject>.+)$",
        r"^where is (?P<subject>.+) (?:explained|covered|discussed|described)$",
        rf"^(?:list|show|name|which|what|how many)(?: me)?(?: all)?(?: the)? {_ANY} {_HERE} {_ABOUT} (?P<subject>.+)$",
        rf"^(?:what(?:'s| is| are)?|is there|are there|have you got|do you have)(?: any| some)? ?(?:{_KINDS}"
        rf"|anything|something)?"
        rf" ?{_ABOUT} (?P<subject>.+?) on (?:the|this|your) (?:shelf|lists?)$",
        rf"^(?:what(?:'s| is)|(?P<kind>what)) {_HERE} {_ABOUT} (?P<subject>.+)$",
        rf"^(?:is|are) there (?:any|some|a)? ?(?:{_KINDS}|anything|something) {_ABOUT} (?P<subject>.+)$",
        rf"^(?:do you have|have you got) (?:any |some |a )?(?:{_KINDS}|anything|something) {_ABOUT} (?P<subject>.+)$",
    )
)


def asked(question: str) -> str:
    """Return the request that a question about the shelf comes to, "" where it is about something else.

    >>> asked("Which videos cover TinyURL?"), asked("what is on the shelf about feature stores?")
    ('videos about TinyURL', 'feature stores')
    >>> asked("which pages are about ZeRO?"), asked("Where can I read more about Raft?")
    ('ZeRO', 'Raft')
    >>> asked("How does ring-allreduce work?")
    ''
    """
    text = " ".join(question.split()).rstrip("?. ")
    for pattern in _PATTERNS:
        if found := pattern.match(text):
            subject = re.sub(r" on (?:the|this|your) (?:shelf|lists?)$", "", found["subject"], flags=re.IGNORECASE)
            kind = found["kind"] or "" if re.search(r"\(\?P<kind>v", pattern.pattern) else ""
            return f"{kind}{'' if kind.endswith('s') else 's'} about {subject}" if kind else subject
    return ""


@dataclass(frozen=True)
class Inventory:
    """Resources as the sentences of an answer."""

    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
    missing: str | None  # what is listed and named nowhere that could be quoted


def cited(items: Sequence[Item], shelf: Shelf) -> Inventory:
    """Return a sentence for each resource, cited where the shelf names it."""
    notes = [(source, shelf.page(source.url)[0]) for source in shelf.sources() if source.kind == "note"]
    of = {source.url: source for source in shelf.sources()}
    sentences: list[Sentence] = []
    citations: list[Citation] = []
    unnamed: list[str] = []
    for item in items:
        n = len(citations) + 1
        citation = _in_its_own_words(item, of, shelf, n) if item.quote else _as_named(item, notes, n)
        if not citation:
            unnamed.append(said(item))
            continue
        citations.append(citation)
        sentences.append(Sentence(said(item), (n,)))
    missing = f"Listed, and quoted nowhere on the shelf: {'; '.join(unnamed)}." if unnamed else None
    return Inventory(tuple(sentences), tuple(citations), missing)


def said(item: Item) -> str:
    """Return what an answer says of a resource."""
    if item.quote:
        return f"{item.title} ({item.kind}): “{' '.join(item.quote.split())}”"
    if not item.about and item.status != Status.FOREIGN:
        return f"{item.title} ({item.kind}): {item.why}"
    why = "it was read, and is not searched" if item.status == Status.FOREIGN else "it could not be read here"
    return f"{item.title} ({item.kind}, {item.status}: {why})"


def _in_its_own_words(item: Item, of: Mapping[str, Source], shelf: Shelf, n: int) -> Citation | None:
    """Return a citation of an item's quote, which stands in one of its resource's documents."""
    for source in of.values():
        if item.url in {source.url, source.resource}:
            at = shelf.page(source.url)[0].find(item.quote)
            if at >= 0:
                return _citation(source, item.quote, at, n, item.deep_url)
    return None


def _as_named(item: Item, notes: Sequence[tuple[Source, str]], n: int) -> Citation | None:
    """Return a citation of an item's title in the further reading of a note."""
    pattern = re.compile(rf"(?<!\w){re.escape(item.title)}(?!\w)")
    for source, text in notes:
        if found := pattern.search(text):
            return _citation(source, item.title, found.start(), n, source.url)
    return None


def _citation(source: Source, quote: str, at: int, n: int, deep_url: str) -> Citation:
    return Citation(
        n=n,
        url=source.url,
        deep_url=deep_url,
        title=source.title,
        quote=quote,
        start=at,
        end=at + len(quote),
        sha256=source.sha256,
        kind=source.kind,
    )
