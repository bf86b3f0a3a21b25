"""Worth: is what a language model writes worth more than the quotes that would stand in its place?

It is where its first claim is supported, at least half of its claims are, and it says one of the facts that the reader
marked as answers. A draft that falls short is never shown instead of quotes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.answer import Sentence
from index.lexical import terms
from index.passage import Hit

CLAIM = 2  # content words from which on a sentence claims something
SAYS = 0.25  # of a fact's words that the question does not have, from which on it counts as said,
FEWEST = 3  # and how many at least, if it has more
BELOW_BEST = 1.0  # log-odds: a sentence that is so much less likely to answer than the likeliest is no fact to be said
CLAIMS = 6  # that are waited for until one of the facts is said


class Worth:
    """Weighs one draft, sentence by sentence."""

    def __init__(self, question: str, hits: Sequence[Hit]) -> None:
        """Take the question, and the passages with what the reader marked in them, none if it is not sure of them."""
        self._facts = [words for fact in facts(hits) if (words := set(terms(fact)) - set(terms(question)))]
        self._said: set[str] = set()  # words of supported sentences
        self._claims = 0
        self._supported = 0
        self._begins_well = False

    def weigh(self, sentence: Sentence) -> None:
        """Take the next sentence, checked."""
        if not claims(sentence.text):
            return
        self._claims += 1
        if sentence.support == "supported":
            self._supported += 1
            self._begins_well |= self._claims == 1
            self._said.update(terms(sentence.text))

    @property
    def enough(self) -> bool:
        """Return whether what was weighed so far is worth showing."""
        return self._begins_well and 2 * self._supported >= self._claims and self._answers

    @property
    def lost(self) -> bool:
        """Return whether nothing that may follow can make it so."""
        if self._claims and not self._begins_well:
            return True
        return self._claims >= CLAIMS and not self._answers

    @property
    def _answers(self) -> bool:
        return not self._facts or any(
            len(fact & self._said) >= max(1, SAYS * len(fact), min(FEWEST, len(fact) - 1)) for fact in self._facts
        )


def facts(hits: Sequence[Hit]) -> list[str]:
    """Return the sentences that answer, as the reader has it: the likeliest, and those that come near to them."""
    best = max((max(hit.marks) for hit in hits if hit.marks), default=0.0)
    near = [
        hit.passage.text[start:end]
        for hit in hits
        for (start, end), odds in zip(hit.passage.sentences, hit.marks, strict=False)
        if odds >= best - BELOW_BEST
    ]
    return [text for text in near if claims(text)]


def claims(text: str) -> bool:
    """Return whether a sentence claims something; what introduces a list does not.

    >>> claims("It has 8 workers."), claims("Yes."), claims("There are two phases:")
    (True, False, False)
    """
    return not text.endswith(":") and (len(terms(text)) >= CLAIM or bool(re.search(r"\d", text)))
