"""Report: what a run says, as tables, as JSON, and (see eval.page) as a page."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table as RichTable

from eval import suites
from eval.certainty import interval
from eval.compare import Change, Contest, by_part, changes, contests
from eval.gate import Verdict
from eval.rows import OURS, Row, Run, average, chosen, grouped, values

if TYPE_CHECKING:
    from eval.fit import Fitted

PUBLISHED = Path(__file__).parent / "published.toml"

# What a suite's table shows: the metric, and its name for people. How answers are cited never stands alone: copying
# the best passage would be cited perfectly, so what is said, and what is refused, stands beside it.
COLUMNS: dict[str, dict[str, str]] = {
    "answers": {
        "found@5": "document in first 5",
        "mrr": "MRR",
        "quote@5": "quote in first 5",
        "facts@5": "facts in first 5",
        "words@5": "words in first 5",
        "complete": "facts said",
        "correct": "all said and cited",
        "at once": "all in first 60 words",
        "words": "words",
        "marked": "share marked",
        "answered": "answered",
        "verbatim": "verbatim",
        "unique": "links unique",
        "recall": "citation recall",
        "precision": "citation precision",
        "sources": "sources",
    },
    "dialogues": {
        "cited": "right source",
        "complete": "facts said",
        "correct": "all said and cited",
        "answered": "answered",
        "verbatim": "verbatim",
        "recall": "citation recall",
    },
    "refusals": {"refused": "refused"},
    "reading": {
        "recall": "recall",
        "precision": "precision",
        "kinds": "kinds as asked",
        "fits": "within its time",
        "staged": "in order",
        "quoted": "says why",
        "items": "items",
    },
    "needs": {
        "precision@8": "precision@8",
        "recall": "recall",
        "obeyed": "as asked",
        "stable": "same in other words",
        "empty": "nothing where nothing is",
        "quoted": "says why",
        "items": "items",
    },
}
UNHURRIED = frozenset(
    {"facts@5", "words@5", "marked", "precision", "sources", "staged", "quoted", "items"}
)  # not in a terminal
CONTESTED = ("found@5", "mrr", "quote@5", "facts@5")


@dataclass(frozen=True, slots=True)
class Table:
    """Something with rows and columns, all text."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Report:
    """A run, and what it is set beside."""

    run: Run
    before: Run | None = None  # the run that it is compared with
    verdict: Verdict | None = None

    @property
    def previous(self) -> str:
        """Return the name of the run before, "" where there was none."""
        return self.before.about.name if self.before else ""

    @cached_property
    def changes(self) -> list[Change]:
        """Return the cases that came out otherwise than in the run before."""
        return changes(self.before.rows, self.run.rows) if self.before else []

    @cached_property
    def contests(self) -> list[Contest]:
        """Return how our answers' hits compare with those of the other systems: all, by topic, by kind."""
        ours = chosen(self.run.rows, suite="answers", system=OURS)
        found: list[Contest] = []
        for system, theirs in grouped(chosen(self.run.rows, suite="answers"), lambda row: row.system).items():
            if system != OURS and ours:
                found += contests(ours, theirs, CONTESTED, against=system)
                found += by_part(ours, theirs, "quote@5", lambda row: row.topic, against=system)
                found += by_part(ours, theirs, "quote@5", lambda row: f"kind: {row.kind}", against=system)
        return found

    @cached_property
    def tables(self) -> list[Table]:
        """Return a table a suite."""
        return [*map(turned, averages(self.run.rows)), *_figures(self.run)]

    def brief(self) -> list[Table]:
        """Return the tables for a terminal, turned so that they are narrow; single topics and kinds are left out."""
        overall = [contest for contest in self.contests if contest.part == "all"]
        contested = (
            [contest_table("what our choices buy, on our own questions", overall, without="cases of")]
            if overall
            else []
        )
        return [*map(turned, averages(self.run.rows, brief=True)), *map(turned, _figures(self.run)), *contested]

    def said(self) -> list[str]:
        """Return what a person should know besides the tables."""
        lines = []
        if self.before and self.changes:
            better = sum(change.better for change in self.changes)
            lines.append(f"Since {self.previous}: {better} got better, {len(self.changes) - better} worse.")
            lines += [f"  {change}" for change in self.changes if not change.better][:20]
        if self.verdict:
            state = "open" if self.verdict.passed else "shut"
            missed = f", {len(self.verdict.misses)} missed" if self.verdict.misses else ""
            lines.append(f"The gate is {state}: {self.verdict.checked} floors{missed}.")
            lines += [f"  {line}" for line in (*self.verdict.misses, *self.verdict.reasons, *self.verdict.notes)]
        return [*lines, f"The report is {self.run.folder / 'report.html'}"]

    def as_json(self) -> dict[str, Any]:
        """Return all of it for scripts; where one suite alone was run, its own figures stand first."""
        figures = suites.figures(self.run)
        alone = next(iter(figures.values())).get(OURS, {}) if len(figures) == 1 else {}
        return {
            **alone,
            "run": self.run.about.name,
            "shelf": self.run.about.shelf,
            "settings": self.run.about.settings,
            "suites": summary(self.run.rows),
            "figures": figures,
            "contests": [asdict(contest) for contest in self.contests],
            "previous": self.previous,
            "changes": [asdict(change) for change in self.changes],
            "gate": asdict(self.verdict) | {"passed": self.verdict.passed} if self.verdict else None,
        }


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the averages of every suite, system, half and split, with how many cases each is over."""
    said: dict[str, Any] = {}
    for suite, held in grouped(rows, lambda row: row.suite).items():
        for system, theirs in grouped(held, lambda row: row.system).items():
            for place, group in _places(theirs):
                metrics = sorted({metric for row in group for metric in row.scores})
                said.setdefault(suite, {}).setdefault(system, {})[place] = {
                    "cases": len(chosen(group)),
                    "skipped": sum(bool(row.skipped) for row in group),
                    **{metric: average(chosen(group), metric) for metric in metrics},
                }
    return said


def _places(rows: Sequence[Row]) -> Iterable[tuple[str, list[Row]]]:
    yield "all", list(rows)
    yield from grouped([row for row in rows if row.split], lambda row: row.split).items()
    yield from grouped([row for row in rows if row.half], lambda row: row.half).items()
    yield from grouped([row for row in rows if row.style and row.half], lambda row: f"{row.half} {row.style}").items()
    yield from grouped([row for row in rows if row.split and row.half], lambda row: f"{row.half} {row.split}").items()


# --- tables ---------------------------------------------------------------------------------------

CONTEST_COLUMNS = ("against", "cases of", "metric", "ours", "theirs", "difference", "95 %", "p", "better", "worse")


def averages(rows: Sequence[Row], *, brief: bool = False) -> Iterable[Table]:
    """Yield a table of averages for each suite that has one; for the other systems, of all cases only."""
    for suite, columns in COLUMNS.items():
        if brief:
            columns = {metric: name for metric, name in columns.items() if metric not in UNHURRIED}
        systems = grouped([row for row in rows if row.suite == suite], lambda row: row.system)
        lines = [
            (
                f"{system}{_modes(group)}",
                place,
                str(len(chosen(group))),
                str(len(group) - len(chosen(group))),
                *(_share(group, metric, certain=place == "all" and not brief) for metric in columns),
            )
            for system, theirs in sorted(systems.items(), key=lambda pair: pair[0] != OURS)
            for place, group in (_places(theirs) if system == OURS else [("all", theirs)])
            if (chosen(group) or place == "all") and not (brief and " " in place)
        ]
        if lines:
            yield Table(suite, ("system", "cases of", "run", "skipped", *columns.values()), tuple(lines))


def _modes(rows: Sequence[Row]) -> str:
    """Return how answers were made where it is not by quoting alone: extractive and generated ones are told apart."""
    modes = {str((row.detail.get("answer") or {}).get("mode", "")) for row in rows} - {"", "extractive"}
    return f" ({', '.join(sorted(modes))})" if modes else ""


def _share(rows: Sequence[Row], metric: str, *, certain: bool) -> str:
    """Return an average, with the interval that it lies in with 95 % confidence where that is wanted."""
    held = list(values(chosen(rows), metric).values())
    if not held:
        return ""
    if metric in {"words@5", "words", "items", "sources"}:
        return f"{sum(held) / len(held):.1f}"
    if not certain:
        return f"{sum(held) / len(held):.3f}"
    known = interval(held)
    return f"{known.mean:.3f} [{known.low:.2f}, {known.high:.2f}]"


def _figures(run: Run) -> Iterable[Table]:
    """Yield a table for each suite with figures of its own, the published ones beside ours."""
    published = tomllib.loads(PUBLISHED.read_text(encoding="utf-8"))["figure"]
    for suite, by_system in suites.figures(run).items():
        names = list(dict.fromkeys(name for figures in by_system.values() for name in figures))
        lines = [(system, *(said(figures.get(name)) for name in names), "") for system, figures in by_system.items()]
        for one in published:
            if one["suite"] == suite:
                cells = (said(one["scores"].get(name)) for name in names)
                lines.append((one["system"], *cells, one["source"] + (" (recalled)" if one.get("recalled") else "")))
        title = "refusals: how well the confidence tells (AUC)" if suite == "refusals" else suite
        told = len(lines) > len(by_system)  # something is published
        kept = tuple(line if told else line[:-1] for line in lines)
        yield Table(title, ("system", *names, *(["published in"] if told else [])), kept)


def said(value: object) -> str:
    """Return a figure as a table shows it."""
    return "" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


def contest_table(title: str, contests: Sequence[Contest], *, without: str = "") -> Table:
    """Return contests as a table, without a column where the title says it."""
    told = [name for name in CONTEST_COLUMNS if name != without]
    rows = [dict(zip(CONTEST_COLUMNS, _contest_row(contest), strict=True)) for contest in contests]
    return Table(title, tuple(told), tuple(tuple(row[name] for name in told) for row in rows))


def turned(table: Table) -> Table:
    """Return a table with a column for what was a row.

    >>> turned(Table("t", ("system", "found"), (("ours", "1"), ("other", "0")))).rows
    (('found', '1', '0'),)
    """
    head, *lines = zip(table.columns, *table.rows, strict=True)
    return Table(table.title, head, tuple(line for line in lines if any(line[1:])))


def rich_table(table: Table) -> RichTable:
    """Return a table for a terminal."""
    shown = RichTable(title=table.title, title_justify="left", header_style="", padding=(0, 1, 0, 0), box=None)
    for n, column in enumerate(table.columns):
        numbers = any(row[n][:1].isdigit() for row in table.rows)
        shown.add_column(column, justify="right" if numbers else "left", overflow="fold")
    for row in table.rows:
        shown.add_row(*row)
    return shown


def fit_tables(made: Fitted) -> list[Table]:
    """Return new weights beside those in use, and how both do."""
    weights = [(key, f"{made.used.get(key, 0.0):.4g}", f"{value:.4g}") for key, value in made.weights.items()]
    figures = [(one.name, f"{one.used:.3f}", f"{one.new:.3f}", "worse" if one.fell else "") for one in made.figures]
    return [
        Table(f"{made.name}: weights", ("feature", "in use", "new"), tuple(weights)),
        Table(f"{made.name}: figures", ("of", "in use", "new", ""), tuple(figures)),
    ]


def _contest_row(contest: Contest) -> tuple[str, ...]:
    """Return a contest as cells under CONTEST_COLUMNS."""
    gap = contest.gap
    return (
        contest.against,
        f"{contest.suite}, {contest.part}",
        contest.metric,
        f"{contest.ours:.3f}",
        f"{contest.theirs:.3f}",
        f"{gap.mean:+.3f}",
        f"{gap.low:+.3f} {gap.high:+.3f}",
        f"{gap.p:.3f}",
        str(len(gap.better)),
        str(len(gap.worse)),
    )
