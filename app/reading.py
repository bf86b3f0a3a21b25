"""Reading lists: resources that fit a request, from the basics to the depth, each with a reason from its own words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from app import sections, wish
from app.answer import Citation
from app.citer import Citer
from app.wish import Wish
from index import search
from index.encoder import Encoder, Vectors
from index.lexical import terms
from index.passage import Hit, Listing
from index.store import Shelf

Stage = Literal["crawl", "walk", "run"]
STAGES: tuple[Stage, ...] = ("crawl", "walk", "run")

HITS = 60  # passages that say which resources fit
OF_ONE = 4  # of them from one document
MOST = 12  # items of a list without a time box
WORDS_A_MINUTE = 200  # read with care
USUAL_MINUTES = {"video": 20, "playlist": 120, "channel": 120, "paper": 60, "book": 600, "course": 300, "workshop": 120}
"""Minutes where neither words nor length are known, by kind."""
OTHERWISE = 15  # minutes of anything else
CURATED = 0.15  # of the best score, that a resource of the lists is ahead of a stray page of an archive
NAMED = 3.0  # what sharing all words with title, topic and note is worth against one deviation of likeness
FEWEST = 3  # items, where there are so many that come near
NEAR = 0.35  # of the best resource's score: what lies below has nothing to do with the request
FITS = 0.58  # of the best resource's score: what lies below does not belong on the list
PAGES = 3  # of a resource that has many, that are meant
ON_THE_SUBJECT = 0.5  # cosine from which a sentence is a reason to read it, though it has no word of the request
HASTE = 0.25  # how much a short resource is ahead of a long one that fits as well, where there is little time
FEWEST_WORDS = 6  # of a sentence that is a reason
SHORTEST = 5  # minutes that are worth beginning a resource for

_BASICS = re.compile(
    r"\b(?:introduction|intro|basics?|fundamentals?|beginners?|101|what (?:is|are)|getting started|crash course|roadmap"
    r"|explained|simply|overview|cheat ?sheet|in \d+ minutes)\b",
    re.IGNORECASE,
)
_DEPTH = re.compile(
    r"\b(?:advanced|internals?|deep dive|at scale|scaling|optimi[sz]\w+|lessons|evolv\w+|performance|large[- ]scale)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to read or watch."""

    url: str
    title: str
    kind: str
    stage: Stage
    minutes: float
    why: str  # its own words that fit the request, or what the lists say of it
    quote: str  # verbatim, where `why` is quoted; else ""
    deep_url: str  # opens it at the quote
    status: str
    part: str = ""  # which of its pages are meant, where it has many


@dataclass(frozen=True, slots=True)
class ReadingList:
    """What to read, in order."""

    request: str
    items: tuple[Item, ...]
    gaps: tuple[str, ...] = ()
    left_out: tuple[Item, ...] = ()  # fits the request, and not into its time

    @property
    def minutes(self) -> float:
        """Return how long all of it takes."""
        return sum(item.minutes for item in self.items)

    def as_json(self) -> dict[str, Any]:
        """Return the shape that `prep read --json` prints."""
        keys = ("url", "title", "kind", "stage", "minutes", "why", "quote", "deep_url", "status", "part")

        def shown(items: Sequence[Item]) -> list[dict[str, Any]]:
            return [{key: getattr(item, key) for key in keys} for item in items]

        return {
            "request": self.request,
            "items": shown(self.items),
            "gaps": list(self.gaps),
            "minutes": self.minutes,
            "left_out": shown(self.left_out),
        }


@dataclass(frozen=True, slots=True)
class _Candidate:
    listing: Listing
    score: float
    hits: tuple[Hit, ...]  # its passages that fit, best first


def read(request: str, shelf: Shelf, encoder: Encoder, citer: Citer, *, minutes: float | None = None) -> ReadingList:
    """Return a reading list for a request in plain words; `minutes` is its time box, where the request names none."""
    wanted = wish.read(request)
    box = minutes or wanted.minutes
    vector = encoder.encode([wanted.subject])[0]
    found = _candidates(wanted, vector, shelf, encoder, filling=bool(box))
    rated = [(_item(one, wanted, vector, shelf, citer), one.score) for one in found]
    fitting = [(item, score) for item, score in rated if item.stage in wanted.stages]
    fitting = [(item, score) for item, score in fitting if item.why]
    items = [item for item, _ in fitting]
    taken = _in_the_box(fitting, box) if box else items[:MOST]
    kept = sorted(taken, key=lambda item: (STAGES.index(item.stage), items.index(item)))
    of = {one.listing.url: one for one in found}
    told = [
        item if item.quote else _searched(item, of[item.url], wanted, vector, shelf, encoder, citer) for item in kept
    ]
    enough = FITS * max((score for _, score in rated), default=0.0)
    return ReadingList(
        request,
        tuple(told),
        tuple(_gaps(wanted, told, shelf, box)),
        tuple(item for item, score in fitting if item not in taken and score >= enough),
    )


