"""Messages that ask nothing of the sources get a reply of their own kind; questions are answered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import FakeEncoder

from app import intent
from app.assistant import Turn
from app.intent import Intent
from index import encoder as encoders
from index.encoder import Asked

HERE = Path(__file__).resolve().parent.parent / "eval" / "questions"
QUESTION = Turn("user", "How does ring-allreduce work?")


@pytest.fixture
def wants(monkeypatch):
    """A function that sets what all messages that are no plain question want."""

    def set_to(kind):
        def of(asked: Asked, _encoder: str) -> Intent:
            return Intent("ask" if asked.text == QUESTION.content else kind, 0.95)

        monkeypatch.setattr(intent, "of", of)

    return set_to


def told(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (HERE / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def test_most_messages_of_another_hand_are_told():
    encoder = encoders.load()
    messages = told("intents-test")
    found = [intent.of(encoder.ask(one["text"]), encoder.name) for one in messages]
    right = [made.kind == one["intent"] for made, one in zip(found, messages, strict=True)]
    assert sum(right) / len(right) >= 0.8


def test_the_messages_to_fit_on_are_not_those_to_measure_with():
    assert not {one["text"] for one in told("intents")} & {one["text"] for one in told("intents-test")}


def test_with_another_encoder_everything_is_a_question():
    assert intent.of(FakeEncoder().ask("hi"), FakeEncoder.name).kind == "ask"


@pytest.mark.parametrize("kind", ["talk", "shelf", "quiz"])
def test_what_no_source_answers_is_replied_to(assistant, wants, kind):
    wants(kind)
    said = assistant.ask("zz")
    assert said.text == intent.REPLIES[kind].format(documents=3)
    assert not said.citations
    assert said.as_json()["outcome"] == "refused"


@pytest.mark.usefixtures("sure")
@pytest.mark.parametrize("kind", ["talk", "shelf", "quiz"])
def test_what_the_shelf_surely_answers_is_answered_all_the_same(assistant, monkeypatch, kind):
    monkeypatch.setattr(intent, "of", lambda *_: Intent(kind, 0.6))
    assert assistant.ask("How does ring-allreduce work?").sentences


@pytest.mark.usefixtures("sure")
def test_an_answer_is_given_again_in_another_length(assistant, wants):
    wants("reshape")
    long = assistant.ask(QUESTION.content)
    short = assistant.ask("shorter please", history=[QUESTION, Turn("assistant", long.text)])
    assert short.sentences == long.sentences
    assert len(short.text.split()) <= 120


def test_without_an_answer_there_is_none_to_change(assistant, wants):
    wants("reshape")
    assert assistant.ask("shorter please").text == intent.REPLIES["reshape"]


@pytest.mark.usefixtures("sure")
def test_a_question_in_another_language_is_answered_and_told(assistant, wants):
    wants("other")
    said = assistant.ask("was ist ring-allreduce?")
    assert said.sentences
    assert said.notice == intent.ENGLISH


@pytest.mark.usefixtures("sure")
def test_thanks_are_not_what_is_given_again(assistant, monkeypatch):
    kinds = {"thanks": "talk", "shorter please": "reshape"}
    monkeypatch.setattr(intent, "of", lambda asked, _: Intent(kinds.get(asked.text, "ask"), 0.95))
    said = assistant.ask("shorter please", history=[QUESTION, Turn("user", "thanks")])
    assert said.sentences == assistant.ask(QUESTION.content).sentences
