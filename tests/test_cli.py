"""The front door: data on stdout, notes on stderr, exit 0, 1, 2 or 130, and every error line names its cure."""

from __future__ import annotations

import io
import json
import os
import random
import re
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import CACHES, PODS, RING, FakeEncoder

import cli
from index import build
from index.manifest import describe
from ingest.job import Folder

ROOT = Path(__file__).resolve().parent.parent
PARAGRAPH = "Ring-allreduce is an algorithm that sums a buffer over N workers which stand in a ring. "
PAGE = f"""<!doctype html><html lang="en"><head><title>Rings</title></head><body><article><h1>Rings</h1>
<p>{PARAGRAPH}It takes two phases, a scatter-reduce and an allgather, of N-1 steps each, and no worker waits.</p>
<p>Each of the workers sends twice the buffer at most, however many of them there are in the ring, so it scales.</p>
</article></body></html>""".encode()
URL = "https://rings.example.org/ring"
ASK = "How does ring-allreduce work?"
CITATION = {"n", "url", "deep_url", "title", "quote", "start", "end", "sha256"}


@pytest.fixture
def prep(tmp_path, monkeypatch, capfd, sure):
    """Runs `prep` in this process, with the fake encoder and a single study note: (exit code, stdout, stderr)."""
    starter = tmp_path / "starter"
    starter.mkdir()
    (starter / "queues.md").write_text(
        "---\ntopic: Queues\nstage: crawl\n---\n# Queues\n\nA queue holds messages until a consumer takes them. "
        "A consumer acknowledges a message once it is done with it, or the queue hands it to another.\n"
    )
    monkeypatch.setattr("ingest.notes.STARTER", starter)
    monkeypatch.setattr("index.encoder.load", lambda *_, **__: FakeEncoder())
    monkeypatch.setenv("PREPSHELF_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("PREPSHELF_LLM_URL", "none")

    def run(*words: str, stdin: bytes = b"") -> SimpleNamespace:
        monkeypatch.setattr(sys, "argv", ["prep", *map(str, words)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capfd.readouterr()
        try:
            cli.main()
            code = 0
        except SystemExit as done:
            code = done.code
        out, err = capfd.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return run


@pytest.fixture
def data(tmp_path, shelf_folder):
    """The data folder, with a shelf of the three small documents."""
    data = tmp_path / "data"
    data.mkdir()
    (shelf_folder / "shelves").rename(data / "shelves")
    return data


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


# --- search and ask -------------------------------------------------------------------------------


def test_search_prints_hits_as_json(prep, data):
    done = prep("search", "What is a Pod in Kubernetes?", "--json", "--limit", "2")
    assert done.code == 0
    first, second = json.loads(done.out)
    assert set(first) == {"rank", "score", "url", "deep_url", "title", "topic", "heading", "text"}
    assert (first["rank"], first["url"], first["topic"], first["title"]) == (1, PODS.url, "DevOps", "Pods")
    assert first["score"] >= second["score"]
    assert first["text"] in PODS.text
    assert first["deep_url"].startswith(f"{PODS.url}#:~:text=")


def test_search_prints_hits_for_people(prep, data):
    done = prep("search", "ring cost")
    assert done.code == 0
    assert done.out.startswith("1 Ring-allreduce explained > ")
    assert RING.url in done.out
    assert "\x1b" not in done.out


def test_search_reads_questions_from_lines(prep, data):
    done = prep(
        "search", "--jsonl", "--limit", "1", stdin=b'{"id": "a", "question": "Pods"}\n\n{"question": "cache"}\n'
    )
    assert done.code == 0
    one, other = lines(done.out)
    assert (one["id"], [hit["url"] for hit in one["hits"]]) == ("a", [PODS.url])
    assert (other["id"], [hit["url"] for hit in other["hits"]]) == ("3", [CACHES.url])


def test_search_keeps_to_a_topic(prep, data):
    found = json.loads(prep("search", "ring", "--topic", "devops", "--json").out)
    assert {hit["url"] for hit in found} == {PODS.url}
    assert json.loads(prep("search", "ring", "--topic", "nowhere", "--json").out) == []


def test_ask_prints_an_answer_as_json(prep, data):
    done = prep("ask", ASK, "--json")
    assert done.code == 0
    told = json.loads(done.out)
    assert set(told) >= {"question", "mode", "abstained", "answer", "sentences", "citations", "missing", "timings"}
    assert (told["question"], told["mode"], told["abstained"]) == (ASK, "extractive", False)
    numbers = {citation["n"] for citation in told["citations"]}
    for sentence in told["sentences"]:
        assert set(sentence) == {"text", "citations", "support"}
        assert sentence["support"] in {"supported", "weak", "unsupported"}
        assert set(sentence["citations"]) <= numbers
    texts = {document.url: document for document in (RING, PODS, CACHES)}
    for citation in told["citations"]:
        assert set(citation) == CITATION
        assert texts[citation["url"]].text[citation["start"] : citation["end"]] == citation["quote"]
        assert citation["sha256"] == texts[citation["url"]].sha256


def test_ask_prints_markdown_into_a_pipe(prep, data):
    done = prep("ask", ASK)
    assert done.code == 0
    assert "[1]" in done.out
    assert "\nSources:\n" in done.out
    assert f"](<{RING.url}" in done.out
    assert "\x1b" not in done.out + done.err


def test_ask_answers_lines_with_what_was_said_before(prep, data):
    asked = [
        {"id": 7, "question": "What is a Pod?"},
        {
            "id": "then",
            "question": "and what replaces them?",
            "history": [
                {"role": "user", "content": "What is a Pod in Kubernetes?"},
                {"role": "assistant", "content": "The smallest unit [1]."},
            ],
        },
        {"id": None, "question": "cache stampede", "history": None},
    ]
    done = prep("ask", "--jsonl", stdin="\n".join(map(json.dumps, asked)).encode())
    assert done.code == 0
    told = lines(done.out)
    assert [one["id"] for one in told] == [7, "then", None]
    assert [one["question"] for one in told] == [one["question"] for one in asked]
    assert PODS.url in {citation["url"] for citation in told[1]["citations"]}


@pytest.mark.parametrize(
    "line",
    [
        b"no json",
        b'{"id": 1}',
        b'{"question": null}',
        b'{"question": 5}',
        b'"a string"',
        b"[1]",
        b"null",
        b"\xff\xfe\xff",
        b'{"question": "x", "history": 5}',
        b'{"question": "x", "history": ["said"]}',
        b'{"question": "x", "history": [{"role": "user"}]}',
        b"[" * 100_000,
    ],
    ids=lambda line: line[:30].decode("latin-1"),
)
@pytest.mark.parametrize("command", ["ask", "search"])
def test_a_line_that_is_no_question_is_named_and_the_others_are_answered(prep, data, command, line):
    done = prep(
        command, "--jsonl", stdin=b'{"id": "a", "question": "Pods"}\n' + line + b'\n{"id": "b", "question": "ring"}'
    )
    assert [one["id"] for one in lines(done.out)] == ["a", "b"]
    assert 'line 2 is no question; each line is like {"id": "1", "question": "..."}' in done.err
    assert done.code == 1


@pytest.mark.parametrize("command", ["ask", "search"])
def test_a_question_that_cannot_be_answered_does_not_end_the_others(prep, data, command):
    asked = [
        {"id": "empty", "question": " "},
        {"id": "long", "question": "x" * 5000},
        {"id": "good", "question": "Pods"},
    ]
    done = prep(command, "--jsonl", stdin="\n".join(map(json.dumps, asked)).encode())
    empty, long, good = lines(done.out)
    assert (empty["id"], "empty" in empty["error"]) == ("empty", True)
    assert (long["id"], "at most 4,000" in long["error"]) == ("long", True)
    assert good["id"] == "good"
    assert "error" not in good
    assert "prep: line 1: " in done.err
    assert done.code == 1


def test_no_lines_are_no_answers(prep, data):
    done = prep("ask", "--jsonl", stdin=b"\n\n")
    assert (done.code, done.out, done.err) == (0, "", "")


# --- what goes wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["ask", ""], 1, "the question is empty; ask something"),
        (["ask"], 1, "the question is empty"),
        (["search", " "], 1, "the question is empty"),
        (["ask", "x" * 5000], 1, "ask with at most 4,000"),
        (["search", "x", "--limit", "0"], 2, "limit"),
        (["search", "x", "--limit", "many"], 2, "limit"),
        (["nothing"], 2, "No such command"),
        (["ask", "x", "--nothing"], 2, "No such option"),
        (["ask", "x", "y"], 2, "unexpected extra argument"),
        (["read"], 2, "Missing argument"),
        (["read", ""], 1, "empty"),
        (["read", "rings", "--time", "soon"], 2, "'soon' is no time; write 3h, 90 min or 1h30"),
        (["chat", "--host", "0.0.0.0"], 1, "use `prep serve`"),
        (["chat", "--port", "0"], 2, "port"),
        (["serve"], 1, "set PREPSHELF_SECRET"),
        (["eval", "beir", "--data", "/nowhere"], 2, "does not exist"),
    ],
)
def test_a_wrong_call_ends_with_its_code_and_the_cure(prep, data, words, code, said):
    done = prep(*words)
    assert (done.code, done.out) == (code, "")
    assert said in " ".join(re.sub(r"[│╭╮╰╯─]", " ", done.err).split())
    assert "Traceback" not in done.err


@pytest.mark.parametrize("words", [["ask", "x"], ["search", "x"], ["ask", "--jsonl"]])
def test_without_a_shelf_the_cure_is_named(prep, words):
    done = prep(*words)
    assert (done.code, done.out) == (1, "")
    assert done.err.count("\n") == 1
    assert "holds no shelf; run `prep ingest` to build one" in done.err


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PREPSHELF_PORTS", "many", ["ask", "x"]),
        ("PREPSHELF_ALLOW", "here", ["status"]),
        ("PREPSHELF_RUNNING", "many", ["serve"]),
        ("PREPSHELF_DEADLINE", "soon", ["serve"]),
    ],
)
def test_a_setting_that_cannot_be_read_is_named(prep, data, monkeypatch, name, value, words):
    monkeypatch.setenv(name, value)
    done = prep(*words)
    assert done.code == 1
    assert name in done.err
    assert "Traceback" not in done.err


