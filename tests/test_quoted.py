"""What the shelf holds of a question is quoted; what it does not hold is named, with what comes nearest."""

from __future__ import annotations

import pytest
from conftest import CACHES, PODS, RING, a_source

from app import confidence, question, quoted
from app.answer import REFUSAL
from app.assistant import Assistant
from index import build, store
from index.passage import Listing

BOOK = Listing(
    "https://example.org/book",
    "Clean Rings",
    "Distributed computing",
    "book",
    "walled",
    0,
    "A book of rings.",
    "",
    "",
    True,
)
VIDEO = Listing(
    "https://example.org/video", "Pods on film", "DevOps", "video", "not fetched", 0, "Pods, shown.", "", "", True
)


@pytest.fixture
def asked(tmp_path, encoder):
    """A function that asks a shelf of three documents, a book and a video that nobody could read."""
    documents = [
        (RING, a_source(RING)),
        (PODS, a_source(PODS, topic="DevOps")),
        (CACHES, a_source(CACHES, kind="note")),
    ]
    texts = [Listing(d.url, d.title, s.topic, s.kind, "full text", 60, "", "", "", True) for d, s in documents]
    build.build(documents, encoder, tmp_path, listings=[*texts, BOOK, VIDEO])
    return Assistant(store.open_shelf(tmp_path / "shelves", encoder=encoder.name), encoder).ask


@pytest.mark.usefixtures("sure")
def test_of_two_questions_the_one_that_cannot_be_answered_is_named(asked):
    answer = asked("How does ring-allreduce work, and how does Karpenter consolidate nodes?")
    assert not answer.abstained
    assert "two phases" in answer.text
    assert "Karpenter" in answer.missing
    assert {citation.url for citation in answer.citations} == {RING.url}
    assert answer.nearest


@pytest.mark.usefixtures("sure")
def test_a_name_that_no_source_has_is_said_to_be_missing(asked):
    assert "NACL" in asked("How does ring-allreduce differ from NACL?").missing
    assert asked("How does ring-allreduce work?").missing is None


@pytest.mark.usefixtures("sure")
def test_what_a_resource_without_text_says_is_not_made_up_from_others(asked):
    answer = asked("What does the book Clean Rings say about rings?")
    assert answer.abstained
    assert answer.nearest[0].url == BOOK.url
    assert "walled" in answer.nearest[0].note
    assert not asked("What is a ring?").abstained  # not about the book


def test_below_the_threshold_nothing_is_answered(asked, monkeypatch):
    monkeypatch.setattr(confidence, "enough", lambda _: 1.1)
    answer = asked("How does ring-allreduce work?")
    assert answer.abstained
    assert answer.sentences == answer.citations == ()
    assert answer.text.startswith(REFUSAL)
    assert RING.url in {near.url for near in answer.nearest}


@pytest.mark.usefixtures("sure")
def test_questions_about_the_lists_are_answered_from_the_lists(asked):
    answer = asked("Which videos cover Pods?")
    assert "Pods on film" in answer.text
    assert RING.url not in answer.text
    said = asked("what is on the shelf about rings?")
    assert "Ring-allreduce explained" in said.text
    for citation in said.citations:
        assert citation.quote in RING.text + PODS.text + CACHES.text


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("How does ring-allreduce work?", 1),
        ("What is a Pod and what is a Deployment?", 2),
        ("How do push and pull differ?", 1),
        ("What is a Pod? How is it restarted?", 2),
        ("What are the pros and cons?", 1),
    ],
)
def test_questions_asked_at_once_are_told_apart(text, parts):
    assert len(quoted.parts(text)) == parts


def test_confidence_is_a_probability_and_falls_with_what_is_unknown(tmp_path, encoder, assistant):
    def sure(text: str) -> float:
        read = question.read(text)
        quoter = quoted.Quoter(assistant.shelf, encoder, lambda *_: None)
        return quoter.weigh(read, quoter.hits(read)).confidence

    known, unknown = sure("How does ring-allreduce sum a buffer?"), sure("Who won the chess championship in Reykjavik?")
    assert 0 <= unknown < known <= 1
    assert sure("the of and") == 0


def test_every_feature_has_its_weight():
    assert 0 < confidence.enough(100) < 1
