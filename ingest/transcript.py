"""Transcript -> pieces: spoken words as paragraphs, each with the second at which it begins."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ingest.document import Piece

LONG = 60  # words; a paragraph ends at the next pause after so many, a sentence's end ends one after half of them
PAUSE = 4.0  # seconds of silence that begin a new paragraph

CHANCE = 3  # words; fewer may be said twice in a row
MEMORY = 80  # words; no caption shows more

_CHAPTER = re.compile(r"^\W*((?:\d{1,2}:)?\d{1,2}:\d{2})\W+(\w.*)$", re.MULTILINE)
_NOT_SAID = re.compile(r"\[(?:music|applause|laughter|musik|__)\]|^>+\s*|♪+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A few words as a caption shows them."""

    second: float
    text: str
    duration: float = 0.0


def chapters_of(description: str) -> list[tuple[float, str]]:
    r"""Return the chapters that a video's description lists: (second, title), in order.

    As YouTube takes them: three or more, the first at zero, each after the one before.

    >>> chapters_of("Links below\n0:00 Intro\n1:30 - Rings\n1:02:03 Cost")
    [(0.0, 'Intro'), (90.0, 'Rings'), (3723.0, 'Cost')]
    """
    found = [(seconds(stamp), title.strip()) for stamp, title in _CHAPTER.findall(description)]
    rising = all(a[0] < b[0] for a, b in pairwise(found))
    return found if len(found) > 2 and found[0][0] == 0 and rising else []


def seconds(stamp: str) -> float:
    """Return the seconds of a time such as "1:02:03" or "02:03.5".

    >>> seconds("1:02:03"), seconds("02:03.5")
    (3723.0, 123.5)
    """
    total = 0.0
    for part in stamp.replace(",", ".").split(":"):
        total = 60 * total + float(part)
    return total


def pieces_of(spoken: Iterable[Spoken], chapters: Sequence[tuple[float, str]] = ()) -> list[Piece]:
    """Return paragraphs with their seconds ("t=95"), under the headings of the chapters.

    Captions without full stops, as speech recognition makes them, are cut at pauses and by length.
    """
    pieces: list[Piece] = []
    waiting = list(chapters)
    for paragraph in _paragraphs(_without_repeats(spoken), {second for second, _ in chapters}):
        while waiting and waiting[0][0] <= paragraph[0].second + 1:
            second, title = waiting.pop(0)
            pieces.append(Piece("heading", title, 2, f"t={int(second)}"))
        text = " ".join(words.text for words in paragraph)
        pieces.append(Piece("text", text, place=f"t={int(paragraph[0].second)}"))
    return pieces


def _without_repeats(spoken: Iterable[Spoken]) -> Iterator[Spoken]:
    """Yield what is said, each word once.

    Captions that roll show a line again while the next one comes; others grow word by word, or begin with the words
    that the last one ended with.
    """
    said: list[str] = []  # the last words, as they compare
    before: list[list[str]] = []  # the lines of the last caption, as they compare
    for caption in spoken:
        lines = [" ".join(_NOT_SAID.sub(" ", line).split()) for line in caption.text.splitlines()]
        words = [word for line in lines for word in line.split()]
        compared = [[_compared(word) for word in line.split()] for line in lines if line]
        keys = [key for line in compared for key in line]
        new = words[_shown_before(said, keys, before) :]
        said = [*said, *map(_compared, new)][-MEMORY:]
        before = compared or before
        if new:
            yield Spoken(caption.second, " ".join(new), caption.duration)


def _compared(word: str) -> str:
    return re.sub(r"\W", "", word.casefold()) or word


def _shown_before(said: Sequence[str], keys: Sequence[str], before: Sequence[Sequence[str]]) -> int:
    """Return how many words at the head of a caption were shown before: it begins with the last ones that were said.

    One or two words may be said twice; they were shown before only where they are a line, or all, of the last caption.
    """
    whole = [key for line in before for key in line]
    for count in range(min(len(said), len(keys)), 0, -1):
        head = keys[:count]
        if list(said[-count:]) == head and (count >= CHANCE or head == whole or head in before[-1:]):
            return count
    return 0


def _paragraphs(spoken: Iterable[Spoken], breaks: set[float]) -> Iterator[list[Spoken]]:
    paragraph: list[Spoken] = []
    words = 0
    for said in spoken:
        if paragraph:
            last = paragraph[-1]
            silent = said.second - last.second - last.duration > PAUSE
            crossed = any(last.second + 1 < second <= said.second + 1 for second in breaks)
            ended = words >= LONG // 2 and re.search(r"[.!?][\"')\]]*$", last.text)
            if silent or crossed or ended or words >= LONG:
                yield paragraph
                paragraph, words = [], 0
        paragraph.append(said)
        words += said.text.count(" ") + 1
    if paragraph:
        yield paragraph
