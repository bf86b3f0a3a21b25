"""The offline promise: from an archive to a cited answer, with no way out and nobody so much as trying one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest
from conftest import FakeEncoder

from app.answer import REFUSAL
from index import build, split, store
from index.manifest import describe
from ingest import catalogue
from ingest.archive import scan
from ingest.document import Document, read
from ingest.folder import Folder
from ingest.ledger import HAS_TEXT, Entry, open_ledger
from ingest.status import Status
from ingest.webpage import squeeze

ROOT = Path(__file__).resolve().parent.parent
ASK = "how does ring-allreduce work?"
ELSE = "Who won the football world cup of 1998?"
RING = "https://rings.example.org/ring-allreduce"
WALLED = "https://walled.example.org/"
TREE = "https://trees.example.org/tree-allreduce"
RING_PAGE = """<!doctype html><html lang="en"><head><title>Ring-allreduce, step by step</title></head><body>
<nav><a href="/">Home</a><a href="/blog">Blog</a></nav><article><h1>Ring-allreduce, step by step</h1>
<p>Ring-allreduce is an algorithm that sums a buffer over N workers, each of which talks to its two neighbours only.</p>
<h2>Two phases</h2><p>Ring-allreduce works in two phases, a scatter-reduce and an allgather. In the scatter-reduce, each
worker sends one of N segments to its neighbour in every one of N-1 steps, and adds what it receives to its own. In the
allgather, the finished segments travel around the ring in N-1 further steps, so that 2(N-1) steps are taken in all.</p>
<h2>Cost</h2><p>Each worker sends 2(N-1)/N times the size of the buffer, which stays below twice the buffer however many
workers join the ring.</p></article><footer>Copyright 2026 Example Inc.</footer></body></html>"""
TREE_PAGE = """<!doctype html><html lang="en"><head><title>Trees against rings</title></head><body><article>
<h1>Trees against rings</h1><p>A tree-based allreduce takes a number of steps that grows with the logarithm of the number
of workers, so it has the lower latency for small buffers. Ring-allreduce has the better bandwidth for large buffers,
because all links carry data at the same time.</p><p>Libraries measure both and switch between ring-allreduce and trees
by the size of the message and the number of workers that take part in it.</p></article></body></html>"""
LOGIN = """<!doctype html><html><head><title>Log in</title></head><body><h1>Log in to continue</h1><form><input
type="password"></form><p>Please sign in to your account to read this article. Forgot your password? Create one.</p>
</body></html>"""

# Every Python process that is started says so when it tries to reach anything, and fails to.
GUARD = """
import os, socket
def refused(what):
    def refuse(*args, **kwargs):
        if args and isinstance(args[0], socket.socket):
            if args[0].family == socket.AF_UNIX:
                return what(*args, **kwargs)
            args = args[1:]
        host = args[0][0] if isinstance(args[0], tuple) else args[0]
        if host not in ("localhost", "127.0.0.1", "::1"):  # where a language model may be looked for
            with open({log!r}, "a") as log:
                print(os.getpid(), what.__name__, args, file=log)
        raise OSError("there is no network")
    return refuse
for name in ("connect", "connect_ex", "sendto"):
    setattr(socket.socket, name, refused(getattr(socket.socket, name)))
for name in ("getaddrinfo", "gethostbyname", "create_connection"):
    setattr(socket, name, refused(getattr(socket, name)))
"""
# `prep`, one command after another, with a single one of our own notes: a process of torch takes seconds to start.
COMMANDS = """
import contextlib, io, json, sys
from pathlib import Path

def run(words):
    sys.argv = ["prep", *words]
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        try:
            cli.main()
            code = 0
        except SystemExit as done:
            code = done.code
    return code, out.getvalue(), err.getvalue()

if __name__ == "__main__":  # the parsers are processes that import this, too
    import cli
    import ingest.notes
    ingest.notes.STARTER = Path({starter!r})
    print(json.dumps([run(words) for words in json.loads(sys.argv[1])]))
