"""Parsing in child processes: hostile bytes end as a status, in time, and the parent goes on."""

from __future__ import annotations

import os
import queue
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import pytest
from conftest import a_pdf

from ingest import parsing
from ingest.message import Response
from ingest.parsing import Job, Parsers
from ingest.status import Status

MOST = 25.0  # seconds a file
PROSE = "<p>The quick brown fox jumps over the lazy dog and explains vector indexes to the reader. </p>"


def a_job(body: bytes | str, content_type: str = "text/html", url: str = "https://example.org/a") -> Job:
    content = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    return Job((Response(url, 200, content_type, content, "2026-11-21T10:00:00Z"),), url, url, url)


@contextmanager
def a_parser():
    """Give what parses one job in a child and returns what became of it, and after how many seconds."""
    ended: queue.SimpleQueue[parsing.Parsed] = queue.SimpleQueue()
    with Parsers(1, ended.put) as parsers:

        def parse(job):
            began = time.monotonic()
            parsers.submit(job)
            parsed = ended.get(timeout=3 * MOST)
            return parsed, time.monotonic() - began

        yield parse


@pytest.fixture(scope="module")
def parse_one():
    with a_parser() as parse:
        yield parse


def well(parsed):
    """Return whether a job ended typed: with a document, or a status and a reason."""
    return parsed.document is not None or (parsed.verdict is not None and bool(parsed.verdict.reason))


