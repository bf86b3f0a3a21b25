"""Soak: kills of everything that writes, at random moments, again and again; what must hold is checked after each.

python scripts/soak.py --kills 500 [--seed 1] [--chat 0.2]

So large a share of the kills (SIGKILL) hits a chat server while it streams an answer, the rest an ingestion while it
reads pages, indexes or publishes (tests/kill.py). After each, what was shown must be there, the shelf must answer, and
the next person must be served. It exits with 1 where something did not hold, and names the seed that shows it again.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import socketio  # noqa: E402
from chat_client import Chat, Person, Server  # noqa: E402

QUESTIONS = ("How does ring-allreduce work?", "What is a Pod?", "What is a cache stampede?")


async def shown_until_killed(person: Person, question: str, after: float) -> tuple[str, str, str]:
    """Ask, kill the server so many seconds after the first word, and return (thread, step, what was shown of it)."""
    async with person.open() as chat:
        await chat.send(question)
        await chat.heard("stream_token")
        await asyncio.sleep(after)
        person.server.process.send_signal(signal.SIGKILL)
        await asyncio.sleep(0.2)
        first = next(said for event, said in chat.events if event == "stream_start")
        return chat.thread, first["id"], first["output"] + _tokens(chat)


def _tokens(chat: Chat) -> str:
    return "".join(said["token"] for event, said in chat.events if event == "stream_token")


def kept(person: Person, thread: str, step: str) -> str:
    """Return what the server has of a message."""
    steps: list[dict[str, Any]] = person.http.get(f"/project/thread/{thread}").json()["steps"]
    return next((one["output"] for one in steps if one["id"] == step), "")


def chat_kills(kills: int, seed: int) -> list[str]:
    """Return what did not hold when a chat server was killed so often, each time in the middle of an answer."""
    dice, wrong = random.Random(seed), []
    with tempfile.TemporaryDirectory(prefix="prepshelf-soak-") as folder:
        data = Path(folder) / "data"
        server = Server(data, drip=0.1)
        try:
            for number in range(1, kills + 1):
                person = Person(server)
                person.log_in().raise_for_status()
                thread, step, shown = asyncio.run(
                    shown_until_killed(person, dice.choice(QUESTIONS), dice.uniform(0, 1.0))
                )
                server.stop(signal.SIGKILL)
                server = Server(data, drip=0.1, port=server.port)
                bob = Person(server, "bob")
                bob.log_in().raise_for_status()
                person = Person(server)
                person.log_in().raise_for_status()
                if not kept(person, thread, step).startswith(shown.strip()):
                    wrong.append(f"kill {number}: {shown!r} was shown and is lost")
                said = asyncio.run(_asked(bob))
                if said.get("isError") or not bob.http.get("/ready").json()["ready"]:
                    wrong.append(f"kill {number}: the next person was not served")
                say(f"{number:4} killed in an answer; {len(wrong)} faults")
        finally:
            with suppress(subprocess.TimeoutExpired):
                server.stop()
    return wrong


async def _asked(person: Person) -> dict[str, Any]:
    try:
        async with person.open() as chat:
            return await chat.ask(QUESTIONS[0])
    except (socketio.exceptions.ConnectionError, TimeoutError, AssertionError) as error:
        return {"isError": True, "output": str(error)}


def say(line: str) -> None:
    """Say how it goes."""
    print(line, flush=True)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--chat", type=float, default=0.2, help="share of the kills that hit the chat")
    chosen = parser.parse_args()
    in_chat = round(chosen.kills * chosen.chat)
    rest = [sys.executable, str(ROOT / "tests" / "kill.py"), "--seed", str(chosen.seed)]
    held = chosen.kills == in_chat or not subprocess.call([*rest, "--kills", str(chosen.kills - in_chat)])
    wrong = chat_kills(in_chat, chosen.seed)
    for line in wrong:
        say(f"  {line}")
    passed = held and not wrong
    said = "all held" if passed else "something did not hold"
    say(f"{chosen.kills} kills with seed {chosen.seed}: {said}")
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
