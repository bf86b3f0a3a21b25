"""Fit: trains the weights that app/ reads from its JSON files, and says how they do beside those in use.

A fit is made from dev halves alone. What the test halves say is told, and decides nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app import candidates, fitted, followups, intent, support
from app.assistant import Assistant
from eval import EvalError, cases, reading, refusals, squad, wanted, wice
from eval.bench import Bench, json_lines
from eval.certainty import at, auc, best
from eval.corpus import describe
from eval.systems import Remembering
from index.encoder import Encoder
from index.reader.training.rows import kept_for_curve, own_claims
from ingest import Track, silently

NOISE = 1.5  # questions of a dev half that may come out worse: what another machine's rounding may turn
Weights = Mapping[str, float]
QUESTIONS = 400  # of the reader's training, among the messages that intents are fitted on: most messages are questions
OTHERS = 4  # of the questions that stand alone, one of so many is asked after another
CHANGED = 0.8  # how much changed claims count, against WiCE's
SOFTNESS = 30  # inverse strength of that fit's L2 penalty
HERE = Path(__file__).parent / "questions"
Values = Sequence[Sequence[float]] | npt.NDArray[np.float64]  # (examples, features)


@dataclass(frozen=True)
class Data:
    """What weights are fitted with; the shelf is opened where a fit needs it."""

    folder: Path  # holds the public benchmarks
    open: Callable[[], Assistant]  # over the shelf of the recorded pages
    keep: Path  # where vectors stay between runs
    track: Track = silently

    @cached_property
    def assistant(self) -> Assistant:
        """Return the assistant over the shelf. Raises EvalError where it is not that of the recorded pages."""
        assistant = self.open()
        kind = describe(assistant.shelf, cases.read()).kind
        if kind != "recorded":
            raise EvalError(f"this shelf ({kind}) is not that of the recorded pages, on which weights are fitted.")
        assistant.encoder = Remembering(assistant.encoder)
        return assistant

    @cached_property
    def bench(self) -> Bench:
        """Return what benchmarks are run with."""
        return Bench(self.assistant.encoder, self.keep, self.track, self.assistant.reader)

    def place(self, holds: Callable[[Path], bool], name: str) -> Path:
        """Return the folder of a benchmark. Raises EvalError where there is none."""
        for path in [self.folder, *sorted(self.folder.iterdir())]:
            if path.is_dir() and holds(path):
                return path
        raise EvalError(f"{self.folder} does not hold {name}; eval/README.md says where it is had.")


@dataclass(frozen=True, slots=True)
class Figure:
    """A measure of the weights in use and of the new ones."""

    name: str  # begins with the half that it is of
    used: float
    new: float
    cases: int

    @property
    def fell(self) -> bool:
        """Return whether the new weights do worse on what they may be judged by."""
        return self.name.startswith("dev") and self.new < self.used - NOISE / self.cases


@dataclass(frozen=True, slots=True)
class Fitted:
    """New weights of a name, and how they do."""

    name: str
    weights: Weights
    used: Weights  # those in use
    figures: tuple[Figure, ...]

    def write(self, path: Path) -> None:
        """Write the weights."""
        path.write_text(json.dumps(self.weights, indent=1) + "\n", encoding="utf-8")

    def keep(self, folder: Path = fitted.HERE) -> Path:
        """Write the weights where app/ reads them.

        Raises EvalError where a figure of a dev half would fall.
        """
        if fell := [figure.name for figure in self.figures if figure.fell]:
            raise EvalError(f"{self.name}: the weights in use are better on {', '.join(fell)}; nothing was written.")
        path = folder / f"{self.name}.json"
        self.write(path)
        return path


@dataclass(frozen=True, slots=True)
class FittedIntent(Fitted):
    """The head that tells what a message wants, by kind a weight for each number of the vector and the intercept."""

    encoder: str = ""
    rows: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write the weights, a line for each kind."""
        lines = [
            f" {json.dumps(name)}: {json.dumps(value)}"
            for name, value in {"encoder": self.encoder, **self.rows}.items()
        ]
        path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def used(name: str) -> Weights:
    """Return the weights in use."""
    held: Weights = json.loads((fitted.HERE / f"{name}.json").read_bytes())
    return held


# --- what is fitted -------------------------------------------------------------------------------


