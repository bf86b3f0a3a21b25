"""Support: does a passage say what a sentence says? Told by a trained model, and by words, numbers, names and negation.

The model reads the sentence together with the few stretches of the evidence that share most with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app import AnswerError, fitted
from app.answer import Support
from index.lexical import terms
from index.reader.readings import Text

if TYPE_CHECKING:
    from index.reader.narrow import Reader
    from index.slow import CrossEncoder

FEATURES = (
    "read",  # the highest log-odds that the model gives a stretch
    "least",  # the lowest
    "anywhere",  # share of the sentence's words that stand anywhere in the evidence
    "one",  # in the one sentence of it that has most of them
    "three",  # in the three neighbouring sentences that have most
    "four",  # in the four sentences that together have most
    "pairs",  # share of its pairs of neighbouring words that stand together there
    "numbers",  # share of its numbers, units included, that stand there
    "names",  # share of its names that stand there
    "missing",  # how many of its words do not, by tens
    "length",  # how many words it has, by twenties
    "negation",  # one of the two says no
)
STRETCHES, LONG = 3, 3  # stretches of the evidence that are read, and their sentences
UNION = 4  # sentences that share most with the claim, read as one more
VERBATIM = 3  # content words from which a sentence that stands in the evidence is supported without reading
DENIED = 0.4  # at most so likely, where the nearest sentence of the evidence says no and this does not, or the reverse
SUPPORTED, WEAK = 0.6, 0.42  # probabilities from which a sentence is called so

_NUMBER = re.compile(r"\d[\d,.]*\d|\d")
_NAME = re.compile(r"(?<=[a-z,;(\"' ] )[A-Z][\w&-]+|\b[A-Z]{2,}[\w-]*")
_SAYS_NO = re.compile(r"\b(?:not|no|never|none|without|neither|nor|cannot|fail(?:s|ed)?)\b|n't\b", re.IGNORECASE)
_BREAK = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9\"“(])|\n+")


def support(sentence: str, passage: str) -> float:
    """Return how likely it is that a passage supports all of a sentence, 0 to 1; see Read.

    >>> support("It has 8 workers.", "A ring of 8 workers.") > support("It has 9 workers.", "A ring of 8 workers.")
    True
    """
    return load("")(sentence, passage)


def load(folder: str, *, engines: Path | None = None) -> Callable[[str, str], float]:
    """Return the check that a setting names: "" for the built-in one, else the folder of a model for NLI.

    `engines` is a folder that remembers that the built-in one was checked on this machine. Raises ShelfError where a
    model is missing or damaged, AnswerError where it is for something else.
    """
    if not folder:
        from index.reader import cross

        return Read(cross.load("support", engines=engines))
    from index.slow import CrossEncoder

    return Nli(CrossEncoder(Path(folder).expanduser(), setting="PREPSHELF_NLI"))


class Read:
    """The built-in check: what the trained model reads, weighed with words; fitted by `prep eval fit support`."""

    def __init__(self, model: Reader) -> None:
        """Take the model that says how likely a text supports a sentence."""
        self._model = model

    def __call__(self, sentence: str, passage: str) -> float:
        """Return how likely it is that a passage supports all of a sentence, 0 to 1."""
        if len(terms(sentence)) >= VERBATIM and _flat(sentence) in _flat(passage):
            return 1.0  # its very words
        values = self.features(sentence, sentences(passage))
        likely = fitted.read("support", FEATURES).probability(values)
        # Claims of an encyclopedia seldom deny each other, so the fit has not learnt what a "not" does.
        return min(likely, DENIED) if values[FEATURES.index("negation")] else likely

    def features(self, sentence: str, evidence: Sequence[str]) -> list[float]:
        """Return the features of a sentence against the sentences of its evidence, in the order of FEATURES."""
        texts = stretches(sentence, evidence)
        read = [one.whole for one in self._model.read(sentence, [Text("", text, ((0, len(text)),)) for text in texts])]
        return [max(read), min(read), *words(sentence, evidence)]


class Nli:
    """A natural-language-inference model from the local disk in the place of the built-in check."""

    def __init__(self, model: CrossEncoder) -> None:
        """Take a cross-encoder that labels pairs.

        Raises AnswerError where none of its labels is entailment.
        """
        self._model = model
        named = [n for n, label in enumerate(model.labels) if label.startswith("entail")]
        if not named:
            raise AnswerError("the model of PREPSHELF_NLI has no label `entailment`; set it to one for NLI.")
        self._entailment = named[0]

    def __call__(self, sentence: str, passage: str) -> float:
        """Return how likely it is that a passage entails a sentence, 0 to 1."""
        logits = self._model.logits([(passage, sentence)])[0]
        odds = np.exp(logits - logits.max())
        return float(odds[self._entailment] / odds.sum())


def state(probability: float) -> Support:
    """Return what a probability of support is called."""
    return "supported" if probability >= SUPPORTED else "weak" if probability >= WEAK else "unsupported"


def stretches(sentence: str, evidence: Sequence[str]) -> list[str]:
    """Return the stretches of the evidence that share most words with a sentence, and its best sentences together.

    >>> stretches("Rings sum.", ["Trees grow.", "Rings sum buffers."])
    ['Trees grow. Rings sum buffers.']
    """
    wanted = set(terms(sentence))
    held = [set(terms(said)) & wanted for said in evidence] or [set()]
    starts = range(max(1, len(evidence) - LONG + 1))
    shares = [len(set().union(*held[n : n + LONG])) for n in starts]
    best = sorted(starts, key=lambda n: -shares[n])[:STRETCHES]
    found = [" ".join(evidence[n : n + LONG]) for n in best]
    most = sorted(sorted(range(len(held)), key=lambda n: -len(held[n]))[:UNION])
    return list(dict.fromkeys([*found, " ".join(evidence[n] for n in most if evidence)]))


def words(sentence: str, evidence: Sequence[str]) -> list[float]:
    """Return the features that are told from words, in the order of FEATURES."""
    own = list(dict.fromkeys(terms(sentence)))
    held = [set(terms(said)) & set(own) for said in evidence] or [set()]
    count = max(1, len(own))
    anywhere = set().union(*held)
    windows = [first | second | third for first, second, third in zip(held, held[1:], held[2:], strict=False)]
    text = " ".join(evidence)
    nearest = evidence[max(range(len(held)), key=lambda n: len(held[n]))] if evidence else ""
    together = {pair for said in evidence for pair in pairwise(terms(said))}
    return [
        len(anywhere) / count,
        max(map(len, held)) / count,
        max(map(len, windows), default=len(anywhere)) / count,
        len(_best_union(held, 4)) / count,
        _share(pairwise(terms(sentence)), together),
        _share(numbers(sentence), set(numbers(text))),
        _share((name.lower() for name in _NAME.findall(sentence)), set(re.findall(r"[\w&-]+", text.lower()))),
        (count - len(anywhere)) / 10,
        count / 20,
        float(bool(_SAYS_NO.search(sentence)) != bool(_SAYS_NO.search(nearest))),
    ]


def sentences(text: str) -> list[str]:
    """Return the sentences and lines of a text."""
    return _BREAK.split(text)


def numbers(text: str) -> list[str]:
    """Return the numbers of a text without separators of thousands.

    >>> numbers("1,024 workers at 2.5 GB/s")
    ['1024', '2.5']
    """
    return [found.replace(",", "").rstrip(".") for found in _NUMBER.findall(text)]


def _flat(text: str) -> str:
    return " ".join(text.split()).strip(" .").lower()


def _best_union(held: Sequence[set[str]], size: int) -> set[str]:
    """Return the words of the few sets that together have most, taken greedily."""
    union: set[str] = set()
    for _ in range(size):
        union = max((union | more for more in held), key=len)
    return union


def _share(wanted: Iterable[object], held: set[object] | set[str] | set[tuple[str, str]]) -> float:
    wanted = list(wanted)
    return sum(one in held for one in wanted) / len(wanted) if wanted else 1.0
