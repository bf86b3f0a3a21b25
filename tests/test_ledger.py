"""The ledger and how people see it: rows that last, a live picture, a summary, a page to look at."""

from __future__ import annotations

import io
import re
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from ingesting import a_list, article, ingest, rows
from rich.console import Console

from ingest import IngestError, ledger, report, view
from ingest.catalogue import Resource
from ingest.ledger import Copy, Row, Trail, open_ledger
from ingest.progress import Progress
from ingest.row import Entry
from ingest.status import Status

URL = "https://a.test/x"
ROW = Row(URL, URL, "X", Status.TEXT, words=120, document="a.test/x.md", sha256="1")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.db"


def test_what_was_recorded_is_there_for_the_next_run(path):
    copies = [Copy(URL, URL, "1", '"v1"', "yesterday"), Copy("https://a.test/y", URL, "2")]
    trail = Trail("https://a.test/", ("https://a.test/map.xml",), ("https://a.test/z",))
    with open_ledger(path) as book:
        book.add_resources(
            [Resource(URL, "X", ("A", "B"), "a note", pages=3, under=("https://a.test/",), lists=("l.md",))]
        )
        book.record(ROW, copies=copies, trail=trail, sketch=frozenset({1, 2**32 - 1}))
        book.note("round", "7")
    with open_ledger(path) as book:
        assert book.row(URL) == ROW
        assert book.copies() == {copy.url: copy for copy in copies}
        assert book.trail(URL) == trail
        assert book.sketches() == {URL: frozenset({1, 2**32 - 1})}
        assert book.fact("round") == "7"
        assert book.resources()[0].topics == ("A", "B")


def test_a_row_is_written_whole_or_not_at_all(path):
    with open_ledger(path) as book:
        book.record(ROW)
        with pytest.raises(OverflowError):
            book.record(replace(ROW, words=5), sketch=frozenset({2**40}))
    with open_ledger(path) as book:
        assert book.row(URL) == ROW


def test_it_is_written_ahead_and_fully_synced(path):
    with open_ledger(path) as book:
        assert book._db.execute("pragma journal_mode").fetchone() == ("wal",)
        assert book._db.execute("pragma synchronous").fetchone() == (2,)


def test_tables_of_another_version_are_made_anew(path, monkeypatch):
    with open_ledger(path) as book:
        book.record(ROW)
    monkeypatch.setattr(ledger, "VERSION", 99)
    with open_ledger(path) as book:
        assert book.rows() == []


def test_a_resource_that_is_dropped_takes_its_pages_along(path):
    with open_ledger(path) as book:
        book.add_resources([Resource(URL, "X", ("A",))])
        book.record(ROW, copies=[Copy(URL, URL, "1")])
        book.record(replace(ROW, url="https://a.test/under"))
        assert len(book.drop_resource(URL)) == 2
        assert (book.rows(), book.copies(), book.resources()) == ([], {}, [])


@pytest.mark.parametrize(
    ("own", "under", "status", "reason"),
    [
        (Status.TEXT, [], Status.TEXT, ""),
        (Status.TEXT, [Status.TEXT], Status.TEXT, "2 pages"),
        (
            Status.OUTLINE,
            [Status.TEXT, Status.DEAD],
            Status.TEXT,
            "1 pages under it were read; the address itself: why",
        ),
        (Status.OUTLINE, [Status.TRANSCRIPT], Status.TRANSCRIPT, "1 pages under it were read"),
        (Status.WALLED, [], Status.WALLED, "why"),
        (Status.OUTLINE, [Status.DEAD], Status.OUTLINE, "why"),
    ],
)
def test_a_link_is_summed_up_with_the_pages_under_it(path, own, under, status, reason):
    with open_ledger(path) as book:
        book.add_resources([Resource(URL, "X", ("A",))])
        book.record(replace(ROW, status=own, reason="" if own is Status.TEXT else "why", words=10, fix="do it"))
        for n, each in enumerate(under):
            book.record(Row(f"{URL}/{n}", URL, "under", each, words=10 if each is not Status.DEAD else 0))
        (entry, *_) = book.entries()
    assert (entry.row.status, reason in entry.row.reason) == (status, True)
    assert bool(entry.row.fix) is (status not in ledger.HAS_TEXT)


def test_a_link_that_was_never_tried_has_a_row(path):
    with open_ledger(path) as book:
        book.add_resources([Resource(URL, "X", ("A",))])
        (entry,) = book.entries()
    assert (entry.row.status, entry.row.reason, entry.row.fix) == (Status.PENDING, "not tried yet", "run `prep ingest`")


# --- as people see it -------------------------------------------------------------------------------


def an_entry(status, n=1, topic="Rings", **named):
    url = f"https://a.test/{n}"
    fix = (
        ""
        if status in ledger.HAS_TEXT
        else f"save the page as data/saved/a-{n}.html, run `prep ingest --saved data/saved`"
    )
    return Entry(Row(url, url, f"Title {n}", status, "why", fix, **named), topic, "article", curated=True)


