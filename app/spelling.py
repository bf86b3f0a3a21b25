"""Spelling: words that the shelf hardly knows, and that are close to words it knows well."""

from __future__ import annotations

import re
from collections import Counter
from difflib import get_close_matches
from functools import cache

from index.store import Shelf

LONG = 5  # letters of a word that may be mistyped
RARE, COMMON = 2, 5  # times that a mistyped word occurs, at most, and the one that is meant, at least
CLOSE = 0.8  # of difflib's ratio
LOOKED_AT = 30_000  # passages of a large shelf, whose words are counted

_WORD = re.compile(r"[A-Za-z]+")


def respelled(question: str, shelf: Shelf) -> str:
    """Return a question with its mistyped words as the shelf spells them; itself, if there are none."""
    return _WORD.sub(lambda found: _meant(found[0], shelf), question)


def _meant(word: str, shelf: Shelf) -> str:
    if len(word) < LONG or not word.islower():  # a name is spelled as it is
        return word
    if max(shelf.lexical.counts(word).values(), default=COMMON) > RARE:
        return word
    return next(iter(get_close_matches(word, _common(shelf).get(word[0], []), n=1, cutoff=CLOSE)), word)


@cache
def _common(shelf: Shelf) -> dict[str, list[str]]:
    """Return the words that occur often on a shelf, by their first letter."""
    held = shelf.passages(range(min(shelf.manifest.passages, LOOKED_AT)))
    counts = Counter(word for passage, _ in held for word in _WORD.findall(passage.text.lower()))
    common: dict[str, list[str]] = {}
    for word, count in counts.items():
        if count >= COMMON:
            common.setdefault(word[0], []).append(word)
    return common
