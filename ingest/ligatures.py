"""Ligatures: words that typesetting changed are put back together."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

LINE_END_HYPHEN = "\ufffe"  # what pdfium writes for it; the rest of the word follows on the same line

# Fonts without a Unicode map show their ligatures as control characters or symbols, each font its own way. Which
# ligature a character stands for is told by the words it makes: a few frequent ones for each.
_LIGATURE_WORDS = {
    "fi": "first find finding define defined definition specific specification final field filter file fixed",
    "ff": "different difference effect effective effort off offer buffer affect staff efforts effects",
    "fl": "flow float floating flexible reflect influence fly conflict overflow flag flat",
    "ffi": "efficient efficiently efficiency difficult sufficient coefficient coefficients official traffic affinity",
    "ffl": "offline shuffle shuffled",
    "tt": "better setting attention little pattern attribute attributes matter written getting",
    "Th": "the this that these then there they thus those therefore",
    "ft": "after often left software shift draft",
    "ti": "time function information operation action iteration distribution",
}
PART = 4  # letters; a shorter part of a word is a word of its own by chance
ENDINGS = 3  # words that end alike
_BROKEN = re.compile(rf"(?P<before>\w+(?:-\w+)*)[{LINE_END_HYPHEN}\u00ad]\s*(?P<after>\w+(?:-\w+)*)")
_ODD = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2190-\u21ff\u2700-\u27bf]")


_HYPHENS = ("-", "\u00ad", "\u2010")


def _is_plain(text: str) -> bool:
    """Return whether a text holds nothing but letters, digits and signs that stand for themselves."""
    return text.isascii() and text.isprintable()


class Ligatures:
    """Puts words back together: ligatures, line-end hyphens, compatibility characters."""

    def __init__(self, text: str) -> None:
        # With what a line's end breaks, so that no part of it is taken for a word.
        self._words: set[str] = set(re.findall(rf"[\w{LINE_END_HYPHEN}\u00ad-]+", text.lower()))
        self._hyphenated = {word.strip("-") for word in self._words if "-" in word}
        words = re.findall(r"[A-Za-z]*" + _ODD.pattern + r"[A-Za-z]+|[A-Za-z]+" + _ODD.pattern + r"[A-Za-z]*", text)
        self._letters: dict[str, str] = {}
        for odd in {character for word in words for character in _ODD.findall(word)}:
            mine = Counter(word for word in words if odd in word)
            votes = {
                letters: sum(n for word, n in mine.items() if word.replace(odd, letters).lower() in known.split())
                for letters, known in _LIGATURE_WORDS.items()
            }
            best = max(votes, key=lambda letters: votes[letters])
            if votes[best]:
                self._letters[odd] = best

    def whole(self, text: str) -> str:
        """Return one line of text with its ligatures spelled out and without control characters."""
        if _is_plain(text):
            return " ".join(text.split())
        text = _ODD.sub(lambda found: self._letters.get(found.group(0), " "), text)
        return " ".join(unicodedata.normalize("NFKC", text).split())

    def joined(self, lines: list[str]) -> str:
        """Return lines as one text, words broken at line ends made whole."""
        text = ""
        for line in lines:
            if not _is_plain(line):
                line = re.sub(r"\u00ad(?=.)", "-", line)  # within a line it is a plain hyphen
                odd = sum(character not in self._letters for character in _ODD.findall(line))
                if 4 * odd > len(line):  # a font without any map: nothing in it can be read
                    continue
            if text[-1:] in _HYPHENS and text[-2:-1].isalnum() and line[:1].isalpha():
                text = f"{text[:-1]}{LINE_END_HYPHEN}{line}"
            else:
                text = f"{text} {line}" if text else line
        if LINE_END_HYPHEN in text or "\u00ad" in text:
            text = _BROKEN.sub(self._rejoin, text)
        return self.whole(text.replace(LINE_END_HYPHEN, ""))

    def _is_word(self, part: str) -> bool:
        return len(part) >= PART and part in self._words

    def _is_ending(self, part: str) -> bool:
        """Return whether other words of the text end in it, as "able" and "fully" end many."""
        return sum(word.endswith(part) for word in self._words if len(word) > len(part)) >= ENDINGS

    def _rejoin(self, parts: re.Match[str]) -> str:
        """Return a word that was broken at a line's end: with its hyphen where that is its own.

        A word that has hyphens is broken at them, by every program that sets type; numbers and names are broken
        nowhere else. Of other words, the text tells: by what it holds elsewhere in one line.
        """
        before, after = parts["before"], parts["after"]
        compound, joined = f"{before}-{after}".lower(), f"{before}{after}".lower()
        inner = f"{before.rpartition('-')[2]}{after.partition('-')[0]}".lower()
        if compound in self._hyphenated or joined in self._hyphenated or inner in self._words:
            own = compound in self._hyphenated
        elif before[-1].isdigit() and after.isalpha():
            own = len(after) >= PART - 1
        elif "-" in before or "-" in after or before[-1].isdigit() or not after[0].islower():
            own = not (before.isupper() and after.isupper())
        else:
            own = self._is_word(before.lower()) and self._is_word(after.lower()) and not self._is_ending(after.lower())
        return f"{before}-{after}" if own else f"{before}{after}"