ENTRIES = [an_entry(status, n, f"Topic {n % 3}") for n, status in enumerate(Status)]


def printed(show, *, terminal, width=80):
    out = io.StringIO()
    show(Console(file=out, force_terminal=terminal, width=width, color_system=None))
    return out.getvalue()


def test_the_summary_counts_every_link_by_topic_and_status():
    said = printed(lambda console: view.summary(ENTRIES, console), terminal=True)
    counted = [int(count) for count in re.findall(r"^Topic \d +\d+ +(\d+)", said, re.MULTILINE)]
    assert sum(counted) == len(ENTRIES)


@pytest.mark.parametrize("terminal", [True, False])
def test_what_can_be_fixed_has_one_line_each(terminal):
    said = printed(lambda console: view.fixes(ENTRIES, console), terminal=terminal)
    fixable = [entry for entry in ENTRIES if entry.row.fix and entry.row.status is not Status.PENDING]
    lines = [line for line in said.splitlines() if "Title" in line]
    assert len(lines) == len(fixable)
    assert all(str(entry.row.status) in line for entry, line in zip(fixable, lines, strict=True))
    if not terminal:
        assert all(entry.row.fix in line for entry, line in zip(fixable, lines, strict=True))


def test_the_live_view_shows_hosts_counts_rate_and_time_left():
    progress = Progress()
    progress.enter("Fetching", 40)
    progress.began -= 10
    progress.done, progress.unchanged, progress.failed = 10, 5, 5
    progress.flying = {f"host{n}.test": f"https://host{n}.test/page" for n in range(11)}
    said = printed(lambda console: console.print(view.picture(progress)), terminal=True, width=100)
    for words in (
        "Fetching",
        "20/40",
        "2.0/s",
        "about 10 s left",
        "10 read, 5 unchanged, 5 without text",
        "host0.test",
    ):
        assert words in said
    assert "and 3 more hosts" in said


def test_nothing_moves_where_there_is_no_terminal():
    said = printed(lambda console: view.live(Progress(), console).__enter__(), terminal=False)
    assert said == ""


def test_the_page_to_look_at_has_a_bar_a_topic_and_loads_nothing(tmp_path):
    hostile = replace(
        an_entry(Status.DEAD).row,
        title="<script>alert(1)</script>",
        url="javascript:alert(1)",
        resource="javascript:alert(1)",
    )
    entries = [*ENTRIES, Entry(hostile, "Topic 0", "article", curated=True)]
    report.write(entries, "A shelf.", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    topics = len(view.by_topic(entries))
    assert page.count("class='bar'") == topics + 1
    assert page.count("<h2>") == topics
    assert all(entry.row.fix.replace("`", "") in page.replace("`", "") for entry in ENTRIES)
    assert "<script" not in page
    assert "href='javascript" not in page
    assert not re.search(r"(?:src|href)=[\"']?(?!https://a\.test)(?:https?:)?//", page)
    assert "default-src 'none'" in page


def test_all_links_of_a_list_have_a_row_without_any_network(tmp_path, warc):
    urls = [f"https://a.test/{n}" for n in range(5)]
    archive = warc({urls[0]: ("text/html", article("A ring", 1).encode())})
    ingest(tmp_path / "data", a_list(tmp_path, urls), warcs=(archive,))
    found = rows(tmp_path / "data")
    assert [found[url].status for url in urls] == [Status.TEXT] + [Status.PENDING] * 4
    assert all(found[url].reason and found[url].fix for url in urls[1:])


@pytest.mark.parametrize(
    "damage",
    [
        "update page set status = 'tfxt'",
        "update resource set topics = '[\"Top'",
        "update resource set lists = null",
        "pragma user_version=0",
        "pragma user_version=66",
    ],
)
def test_a_ledger_with_a_damaged_value_is_named_with_the_cure_and_is_not_emptied(tmp_path, warc, damage):
    archive = warc({"https://a.test/1": ("text/html", article("A ring", 1).encode())})
    ingest(tmp_path / "data", a_list(tmp_path, ["https://a.test/1"]), warcs=(archive,))
    path = tmp_path / "data" / "ledger.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(damage)
    with pytest.raises(IngestError, match=r"damaged: remove ledger.db\* there"), open_ledger(path) as book:
        book.entries()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("select count(*) from page").fetchone()[0] > 0


def test_the_same_text_twice_is_one_document_and_a_pointer(tmp_path, warc):
    urls = ["https://a.test/page", "https://a.test/copy"]
    body = article("A ring", 1).encode()
    archive = warc(dict.fromkeys(urls, ("text/html", body)))
    ingest(tmp_path / "data", a_list(tmp_path, urls), warcs=(archive,))
    found = rows(tmp_path / "data")
    holder, held = sorted(found.values(), key=lambda row: row.status is Status.DUPLICATE)
    assert (held.status, held.holder, held.document) == (Status.DUPLICATE, holder.url, "")
    assert holder.status is Status.TEXT
