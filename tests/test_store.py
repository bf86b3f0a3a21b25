"""A shelf is published whole or not at all, and opened only where it is what was published."""

from __future__ import annotations

import json
import os
import random
import re
import resource
import signal
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import CACHES, PODS, RING, FakeEncoder, a_source, in_a_child

from index import ShelfError, build, store, vectors
from index.lexical import Lexical
from index.manifest import FORMAT, Manifest, as_json, survey
from index.manifest import describe as manifest_of
from ingest.document import Document

ENCODER = FakeEncoder()


def publish(folder: Path, *documents: Document) -> str:
    return build.build([(each, a_source(each)) for each in documents], ENCODER, folder).manifest.version


def served(folder: Path) -> set[str]:
    return {source.url for source in store.open_shelf(folder / "shelves").sources()}


def rewrite(folder: Path, **changes: object) -> Path:
    """Change the manifest of the shelf that serves."""
    shelves = folder / "shelves"
    path = shelves / (shelves / "current").read_text() / "manifest.json"
    said = {**json.loads(path.read_bytes()), **changes}
    path.write_bytes(
        Manifest(**said).sealed().written() if said.keys() <= set(Manifest.__dataclass_fields__) else b"{}"
    )
    return path


def test_a_shelf_that_was_published_is_opened_with_all_that_was_put_on_it(shelf_folder):
    shelf = store.open_shelf(shelf_folder / "shelves", encoder=ENCODER.name)
    assert served(shelf_folder) == {RING.url, PODS.url, CACHES.url}
    texts = {document.url: document.text for document in (RING, PODS, CACHES)}
    everything = shelf.passages(range(shelf.manifest.passages))
    assert len(everything) == shelf.manifest.passages == 4
    for n, (passage, source) in enumerate(everything):
        assert texts[source.url][passage.start : passage.end] == passage.text
        assert shelf.page(source.url)[0] == texts[source.url]
        assert len(shelf.sentence_vectors(n)) == len(passage.sentences)
    assert shelf.page("https://example.org/nowhere") == ("", "")


def test_its_vectors_are_those_of_its_passages(shelf_folder):
    shelf = store.open_shelf(shelf_folder / "shelves")
    everything = shelf.passages(range(shelf.manifest.passages))
    heads = [" > ".join(dict.fromkeys([source.title, *passage.heading])) for passage, source in everything]
    wanted = ENCODER.encode([f"{head}\n{passage.text}" for head, (passage, _) in zip(heads, everything, strict=True)])
    numbers = np.arange(len(everything))
    question = ENCODER.encode(["how does ring-allreduce sum a buffer?"])[0]
    assert np.allclose(shelf.cosines(question, numbers), wanted @ question, atol=1e-5)
    assert shelf.nearest(question, 10).tolist() == np.argsort(-(wanted @ question), kind="stable").tolist()
    assert shelf.nearest(question, 2).tolist() == shelf.nearest(question, 10).tolist()[:2]
    assert shelf.spread(question) == pytest.approx(
        (float((wanted @ question).mean()), float((wanted @ question).std())), abs=1e-4
    )
    best = [max(shelf.sentence_vectors(n) @ question) for n in numbers]
    assert np.allclose(shelf.best_sentences(question, numbers), best, atol=1e-3)


def test_its_manifest_says_what_it_is_made_of(shelf_folder):
    manifest = manifest_of(shelf_folder / "shelves")
    assert manifest is not None
    folder = shelf_folder / "shelves" / manifest.version
    assert (manifest.encoder, manifest.dimension, manifest.documents) == (ENCODER.name, 64, 3)
    written = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert written == {*manifest.files, "manifest.json"}
    assert all(len(digest) == 64 for digest in manifest.files.values())
    assert "files" not in as_json(manifest)


def test_where_there_is_no_shelf_the_cure_is_named(tmp_path):
    assert manifest_of(tmp_path) is None
    with pytest.raises(ShelfError, match=r"holds no shelf; run `prep ingest` to build one"):
        store.open_shelf(tmp_path)


