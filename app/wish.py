"""Wish: what a request for a reading list asks for in plain words: a subject, kinds, a level, a time box."""

from __future__ import annotations

import re
from dataclasses import dataclass

NAMES: dict[str, tuple[str, ...]] = {
    "video": ("video", "playlist", "channel"),
    "talk": ("video", "playlist", "channel"),
    "lecture": ("video", "playlist", "channel"),
    "paper": ("paper",),
    "book": ("book",),
    "course": ("course",),
    "workshop": ("workshop",),
    "tutorial": ("workshop", "article", "note"),
    "article": ("article", "page", "note"),
    "blog post": ("article", "page"),
    "post": ("article", "page"),
    "blog": ("article", "page"),
    "note": ("note",),
    "repositorie": ("repository",),
    "repository": ("repository",),
    "repo": ("repository",),
}
"""Kinds of resource by the word for them, without its plural s."""

_ONE = rf"(?P<kind>{'|'.join(sorted(NAMES, key=len, reverse=True))})"
_KIND = rf"{_ONE}s?"
_ONLY = (
    rf"\b(?:only|just|nothing but) (?:the )?{_KIND}\b",
    rf"\b{_KIND}(?: only|,? nothing else)\b",
    (
        rf"^(?:(?:the |some |good |best |hands-on |give me |find |list )*){_KIND} (?:on|about|for|of|that|to"
        rf"|covering|explaining)\b"
    ),
    rf"(?<!crash )\b{_ONE}s\s*(?:please)?[.!]?$",
)
_WITHOUT = (
    rf"(?:,|\bbut\b)?\s*\b(?:no|without(?: any)?|except(?: for)?|skip(?:ping)?(?: the)?|not? (?:any )?"
    rf"|avoid)\s+{_KIND}(?:(?:,? (?:and|or|nor) |, ){_KIND.replace('kind', 'other')})?(?: please)?"
)
_NUMBERS = {
    "an": 1.0,
    "a": 1.0,
    "one": 1.0,
    "two": 2.0,
    "three": 3.0,
    "four": 4.0,
    "five": 5.0,
    "half an": 0.5,
    "a half": 0.5,
}
_HOURS = re.compile(
    r"(?P<frame>(?:in|within|for|under|less than|at most|up to|about|only|have"
    r"|got)\s+)*(?P<number>\d+(?:[.,]\d+)?|half an|an?|one|two|three|four|five)"
    r"(?P<half> and a half)?[\s-]?(?P<unit>hours?|hrs?|h|minutes?|mins?|min|m)\b(?P<more> and a half)?"
    r"(?:\s+(?:on|of|for|about|to))?",
    re.IGNORECASE,
)
_WHEN = re.compile(
    r"\b(?:before|by|until|for|on|this|next) (?:my )?(?:mon|tues|wednes|thurs|fri|satur"
    r"|sun)day(?:['’]s)?\b|\b(?:tonight|tomorrow(?:['’]s)?|today|this (?:week|weekend|evening)"
    r"|next (?:week|month)|the weekend|over the weekend)\b",
    re.IGNORECASE,
)
_BASICS = re.compile(
    (
        r"\b(?:basics? only|only (?:the )?basics|just (?:the )?basics|for (?:absolute )?beginners"
        r"|beginner[- ]friendly|from scratch|intro(?:duction|ductory)?(?: only)?)\b"
    ),
    re.IGNORECASE,
)
_DEPTH = re.compile(
    r"\b(?:advanced(?: only)?|in depth|deep dive|no basics|skip the basics|for experts)\b", re.IGNORECASE
)
_FRAME = re.compile(
    r"\b(?:(?:what|which) should i (?:read|watch|study|learn)(?: about| on| for)?|(?:i )?(?:want|need"
    r"|would like) to (?:read|learn|study|understand|prepare)(?: about| for)?"
    r"|(?:give|make|build|show) me (?:a |an )?(?:cited )?(?:reading )?(?:list|plan)?(?: about| on| for"
    r"| of)?|reading list(?: about| on| for)?|(?:help me )?prepare(?: me)?(?: for)?(?: a| an| the| my)?"
    r"|refresh|study plan(?: for)?|please|resources? (?:on|about|for)|(?:interview )?round|an? mlops interview)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a request asks for."""

    subject: str  # what is left when the rest is taken off
    only: frozenset[str] = frozenset()  # kinds; empty: all
    without: frozenset[str] = frozenset()
    stages: tuple[str, ...] = ("crawl", "walk", "run")
    minutes: float | None = None

    def allows(self, kind: str) -> bool:
        """Return whether resources of a kind are welcome."""
        return (not self.only or kind in self.only) and kind not in self.without


def read(request: str) -> Wish:
    """Return what a request asks for.

    >>> wish = read("SOLID principles, videos only, under an hour")
    >>> wish.subject, sorted(wish.only), wish.minutes
    ('SOLID principles', ['channel', 'playlist', 'video'], 60.0)
    >>> read("distributed training before Friday, but no books").subject
    'distributed training'
    """
    text, without, only = request.strip(), set[str](), set[str]()
    while found := re.search(_WITHOUT, text, re.IGNORECASE):
        for name in filter(None, (found["kind"], found["other"])):
            without.update(NAMES[name.lower()])
        text = text[: found.start()] + text[found.end() :]
    minutes, text = _minutes(text)
    text = _WHEN.sub(" ", text)
    stages = (
        ("crawl",) if _BASICS.search(text) else ("walk", "run") if _DEPTH.search(text) else ("crawl", "walk", "run")
    )
    text = _DEPTH.sub(" ", _BASICS.sub(" ", text)) if len(stages) < 3 else text
    for pattern in _ONLY:
        if found := re.search(pattern, _tidy(text), re.IGNORECASE):
            only.update(NAMES[found["kind"].lower()])
            text = _tidy(text)
            text = f"{text[: found.start()]} {text[found.end() :]}"
    subject = _tidy(_FRAME.sub(" ", text)) or _tidy(text) or request.strip()
    return Wish(subject, frozenset(only), frozenset(without), stages, minutes)


def _minutes(text: str) -> tuple[float | None, str]:
    found = _HOURS.search(text)
    if not found:
        return None, text
    number = found["number"].lower()
    amount = _NUMBERS.get(number) or float(number.replace(",", "."))
    amount += 0.5 if found["half"] or found["more"] else 0.0
    minutes = amount * (60 if found["unit"].lower().startswith("h") else 1)
    return minutes, f"{text[: found.start()]} {text[found.end() :]}"


def span(text: str) -> float | None:
    """Return the minutes of a time box as people write it, None where it is none.

    >>> span("3h"), span("1h30"), span("90 min"), span("45"), span("soon")
    (180.0, 90.0, 90.0, 45.0, None)
    """
    bare = text.strip().lower()
    if found := re.fullmatch(r"(\d+)\s*h(?:ours?)?\s*(\d{1,2})\s*(?:m(?:in(?:utes)?)?)?", bare):
        return float(found[1]) * 60 + float(found[2])
    if re.fullmatch(r"\d+(?:\.\d+)?", bare):
        return float(bare)
    minutes, rest = _minutes(bare)
    return minutes if minutes and not rest.strip() else None


def _tidy(text: str) -> str:
    return re.sub(
        r"^(?:and|on|about|for|the)\s+|\s+(?:and|on|for|in|but|a)$",
        "",
        re.sub(r"\s+", " ", re.sub(r"\s*,\s*(?=,|$)|^\s*,", " ", text)).strip(" ,.;:!?-"),
        flags=re.IGNORECASE,
    ).strip(" ,.;:")