def test_a_shelf_of_another_encoder_is_refused_with_the_cure(prep, data, monkeypatch):
    other = FakeEncoder()
    other.name = "other@2"
    monkeypatch.setattr("index.encoder.load", lambda *_, **__: other)
    done = prep("ask", ASK)
    assert done.code == 1
    assert "was built with fake@1; run `prep index` to rebuild it with other@2." in done.err


def test_a_folder_without_a_model_is_refused_with_the_cure(prep, data, monkeypatch, tmp_path):
    monkeypatch.undo()
    monkeypatch.setenv("PREPSHELF_DATA", str(data))
    monkeypatch.setenv("PREPSHELF_ENCODER", str(tmp_path / "nowhere"))
    done = prep("ask", ASK)
    assert done.code == 1
    assert "set PREPSHELF_ENCODER to a folder that does" in done.err


def test_ctrl_c_ends_it_with_130_and_a_word_on_what_is_kept(prep, data, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(build, "build", interrupted)
    done = prep("index")
    assert done.code == 130
    assert done.err == "prep: stopped; what was done is kept, and the last good shelf still serves.\n"
    monkeypatch.setattr("app.assistant.Assistant.search", interrupted)
    assert prep("search", "x").code == 130


@pytest.mark.parametrize("words", [["index"], ["ingest", "--offline"]])
def test_two_runs_do_not_write_at_once(prep, data, words):
    with Folder(data).alone():
        done = prep(*words)
    assert done.code == 1
    assert f"being written to by process {os.getpid()}; wait until" in done.err


def test_a_data_folder_that_cannot_be_written_is_named(prep, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PREPSHELF_DATA", str(tmp_path / "file"))
    for words in (["ingest", "--offline"], ["index"], ["status"]):
        done = prep(*words)
        assert "Traceback" not in done.err
        assert done.code == 1 or words == ["status"]
    assert str(tmp_path / "file") in prep("ingest", "--offline").err


# --- help -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("ingest", ["--warc", "--saved", "--only", "--refresh", "--offline"]),
        ("index", []),
        ("search", ["--limit", "--topic", "--json", "--jsonl"]),
        ("ask", ["--topic", "--json", "--jsonl"]),
        ("read", ["--time", "--json"]),
        ("status", ["--json"]),
        ("chat", ["--port"]),
        ("eval", ["--data"]),
    ],
)
def test_help_names_what_a_command_takes(prep, command, options):
    done = prep(command, "--help")
    assert done.code == 0
    assert set(options) <= set(re.findall(r"--[a-z]+", done.out))


