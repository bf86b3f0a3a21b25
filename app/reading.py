"""Reading lists: what fits a request and no more, from the basics to the depth, each with a reason in its own words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from app import candidates, fitted, wish
from app.candidates import Candidate
from app.citer import Citer
from app.part import Part
from app.wish import Wish
from index.encoder import Asked, Encoder, Vectors
from index.lexical import terms
from index.passage import Listing
from index.store import Shelf

Stage = Literal["crawl", "walk", "run"]
STAGES: tuple[Stage, ...] = ("crawl", "walk", "run")

MOST = 10  # items, where the request does not say how many
MORE = 8  # of those that fit as well and were left out
USUAL_MINUTES = {"video": 20, "paper": 60, "article": 15}
"""Minutes of what has no text, by kind; of other kinds nothing is claimed."""
SITTING = 60.0  # minutes of one item at most, where a section of it would do
SHORTEST = 5  # minutes that are worth beginning an item for
HASTE = 0.25  # how much a short item is ahead of a long one that fits as well, where there is little time
NEW = 1.5  # how much basics are ahead for somebody who is new to a subject

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
    """One thing to read or watch in one go: a page, a section, a talk, a lab; or a book where it is asked for."""

    url: str
    title: str
    kind: str
    stage: Stage
    minutes: float  # 0: nobody can tell
    why: str  # what it teaches in its own words, or what the lists say of it
    quote: str  # verbatim, where `why` is quoted; else ""
    deep_url: str  # opens it at the quote
    status: str
    part: str = ""  # which section of it is meant
    resource: str = ""  # the curated link that it belongs to
    paid: bool = False
    about: bool = False  # its minutes are usual ones of its kind: it has no text here


@dataclass(frozen=True, slots=True)
class ReadingList:
    """What to read, in order."""

    request: str
    items: tuple[Item, ...]
    gaps: tuple[str, ...] = ()
    left_out: tuple[Item, ...] = ()  # fits the request, and not into its time or number
    understood: str = ""  # what the request was taken for

    @property
    def minutes(self) -> float:
        """Return how long all of it takes."""
        return sum(item.minutes for item in self.items)

    def as_json(self) -> dict[str, Any]:
        """Return the shape that `prep read --json` prints."""
        keys = (
            *("url", "title", "kind", "stage", "minutes", "why", "quote", "deep_url", "status", "part"),
            *("resource", "paid", "about"),
        )

        def shown(items: Sequence[Item]) -> list[dict[str, Any]]:
            return [{key: getattr(item, key) for key in keys} for item in items]

        return {
            "request": self.request,
            "understood": self.understood,
            "items": shown(self.items),
            "gaps": list(self.gaps),
            "minutes": self.minutes,
            "left_out": shown(self.left_out),
        }


def read(request: str, shelf: Shelf, encoder: Encoder, citer: Citer, *, minutes: float | None = None) -> ReadingList:
    """Return a reading list for a request in plain words; `minutes` is its time box, where the request names none."""
    wanted = wish.read(request)
    box = minutes or wanted.minutes
    asked = encoder.ask(wanted.subject)
    found = candidates.find(wanted, asked, shelf)
    if wanted.only == {"book"}:
        found = candidates.books(found, shelf)
    fitting = [
        _Rated(one, Part.of(one, shelf, _longest(one, wanted, box)), stage_of(one.listing, one.title, one.kind))
        for one in _enough(found, wanted)
    ]
    fitting = [one for one in fitting if one.stage in wanted.stages and one.fits(wanted)]
    taken, missing = _taken(fitting, wanted, box)
    left = [one for one in fitting if one not in taken][:MORE]
    taken.sort(key=lambda one: STAGES.index(one.stage))
    items = _items(taken, asked, shelf, encoder, citer)
    return ReadingList(
        request,
        items,
        (*missing, *_gaps(wanted, items, shelf, box)),
        _items(left, asked, shelf, encoder, citer),
        wanted.understood,
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


def length(item: Item) -> str:
    """Return how long an item takes as people say it, "" where nobody can tell."""
    return f"{'about ' if item.about and item.minutes else ''}{duration(item.minutes)}"


# --- what is taken --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Rated:
    """A candidate, and which part of it is meant."""

    one: Candidate
    part: Part | None  # None: it has no text
    stage: Stage

    @property
    def minutes(self) -> float:
        """Return how long it takes, 0 where nobody can tell."""
        return self.part.minutes if self.part else float(USUAL_MINUTES.get(self.one.kind, 0))

    def fits(self, wanted: Wish) -> bool:
        """Return whether it may be taken by itself."""
        return not wanted.longest or 0 < self.minutes <= wanted.longest

    def worth(self, wanted: Wish) -> float:
        """Return how much it is wanted."""
        return self.one.likely * (NEW if wanted.new and self.stage == "crawl" else 1.0)


def _enough(found: Sequence[Candidate], wanted: Wish) -> list[Candidate]:
    """Return the candidates that belong on a list; where a number is asked for, also those that come near."""
    model = fitted.read("welcome", candidates.READ)
    best = max((one.likely for one in found), default=0.0)
    if best < model.extra["best"]:  # the shelf has nothing on the subject
        return []
    cut = max(model.threshold, model.extra["near"] * best)
    asked_for = wanted.least or len(wanted.each)
    floor = model.extra["floor"]
    return [
        one
        for n, one in enumerate(found)
        if one.likely >= cut or (one.likely >= floor and (n < max(1, asked_for) or wanted.each))
    ]


def _longest(one: Candidate, wanted: Wish, box: float | None) -> float:
    """Return the minutes from which a section of a candidate is meant, and not the whole."""
    if one.kind in wanted.only & {"book", "paper"}:
        return float("inf")
    return min(SITTING, wanted.longest or SITTING, box or SITTING)


def _taken(fitting: Sequence[_Rated], wanted: Wish, box: float | None) -> tuple[list[_Rated], list[str]]:
    """Return what is put on the list, best first, and what was asked for and is not there."""
    order = sorted(fitting, key=lambda one: -one.worth(wanted))
    if wanted.each:
        return _of_each(order, wanted.each)
    most = wanted.most or max(MOST, wanted.least)
    taken = _in_the_box(order, wanted, box, most) if box else order[:most]
    short = len(taken) < wanted.least
    return taken, [f"Of the {wanted.least} that you asked for the shelf has {len(taken) or 'none'}."] if short else []


def _of_each(order: Sequence[_Rated], each: Iterable[frozenset[str]]) -> tuple[list[_Rated], list[str]]:
    taken: list[_Rated] = []
    missing = []
    for kinds in each:
        one = next((one for one in order if one.one.kind in kinds and one not in taken), None)
        if one:
            taken.append(one)
        else:
            missing.append(f"The shelf has no {' or '.join(sorted(kinds))} on this.")
    return taken, missing


def _in_the_box(order: Sequence[_Rated], wanted: Wish, box: float, most: int) -> list[_Rated]:
    """Return what fills a time box: what fits the request best, as long as there is room."""
    taken: list[_Rated] = []
    left = box
    for one in sorted(order, key=lambda one: -one.worth(wanted) / (one.minutes + SHORTEST) ** HASTE):
        if 0 < one.minutes <= left and len(taken) < most:
            taken.append(one)
            left -= one.minutes
        if left < SHORTEST:
            break
    return taken


# --- what is said of each -------------------------------------------------------------------------


def _items(taken: Sequence[_Rated], asked: Asked, shelf: Shelf, encoder: Encoder, citer: Citer) -> tuple[Item, ...]:
    titles = encoder.encode([one.part.title or one.one.title if one.part else "" for one in taken])
    return tuple(_item(one, asked, title, shelf, citer) for one, title in zip(taken, titles, strict=True))


def _item(rated: _Rated, asked: Asked, title: Vectors, shelf: Shelf, citer: Citer) -> Item:
    one, part = rated.one, rated.part
    why = part.reason(asked, title, shelf, citer) if part else None
    return Item(
        url=one.url,
        title=one.title,
        kind=one.kind,
        stage=rated.stage,
        minutes=rated.minutes,
        why=why.quote if why else _outlined(part) or _listed(one.listing),
        quote=why.quote if why else "",
        deep_url=why.deep_url if why else one.url,
        status=one.listing.status,
        part=part.title if part else "",
        resource=one.listing.url,
        paid=candidates.paid(one.listing),
        about=part is None,
    )


def _outlined(part: Part | None) -> str:
    """Return what the headings of a part say of it, "" where they say nothing."""
    return (part.outline or (part.title and f"Its section “{part.title}”.")) if part else ""


def _listed(listing: Listing) -> str:
    """Return what the lists say of a resource."""
    return listing.note or f"Listed under {listing.topic.split('; ')[0]}."


def stage_of(listing: Listing, title: str = "", kind: str = "") -> Stage:
    """Return whether a resource is a beginning, the core or the depth, by its kind and the words of its title.

    `title` and `kind` are those of a page of it, where one is meant.
    """
    if listing.stage in STAGES:
        return listing.stage
    named = title or listing.title
    if _BASICS.search(named):
        return "crawl"
    if (kind or listing.kind) in {"paper", "book"} or _DEPTH.search(named):
        return "run"
    return "walk"


# --- what is not there ----------------------------------------------------------------------------


def _gaps(wanted: Wish, items: Sequence[Item], shelf: Shelf, box: float | None) -> list[str]:
    rarity, gaps = shelf.lexical.rarity(wanted.subject), []
    unknown = float(np.log((shelf.manifest.passages + 1) / 0.5))
    named = {terms(word)[0]: word for word in re.findall(r"[\w-]+", wanted.subject) if len(terms(word)) == 1}
    missing = [named[word] for word, weight in rarity.items() if weight >= unknown - 1e-6 and word in named]
    if missing:
        gaps.append(f"Nothing on the shelf has the words: {', '.join(missing)}.")
    if not items:
        kinds = f" of the kinds asked for ({', '.join(sorted(wanted.only))})" if wanted.only else ""
        free = " that is free" if wanted.free else ""
        short = f" in {box:.0f} minutes" if box else ""
        gaps.append(f"No resource{kinds}{free} fits this{short}.")
        return gaps
    for stage, name in zip(STAGES, ("basics", "core", "depth"), strict=True):
        if not wanted.most and stage in wanted.stages and not any(item.stage == stage for item in items):
            gaps.append(f"Nothing here for the {name} ({stage}).")
    unread = [item for item in items if item.about]
    if unread:
        gaps.append(f"{len(unread)} of {len(items)} could not be read here and are not quoted; `prep status` says why.")
    return gaps
