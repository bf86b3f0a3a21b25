"""Fuzz: requests and events of every shape to every HTTP route and socket event of the chat server.

python scripts/fuzz.py --minutes 10 [--seed 1]

What is sent is drawn by hypothesis after what each route takes, and after what it does not: half characters, NULs,
numbers without end, other types, other methods. No answer may be a 500, and after each round the server must be ready
and another person must be served. It exits with 1 and the smallest request that did it, where one did.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from chat_client import Person, Server  # noqa: E402
from hypothesis import HealthCheck, given, seed, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

ROUND = 150  # requests

texts = st.text(st.characters(exclude_categories=()), max_size=40) | st.sampled_from(["\ud800", "\0", "a" * 5000, ""])
numbers = st.integers() | st.floats() | st.sampled_from([2**63, -1, 1e308])
anything = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def like(shape: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """Return objects of a shape, some of whose values are of another kind, or missing."""
    known = {key: value | anything for key, value in shape.items()}
    return st.fixed_dictionaries({}, optional=known) | anything


@dataclass(frozen=True)
class Known:
    """What is there to be named: a thread, a message and a judgement of the one who asks."""

    thread: str
    step: str

    @property
    def ids(self) -> st.SearchStrategy[str]:
        """Return names of things, real ones among them."""
        return st.sampled_from([self.thread, self.step]) | texts


def bodies(known: Known) -> dict[tuple[str, str], st.SearchStrategy[Any]]:
    """Return what each route that takes JSON takes, by method and path."""
    pages = like({"first": st.integers(), "cursor": texts})
    wanted = like({"search": texts, "feedback": st.integers(), "userId": texts})
    judged = like({"forId": known.ids, "value": st.sampled_from([0, 1]), "comment": texts, "threadId": known.ids})
    return {
        ("PUT", "/reads"): like({"url": texts, "read": st.booleans()}),
        ("PUT", "/feedback"): like({"feedback": judged}),
        ("DELETE", "/feedback"): like({"feedbackId": known.ids}),
        ("POST", "/project/threads"): like({"pagination": pages, "filter": wanted}),
        ("PUT", "/project/thread"): like({"threadId": known.ids, "name": texts}),
        ("DELETE", "/project/thread"): like({"threadId": texts}),
        ("POST", "/set-session-cookie"): like({"session_id": texts}),
        ("POST", "/login"): anything,
    }


GETS = (
    "/ /login /login/callback /thread/{} /public/{} /assets/{} /favicon /logo?theme={} /avatars/{} /notes/{} /health"
    " /ready /about /answers/{} /answers/{}.md /answers/{}.csv /answers/{}.{} /threads/{}.md /reads /user /auth/config"
    " /project/settings?language={} /project/translations?language={} /project/thread/{} /{}"
).split()


def requests(known: Known) -> st.SearchStrategy[tuple[str, str, bytes, str]]:
    """Return requests: (method, path, body, content type)."""
    shapes = bodies(known)
    routes = st.sampled_from(sorted(shapes))

    def written(value: object) -> bytes:
        return json.dumps(value).encode()

    sent = routes.flatmap(
        lambda route: st.tuples(
            st.just(route[0]),
            st.just(route[1]),
            shapes[route].map(written) | st.binary(max_size=200) | st.just(b"[" * 50_000),
            st.sampled_from(["application/json", "text/plain", "application/x-www-form-urlencoded", ""]),
        )
    )
    asked = st.tuples(
        st.sampled_from(["GET", "HEAD", "GET", "POST", "DELETE", "OPTIONS"]),
        st.tuples(st.sampled_from(GETS), known.ids).map(
            lambda pair: pair[0].replace("{}", quote(pair[1].encode("utf-8", "replace"), safe=""))
        ),
        st.just(b""),
        st.just(""),
    )
    return sent | asked


def events() -> st.SearchStrategy[tuple[str, Any]]:
    """Return events of the WebSocket with what they bring."""
    message = like({"id": st.just(str(uuid.uuid4())) | texts, "output": texts, "threadId": texts, "type": texts})
    return st.tuples(st.just("client_message"), like({"message": message, "fileReferences": anything})) | st.tuples(
        st.sampled_from(
            ["chat_settings_change", "clear_session", "stop", "connection_successful", "edit_message", "x"]
        ),
        anything,
    )


def drawn(strategy: st.SearchStrategy[Any], check: Callable[[Any], None], number: int, most: int) -> None:
    """Try so many examples; the error of the smallest that fails is raised."""
    quiet = settings(max_examples=most, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    seed(number)(quiet(given(strategy)(check)))()


def over_http(person: Person, known: Known, number: int) -> None:
    """Send a round of requests; AssertionError where one is answered with a 500."""

    def check(request: tuple[str, str, bytes, str]) -> None:
        method, path, body, kind = request
        headers = {"content-type": kind} if kind else {}
        answer = person.http.request(method, path, content=body, headers=headers)
        assert answer.status_code < 500, (request, answer.status_code, answer.text[:300])

    drawn(requests(known), check, number, ROUND)


def over_socket(person: Person, number: int) -> None:
    """Send a round of events over one connection after the other."""
    batches = st.lists(events(), min_size=10, max_size=20)

    def check(batch: list[tuple[str, Any]]) -> None:
        async def use() -> None:
            async with person.open() as chat:
                for name, said in batch:
                    await chat.client.emit(name, said)
                await asyncio.sleep(0.05)

        asyncio.run(use())

    drawn(batches, check, number, 6)


def fuzz(seconds: float, number: int) -> int:
    """Return how many rounds passed in so many seconds; AssertionError where something did not hold."""
    rounds, until = 0, time.monotonic() + seconds
    with tempfile.TemporaryDirectory(prefix="prepshelf-fuzz-") as folder:
        server = Server(Path(folder) / "data")
        try:
            ann, bob = Person(server), Person(server, "bob")
            ann.log_in().raise_for_status()
            bob.log_in().raise_for_status()
            while time.monotonic() < until or not rounds:
                known = Known(*asyncio.run(_a_conversation(ann)))
                over_http(ann, known, number + rounds)
                over_socket(ann, number + rounds)
                marked = bob.http.put("/reads", json={"url": f"https://example.org/{rounds}", "read": True})
                assert marked.status_code == 200, f"another person is not served: {marked.text}"
                assert f"https://example.org/{rounds}" in bob.http.get("/reads").json()
                ready = bob.http.get("/ready").json()
                assert ready["ready"], ready
                rounds += 1
                print(f"round {rounds}: held", file=sys.stderr, flush=True)
        finally:
            server.stop()
            log = server.log.read_text()
    faults = [line for line in log.splitlines() if "a request failed" in line]
    assert not faults, faults[:3]
    return rounds


async def _a_conversation(person: Person) -> tuple[str, str]:
    async with person.open() as chat:
        said = await chat.ask("What is a Pod?")
        return chat.thread, said["id"]


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    try:
        rounds = fuzz(60 * chosen.minutes, chosen.seed)
    except AssertionError as error:
        sys.exit(f"seed {chosen.seed}: {error}")
    print(f"{rounds} rounds of {ROUND} requests and their events with seed {chosen.seed}: no 500, no stuck queue")


if __name__ == "__main__":
    main()
