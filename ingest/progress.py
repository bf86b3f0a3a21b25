"""Progress: how far a run is, for whoever shows it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Progress:
    """What a run has done so far; it is written by the run and read, at any moment, by a view of it."""

    stage: str = ""  # "Reading FILE", "Fetching"
    total: int = 0  # pages that are known of in this stage
    done: int = 0  # pages that were read
    unchanged: int = 0
    failed: int = 0  # pages that gave no text
    flying: Mapping[str, str] = field(default_factory=dict)  # host: the address that is fetched from it right now
    began: float = field(default_factory=time.monotonic)
    notes: list[str] = field(default_factory=list)  # what a person should know

    def enter(self, stage: str, total: int = 0) -> None:
        """Begin a stage."""
        self.stage, self.total, self.began = stage, total, time.monotonic()
        self.done = self.unchanged = self.failed = 0

    @property
    def ended(self) -> int:
        """Return how many pages of the stage have ended, however."""
        return self.done + self.unchanged + self.failed

    @property
    def rate(self) -> float:
        """Return pages a second in this stage."""
        return self.ended / max(0.001, time.monotonic() - self.began)

    @property
    def left(self) -> float:
        """Return the seconds that the stage will go on for, going by its rate; 0 where that cannot be told."""
        return (self.total - self.ended) / self.rate if self.ended and self.total > self.ended else 0.0

    def tell(self, note: str) -> None:
        """Add what a person should know, once."""
        if note not in self.notes:
            self.notes.append(note)
