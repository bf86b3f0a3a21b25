"""`prep eval` as a person types it, over a shelf of the project's notes with the fake encoder."""

from __future__ import annotations

import json

import pytest
from conftest import FakeEncoder, FakeReader
from scripted_llm import said, serving
from typer.testing import CliRunner

import cli
from app.assistant import Assistant
from eval import cases, gate, plain
from eval.systems import ranking
from index import build, store
from index.passage import Source
from ingest import notes as starter
from ingest.catalogue import STARTER

NAMES = ("caching", "collectives-and-ring-allreduce", "design-url-shortener")
NOTES = {f"ingest/starter/{name}.md" for name in NAMES}
SHOWN = {"url-301-302"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A data folder with a shelf of a few notes."""
    data = tmp_path_factory.mktemp("data")
    documents = []
    for name in NAMES:
        document = starter.read(STARTER / f"{name}.md", f"ingest/starter/{name}.md")
        about = Source(document.url, document.title, document.url, document.title, "T", "note", "note", "", "", "")
        documents.append((document, about))
    build.build(documents, FakeEncoder(), data)
    return data


@pytest.fixture
def prep(folder, monkeypatch, tmp_path, sure):
    """Runs a command with the fake encoder and a few of the cases; its floors are a file of the test."""
    few = [case for case in cases.read() if not case.found or case.found[0] in NOTES][::3]
    asked = [*few, *(case for case in cases.read() if case.id in SHOWN or not case.starter)]
    monkeypatch.setattr(cases, "read", lambda: list({case.id: case for case in asked}.values()))
    assistant = Assistant(store.open_shelf(folder / "shelves"), FakeEncoder(), reader=FakeReader())
    monkeypatch.setenv("PREPSHELF_DATA", str(folder))
    monkeypatch.setattr(cli, "_assistant", lambda: assistant)
    monkeypatch.setattr(gate, "BASELINE", tmp_path / "baseline.json")
    monkeypatch.setattr(plain, "build", lambda *_, **__: ranking("dense", assistant))
    return lambda *words: CliRunner().invoke(cli.app, ["eval", *words])


def test_the_whole_runs_prints_tables_and_leaves_a_report(prep, folder):
    done = prep()
    assert done.exit_code == 0, done.output
    assert "answers" in done.output
    assert "robustness" in done.output
    assert "report.html" in done.output
    (report,) = folder.glob("evals/*/report.html")
    assert report.stat().st_size > 10_000


def test_one_suite_as_json(prep):
    done = prep("own", "--split", "dev", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout.splitlines()[0])
    assert told["suites"]["answers"]["ours"]["dev"]["cases"] > 0
    assert told["suites"]["answers"]["ours"]["all"]["skipped"] > 50
    assert "test" not in told["suites"]["answers"]["ours"]


def test_the_gate_opens_on_what_was_set_and_shuts_on_a_fault(prep, monkeypatch):
    assert prep("--update-baseline").exit_code == 0
    assert prep("--gate").exit_code == 0
    monkeypatch.setattr(Assistant, "search", lambda *_, **__: [])
    done = prep("--gate")
    assert done.exit_code == 1
    assert "The gate is shut" in done.output
    assert prep("--update-baseline").exit_code == 1
    assert prep("--update-baseline", "--allow-regression").exit_code == 0


def test_a_case_is_shown_in_full(prep):
    prep("own", "--split", "test")
    done = prep("show", "url-301-302")
    assert done.exit_code == 0
    assert '"question": "301 or 302 for a link shortener?"' in done.output
    assert prep("show", "nowhere").exit_code == 1


def test_two_ways_of_searching_are_compared(prep):
    done = prep("compare", "bm25", "lexical=0.1,sentence=0.5", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout.splitlines()[0])
    assert {contest["metric"] for contest in told} == {"found@5", "mrr", "quote@5", "facts@5"}


def test_two_runs_are_compared(prep, folder):
    prep("reading")
    prep("own", "--split", "dev")
    names = sorted(path.parent.name for path in folder.glob("evals/*/run.json"))[-2:]
    assert prep("compare", names[1], names[1], "--json").exit_code == 0


@pytest.mark.parametrize("way", ["weight=0.4", "nowhere"])
def test_a_way_of_searching_that_is_not_there_is_named(prep, way):
    done = prep("compare", way, "bm25" if "=" in way else way)
    assert done.exit_code != 0
    assert way in str(done.exception)


def test_benchmarks_that_a_folder_does_not_hold_are_named(prep, tmp_path):
    done = prep("squad", "--data", str(tmp_path))
    assert done.exit_code != 0
    assert "holds nothing for squad" in str(done.exception)


@pytest.mark.slow
def test_the_plain_pipeline_finds_what_is_asked(tmp_path):
    texts = {f"ingest/starter/{path.name}": path.read_text() for path in sorted(STARTER.glob("*.md"))[:6]}
    pipeline = plain.build(texts, tmp_path / "vectors.db")
    assert pipeline.search("how does ring-allreduce work?", 5)[0].url.endswith("collectives-and-ring-allreduce.md")
    asked = [case.question for case in cases.read() if case.id.startswith("cache")]
    pipeline.prepare(asked)
    assert pipeline.search(asked[0], 5)[0].url.endswith("caching.md")


def test_a_gate_without_floors_is_told_before_anything_is_measured(prep, folder):
    before = len(list(folder.glob("evals/*/run.json")))
    done = prep("--gate")
    assert "has no floors for a shelf of this kind" in str(done.exception)
    assert len(list(folder.glob("evals/*/run.json"))) == before


def test_a_models_opinion_stands_beside_the_checks(prep, monkeypatch):
    def grade(_, request):
        faithful = "faithful" in request["messages"][-1]["content"]
        return said('{"faithful": 1, "sentences": 1}' if faithful else '{"helpful": 5}')

    prep("own", "--split", "dev")
    with serving(grade) as server:
        monkeypatch.setenv("PREPSHELF_LLM_URL", server.url)
        monkeypatch.setenv("PREPSHELF_LLM_MODEL", "judge")
        done = prep("judge", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout.splitlines()[0])
    assert told["answers"] == told["faithful read"] == told["helpful read"] > 0
    assert told["helpful"] == 1.0
    assert told["faithful agrees with checks"] is not None


def test_without_a_model_nothing_is_judged(prep, monkeypatch):
    monkeypatch.setenv("PREPSHELF_LLM_URL", "none")
    assert "there is no language model to judge" in str(prep("judge").exception)
