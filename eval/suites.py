"""Suites: what `prep eval` can measure, each a run of rows."""

from __future__ import annotations

from pathlib import Path

from app.assistant import Assistant
from eval import cases, corpus, rows, systems
from eval import own as questions
from eval.checks import shares_words
from eval.rows import About, Run
from eval.systems import System
from ingest import Track, silently
from ingest.archive import now


def own(data: Path, assistant: Assistant, *, split: str = "", baselines: bool = False, track: Track = silently) -> Run:
    """Return a run of the own questions over a shelf, continued where one was broken off."""
    asked = [case for case in cases.read() if split in {"", case.split}]
    shelf = assistant.shelf
    about = About(
        name=rows.new_name(),
        started_at=now(),
        shelf=corpus.describe(shelf, cases.read()).as_json(),
        cases={"own": cases.digest(asked)},
        settings={"split": split},
    )
    run = rows.begin(data / "evals", about)
    texts = corpus.texts(shelf)
    contestants: list[System] = [systems.Ours(assistant)]
    if baselines:
        contestants += [systems.ranking(name, assistant) for name in systems.RANKINGS]
    for system in contestants:
        questions.run(asked, system, run, texts, shelf.page, shares_words, track=track)
    run.finish()
    return run
