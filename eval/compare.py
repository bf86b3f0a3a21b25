"""Compare: which cases came out better or worse, between two runs or between two systems of one run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from eval.certainty import Difference, difference
from eval.rows import OURS, Row, chosen, grouped, values

# What counts for a case, the most telling first; a case is better where the first of them that differs is higher.
TELLING: dict[str, tuple[str, ...]] = {
    "answers": ("correct", "complete", "verbatim", "quote@5", "found@5", "mrr"),
    "dialogues": ("correct", "complete", "cited"),
    "refusals": ("refused",),
    "reading": ("recall", "precision", "kinds", "fits"),
    "robustness": ("held",),
    "squad": ("exact", "refused"),
    "wice": ("support",),
    "extraction": ("recall", "precision"),
    "chunking": ("recall", "iou"),
}
BEIR = ("ndcg@10", "recall@100")


def telling(suite: str) -> tuple[str, ...]:
    """Return the metrics that say whether a case of a suite came out better."""
    return BEIR if suite.startswith("beir") else TELLING.get(suite, ())


@dataclass(frozen=True, slots=True)
class Change:
    """A case that two runs differ on, by the most telling metric that differs."""

    suite: str
    id: str
    question: str
    metric: str
    before: float
    after: float

    @property
    def better(self) -> bool:
        """Return whether it came out better."""
        return self.after > self.before

    def __str__(self) -> str:
        """Say it in a line."""
        return f"{self.suite} {self.id}: {self.metric} {self.before:.2f} -> {self.after:.2f}  {self.question}"


def changes(before: Sequence[Row], after: Sequence[Row], system: str = OURS) -> list[Change]:
    """Return the cases on which two runs differ, suite by suite; only cases that did not change themselves count."""
    then = {(row.suite, row.id): row for row in chosen(before, system=system)}
    found = []
    for row in chosen(after, system=system):
        other = then.get((row.suite, row.id))
        if other is None or other.case != row.case:
            continue
        for metric in telling(row.suite):
            was, now = other.scores.get(metric), row.scores.get(metric)
            if was is not None and now is not None and abs(was - now) > 1e-9:
                found.append(Change(row.suite, row.id, row.question, metric, was, now))
                break
    return sorted(found, key=lambda change: (change.suite, change.after - change.before))


@dataclass(frozen=True, slots=True)
class Contest:
    """How two systems, or two runs, differ in one metric on one part of the cases."""

    against: str  # the other one
    suite: str
    part: str  # "all", or a topic or kind
    metric: str
    ours: float
    theirs: float
    gap: Difference


def contests(
    ours: Sequence[Row], theirs: Sequence[Row], metrics: Sequence[str], *, against: str, part: str = "all"
) -> list[Contest]:
    """Return how rows of one suite differ in each metric, on the cases that both have it for."""
    found = []
    for metric in metrics:
        a, b = values(ours, metric), values(theirs, metric)
        both = a.keys() & b.keys()
        if both:
            found.append(
                Contest(
                    against=against,
                    suite=ours[0].suite,
                    part=part,
                    metric=metric,
                    ours=fmean(a[key] for key in both),
                    theirs=fmean(b[key] for key in both),
                    gap=difference(a, b),
                )
            )
    return found


def by_part(
    ours: Sequence[Row],
    theirs: Sequence[Row],
    metric: str,
    key: Callable[[Row], str],
    *,
    against: str,
    fewest: int = 5,
) -> list[Contest]:
    """Return how rows differ in a metric on each part of the cases, a topic or kind, that has enough of them."""
    return [
        contest
        for part, rows in grouped(ours, key).items()
        if part and len(rows) >= fewest
        for contest in contests(rows, theirs, [metric], against=against, part=part)
    ]
