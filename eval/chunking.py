"""Chunking as Chroma measures it (Smith and Troynikov 2024): of what reaches the reader, how much was asked for?"""

from __future__ import annotations

import bisect
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eval import EvalError
from eval.bench import Bench, json_lines, shelf_of
from eval.rows import Row, Run, average, chosen
from eval.systems import WEIGHTS
from index import search

SUITE = "chunking"
LIMIT = 5  # passages, as in the published tables
Range = tuple[int, int]


def is_here(folder: Path) -> bool:
    """Return whether a folder holds the benchmark."""
    return (folder / "corpora").is_dir() and (folder / "questions.jsonl").exists()


def texts(folder: Path) -> dict[str, str]:
    """Return the texts of the benchmark by name."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted((folder / "corpora").glob("*.md"))}


def run(folder: Path, bench: Bench, run: Run, systems: Sequence[str] = ("ours", "dense")) -> None:
    """Add a row to a run for each question and system that it has none of; the passages are ours, of all corpora."""
    try:
        corpora = texts(folder)
        questions = list(json_lines(folder / "questions.jsonl"))
    except (OSError, ValueError) as error:
        raise EvalError(f"{folder} does not hold corpora/*.md and questions.jsonl ({error}).") from error
    done = {name: run.done(SUITE, name) for name in systems}
    missing = {name: [one for one in questions if one["_id"] not in done[name]] for name in systems}
    if not any(missing.values()):
        return
    shelf = shelf_of(corpora, bench, SUITE)
    tokens = {key: Tokens(text) for key, text in corpora.items()}
    for name in systems:
        for question in bench.track(missing[name], f"Searching passages, {name}", len(missing[name])):
            hits = search.hybrid(question["text"], shelf, bench.encoder, limit=LIMIT, weights=WEIGHTS[name])
            wanted = [(one["start_index"], one["end_index"]) for one in question["references"]]
            own = tokens[question["corpus_id"]]
            found = [(hit.source.url, hit.passage.start, hit.passage.end) for hit in hits]
            inside = [own.of(start, end) for url, start, end in found if url == question["corpus_id"]]
            read = sum(length(tokens[url].of(start, end)) for url, start, end in found)
            run.add(
                Row(
                    id=question["_id"],
                    suite=SUITE,
                    system=name,
                    topic=question["corpus_id"],
                    question=question["text"],
                    scores=score(inside, [own.of(*one) for one in wanted], read),
                    detail={"hits": [{"url": url, "start": start, "end": end} for url, start, end in found]},
                )
            )


def score(found: Sequence[Range], wanted: Sequence[Range], read: int) -> dict[str, float]:
    """Return recall, precision and intersection over union of what was found, as Chroma's scorer has them.

    `found` are the ranges from the right text, `read` the length of all that was retrieved, other texts included.

    >>> score([(0, 10)], [(5, 15)], read=10)
    {'recall': 0.5, 'precision': 0.5, 'iou': 0.3333333333333333}
    """
    held = union([(max(a, c), min(b, d)) for a, b in found for c, d in wanted if max(a, c) < min(b, d)])
    hit = sum(map(length, held))
    asked = sum(map(length, wanted))
    missed = sum(map(length, union(wanted))) - hit
    return {
        "recall": hit / asked if asked else 0.0,
        "precision": hit / read if read else 0.0,
        "iou": hit / (read + missed),
    }


def length(one: Range) -> int:
    """Return how many tokens a range has."""
    return one[1] - one[0]


def union(ranges: Sequence[Range]) -> list[Range]:
    """Return ranges without overlaps that cover the same.

    >>> union([(0, 2), (1, 3), (5, 6)])
    [(0, 3), (5, 6)]
    """
    joined: list[Range] = []
    for start, end in sorted(ranges):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


class Tokens:
    """Tells which tokens (words and marks) of a text a stretch of characters holds."""

    def __init__(self, text: str) -> None:
        self._starts = [found.start() for found in re.finditer(r"\w+|[^\w\s]", text)]

    def of(self, start: int, end: int) -> Range:
        """Return the range of the tokens that begin inside a stretch.

        >>> Tokens("one two three").of(4, 13)
        (1, 3)
        """
        return bisect.bisect_left(self._starts, start), bisect.bisect_left(self._starts, end)


def figures(rows: Sequence[Row], system: str = "ours") -> dict[str, Any]:
    """Return the means over the questions, in percent as the published tables have them."""
    mine = chosen(rows, suite=SUITE, system=system)
    return {
        "questions": len(mine),
        **{name: 100 * (average(mine, name) or 0.0) for name in ("recall", "precision", "iou")},
    }
