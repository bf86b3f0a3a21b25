"""A reading list holds what was asked for, in an order to read it in, and says of each why, how long and what it lacks."""

from __future__ import annotations

import json

import pytest
from conftest import CACHES, PODS, RING, FakeEncoder, a_document, a_source
from hypothesis import given, settings
from hypothesis import strategies as st

from app import AnswerError, candidates, fitted, spans, wish
from app.assistant import Assistant
from app.reading import STAGES, duration, stage_of
from index import build, store
from index.passage import Listing
from ingest.document import Piece

ITEM = {"url", "title", "kind", "stage", "minutes", "why", "quote", "deep_url", "status"}


def a_listing(url: str, title: str, topic: str = "Distributed computing", **changes) -> Listing:
    about = {"kind": "article", "status": "full text", "words": 400, "note": "", "stage": "", "reason": ""}
    return Listing(**{"url": url, "title": title, "topic": topic, "curated": True, **about, **changes})


LISTINGS = [
    a_listing(RING.url, RING.title, words=1000),
    a_listing(PODS.url, "Pods", "DevOps", stage="crawl"),
    a_listing(CACHES.url, "Caches", kind="note", stage="run"),
    a_listing(
        "https://example.org/talk",
        "Ring-allreduce, a talk",
        kind="video",
        status="not fetched",
        words=0,
        note="Baidu on how the ring-allreduce came to deep learning.",
    ),
    a_listing("https://example.org/book", "Rings in depth", kind="book", status="metadata only", words=0),
]


def a_shelf(folder, listings, documents=None) -> Assistant:
    documents = documents or [
        (RING, a_source(RING)),
        (PODS, a_source(PODS, topic="DevOps")),
        (CACHES, a_source(CACHES)),
    ]
    build.build(documents, FakeEncoder(), folder, listings=listings)
    return Assistant(store.open_shelf(folder / "shelves"), FakeEncoder())


@pytest.fixture(autouse=True, scope="module")
def weights(tmp_path_factory):
    """Weights that suit the cosines of the fake encoder, whatever is fitted for the real one."""
    folder = tmp_path_factory.mktemp("weights")
    for path in fitted.HERE.glob("*.json"):
        (folder / path.name).write_bytes(path.read_bytes())
    pages = {**dict.fromkeys(candidates.READ, 0.0), "wide": 8.0, "intercept": -2.0, "threshold": 0.3}
    unread = {**dict.fromkeys(candidates.UNREAD, 0.0), "described": 8.0, "intercept": -2.0}
    (folder / "welcome.json").write_text(json.dumps(pages | {"near": 0.5, "best": 0.4, "floor": 0.1}))
    (folder / "unread.json").write_text(json.dumps(unread))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitted, "HERE", folder)
        fitted.read.cache_clear()
        yield
    fitted.read.cache_clear()


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    return a_shelf(tmp_path_factory.mktemp("reading"), LISTINGS)


def test_what_fits_is_listed_with_its_own_words_for_a_reason(shelf):
    listed = shelf.read("ring-allreduce over workers")
    (ring,) = [item for item in listed.items if item.url == RING.url]
    assert ring.quote == ring.why != ""
    assert ring.quote in RING.text
    assert ring.deep_url.startswith(f"{RING.url}#:~:text=")
    assert (ring.kind, ring.status, ring.minutes) == ("article", "full text", 1)


def test_what_could_not_be_read_is_listed_for_what_the_lists_say_of_it(shelf):
    listed = shelf.read("a video on ring-allreduce")
    (talk,) = [item for item in listed.items if item.url == "https://example.org/talk"]
    assert (talk.quote, talk.status, talk.deep_url) == ("", "not fetched", talk.url)
    assert (talk.about, talk.minutes) == (True, 20)
    assert talk.why == "Baidu on how the ring-allreduce came to deep learning."
    assert any("could not be read here" in gap for gap in listed.gaps)


def test_it_goes_from_the_basics_to_the_depth(shelf):
    listed = shelf.read("three texts about rings, pods, caches and workers")
    stages = [STAGES.index(item.stage) for item in listed.items]
    assert len(set(stages)) > 1
    assert stages == sorted(stages)


