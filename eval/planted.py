"""Planted: learns which sentences address a model or ask the reader for secrets, and says how surely it tells them.

What is learned from stands in eval/planted.toml, and every sentence of the shelf is taken for an ordinary one. Each
example is read alone and within passages of the shelf, as a page would hold it. The half `held` decides nothing.
"""

from __future__ import annotations

import json
import random
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from index.encoder import Encoder, Vectors
from index.planted import FILE, Head
from index.store import Shelf

EXAMPLES = Path(__file__).parent / "planted.toml"
WITHIN = 2  # passages that each example is read in, besides alone
CONTEXT = 600  # characters of them
FOLDS = 5
ALARMS = 0.01  # share of sentences about planted text that may be taken for it, of those that were not learned from
COMMON = 0.0005  # share of the shelf's own sentences that may be
SEED = 17

Floats = npt.NDArray[np.float64]


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


def vectors(sentences: Sequence[str], encoder: Encoder, shelf: Shelf) -> Vectors:
    """Return the vectors of sentences alone and within passages, shape (sentences, 1 + WITHIN, dimension)."""
    dice = random.Random(SEED)
    texts, parts = [], []
    for sentence in sentences:
        for nth in range(1 + WITHIN):
            before, after = _around(shelf, dice) if nth else ("", "")
            texts.append(f"{before}{sentence}{after}")
            parts.append([(len(before), len(before) + len(sentence))])
    made = [one.parts[0] for one in encoder.encode_parts(texts, parts)]
    return np.stack(made).reshape(len(sentences), 1 + WITHIN, -1)


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
    from sklearn.model_selection import GroupKFold

    said = examples()
    made = {half: {kind: vectors(of, encoder, shelf) for kind, of in kinds.items()} for half, kinds in said.items()}
    common = np.concatenate([shelf.sentence_vectors(n) for n in range(shelf.manifest.passages)])
    here = made["fit"]
    rows = np.concatenate([here[kind].reshape(-1, encoder.dimension) for kind in here])
    right = np.concatenate([np.full(here[kind].shape[0] * (1 + WITHIN), kind == "plants") for kind in here])
    groups = np.repeat(np.arange(len(rows) // (1 + WITHIN)), 1 + WITHIN)
    odds = np.zeros(len(rows))
    for learned, left in GroupKFold(FOLDS).split(rows, right, groups):
        weights, intercept = _fitted(rows[learned], right[learned], common)
        odds[left] = rows[left] @ weights + intercept
    weights, intercept = _fitted(rows, right, common)
    alarms = np.sort(odds[~right])[::-1][int(ALARMS * (~right).sum())]
    usual = np.sort(common @ weights + intercept)[::-1][int(COMMON * len(common))]
    head = Head(
        encoder.name, tuple(np.round(weights, 4).tolist()), round(intercept, 4), round(float(max(alarms, usual)), 3)
    )
    rates = [
        Rate(f"{half}, {kind}", int(_any(head, one).sum()), len(one))
        for half in made
        for kind, one in made[half].items()
    ]
    return Learned(head, (*rates, Rate("sentences of the shelf", int(head.planted(common).sum()), len(common))))


def _any(head: Head, made: Vectors) -> npt.NDArray[np.bool_]:
    """Return which examples are taken for planted in most of the ways in which they are read."""
    return np.asarray(head.planted(made).mean(axis=1) > 0.5)


def _fitted(rows: Vectors, right: npt.NDArray[np.bool_], common: Vectors) -> tuple[Floats, float]:
    """Return the weights and intercept of a logistic regression; the shelf weighs as much as the other examples."""
    from sklearn.linear_model import LogisticRegression

    values = np.concatenate([rows, common.astype(np.float32)])
    wanted = np.concatenate([right, np.zeros(len(common), dtype=bool)])
    weighed = np.concatenate([np.ones(len(rows)), np.full(len(common), len(rows) / len(common))])
    model = LogisticRegression(C=10.0, max_iter=1000).fit(values, wanted, sample_weight=weighed)
    return model.coef_[0], float(model.intercept_[0])
