"""Races: what `prep eval speed` measures, each contestant taking its turn (see eval.speed)."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from app.assistant import Assistant
from eval import EvalError, cases, growth, peers, served
from eval.speed import OURS, Row, beside, turns
from index import build, search
from index import encoder as encoders
from index.passage import Source
from index.reader import narrow
from index.search import Weights
from ingest import Track, archive, ledger, silently
from ingest.document import Document
from ingest.message import Response
from ingest.parsing import Job, Parsers

GROW = "growth"
EVERY = 0.95  # share of the ten nearest that the fast engine must have in common with torch's float32
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Bench:
    """What is measured with."""

    data: Path
    assistant: Assistant
    rounds: int = 5
    size: int = 40  # passages a turn; other rows scale with it
    sizes: tuple[int, ...] = ()
    track: Track = silently

    def passages(self) -> list[str]:
        """Return passages from all over the shelf, enough for every turn."""
        count = self.assistant.shelf.manifest.passages
        numbers = np.unique(np.linspace(0, count - 1, min(count, self.size * self.rounds)).astype(int))
        found = [passage.text for passage, _ in self.assistant.shelf.passages(numbers)]
        return [found[n] for n in np.random.default_rng(0).permutation(len(found))]

    def questions(self, count: int) -> list[str]:
        """Return questions of our own cases."""
        return [case.question for case in islice(cases.read(), count)]

    @contextmanager
    def aside(self) -> Iterator[Path]:
        """Give a folder that is removed again."""
        with tempfile.TemporaryDirectory(dir=self.data) as folder:
            yield Path(folder)


def embed(bench: Bench) -> Iterator[Row]:
    """Embedding passages, fast and exact."""
    llama, texts = peers.LlamaIndex(), bench.passages()
    engines = bench.data / "engines"
    ours = {name: encoders.load(which, engines=engines) for name, which in (("fast", ""), ("exact", encoders.EXACT))}
    contestants = {"llama-index": llama.embed, **{name: encoder.encode for name, encoder in ours.items()}}
    part = [texts[n :: bench.rounds] for n in range(bench.rounds)]
    made: dict[str, list[Any]] = {name: [] for name in contestants}

    def work(name: str, turn: int) -> None:
        made[name].append(contestants[name](part[turn]))

    for encode in contestants.values():
        encode(texts[:8])
    taken = turns({name: partial(work, name) for name in contestants}, bench.rounds, bench.track)
    questions = bench.questions(100)
    wanted = llama.embed(questions)
    whole = np.concatenate(made["llama-index"])
    for name, least, overlap in (("fast", 4.0, EVERY), ("exact", 1.8, 0.999)):
        vectors = np.concatenate(made[name])
        yield Row(
            f"embed passages, {name}",
            f">= {least:g}x, overlap >= {overlap:g}",
            {OURS: taken.wall[name], "llama-index": taken.wall["llama-index"]},
            facts={
                "passages a turn": len(part[0]),
                "passages/s": len(part[0]) / float(np.median(taken.wall[name])),
                "top-10 overlap": shared(wanted @ whole.T, ours[name].encode(questions) @ vectors.T),
                "lowest cosine": float((vectors * whole).sum(axis=1).min()),
                **taken.worked(),
            },
            least=least,
            floors={"top-10 overlap": overlap},
        )


def shared(one: Any, other: Any, depth: int = 10) -> float:  # noqa: ANN401  # arrays (questions, passages)
    """Return the mean share of the highest ten that two score tables have in common."""
    tops = [np.argsort(-scores, axis=1, kind="stable")[:, :depth] for scores in (one, other)]
    return float(np.mean([len(np.intersect1d(a, b)) / depth for a, b in zip(*tops, strict=True)]))


def index(bench: Bench) -> Iterator[Row]:
    """Building a whole index from documents."""
    held = _documents(bench)
    llama, encoder = peers.LlamaIndex(), encoders.load(engines=bench.data / "engines")
    part = [held[n :: bench.rounds] for n in range(bench.rounds)]
    words = sum(len(document.text.split()) for document, _ in held)
    with bench.aside() as folder:
        build.build(held[:1], encoder, folder / "warm")
        llama.build([held[0][0].text[:2000]])

        def work(turn: int) -> None:
            build.build(part[turn], encoder, folder / str(turn))

        contestants = {OURS: work, "llama-index": lambda turn: llama.build([one.text for one, _ in part[turn]])}
        taken = turns(contestants, bench.rounds, bench.track)
    facts = {"documents": len(held), "words": words, "words/s": words / sum(taken.wall[OURS]), **taken.worked()}
    yield Row("build an index from documents", ">= 4x at 256 tokens", taken.wall, facts=facts, least=4.0)


def _documents(bench: Bench) -> list[tuple[Document, Source]]:
    """Return documents of the data folder, of the middle sizes, `size` of them."""
    with ledger.open_ledger(bench.data / "ledger.db") as book:
        found = build.readable(book, bench.data / "documents", lambda _: None)
    ordered = sorted((one for one in found if one[0].language in build.LANGUAGES), key=lambda one: len(one[0].text))
    middle = ordered[len(ordered) // 4 : -len(ordered) // 4] or ordered
    if len(middle) < bench.rounds:
        raise EvalError(f"{bench.data} holds too few documents to take turns with; `prep ingest` reads some.")
    return middle[:: max(1, len(middle) // bench.size)][: bench.size]


def cold(bench: Bench) -> Iterator[Row]:
    """A question in a new process."""
    texts, vectors = _shelf(bench)
    question = "how does ring-allreduce work?"
    with bench.aside() as folder:
        given = peers.persisted(peers.LlamaIndex().index(texts, vectors), folder)
        script = [sys.executable, "-c", peers.TEN_LINES, given["model"], given["store"], question]
        taken = turns(
            {OURS: lambda _: _prep(bench, "ask", question), "llama-index": lambda _: _run(script)},
            bench.rounds,
            bench.track,
        )
    facts = {"passages": len(texts), **taken.worked()}
    yield Row("cold `prep ask`", ">= 8x", taken.wall, facts=facts, least=8.0)


def commands(bench: Bench) -> Iterator[Row]:
    """Commands that search nothing."""
    for command in ("--help", "status"):
        taken = turns({OURS: partial(_look, bench, command)}, bench.rounds, bench.track)
        yield Row(f"`prep {command}`", "<= 0.3 s", taken.wall, facts=taken.worked(), most=0.3)


def warm(bench: Bench) -> Iterator[Row]:
    """A question to a shelf that is open."""
    texts, vectors = _shelf(bench)
    searchers = peers.searchers(texts, vectors)
    assistant = bench.assistant
    asked = bench.questions(max(5, bench.size))
    shelf, encoder = assistant.shelf, assistant.encoder
    contestants: dict[str, Callable[[int], object]] = {
        OURS: lambda turn: search.hybrid(asked[turn], shelf, encoder, limit=5)
    }
    for name, searcher in searchers.items():
        contestants[name] = partial(_each, searcher, asked)
    for work in contestants.values():
        work(0)
    taken = turns(contestants, len(asked), bench.track)
    facts = {"passages": len(texts), "questions": len(asked)}
    yield Row("search, warm", ">= 5x", taken.in_ms(), "ms", {**facts, **taken.worked()}, least=5.0)
    answers = turns({OURS: lambda turn: assistant.ask(asked[turn])}, len(asked), bench.track)
    worked = {**facts, "p95 ms": float(np.percentile(answers.in_ms()[OURS], 95)), **answers.worked()}
    yield Row("whole quoted answer, warm", "p50 <= 700 ms", answers.in_ms(), "ms", worked, most=700.0)


def read(bench: Bench) -> Iterator[Row]:
    """The two readers by themselves, on a shelf that is open."""
    assistant = bench.assistant
    shelf, reader = assistant.shelf, assistant.reader
    asked = [assistant.encoder.ask(text) for text in bench.questions(max(5, bench.size))]
    found = [search.hits(shelf, search.ranked(one, shelf, weights=Weights()), narrow.READ) for one in asked]
    ranked = turns(
        {
            OURS: lambda turn: search.ranked(asked[turn], shelf, weights=Weights()),
            "without": lambda turn: search.ranked(asked[turn], shelf, weights=Weights(wide=0.0)),
        },
        len(asked),
        bench.track,
    ).in_ms()
    taken = {OURS: (np.array(ranked[OURS]) - np.array(ranked["without"])).tolist()}
    facts: dict[str, float] = {"passages": shelf.manifest.passages, "candidates": search.POOL}
    yield Row("wide reader", "p50 <= 40 ms", taken, "ms", facts, most=40.0)
    if reader:
        reads = turns({OURS: lambda turn: narrow.read(asked[turn].text, found[turn], reader)}, len(asked), bench.track)
        facts = {"passages read": narrow.READ, **reads.worked()}
        yield Row("narrow reader", "p50 <= 500 ms", reads.in_ms(), "ms", facts, most=500.0)


def _each(search: Callable[[str], object], asked: Sequence[str], turn: int) -> object:
    return search(asked[turn])


def _shelf(bench: Bench) -> tuple[list[str], Any]:
    """Return up to ten thousand passages of the shelf with their vectors."""
    numbers = np.arange(min(10_000, bench.assistant.shelf.manifest.passages))
    texts = [passage.text for passage, _ in bench.assistant.shelf.passages(numbers)]
    return texts, bench.assistant.shelf.vectors(numbers)


def extract(bench: Bench) -> Iterator[Row]:
    """Extracting text from pages and PDFs of the archive, by two processes."""
    pages, papers = _responses(bench, "html"), _responses(bench, "pdf")
    done = threading.Semaphore(0)
    with Parsers(2, lambda _: done.release()) as parsers:

        def parse(responses: Sequence[Response]) -> None:
            for one in responses:
                parsers.submit(Job((one,), one.final, one.final, one.final))
            for _ in responses:
                done.acquire()

        parse((pages + papers)[:4])  # both processes have loaded their parsers then
        yield from _extracted("HTML", pages, parse, "trafilatura", peers.trafilatura_html, 1.8, bench)
        if peers.has("pypdf"):
            yield from _extracted("PDF", papers, parse, "pypdf", peers.pypdf_pages, 8.0, bench)


def _extracted(
    form: str,
    responses: Sequence[Response],
    parse: Callable[[Sequence[Response]], None],
    name: str,
    peer: Callable[[Sequence[bytes]], int],
    least: float,
    bench: Bench,
) -> Iterator[Row]:
    if not responses:
        return
    contestants = {
        OURS: lambda _: parse(responses),
        name: lambda _: peer([one.body for one in responses]),
    }
    taken = turns(contestants, bench.rounds, bench.track)
    facts = {"files": len(responses)}
    yield Row(f"extract {form}, two processes", f">= {least:g}x", taken.wall, facts=facts, least=least)


def _responses(bench: Bench, form: str) -> list[Response]:
    """Return responses of one form from the archive, `size` at most, of the middle sizes."""
    found = [
        one
        for path in sorted((bench.data / "archive").glob("*.warc*"))
        for one in archive.scan(path, damaged=lambda _: None)
    ]
    held = archive.Archive(found)
    of_form = [one for one in held.captures() if form in one.content_type and one.status == 200]
    picked = of_form[:: max(1, len(of_form) // bench.size)][: bench.size if form == "html" else max(5, bench.size // 4)]
    return [archive.load(one) for one in picked]


def memory(bench: Bench) -> Iterator[Row]:
    """The chat's memory while it waits."""
    used = served.idle_megabytes(bench.data)
    yield Row("chat server, idle", "<= 600 MB", {OURS: [used]}, "MB", most=600.0)


