"""The own questions: put to a system one by one, each answer checked and kept as a row."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from eval import checks
from eval.cases import Case, digest, why_not
from eval.checks import DEPTH, FIRST, Found, Page, Said, Supports
from eval.rows import Row, Run
from eval.systems import System
from ingest import Track, silently


def run(
    cases: Sequence[Case],
    system: System,
    run: Run,
    texts: Mapping[str, str],
    page: Page,
    supports: Supports,
    *,
    track: Track = silently,
) -> None:
    """Add a row to a run for each case that it has none of; `texts` are those of the shelf, for what it can bear."""
    done = {case.suite: run.done(case.suite, system.name) for case in cases}
    missing = [case for case in cases if case.id not in done[case.suite] and (system.answers or not case.before)]
    system.prepare([case.question for case in missing])
    for case in track(missing, f"Asking {system.name}", len(missing)):
        reason = why_not(case, texts)
        run.add(_row(case, system, skipped=reason) if reason else _asked(case, system, page, supports))


def _asked(case: Case, system: System, page: Page, supports: Supports) -> Row:
    begun = time.perf_counter()
    said = system.ask(case.question, case.before)  # first: the question's vector is not known yet, so the time is true
    spent = 1000 * (time.perf_counter() - begun)
    hits = system.search(case.question, DEPTH)
    scores = {"confidence": confidence(said or {}, hits)}
    if case.found and not case.before:  # what a second turn finds depends on the first: its answer shows it
        scores |= checks.of_hits(case, hits)
    if said is not None:
        scores |= checks.of_answer(case, said, page, supports)
    timings = {} if said is None else {"answer_ms": spent, **said["timings"]}
    return _row(case, system, scores=scores, timings=timings, detail=_detail(case, hits, said))


def confidence(said: Said, hits: Sequence[Found]) -> float:
    """Return how sure an answer is that the shelf holds what was asked; where it does not say, the best hit's score."""
    stated = said.get("confidence")
    return float(stated) if stated is not None else hits[0].score if hits else 0.0


def _row(case: Case, system: System, **fields: Any) -> Row:  # noqa: ANN401  # the fields of a row
    return Row(
        id=case.id,
        suite=case.suite,
        system=system.name,
        split=case.split,
        half="starter" if case.starter else "pages",
        style=case.style,
        kind=case.kind,
        topic=case.topic,
        question=case.question,
        case=digest([case]),
        **fields,
    )


def _detail(case: Case, hits: Sequence[Found], said: Said | None) -> dict[str, Any]:
    """Return what a person wants to see of a case: what was expected, found and said."""
    return {
        "expected": {"found": case.found, "facts": case.facts, "quote": case.quote, "before": case.before},
        "hits": [
            {
                "url": hit.url,
                "heading": hit.heading,
                "score": round(hit.score, 4),
                "text": hit.text if n < FIRST else "",
            }
            for n, hit in enumerate(hits)
        ],
        "answer": said,
    }
