"""Meaning and words are fused so that neither is lost, and hits come from more than one document."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from conftest import FakeEncoder, a_document, a_source

from index import build, search, store
from index.encoder import unit
from index.passage import Listing
from index.search import Weights

# What the encoder below takes for the same, however it is worded; words that stand in no line mean nothing to it.
MEANINGS = (
    "car automobile vehicle drive",
    "ring circle loop workers",
    "cache store keep memory",
    "stampede burst herd rush",
    "pod container deployable unit",
    "crash fail broken outage",
    "slow latency delay wait",
    "price cost expensive cheap",
)
WORDS, MEANING, BOTH = Weights(lexical=1, wide=0), Weights(lexical=0, wide=0), Weights(wide=0)
TEXTS = {
    "cars": "An automobile that will not start is often a matter of its battery, and the cure is a charger or a push from behind by friends.",
    "ring": "Gradients travel around a circle, each participant adding its share and passing the sum to its neighbour until everybody has all.",
    "error": "E1042 is raised by the scheduler when no node has the room that was asked for; free some of it or ask for less and try again.",
    "herd": "When a key expires and everybody asks for it at once, the burst reaches the database; let one of them rebuild it, and others rest.",
    "pod": "The smallest deployable unit is replaced and never repaired, so whatever it wrote to its own disk is lost together with it at once.",
    "k8s": "kubectl drain moves everything off a node before its kernel is patched; PodDisruptionBudget says how much may be away at one time.",
    "dns": "NXDOMAIN says that a name does not exist, while SERVFAIL says that whoever was asked could not tell; only the latter may get better.",
    "queue": "The broker holds what was sent until it is acknowledged, so a consumer that stops in the middle gets the same message once again.",
}
QUESTIONS = {
    "my vehicle is broken": "cars",  # by meaning alone
    "workers in a loop": "ring",
    "a rush on memory": "herd",
    "which container is thrown away": "pod",
    "E1042": "error",  # by a word alone
    "what is NXDOMAIN": "dns",
    "PodDisruptionBudget": "k8s",
    "when is a message acknowledged": "queue",
    "a battery that makes a car fail": "cars",  # by both
    "participant in a ring": "ring",
    "a burst that reaches the database store": "herd",
}


class MeaningEncoder(FakeEncoder):
    """Knows what some words mean, and of all others only that they are there."""

    name = "meaning@1"

    def _vector(self, text):
        vector = np.full(64, 0.05, dtype=np.float32)
        for word in re.findall(r"\w+", text.lower()):
            for n, meaning in enumerate(MEANINGS):
                vector[n] += word in meaning.split()
        return unit(vector)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    folder = tmp_path_factory.mktemp("meanings")
    documents = [a_document(f"https://example.org/{name}", text, title=name) for name, text in TEXTS.items()]
    build.build([(each, a_source(each)) for each in documents], MeaningEncoder(), folder)
    return store.open_shelf(folder / "shelves")


def rank(shelf, question, weights) -> int:
    hits = search.hybrid(question, shelf, MeaningEncoder(), limit=8, weights=weights)
    names = [hit.source.title for hit in hits]
    return names.index(QUESTIONS[question]) + 1 if QUESTIONS[question] in names else 9


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_fusion_is_never_worse_than_its_better_half(shelf, question):
    both, halves = rank(shelf, question, BOTH), [rank(shelf, question, half) for half in (WORDS, MEANING)]
    assert both <= min(halves)
    assert both == 1


def test_and_better_than_either_over_all_questions(shelf):
    ranks = {
        weights: sum(1 / rank(shelf, question, weights) for question in QUESTIONS) for weights in (BOTH, WORDS, MEANING)
    }
    assert ranks[BOTH] > max(ranks[WORDS], ranks[MEANING])


def test_hits_come_best_first_with_what_they_were_found_by(shelf):
    hits = search.hybrid("a burst that reaches the database store", shelf, MeaningEncoder(), limit=5)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    best = hits[0]
    assert best.passage.text == TEXTS["herd"]
    assert best.source.url == "https://example.org/herd"
    assert best.lexical > 0
    assert best.dense > 0.5
    assert shelf.passages([best.number])[0] == (best.passage, best.source)


def test_the_same_question_has_the_same_hits(shelf):
    one, other = (search.hybrid("a rush on memory", shelf, MeaningEncoder(), limit=8) for _ in range(2))
    assert one == other


@pytest.mark.parametrize("question", ["", "???", "zebra", "how does it do that"])
def test_a_question_that_says_nothing_breaks_nothing(shelf, question):
    hits = search.hybrid(question, shelf, MeaningEncoder(), limit=8)
    assert all(np.isfinite(hit.score) for hit in hits)


@pytest.mark.parametrize(("limit", "found"), [(1, 1), (3, 3), (8, 8), (1000, 8)])
def test_no_more_hits_than_asked_for_and_no_more_than_there_are(shelf, limit, found):
    assert len(search.hybrid("broken cars in a ring", shelf, MeaningEncoder(), limit=limit)) == found


def test_as_many_hits_as_are_asked_for_where_there_are_so_many(tmp_path):
    document = a_document("https://example.org/", *[f"Ring {n} sums what {n} workers hold. " * 20 for n in range(260)])
    build.build([(document, a_source(document))], FakeEncoder(), tmp_path)
    shelf = store.open_shelf(tmp_path / "shelves")
    assert shelf.manifest.passages >= 250
    assert len(search.hybrid("zebra", shelf, FakeEncoder(), limit=250)) == 250


def test_a_word_that_is_in_every_passage_decides_nothing(tmp_path):
    texts = [
        f"The ring number {n} is one of many that are all alike, and it was counted by those who count."
        for n in range(9)
    ]
    documents = [a_document(f"https://example.org/{n}", text) for n, text in enumerate(texts)]
    build.build([(each, a_source(each)) for each in documents], FakeEncoder(), tmp_path)
    found = search.hybrid("ring number 7", store.open_shelf(tmp_path / "shelves"), FakeEncoder(), limit=1)
    assert found[0].source.url == "https://example.org/7"


# --- many passages of one document, topics, parts of a shelf -------------------------------------------


@pytest.fixture(scope="module")
def long_shelf(tmp_path_factory):
    """A long document on rings and two short ones; one of them stands under another topic."""
    folder = tmp_path_factory.mktemp("long")
    long = a_document("https://example.org/long", *[f"Ring {n} sums what workers hold. " * 25 for n in range(12)])
    short = a_document("https://example.org/short", "A ring of workers sums a buffer in the end, as one may see here.")
    other = a_document(
        "https://example.org/other", "A ring of Pods is something that nobody has ever seen in a cluster."
    )
    documents = [(each, a_source(each)) for each in (long, short)]
    build.build([*documents, (other, a_source(other, topic="DevOps; Others", kind="video"))], FakeEncoder(), folder)
    return store.open_shelf(folder / "shelves")


def urls(hits) -> list[str]:
    return [hit.source.url.rpartition("/")[2] for hit in hits]


def test_no_document_takes_all_the_places_if_so_many_are_asked_for_of_one(long_shelf):
    found = urls(search.hybrid("ring workers sums", long_shelf, FakeEncoder(), limit=5, per_document=3))
    assert found.count("long") == 3
    assert {"short", "other"} < set(found)


def test_but_no_place_stays_empty_for_it(long_shelf):
    found = search.hybrid("ring workers sums", long_shelf, FakeEncoder(), limit=10, per_document=3)
    assert len(found) == 10
    assert len({hit.number for hit in found}) == 10


def test_a_document_may_take_them_all_if_nothing_is_said(long_shelf):
    assert urls(search.hybrid("ring workers sums", long_shelf, FakeEncoder(), limit=5)).count("long") >= 4


@pytest.mark.parametrize(
    ("topic", "found"),
    [("DevOps", {"other"}), ("devops", {"other"}), ("distributed", {"long", "short"}), ("nowhere", set())],
)
def test_only_what_stands_under_a_topic_is_found(long_shelf, topic, found):
    assert set(urls(search.hybrid("ring", long_shelf, FakeEncoder(), limit=50, topic=topic))) == found


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"kinds": ["video"]}, {"other"}),
        ({"topics": ["Others"]}, {"other"}),
        ({"resource": "https://example.org/short"}, {"short"}),
        ({"kinds": ["podcast"]}, set()),
        ({}, {"long", "short", "other"}),
    ],
)
def test_only_what_a_shelf_was_narrowed_to_is_found(long_shelf, wanted, found):
    assert set(urls(search.hybrid("ring", long_shelf.narrowed(**wanted), FakeEncoder(), limit=50))) == found


def test_narrowing_does_not_change_how_what_is_left_is_ordered(long_shelf):
    question = "ring workers sums"
    whole = [hit.number for hit in search.hybrid(question, long_shelf, FakeEncoder(), limit=50)]
    narrow = long_shelf.narrowed(resource="https://example.org/long")
    part = [hit.number for hit in search.hybrid(question, narrow, FakeEncoder(), limit=50)]
    assert part == [n for n in whole if n in set(part)]


def test_what_the_lists_say_of_a_resource_takes_part(tmp_path):
    text = "Each of them is replaced and never repaired, and what it wrote to its own disk is lost with it for good."
    documents = [a_document(f"https://example.org/{name}", f"{text} ({name})", title=name) for name in "abc"]
    notes = {"https://example.org/b": "on what a pod is", "https://example.org/c": "on caches"}
    listings = [
        Listing(url, url[-1], "", "article", "full text", 20, note, "", "", True) for url, note in notes.items()
    ]
    build.build([(each, a_source(each)) for each in documents], MeaningEncoder(), tmp_path, listings=listings)
    shelf = store.open_shelf(tmp_path / "shelves")

    def scores(listed: float) -> dict[str, float]:
        hits = search.hybrid("pod", shelf, MeaningEncoder(), limit=3, weights=Weights(listed=listed, wide=0))
        return {hit.source.title: hit.score for hit in hits}

    gained = {name: score - scores(0.0)[name] for name, score in scores(0.1).items()}
    assert gained["a"] == 0, "it is on no list"
    assert gained["b"] == pytest.approx(0.1)
    assert gained["c"] == pytest.approx(-0.1)


# --- the wide reader ------------------------------------------------------------------------------


def test_token_vectors_put_first_what_meets_every_word_of_a_question(long_shelf):
    first = search.hybrid("nobody seen cluster", long_shelf, FakeEncoder(), limit=3, weights=Weights(wide=1))[0]
    assert first.source.url == "https://example.org/other"
    assert first.wide == pytest.approx(0.4, abs=0.01), (
        "each of its words stands there as it is: 0.4 is as far as 8 bits go"
    )


def test_a_shelf_without_token_vectors_is_searched_by_what_it_has(tmp_path):
    bare = FakeEncoder()
    bare.width = 0
    document = a_document("https://example.org/", "Ring workers sum what they hold. " * 9)
    bare.encode_parts = lambda texts, parts: [
        replace(one, tokens=np.zeros((0, 0), np.int8)) for one in FakeEncoder.encode_parts(bare, texts, parts)
    ]
    build.build([(document, a_source(document))], bare, tmp_path)
    shelf = store.open_shelf(tmp_path / "shelves")
    assert [hit.wide for hit in search.hybrid("ring", shelf, FakeEncoder(), limit=1)] == [0]
