"""Suites: all that `prep eval` can measure, and a run of some of them over a shelf."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app import support
from app.assistant import Assistant
from eval import (
    EvalError,
    cases,
    certainty,
    checks,
    chunking,
    corpus,
    dangers,
    extraction,
    faults,
    judge,
    own,
    plain,
    reading,
    retrieval,
    robustness,
    rows,
    squad,
    systems,
    wice,
)
from eval.bench import Bench
from eval.rows import About, Row, Run
from eval.systems import System
from ingest import Track, silently
from ingest.archive import now


@dataclass(frozen=True, slots=True)
class Suite:
    """Something that can be measured."""

    name: str
    about: str
    here: Callable[[Path], bool] | None = None  # tells whether a folder holds its data; None: it needs none


SUITES = (
    Suite("own", "our own questions, dialogues and refusals: finds, answers, cites and refuses as it should"),
    Suite("reading", "requests for reading lists: what belongs on them, and no more"),
    Suite("robustness", "hostile pages, questions and models: nothing of them acts in an answer", robustness.is_here),
    Suite("beir", "public retrieval benchmarks in BEIR layout", lambda folder: any(retrieval.parts(folder))),
    Suite("squad", "SQuAD 2: quoted answers, refusals", squad.is_here),
    Suite("wice", "WiCE: the support check", wice.is_here),
    Suite("extraction", "Zyte's articles: text extraction", extraction.is_here),
    Suite("chunking", "Chroma's chunking evaluation: how much of what is read was asked for", chunking.is_here),
    # "speed" is measured by itself (`prep eval speed`): times of a run of questions would be those of a warm cache.
)
OWN = ("own", "reading", "robustness")  # what needs no folder


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure."""

    suites: tuple[str, ...] = OWN
    folder: Path | None = None  # holds public benchmarks, or is one
    split: str = ""  # "dev" or "test"; "": both
    baselines: bool = True
    ablate: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return all of it that decides about the rows."""
        return {"suites": self.suites, "split": self.split, "baselines": self.baselines, "ablate": self.ablate}


def available(folder: Path | None) -> tuple[str, ...]:
    """Return the suites that can be run: those that need no folder, and those that a folder holds."""
    held = [
        suite.name
        for suite in SUITES
        if folder and suite.here and any(suite.here(place) for place in [folder, *folder.iterdir()] if place.is_dir())
    ]
    return tuple(dict.fromkeys([*OWN, *held]))


def measure(plan: Plan, data: Path, assistant: Assistant, *, track: Track = silently) -> Run:
    """Return a run of a plan over the assistant's shelf; one that was broken off is continued."""
    about = About(
        name=rows.new_name(),
        started_at=now(),
        shelf=corpus.describe(assistant.shelf, cases.read()).as_json(),
        cases={"own": cases.digest(cases.read()), "reading": cases.digest(cases.read_requests())},
        settings={**plan.as_json(), "code": code()},
    )
    run = rows.begin(data / "evals", about)
    assistant.encoder = systems.Remembering(assistant.encoder)
    session = Session(plan, run, assistant, data / "evals", track)
    for suite in SUITES:
        if suite.name in plan.suites:
            session.add(suite)
    run.finish()
    return run


