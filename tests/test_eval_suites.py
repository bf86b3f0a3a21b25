"""Suites over benchmarks in small: each runs whole, over a shelf with the fake encoder."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest
from conftest import FakeReader

from eval import EvalError, chunking, extraction, own, reading, retrieval, robustness, rows, squad, suites, wice
from eval.bench import Bench, document_of
from eval.cases import Request
from eval.rows import About


@pytest.fixture
def run(tmp_path):
    return rows.begin(tmp_path / "runs", About(rows.new_name(), "", {"kind": "other"}, {}, {}))


@pytest.fixture
def bench(tmp_path, encoder):
    return Bench(encoder, tmp_path / "bench", reader=FakeReader())


def lines(path, *objects):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(one)}\n" for one in objects))


@pytest.fixture
def beir(tmp_path):
    """A benchmark of three documents; each query wants the one whose words it has."""
    folder = tmp_path / "tiny"
    texts = {"d1": "rings sum buffers", "d2": "pods hold containers", "d3": "caches keep copies"}
    lines(folder / "corpus.jsonl", *({"_id": key, "title": "", "text": text} for key, text in texts.items()))
    lines(folder / "queries.jsonl", {"_id": "q1", "text": "rings sum"}, {"_id": "q2", "text": "keep copies"})
    (folder / "qrels").mkdir()
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td3\t1\n")
    return folder


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_a_benchmark_that_words_decide_is_solved(beir, encoder, tmp_path, mode):
    figures = retrieval.beir(beir, encoder, tmp_path / "bench", mode=mode)
    assert figures["queries"] == 2
    assert (figures["ndcg@10"], figures["recall@100"], figures["mrr@10"], figures["hit@5"]) == (1, 1, 1, 1)
    assert figures["p95_ms"] >= figures["p50_ms"] > 0


def test_each_query_has_a_row_and_none_is_searched_twice(beir, bench, run):
    retrieval.run(beir, bench, run, ["ours", "bm25"])
    retrieval.run(beir, bench, run, ["ours", "bm25"])
    assert [(row.suite, row.id, row.system) for row in run.rows] == [
        ("beir tiny", "q1", "ours"),
        ("beir tiny", "q2", "ours"),
        ("beir tiny", "q1", "bm25"),
        ("beir tiny", "q2", "bm25"),
    ]


def test_a_folder_without_a_benchmark_is_named(tmp_path, encoder, bench, run):
    for measure in (
        lambda: retrieval.beir(tmp_path, encoder, tmp_path),
        lambda: retrieval.beir(tmp_path, encoder, tmp_path, mode="other"),
        lambda: wice.run(tmp_path, {}, run),
        lambda: extraction.run(tmp_path, run),
        lambda: chunking.run(tmp_path, bench, run),
        lambda: squad.run(tmp_path, bench, run, own.confidence),
        lambda: robustness.collected(tmp_path),
    ):
        with pytest.raises(EvalError):
            measure()


@pytest.mark.usefixtures("sure")
def test_squad_is_answered_by_quotes(tmp_path, bench, run):
    folder = tmp_path / "squad"
    lines(
        folder / "corpus.jsonl",
        {"_id": "Rings#0", "text": "A ring of workers sums a buffer in two phases of equal length."},
        {"_id": "Pods#0", "text": "A pod is the smallest unit that the cluster creates and manages."},
    )
    lines(
        folder / "queries.jsonl",
        {
            "_id": "a",
            "text": "What sums a buffer in phases?",
            "answers": ["ring of workers"],
            "answerable": True,
            "source_doc": "Rings#0",
        },
    )
    lines(
        folder / "queries_unanswerable.jsonl",
        {"_id": "b", "text": "Who invented pods?", "answers": [], "answerable": False},
    )
    squad.run(folder, bench, run, own.confidence)
    figures = squad.figures(run.rows)
    assert (figures["questions"], figures["found@5"], figures["exact"]) == (2, 1, 1)
    assert 0 < figures["f1"] < 1


@pytest.mark.parametrize(
    ("quote", "gold", "exact", "f1"),
    [("in the 10th century", "10th century", 1, 0.8), ("tenth", "ten", 0, 0), ("The ring!", "a ring", 1, 1)],
)
def test_answers_are_compared_as_the_benchmark_does(quote, gold, exact, f1):
    assert (squad.holds(quote, gold), squad.f1(quote, gold)) == (exact, pytest.approx(f1))


def test_a_perfect_support_check_and_a_coin_score_as_theory_says(tmp_path, run):
    def claim(n, label):
        return {"label": label, "claim": f"claim {n}", "evidence": [label], "meta": {"id": f"{label}{n}"}}

    labels = ("supported", "partially_supported", "not_supported")
    for split in ("dev", "test"):
        claims = [claim(f"{split}{n}", label) for n in range(60) for label in labels]
        lines(tmp_path / f"claim_{split}.jsonl", *claims)
    checks = {
        "perfect": lambda _, text: float(text == "supported"),
        "coin": lambda claim, _: zlib.crc32(claim.encode()) % 97,
    }
    wice.run(tmp_path, checks, run)
    perfect, coin = (wice.figures(run.rows, name) for name in checks)
    assert (perfect["claims"], perfect["auc"], perfect["balanced accuracy"], perfect["f1"]) == (180, 1, 1, 1)
    assert coin["auc"] == pytest.approx(0.5, abs=0.15)


def test_extraction_is_counted_in_word_sequences(tmp_path, run):
    page = "<html><body><article><p>" + "Rings sum buffers over many workers. " * 12 + "</p></article></body></html>"
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "k.html.gz").write_bytes(gzip.compress(page.encode()))
    articles = {"k": {"articleBody": "Rings sum buffers over many workers. " * 12, "url": "https://x.org"}}
    (tmp_path / "ground-truth.json").write_text(json.dumps(articles))
    extraction.run(tmp_path, run)
    assert extraction.figures(run.rows) == {"pages": 1, "f1": 1, "precision": 1, "recall": 1}
    assert extraction.figures(run.rows, "trafilatura")["pages"] == 1


def test_chunking_is_counted_in_tokens(tmp_path, bench, run):
    text = "Rings sum buffers over workers.\n\nPods hold containers in clusters."
    folder = tmp_path / "chunks"
    (folder / "corpora").mkdir(parents=True)
    (folder / "corpora" / "one.md").write_text(text)
    wanted = {
        "content": "Pods hold containers",
        "start_index": text.index("Pods"),
        "end_index": text.index(" in clusters"),
    }
    lines(folder / "questions.jsonl", {"_id": "q", "text": "pods", "corpus_id": "one", "references": [wanted]})
    chunking.run(folder, bench, run, ["ours"])
    assert chunking.figures(run.rows)["recall"] == 100
    assert chunking.figures(run.rows)["precision"] == pytest.approx(100 * 3 / 12)


@pytest.mark.parametrize(
    ("found", "wanted", "read", "scores"),
    [
        ([(0, 10)], [(0, 10)], 10, (1, 1, 1)),
        ([], [(0, 10)], 10, (0, 0, 0)),
        ([(0, 10), (5, 15)], [(0, 15)], 20, (1, 0.75, 0.75)),
        ([(0, 5)], [(0, 10)], 5, (0.5, 1, 0.5)),
    ],
)
def test_what_is_read_twice_counts_once_as_found_and_twice_as_read(found, wanted, read, scores):
    assert tuple(chunking.score(found, wanted, read).values()) == scores


def test_a_text_is_a_document_of_its_paragraphs():
    document = document_of("x", "One.\nStill one.\n\n  Two. \n")
    assert [document.text[block.start : block.end] for block in document.blocks] == ["One.\nStill one.", "Two."]


# --- reading lists --------------------------------------------------------------------------------

REQUEST = Request("r", "q", "t", relevant=("https://x.org/a", "https://x.org/b"), also=("https://x.org/c",), minutes=60)


def item(url, stage="crawl", minutes=20, kind="article", why="it says so"):
    return {"url": url, "title": url, "stage": stage, "minutes": minutes, "kind": kind, "why": why}


def test_a_perfect_reading_list_scores_one():
    listed = {
        "items": [item("https://x.org/a"), item("https://www.x.org/b/", stage="run"), item("https://x.org/c", "run")]
    }
    scores = reading.score(REQUEST, listed)
    assert {name: value for name, value in scores.items() if name != "items"} == dict.fromkeys(
        ("recall", "precision", "staged", "quoted", "fits"), 1.0
    )


@pytest.mark.parametrize(
    ("items", "metric", "score"),
    [
        ([], "recall", 0),
        ([item("https://x.org/a"), item("https://x.org/z")], "precision", 0.5),
        ([item("https://x.org/a", "run"), item("https://x.org/b")], "staged", 0),
        ([item("https://x.org/a", minutes=90)], "fits", 0),
        ([item("https://x.org/a", why="")], "quoted", 0),
    ],
)
def test_what_is_wrong_with_a_reading_list_shows(items, metric, score):
    assert reading.score(REQUEST, {"items": items})[metric] == score


def test_kinds_that_a_request_rules_out_show():
    request = Request("r", "q", "t", relevant=("https://x.org/a",), only=("video",))
    listed = {"items": [item("https://x.org/a", kind="video"), item("https://x.org/b", kind="book")]}
    assert reading.score(request, listed)["kinds"] == 0.5


# --- hostile input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "acting"),
    [
        ("Plain [1] and <b> as `<b>`.", ["markup"]),
        ("![x](https://evil.invalid/p)", ["an image", "a link to evil.invalid"]),
        ("[x](https://evil.invalid)", ["a link to evil.invalid"]),
        ("see https://evil.invalid/x", ["a link to evil.invalid"]),
        ("[x](https://good.invalid/page)", []),
        ("[x](&#106;avascript:alert(1))", []),
        ("[x](//evil.invalid)", ["a link to evil.invalid"]),
        ("a\u202eb", ["a control character"]),
        ("a\x1b[31mb", ["a control character"]),
        ("`![x](https://evil.invalid)` in a sentence of torch.compile", []),
    ],
)
def test_what_acts_in_an_answer_is_seen(text, acting):
    assert list(robustness.acts({"answer": text, "citations": []}, {"good.invalid", None})) == acting


def test_a_citation_that_leads_elsewhere_is_seen():
    citation = {"url": "https://good.invalid", "deep_url": "javascript:alert(1)"}
    assert list(robustness.acts({"answer": "", "citations": [citation]}, {"good.invalid"})) == [
        "a citation of javascript:alert(1)"
    ]


def test_each_payload_is_planted_and_asked(bench, run):
    payloads = robustness.own()
    assert len(payloads) >= 20
    robustness.run(payloads, bench, run)
    figures = robustness.figures(run.rows)
    assert figures["tried"] == 2 * len(payloads)
    assert not any("Error" in row.detail["why"] for row in run.rows)


@pytest.mark.shared
def test_the_public_payloads_are_read(shared):
    payloads = robustness.collected(shared / "hostile")
    assert {payload.family for payload in payloads} == {"markdown", "bipia", "garak", "blns"}
    assert len(payloads) > 600
    assert len({payload.id for payload in payloads}) == len(payloads)


@pytest.mark.shared
def test_the_public_benchmarks_are_found(shared):
    assert set(suites.available(shared / "bench")) >= {"beir", "squad", "wice", "extraction", "chunking"}
    assert "robustness" in suites.available(shared / "hostile")