def duration(minutes: float) -> str:
    """Return a time to read as people say it.

    >>> duration(12), duration(90), duration(0)
    ('12 min', '1 h 30 min', '')
    """
    whole = round(minutes)
    if not whole:
        return ""
    hours, rest = divmod(whole, 60)
    return " ".join(filter(None, [f"{hours} h" if hours else "", f"{rest} min" if rest else ""]))


# --- which resources ------------------------------------------------------------------------------


def _candidates(wanted: Wish, vector: Vectors, shelf: Shelf, encoder: Encoder, *, filling: bool) -> list[_Candidate]:
    """Return the resources that fit a wish, best first; for a time box to be filled, those that come near, too."""
    listings, likeness = shelf.listings(), shelf.listing_vectors() @ vector
    if not listings:
        return []
    usual, deviation = float(likeness.mean()), float(likeness.std()) or 1.0
    rarity = shelf.lexical.rarity(wanted.subject)
    hits = search.hybrid(wanted.subject, shelf, encoder, limit=HITS, per_document=OF_ONE)
    of: dict[str, list[Hit]] = {}
    for hit in hits:
        of.setdefault(hit.source.resource, []).append(hit)
    found: list[_Candidate] = []
    described: list[float] = []
    said: list[float] = []
    for listing, alike in zip(listings, likeness.tolist(), strict=True):
        if not wanted.allows(listing.kind):
            continue
        mine = of.get(listing.url, [])
        named = _share(set(terms(listing.described)), rarity)
        described.append((alike - usual) / deviation + NAMED * named)
        said.append(max((hit.score for hit in mine), default=0.0) + NAMED * named)
        found.append(_Candidate(listing, CURATED * listing.curated, tuple(mine)))
    # What a resource says and what is said of it are scores of two kinds, so each is taken against its own best.
    most = [max([*scores, 0.0]) or 1.0 for scores in (described, said)]
    rated = [
        replace(one, score=one.score + max(a / most[0], b / most[1] if one.hits else 0.0))
        for one, a, b in zip(found, described, said, strict=True)
    ]
    rated.sort(key=lambda one: -one.score)
    near = [one for one in rated if one.score >= NEAR * rated[0].score]
    few = [n for n, one in enumerate(near) if n < FEWEST or filling or one.score >= FITS * rated[0].score]
    return _distinct([near[n] for n in few])