@pytest.mark.parametrize("words", [["--help"], ["-h"], []])
def test_help_names_the_commands(prep, words):
    done = prep(*words)
    assert done.code in ({0} if words else {0, 2})
    for command in ("ingest", "index", "search", "ask", "status", "chat", "eval"):
        assert command in done.out + done.err


# --- ingest, index, status ------------------------------------------------------------------------


def test_from_a_recorded_page_to_an_answer(prep, warc, tmp_path):
    done = prep("ingest", "--warc", warc({URL: ("text/html", PAGE)}), "--offline")
    assert done.code == 0, done.err
    assert done.out == ""
    assert "1 pages read, 0 unchanged." in done.err
    assert re.search(r"Published shelf \S+: 2 passages; 2 embedded anew\.", done.err)
    assert "\r" not in done.err
    assert "\x1b" not in done.err
    assert (tmp_path / "data" / "documents" / "rings.example.org").is_dir()

    told = json.loads(prep("ask", ASK, "--json").out)
    assert URL in {citation["url"] for citation in told["citations"]}

    again = prep("index")
    assert (again.code, again.out) == (0, "")
    assert re.fullmatch(r"The documents are unchanged; shelf \S+ still serves\.\n", again.err)

    replayed = prep("ingest", "--offline")
    assert "0 pages read, 1 unchanged." in replayed.err
    assert "The documents are unchanged" in replayed.err

    told = json.loads(prep("status", "--json").out)
    assert {"version", "encoder", "documents", "passages"} <= set(told["shelf"])
    rows = {row["url"]: row for row in told["resources"]}
    shape = {"url", "title", "topic", "kind", "status", "words", "reason", "fix", "fetched_at"}
    assert all(set(row) >= shape for row in rows.values())
    assert rows[URL]["status"] == "full text"
    assert rows[URL]["words"] > 30
    curated = [row for row in rows.values() if row["kind"] != "note" and row["url"] != URL]
    assert len(curated) == 115
    assert all(row["reason"] for row in curated)