def of_support(data: Data) -> Fitted:
    """Return the weights of the support check: a logistic regression on WiCE's claims and on changed claims of ours.

    Ours are over passages that the model was not trained on.
    """
    folder = data.place(wice.is_here, "WiCE")
    halves: dict[str, dict[str, list[tuple[str, Sequence[str], bool]]]] = {
        "WiCE": {},
        "changed": {"dev": [], "test": []},
    }
    for split in ("dev", "test"):
        claims = json_lines(folder / f"claim_{split}.jsonl")
        halves["WiCE"][split] = [(one["claim"], one["evidence"], one["label"] == "supported") for one in claims]
    for claim in own_claims(data.assistant.shelf):
        if kept_for_curve(claim.evidence):
            said = support.sentences(claim.evidence.text)
            halves["changed"][cases.split_of(claim.evidence.key)].append((claim.claim, said, claim.supported == 1))
    check = support.load("")
    assert isinstance(check, support.Read)
    rows = {
        name: {
            split: [check.features(*one[:2]) for one in data.track(held, f"Reading {name}, {split}", len(held))]
            for split, held in both.items()
        }
        for name, both in halves.items()
    }
    right = {name: {split: [one[2] for one in held] for split, held in both.items()} for name, both in halves.items()}
    dev = [rows["WiCE"]["dev"], rows["changed"]["dev"]], [right["WiCE"]["dev"], right["changed"]["dev"]]
    counts = np.r_[_even(dev[1][0]), CHANGED * _even(dev[1][1])] * len(dev[1][0])
    weights = logistic(dev[0][0] + dev[0][1], dev[1][0] + dev[1][1], support.FEATURES, counts)
    known = used("support")
    figures = [
        Figure(f"{split} {name}, {measure}", was, now, len(rows[name][split]))
        for name in rows
        for split in rows[name]
        for measure, was, now in _told(rows[name], right[name], split, [known, weights])
    ]
    return Fitted("support", weights, known, tuple(figures))


def _even(right: Sequence[bool]) -> npt.NDArray[np.float64]:
    """Return weights with which what is right and what is not count one half each."""
    yes = np.array(right)
    counts: npt.NDArray[np.float64] = np.where(yes, 0.5 / yes.sum(), 0.5 / (~yes).sum())
    return counts


def _told(
    rows: Mapping[str, Sequence[Sequence[float]]], right: Mapping[str, Sequence[bool]], split: str, both: list[Weights]
) -> list[tuple[str, float, float]]:
    """Return AUC and balanced accuracy of two sets of weights on a half, at the threshold that was best on dev."""
    scores = [{half: _scores(rows[half], right[half], weights) for half in rows} for weights in both]
    areas = [auc(*each[split]) for each in scores]
    balanced = [at(best(*each["dev"], by="balanced").threshold, *each[split]).balanced for each in scores]
    return [("AUC", areas[0], areas[1]), ("balanced accuracy", balanced[0], balanced[1])]


def _scores(rows: Values, right: Iterable[bool], weights: Weights) -> tuple[list[float], list[float]]:
    values = [value for name, value in weights.items() if name not in {"intercept", "threshold"}]
    scores = (np.asarray(rows) @ np.asarray(values)).tolist()
    told = list(zip(scores, right, strict=True))
    return [score for score, yes in told if yes], [score for score, yes in told if not yes]


def of_confidence(data: Data) -> Fitted:
    """Return the weights of the confidence, and the threshold of refusing: of SQuAD 2 and our own questions."""
    squads = refusals.of_squad(data.place(squad.is_here, "SQuAD 2"), data.bench)
    ours = refusals.of_cases(data.assistant, cases.read())
    weights, known = refusals.fit(squads, ours), used("confidence")
    figures = tuple(
        Figure(
            f"dev {name}, AUC",
            used=auc(*_scores(rows.values, rows.known, known)),
            new=auc(*_scores(rows.values, rows.known, weights)),
            cases=len(rows.known),
        )
        for name, rows in {"own": ours, "SQuAD": squads}.items()
    )
    return Fitted("confidence", weights, known, figures)


def of_lists(data: Data) -> Fitted:
    """Return the weights that tell which pages belong on a reading list, and from when on one does."""
    return _of_lists(data)[0]


def of_unread(data: Data) -> Fitted:
    """Return the weights that tell which resources without text belong on a reading list."""
    return _of_lists(data)[1]


def _of_lists(data: Data) -> tuple[Fitted, Fitted]:
    requests = cases.read_requests()
    with suppress(EvalError):
        requests += cases.requests_of(data.place(reading.is_here, "requests") / reading.FILE)
    halves = {
        split: list(wanted.ask([one for one in requests if one.split == split], data.assistant))
        for split in ("dev", "test")
    }
    made = []
    for name, rows_of in (("pages", candidates.READ), ("unread", candidates.UNREAD)):
        rows = [getattr(one, name) for one in halves["dev"]]
        labels = [label for one, held in zip(halves["dev"], rows, strict=True) for label in one.labels(held)]
        values = [value for held in rows for value in held.values]
        made.append(logistic(values, [right for right, _ in labels], rows_of, [weight for _, weight in labels]))
    welcome, unread = made
    welcome |= wanted.cut(halves["dev"], welcome, unread) | {"floor": used("welcome")["floor"]}
    known = used("welcome"), used("unread")
    told = tuple(
        Figure(f"{split} lists, {name}", was, now, len(held))
        for split, held in halves.items()
        for name, was, now in zip(
            ("precision", "recall"),
            wanted.figures(held, *map(dict, known)),
            wanted.figures(held, welcome, unread),
            strict=True,
        )
    )
    return Fitted("welcome", welcome, known[0], told), Fitted("unread", unread, known[1], told)