@pytest.mark.parametrize("minutes", [1, 6, 25, 60, 1000])
def test_a_time_box_is_kept_to(shelf, minutes):
    listed = shelf.read("ring-allreduce over workers", minutes=minutes)
    assert listed.minutes <= minutes
    assert not {item.url for item in listed.items} & {item.url for item in listed.left_out}


def test_a_time_box_may_stand_in_the_request(shelf):
    assert shelf.read("ring-allreduce in 10 minutes").minutes <= 10


@pytest.mark.parametrize(
    ("request_", "kinds"),
    [("videos on ring-allreduce", {"video"}), ("ring-allreduce, no videos and no books", {"article", "note"})],
)
def test_only_kinds_that_are_welcome_are_listed(shelf, request_, kinds):
    listed = shelf.read(request_)
    assert listed.items
    assert {item.kind for item in listed.items} <= kinds


@pytest.mark.parametrize(
    ("request_", "most"),
    [
        ("rings, pods and caches, one text is enough", 1),
        ("two texts about rings, pods and caches", 2),
        ("rings, max 1", 1),
    ],
)
def test_no_more_are_listed_than_were_asked_for(shelf, request_, most):
    assert 1 <= len(shelf.read(request_).items) <= most


def test_of_each_kind_asked_for_one_is_listed_and_what_is_missing_is_said(shelf):
    listed = shelf.read("one video, one article, one course: ring-allreduce")
    assert sorted(item.kind for item in listed.items) == ["article", "video"]
    assert "The shelf has no course on this." in listed.gaps


def test_what_costs_money_is_not_listed_where_it_must_be_free(shelf):
    assert [item.paid for item in shelf.read("a book on rings in depth").items] == [True]
    free = shelf.read("a free book on rings in depth")
    assert free.items == ()
    assert any("free" in gap for gap in free.gaps)


def test_what_was_understood_is_said(shelf):
    assert (
        shelf.read("two articles on ring-allreduce, in an hour").understood == "article · 2 · 60 min · ring-allreduce"
    )


@pytest.fixture(scope="module")
def long_shelf(tmp_path_factory):
    filler = "Quorums need a majority of replicas that answer before a write counts as done. "
    book = a_document(
        "https://example.org/guide",
        Piece("heading", "Rings", 2),
        "Ring-allreduce sums a buffer over workers arranged in a ring, step after step around it.",
        Piece("heading", "Quorums", 2),
        *[filler * 20 for _ in range(60)],
        title="A guide to everything",
    )
    return a_shelf(tmp_path_factory.mktemp("long"), [a_listing(book.url, book.title)], [(book, a_source(book))])


def test_of_a_long_page_the_section_is_meant_with_its_own_minutes(long_shelf):
    (item,) = long_shelf.read("ring-allreduce over workers").items
    assert (item.part, item.minutes) == ("Rings", 1)
    assert "ring" in item.quote


def test_where_nothing_fits_it_says_so(shelf):
    listed = shelf.read("courses on ring-allreduce only, courses only")
    assert listed.items == ()
    assert any("No resource" in gap for gap in listed.gaps)


def test_words_that_the_shelf_does_not_have_are_named(shelf):
    assert any("zebra" in gap for gap in shelf.read("zebra rings").gaps)


@pytest.mark.parametrize("request_", ["", "  ", "x" * 5000])
def test_what_is_no_request_is_refused(shelf, request_):
    with pytest.raises(AnswerError):
        shelf.read(request_)


@pytest.mark.parametrize("listings", [[], LISTINGS[:1], LISTINGS[1:2]])
def test_a_small_shelf_breaks_nothing(tmp_path, listings):
    listed = a_shelf(tmp_path, listings).read("zebra in ten minutes")
    assert len(listed.items) <= len(listings)


def test_as_json_it_has_the_shape_that_is_promised(shelf):
    told = shelf.read("ring-allreduce over workers").as_json()
    assert set(told) >= {"request", "items", "gaps"}
    assert told["request"] == "ring-allreduce over workers"
    assert all(set(item) >= ITEM for item in told["items"])
    assert all(item["stage"] in STAGES for item in told["items"])


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.sampled_from("ring pods only no videos books in 2 h minutes basics before Friday ? , zebra".split()),
        min_size=1,
    )
)
def test_no_request_is_too_odd_for_it(shelf, words):
    listed = shelf.read(" ".join(words))
    assert len({item.url for item in listed.items}) == len(listed.items)
    for item in listed.items:
        assert item.why
        assert item.minutes > 0 or item.about


