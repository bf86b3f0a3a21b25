"""WiCE (Kamoi et al. 2023): does the page that is cited support the sentence? The support check, measured by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from eval import EvalError
from eval.bench import json_lines
from eval.certainty import at, auc, best
from eval.rows import OURS, Row, Run, chosen
from index.lexical import terms
from ingest import Track, silently

SUITE = "wice"
Support = Callable[[str, str], float]
"""Says how well a text (second) supports a sentence (first); higher is better."""


def word_overlap(sentence: str, text: str) -> float:
    """Return the share of a sentence's content words that a text has: the floor that a support check must beat.

    >>> word_overlap("Rings are optimal.", "A ring.")
    0.5
    """
    words = set(terms(sentence))
    return len(words & set(terms(text))) / len(words) if words else 0.0


def is_here(folder: Path) -> bool:
    """Return whether a folder holds the benchmark."""
    return (folder / "claim_test.jsonl").exists()


def run(folder: Path, supports: dict[str, Support], run: Run, *, track: Track = silently) -> None:
    """Add a row to a run for each claim and support check, by name, that it has none of.

    A claim counts as supported where its label is "supported"; "partially_supported" counts with the rest, as in the
    paper's binary setting.
    """
    for split in ("dev", "test"):
        try:
            claims = list(json_lines(folder / f"claim_{split}.jsonl"))
        except (OSError, ValueError) as error:
            raise EvalError(f"{folder} does not hold claim_{split}.jsonl of WiCE ({error}).") from error
        for name, support in supports.items():
            done = run.done(SUITE, name)
            missing = [claim for claim in claims if claim["meta"]["id"] not in done]
            for claim in track(missing, f"Checking support, {name}, {split}", len(missing)):
                run.add(_row(claim, split, name, support))


def _row(claim: dict[str, Any], split: str, name: str, support: Support) -> Row:
    return Row(
        id=claim["meta"]["id"],
        suite=SUITE,
        system=name,
        split=split,
        kind=claim["label"],
        question=claim["claim"],
        scores={
            "support": support(claim["claim"], "\n".join(claim["evidence"])),
            "supported": float(claim["label"] == "supported"),
        },
    )


def figures(rows: Sequence[Row], system: str = OURS) -> dict[str, Any]:
    """Return how well a support check tells supported claims from the rest on the test half; thresholds are dev's."""
    dev, test = (_scores(chosen(rows, system=system, suite=SUITE, split=split)) for split in ("dev", "test"))
    said: dict[str, Any] = {"claims": len(test[0]) + len(test[1]), "auc": auc(*test)}
    if dev[0]:
        said["balanced accuracy"] = at(best(*dev, by="balanced").threshold, *test).balanced
        said["f1"] = at(best(*dev, by="f1").threshold, *test).f1
    return said


def _scores(rows: Sequence[Row]) -> tuple[list[float], list[float]]:
    yes = [row.scores["support"] for row in rows if row.scores["supported"]]
    return yes, [row.scores["support"] for row in rows if not row.scores["supported"]]
