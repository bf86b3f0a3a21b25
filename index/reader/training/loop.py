"""Loop: steps of training for a given time, with a falling rate, a checkpoint every ten minutes, and a curve."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch

from index.reader.training.network import Network

WARM = 60  # steps in which the rate rises
LEAST = 0.02  # of the rate at the end
OFTEN = 50  # steps between points of the curve
CHECKPOINT = 600.0  # seconds
HEADS = 8.0  # how much quicker the heads, which begin at nothing, learn
CLIP = 1.0

Step = Callable[[], dict[str, torch.Tensor]]
"""Makes a batch and returns its losses by name; they are added."""
Tell = Callable[[str], None]


@dataclass
class Loop:
    """One training."""

    network: Network
    minutes: float
    rate: float
    folder: Path  # keeps checkpoints
    tell: Tell
    curve: list[dict[str, float]] = field(default_factory=list)

    def run(self, step: Step, *, measure: Callable[[], dict[str, float]]) -> int:
        """Train until the time is over and return the number of steps; a broken-off training goes on where it was."""
        torch.set_num_threads(os.cpu_count() or 1)  # an opened shelf leaves one to OpenMP, for short searches
        optimiser = self._optimiser()
        done, spent = self._resume(optimiser)
        begun = kept = time.monotonic()
        losses: list[dict[str, float]] = []
        while (share := (spent + time.monotonic() - begun) / (60 * self.minutes)) < 1:
            for group in optimiser.param_groups:
                group["lr"] = group["base"] * min(1.0, (done + 1) / WARM) * max(LEAST, 1 - share)
            self.network.train()
            made = step()
            optimiser.zero_grad()
            torch.autograd.backward(torch.stack(list(made.values())).sum())
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
            optimiser.step()
            done += 1
            losses.append({name: float(loss.detach()) for name, loss in made.items()})
            if done % OFTEN == 0:
                self._point(done, share, losses)
                losses = []
            if time.monotonic() > kept + CHECKPOINT:
                kept = time.monotonic()
                self._keep(optimiser, done, spent + kept - begun)
                self.curve.append({"step": done, **measure()})
                self.tell(json.dumps(self.curve[-1]))
        self._checkpoint.unlink(missing_ok=True)
        return done

    def _optimiser(self) -> torch.optim.Optimizer:
        heads = list(self.network.heads.parameters())
        known = set(map(id, heads))
        body = [one for one in self.network.parameters() if one.requires_grad and id(one) not in known]
        groups = [{"params": body, "base": self.rate}, {"params": heads, "base": HEADS * self.rate}]
        return torch.optim.AdamW(groups, lr=self.rate, weight_decay=0.01)

    def _point(self, done: int, share: float, losses: list[dict[str, float]]) -> None:
        means = {name: sum(one.get(name, 0.0) for one in losses) / len(losses) for name in losses[-1]}
        self.curve.append({"step": done, **{name: round(value, 4) for name, value in means.items()}})
        told = ", ".join(f"{name} {value:.3f}" for name, value in means.items())
        self.tell(f"step {done}, {share:.0%} of the time: {told}")

    @property
    def _checkpoint(self) -> Path:
        return self.folder / "checkpoint.pt"

    def _keep(self, optimiser: torch.optim.Optimizer, done: int, spent: float) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self._checkpoint.with_suffix(".part")
        held = {
            "network": self.network.state_dict(),
            "optimiser": optimiser.state_dict(),
            "done": done,
            "spent": spent,
            "curve": self.curve,
        }
        torch.save(held, part)
        part.replace(self._checkpoint)

    def _resume(self, optimiser: torch.optim.Optimizer) -> tuple[int, float]:
        if not self._checkpoint.exists():
            return 0, 0.0
        held = torch.load(self._checkpoint, weights_only=True)
        self.network.load_state_dict(held["network"])
        optimiser.load_state_dict(held["optimiser"])
        self.curve = held["curve"]
        self.tell(f"going on after step {held['done']}")
        return int(held["done"]), float(held["spent"])
