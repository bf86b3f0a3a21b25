"""Candidates: what a reading list may hold, a page or a resource without text each, and how likely it belongs there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from app import fitted
from app.kinds import VIDEO
from app.wish import Wish
from index import search
from index.encoder import Asked
from index.lexical import terms
from index.passage import Listing, Source
from index.store import Shelf

POOL = 400  # passages that tell which pages fit
READ = (
    "wide",  # of the wide reader, for the best passage of a page
    "wide_three",  # for its best three
    "dense",  # cosine of its best passage
    "dense_three",
    "fused",  # of the best passage, in standard deviations
    "lexical",  # BM25 of its best passage, as a share of the best of all
    "behind",  # how far its best passage is behind that of the best page, for the wide reader
    "many",  # how many of its passages are among the best, as a logarithm
    "share",  # which share of its passages that is
    "listed",  # how like what the lists say of its resource is, in standard deviations
    "named",  # share of the request's words in its title and that of its resource
    "curated",
)
UNREAD = (
    "listed",  # how like what the lists say of it is, in standard deviations
    "alike",  # the cosine of the two
    "named",  # share of the request's words in its title
    "described",  # in all that the lists say
    "behind",  # how far it is behind the likest
    "video",
)
PAPER = 15_000  # characters of a PDF from which it is a paper, and no slides
_BOOK = re.compile(r"(?:^|[\s:/_-])(?:cook|text|hand|e-?)?book\b", re.IGNORECASE)

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A page, or a resource that has no text."""

    listing: Listing  # the resource that it belongs to
    kind: str  # as it is wished for
    likely: float  # how likely it belongs on the list, 0 to 1
    source: Source | None = None  # of the page; None: it has no text
    document: int = -1  # its number
    best: int = -1  # the number of the passage that fits best

    whole: bool = False  # all pages of the resource are meant, of which it is the likeliest

    @property
    def url(self) -> str:
        """Return its own address."""
        return self.source.url if self.source and not self.whole else self.listing.url

    @property
    def title(self) -> str:
        """Return its own title."""
        return self.source.title if self.source and not self.whole else self.listing.title

    def words(self, shelf: Shelf) -> int:
        """Return how many words it has."""
        if self.source is None:
            return 0
        pages = [self.source.url]
        if self.whole:
            site = self.listing.url.rstrip("/")
            pages = [
                each.url for each in shelf.sources() if self.listing.url == each.resource or _under(each.url, site)
            ]
        return sum(len(shelf.page(url)[0].split()) for url in pages)


def _under(url: str, site: str) -> bool:
    return url.rstrip("/") == site or url.startswith(f"{site}/")


@dataclass(frozen=True, slots=True)
class Rows:
    """The features of candidates, which `prep eval fit` weighs."""

    candidates: tuple[Candidate, ...]
    values: tuple[tuple[float, ...], ...]


def find(wanted: Wish, asked: Asked, shelf: Shelf) -> list[Candidate]:
    """Return what may be on a list, likeliest first, one of each title."""
    found: list[Candidate] = []
    for name, names, rows in (
        ("welcome", READ, pages(wanted, asked, shelf)),
        ("unread", UNREAD, unread(wanted, asked, shelf)),
    ):
        model = fitted.read(name, names)
        found += [
            replace(one, likely=model.probability(values))
            for one, values in zip(rows.candidates, rows.values, strict=True)
        ]
    by_title: dict[str, Candidate] = {}
    for one in sorted(found, key=lambda one: -one.likely):
        by_title.setdefault(_name_of(one), one)
    return list(by_title.values())


def _name_of(one: Candidate) -> str:
    """Return what tells a candidate from others: its title, with its site's where it is one page of many."""
    inside = one.source is not None and one.source.url != one.listing.url
    return " ".join(terms(f"{one.title} {one.listing.title}" if inside else one.title)) or one.url


# --- pages ----------------------------------------------------------------------------------------