def test_nothing_is_published_of_no_passages(tmp_path):
    with pytest.raises(ShelfError, match="no passage to put on a shelf; `prep ingest`"):
        build.build([], ENCODER, tmp_path)
    assert manifest_of(tmp_path / "shelves") is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"encoder": "other@1"}, r"was built with other@1; run `prep index` to rebuild it with fake@1"),
        ({"format": 1}, r"has format 1; run `prep index` to rebuild it"),
        ({"format": FORMAT + 1}, r"run `prep index` to rebuild it"),
        ({"surprise": 1}, r"manifest.json cannot be read .* run `prep index`"),
        ({"version": "another"}, r"manifest.json cannot be read .* run `prep index`"),
    ],
)
def test_a_shelf_that_was_built_otherwise_is_refused_with_the_cure(shelf_folder, changes, said):
    rewrite(shelf_folder, **changes)
    with pytest.raises(ShelfError, match=said):
        store.open_shelf(shelf_folder / "shelves", encoder=ENCODER.name)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"{}", b"\xff\xfe", b'{"version": 1}'])
def test_a_manifest_that_cannot_be_read_is_named_with_the_cure(shelf_folder, content):
    rewrite(shelf_folder).write_bytes(content)
    with pytest.raises(ShelfError, match=r"manifest.json cannot be read .* run `prep index`"):
        store.open_shelf(shelf_folder / "shelves")


@pytest.mark.parametrize("content", [b"20200101T000000Z-000000", b"", b"\xff", b"../shelves", b".", None])
def test_a_damaged_pointer_is_told_and_the_newest_shelf_serves_until_it_is_healed(tmp_path, content):
    publish(tmp_path, RING)
    version = publish(tmp_path, PODS)
    before = everything(tmp_path)
    pointer = tmp_path / "shelves" / "current"
    pointer.write_bytes(content) if content is not None else pointer.unlink()
    shelf = store.open_shelf(tmp_path / "shelves")
    assert (shelf.manifest.version, served(tmp_path)) == (version, {PODS.url})
    for said in [shelf.trouble, *damage(tmp_path)]:
        assert str(pointer) in said
        assert "`prep index`" in said
    assert publish(tmp_path, PODS) == version
    assert (damage(tmp_path), everything(tmp_path)) == ([], before)


def damage(folder: Path) -> list[str]:
    return survey(folder / "shelves")[1]


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted((folder / "shelves").rglob("*")) if path.is_file()}


@pytest.mark.parametrize("bit", [1, 128])
def test_whatever_byte_is_damaged_the_last_good_shelf_answers_and_a_build_heals_it(tmp_path, bit):
    old = publish(tmp_path, RING)
    new = publish(tmp_path, RING, PODS)
    dice = random.Random(bit)
    before = everything(tmp_path)
    for name in before:
        content = bytearray(before[name])
        content[dice.randrange(len(content))] ^= bit
        Path(name).write_bytes(content)
        opened = store.open_shelf(tmp_path / "shelves")
        assert opened.manifest.version == (old if f"/{new}/" in name else new)
        assert any(name in said for said in damage(tmp_path))
        assert bool(opened.trouble) == (f"/{old}/" not in name), "what does not serve hinders nobody"
        Path(name).write_bytes(before[name])
    path = tmp_path / "shelves" / new / "shelf.db"
    path.write_bytes(path.read_bytes()[:-1])
    healed = publish(tmp_path, RING, PODS)
    kept = {each.name for each in (tmp_path / "shelves").iterdir() if each.is_dir()}
    assert kept == {old, healed}, "the last good one stays until there are two again"
    assert (damage(tmp_path), served(tmp_path)) == ([], {RING.url, PODS.url})


@pytest.mark.parametrize("files", [{}, {"shelf.db": "0" * 64}, None, [], {"../x": "y"}])
def test_a_manifest_that_was_edited_by_hand_serves_nothing(shelf_folder, files):
    shelves = shelf_folder / "shelves"
    path = shelves / (shelves / "current").read_text() / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "files": files}, indent=1))
    with pytest.raises(ShelfError, match=r"manifest.json cannot be read .* run `prep index`"):
        store.open_shelf(shelves)


