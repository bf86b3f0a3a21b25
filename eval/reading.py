"""Reading lists: do the resources that belong on one stand on it, and no others?"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from eval.cases import Request, digest
from eval.rows import Row, Run, grouped
from ingest import Track, silently
from ingest.address import same_page

Read = Callable[[str, int | None], Mapping[str, Any]]
"""Gives a reading list as `prep read --json` prints it, for a request and a time box in minutes."""
STAGES = ("crawl", "walk", "run")


FILE = "reading.jsonl"  # in a folder of questions
NEAR = 8  # the items that a reader looks at


def is_here(folder: Path) -> bool:
    """Return whether a folder holds more requests."""
    return (folder / FILE).is_file()


def run(requests: Sequence[Request], read: Read, run: Run, *, track: Track = silently) -> None:
    """Add a row to a run for each request that it has none of."""
    missing = [request for request in requests if request.id not in run.done(request.suite)]
    for request in track(missing, "Asking for reading lists", len(missing)):
        begun = time.perf_counter()
        listed = read(request.request, request.minutes or None)
        spent = 1000 * (time.perf_counter() - begun)
        run.add(
            Row(
                id=request.id,
                suite=request.suite,
                split=request.split,
                half="pages" if request.need else "starter",
                kind="time box" if request.minutes else "kinds" if request.only or request.without else "plain",
                topic=request.topic,
                question=request.request,
                case=digest([request]),
                scores=score(request, listed) | _stable(request, listed, read),
                timings={"answer_ms": spent},
                detail={"expected": {"relevant": request.relevant, "also": request.also}, "answer": dict(listed)},
            )
        )


def score(request: Request, listed: Mapping[str, Any]) -> dict[str, float]:
    """Return how good a reading list is.

    recall: the share of the relevant resources that it has, whole or in part; precision: the share of its items that
    may stand there, precision@8 of the first eight; kinds: the share of its items of a kind that the request allows;
    fits: 1 where its minutes stay within the box; obeyed: 1 where count, kinds, cost and time are as asked, all of
    them; staged: 1 where no basic item comes after a deeper one; quoted: the share of items that say why. Where the
    shelf has nothing there is one score, empty: 1 where nothing is listed.
    """
    items = listed["items"]
    there = {same_page(url) for item in items for url in _addresses(item)}
    scores = {"items": float(len(items))}
    if not request.relevant:
        return {"empty": float(not items)}
    scores["recall"] = fmean(float(same_page(url) in there) for url in request.relevant)
    if request.constrained:
        scores["obeyed"] = float(_obeyed(request, items))
    if not items:
        return scores | {"precision@8": 0.0}
    welcome = [float(any(map(request.welcome, _addresses(item)))) for item in items]
    scores |= {"precision": fmean(welcome), "precision@8": fmean(welcome[:NEAR])}
    stages = [STAGES.index(item["stage"]) for item in items if item["stage"] in STAGES]
    scores["staged"] = float(stages == sorted(stages) and len(stages) == len(items))
    scores["quoted"] = fmean(float(bool(item["why"])) for item in items)
    if request.only or request.without:
        scores["kinds"] = fmean(float(request.allows(item["kind"])) for item in items)
    if request.minutes:
        scores["fits"] = float(_minutes(items) <= 1.05 * request.minutes)
    return scores


def _stable(request: Request, listed: Mapping[str, Any], read: Read) -> dict[str, float]:
    """Return how much of a list there is again where the same is asked for in other words, of the longer list."""
    here = {item["url"] for item in listed["items"]}
    shares = []
    for words in request.same:
        there = {item["url"] for item in read(words, request.minutes or None)["items"]}
        shares.append(len(here & there) / max(len(here), len(there), 1))
    return {"stable": fmean(shares)} if shares else {}


def _addresses(item: Mapping[str, Any]) -> set[str]:
    """Return the address of an item, and of the listed resource that it is a part of."""
    return {item["url"], item.get("resource") or item["url"]}


def _obeyed(request: Request, items: Sequence[Mapping[str, Any]]) -> bool:
    kinds = [item["kind"] for item in items]
    return (
        request.least <= len(items) <= (request.most or len(items))
        and all(map(request.allows, kinds))
        and (not request.each or sorted(kinds) == sorted(request.each))
        and (not request.free or not any(item.get("paid") for item in items))
        and (not request.minutes or _minutes(items) <= 1.05 * request.minutes)
        and all(not request.longest or (item["minutes"] or 0) <= request.longest for item in items)
    )


def _minutes(items: Sequence[Mapping[str, Any]]) -> float:
    return sum(item["minutes"] or 0 for item in items)


def figures(held: Sequence[Row]) -> dict[str, Any]:
    """Return precision and recall of the requests by half."""
    return {
        f"{split} {name}": fmean(scores)
        for split, rows in sorted(grouped(held, lambda row: row.split).items())
        for name in ("precision@8", "recall", "obeyed", "stable", "empty")
        if (scores := [row.scores[name] for row in rows if name in row.scores])
    }
