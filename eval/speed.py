"""Speed: how long things take, ours and the peers' side by side in one run.

Contestants take turns (A B A B), each turn on other material, so that a busy machine slows both; figures are medians,
ratios medians of the turns' ratios. What is measured is in eval.races.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from eval.growth import Size
from eval.report import Table
from ingest import Track

OURS = "ours"


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds by contestant and turn."""

    wall: dict[str, list[float]]
    processor: dict[str, list[float]]  # of all cores together, ended child processes' too: other programs add nothing

    def in_ms(self) -> dict[str, list[float]]:
        """Return the clock's, in milliseconds."""
        return {name: [1000 * seconds for seconds in spent] for name, spent in self.wall.items()}

    def worked(self) -> dict[str, float]:
        """Return the median of what the processors worked, by contestant."""
        return {f"cpu s, {name}": float(np.median(spent)) for name, spent in self.processor.items()}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: how long it took each contestant in each turn, in seconds unless `unit` says else."""

    what: str
    goal: str
    turns: Mapping[str, Sequence[float]]
    unit: str = "s"
    facts: Mapping[str, float] = field(default_factory=dict)
    least: float = 0.0  # ratio that is to be reached
    most: float = 0.0  # or value of ours that is not to be passed
    floors: Mapping[str, float] = field(default_factory=dict)  # facts that must not be lower

    def median(self, name: str) -> float:
        """Return the median of a contestant's turns."""
        return float(np.median(self.turns[name]))

    def ratio(self, peer: str) -> float:
        """Return how many times longer a peer took: the median over the turns."""
        return float(np.median(np.asarray(self.turns[peer]) / np.asarray(self.turns[OURS])))

    @property
    def peers(self) -> list[str]:
        """Return who it is compared with."""
        return [name for name in self.turns if name != OURS]

    @property
    def reached(self) -> bool:
        """Return whether the goal is reached, against the first peer."""
        if any(self.facts[name] < floor for name, floor in self.floors.items()):
            return False
        return (not self.least or self.ratio(self.peers[0]) >= self.least) and (
            not self.most or self.median(OURS) <= self.most
        )

    def as_json(self) -> dict[str, Any]:
        """Return it for scripts."""
        return {
            "what": self.what,
            "goal": self.goal,
            "unit": self.unit,
            "median": {name: self.median(name) for name in self.turns},
            "ratio": {name: self.ratio(name) for name in self.peers},
            "turns": {name: list(turn) for name, turn in self.turns.items()},
            "facts": dict(self.facts),
            "reached": self.reached,
        }


def turns(contestants: Mapping[str, Callable[[int], object]], rounds: int, track: Track) -> Taken:
    """Return how long each contestant took in each turn; they take turns."""
    taken = Taken({name: [] for name in contestants}, {name: [] for name in contestants})
    for turn in track(range(rounds), "Taking turns", rounds):
        for name, work in contestants.items():
            begun, worked = time.perf_counter(), sum(os.times()[:4])
            work(turn)
            taken.wall[name].append(time.perf_counter() - begun)
            taken.processor[name].append(sum(os.times()[:4]) - worked)
    return taken


def beside(row: Row) -> str:
    """Return a row in one line."""
    ratios = ", ".join(f"{row.ratio(peer):.1f}x of {peer}'s speed" for peer in row.peers)
    return f"{row.median(OURS):.3g} {row.unit}" + (f", {ratios}" if ratios else "")


def tables(rows: Sequence[Row], sizes: Sequence[Size]) -> list[Table]:
    """Return what was measured as people read it."""
    held: list[Table] = []
    if rows:
        columns = ("what", "goal", "ours", "peers", "ratio", "reached", "besides")
        lines = tuple(
            (
                row.what,
                row.goal,
                f"{row.median(OURS):.3g} {row.unit}",
                "\n".join(f"{peer} {row.median(peer):.3g} {row.unit}" for peer in row.peers),
                "\n".join(f"{row.ratio(peer):.1f}x" for peer in row.peers),
                "yes" if row.reached else "no",
                "\n".join(f"{name} {value:.4g}" for name, value in row.facts.items()),
            )
            for row in rows
        )
        held.append(Table("Speed, medians of turns", columns, lines))
    if sizes:
        sized = ("passages", "index", "question p50", "p95", "recall@10", "bytes a passage", "on disk MB", "build s")
        grown = tuple(
            (
                f"{size.passages:,}",
                size.kind,
                f"{size.p50_ms:.1f} ms",
                f"{size.p95_ms:.1f} ms",
                f"{size.recall:.3f}",
                f"{size.bytes_a_passage:,.0f}",
                f"{size.disk_megabytes:,.0f}",
                f"{size.build_s:.0f}",
            )
            for size in sizes
        )
        held.append(Table("Growth, generated passages", sized, grown))
    return held


def write(rows: Sequence[Row], sizes: Sequence[Size], folder: Path) -> dict[str, Any]:
    """Write figures and the plot of growth into a folder, and return the figures."""
    from eval import plots

    figures = {
        "processors": os.cpu_count(),
        "load": os.getloadavg()[0],
        "rows": [row.as_json() for row in rows],
        "growth": [size.as_json() for size in sizes],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "speed.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
    if sizes:
        (folder / "growth.svg").write_text(plots.growing([size.as_json() for size in sizes]), encoding="utf-8")
    return figures
