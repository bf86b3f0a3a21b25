"""Worth: is what a language model writes worth more than the quotes that would stand in its place?

It is where its first claim is supported, at least half of its claims are, and it says one of the facts that the reader
marked as answers. A draft that falls short is never shown instead of quotes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from app import sections
from app.answer import Sentence
from index.lexical import terms
from index.passage import Hit

CLAIM = 2  # content words from which on a sentence claims something
SAYS = 0.25  # of a fact's words that the question does not have, from which on it counts as said
BELOW_BEST = 2.5  # log-odds: a passage whose best sentence is so much less likely to answer holds no fact to be said
CLAIMS = 6  # that are waited for until one of the facts is said


class Worth:
    """Weighs one draft, sentence by sentence."""

    def __init__(self, question: str, hits: Sequence[Hit]) -> None:
        """Take the question, and the passages with what the reader marked in them."""
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
        said = [len(fact & self._said) / len(fact) for fact in self._facts]
        return not said or max(said) >= SAYS


def facts(hits: Sequence[Hit]) -> list[str]:
    """Return the sentences that the reader marked as answers; none if it is not sure of any."""
    least = max((max(hit.marks) for hit in hits if hit.marks), default=0.0) - BELOW_BEST
    return [
        hit.passage.text[start - hit.passage.start : end - hit.passage.start]
        for hit in hits
        if hit.marks and max(hit.marks) >= least
        for start, end in sections.marked(hit)
    ]


def claims(text: str) -> bool:
    """Return whether a sentence claims something; what introduces a list does not.

    >>> claims("It has 8 workers."), claims("Yes."), claims("There are two phases:")
    (True, False, False)
    """
    return not text.endswith(":") and (len(terms(text)) >= CLAIM or bool(re.search(r"\d", text)))
