"""A language model's faults are asked for through the real client, and what does not hold is told."""

from __future__ import annotations

import json
import socket
import time

import pytest
from conftest import FakeReader

from app import llm
from app.generative import UNPROVED
from eval import EvalError, faults, robustness
from eval.bench import Bench
from eval.rows import About, Run

# A server that speaks as the scripted one: the fault is the first part of the address, and /count tells of all.
SERVER = """
import collections, http.server, json, sys
counts = collections.Counter()

def chunk(text):
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]}).encode() + b"\\n\\n"

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.do_POST()

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.path.split("/")[1]
        counts[fault] += 1
        self.send_response({"401": 401}.get(fault, 200))
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        said = {"count": json.dumps(counts).encode(), "ok": chunk("Rings sum buffers. ") + b"data: [DONE]\\n\\n"}
        self.wfile.write(said.get(fault, chunk("Partial answer ")))

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
SOUND = {"answer": "Rings.", "citations": [], "notice": None, "abstained": False, "mode": "llm"}
TOLD = {**SOUND, "notice": "The language model did not answer.", "mode": "extractive"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A collection of three answers, whose server has a port that is free."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        monkeypatch.setattr(faults, "PORT", free.getsockname()[1])
    return collection(tmp_path / "hostile", SERVER, "ok", "cut", "401")


def collection(folder, server, *scenarios):
    (folder / "llm").mkdir(parents=True)
    (folder / "llm" / "malicious_llm_server.py").write_text(server)
    (folder / "llm" / "faults_expected.json").write_text(json.dumps([{"scenario": name} for name in scenarios]))
    return folder


@pytest.fixture
def tried(tmp_path, encoder, sure):
    """Returns a function that tries the faults of a folder, and returns what is wrong with each."""

    def run(folder):
        run = Run(tmp_path, About("", "", {}, {}, {}))
        faults.run(folder, Bench(encoder, tmp_path / "bench", reader=FakeReader()), run)
        assert all(row.scores["held"] == (not row.detail["why"]) for row in run.rows)
        return {row.id: row.detail["why"] for row in run.rows}

    return run


def test_faults_become_rows_that_count(folder, tried, tmp_path):
    assert tried(folder) == {"fault ok": "", "fault cut": "", "fault 401": ""}
    (folder / "llm" / "malicious_llm_server.py").unlink()
    assert len(tried(folder)) == 3, "all rows are there: nothing is asked again"
    figures = robustness.figures(Run(tmp_path, About("", "", {}, {}, {})).rows)
    assert figures == {"tried": 3, "held": 3, "model fault": "3 of 3"}


def raises(*_, **__):
    raise RuntimeError("what a client lets escape")


def hangs(*_, **__):
    time.sleep(5)
    yield ""


def stays_away(*_, **__):
    yield "Rings sum buffers. "


def tells(self, *_, **__):
    llm.log.warning("Asked with %s.", self.endpoint.key)
    yield "Rings sum buffers. "


@pytest.mark.parametrize(
    ("write", "why"),
    [
        (raises, "RuntimeError: what a client lets escape"),
        (hangs, "TimeoutError: no answer within"),
        (stays_away, "asked 0 times"),
        (tells, "the key in the log"),
    ],
)
def test_a_client_that_does_not_hold_is_told(folder, tried, monkeypatch, write, why):
    monkeypatch.setattr(llm.Model, "write", write)
    if write is hangs:
        monkeypatch.setattr(faults, "SECONDS", 0.5)
        monkeypatch.setattr(faults, "GRACE", 0.5)
    assert all(why in told for told in tried(folder).values())


@pytest.mark.parametrize(
    ("said", "fault", "wrong"),
    [
        (SOUND, False, []),
        (TOLD, True, []),
        (None, True, ["no answer"]),
        (TOLD, False, ["a sound answer is taken for a fault"]),
        ({**TOLD, "notice": f"{UNPROVED} What follows is quoted."}, False, []),
        (SOUND, True, ["no word of the fault"]),
        ({**TOLD, "abstained": True}, True, ["nothing quoted"]),
        ({**TOLD, "notice": f"It refused {faults.KEY}."}, True, ["the key"]),
        ({**TOLD, "answer": "![x](https://evil.invalid)"}, True, ["an image", "a link to evil.invalid"]),
        ({**TOLD, "answer": "\x1b[31m"}, True, ["a control character"]),
    ],
)
def test_an_answer_after_a_fault_is_told_quoted_and_harmless(said, fault, wrong):
    assert list(faults.flaws(said, fault=fault)) == wrong


def test_a_server_that_does_not_start_is_named(folder, tried):
    (folder / "llm" / "malicious_llm_server.py").write_text("raise SystemExit")
    with pytest.raises(EvalError, match="run it by itself"):
        tried(folder)


def test_a_port_that_is_taken_is_named(folder, tried):
    with socket.create_server(("127.0.0.1", faults.PORT)), pytest.raises(EvalError, match="is taken"):
        tried(folder)


def test_a_list_of_faults_that_is_none_is_named(folder):
    (folder / "llm" / "faults_expected.json").write_text('{"a": 1}')
    with pytest.raises(EvalError, match="does not list faults"):
        faults.names(folder)


def test_a_collection_without_faults_adds_none(tmp_path, tried):
    assert tried(tmp_path) == {}


@pytest.mark.shared
@pytest.mark.slow
def test_all_scripted_faults_hold(shared, tried):
    told = tried(shared / "hostile")
    assert len(told) == 21
    assert not any(told.values()), told
