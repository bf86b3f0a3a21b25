"""A build does what has changed and no more, and says how much that was."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace

import numpy as np
import pytest
from conftest import CACHES, PODS, RING, FakeEncoder, a_document, a_source, in_a_child

from index import ShelfError, build, manifest, split, store
from index.ahead import Ahead
from index.passage import Listing
from ingest import document as documents
from ingest.catalogue import Resource
from ingest.document import Piece
from ingest.ledger import open_ledger
from ingest.row import Row
from ingest.status import Status

WATCHED = "https://example.org/watched"


class CountingEncoder(FakeEncoder):
    """Keeps what it was asked to embed."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.described: list[str] = []

    def encode(self, texts):
        self.described += texts
        return super().encode(texts)

    def encode_parts(self, texts, parts):
        self.seen += texts
        return super().encode_parts(texts, parts)


def made_of(*found):
    return [(each, a_source(each)) for each in found]


def a_listing(**changes) -> Listing:
    about = {"url": WATCHED, "title": "A talk", "topic": "T > U", "kind": "video", "status": "walled", "words": 0}
    return Listing(**{**about, "note": "by hand", "stage": "", "reason": "a wall", "curated": True, **changes})


def test_unchanged_documents_do_nothing(tmp_path):
    first = build.build(made_of(RING, PODS), CountingEncoder(), tmp_path)
    encoder = CountingEncoder()
    again = build.build(made_of(RING, PODS), encoder, tmp_path)
    assert (first.new, first.embedded) == (True, 3)
    assert (again.new, again.embedded, again.manifest) == (False, 0, first.manifest)
    assert not encoder.seen
    assert not encoder.described
    assert len([path for path in (tmp_path / "shelves").iterdir() if path.is_dir()]) == 1


def test_the_order_of_the_documents_is_no_change(tmp_path):
    build.build(made_of(RING, PODS), FakeEncoder(), tmp_path)
    assert not build.build(made_of(PODS, RING), FakeEncoder(), tmp_path).new


def test_only_the_passages_that_changed_are_embedded_again(tmp_path):
    build.build(made_of(RING, PODS), FakeEncoder(), tmp_path)
    changed = a_document(
        RING.url,
        Piece("heading", "Ring-allreduce", 2),
        "Ring-allreduce is an algorithm that sums a buffer over N workers arranged in a ring. "
        "Ring-allreduce proceeds in two phases, a scatter-reduce and an allgather, of N-1 steps each.",
        Piece("heading", "Cost", 2),
        "Each worker now sends less.",
        title=RING.title,
    )
    encoder = CountingEncoder()
    built = build.build(made_of(changed, PODS), encoder, tmp_path)
    assert (built.new, built.embedded) == (True, 1)
    assert [text.rpartition("\n")[2] for text in encoder.seen] == ["Each worker now sends less."]


def test_a_document_that_is_gone_takes_its_passages_with_it_and_embeds_nothing(tmp_path):
    build.build(made_of(RING, PODS), FakeEncoder(), tmp_path)
    encoder = CountingEncoder()
    built = build.build(made_of(RING), encoder, tmp_path)
    assert (built.new, built.embedded, built.manifest.documents, encoder.seen) == (True, 0, 1, [])
    back = build.build(made_of(RING, PODS), encoder, tmp_path)
    assert (back.embedded, encoder.seen) == (0, []), "its vectors are still known"


def test_the_same_text_twice_is_embedded_once(tmp_path):
    copy = replace(PODS, url="https://example.org/copy")
    assert build.build(made_of(PODS, copy), FakeEncoder(), tmp_path).embedded == 1


def test_vectors_are_the_same_whether_they_are_new_or_known(tmp_path):
    build.build(made_of(RING), FakeEncoder(), tmp_path)
    build.build(made_of(RING, PODS), FakeEncoder(), tmp_path)
    build.build(made_of(RING, PODS), FakeEncoder(), tmp_path / "afresh")
    one, other = (store.open_shelf(folder / "shelves") for folder in (tmp_path, tmp_path / "afresh"))
    assert [p.id for p, _ in one.passages(range(3))] == [p.id for p, _ in other.passages(range(3))]
    question = FakeEncoder().encode(["pods and rings"])[0]
    assert np.array_equal(one.cosines(question, np.arange(3)), other.cosines(question, np.arange(3)))


