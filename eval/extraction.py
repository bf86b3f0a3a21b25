"""Text extraction on the article benchmark of Zyte: how much of the article, and how little else."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from eval import EvalError, peers
from eval.rows import OURS, Row, Run, average, chosen
from ingest import Track, silently
from ingest.archive import Response
from ingest.extract import Unreadable, extract, quotable

SUITE = "extraction"
SHINGLE = 4  # words


def is_here(folder: Path) -> bool:
    """Return whether a folder holds the benchmark."""
    return (folder / "ground-truth.json").exists() and (folder / "html").is_dir()


def run(folder: Path, run: Run, *, track: Track = silently) -> None:
    """Add a row to a run for each page that it has none of.

    Raises EvalError where the folder does not hold the benchmark.
    """
    try:
        articles = json.loads((folder / "ground-truth.json").read_bytes())
        pages = {key: folder / "html" / f"{key}.html.gz" for key in articles}
    except (OSError, ValueError) as error:
        raise EvalError(f"{folder} does not hold ground-truth.json ({error}).") from error
    missing = [(key, name) for name in READERS for key in sorted(set(articles) - run.done(SUITE, system=name))]
    for key, name in track(missing, "Extracting", len(missing)):
        text = READERS[name](gzip.decompress(pages[key].read_bytes()), key)
        run.add(
            Row(
                id=key,
                suite=SUITE,
                system=name,
                question=articles[key].get("url", ""),
                scores=score(articles[key]["articleBody"], text),
                detail={"begins": text[:300]},
            )
        )


def score(article: str, text: str) -> dict[str, float]:
    """Return the precision and recall of a text's word sequences, in the benchmark's own way of counting.

    >>> score("one two three four five", "one two three four")
    {'precision': 1.0, 'recall': 0.5}
    """
    wanted, got = _shingles(article), _shingles(text)
    both = sum((wanted & got).values())
    shares = {}
    if got:
        shares["precision"] = both / sum(got.values())
    if wanted:
        shares["recall"] = both / sum(wanted.values())
    return shares


def figures(rows: Sequence[Row], system: str = OURS) -> dict[str, Any]:
    """Return the mean precision and recall over pages, and the F1 of the two means."""
    mine = chosen(rows, suite=SUITE, system=system)
    precision, recall = average(mine, "precision") or 0.0, average(mine, "recall") or 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return {"pages": len(mine), "f1": f1, "precision": precision, "recall": recall}


def _ours(page: bytes, key: str) -> str:
    try:
        return quotable(extract(Response(f"https://{key}/", 200, "text/html; charset=utf-8", page, "")).pieces)
    except Unreadable:
        return ""


# The other one as the benchmark runs it: with its defaults, but without comments.
READERS: Mapping[str, Callable[[bytes, str], str]] = {
    OURS: _ours,
    "trafilatura": lambda page, _: peers.main_text(page),
}


def _shingles(text: str) -> Counter[tuple[str, ...]]:
    words = re.findall(r"\w+", text)
    size = min(SHINGLE, len(words))
    return Counter(tuple(words[n : n + size]) for n in range(len(words) - size + 1)) if words else Counter()
