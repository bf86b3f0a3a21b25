"""The gate, proved by planted faults: each turns it red, and it says where to look.

The cases are the starter half of our own, the shelf is built from the project's notes with the fake encoder.
"""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from conftest import FakeEncoder, FakeReader

from app import confidence
from app.assistant import Assistant
from eval import EvalError, cases, checks, corpus, gate, own, rows, systems
from eval.rows import About, Row, Run
from eval.systems import Ours
from index import build, split, store
from index.encoder import unit
from index.passage import Source
from ingest import notes as starter
from ingest.catalogue import STARTER

ASKED = [case for case in cases.read() if case.split == "dev"][::2]


class Careful(Ours):
    """The assistant, made to refuse just what it should: the gate is tested here, not the refusing."""

    def ask(self, question, before=""):
        said = super().ask(question, before)
        unknown = any(case.question == question and not case.found for case in ASKED)
        return {**said, "abstained": unknown}


@pytest.fixture(scope="module")
def notes():
    """The documents of the project's notes, with their sources."""
    found = []
    for path in sorted(STARTER.glob("*.md")):
        document = starter.read(path, f"ingest/starter/{path.name}")
        topic, kind = "Notes", "note"
        found.append(
            (
                document,
                Source(
                    document.url,
                    document.title,
                    document.url,
                    document.title,
                    topic,
                    kind,
                    "note",
                    document.sha256,
                    "",
                    "",
                ),
            )
        )
    return found


@pytest.fixture(scope="module")
def shelf(notes, tmp_path_factory):
    folder = tmp_path_factory.mktemp("starter")
    build.build(notes, FakeEncoder(), folder)
    return store.open_shelf(folder / "shelves")


def measured(folder, shelf, encoder, system=Careful) -> Run:
    """Return a run of the cases by the assistant and the two halves of its search."""
    assistant = Assistant(shelf, encoder, reader=FakeReader())
    about = About(rows.new_name(), "", corpus.describe(shelf, cases.read()).as_json(), {}, {})
    run = rows.begin(folder, about)
    texts = corpus.texts(shelf)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(confidence, "confidence", lambda _: confidence.Confidence(0.9, "answered"))
        for one in (system(assistant), *(systems.ranking(name, assistant) for name in systems.BASELINES)):
            own.run(ASKED, one, run, texts, shelf.page, checks.supported)
    run.finish()
    return run


@pytest.fixture(scope="module")
def floors(shelf, tmp_path_factory):
    """The floors that the assistant reaches without a fault."""
    folder = tmp_path_factory.mktemp("floors")
    gate.update(measured(folder, shelf, FakeEncoder()), folder / "baseline.json")
    return folder / "baseline.json"


def said(verdict):
    return "\n".join([*map(str, verdict.misses), *verdict.reasons, *verdict.notes])


def test_without_a_fault_the_gate_is_open(shelf, floors, tmp_path):
    verdict = gate.judge(measured(tmp_path, shelf, FakeEncoder()), floors)
    assert verdict.passed, said(verdict)
    assert verdict.checked >= 15
    assert verdict.notes == ()


def test_shuffled_addresses_are_caught(notes, floors, tmp_path):
    urls = [document.url for document, _ in notes]
    moved = [
        (dataclasses.replace(document, url=url), dataclasses.replace(source, url=url))
        for (document, source), url in zip(notes, urls[1:] + urls[:1], strict=True)
    ]
    build.build(moved, FakeEncoder(), tmp_path)
    verdict = gate.judge(measured(tmp_path / "runs", store.open_shelf(tmp_path / "shelves"), FakeEncoder()), floors)
    assert not verdict.passed
    assert {(miss.system, miss.metric) for miss in verdict.misses} >= {
        ("ours", "found@5"),
        ("dense", "mrr"),
        ("bm25", "mrr"),
    }
    assert "look at the passages themselves, their texts and addresses" in said(verdict)
    assert "the documents changed" in said(verdict)


def test_dropped_passages_are_caught(notes, floors, tmp_path):
    encoder = FakeEncoder()
    cut = [(passage, source) for document, source in notes for passage in split.split(document, encoder.count)][::2]
    contexts = [split.context_of(source.title, passage.heading) for passage, source in cut]
    thinned = build.shelf_of(notes, [passage for passage, _ in cut], contexts, encoder, tmp_path)
    verdict = gate.judge(measured(tmp_path / "runs", thinned, encoder), floors)
    assert not verdict.passed
    assert {(miss.system, miss.metric) for miss in verdict.misses} >= {
        ("ours", "quote@5"),
        ("bm25", "quote@5"),
        ("ours", "correct"),
    }
    assert "the passages changed" in said(verdict)
    assert "look at the passages themselves" in said(verdict)


