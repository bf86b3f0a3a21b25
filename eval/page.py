"""Page: a run as one HTML file that needs nothing else, and no network."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean

from jinja2 import Environment, FileSystemLoader

from eval import plots
from eval.compare import Contest, telling
from eval.report import Report, Table, contest_table
from eval.rows import OURS, Row, chosen, grouped, values

WORST = 20


def html(report: Report) -> str:
    """Return the whole page."""
    library = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    library.tests["numeric"] = lambda cell: bool(re.match(r"[+-]?\d", cell))
    library.tests["followed"] = lambda url: url.startswith(("https://", "http://"))
    return library.get_template("page.html").render(
        run=report.run.about,
        verdict=report.verdict,
        tables=report.tables,
        contests=_contested(report.contests),
        pictures=list(pictures(report.run.rows)),
        previous=report.previous,
        better=[change for change in report.changes if change.better],
        worse=[change for change in report.changes if not change.better],
        worst=worst(report.run.rows),
    )


def _contested(contests: Sequence[Contest]) -> list[Table]:
    """Return a table of all cases, and one a system for topics and kinds; none where nothing was contested."""
    overall = [contest for contest in contests if contest.part == "all"]
    systems = dict.fromkeys(contest.against for contest in contests)
    parts = {name: [c for c in contests if c.against == name and c.part != "all"] for name in systems}
    if not overall:
        return []
    return [
        contest_table("", overall),
        *(contest_table(f"against {name}, by topic and kind", held) for name, held in parts.items() if held),
    ]


def pictures(rows: Sequence[Row]) -> Iterator[str]:
    """Yield what a run looks like: by topic, what a threshold refuses, how often right by confidence, how long."""
    answers = [row for row in rows if row.suite == "answers" and not row.skipped]
    for metric, title in (
        ("quote@5", "The words that answer are in the first five"),
        ("correct", "All said and cited"),
    ):
        if shares := _by_topic(answers, metric):
            yield plots.bars(shares, title)
    ours, refusals = chosen(answers, system=OURS), chosen(rows, suite="refusals", system=OURS)
    known, unknown = ([row.scores["confidence"] for row in part] for part in (ours, refusals))
    if known and unknown:
        yield plots.refusing(known, unknown)
        yield plots.calibration(known, [row.scores.get("correct", 0.0) for row in ours])
    if spent := [row.timings["answer_ms"] for row in [*ours, *refusals] if "answer_ms" in row.timings]:
        yield plots.latencies(spent)


def _by_topic(rows: Sequence[Row], metric: str) -> dict[str, dict[str, float]]:
    shares = {
        topic: {
            system: fmean(held.values())
            for system, theirs in sorted(grouped(group, lambda row: row.system).items(), key=lambda one: one[0] != OURS)
            if (held := values(theirs, metric))
        }
        for topic, group in grouped(rows, lambda row: row.topic).items()
    }
    return {topic: by_system for topic, by_system in shares.items() if by_system}


def worst(rows: Sequence[Row]) -> list[Row]:
    """Return the cases that came out worst, the worst first; a perfect one is not among them."""
    ours = [row for row in chosen(rows, system=OURS) if row.suite != "robustness" and "expected" in row.detail]
    return [row for row in sorted(ours, key=_standing) if _standing(row) < 1][:WORST]


def _standing(row: Row) -> float:
    return fmean(row.scores.get(metric, 1.0) for metric in telling(row.suite) or ("",))
