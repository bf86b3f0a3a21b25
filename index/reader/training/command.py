"""Command: trains one of the reader's models on the rows of a folder and a shelf, and writes its file and card."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch

from index.encoder import Encoder, built_in_folder
from index.reader import weights
from index.reader.training import narrow, rows, support, wide
from index.reader.training.export import export
from index.reader.training.loop import Loop, Tell
from index.reader.training.mining import Hard, mine
from index.reader.training.network import Network
from index.reader.training.rows import Claim, Row
from index.reader.weights import HERE, Array, Name
from index.store import Shelf
from ingest import Track, silently

SHARES = {"own": 0.3, "shelf": 0.4}  # of the batches that train to read; the rest is of other sets, by their roots
CLAIMS = {"own": 0.3, "shelf": 0.3}  # the same of claims
RATES = {"wide": 1e-4, "narrow": 1.5e-4, "support": 1.5e-4}
FROZEN = {"wide": 2, "narrow": 1, "support": 1}  # lowest layers that stay as they are
EXAMPLES = 120  # inputs that ranges are measured on

T = TypeVar("T", Row, Claim)


@dataclass(frozen=True)
class Plan:
    """What to train, and on what."""

    name: Name
    folder: Path  # holds reader/*.jsonl.gz and support/*.jsonl.gz
    shelf: Shelf  # of the recorded pages
    encoder: Encoder  # mines what looks like an answer
    minutes: float
    keep: Path  # checkpoints
    share: float = 1.0  # of the rows, for the curve over the amount of data
    out: Path = HERE
    tell: Tell = print
    track: Track = silently


def train(plan: Plan) -> Path:
    """Train, write the weights and their card, and return their file."""
    torch.manual_seed(0)
    return {"wide": _wide, "narrow": _narrow, "support": _support}[plan.name](plan)


def _wide(plan: Plan) -> Path:
    sets, held, _ = _mined(plan)
    network = Network(wide.WIDTH + 1, frozen=FROZEN["wide"])
    objective = wide.Wide(network, sets, _shares(sets, SHARES))

    def measure() -> dict[str, float]:
        return _named({name: objective.measure(one) for name, one in held.items()})

    return _run(plan, network, objective.step, measure, wide.examples(list(sets.values()), EXAMPLES))


def _narrow(plan: Plan) -> Path:
    sets, held, misses = _mined(plan)
    network = Network(2, frozen=FROZEN["narrow"], begin=_wide_tensors())
    kept = {name: [row for row in near if not rows.kept_for_curve(row.passage)] for name, near in misses.items()}
    others = {name: [row for row in near if rows.kept_for_curve(row.passage)] for name, near in misses.items()}
    objective = narrow.Narrow(network, sets, kept, _shares(sets, SHARES))

    def measure() -> dict[str, float]:
        return _named({name: objective.measure(one, others[name]) for name, one in held.items()})

    return _run(plan, network, objective.step, measure, narrow.examples(list(sets.values()), EXAMPLES))


def _support(plan: Plan) -> Path:
    claims = rows.claims(plan.folder, plan.shelf)
    sets = {
        name: _part(plan, [one for one in all_ if not rows.kept_for_curve(one.evidence)])
        for name, all_ in claims.items()
    }
    measured = {name: [one for one in all_ if rows.kept_for_curve(one.evidence)][:500] for name, all_ in claims.items()}
    measured |= {f"unseen {name}": list(rows.claims_of(plan.folder, name))[:300] for name in rows.UNSEEN}
    network = Network(1, frozen=FROZEN["support"], begin=_wide_tensors())
    objective = support.Support(network, sets, _shares(sets, CLAIMS))
    examples = support.examples(list(sets.values()), EXAMPLES)
    return _run(plan, network, objective.step, lambda: objective.measure(measured), examples)


def _mined(plan: Plan) -> tuple[dict[str, Hard], dict[str, Hard], dict[str, list[Row]]]:
    """Return the sets to train on, those to measure by, and the near misses, each by name."""
    near_shelf = rows.texts(plan.shelf)
    sets: dict[str, Hard] = {}
    held: dict[str, Hard] = {}
    misses = {"": rows.unanswered(plan.folder)}
    for name, all_ in rows.questions(plan.folder, plan.shelf).items():
        others = near_shelf if name in SHARES else ()
        answered = [row for row in all_ if row.answers]
        misses[name] = [row for row in all_ if not row.answers]
        kept = _part(
            plan, [row for row in answered if not rows.kept_for_curve(row.passage)] if name in SHARES else answered
        )
        sets[name] = mine(kept, others, plan.encoder, track=plan.track)
        if name in SHARES:
            held[name] = mine([row for row in answered if rows.kept_for_curve(row.passage)][:300], others, plan.encoder)
    return sets, held, misses


def _part(plan: Plan, all_: Sequence[T]) -> list[T]:
    """Return the share of rows that the plan asks for, evenly spread."""
    return [row for n, row in enumerate(all_) if int((n + 1) * plan.share) > int(n * plan.share)]


def _shares(sets: Mapping[str, Sized], fixed: Mapping[str, float]) -> dict[str, float]:
    """Return how often each set is drawn: some as is fixed, the others by the root of their size."""
    others = {name: len(one) ** 0.5 for name, one in sets.items() if name not in fixed}
    left = (1 - sum(fixed.values())) / (sum(others.values()) or 1)
    return dict(fixed) | {name: left * root for name, root in others.items()}


def _named(measured: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    return {f"{name} {metric}": value for name, held in measured.items() for metric, value in held.items()}


def _wide_tensors() -> Mapping[str, Array]:
    """Return the wide reader's weights, which know already what is near to what."""
    return weights.load("wide", built_in_folder() / "model.safetensors").tensors


def _run(
    plan: Plan,
    network: Network,
    step: Callable[[], dict[str, torch.Tensor]],
    measure: Callable[[], dict[str, float]],
    examples: Iterable[tuple[list[int], int]],
) -> Path:
    loop = Loop(network, plan.minutes, RATES[plan.name], plan.keep / plan.name, plan.tell)
    steps = loop.run(step, measure=measure)
    figures = measure()
    plan.tell(json.dumps(figures))
    card = {
        "command": f"prep eval train {plan.name} --data DIR --minutes {plan.minutes:g} --share {plan.share:g}",
        "steps": steps,
        "share": plan.share,
        "figures": figures,
        "curve": loop.curve,
    }
    return export(plan.name, network.tensors(), list(examples), card, plan.out)
