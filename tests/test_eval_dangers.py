"""Dangers: hostile addresses and files are tried as ingestion would, and what gets through is told."""

from __future__ import annotations

import json

import pytest

from eval import EvalError, dangers
from eval.dangers import File
from eval.rows import About, Run
from ingest import dial


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://anything.test/", "file:///etc/passwd", "http://[::1]:80/"]
)
def test_an_address_that_is_refused_holds(url):
    assert dangers.reached(url) == ""


def test_an_open_door_is_told(monkeypatch):
    monkeypatch.setattr(dial, "is_public", lambda ip: True)
    assert dangers.reached("http://anything.test/").startswith("not refused")


def test_a_collection_becomes_rows(tmp_path):
    (tmp_path / "pdf_hostile").mkdir()
    (tmp_path / "pdf_hostile" / "cut.pdf").write_bytes(b"%PDF-1.7\n1 0 obj << /Type")
    (tmp_path / "ssrf_urls.json").write_text(json.dumps([{"url": "http://10.0.0.1/"}]))
    run = Run(tmp_path, About("", "", {}, {}, {}))
    dangers.run(tmp_path, run)
    dangers.run(tmp_path, run)  # all rows are there: nothing is tried again
    assert [(row.kind, row.scores["held"]) for row in run.rows] == [("addresses", 1.0), ("files", 1.0)]


def test_a_file_without_a_word_is_told(monkeypatch):
    monkeypatch.setattr(dangers, "Parsers", Silent)
    assert list(dangers.parsed([File("file x", b"")])) == [("file x", "no word of it")]


class Silent(dangers.Parsers):
    """Parses nothing and says so of nothing."""

    def __init__(self, workers, done):
        self._done = done

    def submit(self, job):
        self._done(dangers.Parsed(job))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def test_a_list_of_addresses_that_is_none_is_named(tmp_path):
    (tmp_path / "ssrf_urls.json").write_text('{"a": 1}')
    with pytest.raises(EvalError, match="does not list addresses"):
        dangers.addresses(tmp_path)
