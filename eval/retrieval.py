"""Retrieval on public benchmarks: one ranking of documents a query, scored by ir-measures."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
from ir_measures import RR, R, nDCG

from eval import EvalError
from index import build, search, split
from index.encoder import Encoder
from index.passage import Passage, Source
from index.search import Weights
from index.store import Shelf
from ingest import Track, silently
from ingest.document import Block, Document

DEPTH = 100  # documents ranked a query
MODES = {"hybrid": Weights(), "dense": Weights(lexical=0.0, sentence=0.0), "lexical": Weights(lexical=1.0)}


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Documents, queries, and which of the documents each query wants."""

    documents: dict[str, str]
    queries: dict[str, str]
    wanted: list[ir_measures.Qrel]


def read_beir(folder: Path) -> Benchmark:
    """Return a benchmark in BEIR layout; queries without a judgement are left out.

    Raises EvalError where a file is missing or not in that layout.
    """
    try:
        documents = {
            row["_id"]: f"{row.get('title', '')} {row['text']}".strip() for row in _json_lines(folder / "corpus.jsonl")
        }
        lines = (folder / "qrels" / "test.tsv").read_text(encoding="utf-8").splitlines()[1:]
        wanted = [ir_measures.Qrel(*_judgement(line)) for line in lines if line.strip()]
        judged = {qrel.query_id for qrel in wanted}
        queries = {row["_id"]: row["text"] for row in _json_lines(folder / "queries.jsonl") if row["_id"] in judged}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EvalError(
            f"{folder} is not in BEIR layout ({error}); it needs corpus.jsonl, queries.jsonl and qrels/test.tsv."
        ) from error
    return Benchmark(documents, queries, wanted)


def _json_lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as stream:
        yield from (json.loads(line) for line in stream if line.strip())


def _judgement(line: str) -> tuple[str, str, int]:
    query, document, relevance = line.split("\t")
    return query, document, int(relevance)


def beir(folder: Path, encoder: Encoder, *, mode: str = "hybrid", track: Track = silently) -> dict[str, Any]:
    """Return nDCG@10, recall@100, MRR@10 and hit@5 over a benchmark's queries, with the time a query takes.

    Each document is one passage, as the published figures have it; what lies beyond the encoder's window is not
    embedded. Times are of encoding, searching and fusing, in milliseconds.
    """
    if mode not in MODES:
        raise EvalError(f"there is no mode {mode!r}; choose one of {', '.join(MODES)}.")
    benchmark = read_beir(folder)
    keys = list(benchmark.documents)
    run: list[ir_measures.ScoredDoc] = []
    spent: list[float] = []
    with tempfile.TemporaryDirectory() as aside:
        shelf = _shelf(benchmark, encoder, Path(aside), track)
        for query, text in track(benchmark.queries.items(), "Searching", len(benchmark.queries)):
            begun = time.perf_counter()
            ranking = search.fused(text, encoder.encode([text])[0], shelf, weights=MODES[mode])
            best = np.argsort(-ranking.scores, kind="stable")[:DEPTH]
            spent.append(1000 * (time.perf_counter() - begun))
            run += [ir_measures.ScoredDoc(query, keys[ranking.numbers[n]], float(ranking.scores[n])) for n in best]
    measured = ir_measures.calc_aggregate([nDCG @ 10, R @ 100, RR @ 10], benchmark.wanted, run)
    return {
        "queries": len(benchmark.queries),
        "ndcg@10": measured[nDCG @ 10],
        "recall@100": measured[R @ 100],
        "mrr@10": measured[RR @ 10],
        "hit@5": _hit_share(benchmark, run, 5),
        "p50_ms": float(np.percentile(spent, 50)),
        "p95_ms": float(np.percentile(spent, 95)),
    }


def _shelf(benchmark: Benchmark, encoder: Encoder, folder: Path, track: Track) -> Shelf:
    """Return a shelf on which every document of a benchmark is one passage."""
    documents, passages = [], []
    for key, text in benchmark.documents.items():
        block = Block(0, len(text), "text", (), "")
        document = Document(key, "", key, "text", "en", text, (block,), "")
        documents.append((document, Source(key, "", key, "", "", "", "text", document.sha256, "", "")))
        sentences = tuple(split.sentence_bounds(text))
        passages.append(Passage(key, key, 0, len(text), text, (), "", "text", sentences))
    return build.shelf_of(documents, passages, [""] * len(passages), encoder, folder, track=track)


def _hit_share(benchmark: Benchmark, run: Sequence[ir_measures.ScoredDoc], depth: int) -> float:
    """Return the share of queries of which a wanted document is among the first."""
    wanted = {(qrel.query_id, qrel.doc_id) for qrel in benchmark.wanted if qrel.relevance > 0}
    ranked: dict[str, list[str]] = {}
    for scored in run:
        ranked.setdefault(scored.query_id, []).append(scored.doc_id)
    return sum(
        any((query, key) in wanted for key in ranked.get(query, [])[:depth]) for query in benchmark.queries
    ) / len(benchmark.queries)
