"""Figures: what the server counts about itself, for Prometheus. Nothing here can name a person or a question."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry(auto_describe=True)
_STAGE_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)

QUESTIONS = Counter("prepshelf_questions", "Questions answered.", ["profile", "mode"], registry=REGISTRY)
ABSTENTIONS = Counter("prepshelf_abstentions", "Questions that the shelf holds no answer to.", registry=REGISTRY)
SENTENCES = Counter("prepshelf_sentences", "Sentences shown, by their support.", ["support"], registry=REGISTRY)
MODEL_FAULTS = Counter("prepshelf_model_faults", "Questions that the language model failed.", registry=REGISTRY)
FAILURES = Counter("prepshelf_failures", "Questions that ended in an error of ours.", registry=REGISTRY)
REFUSED = Counter("prepshelf_refused", "Questions not taken, by reason.", ["reason"], registry=REGISTRY)
REQUESTS_REFUSED = Counter("prepshelf_requests_refused", "Requests refused, by reason.", ["reason"], registry=REGISTRY)
LOGINS = Counter("prepshelf_logins", "Attempts to log in, by outcome.", ["outcome"], registry=REGISTRY)
STAGES = Histogram(
    "prepshelf_stage_seconds", "Time of an answer's stages.", ["stage"], buckets=_STAGE_BUCKETS, registry=REGISTRY
)
RUNNING = Gauge("prepshelf_questions_running", "Questions being answered.", registry=REGISTRY)
WAITING = Gauge("prepshelf_questions_waiting", "Questions that wait.", registry=REGISTRY)
SESSIONS = Gauge("prepshelf_sessions", "Open sessions.", registry=REGISTRY)
UNSAVED = Gauge("prepshelf_unsaved", "1 while the database refuses to save.", registry=REGISTRY)


def page() -> bytes:
    """Return all figures in Prometheus' text format."""
    return generate_latest(REGISTRY)
