"""Narrow: trains the cross-encoder that tells whether a passage answers a question, and in which sentences.

Losses: a cross-entropy over each question's passages, of which one answers; one a pair, near misses among them; and
one a sentence.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from index.reader.training.mining import Hard
from index.reader.training.network import Input, Network, Pieces, sentences
from index.reader.training.rows import Row, Span, Text

QUESTIONS, WRONG = 12, 3  # in a batch, and passages beside each one's own that do not answer
NEAR, OTHERS = 12, 6  # near misses of the same set, or questions without an answer of others, in a batch
LIKEST = 12  # of the wrong passages, from which all but one are drawn
BARE = 0.15  # share of passages shown without their headings
PAIRS, RIGHT, SAYING = 0.5, 2.0, 3.0  # weight of the loss of pairs; of what answers among pairs, and among sentences
ANSWERS, SENTENCE = 0, 1  # heads


@dataclass(frozen=True)
class Pair:
    """A question with a passage, as it is read."""

    input: Input
    answers: bool
    said: list[tuple[list[int], bool]]  # the sentences in view, and whether each answers


class Narrow:
    """The objective."""

    def __init__(
        self,
        network: Network,
        sets: Mapping[str, Hard],
        misses: Mapping[str, Sequence[Row]],
        shares: Mapping[str, float],
        seed: int = 0,
    ) -> None:
        """`misses` are questions that their passage does not answer: of some sets, and "" of others."""
        self._network = network
        self._sets = sets
        self._misses = misses
        self._shares = shares
        self._random = random.Random(seed)
        self._pieces = Pieces(seed)

    def step(self) -> dict[str, torch.Tensor]:
        """Return the losses of a batch."""
        name = self._random.choices(list(self._shares), list(self._shares.values()))[0]
        hard = self._sets[name]
        pairs = []
        for n in self._random.sample(range(len(hard.rows)), QUESTIONS):
            row, wrong = hard.rows[n], hard.wrong[n]
            picked = self._random.sample(wrong[:LIKEST], WRONG - 1)
            picked += self._random.sample(wrong[LIKEST:] or wrong, 1)
            pairs.append(self.pair(row.question, row.passage, row.answers))
            pairs += [self.pair(row.question, hard.texts[m], ()) for m in picked]
        misses = self._misses.get(name) or self._misses[""]
        for row in self._random.sample(list(misses), NEAR if self._misses.get(name) else OTHERS):
            pairs.append(self.pair(row.question, row.passage, ()))
        states, _ = self._network.states([pair.input for pair in pairs])
        odds = self._network.heads(states[:, 0])[:, ANSWERS]
        told = torch.tensor([float(pair.answers) for pair in pairs])
        listed = odds[: QUESTIONS * (1 + WRONG)].view(QUESTIONS, 1 + WRONG)
        return {
            "listed": functional.cross_entropy(listed, torch.zeros(QUESTIONS, dtype=torch.long)),
            "pairs": PAIRS * functional.binary_cross_entropy_with_logits(odds, told, pos_weight=torch.tensor(RIGHT)),
            "sentences": self._of_sentences(pairs, states),
        }

    def pair(self, question: str, passage: Text, answers: Sequence[Span], *, varied: bool = True) -> Pair:
        """Return a question with a passage and the sentences in view."""
        bare = varied and self._random.random() < BARE
        second = self._pieces.passage(passage, answers[0] if answers else None, bare=bare)
        first = self._pieces.question(question, passage.text if varied and answers else "")
        both = self._pieces.pair(first, second)
        return Pair(both, bool(answers), list(sentences(passage, both, answers)))

    def _of_sentences(self, pairs: Sequence[Pair], states: torch.Tensor) -> torch.Tensor:
        held = [(n, inside, answers) for n, pair in enumerate(pairs) for inside, answers in pair.said]
        if not held:
            return states.new_zeros(())
        means = torch.stack([states[n, inside].mean(dim=0) for n, inside, _ in held])
        told = torch.tensor([float(answers) for *_, answers in held])
        odds = self._network.heads(means)[:, SENTENCE]
        return functional.binary_cross_entropy_with_logits(odds, told, pos_weight=torch.tensor(SAYING))

    @torch.inference_mode()
    def measure(self, held: Hard, misses: Sequence[Row], most: int = 120) -> dict[str, float]:
        """Return the mean reciprocal rank of what answers, and how often it is above near misses of others."""
        ranks, right = [], []
        for n in range(min(most, len(held.rows))):
            row = held.rows[n]
            texts = [row.passage, *(held.texts[m] for m in held.wrong[n][:11])]
            odds = self._odds([self.pair(row.question, text, (), varied=False) for text in texts])
            ranks.append(1 / (1 + int((odds[1:] >= odds[0]).sum())))
            right.append(float(odds[0]))
        wrong = self._odds([self.pair(row.question, row.passage, (), varied=False) for row in misses[:most]])
        above = [float((wrong < odds).float().mean()) for odds in right]
        return {"mrr": round(float(np.mean(ranks)), 4), "above_near_misses": round(float(np.mean(above)), 4)}

    def _odds(self, pairs: Sequence[Pair]) -> torch.Tensor:
        states, _ = self._network.states([pair.input for pair in pairs])
        odds: torch.Tensor = self._network.heads(states[:, 0])[:, ANSWERS]
        return odds


def examples(sets: Sequence[Hard], count: int, seed: int = 5) -> Iterator[tuple[list[int], int]]:
    """Yield the ids of typical pairs, for measuring ranges; see index.reader.training.export."""
    pieces, chance = Pieces(seed), random.Random(seed)
    for _ in range(count):
        hard = chance.choice(list(sets))
        n = chance.randrange(len(hard.rows))
        numbers = [hard.right[n], *hard.wrong[n][:1]]
        both = pieces.pair(pieces.question(hard.rows[n].question), pieces.passage(hard.texts[chance.choice(numbers)]))
        yield both.ids, both.first
