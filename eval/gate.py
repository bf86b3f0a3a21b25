"""Gate: floors that a change must not fall below, and, where it does, which cases did it and where to look.

A floor is an average that was reached once. It is missed when the same cases come out lower by more than the noise:
everything here is deterministic but for the last bits of floating point, which on another machine may turn a case.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from eval import EvalError
from eval.corpus import differences
from eval.rows import OURS, Run, chosen, values

BASELINE = Path(__file__).parent / "baseline.json"
NOISE = 1.5  # cases that may turn by themselves
STRICT = frozenset({"verbatim", "unique", "held"})  # promises: no case may break one
PARTIAL = frozenset({"verbatim", "unique", "recall", "precision", "kinds", "fits", "staged"})  # not every case has one

# What has floors: by suite and system, the metrics. The halves of search stand here to tell where a fault lies.
GUARDED: dict[str, dict[str, tuple[str, ...]]] = {
    "answers": {
        OURS: ("found@5", "mrr", "quote@5", "complete", "correct", "answered", "verbatim", "unique", "recall"),
        "dense": ("found@5", "mrr", "quote@5"),
        "bm25": ("found@5", "mrr", "quote@5"),
    },
    "dialogues": {OURS: ("cited", "complete", "answered", "verbatim", "recall")},
    "refusals": {OURS: ("refused",)},
    "reading": {OURS: ("recall", "precision", "kinds", "fits", "staged")},
    "robustness": {OURS: ("held",)},
}


@dataclass(frozen=True, slots=True)
class Floor:
    """What a metric reached on the cases that it was set on."""

    value: float
    cases: int
    below: dict[str, float]  # the cases that were not perfect, and what they reached


@dataclass(frozen=True, slots=True)
class Miss:
    """A metric that fell below its floor."""

    suite: str
    system: str
    metric: str
    now: float
    floor: float
    cases: tuple[str, ...]  # ids of those that came out lower, the lowest first

    def __str__(self) -> str:
        """Say it in a line."""
        named = ", ".join(self.cases[:12]) + (f" and {len(self.cases) - 12} more" if len(self.cases) > 12 else "")
        return f"{self.suite}, {self.system}: {self.metric} is {self.now:.3f}, its floor {self.floor:.3f} ({named})"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says of a run."""

    misses: tuple[Miss, ...]
    notes: tuple[str, ...]  # how cases and shelf differ from those that the floors were set on
    reasons: tuple[str, ...]  # where to look
    checked: int  # floors

    @property
    def passed(self) -> bool:
        """Return whether nothing fell."""
        return not self.misses and self.checked > 0


def judge(run: Run, path: Path | None = None) -> Verdict:
    """Return what the floors for a run's kind of shelf say of it.

    Only cases that were there when a floor was set are compared; others are named in the notes. Raises EvalError
    where there are no floors for such a shelf.
    """
    known = floors_for(run.about.shelf["kind"], path)
    notes = [
        f"the shelf is not the one that the floors were set on: {said}"
        for said in differences(run.about.shelf, known["shelf"])
    ]
    misses: list[Miss] = []
    checked = 0
    for suite, by_system in GUARDED.items():
        then: dict[str, str] = known["cases"].get(suite, {})
        now = {row.id: row.case for row in chosen(run.rows, suite=suite, system=OURS)}
        same = {key for key, digest in now.items() if then.get(key) == digest}
        if now and then and len(same) < max(len(then), len(now)):
            new, gone = len(now.keys() - then.keys()), len(then.keys() - now.keys())
            reworded = len(now.keys() & then.keys()) - len(same)
            notes.append(
                f"the cases of {suite} changed: {new} new, {gone} gone, {reworded} reworded;"
                f" the floors hold for the other {len(same)}"
            )
        for system, metrics in by_system.items():
            for metric in metrics:
                stored = known["floors"].get(f"{suite}/{system}/{metric}")
                if stored is None:
                    continue
                checked += 1
                held = values(chosen(run.rows, suite=suite, system=system), metric)
                miss = _miss(suite, system, metric, {key: held[key] for key in held if key in same}, Floor(**stored))
                misses += [miss] if miss else []
    return Verdict(tuple(misses), tuple(notes), tuple(_reasons(misses)), checked)


def floors_for(kind: str, path: Path | None = None) -> dict[str, Any]:
    """Return what was set for a kind of shelf. Raises EvalError where nothing was."""
    path = path or BASELINE
    known: dict[str, Any] | None = _read(path).get(kind)
    if known is None:
        raise EvalError(
            f"{path} has no floors for a shelf of this kind ({kind}); `prep eval --update-baseline` sets them."
        )
    return known


def _miss(suite: str, system: str, metric: str, held: Mapping[str, float], floor: Floor) -> Miss | None:
    """Return by how much a metric fell on the cases that its floor was set on, None where it did not."""
    if not held:
        # What applies to every case must be there; a share of citations needs an answer, and that has its own floor.
        return None if metric in PARTIAL else Miss(suite, system, metric, 0.0, floor.value, ("no case was run",))
    then = {key: floor.below.get(key, 1.0) for key in held}
    now, was = fmean(held.values()), floor.value if metric in PARTIAL else fmean(then.values())
    allowed = 0.0 if metric in STRICT else NOISE / len(held)
    if now >= was - allowed - 1e-4:  # floors are written with four decimals
        return None
    lower = sorted((key for key in held if held[key] < then[key] - 1e-3), key=lambda key: held[key] - then[key])
    return Miss(suite, system, metric, now, was, tuple(lower))


