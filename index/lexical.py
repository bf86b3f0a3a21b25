"""Lexical search: BM25 (Robertson and Zaragoza 2009) over stemmed words, by bm25s."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import bm25s
    import Stemmer

K1, B = 0.9, 0.4  # Anserini's defaults for passages

# Words that shape a question or sentence without saying what it is about.
STOP_WORDS = frozenset(
    """a an and are as at be been being but by can could did do does doing for from had has have how i if in into is
    it its me my no nor not of off on or our out should so such than that the their them then there these they this
    those to too us was we were what when where which while who whom whose why will with would you your about explain
    describe tell give""".split()
)

# British spellings and how an American writes them, each found by its letters first, for speed. A word that only looks
# like one is changed wherever it stands, so it still finds itself; left alone are those with relatives that would no
# longer be found: precise and precision, revise and revision, advertise and advertisement.
_AMERICAN = tuple(
    (re.compile(british), american)
    for british, american in (
        (r"our(?=(?:s|ed|ing|al|ally|able|ites?|hoods?)?\b)(?<=[a-z]{3}our)", "or"),
        (r"is(?=(?:e[drs]?|ers|ing|able|ations?)\b)(?<=[a-z]{2}[bdgklmnrstyz]is)(?<!pris)(?<!ertis)", "iz"),
        (r"lys(?=(?:e[dr]?|ers|ing)\b)", "lyz"),
        (r"ll(?=(?:ed|ing|ers?)\b)(?:(?<=modell)|(?<=labell)|(?<=cancell)|(?<=signall)|(?<=parallell))", "l"),
        (r"re(?=[ds]?\b)(?:(?<=centre)|(?<=metre)|(?<=litre)|(?<=fibre))", "er"),
        (r"logue(?:(?<=catalogue)|(?<=dialogue)|(?<=analogue))", "log"),
        (r"artefact", "artifact"),
    )
)


class Lexical:
    """A BM25 index of texts, by their place in the sequence that was indexed."""

    def __init__(self, index: bm25s.BM25) -> None:
        self._index = index

    @classmethod
    def build(cls, texts: Sequence[str]) -> Lexical:
        """Return an index of the texts."""
        import bm25s  # 0.4 s

        index = bm25s.BM25(method="lucene", k1=K1, b=B)
        index.index([terms(text) or [""] for text in texts], show_progress=False)
        return cls(index)

    @classmethod
    def open(cls, folder: Path) -> Lexical:
        """Return the index saved in a folder, its arrays mapped into memory."""
        import bm25s

        return cls(bm25s.BM25.load(folder, mmap=True, allow_pickle=False))

    def save(self, folder: Path) -> None:
        """Write the index into a folder."""
        self._index.save(folder, show_progress=False)

    def scores(self, question: str) -> npt.NDArray[np.float32]:
        """Return the BM25 score of every text, shape (n,); 0 where no word is shared."""
        words = [word for word in terms(question) if word in self._index.vocab_dict]
        if not words:
            return np.zeros(int(self._index.scores["num_docs"]), dtype=np.float32)
        return np.asarray(self._index.get_scores(words), dtype=np.float32)

    def rarity(self, question: str) -> dict[str, float]:
        """Return how rare each content word of a question is: log(texts / texts with it), unknown words highest."""
        total = int(self._index.scores["num_docs"])
        return {word: float(np.log((total + 1) / (count + 0.5))) for word, count in self.counts(question).items()}

    def counts(self, question: str) -> dict[str, int]:
        """Return how many texts have each content word of a question."""
        starts, known = self._index.scores["indptr"], self._index.vocab_dict
        return {
            word: int(starts[known[word] + 1] - starts[known[word]]) if word in known else 0 for word in terms(question)
        }


def terms(text: str) -> list[str]:
    """Return the stemmed content words of a text, in order, spelled the American way.

    >>> terms("How does the scatter-reduce step of CI/CD work?")
    ['scatter', 'reduc', 'step', 'ci', 'cd', 'work']
    >>> terms("quantised behaviour, four data centres") == terms("quantized behavior, four data centers")
    True
    """
    text = text.lower()
    for british, american in _AMERICAN:
        text = british.sub(american, text)
    words = [word for word in re.findall(r"[^\W_]+", text) if word not in STOP_WORDS]
    return list(_stemmer().stemWords(words))


@cache
def _stemmer() -> Stemmer.Stemmer:
    import Stemmer

    return Stemmer.Stemmer("english")
