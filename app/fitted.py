"""Fitted: logistic models small enough to be read, each a JSON file of named weights beside the module that uses it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Logistic:
    """Weights of named features; `prep eval fit` writes them."""

    weights: tuple[float, ...]
    intercept: float = 0.0
    threshold: float = 0.5  # the probability from which the answer is yes
    extra: Mapping[str, float] = field(default_factory=dict)  # what else was fitted, by name

    def log_odds(self, values: Sequence[float]) -> float:
        """Return the log-odds for the values of the features, in their order."""
        return self.intercept + sum(weight * value for weight, value in zip(self.weights, values, strict=True))

    def probability(self, values: Sequence[float]) -> float:
        """Return the probability for the values of the features, in their order."""
        return 1 / (1 + math.exp(-max(-60.0, min(60.0, self.log_odds(values)))))


@cache
def read(name: str, features: tuple[str, ...]) -> Logistic:
    """Return the fitted model of a name, its weights in the order of the features."""
    fitted: dict[str, float] = json.loads((HERE / f"{name}.json").read_bytes())
    weights = tuple(fitted[feature] for feature in features)
    known = {*features, "intercept", "threshold"}
    extra = {key: value for key, value in fitted.items() if key not in known}
    return Logistic(weights, fitted.get("intercept", 0.0), fitted.get("threshold", 0.5), extra)
