"""The recorded pages, all of them, through the command's own path: no network, and a true row for every link."""

from __future__ import annotations

import json
import socket

import pytest

from ingest import catalogue, job
from ingest.address import same_page
from ingest.document import read
from ingest.folder import Folder
from ingest.job import Request
from ingest.ledger import HAS_TEXT, open_ledger
from ingest.status import Status
from ingest.view import links_of


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The entries of the ledger after the recorded pages were ingested, and the manifest of the pages."""
    from conftest import SHARED

    if not SHARED.exists():
        pytest.skip("../shared with the recorded pages is not here")
    home, connect = Folder(tmp_path_factory.mktemp("recorded")), socket.socket.connect

    def refused(self, address):
        raise AssertionError(f"{address} was dialled")

    socket.socket.connect = refused
    try:
        with home.alone():
            job.ingest(Request(warcs=(SHARED / "web/resources.warc.gz",), offline=True), home)
    finally:
        socket.socket.connect = connect
    with open_ledger(home.ledger) as book:
        entries = book.entries()
    manifest = [json.loads(line) for line in (SHARED / "web/manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    return home, entries, manifest


pytestmark = [pytest.mark.shared, pytest.mark.slow]


def test_each_of_the_115_links_has_a_status_a_reason_and_a_fix(recorded):
    _, entries, _ = recorded
    links = links_of(entries)
    assert {entry.row.url for entry in links} == {resource.url for resource in catalogue.built_in()}
    assert len(links) == 115
    for entry in links:
        assert entry.row.status in HAS_TEXT or entry.row.reason
        assert entry.row.status in HAS_TEXT or entry.row.fix or entry.kind in {"practice", "tool"}, entry.row


def test_links_with_recorded_pages_have_text_and_their_pages_belong_to_them(recorded):
    _, entries, manifest = recorded
    by_url = {same_page(entry.row.url): entry.row for entry in entries}
    seeds = {page["resource_url"] for page in manifest if page["seed_link"]}
    assert len(seeds) > 20
    assert [url for url in seeds if by_url[same_page(url)].status not in HAS_TEXT] == []
    astray = [
        page["url"]
        for page in manifest
        if page["seed_link"] and (row := by_url.get(same_page(page["url"]))) and row.resource != page["resource_url"]
    ]
    assert astray == []


def test_every_record_ends_as_a_document_or_a_stated_reason(recorded):
    home, entries, manifest = recorded
    rows = {same_page(entry.row.url): entry.row for entry in entries}
    repaired = {same_page(resource.fetch): resource.url for resource in catalogue.built_in() if resource.fetch}
    papers = {same_page(row.paper) for row in rows.values() if row.paper}
    for page in manifest:
        key = same_page(page["url"])
        if key in papers:
            continue
        row = rows.get(key) or rows[same_page(repaired[key])]
        assert row.document or row.reason, page["url"]
    for row in rows.values():
        if row.document:
            found = read(home.documents / row.document)
            assert all(found.text[block.start : block.end].strip() for block in found.blocks)


def test_few_titles_say_nothing(recorded):
    from ingest.titles import is_generic

    home, entries, _ = recorded
    titles = {entry.row.url: read(home.documents / entry.row.document).title for entry in entries if entry.row.document}
    assert [f"{title}: {url}" for url, title in titles.items() if is_generic(title)] == []


def test_the_statuses_are_those_that_were_looked_at(recorded):
    _, entries, _ = recorded
    assert sum(entry.row.status is Status.TEXT for entry in entries if entry.kind != "note") >= 365
