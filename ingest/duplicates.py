"""Duplicates: the same text under two addresses, as a web page and as a PDF, say.

Each text is sketched by those of its word sequences whose hash is divisible by a fixed number (Broder, "On the
resemblance and containment of documents", 1997): sketches of two texts overlap as the texts do.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

from ingest.shingles import plain, shingles

SEQUENCE = 6  # words
MODULUS = 8  # one sequence in so many is kept
SAME = 0.7  # of a text's sketch stands in the other one's
ENOUGH = 5  # shared numbers: fewer are chance


def sketch(text: str) -> frozenset[int]:
    """Return the sketch of a text, about one number below 2**32 for every eight words."""
    numbers = shingles(plain(text).split(), SEQUENCE)
    return frozenset(numbers[numbers % MODULUS == 0].tolist())


def share_of(part: str, whole: str) -> float:
    """Return how much of a text's word sequences stands in another text.

    >>> share_of("one two three four five six", "and one two three four five six again")
    1.0
    """
    mine = set(shingles(plain(part).split(), SEQUENCE).tolist())
    others = set(shingles(plain(whole).split(), SEQUENCE).tolist())
    return len(mine & others) / max(1, len(mine))


def same_texts(sketches: Mapping[str, frozenset[int]]) -> list[tuple[str, str]]:
    """Return pairs (holder, held): most of the second text stands in the first.

    Of two texts that hold each other, the one that comes first in the mapping is the holder.

    >>> story = " ".join(f"word{n}" for n in range(400))
    >>> longer = f"{story} {story[::-1]}"
    >>> same_texts({"part": sketch(story), "whole": sketch(longer), "else": sketch("something else " * 50)})
    [('whole', 'part')]
    """
    holders: dict[int, list[str]] = defaultdict(list)
    pairs: list[tuple[str, str]] = []
    for name, mine in sketches.items():
        shared = Counter(other for value in mine for other in holders[value])
        for other, count in shared.items():
            if count < ENOUGH:
                continue
            if count >= SAME * len(mine):
                pairs.append((other, name))
            elif count >= SAME * len(sketches[other]):
                pairs.append((name, other))
        for value in mine:
            holders[value].append(name)
    return pairs
