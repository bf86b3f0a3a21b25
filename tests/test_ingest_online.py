"""A run against sites: polite as promised, cheap the second time, and never less than it had before."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from itertools import pairwise

import pytest
from conftest import FakeEncoder
from ingesting import a_list, article, ingest, rows, text_of
from loopback import QUICK, Reply, Site

from index import build
from ingest import ledger
from ingest.folder import Folder
from ingest.manners import Manners
from ingest.status import Status

HOSTS = [f"host{n}.test" for n in range(10)]
PAGES = 20  # a host


class Holding:
    """Answers with pages that carry validators, and with 304 where the caller's copy still holds."""

    def __init__(self, pages):
        self.pages = pages  # (host, path): HTML
        self.sent = []  # statuses

    def __call__(self, request):
        body = self.pages.get((request.host, request.path)) or self.pages.get(request.path)
        if body is None:
            return None
        tag = f'"{hashlib.sha256(body.encode()).hexdigest()[:12]}"'
        status = 304 if request.headers.get("if-none-match") == tag else 200
        self.sent.append(status)
        return Reply("" if status == 304 else body, status, {"Content-Type": "text/html", "ETag": tag})


class CountingEncoder(FakeEncoder):
    """Counts the passages that it is asked to embed."""

    def __init__(self):
        self.embedded = 0

    def encode_parts(self, texts, parts):
        self.embedded += len(texts)
        return super().encode_parts(texts, parts)


def a_book(host, pages=PAGES):
    """Return a site of many pages that are found link by link from its first."""
    seed = HOSTS.index(host) * 100
    links = "<ul>" + "".join(f"<li><a href='/book/p{n}.html'>Part {n}</a></li>" for n in range(1, pages)) + "</ul>"
    found = {(host, "/book/"): article(f"Book of {host}", seed, links)}
    return found | {(host, f"/book/p{n}.html"): article(f"Part {n} of {host}", seed + n) for n in range(1, pages)}


def shelf(folder, encoder):
    with ledger.open_ledger(Folder(folder).ledger) as book:
        documents = build.readable(book, Folder(folder).documents, print)
    return build.build(documents, encoder, folder)


def run_twice(tmp_path, manners):
    """Ingest 200 pages of ten hosts twice; return the requests of each run with what became of them."""
    answer = Holding({page: body for host in HOSTS for page, body in a_book(host).items()})
    encoder = CountingEncoder()
    with Site(answer=answer).open() as site:
        links = a_list(
            tmp_path, [f"[Book of {host}]({site.url('/book/', host)}) <!-- pages: {PAGES} -->" for host in HOSTS]
        )
        ingest(tmp_path / "data", links, site=site, door={"manners": manners}, children=True)
        built = shelf(tmp_path / "data", encoder)
        first, site.requests = site.requests, []
        answer.sent, encoder.embedded = [], 0
        again = ingest(tmp_path / "data", links, site=site, door={"manners": manners})
        rebuilt = shelf(tmp_path / "data", encoder)
    read = [row for row in rows(tmp_path / "data").values() if row.status is Status.TEXT]
    assert len(read) == len(HOSTS) * PAGES
    assert built.embedded > 200
    return first, answer.sent, encoder.embedded, again, rebuilt


def check_manners(requests, gap):
    """Check, as the server saw it, that a host has one request at a time and a pause after it."""
    by_host = {host: sorted((r for r in requests if r.host == host), key=lambda r: r.began) for host in HOSTS}
    for asked in by_host.values():
        assert asked[0].path == "/robots.txt"
        assert all(later.began - earlier.ended >= gap - 0.02 for earlier, later in pairwise(asked))
    spans = {host: (asked[0].began, asked[-1].ended) for host, asked in by_host.items()}
    latest_start, earliest_end = max(a for a, _ in spans.values()), min(b for _, b in spans.values())
    assert latest_start < earliest_end, "the hosts were asked one after the other"


def check_run(tmp_path, manners, gap):
    requests, statuses, embedded, again, rebuilt = run_twice(tmp_path, manners)
    check_manners(requests, gap)
    assert statuses.count(304) >= 0.95 * len(statuses)
    assert len(statuses) >= len(HOSTS) * PAGES
    assert (again.read, embedded, rebuilt.new) == (0, 0, False)


def test_200_pages_on_ten_hosts_are_asked_politely_and_the_second_time_cheaply(tmp_path):
    check_run(tmp_path, replace(QUICK, gap=0.15), 0.15)


@pytest.mark.slow
def test_the_same_with_the_manners_of_a_real_run(tmp_path):
    check_run(tmp_path, Manners(), 1.0)


# --- again ----------------------------------------------------------------------------------------


@pytest.fixture
def page():
    """A site with one page at /a, the list of it, and what the page says at the moment."""
    answer = Holding({"/a": article("First", 1)})
    with Site(answer=answer).open() as site:
        yield site, answer


def links_to(tmp_path, site, *paths):
    return a_list(tmp_path, [site.url(path) for path in paths or ("/a",)])


def test_only_what_changed_is_read_and_embedded_again(tmp_path, page):
    site, answer = page
    answer.pages = {f"/{n}": article(f"Page {n}", n) for n in range(8)}
    links = links_to(tmp_path, site, *answer.pages)
    encoder = CountingEncoder()
    ingest(tmp_path / "data", links, site=site)
    all_of_them = shelf(tmp_path / "data", encoder).embedded
    answer.pages["/3"] = article("Page 3", 3, "<p>And one more thing, which was not known before this morning.</p>")
    assert ingest(tmp_path / "data", links, site=site).read == 1
    assert "one more thing" in text_of(tmp_path / "data", site.url("/3")).text
    assert 0 < shelf(tmp_path / "data", encoder).embedded <= all_of_them / 4


