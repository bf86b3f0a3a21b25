"""Report: averages of a run, for a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.table import Table

from eval.rows import OURS, Row, average, chosen, grouped

# What each suite's table shows: the metric, and its name for people. Citations never stand without what is said.
COLUMNS: dict[str, dict[str, str]] = {
    "answers": {
        "found@5": "document in first 5",
        "mrr": "MRR",
        "quote@5": "quote in first 5",
        "facts@5": "facts in first 5",
        "complete": "facts said",
        "correct": "all said and cited",
        "answered": "answered",
        "verbatim": "verbatim",
        "recall": "citation recall",
        "precision": "citation precision",
        "unique": "fragments unique",
    },
    "dialogues": {
        "cited": "right source",
        "complete": "facts said",
        "correct": "all said and cited",
        "answered": "answered",
        "verbatim": "verbatim",
    },
    "refusals": {"refused": "refused"},
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
    yield from grouped([row for row in rows if row.split and row.half], lambda row: f"{row.half} {row.split}").items()


def tables(rows: Sequence[Row]) -> list[Table]:
    """Return a table a suite: a line for each system and part of the cases."""
    made = []
    for suite, parts in summary(rows).items():
        columns = COLUMNS.get(suite, {})
        table = Table(title=suite, title_justify="left", header_style="")
        table.add_column("system")
        table.add_column("cases of")
        table.add_column("run", justify="right")
        table.add_column("skipped", justify="right")
        for name in columns.values():
            table.add_column(name, justify="right", overflow="fold")
        for system, places in sorted(parts.items(), key=lambda pair: pair[0] != OURS):
            for place, figures in places.items():
                cells = [_percent(figures.get(metric)) for metric in columns]
                table.add_row(system, place, str(figures["cases"]), str(figures["skipped"]), *cells)
        made.append(table)
    return made


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
