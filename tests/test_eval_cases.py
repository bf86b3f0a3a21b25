"""The gold of our own questions, as far as a machine can check it."""

from __future__ import annotations

from collections import Counter

import pytest

from eval import EvalError, cases
from eval.cases import Case, Request
from ingest import notes as starter
from ingest.catalogue import STARTER, built_in, same_page

ALL = cases.read()
REQUESTS = cases.read_requests()


@pytest.fixture(scope="session")
def notes() -> dict[str, str]:
    """The texts of the project's own notes, by address."""
    paths = sorted(STARTER.glob("*.md"))
    return {f"ingest/starter/{path.name}": starter.read(path, f"ingest/starter/{path.name}").text for path in paths}


def test_there_are_enough_cases_of_every_suite():
    suites = Counter(case.suite for case in ALL)
    assert suites["answers"] >= 150
    assert suites["refusals"] >= 60
    assert suites["dialogues"] >= 60
    assert len(REQUESTS) >= 60


def test_every_kind_and_topic_of_question_is_asked():
    kinds = Counter(case.kind for case in ALL)
    assert all(kinds[kind] >= 3 for kind in (*cases.TESTED, *cases.REFUSED))
    listed = {topic.split(" > ")[0] for resource in built_in() for topic in resource.topics}
    assert listed <= {case.topic for case in ALL}


def test_the_halves_of_the_split_are_of_like_size_and_never_change():
    share = sum(case.split == "dev" for case in ALL) / len(ALL)
    assert 0.4 < share < 0.6
    assert (cases.split_of("ring-how"), cases.split_of("cs-acid")) == ("test", "dev")
    assert cases.split_of("sd-quorum") == "dev"


def test_the_gold_over_the_notes_has_no_fault(notes):
    held = [case for case in ALL if not cases.why_not(case, notes)]
    assert len(held) >= 150
    assert list(cases.faults(held, notes)) == []


def test_each_starter_case_is_answered_by_a_note_alone(notes):
    own = [case for case in ALL if case.found and case.found[0].startswith(cases.STARTER)]
    alone = [case for case in own if all(cases.matches(fact, notes[case.found[0]]) for fact in case.facts)]
    assert [case.id for case in own if case not in alone] == []


def test_what_reading_lists_should_hold_is_in_the_catalogue():
    known = {same_page(resource.url) for resource in built_in()}
    notes = {f"ingest/starter/{path.name}" for path in STARTER.glob("*.md")}
    wanted = {url for request in REQUESTS if not request.need for url in request.relevant}
    assert [url for url in wanted if url not in notes and same_page(url) not in known] == []


def test_a_case_is_skipped_where_the_shelf_cannot_bear_it():
    answered = Case("a", "q", "short", "t", found=("x",), facts=("f",))
    absent = Case("b", "q", "near", "t", absent="crdt")
    unread = Case("c", "q", "unreadable", "t", unread=("https://x.org/video",))
    assert cases.why_not(answered, {"y": ""}) != ""
    assert cases.why_not(answered, {"x": ""}) == ""
    assert cases.why_not(absent, {"x": "a CRDT merges"}) != ""
    assert cases.why_not(unread, {"https://x.org/video": ""}) != ""
    assert cases.why_not(unread, {"https://x.org/other": ""}) == ""


@pytest.mark.parametrize(
    ("case", "fault"),
    [
        (Case("a", "q", "short", "t", ("x",), ("8 GB",), "8 GB"), "holds no 8 GB"),
        (Case("a", "q", "short", "t", ("x",), ("9 GB",), "7 GB"), "no document holds 9 GB"),
        (Case("a", "q", "short", "t", ("x",), (), "7 GB"), "says no fact"),
        (Case("a", "q", "near", "t", ("x",), ("7 GB",), "7 GB"), "no kind"),
        (Case("a", "is it 7 GB?", "short", "t", ("x",), ("7 GB",), "needs"), "holds its own answer"),
        (Case("a", "q", "far", "t"), "neither what is absent"),
    ],
)
def test_wrong_gold_is_noticed(case, fault):
    assert any(fault in said for said in cases.faults([case], {"x": "It needs 7\nGB."}))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not toml [", "holds no [[case]]"),
        ("[[case]]\nid = 'a'\nquestion = 'q'\n", "is not complete"),
        ("[[case]]\nid = 'a'\nquestion = 'q'\nkind = 'k'\ntopic = 't'\nanswer = 'x'\n", "has answer"),
    ],
)
def test_a_file_of_cases_that_cannot_be_read_is_named(tmp_path, text, said):
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(EvalError, match=r"mine\.toml") as error:
        cases.read(tmp_path)
    assert said in str(error.value)


def test_what_is_welcome_on_a_reading_list_lies_under_its_addresses():
    request = Request("r", "q", "t", relevant=("https://x.org/a/",), also=("https://x.org/books/",))
    assert [request.welcome(url) for url in ("http://www.x.org/a", "https://x.org/books/1", "https://x.org/b")] == [
        True,
        True,
        False,
    ]


def test_a_fingerprint_changes_with_any_case():
    one, other = Case("a", "q", "short", "t"), Case("a", "q?", "short", "t")
    assert cases.digest([one]) != cases.digest([other])
    assert cases.digest([one, other]) == cases.digest([other, one])
