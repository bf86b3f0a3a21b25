"""Mining: for each question the passages that look like its answer and are not, to be told from it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from index.encoder import Encoder
from index.lexical import Lexical
from index.reader import wide
from index.reader.training.rows import Row, Text
from ingest import Track, silently

LIKE, SHARING = 80, 30  # passages that the encoder, and BM25, bring
KEPT, FEWEST = 40, 5  # of them, for each question; filled up by chance
BETTER = 0.04  # by how much, in mean cosine, a passage may fit better than the answer; one above may answer, too
SAME = 25  # characters from which a shared answering sentence tells that a passage answers, too


@dataclass(frozen=True)
class Hard:
    """Passages, and rows over them with the numbers of passages that look like their answer, the likest first."""

    texts: Sequence[Text]
    rows: Sequence[Row]
    right: Sequence[int]  # the number of each row's own passage
    wrong: Sequence[Sequence[int]]

    def __len__(self) -> int:
        return len(self.rows)


def mine(rows: Sequence[Row], others: Sequence[Text], encoder: Encoder, *, track: Track = silently) -> Hard:
    """Return rows with hard negatives out of their own passages and others, in the wide reader's order if it can be."""
    texts = list({one.key: one for one in [*(row.passage for row in rows), *others]}.values())
    at = {one.key: n for n, one in enumerate(texts)}
    inputs = [f"{one.head}\n{one.text}".strip() for one in texts]
    encoded = encoder.encode_parts(inputs, [[] for _ in inputs])
    vectors = np.stack([one.whole for one in encoded])
    lexical = Lexical.build(inputs)
    wrong, chance = [], random.Random(0)
    for row in track(rows, "Mining", len(rows)):
        asked = encoder.ask(row.question)
        own = at[row.passage.key]
        likeness, shared = vectors @ asked.vector, lexical.scores(row.question)
        near = np.union1d(_top(likeness, LIKE), _top(shared, SHARING))
        near = np.union1d(near, [own]).astype(np.int64)
        scores = likeness[near]
        if encoder.width:
            tokens = [encoded[n].tokens for n in near]
            scores = wide.maxsim(asked, np.concatenate(tokens), np.array([len(one) for one in tokens]))
        fits = scores <= scores[near == own] + BETTER if row.answers else np.ones(len(near), dtype=np.bool_)
        order = near[np.argsort(-np.where(fits, scores, -np.inf), kind="stable")][: int(fits.sum())]
        kept = [int(n) for n in order if n != own and not _answers_too(row, texts[n])][:KEPT]
        wrong.append(kept if len(kept) >= FEWEST else kept + chance.sample(range(len(texts)), FEWEST))
    return Hard(texts, rows, [at[row.passage.key] for row in rows], wrong)


def _top(scores: wide.Floats, count: int) -> wide.Numbers:
    return np.argpartition(-scores, min(count, len(scores) - 1))[:count]


def _answers_too(row: Row, other: Text) -> bool:
    """Return whether a passage holds one of the sentences that answer, as copies of a page do."""
    said = (" ".join(row.passage.text[start:end].split()) for start, end in row.answers)
    flat = " ".join(other.text.split())
    return any(len(sentence) > SAME and sentence[:80] in flat for sentence in said)
