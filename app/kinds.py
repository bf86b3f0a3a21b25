"""Kinds: the words for kinds of resource."""

from __future__ import annotations

import re
from collections.abc import Collection

VIDEO = ("video", "playlist", "channel")
WRITTEN = ("article", "page", "note", "paper", "book", "repository")
NAMES: dict[str, tuple[str, ...]] = {
    r"(?:youtube )?video|talk|lecture|recording|screencast|webinar": VIDEO,
    r"(?:research |academic |conference |white ?)?paper|publication|preprint": ("paper",),
    r"(?:youtube |video )playlist": ("playlist",),
    r"youtube channel": ("channel",),
    r"(?:text|e-?)?book": ("book",),
    r"(?:online |paid |free )?(?:course|mooc)|learning p(?:lan|ath)": ("course",),
    r"workshop|(?:hands-on )?lab": ("workshop",),
    r"tutorial": ("workshop", "article", "note"),
    r"article|write-?up|essay": ("article", "page"),
    r"blog post|post|blog": ("article", "page"),
    r"note|summar(?:y|ie)|digest": ("note",),
    r"(?:github |git )?(?:repositor(?:y|ie)|repo)": ("repository",),
    r"(?:coding |practi[cs]e |online )(?:(?:web)?site|platform|judge)|practi[cs]e (?:problem|exercise)": ("practice",),
}
"""Kinds of resource by the words for them, without their plural s."""

TEXT = r"(?:text|prose)"  # by itself more often a subject than a kind
ONE = rf"(?:{'|'.join(NAMES)})"
SEVERAL = rf"{ONE}s?(?:(?:\s*[,/&]\s*|,?\s+(?:and|or|nor)\s+){ONE}s?)*"
ABOUT = r"(?:on|about|for|of|that|to|covering|explaining|where|which|by|from)\b"


def named(text: str) -> set[str]:
    """Return the kinds that words for them name."""
    names = {**NAMES, TEXT: WRITTEN}
    return {kind for name, kinds in names.items() if re.search(rf"\b(?:{name})s?\b", text, re.I) for kind in kinds}


def called(kinds: Collection[str]) -> str:
    """Return what kinds are called together.

    >>> called(["video", "channel", "playlist", "paper"])
    'paper or video'
    """
    left = set(kinds)
    for name, together in (("text", WRITTEN), ("video", VIDEO), ("article", NAMES[r"article|write-?up|essay"])):
        if left.issuperset(together):
            left = left.difference(together) | {name}
    return " or ".join(sorted(left))