def test_read_prints_a_list_for_people_and_for_scripts(prep):
    prep("ingest", "--offline")
    done = prep("read", "message queues and consumers", "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert set(told) >= {"request", "items", "gaps"}
    (note,) = [item for item in told["items"] if item["kind"] == "note"]
    assert set(note) >= {"url", "title", "kind", "stage", "minutes", "why", "quote", "deep_url", "status"}
    assert (note["url"], note["stage"], note["status"]) == ("ingest/starter/queues.md", "crawl", "full text")
    assert note["quote"].startswith("A queue holds messages") or note["quote"].startswith("A consumer acknowledges")
    shown = prep("read", "message queues and consumers", "--time", "20 min")
    assert shown.code == 0
    assert "Queues" in shown.out
    assert "\x1b" not in shown.out


def test_status_prints_a_table_with_totals(prep):
    prep("ingest", "--offline")
    done = prep("status")
    assert done.code == 0
    assert "Distributed computing" in done.out
    assert "115 links: " in done.out
    assert "1 notes of this project" in done.out
    assert "answers are quoted; no language model is set or found" in done.out
    assert "\x1b" not in done.out


def test_status_of_nothing_says_how_to_begin(prep):
    done = prep("status")
    assert done.code == 0
    assert "no shelf yet; run `prep ingest`" in done.out
    assert json.loads(prep("status", "--json").out) == {"shelf": {}, "resources": [], "llm": None}


def test_status_as_a_page(prep, tmp_path):
    prep("ingest", "--offline")
    done = prep("status", "--html", tmp_path / "page.html")
    assert (done.code, done.out) == (0, "")
    assert "115 links have text" in (tmp_path / "page.html").read_text()


def test_index_without_documents_names_the_cure(prep):
    done = prep("index")
    assert done.code == 1
    assert "no passage to put on a shelf; `prep ingest`" in done.err


def test_a_list_of_ones_own(prep, tmp_path, warc):
    listed = tmp_path / "mine.md"
    listed.write_text(f"# Mine\n## Rings\n- [A ring]({URL}) - worth it\n- <https://other.example.org/>\n")
    done = prep("ingest", listed, "--warc", warc({URL: ("text/html", PAGE)}), "--offline")
    assert done.code == 0, done.err
    rows = {row["url"]: row for row in json.loads(prep("status", "--json").out)["resources"]}
    assert (rows[URL]["topic"], rows[URL]["title"], rows[URL]["status"]) == ("Rings", "A ring", "full text")
    assert rows["https://other.example.org/"]["status"] == "not fetched"
    assert prep("ingest", listed, "--only", "rings", "--offline").code == 0
    refused = prep("ingest", listed, "--only", "bananas", "--offline")
    assert refused.code == 1
    assert "no topic is like 'bananas'; there are: Rings" in refused.err


@pytest.mark.parametrize(
    ("name", "content", "option", "said"),
    [
        ("empty.md", b"", "", "empty.md"),
        ("plain.md", b"# A list\n\nwithout any links.\n", "", "plain.md"),
        ("binary.md", bytes(range(256)) * 10, "", "binary.md"),
        ("missing.md", None, "", "missing.md"),
        ("missing.warc.gz", None, "--warc", "missing.warc.gz"),
        ("empty.warc.gz", b"", "--warc", "empty.warc.gz"),
        ("page.warc", b"<html>no archive</html>", "--warc", "page.warc"),
        ("zip.warc.gz", b"\x1f\x8b\x08\x00 cut", "--warc", "zip.warc.gz"),
        ("nowhere", None, "--saved", "nowhere"),
    ],
)
def test_input_that_is_not_what_it_should_be_is_named_and_what_was_there_still_serves(
    prep, data, tmp_path, name, content, option, said
):
    before = describe(data / "shelves")
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    done = prep("ingest", "--offline", *[option][: bool(option)], path)
    assert done.code in {1, 2}
    assert said in "".join(done.err.split())
    assert "Traceback" not in done.err
    assert describe(data / "shelves") == before
    assert prep("ask", ASK).code == 0


def test_an_archive_that_is_cut_off_is_read_up_to_there(prep, warc, tmp_path):
    pages = {f"{URL}/{n}": ("text/html", PAGE.replace(b"two phases", b"%d phases" % n)) for n in range(3)}
    whole = warc(pages)
    whole.write_bytes(whole.read_bytes()[:-40])
    done = prep("ingest", "--warc", whole, "--offline")
    assert done.code == 0, done.err
    assert "is damaged after record 2" in done.err
    rows = {row["url"]: row["status"] for row in json.loads(prep("status", "--json").out)["resources"]}
    assert {url for url in rows if url.startswith(URL)} >= {f"{URL}/0", f"{URL}/1"}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/octet-stream", bytes(range(256)) * 20),
        ("text/html", b""),
        ("application/pdf", b"%PDF-1.4 cut"),
        ("text/html", b"<html><body><h1>404</h1><p>Page not found</p></body></html>"),
    ],
    ids=["unknown", "empty", "broken", "error"],
)
def test_a_record_that_is_no_text_ends_with_a_stated_reason(prep, warc, kind, body):
    assert prep("ingest", "--warc", warc({URL: (kind, body)}), "--offline").code == 0
    rows = {row["url"]: row for row in json.loads(prep("status", "--json").out)["resources"]}
    assert rows[URL]["status"] not in {"full text", "transcript"}
    assert rows[URL]["reason"]


