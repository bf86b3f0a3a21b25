"""Counts: how many items a request asks for, of which kinds, at what cost and length."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app import kinds, spans
from app.kinds import ABOUT, NAMES

_COUNTS = "one two three four five six seven eight nine ten".split()
_N = rf"(?:\d\d?|{'|'.join(_COUNTS)}|an?(?: single)?|a couple of)"
_HOW_MANY = rf"(?P<least>{_N})(?:\s*(?:or|to|[-–])\s*(?P<most>{_N}))?"
_LIKE = r"(?:(?!(?:of|on|in|for|and|or|to|with|about|from|is|are)\b)[\w'’-]+\s+){0,3}?"
_THING = rf"(?:{'|'.join(NAMES)}|{kinds.TEXT}|reading|read|piece|item|resource|link|thing|source|title|pick)"
_SOME = rf"(?P<what>{_THING}s?)\b"
_ENOUGH = r"(?:(?:is|are|['’]s|would be|will be) (?:enough|plenty|fine|all i need)|will do|suffices?)"
_MOST = re.compile(
    rf"\b(?:max(?:imum)?(?: of)?|at most|(?:no|not) more than|up to|limit(?:ed)? to)\s+(?P<most>{_N})"
    rf"(?:\s+{_LIKE}{_SOME})?(?:\s+{ABOUT})?(?!\s*(?:hours?|h|minutes?|mins?)\b)"
    rf"|\b(?P<atmost>{_N})(?:\s+{_LIKE}{_SOME.replace('what', 'which')})?"
    r"\s+(?:max(?:imum)?|at most|tops|or fewer|or less)\b",
    re.IGNORECASE,
)
_SUFFICES = re.compile(
    rf"\b(?:just |only )?{_HOW_MANY}(?:\s+{_LIKE}{_SOME})?\s+{_ENOUGH}\b"
    r"|\b(?:just|only) (?P<only>one)(?=\W*$|\s+please)",
    re.IGNORECASE,
)
_BARE = re.compile(rf"[,;:]\s*(?:just |only )?{_HOW_MANY}(?=\s*(?:please)?\W*$)", re.IGNORECASE)
_COUNTED = re.compile(
    rf"\b(?P<open>at least )?(?:just |only |plus |and )?(?:the )?(?:top |best )?{_HOW_MANY}\s+{_LIKE}{_SOME}"
    rf"(?:\s+{ABOUT})?",
    re.IGNORECASE,
)
_WILL_DO = re.compile(
    rf"^(?:just |only )?{_HOW_MANY}\s+{_LIKE}{_SOME}\s+{ABOUT}(?P<rest>.+?)\s+{_ENOUGH}\W*$", re.IGNORECASE
)
_FREE = re.compile(
    r"\b(?:(?:that|which|and|but|it)? ?(?:costs?|costing) (?:me )?nothing|nothing to pay|(?:that (?:is|are) |are |is )?"
    r"(?:for free|free of charge|free to read)|(?:without|no) (?:paying|cost|money)|free only|only free|open access"
    r"|(?:i )?(?:do(?:n['’]| no)t|can(?:no|['’])t) (?:want to |afford to )?(?:pay|buy)(?: anything| for it)?"
    rf"|free(?=\s+{_LIKE}{_THING}s?\b)"
    r"|that(?: is|['’]s| are) free)\b|,\s*free\s*(?=$|[,.!?])",
    re.IGNORECASE,
)
_LONGEST = re.compile(
    r"\b(?:nothing|none|no \w+) (?:over|longer than|above|beyond) (?P<over>[\w -]+?(?:hours?|h|minutes?|mins?|min))\b"
    r"|\b(?:each )?(?:under|at most|up to|max(?:imum)?) (?P<each>[\w -]+?(?:hours?|h|minutes?|mins?|min))"
    r" (?:each|apiece|per item)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Count:
    """How many items of which kinds."""

    least: int = 0
    most: int = 0
    only: frozenset[str] = frozenset()
    each: tuple[frozenset[str], ...] = ()


def count(text: str) -> tuple[Count, str]:
    """Return how many items a request asks for, and the rest of it."""
    if found := _MOST.search(text):
        named = found["what"] or found["which"] or ""
        only = frozenset(kinds.named(named))
        return Count(0, _number(found["most"] or found["atmost"]), only), _without(text, found, " ")
    if found := _WILL_DO.search(text):
        least = _number(found["least"])
        return Count(least, least, frozenset(kinds.named(found["what"]))), found["rest"]
    if found := _SUFFICES.search(text):
        least = _number(found["least"] or found["only"])
        only = frozenset(kinds.named(found["what"] or ""))
        return Count(least, _number(found["most"] or "") or least, only), _without(text, found, " ")
    found_all = [one for one in _COUNTED.finditer(text) if _agrees(one)]
    kinds_of = [frozenset(kinds.named(one["what"])) for one in found_all]
    if len(found_all) > 1 and all(kinds_of):
        each = tuple(
            those for one, those in zip(found_all, kinds_of, strict=True) for _ in range(_number(one["least"]))
        )
        for one in reversed(found_all):
            text = _without(text, one, " , ")
        return Count(len(each), len(each), frozenset().union(*each), each), text
    exact = [one for one in found_all if one["least"].lower() not in {"a", "an"}]
    if not exact:
        if found := _BARE.search(text):
            least = _number(found["least"])
            return Count(least, _number(found["most"] or "") or least), _without(text, found, " ")
        return Count(), text
    least = _number(exact[0]["least"])
    most = 0 if exact[0]["open"] else _number(exact[0]["most"] or "") or least
    return Count(least, most, frozenset(kinds.named(exact[0]["what"]))), _without(text, exact[0], " , ")


def _agrees(found: re.Match[str]) -> bool:
    """Return whether a number and what it counts are both of one, or both of more."""
    return (_number(found["most"] or found["least"]) > 1) == found["what"].lower().endswith("s")


def _number(text: str) -> int:
    """Return a number as people write it; 0 for none."""
    word = text.lower()
    if word.isdigit():
        return int(word)
    return {"": 0, "a couple of": 2}.get(word, _COUNTS.index(word) + 1 if word in _COUNTS else 1)


def _without(text: str, found: re.Match[str], instead: str) -> str:
    return f"{text[: found.start()]}{instead}{text[found.end() :]}"


def free(text: str) -> tuple[bool, str]:
    """Return whether a request rules out what costs money, and the rest of it."""
    return bool(_FREE.search(text)), _FREE.sub(" ", text)


def longest(text: str) -> tuple[float | None, str]:
    """Return the minutes that one item may take, None for any, and the rest of the request."""
    found = _LONGEST.search(text)
    if not found:
        return None, text
    return spans.minutes(found["over"] or found["each"])[0], _without(text, found, " ")
