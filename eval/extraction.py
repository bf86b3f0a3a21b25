"""Text extraction on the article benchmark of Zyte: how much of the article, and how little else."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import mean
from typing import Any

from eval import EvalError
from ingest import Track, silently
from ingest.archive import Response
from ingest.extract import Unreadable, extract, quotable

SHINGLE = 4  # words


def zyte(folder: Path, *, track: Track = silently) -> dict[str, Any]:
    """Return precision, recall and F1 of our text against the articles, in the benchmark's own way of counting.

    Raises EvalError where the folder does not hold the benchmark.
    """
    try:
        articles = json.loads((folder / "ground-truth.json").read_bytes())
        pages = {key: folder / "html" / f"{key}.html.gz" for key in articles}
    except (OSError, ValueError) as error:
        raise EvalError(f"{folder} does not hold ground-truth.json ({error}).") from error
    return score(
        {key: article["articleBody"] for key, article in articles.items()}, lambda key: _text(pages[key]), track
    )


def score(articles: dict[str, str], text_of: Callable[[str], str], track: Track = silently) -> dict[str, Any]:
    """Return the mean precision and recall of word sequences over articles, and the F1 of the two means.

    >>> score({"a": "one two three four five"}, lambda _: "one two three four five")["f1"]
    1.0
    """
    precisions, recalls = [], []
    for key, article in track(articles.items(), "Extracting", len(articles)):
        wanted, got = _shingles(article), _shingles(text_of(key))
        both = sum((wanted & got).values())
        if got:
            precisions.append(both / sum(got.values()))
        if wanted:
            recalls.append(both / sum(wanted.values()))
    precision, recall = mean(precisions or [0.0]), mean(recalls or [0.0])
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return {"pages": len(articles), "f1": f1, "precision": precision, "recall": recall}


def _text(path: Path) -> str:
    try:
        page = Response(
            f"https://{path.stem}/", 200, "text/html; charset=utf-8", gzip.decompress(path.read_bytes()), ""
        )
        return quotable(extract(page).pieces)
    except Unreadable:
        return ""


def _shingles(text: str) -> Counter[tuple[str, ...]]:
    words = re.findall(r"\w+", text)
    size = min(SHINGLE, len(words))
    return Counter(tuple(words[n : n + size]) for n in range(len(words) - size + 1)) if words else Counter()