def damage_by_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [damage_by_a_bit, Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:-1])],
    ids=["a bit", "gone", "cut short"],
)
def test_any_file_that_is_not_what_was_published_is_named_with_the_cure(shelf_folder, damage):
    manifest = manifest_of(shelf_folder / "shelves")
    assert manifest is not None
    for name in manifest.files:
        path = shelf_folder / "shelves" / manifest.version / name
        before = path.read_bytes()
        damage(path)
        with pytest.raises(ShelfError, match=r"is not what was published; run `prep index`") as caught:
            store.open_shelf(shelf_folder / "shelves")
        assert str(path) in str(caught.value)
        path.write_bytes(before)
    store.open_shelf(shelf_folder / "shelves")


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (store, "_write_tables"),
        (vectors, "save"),
        (Lexical, "save"),
        (store, "_fsync"),
        (store, "point"),
    ],
)
def test_a_kill_while_it_is_published_leaves_the_last_one_serving(shelf_folder, owner, name):
    def dying() -> None:
        setattr(owner, name, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
        publish(shelf_folder, CACHES)

    assert in_a_child(dying) == -signal.SIGKILL
    assert served(shelf_folder) == {RING.url, PODS.url, CACHES.url}
    publish(shelf_folder, PODS)
    assert served(shelf_folder) == {PODS.url}
    left = [path.name for path in (shelf_folder / "shelves").iterdir() if path.name.startswith(".")]
    assert left == [], "what the kill left behind is gone"


@pytest.mark.parametrize("room", [0, 500, 2_000, 6_000, 20_000, 36_000, 50_000])
def test_a_full_disk_leaves_the_last_one_serving_and_says_so(shelf_folder, room):
    said = shelf_folder / "said"
    said.touch()
    out = os.open(said, os.O_WRONLY)

    def filling() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
        try:
            publish(shelf_folder, *(replace(CACHES, url=f"https://example.org/{n}") for n in range(40)))
        except ShelfError as error:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            os.write(out, str(error).encode())

    assert in_a_child(filling) == 0
    os.close(out)
    assert re.search(r"(?:shelves|embeddings\.db): .*[Mm]ake room", said.read_text()), "it ended otherwise"
    assert served(shelf_folder) == {RING.url, PODS.url, CACHES.url}


def test_where_it_may_not_write_it_says_so_and_leaves_nothing(tmp_path):
    (tmp_path / "shelves").write_text("a file stands where the folder should")
    with pytest.raises(ShelfError, match="the shelf cannot be written"):
        publish(tmp_path, RING)


def test_the_last_two_shelves_are_kept_and_older_ones_removed(tmp_path):
    versions = [publish(tmp_path, document) for document in (RING, PODS, CACHES)]
    kept = {path.name for path in (tmp_path / "shelves").iterdir() if path.is_dir()}
    assert versions[-1] in kept
    assert len(kept) == 2
    assert served(tmp_path) == {CACHES.url}


def test_a_shelf_that_is_open_serves_on_when_newer_ones_are_published(shelf_folder):
    shelf = store.open_shelf(shelf_folder / "shelves")
    for document in (RING, PODS, CACHES):
        publish(shelf_folder, document)
    question = ENCODER.encode(["how does ring-allreduce sum a buffer?"])[0]
    assert len(shelf.nearest(question, 10)) == 4
    assert len(shelf.passages(range(4))) == 4
    assert shelf.lexical.scores("ring").any()


def test_an_open_shelf_cannot_be_written_to(shelf_folder):
    shelf = store.open_shelf(shelf_folder / "shelves")
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        shelf._db.execute("delete from passage")


# --- a part of a shelf ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, {RING.url, PODS.url, CACHES.url}),
        ({"topics": ["DevOps"]}, {PODS.url}),
        ({"topics": ["DevOps", "Distributed computing"]}, {RING.url, PODS.url, CACHES.url}),
        ({"kinds": ["article"]}, {RING.url, PODS.url, CACHES.url}),
        ({"kinds": ["video"]}, set()),
        ({"resource": RING.url}, {RING.url}),
        ({"topics": ["DevOps"], "resource": RING.url}, set()),
    ],
)
def test_a_narrowed_shelf_searches_only_what_fits(shelf_folder, wanted, found):
    shelf = store.open_shelf(shelf_folder / "shelves").narrowed(**wanted)
    fits = shelf.searched()
    sources = [source.url for _, source in shelf.passages(range(shelf.manifest.passages))]
    assert {url for n, url in enumerate(sources) if fits is None or fits[n]} == found


def test_a_narrowed_shelf_leaves_the_whole_one_as_it_was(shelf_folder):
    shelf = store.open_shelf(shelf_folder / "shelves")
    narrow = shelf.narrowed(topics=["DevOps"])
    assert shelf.searched() is None
    assert narrow.searched().sum() == 1
    assert narrow.narrowed(kinds=["article"]).manifest == shelf.manifest


def test_a_topic_narrows_a_narrowed_shelf_further(shelf_folder):
    shelf = store.open_shelf(shelf_folder / "shelves")
    assert shelf.searched("devops").sum() == 1
    assert shelf.narrowed(resource=RING.url).searched("devops").sum() == 0