def grow(bench: Bench) -> list[growth.Size]:
    """Return what shelves of each size cost."""
    sizes = []
    for passages in bench.track(bench.sizes, "Growing", len(bench.sizes)):
        with bench.aside() as folder:
            sizes.append(growth.measure(passages, folder))
    return sizes


ROWS: Mapping[str, Callable[[Bench], Iterator[Row]]] = {
    "embed": embed,
    "index": index,
    "cold": cold,
    "commands": commands,
    "warm": warm,
    "read": read,
    "extract": extract,
    "memory": memory,
}


def measure(bench: Bench, wanted: Sequence[str], *, tell: Callable[[str], None]) -> tuple[list[Row], list[growth.Size]]:
    """Return the rows of those names, and the shelves that were grown; `tell` hears of each row once it is there.

    Raises EvalError for a row that there is none of.
    """
    if odd := [name for name in wanted if name not in ROWS and name != GROW]:
        raise EvalError(f"there is no row {odd[0]!r}; choose of {', '.join([*ROWS, GROW])}.")
    rows: list[Row] = []
    for name in wanted:
        for row in ROWS[name](bench) if name in ROWS else ():
            tell(f"{row.what}: {beside(row)}")
            rows.append(row)
    return rows, grow(bench) if GROW in wanted else []


def _look(bench: Bench, command: str, _: int) -> None:
    _prep(bench, command)


def _prep(bench: Bench, *command: str) -> None:
    _run([sys.executable, str(ROOT / "cli.py"), *command], bench.data)


def _run(command: Sequence[str], data: Path | None = None) -> None:
    env = {**os.environ, "HF_HUB_OFFLINE": "1", "PREPSHELF_LLM_URL": "none"}
    if data:
        env["PREPSHELF_DATA"] = str(data)
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EvalError(f"{' '.join(command[:4])[:200]} failed: {done.stderr.strip()[-300:]}")
