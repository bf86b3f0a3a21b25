"""Planted: learns which sentences address a model or ask the reader for secrets, and says how surely it tells them.

What is learned from stands in eval/planted.toml, and every sentence of the shelf is taken for an ordinary one. Each
example is read alone and within passages of the shelf, as a page would hold it. The half `held` decides nothing.
"""

from __future__ import annotations

import json
import random
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from index.encoder import Encoder, Vectors
from index.passage import Passage, Source
from index.planted import FILE, Head, Line
from index.store import Shelf

EXAMPLES = Path(__file__).parent / "planted.toml"
CONTEXT = 600  # characters of a passage that an example is read in
FOLDS = 5
SUSPECTS = 0.05  # share of the shelf's sentences that are read alone
ALARMS = 0.04  # share of the other examples, written to look alike, that may be taken for it when not learned from
COMMON = 0.0005  # share of the shelf's own sentences that may be
SAMPLE = 10_000  # sentences of the shelf that are learned from
SEED = 17


@dataclass(frozen=True, slots=True)
class Pair:
    """Vectors of the same sentences, read alone and within passages, shape (sentences, dimension) each."""

    alone: Vectors
    within: Vectors


@dataclass(frozen=True, slots=True)
class Rate:
    """How many of some sentences are taken for planted ones."""

    name: str
    taken: int
    of: int

    @property
    def share(self) -> float:
        """Return the share of them."""
        return self.taken / max(1, self.of)


@dataclass(frozen=True, slots=True)
class Learned:
    """New weights, and what they take for planted."""

    head: Head
    rates: tuple[Rate, ...]

    def keep(self, file: Path = FILE) -> Path:
        """Write the weights where index/ reads them."""
        file.write_text(json.dumps(asdict(self.head)) + "\n", encoding="utf-8")
        return file


def examples() -> dict[str, dict[str, list[str]]]:
    """Return the sentences by half ("fit", "held") and kind ("plants", "about", "ordinary")."""
    return tomllib.loads(EXAMPLES.read_text(encoding="utf-8"))


def vectors(sentences: Sequence[str], encoder: Encoder, shelf: Shelf) -> Pair:
    """Return the vectors of sentences alone, and each within a passage of the shelf."""
    dice = random.Random(SEED)
    sides = [_around(shelf, dice) for _ in sentences]
    texts = [f"{before}{sentence}{after}" for sentence, (before, after) in zip(sentences, sides, strict=True)]
    parts = [[(len(one), len(one) + len(said))] for said, (one, _) in zip(sentences, sides, strict=True)]
    within = np.stack([one.parts[0] for one in encoder.encode_parts(texts, parts)])
    return Pair(encoder.encode(sentences), within)


def _around(shelf: Shelf, dice: random.Random) -> tuple[str, str]:
    """Return what stands before and after a sentence that is put into a passage of the shelf."""
    prose = np.flatnonzero(shelf.prose)
    ((passage, source),) = shelf.passages([int(prose[dice.randrange(len(prose))])])
    text = passage.text[:CONTEXT]
    at = dice.choice([0, *(end for _, end in passage.sentences if end <= len(text))])
    head = " > ".join(dict.fromkeys([source.title, *passage.heading][:2]))
    return f"{head}\n{text[:at]}" + ("\n\n" if at else ""), f"\n\n{text[at:]}"


def learn(encoder: Encoder, shelf: Shelf) -> Learned:
    """Return weights for an encoder, with what they take for planted in both halves and on the shelf."""
    said = examples()
    made = {half: {kind: vectors(of, encoder, shelf) for kind, of in kinds.items()} for half, kinds in said.items()}
    here = made["fit"]
    right = np.concatenate([np.full(len(here[kind].alone), kind == "plants") for kind in here])
    common = np.concatenate([shelf.sentence_vectors(n) for n in range(shelf.manifest.passages)])
    sample = common[np.sort(np.random.default_rng(SEED).permutation(len(common))[:SAMPLE])]
    both = np.concatenate([here[kind].within for kind in here] + [here[kind].alone for kind in here])
    within = _above(_fitted(both, np.tile(right, 2), sample), common, SUSPECTS)
    suspects = encoder.encode(_sentences(shelf, within.holds(common)))
    rows = np.concatenate([here[kind].alone for kind in here])
    alone = _fitted(rows, right, suspects)
    odds = _left_out(rows, right, suspects)[~right]
    usual = _above(alone, suspects, COMMON * len(common) / len(suspects)).threshold
    alarms = float(np.sort(odds)[::-1][int(ALARMS * len(odds))])
    head = Head(encoder.name, within, replace(alone, threshold=round(max(usual, alarms), 3)))
    rates = [
        Rate(
            f"{half}, {kind}", int((head.within.holds(one.within) & head.alone.holds(one.alone)).sum()), len(one.alone)
        )
        for half, kinds in made.items()
        for kind, one in kinds.items()
    ]
    return Learned(head, (*rates, Rate("sentences of the shelf", int(head.alone.holds(suspects).sum()), len(common))))


def _sentences(shelf: Shelf, wanted: npt.NDArray[np.bool_]) -> list[str]:
    """Return those of the shelf's sentences, in order, that are wanted."""
    every = (passage.text[start:end] for passage, _ in _passages(shelf) for start, end in passage.sentences)
    return [text for text, here in zip(every, wanted.tolist(), strict=True) if here]


def _passages(shelf: Shelf) -> Iterator[tuple[Passage, Source]]:
    for number in range(shelf.manifest.passages):
        yield from shelf.passages([number])


def _above(line: Line, rows: Vectors, share: float) -> Line:
    """Return a line that holds for such a share of rows."""
    odds = np.sort(line.log_odds(rows))[::-1]
    return replace(line, threshold=round(float(odds[min(len(odds) - 1, int(share * len(odds)))]), 3))


def _left_out(rows: Vectors, right: npt.NDArray[np.bool_], others: Vectors) -> npt.NDArray[np.float32]:
    """Return the log-odds of examples, each by weights that were learned without it."""
    from sklearn.model_selection import StratifiedKFold

    odds = np.zeros(len(rows), dtype=np.float32)
    for learned, left in StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(rows, right):
        odds[left] = _fitted(rows[learned], right[learned], others).log_odds(rows[left])
    return odds


def _fitted(rows: Vectors, right: npt.NDArray[np.bool_], others: Vectors) -> Line:
    """Return a logistic regression of examples; the others, none of them planted, weigh as much as all of those."""
    from sklearn.linear_model import LogisticRegression

    values = np.concatenate([rows, others]).astype(np.float32)
    wanted = np.concatenate([right, np.zeros(len(others), dtype=bool)])
    weighed = np.concatenate([np.ones(len(rows)), np.full(len(others), len(rows) / max(1, len(others)))])
    model = LogisticRegression(C=10.0, max_iter=500).fit(values, wanted, sample_weight=weighed)
    return Line(tuple(np.round(model.coef_[0], 3).tolist()), round(float(model.intercept_[0]), 3), 0.0)
