"""Sentences: fit the weights that choose the sentences of an answer, on questions whose right sentences are known.

Three kinds of text teach it: SQuAD's encyclopaedia, Chroma's mixed corpora, and our own shelf; dev halves only.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app import extractive
from app import question as questions
from app.assistant import Assistant
from app.extractive import Candidate
from app.quoted import HITS
from eval import cases, chunking, squad
from eval.bench import Bench, json_lines, shelf_of
from eval.cases import split_of
from eval.systems import Remembering
from index import search
from ingest.address import same_page

SQUAD_SAMPLE = 250  # questions of each half: more would outweigh the others
OWN_TIMES = 3  # how often our own questions count: they are few, and what is asked here
PENALTY = 0.001  # of the L2 norm
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Example:
    """A question's sentences."""

    features: Floats  # (sentences, features), those of app.extractive
    right: npt.NDArray[np.bool_]  # which of them answer


Right = Callable[[Candidate], bool]


def own(assistant: Assistant, bench: Bench) -> list[Example]:
    """Return examples of our own questions of the dev half: right is what overlaps the words of the case's `quote`."""
    asked = [case for case in cases.read() if case.suite == "answers" and case.split == "dev" and case.quote]
    return list(_examples(((case.question, _own_right(case)) for case in asked), assistant, bench, "our own"))


def _own_right(case: cases.Case) -> Right:
    wanted = {same_page(url) for url in case.found}
    words = re.compile(case.quote.replace(" ", r"\s+"), re.IGNORECASE)

    def right(one: Candidate) -> bool:
        if not wanted & {same_page(one.hit.source.url), same_page(one.hit.source.resource)}:
            return False
        return _touches(one.span, [found.span() for found in words.finditer(one.hit.passage.text)])

    return right


def of_squad(folder: Path, bench: Bench, split: str) -> list[Example]:
    """Return examples of a sample of SQuAD's answerable questions: right is a sentence that holds the answer."""
    rows = [row for row in json_lines(folder / "queries.jsonl") if split_of(row["_id"]) == split and _drawn(row["_id"])]
    rows = rows[:SQUAD_SAMPLE]
    assistant = squad.assistant(folder, bench)
    return list(_examples(((row["text"], _squad_right(row)) for row in rows), assistant, bench, "SQuAD"))


def _drawn(key: str) -> bool:
    """Return whether a question is in the third of them that a sample is taken from, so that it is of all articles."""
    return hashlib.sha256(key.encode()).digest()[1] <= 80


def _squad_right(row: dict[str, Any]) -> Right:
    home = squad.address(row["source_doc"])
    return lambda one: one.hit.source.url == home and any(answer in one.quote for answer in row["answers"])


def of_chroma(folder: Path, bench: Bench, split: str) -> list[Example]:
    """Return examples of Chroma's questions: right is a sentence that overlaps an excerpt."""
    rows = [row for row in json_lines(folder / "questions.jsonl") if split_of(row["_id"]) == split]
    shelf = shelf_of(chunking.texts(folder), bench, chunking.SUITE)
    assistant = Assistant(shelf, Remembering(bench.encoder))
    asked = ((row["text"], _chroma_right(row)) for row in rows)
    return list(_examples(asked, assistant, bench, "Chroma", per_document=HITS))


def _chroma_right(row: dict[str, Any]) -> Right:
    wanted = [(one["start_index"], one["end_index"]) for one in row["references"]]

    def right(one: Candidate) -> bool:
        at = one.hit.passage.start
        inside = one.hit.source.url == row["corpus_id"]
        return inside and _touches((at + one.span[0] + 3, at + one.span[1] - 3), wanted)  # 3: excerpts end ragged

    return right


def _touches(span: tuple[int, int], wanted: Iterable[tuple[int, int]]) -> bool:
    return any(start < span[1] and span[0] < end for start, end in wanted)


def _examples(
    asked: Iterable[tuple[str, Right]],
    assistant: Assistant,
    bench: Bench,
    name: str,
    *,
    per_document: int = search.PER_DOCUMENT,
) -> Iterator[Example]:
    """Yield an example for each question that has a right sentence among those of its hits."""
    asked = list(asked)
    assistant.encoder.encode([text for text, _ in asked])  # at once, which is quicker; the encoder remembers them
    for text, right in bench.track(asked, f"Reading {name}", len(asked)):
        question = questions.read(text)
        vector = assistant.encoder.encode([text])[0]
        hits = search.hybrid(text, assistant.shelf, assistant.encoder, limit=HITS, per_document=per_document)
        vectors = {hit.number: assistant.shelf.sentence_vectors(hit.number) for hit in hits}
        found = extractive.candidates(question, vector, hits, vectors, assistant.shelf.lexical.rarity(text))
        told = np.array([right(one) for one in found], dtype=np.bool_)
        if told.any():
            yield Example(np.array([one.features for one in found], dtype=np.float64), told)


# --- fitting --------------------------------------------------------------------------------------


def fit(examples: Sequence[Example]) -> Floats:
    """Return the weights under which right sentences are likeliest: a softmax over each question's sentences.

    The listwise loss of Cao et al. (2007) with several right ones, by L-BFGS.

    >>> one = Example(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([True, False]))
    >>> bool(fit([one])[0] > 0 > fit([one])[1])
    True
    """
    from scipy.optimize import minimize

    def loss(weights: Floats) -> tuple[float, Floats]:
        total, slope = 0.0, np.zeros_like(weights)
        for one in examples:
            scores = one.features @ weights
            odds = np.exp(scores - scores.max())
            right = np.where(one.right, odds, 0.0)
            total -= float(np.log(right.sum() / odds.sum() + 1e-12))
            slope += (odds / odds.sum() - right / (right.sum() + 1e-300)) @ one.features
        count = len(examples)
        return total / count + PENALTY * float(weights @ weights), slope / count + 2 * PENALTY * weights

    start = np.zeros(examples[0].features.shape[1])
    found: Floats = minimize(loss, start, jac=True, method="L-BFGS-B").x
    return found


def first(examples: Sequence[Example], weights: Floats, depth: int) -> float:
    """Return how often one of the first few sentences is right, among questions that have a right one.

    >>> first([Example(np.array([[1.0], [2.0]]), np.array([True, False]))], np.array([1.0]), 1)
    0.0
    """
    ranked = [one.right[np.argsort(-(one.features @ weights), kind="stable")] for one in examples]
    return float(np.mean([right[:depth].any() for right in ranked]))