def pages(wanted: Wish, asked: Asked, shelf: Shelf) -> Rows:
    """Return the pages with text that a wish allows and that come near, with their features."""
    listings = {listing.url: listing for listing in shelf.listings()}
    lengths = np.bincount(shelf.document_of, weights=shelf.lengths)
    sources = dict(enumerate(shelf.sources()))
    kinds = {
        n: _wished(wanted, kind_of(source, float(lengths[n])), source)
        for n, source in sources.items()
        if n < len(lengths) and source.resource in listings
    }
    fits = np.asarray([bool(kinds.get(n)) for n in range(len(lengths))])[shelf.document_of]
    searched = shelf.searched()
    allowed = fits if searched is None else fits & searched
    if not allowed.any():
        return Rows((), ())
    ranking = search.ranked(asked, shelf, weights=search.Weights(), allowed=allowed, pool=POOL)
    rarity = shelf.lexical.rarity(asked.text)
    passages = np.bincount(shelf.document_of, minlength=len(lengths))
    order = np.argsort(-ranking.wide if ranking.wide.any() else -ranking.scores, kind="stable")
    most = float(ranking.wide.max()), float(max(ranking.lexical.max(), 1e-9))
    listed = shelf.listed(asked.vector, ranking.numbers)
    places: dict[int, list[int]] = {}
    for place in order.tolist():
        places.setdefault(int(shelf.document_of[ranking.numbers[place]]), []).append(place)
    candidates, values = [], []
    for n, held in places.items():
        source, listing = sources[n], listings[sources[n].resource]
        best, three = np.asarray(held), np.asarray(held[:3])
        values.append(
            (
                float(ranking.wide[best].max()),
                float(ranking.wide[three].mean()),
                float(ranking.dense[best].max()),
                float(np.sort(ranking.dense[best])[-3:].mean()),
                float(ranking.scores[best].max()),
                float(ranking.lexical[best].max() / most[1]),
                most[0] - float(ranking.wide[best].max()),
                float(np.log1p(len(held))),
                len(held) / float(passages[n]),
                float(listed[held[0]]),
                share(f"{source.title} {source.resource_title}", rarity),
                float(listing.curated),
            )
        )
        candidates.append(Candidate(listing, kinds[n], 0.0, source, n, int(ranking.numbers[held[0]])))
    return Rows(tuple(candidates), tuple(values))


def kind_of(source: Source, characters: float) -> str:
    """Return the kind of a page: that of its resource, and of what nobody has listed "paper" where it is one."""
    return "paper" if source.kind == "page" and source.form == "pdf" and characters >= PAPER else source.kind


def _wished(wanted: Wish, kind: str, source: Source) -> str:
    """Return the kind under which a page is welcome, "" where it is not."""
    if wanted.allows(kind):
        return kind
    names = f"{source.resource_title} {source.resource}"
    return "book" if "book" in wanted.only and kind not in wanted.without and _BOOK.search(names) else ""


def books(found: Sequence[Candidate], shelf: Shelf) -> list[Candidate]:
    """Return whole books in the place of their pages, each as likely as its likeliest page."""
    listings = {listing.url.rstrip("/"): listing for listing in shelf.listings()}
    first = {source.url: n for n, source in reversed(list(enumerate(shelf.sources())))}
    held: dict[str, Candidate] = {}
    for one in found:
        listing = next((listings[root] for root in _roots(one) if root in listings), one.listing)
        whole = replace(one, listing=listing, kind="book", whole=True) if one.source else one
        if whole.source and (opens := first.get(listing.url)) is not None:  # where a book says what it is about
            best = int(np.flatnonzero(shelf.document_of == opens)[0])
            whole = replace(whole, source=shelf.source(opens), document=opens, best=best)
        held.setdefault(whole.url, whole)
    return list(held.values())


def _roots(page: Candidate) -> Iterator[str]:
    """Yield the addresses above a page that may be those of its book."""
    yield page.listing.url.rstrip("/") if page.listing.url != page.url else ""
    steps = page.url.split("/")
    yield from ("/".join(steps[: n + 1]) for n, step in enumerate(steps) if n > 2 and _BOOK.search(f"/{step}"))


# --- what has no text -----------------------------------------------------------------------------


def unread(wanted: Wish, asked: Asked, shelf: Shelf) -> Rows:
    """Return the resources without text that a wish allows, with their features."""
    listings, likeness = shelf.listings(), shelf.listing_vectors() @ asked.vector
    if not listings:
        return Rows((), ())
    usual, deviation = float(likeness.mean()), float(likeness.std()) or 1.0
    rarity = shelf.lexical.rarity(asked.text)
    held = {source.resource for source in shelf.sources()}
    candidates, values = [], []
    for listing, alike in zip(listings, likeness.tolist(), strict=True):
        if listing.url in held or not wanted.allows(listing.kind) or (wanted.free and paid(listing)):
            continue
        candidates.append(Candidate(listing, listing.kind, 0.0))
        values.append(
            (
                (alike - usual) / deviation,
                alike,
                share(listing.title, rarity),
                share(listing.described, rarity),
                float(likeness.max()) - alike,
                float(listing.kind in VIDEO),
            )
        )
    return Rows(tuple(candidates), tuple(values))


def paid(listing: Listing) -> bool:
    """Return whether a resource costs money, as far as the lists tell: a book or course that nobody may read."""
    return not listing.words and listing.kind in {"book", "course"} and listing.status in {"walled", "metadata only"}


def share(text: str, rarity: Mapping[str, float]) -> float:
    """Return the share of a request's content words in a text, rare ones counting more; 0 to 1."""
    total, words = sum(rarity.values()), set(terms(text))
    return sum(weight for word, weight in rarity.items() if word in words) / total if total else 0.0