"""


@pytest.fixture
def prep(tmp_path) -> Callable[..., list[tuple[int, str, str]]]:
    """Runs commands of `prep` in a process without a network and with an empty home: (exit code, stdout, stderr)."""
    starter, guard, home = (tmp_path / name for name in ("starter", "guard", "home"))
    for folder in (starter, guard, home):
        folder.mkdir()
    shutil.copy(ROOT / "ingest" / "starter" / "caching.md", starter)
    (guard / "sitecustomize.py").write_text(GUARD.format(log=str(tmp_path / "tried")))
    (tmp_path / "prep.py").write_text(COMMANDS.format(starter=str(starter)))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREPSHELF", "OPENAI", "HF_"))}
    env = kept | {
        "HOME": str(home),
        "PREPSHELF_DATA": str(tmp_path / "data"),
        "PYTHONPATH": f"{guard}{os.pathsep}{ROOT}",
        "PYTHONWARNINGS": "ignore",
    }
    # Where the system allows it, the process has no network at all, whatever language its libraries are written in.
    alone = ["unshare", "-rn"] if shutil.which("unshare") else []
    if alone and subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        alone = []

    def run(*commands: list[str]) -> list[tuple[int, str, str]]:
        command = [*alone, sys.executable, str(tmp_path / "prep.py"), json.dumps(commands)]
        done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return json.loads(done.stdout)

    return run


def test_from_an_archive_to_a_cited_answer_without_a_network(prep, warc, tmp_path):
    pages = {RING: ("text/html", RING_PAGE.encode()), TREE: ("text/html", TREE_PAGE.encode())}
    recorded = warc({**pages, WALLED: ("text/html", LOGIN.encode())})
    ingested, indexed, asked, refused, listed = prep(
        ["ingest", "--warc", str(recorded), "--offline"],
        ["index"],
        ["ask", ASK, "--json"],
        ["ask", ELSE],
        ["status", "--json"],
    )
    assert [code for code, _, _ in (ingested, indexed, asked, refused, listed)] == [0, 0, 0, 0, 0]
    assert "Published shelf" in ingested[2]
    assert ingested[1] == ""
    assert not {"\r", "\x1b"} & set(ingested[2]), "no progress is drawn where there is no terminal"
    assert "The documents are unchanged" in indexed[2]

    told = json.loads(asked[1])
    assert (told["mode"], told["abstained"]) == ("extractive", False)
    assert RING in {citation["url"] for citation in told["citations"]}
    for words in ("scatter-reduce", "allgather", "2(N-1) steps"):
        assert words in told["answer"]
    check_quotes(told, {each.url: each for each in documents(tmp_path / "data")})

    assert refused[1].startswith(REFUSAL)
    rows = {row["url"]: row for row in json.loads(listed[1])["resources"]}
    assert rows[WALLED]["status"] in {"walled", "rejected"}
    assert rows[WALLED]["reason"]
    tried = tmp_path / "tried"
    assert not tried.exists(), tried.read_text()


def documents(data: Path) -> list[Document]:
    """All documents that the ledger names."""
    folder = Folder(data)
    return [read(folder.documents / entry.row.document) for entry in entries(data) if entry.row.document]


def entries(data: Path) -> list[Entry]:
    with open_ledger(Folder(data).ledger) as book:
        return book.entries()


def check_quotes(told: dict, held: dict[str, Document]) -> None:
    """Every quote of an answer as JSON is verbatim, and its text fragment stands once on its page."""
    for citation in told["citations"]:
        document = held[citation["url"]]
        assert document.sha256 == citation["sha256"]
        assert document.text[citation["start"] : citation["end"]] == citation["quote"]
        _, found, fragment = citation["deep_url"].partition("#:~:text=")
        if found:
            assert occurrences(fragment, document.page_text or document.text) == 1, citation


def occurrences(fragment: str, page: str) -> int:
    first, _, last = (unquote(part).casefold() for part in fragment.partition(","))
    text = squeeze(page).casefold()
    starts = [found.end() for found in re.finditer(re.escape(first), text)]
    return sum(last in text[end:] for end in starts)


# --- the recorded pages ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A data folder with the recorded pages; PREPSHELF_RECORDED names one that was ingested before."""
    archive = ROOT.parent / "shared" / "web" / "resources.warc.gz"
    if not archive.exists():
        pytest.skip("../shared with the recorded pages is not here")
    if known := os.environ.get("PREPSHELF_RECORDED"):
        return Path(known)
    data = tmp_path_factory.mktemp("recorded")
    env = {**os.environ, "PREPSHELF_DATA": str(data), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(ROOT / "cli.py"), "ingest", "--warc", str(archive), "--offline"]
    subprocess.run(command, env=env, check=True, capture_output=True)
    return data


