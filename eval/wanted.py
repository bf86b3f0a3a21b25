"""Wanted: the weights that decide what belongs on a reading list, fitted on requests and their labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import fmean

import numpy as np

from app import candidates, wish
from app.assistant import Assistant
from app.candidates import Rows
from eval.cases import Request
from ingest.address import same_page

CORE = 4.0  # how much what should be on a list counts against what may be
CUTS = tuple(round(0.05 * n, 2) for n in range(2, 13))
NEARS = tuple(round(0.1 * n, 1) for n in range(2, 8))
BESTS = tuple(round(0.05 * n, 2) for n in range(4, 18))
MOST = 10


@dataclass(frozen=True)
class Asked:
    """A request, and what may be on its list."""

    request: Request
    most: int
    pages: Rows
    unread: Rows

    def labels(self, rows: Rows) -> list[tuple[bool, float]]:
        """Return of each candidate whether it may be on the list, and how much it counts."""
        core = {same_page(url) for url in self.request.relevant}
        made = []
        for one in rows.candidates:
            addresses = (one.url, one.listing.url)
            made.append(
                (any(map(self.request.welcome, addresses)), CORE if core & set(map(same_page, addresses)) else 1.0)
            )
        return made


def ask(requests: Sequence[Request], assistant: Assistant) -> Iterator[Asked]:
    """Yield requests with what may be on their lists."""
    for request in requests:
        wanted = wish.read(request.request)
        asked = assistant.encoder.ask(wanted.subject)
        pages, unread = (find(wanted, asked, assistant.shelf) for find in (candidates.pages, candidates.unread))
        yield Asked(request, wanted.most or MOST, pages, unread)


def figures(held: Sequence[Asked], welcome: dict[str, float], unread: dict[str, float]) -> tuple[float, float]:
    """Return precision and recall of the lists that weights make."""
    thresholds = [welcome[name] for name in ("threshold", "near", "best")]
    scores = [_score(one, _ranked(one, welcome, unread), *thresholds) for one in held]
    return fmean(score[0] for score in scores), fmean(score[1] for score in scores)


def cut(held: Sequence[Asked], welcome: dict[str, float], unread: dict[str, float]) -> dict[str, float]:
    """Return the thresholds with which precision and recall together are highest.

    "threshold" is for every item, "near" its share of the best one, "best" for the best one, without which there is no
    list: the shelf has nothing on the subject.
    """
    ranked = [(one, _ranked(one, welcome, unread)) for one in held]

    def worth(*thresholds: float) -> float:
        scores = [_score(one, order, *thresholds) for one, order in ranked]
        precision, recall = (fmean(score[n] for score in scores) for n in (0, 1))
        return 2 * precision * recall / max(precision + recall, 1e-9)

    threshold, near, best = max(product(CUTS, NEARS, BESTS), key=lambda each: worth(*each))
    return {"threshold": threshold, "near": near, "best": best}


def _ranked(
    one: Asked, welcome: dict[str, float], unread: dict[str, float]
) -> list[tuple[float, bool, tuple[str, str]]]:
    """Return how likely each candidate is, whether it is right, and its addresses; the likeliest first."""
    made = []
    for rows, names, weights in ((one.pages, candidates.READ, welcome), (one.unread, candidates.UNREAD, unread)):
        if rows.values:
            odds = np.asarray(rows.values) @ [weights[name] for name in names] + weights["intercept"]
            for candidate, odd, (right, _) in zip(rows.candidates, odds.tolist(), one.labels(rows), strict=True):
                made.append((1 / (1 + float(np.exp(-odd))), right, (candidate.url, candidate.listing.url)))
    return sorted(made, key=lambda each: -each[0])


def _score(
    one: Asked, order: Sequence[tuple[float, bool, tuple[str, str]]], threshold: float, near: float, best: float
) -> tuple[float, float]:
    nothing = not order or order[0][0] < best
    if nothing or not one.request.relevant:
        right = float(nothing and not one.request.relevant)
        return right, right
    least = max(threshold, near * order[0][0])
    taken = [order[0], *(each for each in order[1:] if each[0] >= least)][: one.most]
    there = {same_page(url) for _, _, addresses in taken for url in addresses}
    recall = fmean(float(same_page(url) in there) for url in one.request.relevant)
    return fmean(float(right) for _, right, _ in taken), recall
