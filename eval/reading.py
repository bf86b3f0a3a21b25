"""Reading lists: do the resources that belong on one stand on it, and no others?"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Any

from eval.cases import Request, digest
from eval.rows import Row, Run
from ingest import Track, silently
from ingest.address import same_page

Read = Callable[[str, int | None], Mapping[str, Any]]
"""Gives a reading list as `prep read --json` prints it, for a request and a time box in minutes."""
STAGES = ("crawl", "walk", "run")


def run(requests: Sequence[Request], read: Read, run: Run, *, track: Track = silently) -> None:
    """Add a row to a run for each request that it has none of."""
    missing = [request for request in requests if request.id not in run.done(Request.suite)]
    for request in track(missing, "Asking for reading lists", len(missing)):
        begun = time.perf_counter()
        listed = read(request.request, request.minutes or None)
        spent = 1000 * (time.perf_counter() - begun)
        run.add(
            Row(
                id=request.id,
                suite=Request.suite,
                split=request.split,
                half="starter",
                kind="time box" if request.minutes else "kinds" if request.only or request.without else "plain",
                topic=request.topic,
                question=request.request,
                case=digest([request]),
                scores=score(request, listed),
                timings={"answer_ms": spent},
                detail={"expected": {"relevant": request.relevant, "also": request.also}, "answer": dict(listed)},
            )
        )


def score(request: Request, listed: Mapping[str, Any]) -> dict[str, float]:
    """Return how good a reading list is.

    recall: the share of the relevant resources that stand on it; precision: the share of its items that may; kinds:
    the share of its items of a kind that the request allows; fits: 1 where its minutes stay within the box; staged: 1
    where no basic item comes after a deeper one; quoted: the share of items that say why in words of their own.
    """
    items = listed["items"]
    there = {same_page(item["url"]) for item in items}
    scores = {"recall": fmean(float(same_page(url) in there) for url in request.relevant), "items": float(len(items))}
    if not items:
        return scores
    scores["precision"] = fmean(float(request.welcome(item["url"])) for item in items)
    stages = [STAGES.index(item["stage"]) for item in items if item["stage"] in STAGES]
    scores["staged"] = float(stages == sorted(stages) and len(stages) == len(items))
    scores["quoted"] = fmean(float(bool(item["why"])) for item in items)
    if request.only or request.without:
        scores["kinds"] = fmean(
            float((not request.only or item["kind"] in request.only) and item["kind"] not in request.without)
            for item in items
        )
    if request.minutes:
        scores["fits"] = float(sum(item["minutes"] or 0 for item in items) <= 1.05 * request.minutes)
    return scores