class Swapped(FakeEncoder):
    """Other weights under the same name: what is alike to one is not to the other."""

    def _vector(self, text):
        return unit(super()._vector(text)[np.random.default_rng(1).permutation(64)])


def test_swapped_weights_are_caught(shelf, floors, tmp_path):
    verdict = gate.judge(measured(tmp_path, shelf, Swapped()), floors)
    assert not verdict.passed
    assert {miss.metric for miss in verdict.misses if miss.system == "dense"} >= {"found@5", "mrr", "quote@5"}
    assert not any(miss.system == "bm25" for miss in verdict.misses)
    assert "look at the encoder and its vectors" in said(verdict)


class Wrong(Careful):
    """Gets every number of an answer wrong."""

    def ask(self, question, before=""):
        answer = super().ask(question, before)
        turned = str.maketrans("0123456789", "1234567890")
        for sentence in answer["sentences"]:
            sentence["text"] = sentence["text"].translate(turned)
        return {**answer, "answer": answer["answer"].translate(turned)}


class Mixed(Careful):
    """Gives every sentence the citation of the last source."""

    def ask(self, question, before=""):
        answer = super().ask(question, before)
        for sentence in answer["sentences"]:
            sentence["citations"] = [len(answer["citations"])]
        return answer


class Bent(Careful):
    """Quotes from the wrong place."""

    def ask(self, question, before=""):
        answer = super().ask(question, before)
        for citation in answer["citations"]:
            citation["start"] += 1
        return answer


class Reckless(Careful):
    """Refuses nothing."""

    def ask(self, question, before=""):
        return {**super().ask(question, before), "abstained": False}


class Timid(Careful):
    """Refuses every other question."""

    def ask(self, question, before=""):
        return {**super().ask(question, before), "abstained": len(question) % 2 == 0}


@pytest.mark.parametrize(
    ("system", "metrics", "reason"),
    [
        (Wrong, {"complete", "correct", "recall"}, "look at numbers"),
        (Mixed, {"recall"}, "at which citation each sentence has"),
        (Bent, {"verbatim"}, "look at offsets"),
        (Reckless, {"refused"}, "What the shelf does not hold is answered"),
        (Timid, {"answered", "complete"}, "What the shelf holds is refused"),
    ],
)
def test_a_faulty_answerer_is_caught(shelf, floors, tmp_path, system, metrics, reason):
    verdict = gate.judge(measured(tmp_path, shelf, FakeEncoder(), system), floors)
    assert not verdict.passed
    assert {miss.metric for miss in verdict.misses} >= metrics
    assert {miss.system for miss in verdict.misses} == {"ours"}
    assert reason in said(verdict)
    assert all(miss.cases for miss in verdict.misses)


# --- floors ---------------------------------------------------------------------------------------

SHELF = {"kind": "starter", "documents": 1, "texts": "t", "passages": 1, "cuts": "c", "splitter": "1", "encoder": "e"}


def a_run(folder, scores, *, case="1", shelf=SHELF, suite="answers") -> Run:
    run = rows.begin(folder, About(rows.new_name(), "", shelf, {}, {}))
    for key, value in scores.items():
        run.add(Row(key, suite, scores=value, case=case))
    run.finish()
    return run


def test_noise_of_one_case_is_let_pass_and_two_are_not(tmp_path):
    path = tmp_path / "baseline.json"
    many = {str(n): {"quote@5": 1.0} for n in range(20)}
    gate.update(a_run(tmp_path, many), path)
    assert gate.judge(a_run(tmp_path, many | {"3": {"quote@5": 0.0}}), path).passed
    verdict = gate.judge(a_run(tmp_path, many | {"3": {"quote@5": 0.0}, "4": {"quote@5": 0.0}}), path)
    assert [miss.cases for miss in verdict.misses] == [("3", "4")]


def test_a_promise_is_broken_by_one_case(tmp_path):
    path = tmp_path / "baseline.json"
    many = {str(n): {"verbatim": 1.0, "quote@5": 1.0} for n in range(20)}
    gate.update(a_run(tmp_path, many), path)
    assert not gate.judge(a_run(tmp_path, many | {"3": {"verbatim": 0.9, "quote@5": 1.0}}), path).passed


