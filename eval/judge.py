"""Judge: a configured language model's opinion of answers, beside the built-in checks. Never needed, never in the gate.

A model's grade is no measurement: it is shown with how often it agrees with what can be checked without it.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Any

from eval.rows import OURS, Row, Run, chosen
from ingest import Track, silently
from prompts import fill

SUITE = "judge"
Complete = Callable[[str], str]
"""Gives a language model's reply to a prompt."""


def run(run: Run, complete: Complete, model: str, *, system: str = OURS, track: Track = silently) -> None:
    """Add a row of grades to a run for each answer in it that has none of this model yet."""
    done = run.done(SUITE, model)
    answered = [row for row in chosen(run.rows, suite="answers", system=system) if row.scores.get("answered")]
    missing = [row for row in answered if row.id not in done]
    for row in track(missing, f"Asking {model} for its opinion", len(missing)):
        answer = row.detail["answer"]
        scores, replies = grades(row.question, answer, complete)
        kept = {name: row.scores[name] for name in ("correct", "complete", "recall") if name in row.scores}
        run.add(
            Row(
                id=row.id,
                suite=SUITE,
                system=model,
                split=row.split,
                half=row.half,
                kind=row.kind,
                topic=row.topic,
                question=row.question,
                case=row.case,
                scores=scores | {f"checked {name}": value for name, value in kept.items()},
                detail={"replies": replies},
            )
        )


def grades(question: str, answer: Mapping[str, Any], complete: Complete) -> tuple[dict[str, float], list[str]]:
    """Return a model's grades from 0 to 1, and its replies; a reply that cannot be read gives no grade."""
    nonce = secrets.token_hex(6)  # what is judged cannot know how its end is marked
    text = "\n".join(sentence["text"] for sentence in answer["sentences"])
    sources = "\n\n".join(f"[{citation['n']}] {citation['quote']}" for citation in answer["citations"])
    faithful = complete(fill("judge-faithful", nonce=nonce, sources=sources, answer=text))
    helpful = complete(fill("judge-helpful", nonce=nonce, question=question, answer=text))
    scores = {}
    said = _object(faithful)
    if _is_count(said.get("faithful")) and _is_count(said.get("sentences")) and said["sentences"] > 0:
        scores["faithful"] = min(1.0, max(0.0, said["faithful"] / said["sentences"]))
    said = _object(helpful)
    if _is_count(said.get("helpful")) and 1 <= said["helpful"] <= 5:
        scores["helpful"] = (said["helpful"] - 1) / 4
    return scores, [faithful[:2000], helpful[:2000]]


def _object(reply: str) -> dict[str, Any]:
    for found in re.findall(r"\{[^{}]*\}", reply):
        try:
            said = json.loads(found)
        except ValueError:
            continue
        return said if isinstance(said, dict) else {}
    return {}


def _is_count(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def figures(rows: Sequence[Row], model: str) -> dict[str, Any]:
    """Return a model's mean grades, how many replies could be read, and how often it agrees with the checks.

    Agreement: the share of answers on which both say yes, or both no, where "faithful" means every sentence and is set
    beside citation recall, and "helpful" means a 4 or 5 and is set beside whether all facts are said and cited.
    """
    mine = chosen(rows, suite=SUITE, system=model)
    pairs = {"faithful": ("checked recall", 1.0), "helpful": ("checked correct", 0.75)}
    said: dict[str, Any] = {"answers": len(mine)}
    for grade, (check, enough) in pairs.items():
        read = [row for row in mine if grade in row.scores]
        said[grade] = fmean(row.scores[grade] for row in read) if read else None
        said[f"{grade} read"] = len(read)
        both = [row for row in read if check in row.scores]
        agreed = [(row.scores[grade] >= enough) == (row.scores[check] >= 1.0) for row in both]
        said[f"{grade} agrees with checks"] = fmean(map(float, agreed)) if agreed else None
    return said
