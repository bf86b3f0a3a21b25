"""Refusals: fit the confidence that tells what the shelf can answer, and the threshold below which it says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from app import confidence, extractive
from app import question as questions
from app.assistant import Assistant
from app.quoted import HITS
from eval import squad
from eval.bench import Bench, json_lines, shelf_of
from eval.cases import Case, split_of
from eval.systems import Remembering
from index import search

C = 0.1  # inverse strength of the L2 penalty
WRONGLY_REFUSED = 0.03  # share of our own answerable dev questions that may lie below the threshold
DIGITS = 4


def examples(folder: Path, bench: Bench) -> tuple[list[list[float]], list[bool]]:
    """Return the features of SQuAD's questions of the dev half, and whether each has an answer.

    Its three files are read: with an answer, without one though it looks so, and on articles that are not there.
    """
    texts = {squad.address(row["_id"]): row["text"] for row in json_lines(folder / "corpus.jsonl")}
    assistant = Assistant(shelf_of(texts, bench, squad.SUITE), Remembering(bench.encoder))
    files = ("queries.jsonl", True), ("queries_unanswerable.jsonl", False), ("queries_out_of_corpus_500.jsonl", False)
    asked = [
        (row["text"], known)
        for name, known in files
        for row in json_lines(folder / name)
        if split_of(row["_id"]) == "dev"
    ]
    assistant.encoder.encode([text for text, _ in asked])
    rows = [features(assistant, text) for text, _ in bench.track(asked, "Reading SQuAD", len(asked))]
    return rows, [known for _, known in asked]


def features(assistant: Assistant, text: str) -> list[float]:
    """Return what the confidence in an answer to a question is told from."""
    asked = questions.read(text)
    vector = assistant.encoder.encode([text])[0]
    hits = search.hybrid(text, assistant.shelf, assistant.encoder, limit=HITS)
    rarity = assistant.shelf.lexical.rarity(text)
    vectors = {hit.number: assistant.shelf.sentence_vectors(hit.number) for hit in hits}
    scored = extractive.scored(extractive.candidates(asked, vector, hits, vectors, rarity))
    return confidence.features(asked, hits, scored, rarity, assistant.shelf.manifest.passages)


def fit(rows: Sequence[Sequence[float]], known: Sequence[bool]) -> dict[str, float]:
    """Return the weights of a logistic regression in which both kinds of question count the same."""
    from sklearn.linear_model import LogisticRegression

    values = np.asarray(rows)
    mean, deviation = values.mean(axis=0), values.std(axis=0) + 1e-9
    model = LogisticRegression(C=C, max_iter=1000, class_weight="balanced").fit((values - mean) / deviation, known)
    weights = model.coef_[0] / deviation
    fitted = dict(zip(confidence.FEATURES, weights.tolist(), strict=True))
    fitted["intercept"] = float(model.intercept_[0] - weights @ mean)
    return {name: round(value, DIGITS) for name, value in fitted.items()}


def threshold(confidences: Mapping[str, float], cases: Sequence[Case]) -> float:
    """Return the confidence that all but a few of our own answerable dev questions reach; `confidences` by case."""
    reached = sorted(confidences[case.id] for case in cases if case.found and not case.before and case.split == "dev")
    return round(reached[int(WRONGLY_REFUSED * len(reached))], DIGITS)
