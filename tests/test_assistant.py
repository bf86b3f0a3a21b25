"""Whatever is asked, each sentence of the answer is proved by a quote that its document holds word for word."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from conftest import CACHES, PODS, RING, FakeEncoder, FakeReader, a_document, a_source
from hypothesis import given, settings
from hypothesis import strategies as st

from app import AnswerError, spelling
from app.answer import REFUSAL, Answer, Done, Said, Shown, Status
from app.assistant import LONGEST_QUESTION, Assistant, Turn
from app.quoted import readable
from index import build, store
from index.passage import Source
from ingest import notes
from ingest.catalogue import STARTER

pytestmark = pytest.mark.usefixtures("sure")
HOW = "How does ring-allreduce work?"
DOCUMENTS = {document.url: document for document in (RING, PODS, CACHES)}


def check_proof(answer: Answer, documents=DOCUMENTS) -> None:
    """Every sentence is cited, every citation used, every quote verbatim, every link to its own source."""
    assert [citation.n for citation in answer.citations] == list(range(1, len(answer.citations) + 1))
    used = {n for sentence in answer.sentences for n in sentence.citations} | {section.n for section in answer.sections}
    assert used == {c.n for c in answer.citations}
    for section in answer.sections:
        assert section.text == answer.citations[section.n - 1].quote
    for sentence in answer.sentences:
        assert sentence.citations
        assert sentence.support == "supported"
        assert any(readable(answer.citations[n - 1].quote) == sentence.text for n in sentence.citations)
    for citation in answer.citations:
        document = documents[citation.url]
        assert document.text[citation.start : citation.end] == citation.quote != ""
        assert citation.sha256 == document.sha256
        assert citation.deep_url.partition("#")[0] == citation.url
        _, found, fragment = citation.deep_url.partition("#:~:text=")
        if found:
            shown = " ".join((document.page_text or document.text).lower().split())
            assert shown.count(unquote(fragment.partition(",")[0]).lower()) == 1
    assert answer.abstained is not bool(answer.sentences)
    assert bool(answer.sections) is (answer.outcome != "refused")


@pytest.mark.parametrize(
    ("question", "url", "words"),
    [
        (HOW, RING.url, "two phases"),
        ("How much does each worker send in ring-allreduce?", RING.url, "2(N-1)/N"),
        ("What is a Pod in Kubernetes?", PODS.url, "smallest deployable unit"),
        ("What is a cache stampede?", CACHES.url, "burst of requests"),
    ],
)
def test_a_question_is_answered_from_the_document_that_says_it(assistant, question, url, words):
    answer = assistant.ask(question)
    check_proof(answer)
    assert answer.mode == "extractive"
    assert answer.question == question
    assert words in answer.text
    assert url in {citation.url for citation in answer.citations}
    assert answer.timings.keys() >= {"search", "total"}


def test_an_answer_is_the_same_each_time(assistant):
    one, other = assistant.ask(HOW), assistant.ask(HOW)
    assert (one.text, one.citations) == (other.text, other.citations)


def test_it_comes_in_parts_that_are_the_whole(assistant):
    events = list(assistant.stream(HOW))
    assert isinstance(events[0], Status)
    assert isinstance(events[-1], Done)
    said = [event for event in events if isinstance(event, Said)]
    shown = [event for event in events if isinstance(event, Shown)]
    assert tuple(event.sentence for event in said) == events[-1].answer.sentences
    assert tuple(event.section for event in shown) == events[-1].answer.sections
    came = [citation for event in said for citation in event.citations] + [event.citation for event in shown]
    assert tuple(came) == events[-1].answer.citations


def test_a_follow_up_is_understood_from_what_was_asked_before(assistant):
    history = [Turn("user", "What is a Pod in Kubernetes?"), Turn("assistant", "Ring-allreduce, of course [1].")]
    answer = assistant.ask("and what replaces them?", history=history)
    check_proof(answer)
    assert {citation.url for citation in answer.citations} >= {PODS.url}


def test_a_question_of_its_own_is_answered_as_if_it_were_the_first(assistant):
    history = [Turn("user", "What is a Pod in Kubernetes?"), Turn("assistant", "The smallest deployable unit [1].")]
    assert assistant.ask(HOW, history=history).citations == assistant.ask(HOW).citations


def test_a_topic_keeps_to_its_documents(assistant):
    answer = assistant.ask("Pods, rings and caches, how do they work?", topic="devops")
    check_proof(answer)
    assert {citation.url for citation in answer.citations} <= {PODS.url}


def test_where_nothing_is_found_it_says_so(assistant):
    answer = assistant.ask(HOW, topic="no such topic")
    assert answer.abstained
    assert REFUSAL in answer.text
    assert not answer.citations
    assert assistant.search(HOW, topic="no such topic") == []


def test_a_quote_that_its_document_does_not_hold_is_never_shown(assistant, monkeypatch):
    monkeypatch.setattr(assistant.shelf, "page", lambda url: (f"changed {DOCUMENTS[url].text}", ""))
    answer = assistant.ask(HOW)
    assert answer.abstained
    assert not answer.sentences
    assert REFUSAL in answer.text


@pytest.mark.parametrize("question", ["", "   ", "\n\t", "x" * 5000, "why? " * 1000])
def test_what_is_no_question_is_refused_with_the_cure(assistant, question):
    with pytest.raises(AnswerError, match=r"ask something|ask with at most 4,000"):
        assistant.ask(question)
    with pytest.raises(AnswerError):
        assistant.search(question)


def test_the_longest_question_is_answered(assistant):
    assistant.ask("ring " * (LONGEST_QUESTION // 5 - 1))


@pytest.mark.parametrize("question", ["?", "'; drop table passage; --", "\x00\x1b[31m", "环形归约是什么", "ring\ud800"])
def test_odd_questions_break_nothing(assistant, question):
    check_proof(assistant.ask(question))


def test_a_hit_is_linked_at_its_first_sentence(assistant):
    (hit, *_) = assistant.search("What is a Pod in Kubernetes?")
    assert assistant.citer.link(hit).startswith(f"{PODS.url}#:~:text=A%20Pod%20is%20the%20smallest")


@pytest.mark.parametrize(
    ("quote", "shown"),
    [
        ("Rings are optimal [12, 13] for   large\nbuffers.", "Rings are optimal for large buffers."),
        ("Rings [3]–[5] scale [7–9].", "Rings– scale."),
    ],
)
def test_a_quote_is_shown_without_the_reference_marks_of_its_source(quote, shown):
    assert readable(quote) == shown


def test_a_source_on_another_shelf_says_what_it_is(tmp_path):
    note = a_document("ingest/starter/x.md", "A ring sums a buffer over its workers in two phases.", form="note")
    build.build([(note, a_source(note, kind="note"))], FakeEncoder(), tmp_path)
    answer = Assistant(store.open_shelf(tmp_path / "shelves"), FakeEncoder(), reader=FakeReader()).ask(
        "how does a ring sum a buffer?"
    )
    assert all(citation.source.startswith("Prepshelf note: ") for citation in answer.citations)


# --- over all of our own notes --------------------------------------------------------------------


@pytest.fixture(scope="module")
def noted(tmp_path_factory):
    """An assistant over the study notes, and their documents by address."""
    folder = tmp_path_factory.mktemp("notes")
    read = [notes.read(path, f"ingest/starter/{path.name}") for path in sorted(STARTER.glob("*.md"))]
    about = [
        Source(each.url, each.title, each.url, each.title, "T", "note", "note", each.sha256, "", "") for each in read
    ]
    build.build(zip(read, about, strict=True), FakeEncoder(), folder)
    return Assistant(store.open_shelf(folder / "shelves"), FakeEncoder(), reader=FakeReader()), {
        each.url: each for each in read
    }


ASKED = [
    HOW,
    "What is the difference between blue/green and canary deployment?",
    "What are the SOLID principles?",
    "How many steps does ring-allreduce take?",
    "Why do feature stores exist?",
    "list the stages of a video pipeline",
    "When was MapReduce published?",
    "cache eviction policies",
]


@pytest.mark.parametrize("question", ASKED)
def test_answers_from_the_notes_are_proved(noted, question):
    assistant, documents = noted
    answer = assistant.ask(question)
    check_proof(answer, documents)
    assert len(answer.sentences) <= 12
    assert not any(sentence.text.endswith("?") or sentence.text.startswith("#") for sentence in answer.sentences)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.sampled_from("what is how the ring cache vs list model 3 many why when serve not Uber".split()), min_size=1
    )
)
def test_so_are_those_to_any_question(noted, words):
    assistant, documents = noted
    check_proof(assistant.ask(" ".join(words)), documents)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("what do wrokers send", "what do workers send"),
        ("what do workers send", "what do workers send"),
        ("Wrokers Inc", "Wrokers Inc"),  # a name
        ("ring", "ring"),
    ],
)
def test_a_mistyped_word_is_read_as_the_shelf_spells_it(tmp_path, typed, meant):
    said = a_document("https://example.org/w", *(f"All workers send part {n} of the sum." for n in range(9)))
    build.build([(said, a_source(said))], FakeEncoder(), tmp_path)
    assert spelling.respelled(typed, store.open_shelf(tmp_path / "shelves")) == meant
