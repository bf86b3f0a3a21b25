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
_ODD = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2190-\u21ff\u2700-\u27bf]")


class Ligatures:
    """Puts words back together: ligatures, line-end hyphens, compatibility characters."""

    def __init__(self, text: str) -> None:
        self._hyphenated = set(re.findall(r"\b\w+-\w+\b", text.lower()))
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
        text = _ODD.sub(lambda found: self._letters.get(found.group(0), " "), text)
        return " ".join(unicodedata.normalize("NFKC", text).split())

    def joined(self, lines: list[str]) -> str:
        """Return lines as one text, words broken at line ends made whole."""
        text = ""
        for line in lines:
            line = re.sub(r"\u00ad(?=.)", "-", line)  # within a line it is a plain hyphen
            odd = sum(character not in self._letters for character in _ODD.findall(line))
            if 4 * odd > len(line):  # a font without any map: nothing in it can be read
                continue
            if re.search(r"\w[-\u00ad\u2010]$", text) and line[0].islower():
                text = f"{text[:-1]}{LINE_END_HYPHEN}{line}"
            else:
                text = f"{text} {line}" if text else line
        text = re.sub(rf"(\w+)[{LINE_END_HYPHEN}\u00ad]\s*(\w+)", self._rejoin, text)
        return self.whole(text.replace(LINE_END_HYPHEN, ""))

    def _rejoin(self, parts: re.Match[str]) -> str:
        compound = f"{parts.group(1)}-{parts.group(2)}"
        return compound if compound.lower() in self._hyphenated else parts.group(1) + parts.group(2)