# --- what a request asks for ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "subject", "only", "without", "minutes"),
    [
        ("what should I read about ring-allreduce?", "ring-allreduce", set(), set(), None),
        ("videos on Kubernetes", "Kubernetes", {"video", "playlist", "channel"}, set(), None),
        ("distributed training in 3 hours", "distributed training", set(), set(), 180),
        ("feature stores, 45 min", "feature stores", set(), set(), 45),
        ("SOLID, but no books", "SOLID", set(), {"book"}, None),
        ("caching for an hour and a half", "caching", set(), set(), 90),
        ("1h30 on SQL", "SQL", set(), set(), 90),
        ("papers or books on Raft, 2h", "Raft", {"paper", "book"}, set(), 120),
        ("which book should I read first about Raft?", "Raft", {"book"}, set(), None),
        ("no videos or books, feature stores please", "feature stores", set(), {*wish.VIDEO, "book"}, None),
        ("feature stores, something to read not watch", "feature stores", set(), set(wish.VIDEO), None),
        ("something to watch about Kubernetes", "Kubernetes", set(wish.VIDEO), set(), None),
        ("platforms to practise graph problems", "graph problems", {"practice"}, set(), None),
        ("my interview is on Friday, system design round", "system design", set(), set(), None),
        ("I have a couple of hours before my interview, sharding", "sharding", set(), set(), 120),
        ("I have an interview on feature stores tomorrow, 45 minutes", "feature stores", set(), set(), 45),
        ("my interview next week is about Raft", "Raft", set(), set(), None),
        ("preparing for a system design interview", "system design interview", set(), set(), None),
        ("I have two hours tonight for Raft", "Raft", set(), set(), 120),
        ("I have a weekend to learn Kubernetes", "Kubernetes", set(), set(), None),
        ("two hours tonight: Raft and Paxos", "Raft and Paxos", set(), set(), 120),
        ("how to write a design paper", "how to write a design paper", set(), set(), None),
        ("Kubernetes workshop", "Kubernetes workshop", set(), set(), None),
        ("I only want papers on Raft", "Raft", {"paper"}, set(), None),
        ("Uber (videos)", "Uber", set(wish.VIDEO), set(), None),
        ("I don't like videos, show me Raft", "Raft", set(), set(wish.VIDEO), None),
        ("design patterns, not books", "design patterns", set(), {"book"}, None),
        ("notes app design", "notes app design", set(), set(), None),
        ("SOLID and abstract classes", "SOLID and abstract classes", set(), set(), None),
        ("youtube channels for system design", "system design", {"channel"}, set(), None),
    ],
)
def test_a_request_in_plain_words_is_understood(request_, subject, only, without, minutes):
    asked = wish.read(request_)
    assert (asked.subject, set(asked.only), set(asked.without), asked.minutes) == (subject, only, without, minutes)


@pytest.mark.parametrize(
    ("text", "stages"),
    [
        ("caching for beginners", ("crawl",)),
        ("advanced caching", ("walk", "run")),
        ("caching", STAGES),
    ],
)
def test_its_level_is_understood(text, stages):
    assert wish.read(text).stages == stages


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("3h", 180), ("1h30", 90), ("90 min", 90), ("half an hour", 30), ("2.5 hours", 150), ("soon", None), ("", None)],
)
def test_a_span_of_time_is_read_as_people_write_it(text, minutes):
    assert spans.span(text) == minutes


@pytest.mark.parametrize(
    ("changes", "stage"),
    [
        ({"title": "Introduction to rings"}, "crawl"),
        ({"title": "Rings"}, "walk"),
        ({"title": "Rings at scale"}, "run"),
        ({"title": "Rings", "kind": "paper"}, "run"),
        ({"title": "Rings at scale", "stage": "crawl"}, "crawl"),
    ],
)
def test_where_a_resource_stands_is_told_by_its_kind_and_title(changes, stage):
    assert stage_of(a_listing("https://example.org/", **{"title": "", **changes})) == stage


@pytest.mark.parametrize(("minutes", "said"), [(0, ""), (5, "5 min"), (60, "1 h"), (61.4, "1 h 1 min")])
def test_a_duration_is_written_as_people_say_it(minutes, said):
    assert duration(minutes) == said
