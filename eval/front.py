"""Front: what the front door lends to the commands of this room, and what they do with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from app.assistant import Assistant
    from app.llm import Model
    from eval.gate import Verdict
    from eval.rows import Run
    from eval.suites import Plan
    from index.encoder import Encoder
    from ingest import Track


@dataclass(frozen=True, slots=True)
class Front:
    """What the front door lends to the commands of this room; it is the context's `obj`."""

    where: Callable[[], Path]  # the data folder; settings are read when a command runs
    assistant: Callable[[], Assistant]
    encoder: Callable[[], Encoder]
    need_shelf: Callable[[], None]  # builds one of the project's notes where there is none
    console: Callable[[], Console]
    model: Callable[[], Model | None]  # the configured language model, None where there is none
    track: Track
    note: Callable[[str], None]  # says a line on stderr
    print_json: Callable[[object], None]

    @property
    def data(self) -> Path:
        """Return the data folder."""
        return self.where()

    def served(self) -> Assistant:
        """Return the assistant over the shelf that serves; where there is none, over one of the project's notes."""
        self.need_shelf()
        return self.assistant()

    @property
    def runs(self) -> Path:
        """Return the folder that runs are kept in."""
        return self.data / "evals"


def measured(
    front: Front,
    plan: Plan,
    assistant: Assistant,
    *,
    as_json: bool,
    judged: Callable[[Run], Verdict | None] = lambda _: None,
) -> Verdict | None:
    """Measure a plan, write its report beside its rows, print it, and return what the gate says."""
    from eval import page, rows, suites
    from eval.report import Report, rich_table

    run = suites.measure(plan, front.data, assistant, track=front.track)
    report = Report(run, rows.previous(front.runs, run), judged(run))
    (run.folder / "report.json").write_text(json.dumps(report.as_json(), ensure_ascii=False, indent=1))
    (run.folder / "report.html").write_text(page.html(report), encoding="utf-8")
    if as_json:
        front.print_json(report.as_json())
    else:
        for table in report.brief():
            front.console().print(rich_table(table))
    for line in report.said():
        front.note(line)
    return report.verdict
