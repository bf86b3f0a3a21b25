"""Proof: does a passage say what a sentence says, and in which words?"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from app.answer import Citation, Sentence, Support
from app.citer import Citer
from app.draft import Draft
from app.support import SUPPORTED, WEAK
from index.encoder import Vectors
from index.lexical import terms
from index.passage import Hit

Score = Callable[[str, str], float]
"""Tells how far a passage, the second, supports a sentence, the first: 0 not at all, 1 in every point."""

CLAIM = 2  # content words from which on a sentence claims something
OTHERS = 3  # passages that are tried where those that were named do not support a sentence
QUOTES = 3  # stretches of a passage that are tried as its quote


class Prover:
    """Checks the sentences of one answer against its passages, and numbers the quotes that prove them."""

    def __init__(
        self,
        hits: Sequence[Hit],
        *,
        vectors: Mapping[int, Vectors],
        encode: Callable[[str], Vectors],
        support: Score,
        citer: Citer,
        planted: Callable[[Vectors], bool] = lambda _: False,
    ) -> None:
        """Take the passages in the order of their numbers, and the vectors of their sentences by `Hit.number`.

        `planted` tells by its vector whether a sentence orders a model about or asks for secrets; see index.planted.
        """
        self.citations: list[Citation] = []
        self._hits = hits
        self._vectors = vectors
        self._encode = encode
        self._support = support
        self._citer = citer
        self._planted = planted

    def prove(self, draft: Draft) -> tuple[Sentence, tuple[Citation, ...]]:
        """Return a draft as a sentence with its support and citations, and those of them that are new.

        A mark is kept where its passage supports the sentence. Where none does, the passage that is most like the
        sentence may take its place, if it supports it in full. A sentence that is not supported cites nothing.
        """
        known = len(self.citations)
        named = [self._hits[n - 1] for n in draft.numbers]
        if _is_code(draft.text):
            numbers = self._code(draft.text, named)
            return self._sentence(draft, numbers, "supported" if numbers else "unsupported", known)
        vector = self._encode(draft.text)
        if self._planted(vector):  # its words may stand in a passage: that somebody writes so makes it no fact
            return self._sentence(draft, (), "unsupported", known)
        if len(terms(draft.text)) < CLAIM and not re.search(r"\d", draft.text):
            # It claims nothing that a passage could support or deny, so its marks stand as they are.
            numbers = [n for hit in named if (n := self._quote(draft.text, vector, hit))]
            return self._sentence(draft, numbers, "weak", known)
        scores = {hit.number: self._support(draft.text, hit.passage.text) for hit in named}
        kept = [hit for hit in named if scores[hit.number] >= WEAK]
        best = max(scores.values(), default=0.0)
        if best < SUPPORTED and (other := self._better(draft.text, vector, named)):
            kept, best = [other], SUPPORTED
        numbers = [n for hit in kept if (n := self._quote(draft.text, vector, hit))]
        state: Support = "supported" if best >= SUPPORTED and draft.whole else "weak"
        return self._sentence(draft, numbers, state if numbers else "unsupported", known)

    def adopt(self, citation: Citation) -> int:
        """Return the number in this answer of a citation that was made elsewhere."""
        for known in self.citations:
            if (known.url, known.start, known.end) == (citation.url, citation.start, citation.end):
                return known.n
        self.citations.append(replace(citation, n=len(self.citations) + 1))
        return len(self.citations)

    def _sentence(
        self, draft: Draft, numbers: Sequence[int], state: Support, known: int
    ) -> tuple[Sentence, tuple[Citation, ...]]:
        sentence = Sentence(draft.text, tuple(dict.fromkeys(numbers)), state, draft.lead)
        return sentence, tuple(self.citations[known:])

    def _better(self, text: str, vector: Vectors, named: Sequence[Hit]) -> Hit | None:
        """Return a passage that was not named and supports the sentence in full."""
        passed = {hit.number for hit in named}
        others = [hit for hit in self._hits if hit.number not in passed and len(self._vectors[hit.number])]
        others.sort(key=lambda hit: -float(np.max(self._vectors[hit.number] @ vector)))
        return next((hit for hit in others[:OTHERS] if self._support(text, hit.passage.text) >= SUPPORTED), None)

    def _quote(self, text: str, vector: Vectors, hit: Hit) -> int:
        """Return the number of the citation of the words in a passage that are nearest to a sentence, 0 for none."""
        spans = hit.passage.sentences or tuple(found.span() for found in re.finditer(r"\S[^\n]*", hit.passage.text))
        quotes = [hit.passage.text[start:end] for start, end in spans]
        near = self._vectors[hit.number] @ vector if hit.passage.sentences else np.zeros(len(spans))
        wanted = set(terms(text))
        shared = [len(wanted & set(terms(quote))) / (len(wanted) or 1) for quote in quotes]
        order = np.argsort(-(near + np.array(shared, dtype=np.float32)), kind="stable")[:QUOTES]
        return next((n for at in order.tolist() if (n := self._numbered(hit, spans[at]))), 0)

    def _code(self, text: str, named: Sequence[Hit]) -> list[int]:
        """Return the citation of the passage that holds every line of a program, if one does."""
        lines = [line.strip() for line in text.split("\n")[1:-1] if line.strip()]
        for hit in [*named, *self._hits]:
            places = [hit.passage.text.find(line) for line in lines]
            if lines and min(places) >= 0:
                end = max(at + len(line) for at, line in zip(places, lines, strict=True))
                return [n for n in [self._numbered(hit, (min(places), end))] if n]
        return []

    def _numbered(self, hit: Hit, span: tuple[int, int]) -> int:
        start = hit.passage.start
        citation = self._citer.cite(hit, start + span[0], start + span[1], len(self.citations) + 1)
        return self.adopt(citation) if citation else 0


def _is_code(text: str) -> bool:
    return text.startswith(("```", "~~~"))
