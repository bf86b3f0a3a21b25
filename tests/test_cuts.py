"""Cuts: a document is cut once, and comes back from what was kept as it was cut."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conftest import CACHES, PODS, RING, FakeEncoder, a_document

from index import split
from index.cuts import Cuts
from ingest.document import Piece

TABLE = a_document(
    "https://example.org/t", Piece("table", "| a | b |\n| 1 | 2 |"), Piece("code", "x = 1"), "Words of it."
)


def cut(path, *documents, counted=None):
    asked = []

    def count(texts):
        asked.extend(texts)
        return FakeEncoder().count(texts)

    with Cuts(path, "fake@1", count) as cuts:
        return [cuts.split(document) for document in documents], len(asked)


def test_what_is_kept_is_what_was_cut(tmp_path):
    documents = [RING, PODS, CACHES, TABLE]
    plain = [split.split(document, FakeEncoder().count) for document in documents]
    first, counted = cut(tmp_path / "c.db", *documents)
    again, counted_again = cut(tmp_path / "c.db", *documents)
    assert first == again == plain
    assert (counted > 0, counted_again) == (True, 0)


@pytest.mark.parametrize(
    "changed",
    [replace(RING, text=RING.text.replace("ring", "RING")), replace(RING, url="https://example.org/other"), replace(RING, blocks=RING.blocks[1:])],
)  # fmt: skip
def test_what_changed_is_cut_again(tmp_path, changed):
    cut(tmp_path / "c.db", RING)
    assert cut(tmp_path / "c.db", changed) == (
        [split.split(changed, FakeEncoder().count)],
        cut(tmp_path / "d.db", changed)[1],
    )


def test_what_is_gone_is_forgotten_and_damage_only_costs_time(tmp_path):
    cut(tmp_path / "c.db", RING, PODS)
    cut(tmp_path / "c.db", PODS)
    assert cut(tmp_path / "c.db", RING)[1] > 0
    (tmp_path / "c.db").write_bytes(b"no database" * 99)
    assert cut(tmp_path / "c.db", RING)[0] == [split.split(RING, FakeEncoder().count)]