def test_another_encoder_embeds_all_anew(tmp_path):
    build.build(made_of(RING, PODS), FakeEncoder(), tmp_path)
    other = CountingEncoder()
    other.name = "fake@2"
    built = build.build(made_of(RING, PODS), other, tmp_path)
    assert (built.new, built.embedded, built.manifest.encoder) == (True, 3, "fake@2")


@pytest.mark.parametrize(("module", "name", "value"), [(split, "VERSION", "next"), (manifest, "FORMAT", 99)])
def test_another_way_of_splitting_or_storing_builds_anew_from_known_vectors(tmp_path, monkeypatch, module, name, value):
    build.build(made_of(RING), FakeEncoder(), tmp_path)
    monkeypatch.setattr(module, name, value)
    built = build.build(made_of(RING), FakeEncoder(), tmp_path)
    assert (built.new, built.embedded) == (True, 0)


def test_a_resource_without_text_is_on_the_shelf_by_its_description(tmp_path):
    build.build(made_of(RING), FakeEncoder(), tmp_path, listings=[a_listing()])
    shelf = store.open_shelf(tmp_path / "shelves")
    assert shelf.listings() == [a_listing()]
    assert a_listing().described == "A talk. T, U. by hand"
    assert np.allclose(shelf.listing_vectors(), FakeEncoder().encode(["A talk. T, U. by hand"]))
    changed = build.build(made_of(RING), FakeEncoder(), tmp_path, listings=[a_listing(note="by another hand")])
    assert (changed.new, changed.embedded) == (True, 0)


def test_a_damaged_shelf_is_built_anew(tmp_path):
    version = build.build(made_of(RING), FakeEncoder(), tmp_path).manifest.version
    (tmp_path / "shelves" / version / "manifest.json").write_text("{")
    assert build.build(made_of(RING), FakeEncoder(), tmp_path).new
    store.open_shelf(tmp_path / "shelves")


@pytest.mark.parametrize("name", ["vectors.faiss", "shelf.db", "lexical/data.csc.index.npy", "layout.npy"])
def test_a_shelf_with_a_damaged_file_is_built_anew_as_its_message_promises(tmp_path, name):
    version = build.build(made_of(RING), FakeEncoder(), tmp_path).manifest.version
    path = tmp_path / "shelves" / version / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ShelfError, match="run `prep index` to build the shelf anew"):
        store.open_shelf(tmp_path / "shelves")
    built = build.build(made_of(RING), FakeEncoder(), tmp_path)
    assert (built.new, built.embedded) == (True, 0)
    store.open_shelf(tmp_path / "shelves")


def test_what_the_encoder_cannot_read_is_left_out(tmp_path):
    german = a_document("https://example.org/de", "Ringe summieren Puffer über alle Arbeiter.", language="de")
    assert build.build(made_of(RING, german), FakeEncoder(), tmp_path).manifest.documents == 1
    assert build.embed(german, FakeEncoder(), tmp_path) == 0


def test_long_headings_leave_room_for_the_passage(tmp_path):
    long = " ".join(f"word{n}" for n in range(60))
    deep = a_document("https://example.org/deep", Piece("heading", long, 1), "A text. " * 100, title=long)
    encoder = CountingEncoder()
    build.build(made_of(deep), encoder, tmp_path)
    assert encoder.seen
    assert max(encoder.count(encoder.seen)) <= split.CONTEXT_PIECES + split.PIECES


def test_embedding_is_gone_on_with_after_a_kill(tmp_path):
    class DyingEncoder(CountingEncoder):
        def encode_parts(self, texts, parts):
            if len(self.seen) == 2:
                os.kill(os.getpid(), signal.SIGKILL)
            return super().encode_parts(texts, parts)

    def dying() -> None:
        build._GROUP = 1
        build.build(made_of(RING, PODS), DyingEncoder(), tmp_path)

    assert in_a_child(dying) == -signal.SIGKILL
    assert build.build(made_of(RING, PODS), FakeEncoder(), tmp_path).embedded == 1


