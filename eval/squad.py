"""SQuAD 2 (Rajpurkar et al. 2018) over a shelf of its paragraphs: is the answer quoted, is what has none refused?"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from app.assistant import Assistant
from eval import EvalError, certainty
from eval.bench import Bench, json_lines, shelf_of
from eval.cases import split_of
from eval.checks import FIRST, Found, Said
from eval.rows import OURS, Row, Run, average, chosen
from eval.systems import Ours, Remembering

SUITE = "squad"
KINDS = ("answerable", "adversarial", "out of corpus")

Confidence = Callable[[Said, Sequence[Found]], float]
"""Says how sure a system is that it can answer, from its answer and its hits; higher is surer."""


def is_here(folder: Path) -> bool:
    """Return whether a folder holds the benchmark."""
    return (folder / "corpus.jsonl").exists() and (folder / "queries_unanswerable.jsonl").exists()


def questions(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the questions with their kind: with an answer, without one though it looks so, on articles not there.

    Raises EvalError where the folder does not hold the benchmark.
    """
    try:
        for name in ("queries.jsonl", "queries_unanswerable.jsonl"):
            for row in json_lines(folder / name):
                yield {**row, "kind": "answerable" if row["answerable"] else "adversarial"}
        if (outside := folder / "queries_out_of_corpus_500.jsonl").exists():
            yield from ({**row, "answers": [], "kind": "out of corpus"} for row in json_lines(outside))
    except (OSError, ValueError, KeyError) as error:
        raise EvalError(f"{folder} does not hold questions in this layout ({error}); see eval/README.md.") from error


def run(folder: Path, bench: Bench, run: Run, confidence: Confidence) -> None:
    """Add a row to a run for each question that it has none of."""
    done = run.done(SUITE)
    missing = [question for question in questions(folder) if question["_id"] not in done]
    if not missing:
        return
    system = Ours(assistant(folder, bench))
    for question in bench.track(missing, "Asking SQuAD", len(missing)):
        said = system.ask(question["text"])
        hits = system.search(question["text"], FIRST)
        run.add(_row(question, said, hits, confidence(said, hits)))


def assistant(folder: Path, bench: Bench) -> Assistant:
    """Return an assistant over the benchmark's paragraphs."""
    texts = {address(row["_id"]): row["text"] for row in json_lines(folder / "corpus.jsonl")}
    return Assistant(shelf_of(texts, bench, SUITE), Remembering(bench.encoder), reader=bench.reader)


def address(key: str) -> str:
    """Return the address of a paragraph: what stands behind a hash is no part of one.

    >>> address("Normans#0")
    'squad/Normans/0'
    """
    return f"squad/{key.replace('#', '/')}"


def _row(question: dict[str, Any], said: Said, hits: Sequence[Found], confidence: float) -> Row:
    scores = {"confidence": confidence, "refused": float(said["abstained"])}
    quotes = [citation["quote"] for citation in said["citations"]]
    if question["kind"] == "answerable":
        scores["found@5"] = float(address(question["source_doc"]) in {hit.url for hit in hits})
        scores["exact"] = max((holds(quote, gold) for quote in quotes for gold in question["answers"]), default=0.0)
        scores["f1"] = max((f1(quote, gold) for quote in quotes for gold in question["answers"]), default=0.0)
    return Row(
        id=question["_id"],
        suite=SUITE,
        split=split_of(question["_id"]),
        kind=question["kind"],
        question=question["text"],
        scores=scores,
        detail={"expected": {"answers": question["answers"]}, "answer": said},
        timings=dict(said["timings"]),
    )


def holds(quote: str, gold: str) -> float:
    """Return 1 where a quote has an answer word for word, as the benchmark normalises words.

    >>> holds("They came in the 10th and 11th centuries.", "10th and 11th centuries")
    1.0
    """
    return float(f" {normal(gold)} " in f" {normal(quote)} ")


def f1(quote: str, gold: str) -> float:
    """Return the harmonic mean of the shares of words that quote and answer have in common.

    >>> f1("in France", "France")
    0.6666666666666666
    """
    said, wanted = normal(quote).split(), normal(gold).split()
    both = sum((Counter(said) & Counter(wanted)).values())
    return 2 * both / (len(said) + len(wanted)) if both else 0.0


def normal(text: str) -> str:
    """Return a text as SQuAD's scorer compares it: lower case, without marks and articles.

    >>> normal("The  Normans!")
    'normans'
    """
    bare = "".join(character for character in text.lower() if character not in string.punctuation)
    return " ".join(re.sub(r"\b(?:a|an|the)\b", " ", bare).split())


def figures(rows: Sequence[Row]) -> dict[str, Any]:
    """Return how often the answer is quoted, and how well the confidence tells what can be answered (test half).

    The thresholds of F1 and balanced accuracy are those that were best on the dev half.
    """
    mine = chosen(rows, suite=SUITE, system=OURS)
    by_kind = {kind: [row for row in mine if row.kind == kind] for kind in KINDS}
    said: dict[str, Any] = {
        "questions": len(mine),
        **{name: average(by_kind["answerable"], name) for name in ("found@5", "exact", "f1")},
    }
    for kind in KINDS[1:]:
        yes, no = ({s: _confidences(by_kind[k], s) for s in ("dev", "test")} for k in ("answerable", kind))
        if not no["test"]:
            continue
        said[f"{kind} refused"] = average(by_kind[kind], "refused")
        said[f"{kind} auc"] = certainty.auc(yes["test"], no["test"])
        threshold = certainty.best(yes["dev"], no["dev"]).threshold
        said[f"{kind} f1"] = certainty.at(threshold, yes["test"], no["test"]).f1
        threshold = certainty.best(yes["dev"], no["dev"], by="balanced").threshold
        said[f"{kind} balanced accuracy"] = certainty.at(threshold, yes["test"], no["test"]).balanced
    answered = [row.scores["exact"] if row.kind == "answerable" else row.scores["refused"] for row in mine]
    said["all right"] = fmean(answered) if answered else None
    return said


def _confidences(rows: Sequence[Row], split: str) -> list[float]:
    return [row.scores["confidence"] for row in rows if row.split == split]