def _reasons(misses: Sequence[Miss]) -> list[str]:
    """Return where the misses together point to."""
    fell = {(miss.suite, miss.system, miss.metric) for miss in misses}
    dense = any(system == "dense" for _, system, _ in fell)
    words = any(system == "bm25" for _, system, _ in fell)
    search = ("answers", OURS, "found@5") in fell or ("answers", OURS, "quote@5") in fell
    said = []
    if dense and words:
        said.append("Both halves of search fell: look at the passages themselves, their texts and addresses.")
    elif dense:
        said.append("Dense search fell and BM25 held: look at the encoder and its vectors.")
    elif words:
        said.append("BM25 fell and dense search held: look at the lexical index.")
    elif search:
        said.append("Both halves of search held and their fusion fell: look at how they are fused and spread.")
    elif any(metric in {"complete", "correct", "cited"} for _, _, metric in fell):
        said.append("Search held and what is said of its hits fell: look at how sentences are chosen.")
    answering, listing = ("answers", "dialogues"), ("reading",)
    hints = {
        ("verbatim", answering): "Quotes do not stand in their documents: look at offsets and at how quotes are cut.",
        ("unique", answering): "Links open at other places than their quotes: look at how text fragments are made.",
        ("recall", answering): "Sentences say what their quotes do not: look at numbers, and at which citation each"
        " sentence has.",
        ("refused", ("refusals",)): "What the shelf does not hold is answered: look at how answers are refused.",
        ("answered", answering): "What the shelf holds is refused: look at how answers are refused.",
        ("held", ("robustness",)): "Hostile input gets through: look at the rows of the robustness suite.",
        ("recall", listing): "Reading lists lack what belongs on them.",
        ("precision", listing): "Reading lists hold what does not belong on them.",
        ("kinds", listing): "Reading lists break what the request rules out.",
        ("fits", listing): "Reading lists run over their time box.",
        ("staged", listing): "Reading lists are out of order.",
    }
    ours = {(metric, suite) for suite, system, metric in fell if system == OURS}
    said += [hint for (metric, places), hint in hints.items() if any((metric, suite) in ours for suite in places)]
    return said


# --- setting floors -------------------------------------------------------------------------------


def update(run: Run, path: Path | None = None, *, allow_regression: bool = False) -> list[str]:
    """Set the floors of a run's kind of shelf to what it reached, and return the lines that say so.

    Raises EvalError where a floor would be lowered and that is not allowed; nothing is written then.
    """
    path = path or BASELINE
    baseline = _read(path)
    kind = run.about.shelf["kind"]
    known = baseline.get(kind)
    if known and not allow_regression:
        verdict = judge(run, path)
        lowered = [str(miss) for miss in verdict.misses]
        if lowered:
            raise EvalError(
                "floors would be lowered; say --allow-regression if that is meant:\n  " + "\n  ".join(lowered)
            )
    floors: dict[str, Any] = dict(known["floors"]) if known else {}
    cases: dict[str, Any] = dict(known["cases"]) if known else {}
    then: dict[str, Any] = dict(cases)
    said = []
    for suite, by_system in GUARDED.items():
        for system, metrics in by_system.items():
            for metric in metrics:
                held = values(chosen(run.rows, suite=suite, system=system), metric)
                if not held:
                    continue
                key = f"{suite}/{system}/{metric}"
                if key in floors and not allow_regression:
                    same = {
                        row.id for row in chosen(run.rows, suite=suite) if then.get(suite, {}).get(row.id) == row.case
                    }
                    held = _not_lower(held, Floor(**floors[key]), same)
                was = f"{floors[key]['value']:.4f} -> " if key in floors else ""
                below = {case: round(value, 4) for case, value in sorted(held.items()) if value < 1}
                floors[key] = asdict(Floor(round(fmean(held.values()), 4), len(held), below))
                cases[suite] = {row.id: row.case for row in chosen(run.rows, suite=suite, system=OURS)}
                said.append(f"{key}: {was}{floors[key]['value']:.4f}")
    baseline[kind] = {"shelf": run.about.shelf, "cases": cases, "floors": floors}
    path.write_text(json.dumps(baseline, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return said


def _not_lower(held: dict[str, float], floor: Floor, same: Collection[str]) -> dict[str, float]:
    """Return what cases reached, with what the unchanged ones reached before where that was more: noise lowers nothing.

    >>> _not_lower({"a": 0.0, "new": 0.5}, Floor(1.0, 1, {}), {"a"})
    {'a': 1.0, 'new': 0.5}
    """
    known = {key: floor.below.get(key, 1.0) for key in held if key in same}
    fell = known and fmean(held[key] for key in known) < fmean(known.values()) - 1e-4
    return held | known if fell else held


def _read(path: Path) -> dict[str, Any]:
    try:
        floors: dict[str, Any] = json.loads(path.read_bytes()) if path.exists() else {}
    except ValueError as error:
        raise EvalError(
            f"{path} cannot be read ({error}); restore it, or set floors anew with --update-baseline."
        ) from error
    return floors