class Session:
    """Adds the rows of suites to a run."""

    def __init__(self, plan: Plan, run: Run, assistant: Assistant, folder: Path, track: Track) -> None:
        self._plan = plan
        self._run = run
        self._assistant = assistant
        self._bench = Bench(assistant.encoder, folder / "bench", track, assistant.reader)
        self._folder = folder
        self._track = track

    def add(self, suite: Suite) -> None:
        """Add the rows of a suite; of a public benchmark, those of every folder that holds it.

        Raises EvalError where no folder does.
        """
        places = list(self._places(suite))
        if suite.here and not places and suite.name not in OWN:
            raise EvalError(f"{self._plan.folder} holds nothing for {suite.name} ({suite.about}); see eval/README.md.")
        ways: dict[str, Callable[[Sequence[Path]], None]] = {
            "own": self._own,
            "reading": self._reading,
            "robustness": self._robustness,
            "beir": self._beir,
            "squad": self._squad,
            "wice": self._wice,
            "extraction": lambda places: extraction.run(places[0], self._run, track=self._track),
            "chunking": lambda places: chunking.run(places[0], self._bench, self._run),
        }
        ways[suite.name](places)

    def _places(self, suite: Suite) -> Iterator[Path]:
        folder = self._plan.folder
        if folder and suite.here:
            yield from (path for path in [folder, *sorted(folder.iterdir())] if path.is_dir() and suite.here(path))

    def _own(self, _: Sequence[Path]) -> None:
        shelf = self._assistant.shelf
        texts = corpus.texts(shelf)
        asked = [case for case in cases.read() if self._plan.split in {"", case.split}]
        for system in self._contestants():
            own.run(asked, system, self._run, texts, shelf.page, checks.supported, track=self._track)

    def _contestants(self) -> Iterator[System]:
        yield systems.Ours(self._assistant)
        if self._plan.baselines:
            yield from (systems.ranking(name, self._assistant) for name in systems.BASELINES)
            shelf = self._assistant.shelf
            texts = {source.url: shelf.page(source.url)[0] for source in shelf.sources()}
            yield plain.build(texts, self._folder / "bench" / "plain.db", track=self._track)
        if self._plan.ablate:
            yield from (systems.ranking(name, self._assistant) for name in systems.ABLATIONS)

    def _reading(self, _: Sequence[Path]) -> None:
        def listed(request: str, minutes: int | None) -> dict[str, Any]:
            return self._assistant.read(request, minutes=minutes).as_json()

        asked = [one for one in cases.read_requests() if self._plan.split in {"", one.split}]
        reading.run(asked, listed, self._run, track=self._track)

    def _robustness(self, places: Sequence[Path]) -> None:
        payloads = [*robustness.own(), *(payload for place in places for payload in robustness.collected(place))]
        robustness.run(payloads, self._bench, self._run)
        for place in places:
            dangers.run(place, self._run, track=self._track)
            faults.run(place, self._bench, self._run)

    def _beir(self, places: Sequence[Path]) -> None:
        for folder in dict.fromkeys(part for place in places for part in retrieval.parts(place)):
            ways = (rows.OURS, *systems.BASELINES) if self._plan.baselines else (rows.OURS,)
            retrieval.run(
                folder, self._bench, self._run, (*ways, *(systems.ABLATIONS[:2] if self._plan.ablate else ()))
            )

    def _squad(self, places: Sequence[Path]) -> None:
        squad.run(places[0], self._bench, self._run, own.confidence)

    def _wice(self, places: Sequence[Path]) -> None:
        wice.run(
            places[0], {rows.OURS: support.support, "word overlap": wice.word_overlap}, self._run, track=self._track
        )


def code() -> str:
    """Return a fingerprint of the project's source: a run that was broken off is continued by the same code only."""
    root = Path(__file__).resolve().parent.parent
    files = sorted(
        path for room in ("app", "eval", "index", "ingest", "prompts") for path in (root / room).rglob("*.py")
    )
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()[:12]


def refusals(asked: Sequence[Row], system: str) -> dict[str, Any]:
    """Return how well a system's confidence tells what the shelf knows from each kind of what it does not.

    `asked` are rows of answers and refusals; 0.5 is a coin, 1 is perfect.
    """
    mine = rows.chosen(asked, system=system)
    known = [row.scores["confidence"] for row in mine if row.suite == "answers"]
    unknown = rows.grouped([row for row in mine if row.suite == "refusals"], lambda row: row.kind)
    said = {kind: certainty.auc(known, [row.scores["confidence"] for row in held]) for kind, held in unknown.items()}
    every = [row.scores["confidence"] for row in mine if row.suite == "refusals"]
    return {"questions": len(every), "all": certainty.auc(known, every), **said}


def figures(run: Run) -> dict[str, dict[str, Any]]:
    """Return the headline figures of the suites that are more than averages, by suite and system."""
    by_suite = rows.grouped(run.rows, lambda row: row.suite)
    said: dict[str, dict[str, Any]] = {}
    for suite, held in by_suite.items():
        fold = _folds().get(suite.partition(" ")[0])
        if fold:
            asked = held if suite != "refusals" else held + by_suite.get("answers", [])
            for system in rows.grouped(held, lambda row: row.system):
                said.setdefault(suite, {})[system] = fold(asked, system)
    return said


def _folds() -> Mapping[str, Callable[[Sequence[Row], str], dict[str, Any]]]:
    return {
        "refusals": refusals,
        "beir": retrieval.figures,
        "squad": lambda held, _: squad.figures(held),
        "wice": wice.figures,
        "extraction": extraction.figures,
        "chunking": chunking.figures,
        "robustness": lambda held, _: robustness.figures(held),
        "judge": judge.figures,
    }
