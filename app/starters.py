"""Starters: what to begin with, in each profile, drawn from what this shelf has text on."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from app import browse

if TYPE_CHECKING:
    from app.engine import Engine

ANSWER, READING, BROWSE = "Answer", "Reading list", "Browse the shelf"
PROFILES = (ANSWER, READING, BROWSE)
MOST = 4

_QUESTIONS = (
    ("Ring-allreduce", "How does ring-allreduce work?"),
    ("Feature stores", "What is a feature store and when is it unnecessary?"),
    ("Canary or blue/green", "What is the difference between blue/green and canary deployment?"),
    ("Data drift", "How do I detect data drift in production?"),
    ("Cache stampede", "What is a cache stampede and how is it prevented?"),
    ("Two-tower models", "How do two-tower models retrieve recommendations?"),
    ("Kubernetes Pods", "What is a Pod in Kubernetes?"),
    ("Rate limiting", "How would you design a rate limiter?"),
)
_REQUESTS = (
    ("Distributed training", "What should I read before a distributed training round?"),
    ("ML system design, 3 hours", "ML system design interview in 3 hours"),
    ("MLOps from scratch", "MLOps and deployment pipelines from scratch"),
    ("Recommender systems", "Recommender systems, from two-tower models to ranking"),
)


def choose(profile: str, engine: Engine) -> tuple[tuple[str, str], ...]:
    """Return (label, message) pairs for a profile; a question that this shelf cannot answer is not offered."""
    if profile == BROWSE:
        topics = sorted(browse.topics(engine.entries()), key=lambda topic: -topic.readable)
        named = [(topic.name.replace(" > ", " › "), browse.TOPIC + topic.name) for topic in topics if topic.readable]
        return ((browse.EVERYTHING, browse.EVERYTHING), *named[: MOST - 2], (browse.FIXES, browse.FIXES))
    offered = _QUESTIONS if profile == ANSWER else _REQUESTS
    known = list(islice((pair for pair in offered if _answerable(pair[1], engine)), MOST))
    asked = "What should I know about {}?" if profile == ANSWER else "{}"
    for topic in engine.choices().topics:  # a shelf of somebody's own has topics of its own
        leaf = topic.rpartition(" > ")[2]
        known.append((leaf, asked.format(leaf)))
    return tuple(known[:MOST])


def _answerable(question: str, engine: Engine) -> bool:
    return not engine.assistant.ask(question).abstained