def logistic(
    rows: Values,
    right: Sequence[bool],
    names: Sequence[str],
    counts: Sequence[float] | npt.NDArray[np.float64] | None = None,
) -> dict[str, float]:
    """Return the weights of a logistic regression by feature, and its "intercept".

    Features are standardised, the L2 penalty has C = 0.1; `counts` is how much each row counts, all the same if None.

    >>> logistic([[0.0], [1.0], [2.0], [3.0]], [False, False, True, True], ["height"])["height"] > 0
    True
    """
    from sklearn.linear_model import LogisticRegression

    values = np.asarray(rows)
    mean, deviation = values.mean(axis=0), values.std(axis=0)
    deviation[deviation == 0] = 1.0
    model = LogisticRegression(C=0.1, max_iter=1000).fit((values - mean) / deviation, right, sample_weight=counts)
    weights = model.coef_[0] / deviation
    named = dict(zip(names, weights.tolist(), strict=True)) | {"intercept": float(model.intercept_[0] - weights @ mean)}
    return {name: round(value, 4) for name, value in named.items()}


def of_intent(data: Data) -> Fitted:
    """Return the head that tells what a message wants: a softmax regression over the encoder's vectors.

    Its examples were written by one hand, those of the test half by another.
    """
    from sklearn.linear_model import LogisticRegression

    from index.reader.training import rows

    encoder = data.open().encoder
    halves = {name: list(json_lines(HERE / f"{file}.jsonl")) for name, file in INTENTS.items()}
    asked = [
        row[("paraphrase", "situation", "typed")[n % 3]][0]
        for n, row in enumerate(rows.lines(rows.HERE / "questions.jsonl.gz"))
    ][:: 2600 // QUESTIONS]
    texts = [one["text"] for one in halves["dev"]] + asked
    kinds = [one["intent"] for one in halves["dev"]] + ["ask"] * len(asked)
    model = LogisticRegression(C=SOFTNESS, max_iter=3000).fit(encoder.encode(texts), kinds)
    held = np.hstack([model.coef_, model.intercept_[:, None]]).astype(np.float64).round(3)
    named = dict(zip(model.classes_.tolist(), held.tolist(), strict=True))
    known = json.loads((fitted.HERE / "intent.json").read_bytes()) if (fitted.HERE / "intent.json").exists() else {}
    figures = [
        Figure(f"{half} accuracy", _told_right(ones, known, encoder), _told_right(ones, named, encoder), len(ones))
        for half, ones in halves.items()
    ]
    return FittedIntent("intent", {}, {}, tuple(figures), encoder.name, named)


def _told_right(ones: Sequence[Mapping[str, str]], named: Mapping[str, Any], encoder: Encoder) -> float:
    """Return the share of messages whose kind a head tells; 0 for one of another encoder."""
    kinds = [name for name in named if name != "encoder"]
    if named.get("encoder", encoder.name) != encoder.name or not kinds:
        return 0.0
    weights = np.array([named[kind] for kind in kinds])
    odds = encoder.encode([one["text"] for one in ones]) @ weights[:, :-1].T + weights[:, -1]
    return float(np.mean([kinds[n] == one["intent"] for n, one in zip(odds.argmax(axis=1), ones, strict=True)]))


def of_followups(data: Data) -> Fitted:
    """Return the weights that tell a follow-up: of our dialogues, and of questions after one about something else."""
    assistant, held = data.assistant, cases.read()
    rows: dict[str, list[list[float]]] = {"dev": [], "test": []}
    right: dict[str, list[bool]] = {"dev": [], "test": []}
    for split in rows:
        others = [case for case in held if case.found and not case.before and case.split == split]
        asked = [(case.before, case.question, True) for case in held if case.before and case.split == split]
        pairs = zip(others[::OTHERS], others[OTHERS // 2 :: OTHERS], strict=False)
        asked += [(one.question, other.question, False) for one, other in pairs]
        for before, question, follows in data.track(asked, f"Reading dialogues, {split}", len(asked)):
            alone, joined = assistant.find(question), assistant.find(f"{before} {question}")
            odds = intent.follows(alone.asked, assistant.encoder.name)
            rows[split].append(followups.Readings(odds, alone, joined, assistant.encoder.ask(before).vector).features)
            right[split].append(follows)
    weights, known = logistic(rows["dev"], right["dev"], followups.FEATURES), used("followups")
    figures = [
        Figure(f"{split} follow-ups, {name}", was, now, len(rows[split]))
        for split in rows
        for name, was, now in _told(rows, right, split, [known, weights])
    ]
    return Fitted("followups", weights, known, tuple(figures))


INTENTS = {"dev": "intents", "test": "intents-test"}  # files of messages by half
FITS: dict[str, Callable[[Data], Fitted]] = {  # by the name of the file in app/
    "support": of_support,
    "confidence": of_confidence,
    "intent": of_intent,
    "followups": of_followups,
    "welcome": of_lists,
    "unread": of_unread,
}
