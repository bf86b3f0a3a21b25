"""Bad input: a clear message and a status, exit code 1 or 2, and what was there before still works."""

from __future__ import annotations

import errno
import gzip
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import a_pdf
from ingesting import a_list, article, ingest, rows, text_of
from loopback import Reply, Site

from ingest import IngestError, archive, document, job
from ingest.folder import Folder
from ingest.ledger import open_ledger
from ingest.status import Status

ROOT = Path(__file__).resolve().parent.parent
URL = "https://site.test/a"


@pytest.fixture
def shelf(tmp_path, warc):
    """A data folder with one document, the list it is of, and the archive it came from."""
    links = a_list(tmp_path, [URL])
    recorded = warc({URL: ("text/html", article("A ring", 1).encode())})
    ingest(tmp_path / "data", links, warcs=(recorded,))
    return tmp_path / "data", links, recorded


def still_there(folder):
    return rows(folder)[URL].status is Status.TEXT and "Machine 1-0" in text_of(folder, URL).text


# --- archives -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.warc.gz", "a.warc"])
def test_a_truncated_archive_is_read_up_to_its_damage(tmp_path, warc, name):
    pages = {f"https://site.test/{n}": ("text/html", article(f"Page {n}", n).encode()) for n in range(9)}
    whole = warc(pages, name).read_bytes()
    cut = tmp_path / f"cut-{name}"
    cut.write_bytes(whole[: len(whole) * 2 // 3])
    outcome = ingest(tmp_path / "data", a_list(tmp_path, list(pages)), warcs=(cut,))
    found = [row.status for row in rows(tmp_path / "data").values()]
    assert 3 <= found.count(Status.TEXT) < 9
    assert found.count(Status.PENDING) == 9 - found.count(Status.TEXT)
    assert any("is damaged after record" in note for note in outcome.notes)


@pytest.mark.parametrize("name", ["a.warc.gz", "a.warc"])
def test_no_cut_passes_for_a_whole_archive(tmp_path, warc, name):
    pages = {f"https://site.test/{n}": ("text/html", article(f"Page {n}", n).encode()) for n in range(4)}
    path = warc(pages, name)
    whole, cut = path.read_bytes(), tmp_path / f"cut-{name}"
    captures = list(archive.scan(path, damaged=pytest.fail))
    ends = {capture.offset - spare for capture in captures for spare in range(5)}  # without the last line ends, too
    for length in range(captures[1].offset, len(whole) - 5, 7):
        cut.write_bytes(whole[:length])
        said: list[str] = []
        read = [capture.sha256 for capture in archive.scan(cut, damaged=said.append)]
        assert said or length in ends
        assert set(read) <= {capture.sha256 for capture in captures}


BROKEN = {
    "missing": None,
    "empty": b"",
    "text": b"This is no archive.",
    "noise": random.Random(3).randbytes(5000),
    "gzip of text": gzip.compress(b"no archive either" * 99),
    "a head only": b"WARC/1.0\r\nWARC-Type: response\r\n",
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("suffix", ["warc.gz", "warc", "wacz"])
def test_a_broken_archive_is_an_error_with_a_cure(shelf, tmp_path, name, suffix):
    folder, links, _ = shelf
    path = tmp_path / f"broken.{suffix}"
    if BROKEN[name] is not None:
        path.write_bytes(BROKEN[name])
    with pytest.raises(IngestError, match=r"name (a|one)\b|name a WARC|recompress"):
        ingest(folder, links, warcs=(path,))
    assert still_there(folder)


@pytest.mark.parametrize("left", [b"", b"\x1f\x8b\x08\x00", b"\x1f\x8b" + b"x" * 50])
def test_what_a_killed_run_left_in_the_archive_stops_nothing(shelf, left):
    folder, links, _ = shelf
    (folder / "archive/fetched-0.warc.gz").write_bytes(left)
    outcome = ingest(folder, links)
    assert any("fetched-0.warc.gz" in note for note in outcome.notes)
    assert still_there(folder)


def test_an_archive_compressed_as_a_whole_names_the_command_that_helps(tmp_path, warc):
    path = tmp_path / "whole.warc.gz"
    plain = warc({f"https://site.test/{n}": ("text/html", b"x" * 99) for n in range(3)}, "plain.warc")
    path.write_bytes(gzip.compress(plain.read_bytes()))
    with pytest.raises(IngestError, match="warcio recompress"):
        ingest(tmp_path / "data", a_list(tmp_path, [URL]), warcs=(path,))


# --- bodies ---------------------------------------------------------------------------------------

SENTENCE = "機械学習の訓練では、各作業者が勾配を隣に渡し、全員の合計が全員に届くまで輪を二周させる。"
CHINESE = "在环形归约中，每台机器只与相邻的机器通信，因此每台机器发送的数据量与机器数量无关，这就是它能扩展的原因。"
KEYS = b"/Encrypt << /Filter /Standard /V 1 /R 2 /O (" + b"x" * 32 + b") /U (" + b"y" * 32 + b") /P -1 >>"
LOCKED = a_pdf(["A line."]).replace(b"trailer\n<<", b"trailer\n<< /ID [<00> <00>] " + KEYS)
BODIES = {
    "0 bytes": ("text/html", b"", Status.UNREADABLE, "the body is empty"),
    "unknown type": ("application/x-thing", b"\x01\x02thing", Status.UNREADABLE, "application/x-thing is not one that holds text"),
    "no type": ("", b"\x00\x01\x02\x03", Status.UNREADABLE, "none is not one that holds text"),
    "picture": ("image/png", b"\x89PNG\r\n", Status.UNREADABLE, "image/png"),
    "binary as HTML": ("text/html", random.Random(4).randbytes(3000), Status.UNREADABLE, "the bytes are no text"),
    "blank pages in a PDF": ("application/pdf", a_pdf([], []), Status.UNREADABLE, "no text in its pages"),
    "locked PDF": ("application/pdf", LOCKED, Status.UNREADABLE, "the PDF is"),
    "broken PDF": ("application/pdf", b"%PDF-1.4 x", Status.UNREADABLE, "the PDF is damaged"),
    "HTML named PDF": ("application/pdf", b"<html><body>Sorry</body></html>", Status.UNREADABLE, "PDF"),
    "large Markdown": ("text/markdown", ("# Big\n\n" + "\n\n".join(f"Paragraph {n} says that shard {n} moves to worker {n * 3}." for n in range(6000))).encode(), Status.TEXT, ""),
    "Japanese": ("text/html; charset=shift_jis", f"<html><body><h1>輪</h1>{''.join(f'<p>{n}。{SENTENCE}</p>' for n in range(12))}".encode("shift_jis"), Status.FOREIGN, "its language is ja"),
    "Chinese": ("text/html; charset=gb18030", f"<html><body><h1>环</h1>{''.join(f'<p>{n}。{CHINESE}</p>' for n in range(12))}".encode("gb18030"), Status.FOREIGN, "its language is zh"),
    "a charset that is a lie": ("text/html; charset=utf-8", f"<html><body>{'<p>Der Ärger über die Größe der Blöcke.</p>' * 3}{'<p>A worker hands its block to the next one and waits.</p>' * 9}".encode("latin-1"), Status.TEXT, ""),
    "an unknown charset": ("text/html; charset=x-evil", article("A ring", 2).encode(), Status.TEXT, ""),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_a_strange_body_ends_with_a_status_and_a_reason(tmp_path, warc, name):
    kind, body, status, reason = BODIES[name]
    ingest(tmp_path / "data", a_list(tmp_path, [URL]), warcs=(warc({URL: (kind, body)}),))
    row = rows(tmp_path / "data")[URL]
    assert (row.status, reason in row.reason) == (status, True), row.reason
    if name in {"Japanese", "Chinese"}:
        assert (SENTENCE if name == "Japanese" else CHINESE) in text_of(tmp_path / "data", URL).text
    if name == "a charset that is a lie":
        assert "Größe" in text_of(tmp_path / "data", URL).text
    if name == "large Markdown":
        assert row.words > 50_000


# --- the machine ----------------------------------------------------------------------------------


def test_a_full_disk_leaves_the_last_good_text(shelf, monkeypatch):
    folder, links, _ = shelf
    with Site({"/new": article("New", 5)}).open() as site:

        def full(path, content):
            raise OSError(errno.ENOSPC, "No space left on device", str(path))

        monkeypatch.setattr(document, "replace_file", full)
        with pytest.raises(OSError, match="No space left"):
            ingest(folder, a_list(links.parent, [URL, site.url("/new", "new.test")]), site=site)
        monkeypatch.undo()
    assert still_there(folder)


def test_a_full_disk_is_said_with_its_cure(shelf):
    """SQLite is told that its file may not grow: what it says then is what it says on a full disk."""
    folder, _, _ = shelf
    with pytest.raises(IngestError, match="Make room on the disk"), open_ledger(Folder(folder).ledger):
        raise sqlite3.OperationalError("database or disk is full")


def test_a_damaged_ledger_is_said_with_its_cure_and_the_cure_works(shelf):
    folder, links, _ = shelf
    for path in folder.glob("ledger.db*"):
        path.unlink()
    (folder / "ledger.db").write_bytes(b"no database" * 1000)
    with pytest.raises(IngestError, match=r"remove ledger\.db\* there and run `prep ingest --offline`"):
        ingest(folder, links)
    (folder / "ledger.db").unlink()
    ingest(folder, links)
    assert still_there(folder)


def test_a_second_run_says_so_and_stops(shelf):
    folder, links, _ = shelf
    script = (
        "import sys, time; from pathlib import Path; from ingest.folder import Folder\n"
        "with Folder(Path(sys.argv[1])).alone(): print('in', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", script, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "in\n"
        with pytest.raises(IngestError, match=rf"written to by process {other.pid}; wait until"):
            ingest(folder, links)
    finally:
        other.kill()
        other.wait()
        other.stdout.close()
    ingest(folder, links)  # a run that was killed holds nothing
    assert still_there(folder)


def prep(folder, *arguments, site=None):
    """Start the command itself, let in to the site on loopback."""
    env = os.environ | {"PREPSHELF_DATA": str(folder), "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "default"}
    if site:
        env |= {"PREPSHELF_ALLOW": "127.0.0.0/8", "PREPSHELF_PORTS": str(site.port)}
    command = [sys.executable, str(ROOT / "cli.py"), "ingest", *map(str, arguments)]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def read_of(folder, urls):
    """Return how many of some addresses have text."""
    return sum(row.status is Status.TEXT for url, row in rows(folder).items() if url in urls)


def test_ctrl_c_says_that_what_was_done_is_kept_and_it_is(shelf):
    folder, links, _ = shelf
    pages = {f"/{n}": article(f"Page {n}", n) for n in range(3)} | {f"/slow{n}": Reply("x", wait=3) for n in range(99)}
    with Site(pages).open() as site:
        urls = [f"http://127.0.0.1:{site.port}{path}" for path in pages]
        running = prep(folder, a_list(links.parent, [URL, *urls]), site=site)
        deadline = time.monotonic() + 60
        while read_of(folder, urls) < 3 and time.monotonic() < deadline:
            time.sleep(0.2)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=120)  # the encoder may just be made ready, on a busy machine
    assert running.returncode == 130, said
    assert "prep: stopped; what was done is kept" in said
    assert "Traceback" not in said
    assert still_there(folder)
    assert read_of(folder, urls) == 3


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["{empty}"], 1, "no link to http or https found"),
        (["nowhere.md"], 1, "nowhere.md cannot be read"),
        (["--warc", "nowhere.warc"], 1, "nowhere.warc cannot be read"),
        (["--only", "knitting"], 1, "no topic is like 'knitting'; there are:"),
        (["--saved", "nowhere"], 1, "nowhere is no folder"),
        (["--nonsense"], 2, "No such option"),
    ],
)
def test_the_command_says_what_is_wrong_and_how_to_cure_it(tmp_path, arguments, code, said):
    (tmp_path / "empty.md").write_text("")
    asked = [argument.format(empty=tmp_path / "empty.md") for argument in arguments]
    running = prep(tmp_path / "data", *asked, "--offline")
    out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (code, "")
    assert said in " ".join(err.replace("│", " ").split())
    assert "Traceback" not in err


def test_a_link_that_left_its_list_leaves_the_shelf(shelf, tmp_path):
    folder, links, _ = shelf
    a_list(links.parent, ["https://site.test/other"])
    ingest(folder, links)
    assert URL not in {
        url
        for url, row in rows(folder).items()
        if row.resource == URL and row.reason != "from the archive; no list names it"
    }


def test_a_run_that_is_stopped_is_gone_on_with(shelf, tmp_path, monkeypatch):
    folder, _, _ = shelf
    pages = {f"/{n}": article(f"Page {n}", n) for n in range(6)}
    with Site(pages).open() as site:
        links = a_list(tmp_path, [site.url(path) for path in pages], "more.md")
        settle, settled = job.Settler.settle, []

        def stop(self, *given, **named):
            if len(settled) == 3:
                raise KeyboardInterrupt
            settled.append(given)
            return settle(self, *given, **named)

        monkeypatch.setattr(job.Settler, "settle", stop)
        with pytest.raises(KeyboardInterrupt):
            ingest(folder, links, site=site)
        monkeypatch.undo()
        before = len([asked for asked in site.requests if asked.path in pages])
        site.requests.clear()
        outcome = ingest(folder, links, site=site)
        assert any(note.startswith("Going on with the run") for note in outcome.notes)
        assert before + len([asked for asked in site.requests if asked.path in pages]) <= len(pages) + 3
    assert all(row.status is Status.TEXT for url, row in rows(folder).items() if url != URL)