# --- progress -------------------------------------------------------------------------------------


def test_progress_is_drawn_on_a_terminal_and_nowhere_else(monkeypatch, capfd):
    assert list(cli._track(iter("abc"), "Embedding", 3)) == ["a", "b", "c"]
    assert capfd.readouterr() == ("", "")
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setenv("TERM", "xterm")
        assert list(cli._track(iter("abc"), "Embedding", 3)) == ["a", "b", "c"]
        terminal.flush()
        drawn = ""
        while "3/3" not in drawn and select.select([ours], [], [], 5)[0]:
            drawn += os.read(ours, 65536).decode()
    os.close(ours)
    assert "Embedding" in drawn
    assert "3/3" in drawn


# --- accounts -------------------------------------------------------------------------------------


def test_accounts_are_entered_listed_and_removed(prep):
    assert prep("users", "add", "alice", stdin=b"correct horse battery staple\n").code == 0
    assert prep("users", "list").out == "alice\n"
    weak = prep("users", "add", "bob", stdin=b"short\n")
    assert weak.code == 1
    assert weak.err.startswith("prep: ")
    assert prep("users", "remove", "alice").code == 0
    assert prep("users", "list").out == ""


# --- as the system sees it ------------------------------------------------------------------------


@pytest.mark.slow
def test_a_reader_that_goes_away_and_ctrl_c_end_it_without_a_traceback(prep, data, tmp_path):
    script = tmp_path / "prep.py"
    script.write_text(
        "import sys\n"
        f"sys.path[:0] = {[str(path) for path in (ROOT, ROOT / 'tests')]!r}\n"
        "import cli\nfrom conftest import FakeEncoder\nfrom index import encoder\n"
        "encoder.load = lambda *_, **__: FakeEncoder()\ncli.main()\n"
    )
    asked = b'{"question": "ring"}\n'
    words = [sys.executable, str(script), "search", "--jsonl"]

    def started() -> subprocess.Popen[bytes]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(words, **pipes)
        process.stdin.write(asked)
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["hits"]
        return process

    gone = started()
    gone.stdout.close()
    gone.stdin.write(asked)
    gone.stdin.close()
    said = gone.stderr.read().decode()
    assert "Traceback" not in said
    assert gone.wait() == 1

    stopped = started()
    stopped.send_signal(signal.SIGINT)
    said = stopped.stderr.read().decode()
    assert said == "prep: stopped; what was done is kept, and the last good shelf still serves.\n"
    assert stopped.wait() == 130
    for process in (gone, stopped):
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()