def test_changed_cases_are_told_and_not_taken_for_a_collapse(tmp_path):
    path = tmp_path / "baseline.json"
    gate.update(a_run(tmp_path, {str(n): {"quote@5": 1.0} for n in range(10)}), path)
    changed = a_run(tmp_path, {str(n): {"quote@5": 1.0} for n in range(5)})
    for n in range(5, 10):
        changed.add(Row(str(n), "answers", scores={"quote@5": 0.0}, case="reworded"))
    changed.add(Row("new", "answers", scores={"quote@5": 0.0}, case="1"))
    verdict = gate.judge(changed, path)
    assert verdict.passed
    assert "1 new, 0 gone, 5 reworded" in said(verdict)


def test_another_shelf_is_told(tmp_path):
    path = tmp_path / "baseline.json"
    gate.update(a_run(tmp_path, {"a": {"quote@5": 1.0}}), path)
    verdict = gate.judge(a_run(tmp_path, {"a": {"quote@5": 1.0}}, shelf={**SHELF, "encoder": "f", "cuts": "d"}), path)
    assert verdict.passed
    assert "the encoder is f, it was e" in said(verdict)
    assert "the passages changed" in said(verdict)


def test_a_suite_that_was_not_run_shuts_the_gate(tmp_path):
    path = tmp_path / "baseline.json"
    gate.update(a_run(tmp_path, {"a": {"refused": 1.0}}, suite="refusals"), path)
    verdict = gate.judge(a_run(tmp_path, {"a": {"quote@5": 1.0}}), path)
    assert "no case was run" in said(verdict)


def test_a_floor_is_not_lowered_unless_that_is_meant(tmp_path):
    path = tmp_path / "baseline.json"
    gate.update(a_run(tmp_path, {str(n): {"quote@5": 1.0} for n in range(4)}), path)
    worse = a_run(tmp_path, {str(n): {"quote@5": 0.0} for n in range(4)})
    with pytest.raises(EvalError, match="--allow-regression"):
        gate.update(worse, path)
    assert floors_of(path) == {"answers/ours/quote@5": 1.0}
    gate.update(worse, path, allow_regression=True)
    assert floors_of(path) == {"answers/ours/quote@5": 0.0}


def test_a_floor_is_raised(tmp_path):
    path = tmp_path / "baseline.json"
    gate.update(a_run(tmp_path, {"a": {"mrr": 0.5}}), path)
    assert gate.update(a_run(tmp_path, {"a": {"mrr": 1.0}}), path) == ["answers/ours/mrr: 0.5000 -> 1.0000"]


def test_noise_does_not_lower_a_floor_either(tmp_path):
    path = tmp_path / "baseline.json"
    many = {str(n): {"quote@5": 1.0} for n in range(20)}
    gate.update(a_run(tmp_path, many), path)
    for n in range(3):  # one case less each time, within the noise
        gate.update(a_run(tmp_path, many | {str(n): {"quote@5": 0.0}}), path)
    assert floors_of(path) == {"answers/ours/quote@5": 1.0}
    gate.update(a_run(tmp_path, many | {"3": {"quote@5": 0.0}}), path, allow_regression=True)
    assert floors_of(path) == {"answers/ours/quote@5": 0.95}


def floors_of(path) -> dict[str, float]:
    return {key: floor["value"] for key, floor in json.loads(path.read_text())["starter"]["floors"].items()}


def test_a_shelf_without_floors_is_named(tmp_path):
    with pytest.raises(EvalError, match="no floors for a shelf of this kind"):
        gate.judge(a_run(tmp_path, {"a": {"mrr": 0.5}}), tmp_path / "none.json")


def test_the_floors_that_ship_are_of_the_cases_that_ship():
    known = json.loads(gate.BASELINE.read_text())
    asked = {case.id: cases.digest([case]) for case in cases.read()}
    for floors in known.values():
        for suite in ("answers", "dialogues", "refusals"):
            assert {key: asked.get(key) for key in floors["cases"][suite]} == floors["cases"][suite]


def test_the_cases_are_not_solved_by_their_words_alone(shelf, tmp_path):
    run = a_run(tmp_path, {})
    bm25 = systems.ranking("bm25", Assistant(shelf, FakeEncoder()))
    own.run(cases.read(), bm25, run, corpus.texts(shelf), shelf.page, checks.supported)
    held = rows.chosen(run.rows, suite="answers")
    assert len(held) >= 150
    assert 0.5 < rows.average(held, "mrr") < 0.98
    assert rows.average(held, "quote@5") < 0.98
