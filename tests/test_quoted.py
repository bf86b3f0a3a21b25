"""What the shelf holds of a question is shown, what answers first; what it does not hold is said, with what is near."""

from __future__ import annotations

import pytest
from conftest import CACHES, PODS, RING, FakeReader, a_document, a_source

from app import confidence, quoted
from app.answer import CLOSEST, REFUSAL
from app.assistant import Assistant
from app.citer import Citer
from app.confidence import Confidence
from index import build, store
from index.passage import Listing
from ingest.document import Piece

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
LONG = a_document(
    "https://example.org/long",
    Piece("heading", "Backpressure", 2),
    "Queues fill when consumers are slow. Backpressure makes producers wait until there is room. " * 2
    + "A bounded queue blocks whoever puts something into it.",
    *(f"Paragraph {n} says of buffers that they hold {n} items, and of nothing else." for n in range(40)),
    Piece("heading", "Load shedding", 2),
    "Load shedding drops what cannot be served in time.",
    title="Flow control",
)


@pytest.fixture
def assistant(tmp_path, encoder):
    """An assistant over four documents, a book and a video that nobody could read."""
    documents = [
        (RING, a_source(RING)),
        (PODS, a_source(PODS, topic="DevOps")),
        (CACHES, a_source(CACHES, kind="note")),
        (LONG, a_source(LONG)),
    ]
    texts = [Listing(d.url, d.title, s.topic, s.kind, "full text", 60, "", "", "", True) for d, s in documents]
    build.build(documents, encoder, tmp_path, listings=[*texts, BOOK, VIDEO])
    return Assistant(store.open_shelf(tmp_path / "shelves", encoder=encoder.name), encoder, reader=FakeReader())


@pytest.fixture
def outcome(monkeypatch):
    """A function that sets what is made of all that is found."""
    return lambda name: monkeypatch.setattr(confidence, "confidence", lambda _: Confidence(0.5, name))


@pytest.mark.usefixtures("sure")
def test_an_answer_leads_with_the_sentence_that_answers_and_goes_on_as_its_document_does(assistant):
    answer = assistant.ask("What makes producers wait, backpressure?")
    assert answer.sentences[0].text == "Backpressure makes producers wait until there is room."
    first = answer.sections[0]
    assert LONG.text.count(first.text) == 1
    assert first.text.startswith(answer.sentences[0].text)
    assert first.text[first.said :].strip() == first.rest
    assert any(first.text[a:b] == answer.sentences[0].text for a, b in first.marks)
    assert len(answer.text.split()) <= 300


@pytest.mark.usefixtures("sure")
def test_a_section_ends_where_another_heading_begins(assistant):
    answer = assistant.ask("What does load shedding drop?")
    assert answer.sections[0].heading == ("Load shedding",)
    assert "Paragraph" not in answer.sections[0].text


@pytest.mark.usefixtures("sure")
def test_all_that_is_shown_is_cited_and_verbatim(assistant):
    documents = {document.url: document for document in (RING, PODS, CACHES, LONG)}
    for question in ("How does ring-allreduce work?", "What is a Pod?", "Backpressure and buffers, what do they do?"):
        answer = assistant.ask(question)
        assert {section.n for section in answer.sections} <= {cited.n for cited in answer.citations}
        assert all(documents[c.url].text[c.start : c.end] == c.quote for c in answer.citations)
        shown = {section.n: section.text for section in answer.sections}
        assert all(cited.quote == shown.get(cited.n, cited.quote) for cited in answer.citations)


@pytest.mark.usefixtures("sure")
def test_a_name_that_nothing_has_is_said_to_be_missing(assistant):
    assert "NACL" in assistant.ask("How does ring-allreduce differ from NACL?").missing
    assert assistant.ask("How does ring-allreduce work?").missing is None


def test_what_comes_closest_is_shown_and_never_claimed_to_answer(assistant, outcome):
    outcome("closest")
    answer = assistant.ask("How does ring-allreduce work?")
    assert (answer.outcome, answer.abstained) == ("closest", True)
    assert answer.sentences == ()
    assert len(answer.sections) == len(answer.citations) == 1
    assert answer.sections[0].marks == ()
    assert answer.text.startswith(CLOSEST)
    assert answer.sections[0].text.split("\n")[0] in answer.text
    assert RING.url in {near.url for near in answer.nearest}


def test_where_nothing_is_near_that_is_said(assistant, outcome):
    outcome("refused")
    answer = assistant.ask("How does ring-allreduce work?")
    assert answer.abstained
    assert answer.sentences == answer.sections == answer.citations == ()
    assert answer.text.startswith(REFUSAL)
    assert RING.url in {near.url for near in answer.nearest}


def test_without_a_reader_nothing_is_claimed_to_answer(assistant):
    bare = Assistant(assistant.shelf, assistant.encoder)
    assert bare.ask("How does ring-allreduce work?").abstained


@pytest.mark.usefixtures("sure")
def test_questions_about_the_lists_are_answered_from_the_lists(assistant):
    answer = assistant.ask("Which videos cover Pods?")
    assert not answer.abstained
    assert "Pods on film" in (answer.missing or answer.text)


@pytest.mark.parametrize("length", ["short", "standard", "long"])
@pytest.mark.usefixtures("sure")
def test_an_answer_has_no_more_words_than_its_length_allows(assistant, length):
    found = assistant.find("Backpressure and buffers, how do producers wait?")
    made = assistant._quoter.quote(found, length)
    shown = sum(len(one.text.split()) for one in made.sentences) + sum(len(one.rest.split()) for one in made.sections)
    assert 0 < shown <= quoted.WORDS[length]


def test_a_quote_is_shown_on_one_line():
    assert quoted.readable("Rings\n are  optimal.") == "Rings are optimal."


def test_a_passage_of_one_long_sentence_is_shown_though_it_is_longer_than_a_section(tmp_path, encoder, outcome):
    outcome("closest")
    said = a_document("https://example.org/one", "word " * 200 + "ends.")
    build.build([(said, a_source(said))], encoder, tmp_path)
    shelf = store.open_shelf(tmp_path / "shelves", encoder=encoder.name)
    assert Assistant(shelf, encoder, reader=FakeReader()).ask("which word?").sections[0].text.startswith("word word")


@pytest.mark.usefixtures("sure")
def test_if_the_first_section_cannot_be_cited_the_others_are_shown_whole(assistant, monkeypatch):
    whole = assistant.ask("How does ring-allreduce work?")
    first = whole.citations[whole.sections[0].n - 1]
    cite = Citer.cite

    def refuse(self, hit, start, end, n):
        return None if (start, end) == (first.start, first.end) else cite(self, hit, start, end, n)

    monkeypatch.setattr(Citer, "cite", refuse)
    assert all(section.said == 0 for section in assistant.ask("How does ring-allreduce work?").sections)