# --- text that is none, and data that is damaged ---------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ["ask", "ring \udcff"],
        ["search", "ring \udcff"],
        ["read", "rings \udcff"],
        ["ask", "ring", "--topic", "\udcff"],
        ["ask", "ring \ud800 \0"],
    ],
)
def test_bytes_that_are_no_text_are_taken_for_a_character_that_says_so(prep, data, words):
    done = prep(*words)
    assert (done.code, "Traceback" in done.err) == (0, False)


def test_a_question_of_such_bytes_alone_is_empty(prep, data):
    done = prep("ask", "\udcff")
    assert (done.code, done.out) == (1, "")
    assert "the question is empty" in done.err


def test_a_line_with_half_a_character_does_not_end_the_others(prep, data):
    asked = [
        rb'{"id": "1", "question": "\ud800"}',
        rb'{"id": "2\udfff", "question": "How does a ring \ud83d\ude00 \ud800 sum?", "history": [{"role": "user", "content": "\ud800"}]}',
        rb'{"id": "3", "question": "What is a Pod?"}',
    ]
    done = prep("ask", "--jsonl", stdin=b"\n".join(asked))
    first, *others = lines(done.out)
    assert (done.code, first["id"], "the question is empty" in first["error"]) == (1, "1", True)
    assert [other["id"] for other in others] == ["2\ufffd", "3"]
    assert all(other["answer"] for other in others)


