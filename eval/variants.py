"""Variants: two runs, two encoders or two settings of the search, side by side on the same cases."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

from app.assistant import Assistant
from eval import EvalError, cases, checks, corpus, own, rows, systems
from eval.compare import Contest, contests, telling
from eval.rows import OURS, About, Row, Run, chosen, grouped
from eval.systems import Ranking, System
from index import build, search, store
from index import encoder as encoders
from index.passage import Hit
from index.search import Weights
from ingest import Track, ledger, silently
from ingest.archive import now

SEARCHED = ("found@5", "mrr", "quote@5", "facts@5")


def compare(
    one: str, other: str, data: Path, assistant: Callable[[], Assistant], *, track: Track = silently
) -> list[Contest]:
    """Return how two runs, or two ways of searching the shelf, differ in what both measured.

    A way of searching is a name of eval.systems.WEIGHTS, weights such as "lexical=0.4,sentence=0.2", or
    "encoder=FOLDER". Raises EvalError where a name is none of these and no run.
    """
    if not any(_is_way(name) for name in (one, other)):
        return _by_runs(rows.open_run(data / "evals", one), rows.open_run(data / "evals", other), other)
    served = assistant()
    served.encoder = systems.Remembering(served.encoder)
    asked = [case for case in cases.read() if case.suite == "answers"]
    about = About(rows.new_name(), now(), corpus.describe(served.shelf, asked).as_json(), {}, {"ways": [one, other]})
    run = rows.begin(data / "evals" / "compared", about)
    texts = corpus.texts(served.shelf)
    for name in (one, other):
        own.run(asked, _way(name, served, data, track), run, texts, served.shelf.page, checks.supported, track=track)
    run.finish()
    return contests(chosen(run.rows, system=one), chosen(run.rows, system=other), SEARCHED, against=other)


def _by_runs(ours: Run, theirs: Run, name: str) -> list[Contest]:
    """Return how two runs differ, suite by suite, on the cases that are the same in both."""
    found: list[Contest] = []
    mine, other = (grouped(chosen(run.rows, system=OURS), lambda row: row.suite) for run in (ours, theirs))
    for suite in mine.keys() & other.keys():
        same = {row.id: row.case for row in other[suite]}
        kept: list[Row] = [row for row in mine[suite] if same.get(row.id) == row.case]
        found += contests(kept, other[suite], telling(suite), against=name)
    return sorted(found, key=lambda contest: (contest.suite, contest.metric))


def _is_way(name: str) -> bool:
    return name in systems.WEIGHTS or "=" in name


def _way(name: str, assistant: Assistant, data: Path, track: Track) -> System:
    if name in systems.WEIGHTS:
        return systems.ranking(name, assistant)
    if name.startswith("encoder="):
        return _other_encoder(name, data, track)
    known = {field.name for field in fields(Weights)}
    said = dict(re.findall(r"(\w+)=([\d.]+)", name))
    if not said or said.keys() - known:
        raise EvalError(f"{name!r} is no way of searching; write {', '.join(f'{key}=0.3' for key in sorted(known))}.")
    weights = Weights(**{key: float(value) for key, value in said.items()})
    return _ranking(name, assistant, weights)


def _ranking(name: str, assistant: Assistant, weights: Weights) -> Ranking:
    def rank(question: str, limit: int) -> list[Hit]:
        return search.hybrid(question, assistant.shelf, assistant.encoder, limit=limit, weights=weights)

    return Ranking(name, rank)


def _other_encoder(name: str, data: Path, track: Track) -> Ranking:
    """Return our search with another encoder, over a shelf of the same documents built with it."""
    encoder = encoders.load(name.partition("=")[2], engines=data / "engines")
    folder = data / "evals" / "encoders" / encoder.name
    with ledger.open_ledger(data / "ledger.db") as book:
        documents = build.readable(book, data / "documents", lambda _: None)
    build.build(documents, encoder, folder, track=track)
    shelf = store.open_shelf(folder / "shelves", encoder=encoder.name)
    return _ranking(name, Assistant(shelf, systems.Remembering(encoder)), Weights())