HOSTILE = {
    "deep": "<div>" * 50_000 + PROSE * 9 + "</div>" * 50_000,
    "deep inline": "<b>" * 3_000 + PROSE * 9,
    "unclosed": "<p><i><a href=x>" * 30_000,
    "attributes": "<div " + " ".join(f"a{n}=1" for n in range(10_000)) + ">" + PROSE * 9,
    "one long text": "<article><p>" + "word " * 1_000_000,
    "nested tables": "<table><tr><td>" * 1_000 + PROSE,
    "entities": '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><html><body>&c;' + PROSE * 9,
    "external entity": '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><html><body><p>&x;</p>' + PROSE * 9,
    "zeros": "<article>" + PROSE.replace("fox", "f\0ox") * 9,
    "structured data": "<script type='application/ld+json'>" + "[" * 50_000 + "</script>" + PROSE * 9,
    "at signs in a style sheet": "<style>" + "@a " * 130_000 + "</style>" + PROSE * 9,
    "one long word in a style sheet": "<style>@" + "a" * 390_000 + "</style>" + PROSE * 9,
    "comments that do not end in a style sheet": "<style>" + "/* " * 130_000 + "</style>" + PROSE * 9,
    "many styles": "<style>" + "".join(f".a{n}{{display:none}}" for n in range(20_000)) + "</style>" + PROSE * 9,
    "a style that repeats": "<p style='" + "left:" * 200_000 + "'>x</p>" + PROSE * 9,
    "half characters": "\ud800\udfff" + PROSE * 9,
    "nothing": "",
    "a doctype": "<!doctype html>",
    "frames": "<frameset><frame src='javascript:alert(1)'></frameset>",
    "noise": random.Random(1).randbytes(200_000),
    "another charset": b"<meta charset=utf-16><article>" + PROSE.encode() * 9,
    "a huge charset": b"<meta charset=" + b"x" * 3_000 + b">" + PROSE.encode() * 9,
    "broken UTF-8": (PROSE.encode() + b"\xff\xfe\xc0\x80") * 9,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_html_ends_with_a_document_or_a_reason(parse_one, name):
    parsed, seconds = parse_one(a_job(HOSTILE[name]))
    assert well(parsed)
    assert seconds < MOST
    assert parsed.document is None or "root:" not in parsed.document.text  # no file of this machine


def pdf_with(objects: str) -> bytes:
    return f"%PDF-1.4\n{objects}\ntrailer\n<< /Root 1 0 R /Size 9 >>\nstartxref\n0\n%%EOF".encode()


LOOP = "1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 9 >>\nendobj"
WHOLE = a_pdf(["A line about rings."])
PDFS = {
    "no more than a head": b"%PDF-1.7",
    "a loop of pages": pdf_with(LOOP),
    "cut off": WHOLE[: len(WHOLE) // 2],
    "a page number without an end": pdf_with(LOOP.replace("/Count 9", "/Count 999999999")),
    "noise": b"%PDF-1.4\n" + random.Random(2).randbytes(100_000),
    "pictures only": a_pdf([], []),
}


@pytest.mark.parametrize("name", PDFS)
def test_hostile_pdfs_end_with_a_reason(parse_one, name):
    parsed, seconds = parse_one(a_job(PDFS[name], "application/pdf", "https://example.org/a.pdf"))
    assert parsed.verdict
    assert parsed.verdict.status is Status.UNREADABLE
    assert seconds < MOST


WORKS_ON = """
import resource
worked = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
resource.setrlimit(resource.RLIMIT_CPU, (int(worked) + 1, resource.getrlimit(resource.RLIMIT_CPU)[1]))
while True:
    pass
"""


def test_a_parser_is_stopped_by_the_work_it_does_and_not_by_a_busy_machine():
    ended: queue.SimpleQueue[parsing.Parsed] = queue.SimpleQueue()
    job = a_job("<article>" + PROSE * 9 + "</article>")
    with Parsers(1, ended.put) as parsers:
        future = parsers._pool.schedule(exec, args=[WORKS_ON], timeout=parsing.TIMEOUT)
        future.add_done_callback(lambda future: ended.put(parsing._result(job, future)))
        assert "of work" in ended.get(timeout=60).verdict.reason
    assert parsing.WORK < parsing.TIMEOUT < 25


@pytest.mark.parametrize(
    ("fault", "argument", "reason"),
    [(time.sleep, 60, "stopped after"), (bytes, 8 << 30, "out of memory"), (os._exit, 3, "crashed (exit code 3)")],
    ids=["hangs", "swells", "dies"],
)
def test_a_parser_that_fails_is_a_status_and_the_next_page_is_read(fault, argument, reason):
    ended: queue.SimpleQueue[parsing.Parsed] = queue.SimpleQueue()
    job = a_job("<article>" + PROSE * 9 + "</article>")
    with Parsers(1, ended.put) as parsers:
        future = parsers._pool.schedule(fault, args=[argument], timeout=2)
        future.add_done_callback(lambda future: ended.put(parsing._result(job, future)))
        failed = ended.get(timeout=30)
        assert failed.verdict.status is Status.UNREADABLE
        assert reason in failed.verdict.reason
        parsers.submit(job)
        assert ended.get(timeout=60).document


ORPHANS = """
import os, signal, sys, time
from ingest.parsing import Parsers
if __name__ == "__main__":
    with Parsers(2, print) as parsers:
        pids = [parsers._pool.schedule(os.getpid).result() for _ in range(1)]
        busy = [parsers._pool.schedule(sum, args=[range(10**12)]) for _ in range(2)]
        print(*pids, flush=True)
        time.sleep(60)
"""


@pytest.mark.slow
def test_a_parser_does_not_outlive_its_parent(tmp_path):
    script = tmp_path / "orphans.py"
    script.write_text(ORPHANS)
    path = {"PYTHONPATH": str(Path(parsing.__file__).parent.parent)}
    parent = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, env=os.environ | path)
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until = time.monotonic() + 30  # a busy machine takes its time; without it, they work on for 15 s of their own
    while Path(f"/proc/{child}").exists() and time.monotonic() < until:
        time.sleep(0.05)
    used = Path(f"/proc/{child}/stat")
    assert not used.exists()


# --- the recorded ones ----------------------------------------------------------------------------


def recorded_html(shared: Path) -> dict[str, bytes]:
    """Return the pages that the script beside the checkout would write."""
    source = (shared / "hostile/html_hostile/gen_and_run.py").read_text(encoding="utf-8")
    start, end = source.index("P='<p>"), source.index("for k,v in G.items()")
    names: dict[str, object] = {"random": random}
    exec(source[start:end], names)
    pages = names["G"]
    return {k: v if isinstance(v, bytes) else v.encode("utf-8", "surrogatepass") for k, v in pages.items()}


@pytest.mark.shared
@pytest.mark.slow
def test_every_recorded_hostile_file_ends_typed_in_time(shared):
    files = {
        path.name: (path.read_bytes(), "application/pdf")
        for folder in ("crafted", "qpdf_extra")
        for path in sorted((shared / "hostile/pdf_hostile" / folder).iterdir())
    }
    files |= {name: (body, "text/html") for name, body in recorded_html(shared).items()}
    assert len(files) > 130

    def parsed(names):
        with a_parser() as parse:
            return [(name, *parse(a_job(*files[name]))) for name in names]

    with ThreadPoolExecutor(2) as pool:
        ended = chain.from_iterable(pool.map(parsed, (list(files)[::2], list(files)[1::2])))
        for name, found, seconds in ended:
            assert well(found), name
            assert seconds < MOST, f"{name} took {seconds:.0f} s"
            assert found.document is None or "root:x:" not in found.document.text, name