@pytest.mark.parametrize("password", [b"\xff" * 20, b"", b"short\n"])
def test_a_password_that_will_not_do_is_refused_with_a_line(prep, data, password):
    done = prep("users", "add", "ann", stdin=password)
    assert done.code == 1
    assert done.err.startswith("prep: ")
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PREPSHELF_RUNNING", "nan"),
        ("PREPSHELF_URL", "http://["),
        ("PREPSHELF_DATABASE", "nonsense"),
        ("PREPSHELF_DATABASE", "mysql://x/y"),
    ],
)
def test_an_operators_setting_that_will_not_do_is_named(prep, data, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    for words in (["serve"], ["users", "list"]):
        done = prep(*words)
        assert (done.code, done.err.startswith(f"prep: {name} ")) == (1, True)


def test_a_damaged_shelf_is_told_while_the_last_good_one_answers_and_index_heals_it(prep, warc, tmp_path):
    data = tmp_path / "data"
    other = re.sub(
        rb"<p>.*</p>", b"<p>A queue holds messages until a consumer takes them, and then forgets them.</p>" * 9, PAGE
    )
    for n, page in enumerate((PAGE, other)):
        archive = warc({f"{URL}/{n}": ("text/html", page)}, f"{n}.warc.gz")
        assert prep("ingest", "--offline", "--warc", archive).code == 0
    good, new = sorted(path.name for path in (data / "shelves").iterdir() if path.is_dir())
    path = data / "shelves" / new / "shelf.db"
    content = path.read_bytes()
    path.write_bytes(content.replace(b"scatter-reduce", b"scatter-reduxe"))
    asked = prep("ask", ASK, "--json")
    assert (asked.code, "reduxe" in asked.out) == (0, False)
    assert f"{path} is not what was published; run `prep index`" in asked.err
    assert f"Shelf {good} answers meanwhile" in asked.err
    told = prep("status", "--json")
    said = json.loads(told.out)
    assert (told.code, said["shelf"]["version"], len(said["wrong"])) == (0, good, 1)
    assert str(path) in said["wrong"][0]
    assert str(path) in prep("status").err
    assert "Published shelf" in prep("index").err
    assert "wrong" not in json.loads(prep("status", "--json").out)
    assert prep("ask", ASK).err == ""


@pytest.mark.parametrize("content", [None, b""])
def test_a_ledger_that_is_gone_is_told_and_not_taken_for_one_without_links(prep, warc, tmp_path, content):
    assert prep("ingest", "--offline", "--warc", warc({URL: ("text/html", PAGE)})).code == 0
    path = tmp_path / "data" / "ledger.db"
    for each in path.parent.glob("ledger.db*"):
        each.unlink()
    if content is not None:
        path.write_bytes(content)
    assert "ledger.db is empty or gone, though texts were read" in prep("status").err
    assert "ledger.db is empty or gone" in json.loads(prep("status", "--json").out)["wrong"][0]
    assert prep("ask", ASK).code == 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_whatever_byte_under_data_is_damaged_questions_are_answered_and_nothing_ends_in_a_traceback(
    prep, warc, tmp_path, seed
):
    data, dice = tmp_path / "data", random.Random(seed)
    archive = warc({URL: ("text/html", PAGE)})
    assert prep("ingest", "--offline", "--warc", archive).code == 0
    whole = {path: path.read_bytes() for path in sorted(data.rglob("*")) if path.is_file()}
    filled = [path for path, content in whole.items() if content]
    for _ in range(10):
        damaged = dice.choice(filled)
        content = bytearray(whole[damaged])
        content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
        damaged.write_bytes(content)
        asked, told, built = prep("ask", ASK), prep("status", "--json"), prep("index")
        for done in (asked, told, built):
            assert "Traceback" not in done.err, (damaged, done.err)
            assert done.code == 0 or done.err.startswith("prep: "), (damaged, done.err)
        if "shelves" in damaged.parts:  # the only shelf there is: it cannot answer, and is built anew
            assert "wrong" in json.loads(told.out), damaged
            assert (built.code, prep("ask", ASK).code) == (0, 0)
        else:
            assert asked.code == 0, (damaged, asked.err)
        shutil.rmtree(data)
        for path, before in whole.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(before)