@pytest.mark.parametrize("damage", [lambda _: b"no database" * 500, lambda whole: whole[: len(whole) // 2]])
def test_a_damaged_store_of_vectors_is_made_anew(tmp_path, damage):
    build.build(made_of(RING), FakeEncoder(), tmp_path)
    path = tmp_path / "embeddings.db"
    path.write_bytes(damage(path.read_bytes()))
    built = build.build(made_of(RING, PODS), FakeEncoder(), tmp_path)
    assert (built.new, built.manifest.documents) == (True, 2)
    store.open_shelf(tmp_path / "shelves")


# --- from the ledger ------------------------------------------------------------------------------


@pytest.fixture
def ledger(tmp_path):
    """A ledger of a document, a damaged one, a page under the first, a walled link and a stray page without text."""
    with open_ledger(tmp_path / "ledger.db") as book:
        book.add_resources(
            [
                Resource(RING.url, "Rings, as the list has it", ("Distributed computing",), "a classic"),
                Resource(PODS.url, "Pods", ("DevOps",), ""),
                Resource(WATCHED, "A talk", ("DevOps", "Others"), "of an hour"),
            ]
        )
        for each, resource in ((RING, RING.url), (PODS, PODS.url), (CACHES, RING.url)):
            path = documents.write(replace(each, resource=resource), tmp_path / "documents")
            written = str(path.relative_to(tmp_path / "documents"))
            book.record(Row(each.url, resource, each.title, Status.TEXT, words=each.words, document=written))
        book.record(Row(WATCHED, WATCHED, "A talk", Status.WALLED, "asks for a login (401)"))
        book.record(Row("https://stray.example.org", "https://stray.example.org", "Stray", Status.REJECTED, "nothing"))
        next((tmp_path / "documents").glob(f"{documents.file_stem(PODS.url)}-*.md")).write_text("changed by hand")
        yield book


def test_the_documents_of_the_ledger_are_read_and_damaged_ones_told_of(ledger, tmp_path):
    told: list[str] = []
    found = build.readable(ledger, tmp_path / "documents", told.append)
    assert {(source.url, source.resource_title) for _, source in found} == {
        (RING.url, "Rings, as the list has it"),
        (CACHES.url, "Rings, as the list has it"),
    }
    assert {source.topic for _, source in found} == {"Distributed computing"}
    assert all(source.sha256 == document.sha256 for document, source in found)
    (said,) = told
    assert "was changed since it was written; `prep ingest --refresh`" in said


def test_every_resource_is_listed_and_stray_pages_only_with_text(ledger):
    listings = {listing.url: listing for listing in build.listed(ledger)}
    assert set(listings) == {RING.url, PODS.url, WATCHED}
    assert listings[WATCHED].reason == "asks for a login (401)"
    assert listings[WATCHED].note == "of an hour"
    assert listings[RING.url].words == RING.words + CACHES.words


# --- ahead of the build ---------------------------------------------------------------------------


def test_documents_that_were_embedded_while_others_were_fetched_cost_the_build_nothing(tmp_path):
    encoder = CountingEncoder()
    embedded = threading.Event()
    real = encoder.encode_parts

    def signalling(texts, parts):
        made = real(texts, parts)
        if len(encoder.seen) == 3:
            embedded.set()
        return made

    encoder.encode_parts = signalling
    with Ahead(lambda: encoder, tmp_path) as ahead:
        ahead.add(RING)
        ahead.add(PODS)
        assert embedded.wait(20)
    assert build.build(made_of(RING, PODS), encoder, tmp_path).embedded == 0


def test_without_a_document_the_encoder_is_not_loaded(tmp_path):
    loaded: list[int] = []
    with Ahead(lambda: loaded.append(1), tmp_path):
        pass
    assert loaded == []


def test_what_keeps_it_from_embedding_ahead_is_left_for_the_build_to_say(tmp_path):
    def missing():
        raise ShelfError("no weights; run `make setup`.")

    with Ahead(missing, tmp_path) as ahead:
        ahead.add(RING)
        ahead._thread.join(20)
        assert not ahead._thread.is_alive()
