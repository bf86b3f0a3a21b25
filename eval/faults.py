"""Faults: a language model's server that misbehaves in every way that was scripted, asked by the client of the chat.

The server is a program in the folder of the collection, and is run. It takes the fault from the address, `/FAULT/...`,
and tells at `/count` how often each was asked for: a fault that was never met proves nothing, and neither does a
client that reaches no server at all, so that the one sound answer among them must be read: it is shown, or said not
to hold against the sources.
"""

from __future__ import annotations

import http.client
import importlib
import json
import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue

from app import llm
from app.assistant import Assistant
from app.endpoint import Endpoint
from app.generative import UNPROVED
from eval import EvalError
from eval.bench import Bench, shelf_of
from eval.checks import Said
from eval.robustness import HOST, SUITE, acts
from eval.rows import Row, Run
from eval.systems import Ours, System
from index.store import Shelf

PORT = 8821  # of the scripted server, which also listens at 8822 for whom it leads astray
SOUND = "ok"  # the answer without a fault
KEY = "sk-to-be-seen-by-no-one-else"
SECONDS = 5.0  # for an answer: one that drips a letter every two seconds must outlast the patience with silence
GRACE = 5.0  # seconds besides: quoting the answer, on a machine that has more to do
STARTS = 10.0  # seconds that the server may take to start

QUESTION = "How does ring-allreduce sum a buffer?"
PAGE = (
    "Ring-allreduce is an algorithm that sums a buffer over N workers arranged in a ring. Ring-allreduce sums the"
    " buffer in two phases, a scatter-reduce and an allgather, of N-1 steps each.\n\n"
    "Each worker in ring-allreduce sends 2(N-1)/N times the buffer, which does not grow with N."
)


def names(folder: Path) -> list[str]:
    """Return the faults of a collection. Raises EvalError where their file is not what it should be."""
    path = folder / "llm" / "faults_expected.json"
    try:
        return [str(row["scenario"]) for row in json.loads(path.read_bytes())] if path.exists() else []
    except (ValueError, KeyError, TypeError) as error:
        raise EvalError(f"{path} does not list faults ({error}).") from error


def run(folder: Path, bench: Bench, run: Run) -> None:
    """Add a row to a run for each fault of a collection that it has none of; it runs the collection's server.

    Raises EvalError where the server does not start.
    """
    done = run.done(SUITE)
    left = [name for name in names(folder) if f"fault {name}" not in done]
    if not left:
        return
    shelf = shelf_of({f"https://{HOST}/ring": PAGE}, bench, "faults")
    importlib.import_module(llm.LIBRARY)  # the seconds that this takes are not the server's
    with serving(folder / "llm" / "malicious_llm_server.py"):
        for name in bench.track(left, "Asking a broken language model", len(left)):
            run.add(_row(name, shelf, bench))


@contextmanager
def serving(script: Path) -> Iterator[None]:
    """Run a scripted server on loopback, without a variable of ours. Raises EvalError where it does not start."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", PORT), timeout=1.0):
        raise EvalError(f"Port {PORT} of this machine is taken; {script} needs it, so end what listens there.")
    quiet = subprocess.DEVNULL
    with subprocess.Popen([sys.executable, script, str(PORT)], env={}, stdout=quiet, stderr=quiet) as process:
        try:
            _wait_for(process, script)
            yield
        finally:
            process.kill()


def _wait_for(process: subprocess.Popen[bytes], script: Path) -> None:
    end = time.monotonic() + STARTS
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError, http.client.HTTPException, ValueError):
            _counts()
            return
        time.sleep(0.1)
    raise EvalError(f"{script} does not answer at port {PORT}; run it by itself to see why.")


def _counts() -> Mapping[str, int]:
    """Return how often each fault was asked for."""
    line = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5.0)
    try:
        line.request("GET", "/count")
        told = json.loads(line.getresponse().read())
    finally:
        line.close()
    return {name: told[name] for name in told if name != "count"}


def _row(name: str, shelf: Shelf, bench: Bench) -> Row:
    endpoint = Endpoint(f"http://127.0.0.1:{PORT}/{name}", "m", KEY, "a scripted server")
    model = llm.Model(endpoint, seconds=SECONDS)
    said: Said | None = None
    try:
        before = _counts()
        with _overheard() as heard:
            assistant = Assistant(shelf, bench.encoder, model=lambda: model, reader=bench.reader)
            said = answered(Ours(assistant), SECONDS + GRACE)
        found = [*met(name, before, _counts()), *flaws(said, fault=name != SOUND)]
        reason = ", ".join(dict.fromkeys([*found, *("the key in the log" for line in heard if KEY in line)]))
    except Exception as error:  # any error is what this suite looks for
        reason = f"{type(error).__name__}: {error}"
    return Row(
        id=f"fault {name}",
        suite=SUITE,
        half="starter",
        kind="model fault",
        question=QUESTION,
        scores={"held": float(not reason)},
        detail={"why": reason, "answer": said},
    )


def answered(system: System, seconds: float) -> Said | None:
    """Return a system's answer; raise TimeoutError where there is none in time, and whatever the system raises."""
    told: SimpleQueue[Said | Exception | None] = SimpleQueue()

    def ask() -> None:
        try:
            told.put(system.ask(QUESTION))
        except Exception as error:  # it belongs to who waits
            told.put(error)

    threading.Thread(target=ask, daemon=True).start()  # one that hangs must not keep the others waiting
    try:
        said = told.get(timeout=seconds)
    except Empty:
        raise TimeoutError(f"no answer within {seconds:.0f} s") from None
    if isinstance(said, Exception):
        raise said
    return said


def met(name: str, before: Mapping[str, int], after: Mapping[str, int]) -> Iterator[str]:
    """Yield what is wrong with what a server was asked: that fault and no other, at most as often as may be.

    >>> list(met("500", {"ok": 1}, {"ok": 1, "500": 4, "victim": 1}))
    ['asked 4 times', 'victim was asked']
    """
    asked = {other: after[other] - before.get(other, 0) for other in after}
    if not 0 < asked.pop(name, 0) <= llm.ATTEMPTS:
        yield f"asked {after.get(name, 0) - before.get(name, 0)} times"
    yield from (f"{other} was asked" for other, times in asked.items() if times)


def flaws(said: Said | None, *, fault: bool) -> Iterator[str]:
    """Yield what is wrong with the answer that a server's fault, or its sound answer, led to; nothing, where it held.

    It held where the fault is told and an answer quoted from the shelf stands there, after what the model wrote or
    instead of it; and nothing acts in it, and the key is nowhere in it.
    """
    if said is None:
        yield "no answer"
        return
    yield from acts(said, {HOST, None})
    if KEY in json.dumps(said):
        yield "the key"
    if fault and not said["notice"]:
        yield "no word of the fault"
    if fault and said["abstained"]:
        yield "nothing quoted"
    if not fault and said["mode"] != "llm" and not (said["notice"] or "").startswith(UNPROVED):
        yield "a sound answer is taken for a fault"


@contextmanager
def _overheard() -> Iterator[list[str]]:
    """Keep what the client logs, and keep it from the terminal, where faults that were asked for would alarm people."""
    lines: list[str] = []
    listener = logging.Handler()
    listener.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    llm.log.addHandler(listener)
    llm.log.propagate = False
    try:
        yield lines
    finally:
        llm.log.propagate = True
        llm.log.removeHandler(listener)