@pytest.mark.parametrize("status", [404, 410])
def test_a_page_that_is_gone_goes_after_the_second_time(tmp_path, page, status):
    site, _ = page
    links = links_to(tmp_path, site)
    ingest(tmp_path / "data", links, site=site)
    site.answer, site.pages = None, {"/a": Reply("gone", status)}
    ingest(tmp_path / "data", links, site=site)
    once = rows(tmp_path / "data")[site.url("/a")]
    assert (once.status, once.misses) == (Status.TEXT, 1)
    assert "not read again" in once.reason
    ingest(tmp_path / "data", links, site=site)
    twice = rows(tmp_path / "data")[site.url("/a")]
    assert (twice.status, twice.document) == (Status.DEAD, "")
    assert "correct the address" in twice.fix
    assert not list((tmp_path / "data/documents/site.test").iterdir())


@pytest.mark.parametrize(
    "reply", [Reply("", 500), Reply("", 503), Reply("", 403), Reply("", 429), Reply(raw=lambda s: s.close())]
)
def test_a_page_that_fails_keeps_the_last_good_text(tmp_path, page, reply):
    site, answer = page
    links = links_to(tmp_path, site)
    ingest(tmp_path / "data", links, site=site)
    before = text_of(tmp_path / "data", site.url("/a"))
    site.answer = lambda asked: reply if asked.path == "/a" else None
    for _ in range(3):
        ingest(tmp_path / "data", links, site=site)
    row = rows(tmp_path / "data")[site.url("/a")]
    assert row.status is Status.TEXT
    assert "not read again" in row.reason
    assert text_of(tmp_path / "data", site.url("/a")) == before
    site.answer = answer
    ingest(tmp_path / "data", links, site=site)
    assert "not read again" not in rows(tmp_path / "data")[site.url("/a")].reason


def test_a_page_that_becomes_rubbish_keeps_the_last_good_text(tmp_path, page):
    site, answer = page
    links = links_to(tmp_path, site)
    ingest(tmp_path / "data", links, site=site)
    answer.pages["/a"] = "<title>Just a moment...</title><p>Verifying you are human.</p>"
    ingest(tmp_path / "data", links, site=site)
    row = rows(tmp_path / "data")[site.url("/a")]
    assert row.status is Status.TEXT
    assert "robot check" in row.reason
    assert "Machine 1-0" in text_of(tmp_path / "data", site.url("/a")).text


def test_refresh_asks_and_reads_whatever_is_here(tmp_path, page):
    site, answer = page
    links = links_to(tmp_path, site)
    ingest(tmp_path / "data", links, site=site)
    assert ingest(tmp_path / "data", links, site=site).read == 0
    assert ingest(tmp_path / "data", links, site=site, refresh=True).read == 1
    assert answer.sent == [200, 304, 200]


def test_offline_reads_the_archive_of_the_runs_before(tmp_path, page):
    site, _ = page
    links = links_to(tmp_path, site)
    ingest(tmp_path / "data", links, site=site)
    before = text_of(tmp_path / "data", site.url("/a"))
    (tmp_path / "other").mkdir()
    (tmp_path / "data/archive").rename(tmp_path / "other/archive")
    ingest(tmp_path / "other", links)
    assert text_of(tmp_path / "other", site.url("/a")).text == before.text


def test_redirects_and_the_address_that_a_page_calls_its_own_are_recorded(tmp_path):
    canonical = "<link rel=canonical href='/true'>"
    pages = {
        "/old": Reply(status=301, headers={"Location": "/new?utm_source=list"}),
        "/new?utm_source=list": article("New", 2).replace("<head>", f"<head>{canonical}"),
    }
    with Site(pages).open() as site:
        ingest(tmp_path / "data", a_list(tmp_path, [site.url("/old?utm_campaign=x")]), site=site)
        row = rows(tmp_path / "data")[site.url("/old?utm_campaign=x")]
        assert (row.status, row.final) == (Status.TEXT, site.url("/true"))
        assert [asked.path for asked in site.requests][1:] == ["/old", "/new?utm_source=list"]


# --- no network -----------------------------------------------------------------------------------


def test_no_network_is_found_out_once_and_said_once(tmp_path):
    links = a_list(tmp_path, [f"https://site{n}.test/" for n in range(40)])
    with Site().open() as site:
        outcome = ingest(tmp_path / "data", links, site=site, door={"names": {f"site{n}.test": [] for n in range(40)}})
    said = [note for note in outcome.notes if "no network" in note]
    assert len(said) == 1
    found = rows(tmp_path / "data").values()
    assert {row.status for row in found} == {Status.PENDING}
    assert all("there is no network" in row.reason for row in found)


def test_what_is_here_stays_where_there_is_no_network(tmp_path, page):
    site, _ = page
    links = links_to(tmp_path, site)
    ingest(tmp_path / "data", links, site=site)
    ingest(tmp_path / "data", links, site=site, door={"names": {"site.test": []}})
    assert rows(tmp_path / "data")[site.url("/a")].status is Status.TEXT


def test_a_name_that_is_gone_is_told_from_a_missing_network(tmp_path, page):
    site, _ = page
    links = a_list(tmp_path, [site.url("/a"), "http://gone.test/"])
    ingest(tmp_path / "data", links, site=site, door={"names": {"gone.test": []}})
    found = rows(tmp_path / "data")
    assert found[site.url("/a")].status is Status.TEXT
    assert re.search("may be gone", found["http://gone.test/"].reason)
