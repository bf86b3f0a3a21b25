"""Load: what the chat server of this checkout carries, with so many people who each ask every few seconds.

python scripts/load.py --users 50 --minutes 10 [--every 20] [--neighbours 2] [--data FOLDER] [--json]

It starts a server over a copy of nothing but the shelf of FOLDER (PREPSHELF_DATA where none is given), logs the people
in, has each ask in turn, and prints how long answers took, what went wrong, and the server's memory over time. It
exits with 1 where a question got no answer, or where memory grew by a tenth or more after the first quarter.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from chat_client import PASSWORD, Person, Server  # noqa: E402

import config  # noqa: E402

QUESTIONS = (
    "How does ring-allreduce work?",
    "What is a feature store?",
    "What is the difference between blue/green and canary deployment?",
    "How do I detect data drift in production?",
    "What is a Pod in Kubernetes?",
    "How do two-tower models retrieve recommendations?",
    "How would you design a rate limiter?",
    "What does tensor parallelism split?",
)
PATIENCE = 60.0  # seconds for an answer
ALLOWED_GROWTH = 1.10


@dataclass
class Figures:
    """What was seen."""

    took: list[float] = field(default_factory=list)  # seconds from question to the last word
    faults: list[str] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)  # MiB of the server, once a second

    def summary(self) -> dict[str, object]:
        """Return the figures that are printed."""
        took, quarter = sorted(self.took), len(self.memory) // 4
        early, late = self.memory[quarter : 2 * quarter], self.memory[-quarter:]
        return {
            "answered": len(took),
            "faults": len(self.faults),
            "p50_s": round(statistics.median(took), 2) if took else None,
            "p95_s": round(took[int(0.95 * (len(took) - 1))], 2) if took else None,
            "slowest_s": round(took[-1], 2) if took else None,
            "memory_first_mib": round(self.memory[0]),
            "memory_second_quarter_mib": round(statistics.median(early or self.memory)),
            "memory_last_quarter_mib": round(statistics.median(late or self.memory)),
            "memory_most_mib": round(max(self.memory)),
        }

    @property
    def passed(self) -> bool:
        """Return whether every question was answered and memory stayed flat."""
        said = self.summary()
        flat = float(str(said["memory_last_quarter_mib"])) < ALLOWED_GROWTH * float(
            str(said["memory_second_quarter_mib"])
        )
        return bool(self.took) and not self.faults and flat


async def one_person(person: Person, until: float, every: float, seen: Figures) -> None:
    """Ask a question every so many seconds, beginning at a random moment of the first such stretch."""
    dice = random.Random(person.name)
    await asyncio.sleep(dice.uniform(0, every))
    try:
        async with person.open() as chat:
            while (begun := time.monotonic()) < until:
                said = await chat.ask(dice.choice(QUESTIONS), patience=PATIENCE)
                seen.took.append(time.monotonic() - begun)
                if said.get("isError"):
                    seen.faults.append(said["output"])
                await asyncio.sleep(max(0.0, every - (time.monotonic() - begun)))
    except Exception as error:
        seen.faults.append(f"{person.name}: {type(error).__name__}: {error}"[:300])


async def watch(server: Server, seen: Figures, until: float) -> None:
    """Note the server's memory each second, and say every half minute how it goes."""
    while time.monotonic() < until:
        seen.memory.append(server.memory())
        if len(seen.memory) % 30 == 0:
            note(f"{len(seen.took)} answered, {len(seen.faults)} faults, {seen.memory[-1]:.0f} MiB")
        await asyncio.sleep(1)


async def ask_away(people: list[Person], minutes: float, every: float, server: Server) -> Figures:
    """Return what was seen of everybody asking for so many minutes."""
    seen, until = Figures(), time.monotonic() + 60 * minutes
    await asyncio.gather(watch(server, seen, until), *(one_person(person, until, every, seen) for person in people))
    return seen


def note(text: str) -> None:
    """Say how it goes, beside the figures."""
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--every", type=float, default=20, help="seconds between one person's questions")
    parser.add_argument("--neighbours", type=int, default=0, help="processes that compute beside it without a pause")
    parser.add_argument("--data", type=Path, default=config.read().data, help="data folder whose shelf is asked")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    if not (chosen.data / "shelves" / "current").exists():
        sys.exit(f"{chosen.data} holds no shelf; run `prep ingest` first.")
    names = [f"user{n}" for n in range(chosen.users)]
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir()
        for name in ("shelves", "ledger.db", "engines"):  # conversations of its own, over the shelf as it is
            (data / name).symlink_to((chosen.data / name).resolve())
        note(f"Starting a server with {chosen.users} accounts")
        server = Server(data, real=True, users=dict.fromkeys(names, PASSWORD))
        busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(chosen.neighbours)]
        try:
            people = [Person(server, name) for name in names]
            for n, person in enumerate(people):
                person.http.headers["X-Forwarded-For"] = f"10.0.{n // 250}.{n % 250 + 1}"  # logins are limited by it
                person.log_in().raise_for_status()
            note(f"All are logged in; {chosen.minutes:g} minutes begin")
            seen = asyncio.run(ask_away(people, chosen.minutes, chosen.every, server))
        finally:
            for neighbour in busy:
                neighbour.kill()
                neighbour.wait()
            server.stop()
    print(json.dumps(seen.summary(), indent=None if chosen.json else 1))
    for fault in seen.faults[:10]:
        note(fault)
    sys.exit(0 if seen.passed else 1)


if __name__ == "__main__":
    main()
