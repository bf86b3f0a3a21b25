"""Wide: trains the encoder and its token vectors together, so that one pass makes both.

Losses are cross-entropies over the passages of a batch: of late interaction (Khattab and Zaharia 2020), of pooled
vectors, and, within the passage that answers, over its sentences.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch.nn import functional

from index.reader.training.mining import Hard
from index.reader.training.network import Input, Network, Pieces, sentences
from index.reader.training.rows import Row

WIDTH = 128  # components of a token vector
QUESTIONS, WRONG = 24, 2  # in a batch, and passages beside each one's own that look like it
LOOKED_LIKE = 30  # of the likest wrong passages, that a batch draws from
BARE = 0.15  # share of passages shown without their headings
TOKENS_AT, POOLED_AT = 0.03, 0.05  # temperatures
POOLED, SENTENCES = 0.5, 0.3  # weights of the losses beside that of token vectors
NEVER = -1e4


class Wide:
    """The objective; its network's last head tells how much a piece of a question matters."""

    def __init__(self, network: Network, sets: Mapping[str, Hard], shares: Mapping[str, float], seed: int = 0) -> None:
        """`shares` are how often a batch is of each set."""
        self._network = network
        self._sets = sets
        self._shares = shares
        self._random = random.Random(seed)
        self._pieces = Pieces(seed)
        self._order: dict[str, list[int]] = {}

    def step(self) -> dict[str, torch.Tensor]:
        """Return the losses of a batch."""
        name = self._random.choices(list(self._shares), list(self._shares.values()))[0]
        hard = self._sets[name]
        drawn = [self._draw(name, len(hard.rows)) for _ in range(QUESTIONS)]
        rows, numbers = [hard.rows[n] for n in drawn], [hard.right[n] for n in drawn]
        numbers += [m for n in drawn for m in self._random.sample(hard.wrong[n][:LOOKED_LIKE], WRONG)]
        keep = [row.answers[0] if row.answers else None for row in rows] + [None] * (len(numbers) - len(rows))
        passages = [
            self._pieces.passage(hard.texts[n], span, bare=self._random.random() < BARE)
            for n, span in zip(numbers, keep, strict=True)
        ]
        asked = [self._pieces.question(row.question, row.passage.text) for row in rows]
        states, mask = self._network.states(passages)
        question_states, question_mask = self._network.states(asked)
        # A passage that another question of the batch has for its own is no wrong one of its twin's.
        same = torch.tensor(
            [[a == b and i != j for j, b in enumerate(numbers)] for i, a in enumerate(numbers[: len(rows)])]
        )
        right = torch.arange(len(rows))
        tokens = self.late(question_states, question_mask, states, mask).masked_fill(same, NEVER)
        pooled, vectors = pool(question_states, question_mask), pool(states, mask)
        like = (pooled @ vectors.T).masked_fill(same, NEVER)
        return {
            "tokens": functional.cross_entropy(tokens / TOKENS_AT, right),
            "pooled": POOLED * functional.cross_entropy(like / POOLED_AT, right),
            "sentences": SENTENCES * self._of_sentences(rows, passages, states, pooled),
        }

    def late(
        self, asked: torch.Tensor, asked_mask: torch.Tensor, states: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        """Return the score of each question with each passage, shape (questions, passages)."""
        heads = self._network.heads
        question, passage = heads(asked), heads(states)
        matters = torch.exp(question[..., WIDTH]) * asked_mask
        matters = matters / matters.sum(dim=1, keepdim=True)
        left, right = (functional.normalize(one[..., :WIDTH], dim=-1) for one in (question, passage))
        near = torch.einsum("qad,pbd->qpab", left, right).masked_fill(~mask[None, :, None, :], NEVER).amax(dim=-1)
        return (near * matters[:, None, :]).sum(dim=-1)

    def _of_sentences(
        self, rows: Sequence[Row], passages: Sequence[Input], states: torch.Tensor, pooled: torch.Tensor
    ) -> torch.Tensor:
        losses = []
        for n, row in enumerate(rows):
            held = list(sentences(row.passage, passages[n], row.answers))
            told = torch.tensor([answers for _, answers in held])
            if not held or told.all() or not told.any():
                continue
            vectors = torch.stack([states[n, inside].mean(dim=0) for inside, _ in held])
            odds = functional.log_softmax(functional.normalize(vectors, dim=-1) @ pooled[n] / POOLED_AT, dim=0)
            losses.append(-torch.logsumexp(odds[told], dim=0))
        return torch.stack(losses).mean() if losses else states.new_zeros(())

    def _draw(self, name: str, count: int) -> int:
        if not self._order.get(name):
            self._order[name] = self._random.sample(range(count), count)
        return self._order[name].pop()

    @torch.inference_mode()
    def measure(self, held: Hard, most: int = 300) -> dict[str, float]:
        """Return the mean reciprocal rank of the right passage among those that look like it, by both vectors."""
        ranks: dict[str, list[float]] = {"tokens_mrr": [], "pooled_mrr": []}
        for n in range(min(most, len(held.rows))):
            numbers = [held.right[n], *held.wrong[n][:20]]
            states, mask = self._network.states([self._pieces.passage(held.texts[m]) for m in numbers])
            asked, asked_mask = self._network.states([self._pieces.question(held.rows[n].question)])
            scores = {
                "tokens_mrr": self.late(asked, asked_mask, states, mask)[0],
                "pooled_mrr": pool(states, mask) @ pool(asked, asked_mask)[0],
            }
            for name, values in scores.items():
                ranks[name].append(1 / (1 + int((values[1:] >= values[0]).sum())))
        return {name: round(float(np.mean(values)), 4) for name, values in ranks.items()}


def pool(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the unit mean of the states of each text."""
    held = mask[..., None].float()
    return functional.normalize((states * held).sum(dim=1) / held.sum(dim=1), dim=-1)


def examples(sets: Sequence[Hard], count: int, seed: int = 5) -> Iterator[tuple[list[int], int]]:
    """Yield the ids of typical questions and passages, for measuring ranges; see index.reader.training.export."""
    pieces, chance = Pieces(seed), random.Random(seed)
    for _ in range(count):
        hard = chance.choice(list(sets))
        n = chance.randrange(len(hard.rows))
        for one in (pieces.question(hard.rows[n].question), pieces.passage(hard.texts[hard.right[n]])):
            yield one.ids, one.first
