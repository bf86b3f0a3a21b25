"""Retrieval on benchmarks in BEIR layout (Thakur et al. 2021), each ranking scored by ir-measures."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
from ir_measures import RR, R, Success, nDCG

from eval import EvalError
from eval.bench import Bench, json_lines, shelf_of
from eval.rows import About, Row, Run, average, chosen
from eval.systems import WEIGHTS
from index import search
from index.encoder import Encoder
from index.store import Shelf
from ingest import Track, silently

DEPTH = 100  # documents ranked a query
MEASURES = {"ndcg@10": nDCG @ 10, "recall@100": R @ 100, "mrr@10": RR @ 10, "hit@5": Success @ 5}


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
            row["_id"]: f"{row.get('title', '')} {row['text']}".strip() for row in json_lines(folder / "corpus.jsonl")
        }
        lines = (folder / "qrels" / "test.tsv").read_text(encoding="utf-8").splitlines()[1:]
        wanted = [ir_measures.Qrel(*_judgement(line)) for line in lines if line.strip()]
        judged = {qrel.query_id for qrel in wanted}
        queries = {row["_id"]: row["text"] for row in json_lines(folder / "queries.jsonl") if row["_id"] in judged}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EvalError(
            f"{folder} is not in BEIR layout ({error}); it needs corpus.jsonl, queries.jsonl and qrels/test.tsv."
        ) from error
    return Benchmark(documents, queries, wanted)


def _judgement(line: str) -> tuple[str, str, int]:
    query, document, relevance = line.split("\t")
    return query, document, int(relevance)


def suite_of(folder: Path) -> str:
    """Return the name of a benchmark's suite in rows."""
    return f"beir {folder.name}"


def run(folder: Path, bench: Bench, run: Run, systems: Sequence[str] = ("ours", "dense", "bm25")) -> None:
    """Add a row to a run for each query and system that it has none of.

    Each document is one passage, as the published figures have it; what lies beyond the encoder's window is not
    embedded. Times are of encoding, searching and fusing.
    """
    if odd := [name for name in systems if name not in WEIGHTS]:
        raise EvalError(f"there is no way of searching called {odd[0]!r}; choose one of {', '.join(WEIGHTS)}.")
    benchmark = read_beir(folder)
    suite = suite_of(folder)
    missing = {name: set(benchmark.queries) - run.done(suite, name) for name in systems}
    if not any(missing.values()):
        return
    shelf = shelf_of(benchmark.documents, bench, folder.name, whole=True)
    wanted = _by_query(benchmark.wanted)
    for name in systems:
        queries = {key: text for key, text in benchmark.queries.items() if key in missing[name]}
        for key, text in bench.track(queries.items(), f"Searching {folder.name}, {name}", len(queries)):
            ranked, spent = _ranked(key, text, shelf, bench, name)
            measured = ir_measures.calc_aggregate(list(MEASURES.values()), wanted[key], ranked)
            run.add(
                Row(
                    id=key,
                    suite=suite,
                    system=name,
                    question=text,
                    scores={metric: float(measured[measure]) for metric, measure in MEASURES.items()},
                    detail={"hits": [{"url": doc.doc_id, "score": round(doc.score, 4)} for doc in ranked[:10]]},
                    timings={"search_ms": spent},
                )
            )


def _by_query(wanted: Sequence[ir_measures.Qrel]) -> dict[str, list[ir_measures.Qrel]]:
    by_query: dict[str, list[ir_measures.Qrel]] = {}
    for qrel in wanted:
        by_query.setdefault(qrel.query_id, []).append(qrel)
    return by_query


def _ranked(key: str, text: str, shelf: Shelf, bench: Bench, name: str) -> tuple[list[ir_measures.ScoredDoc], float]:
    begun = time.perf_counter()
    ranking = search.ranked(bench.encoder.ask(text), shelf, weights=WEIGHTS[name])
    best = np.argsort(-ranking.scores, kind="stable")[:DEPTH]
    spent = 1000 * (time.perf_counter() - begun)
    found = shelf.passages(ranking.numbers[best].tolist())
    return [
        ir_measures.ScoredDoc(key, passage.document, float(ranking.scores[n]))
        for n, (passage, _) in zip(best, found, strict=True)
    ], spent


MODES = {"hybrid": "ours", "dense": "dense", "lexical": "bm25"}


def beir(
    folder: Path, encoder: Encoder, keep: Path, *, mode: str = "hybrid", track: Track = silently
) -> dict[str, Any]:
    """Return the figures of one benchmark and one way of searching; `keep` holds vectors between calls.

    Raises EvalError where the folder holds no benchmark, or there is no such mode.
    """
    if mode not in MODES:
        raise EvalError(f"there is no mode {mode!r}; choose one of {', '.join(MODES)}.")
    with tempfile.TemporaryDirectory() as aside:
        rows = Run(Path(aside), About("", "", {}, {}, {}))
        run(folder, Bench(encoder, keep, track), rows, [MODES[mode]])
        return figures(rows.rows, MODES[mode])


def figures(rows: Sequence[Row], system: str = "ours") -> dict[str, Any]:
    """Return what `prep eval beir --json` prints of rows: averages over the queries, and the time a query takes."""
    mine = chosen(rows, system=system)
    spent = [row.timings["search_ms"] for row in mine] or [0.0]
    return {
        "queries": len(mine),
        **{metric: average(mine, metric) for metric in MEASURES},
        "p50_ms": float(np.percentile(spent, 50)),
        "p95_ms": float(np.percentile(spent, 95)),
    }


def is_beir(folder: Path) -> bool:
    """Return whether a folder looks like a benchmark in BEIR layout."""
    return (folder / "corpus.jsonl").exists() and (folder / "qrels" / "test.tsv").exists()


def parts(folder: Path) -> Iterator[Path]:
    """Yield the benchmarks in BEIR layout at a folder, or directly under it."""
    yield from (path for path in [folder, *sorted(folder.iterdir())] if path.is_dir() and is_beir(path))