@pytest.mark.shared
@pytest.mark.slow
class TestRecordedPages:
    def test_every_record_ends_as_a_document_or_with_a_stated_reason(self, recorded, shared):
        captures = list(scan(shared / "web" / "resources.warc.gz", damaged=pytest.fail))
        assert len(captures) == 383
        rows = {entry.row.url: entry.row for entry in entries(recorded)}
        mended = {resource.fetch: rows[resource.url] for resource in catalogue.built_in() if resource.fetch}
        of = {address: row for row in rows.values() for address in (row.final, row.paper)} | mended | rows
        manifest = [json.loads(line) for line in (shared / "web" / "manifest.jsonl").read_text().splitlines()]
        ended = 0
        for record in manifest:
            row = of.get(record["url"]) or of.get(record["served_at"])
            assert row, f"{record['served_at']} is in no row"
            assert row.document or row.reason, row
            assert row.status is not Status.PENDING, row
            ended += 1
        assert ended == 383

    def test_no_trap_becomes_a_document(self, recorded):
        traps = r"log ?in|sign ?in|consent|cookie|verify you are|are you a human|too many requests|page not found|404"
        for document in documents(recorded):
            if document.words < 400 and document.form == "html":
                head = f"{document.title}\n{document.text[:300]}"
                assert not re.search(traps, head, re.IGNORECASE), (document.url, head)

    def test_every_row_without_text_says_why(self, recorded):
        for entry in entries(recorded):
            assert entry.row.status in HAS_TEXT or entry.row.reason, entry.row

    def test_every_passage_is_its_stretch_of_its_document(self, recorded):
        held = {each.url: each for each in documents(recorded)}
        shelf = store.open_shelf(recorded / "shelves")
        count = 0
        for passage, source in shelf.passages(range(shelf.manifest.passages)):
            document = held[source.url]
            assert document.sha256 == source.sha256
            assert document.text[passage.start : passage.end] == passage.text
            count += 1
        assert count > 10_000

    def test_no_passage_is_longer_than_the_encoder_sees(self, recorded):
        from test_split import pieces_of

        shelf = store.open_shelf(recorded / "shelves")
        texts = [passage.text for passage, _ in shelf.passages(range(shelf.manifest.passages))]
        assert max(pieces_of(texts)) <= split.PIECES

    def test_a_second_build_has_nothing_to_do(self, recorded):
        class Idle(FakeEncoder):
            def count(self, texts):
                raise AssertionError("there was something to do")

        encoder = Idle()
        encoder.name = describe(recorded / "shelves").encoder
        with open_ledger(Folder(recorded).ledger) as book:
            found = build.readable(book, Folder(recorded).documents, pytest.fail)
            listings = build.listed(book)
        assert not build.build(found, encoder, recorded, listings=listings).new

    def test_every_quote_that_is_shown_is_verbatim_and_linked_where_it_stands(self, recorded):
        from app.assistant import Assistant

        assistant = Assistant.open(recorded)
        held = {each.url: each for each in documents(recorded)}
        titles = [source.title for source in assistant.shelf.sources()]
        asked = [*QUESTIONS, *(f"What is {title}?" for title in titles[::25])]
        shown = 0
        for question in asked:
            told = assistant.ask(question).as_json()
            check_quotes(told, held)
            assert all(sentence["citations"] for sentence in told["sentences"])
            shown += len(told["citations"])
        assert shown > 3 * len(QUESTIONS)

    def test_ring_allreduce_is_explained_from_two_sources_or_more(self, recorded):
        from app.assistant import Assistant

        answer = Assistant.open(recorded).ask(ASK)
        assert answer.sentences and answer.sections
        assert len({citation.url for citation in answer.citations}) >= 2
        assert "scatter-reduce" in answer.text
        assert re.search(r"all-?gather", answer.text)
        assert re.search(r"2 ?\(N ?[-−–] ?1\)", answer.text)
        assert re.search(r"2 ?\(N ?[-−–] ?1\) ?/ ?N", answer.text)
        assert re.search(r"does not (?:depend|grow)|independent of|stays below|constant|regardless", answer.text)
        assert len({citation.url for citation in answer.citations if citation.kind != "note"}) >= 2


QUESTIONS = (
    ASK,
    "What is a feature store?",
    "blue/green vs canary deployment",
    "What are the SOLID principles?",
    "How do parameter servers work?",
    "What is the CAP theorem?",
    "How many GPUs were used?",
    "why do caches fail?",
    "list the kinds of parallelism",
    "What is a Pod?",
    "How does Kafka order messages?",
    "what is data drift and how is it found?",
)
