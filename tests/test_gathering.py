"""First minutes: the chat opens on the notes, and the links of the lists are read beside it, with a word on how far."""

from __future__ import annotations

import sys
import threading
import time

import pytest
from ingesting import a_list, article, ingest
from loopback import Site

import cli
import config
from app import browse
from app.gathering import Gathering
from index import ShelfError
from index.renewal import Renewal
from ingest.folder import Folder
from ingest.ledger import GATHERING, open_ledger


def waits(seconds):
    return (sys.executable, "-c", f"import time; print('reading', flush=True); time.sleep({seconds})")


def begun(data):
    with open_ledger(Folder(data).ledger) as book:
        book.note(GATHERING, "begun")
    return data


def test_nothing_runs_where_there_is_nothing_to_read(tmp_path):
    gathering = Gathering((), tmp_path)
    gathering.start()
    assert gathering.as_json() == {"gathering": False, "ungathered": ""}
    gathering.stop()


def test_it_reads_beside_the_chat_and_ends_with_it(tmp_path):
    gathering = Gathering(waits(60), begun(tmp_path))
    gathering.start()
    assert gathering.as_json() == {"gathering": True, "ungathered": ""}
    began = time.monotonic()
    gathering.stop()
    assert time.monotonic() - began < 8
    assert not gathering.runs


@pytest.mark.parametrize(("reached", "said"), [(True, ""), (False, "there is no network; the next start tries again")])
def test_where_it_could_not_read_the_links_it_says_why(tmp_path, reached, said):
    gathering = Gathering(waits(0), begun(tmp_path))
    gathering.start()
    if reached:
        with open_ledger(Folder(tmp_path).ledger) as book:
            book.note(GATHERING, "")
    while gathering.runs:
        time.sleep(0.05)
    assert str(gathering.as_json()["ungathered"]).endswith(said)


def test_a_start_goes_on_until_the_links_were_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("PREPSHELF_DATA", str(begun(tmp_path)))
    assert cli._gathering(config.read())[-2:] == ("ingest", "--renew")
    with Site({"/a": article("A ring", 1)}).open() as site:
        ingest(tmp_path, a_list(tmp_path, [site.url("/a")]), site=site)
    assert cli._gathering(config.read()) == ()


def test_links_count_as_read_once_they_were_asked_for(tmp_path):
    with Site({"/a": article("A ring", 1)}).open() as site:
        links = a_list(tmp_path, [site.url("/a"), site.url("/gone")])
        ingest(tmp_path / "data", links)
        with open_ledger(Folder(tmp_path / "data").ledger) as book:
            before = book.entries()
        ingest(tmp_path / "data", links, site=site)
    with open_ledger(Folder(tmp_path / "data").ledger) as book:
        assert (browse.asked(before), browse.asked(book.entries())) == (0, 2)


def test_shelves_are_published_on_the_way_and_only_where_there_is_news():
    built = threading.Event()
    count = []

    def build():
        count.append(1)
        built.set()
        if len(count) == 1:
            raise ShelfError("once")

    with Renewal(build, every=0.02) as renewal:
        time.sleep(0.1)
        assert not count
        renewal.add()
        while len(count) < 2:  # a shelf that could not be built is tried again
            time.sleep(0.02)
        time.sleep(0.1)
    assert len(count) == 2