def _distinct(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """Return the best candidate of each title."""
    by_title: dict[str, _Candidate] = {}
    for one in candidates:
        by_title.setdefault(" ".join(terms(one.listing.title)) or one.listing.url, one)
    return list(by_title.values())


# --- what is said of each -------------------------------------------------------------------------


def _item(one: _Candidate, wanted: Wish, vector: Vectors, shelf: Shelf, citer: Citer) -> Item:
    listing = one.listing
    why = _quoted(one, wanted, vector, shelf, citer)
    return Item(
        url=listing.url,
        title=listing.title,
        kind=listing.kind,
        stage=stage_of(listing),
        minutes=_minutes(one, shelf),
        why=why.quote if why else _listed(listing),
        quote=why.quote if why else "",
        deep_url=why.deep_url if why else listing.url,
        status=listing.status,
        part=_part(one),
    )


def _searched(
    item: Item, one: _Candidate, wanted: Wish, vector: Vectors, shelf: Shelf, encoder: Encoder, citer: Citer
) -> Item:
    """Return an item with a reason in its own words, looked for in its text alone; as it is where it has none."""
    if not one.listing.words:
        return item
    hits = search.hybrid(wanted.subject, shelf.narrowed(resource=item.url), encoder, limit=OF_ONE)
    why = _quoted(replace(one, hits=tuple(hits)), wanted, vector, shelf, citer)
    return replace(item, why=why.quote, quote=why.quote, deep_url=why.deep_url) if why else item


def _listed(listing: Listing) -> str:
    """Return what the lists say of a resource, "" where they say nothing."""
    under = f"Listed under {listing.topic.split('; ')[0]}." if listing.curated and listing.topic else ""
    return listing.note or under


def stage_of(listing: Listing) -> Stage:
    """Return whether a resource is a beginning, the core or the depth, by its kind and the words of its title."""
    if listing.stage in STAGES:
        return listing.stage
    if _BASICS.search(listing.title):
        return "crawl"
    if listing.kind in {"paper", "book"} or _DEPTH.search(listing.title):
        return "run"
    return "walk"


def _minutes(one: _Candidate, shelf: Shelf) -> float:
    listing = one.listing
    pages = _pages(one)
    words = sum(len(shelf.page(url)[0].split()) for url in pages) if pages else listing.words
    if not words or listing.kind in {"video", "playlist", "channel"}:
        return float(USUAL_MINUTES.get(listing.kind, OTHERWISE))
    return float(max(1, round(words / WORDS_A_MINUTE)))


def _part(one: _Candidate) -> str:
    """Return the titles of the pages that fit, where a resource has more of them."""
    return "; ".join(list(_pages(one).values()))


def _pages(one: _Candidate) -> dict[str, str]:
    """Return the titles of the few pages under a resource that fit best, by address."""
    under = {hit.source.url: hit.source.title for hit in one.hits if hit.source.url != hit.source.resource}
    return dict(list(under.items())[:PAGES])


def _quoted(one: _Candidate, wanted: Wish, vector: Vectors, shelf: Shelf, citer: Citer) -> Citation | None:
    """Return the sentence of a resource that is likest to what is wished, None if none is like it at all."""
    words = set(terms(wanted.subject))
    said = [
        (float(likeness), hit, span)
        for hit in one.hits
        for likeness, span in zip(shelf.sentence_vectors(hit.number) @ vector, sections.sentences(hit), strict=True)
    ]
    for likeness, hit, (start, end) in sorted(said, key=lambda each: -each[0]):
        quote = hit.passage.text[start - hit.passage.start : end - hit.passage.start]
        fits = likeness >= ON_THE_SUBJECT or words & set(terms(quote))
        if fits and quote.count(" ") >= FEWEST_WORDS and quote[0].isupper() and quote[-1] in ".!”)":
            return citer.cite(hit, start, end, 1)
    return None


def _share(words: set[str], rarity: Mapping[str, float]) -> float:
    """Return the share of a request's content words among some words, rare ones counting more; 0 to 1."""
    total = sum(rarity.values())
    return sum(weight for word, weight in rarity.items() if word in words) / total if total else 0.0


# --- what fits into the time, and what is not there -----------------------------------------------


def _in_the_box(rated: Sequence[tuple[Item, float]], box: float) -> list[Item]:
    """Return the items that fill a time box: what fits the request best, as long as there is room."""
    taken: list[Item] = []
    left = box
    for item, _ in sorted(rated, key=lambda pair: -pair[1] / (pair[0].minutes + SHORTEST) ** HASTE):
        if item.minutes <= left:
            taken.append(item)
            left -= item.minutes
        if left < SHORTEST:
            break
    return taken


def _gaps(wanted: Wish, items: Sequence[Item], shelf: Shelf, box: float | None) -> list[str]:
    rarity, gaps = shelf.lexical.rarity(wanted.subject), []
    unknown = float(np.log((shelf.manifest.passages + 1) / 0.5))
    named = {terms(word)[0]: word for word in re.findall(r"[\w-]+", wanted.subject) if len(terms(word)) == 1}
    missing = [named[word] for word, weight in rarity.items() if weight >= unknown - 1e-6 and word in named]
    if missing:
        gaps.append(f"Nothing on the shelf has the words: {', '.join(missing)}.")
    if not items:
        kinds = f" of the kinds asked for ({', '.join(sorted(wanted.only))})" if wanted.only else ""
        short = f" in {box:.0f} minutes" if box else ""
        gaps.append(f"No resource{kinds} fits this{short}.")
        return gaps
    for stage, name in zip(STAGES, ("basics", "core", "depth"), strict=True):
        if stage in wanted.stages and not any(item.stage == stage for item in items):
            gaps.append(f"Nothing here for the {name} ({stage}).")
    unread = [item for item in items if not item.quote]
    if unread:
        gaps.append(f"{len(unread)} of {len(items)} could not be read here and are not quoted; `prep status` says why.")
    return gaps
