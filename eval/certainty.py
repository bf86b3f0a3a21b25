"""Certainty: how far a figure may be off, whether two differ, and how well a score tells yes from no."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DRAWS = 2000  # of a bootstrap or a permutation; the second decimal of a p-value holds
SEED = 13  # fixed: the same rows give the same interval

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean, and where it lies with 95 % confidence."""

    mean: float
    low: float
    high: float
    cases: int


@dataclass(frozen=True, slots=True)
class Difference:
    """How much higher one system is than another on the same cases."""

    mean: float
    low: float  # of the 95 % interval
    high: float
    p: float  # how often chance alone, swapping the two case by case, gives as much
    better: tuple[str, ...]  # ids of cases
    worse: tuple[str, ...]


def interval(values: Sequence[float]) -> Interval:
    """Return the mean of values with its percentile bootstrap interval (Efron 1979).

    >>> interval([1.0, 1.0]).low
    1.0
    """
    held = np.asarray(values, dtype=np.float64)
    if not len(held):
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    low, high = np.percentile(_resampled(held), [2.5, 97.5])
    return Interval(float(held.mean()), float(low), float(high), len(held))


def difference(ours: Mapping[str, float], theirs: Mapping[str, float]) -> Difference:
    """Return by how much the first exceeds the second on the cases that both have, and whether that may be chance.

    The interval is a paired bootstrap's, the p-value a two-sided paired permutation test's (Fisher 1935), as Smucker
    et al. (2007) recommend for retrieval.
    """
    both = sorted(ours.keys() & theirs.keys())
    gaps = np.asarray([ours[key] - theirs[key] for key in both], dtype=np.float64)
    if not len(gaps):
        return Difference(0.0, 0.0, 0.0, 1.0, (), ())
    low, high = np.percentile(_resampled(gaps), [2.5, 97.5])
    signs = np.random.default_rng(SEED).choice([-1.0, 1.0], size=(DRAWS, len(gaps)))
    by_chance = np.abs((signs * gaps).mean(axis=1))
    p = (1 + int((by_chance >= abs(gaps.mean()) - 1e-12).sum())) / (1 + DRAWS)
    return Difference(
        mean=float(gaps.mean()),
        low=float(low),
        high=float(high),
        p=p,
        better=tuple(key for key, gap in zip(both, gaps, strict=True) if gap > 0),
        worse=tuple(key for key, gap in zip(both, gaps, strict=True) if gap < 0),
    )


def _resampled(values: Numbers) -> Numbers:
    picks = np.random.default_rng(SEED).integers(0, len(values), size=(DRAWS, len(values)))
    means: Numbers = values[picks].mean(axis=1)
    return means


# --- telling yes from no --------------------------------------------------------------------------


def auc(yes: Sequence[float], no: Sequence[float]) -> float:
    """Return the chance that a score of a "yes" is above one of a "no", ties counting half (Mann and Whitney 1947).

    >>> auc([2, 3], [1, 2])
    0.875
    """
    if not len(yes) or not len(no):
        return float("nan")
    ordered = np.sort(np.asarray(no, dtype=np.float64))
    below = np.searchsorted(ordered, yes, side="left") + np.searchsorted(ordered, yes, side="right")
    return float(below.mean() / 2 / len(ordered))


@dataclass(frozen=True, slots=True)
class Decision:
    """How well a threshold tells yes from no."""

    threshold: float
    precision: float
    recall: float
    balanced: float  # mean of the shares of both that are told rightly

    @property
    def f1(self) -> float:
        """Return the harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def at(threshold: float, yes: Sequence[float], no: Sequence[float]) -> Decision:
    """Return how well scores from a threshold up are a "yes".

    >>> at(2, [2, 3], [1, 2]).recall
    1.0
    """
    right = float(np.mean(np.asarray(yes) >= threshold)) if len(yes) else 0.0
    wrong = float(np.mean(np.asarray(no) >= threshold)) if len(no) else 0.0
    taken = right * len(yes) + wrong * len(no)
    return Decision(threshold, right * len(yes) / taken if taken else 0.0, right, (right + 1 - wrong) / 2)


def best(yes: Sequence[float], no: Sequence[float], *, by: str = "f1") -> Decision:
    """Return the decision at the threshold with the highest "f1" or "balanced" accuracy.

    >>> best([2, 3], [1]).threshold
    2.0
    """
    thresholds = sorted({float(score) for score in [*yes, *no]}) or [0.0]
    return max((at(threshold, yes, no) for threshold in thresholds), key=lambda one: float(getattr(one, by)))
