"""Support: trains the cross-encoder that tells whether evidence says what a claim says.

Losses: one a pair, and one that sets each true claim above those changed in one point, so that it is not the claim's
own style that tells. True claims with other evidence are shown as unsupported, short evidence among other sentences.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn import functional

from index.reader.training.network import Input, Network, Pieces
from index.reader.training.rows import Claim, Text

CLAIMS = 48  # in a batch, at least
TOGETHER = {"own": 4, "shelf": 4}  # claims over one text that are drawn together; of other sets 2
ELSEWHERE = {"own": 0.35, "shelf": 0.35}  # chance that a true one is also shown with other evidence; else 0.15
SHORT, AMONG = 400, 0.4  # characters of short evidence, and how often it is shown among other sentences
SUPPORTS = 0  # the head


@dataclass(frozen=True)
class Shown:
    """A claim with what it is held against."""

    input: Input
    claim: Claim


class Support:
    """The objective."""

    def __init__(
        self, network: Network, sets: Mapping[str, Sequence[Claim]], shares: Mapping[str, float], seed: int = 0
    ) -> None:
        """`shares` are how often a claim is drawn of each set."""
        self._network = network
        self._shares = shares
        self._random = random.Random(seed)
        self._pieces = Pieces(seed)
        self._over: dict[str, list[list[Claim]]] = {}
        for name, claims in sets.items():
            texts: dict[str, list[Claim]] = {}
            for claim in claims:
                texts.setdefault(claim.evidence.key, []).append(claim)
            self._over[name] = list(texts.values())

    def step(self) -> dict[str, torch.Tensor]:
        """Return the losses of a batch."""
        shown, pairs = self._batch()
        states, _ = self._network.states([one.input for one in shown])
        odds = self._network.heads(states[:, 0])[:, SUPPORTS]
        told = torch.tensor([one.claim.supported for one in shown])
        true, changed = ([pair[side] for pair in pairs] for side in (0, 1))
        apart = functional.softplus(odds[changed] - odds[true]).mean() if pairs else odds.new_zeros(())
        return {"claims": functional.binary_cross_entropy_with_logits(odds, told), "pairs": apart}

    def _batch(self) -> tuple[list[Shown], list[tuple[int, int]]]:
        """Return claims, and pairs of their places: of a true one and one over the same text that is not."""
        shown: list[Shown] = []
        pairs: list[tuple[int, int]] = []
        while len(shown) < CLAIMS:
            name = self._random.choices(list(self._shares), list(self._shares.values()))[0]
            over = self._random.choice(self._over[name])
            drawn = self._random.sample(over, min(len(over), TOGETHER.get(name, 2)))
            other = self._random.choice(self._over[name])[0].evidence
            at = range(len(shown), len(shown) + len(drawn))
            shown += [self.show(claim, self._among(claim, other)) for claim in drawn]
            true = [n for n in at if shown[n].claim.supported == 1]
            if name in TOGETHER:
                pairs += [(n, m) for n in true for m in at if shown[m].claim.supported == 0]
            if true and self._random.random() < ELSEWHERE.get(name, 0.15):
                claim = shown[self._random.choice(true)].claim
                shown.append(self.show(replace(claim, evidence=other, supported=0.0, says=())))
        return shown, pairs

    def _among(self, claim: Claim, other: Text) -> str:
        """Return the evidence of a claim, if it is short sometimes before or behind sentences of another."""
        text, more = claim.evidence.text, other.text[:SHORT]
        if len(text) >= SHORT or self._random.random() >= AMONG:
            return text
        return f"{more} {text}" if self._random.random() < 0.5 else f"{text} {more}"

    def show(self, claim: Claim, text: str = "") -> Shown:
        """Return a claim with its evidence, or another text that holds it."""
        keep = claim.says[0] if claim.says and not text else None
        evidence = self._pieces.passage(Text("", "", text or claim.evidence.text), keep)
        return Shown(self._pieces.pair(self._pieces.question(claim.claim), evidence), claim)

    @torch.inference_mode()
    def odds(self, claims: Sequence[Claim]) -> torch.Tensor:
        """Return the log-odds that each claim's evidence supports it."""
        shown = [self.show(claim) for claim in claims]
        found = []
        for n in range(0, len(shown), 64):
            states, _ = self._network.states([one.input for one in shown[n : n + 64]])
            found.append(self._network.heads(states[:, 0])[:, SUPPORTS])
        return torch.cat(found)

    def measure(self, sets: Mapping[str, Sequence[Claim]]) -> dict[str, float]:
        """Return the area under the curve of each set, and of ours and `own` with evidence of other claims.

        The last shows how much the claim's own style tells; 0.5 is nothing.
        """
        found = {name: _auc(self.odds(claims), claims) for name, claims in sets.items()}
        mixed = [claim for name in ("own", "shelf") for claim in sets.get(name, ())]
        turned = [
            replace(claim, evidence=mixed[(n + len(mixed) // 2) % len(mixed)].evidence, says=())
            for n, claim in enumerate(mixed)
        ]
        found["wrong evidence"] = _auc(self.odds(turned), turned)
        return {name: area for name, area in found.items() if area == area}  # none if all claims have one label


def _auc(odds: torch.Tensor, claims: Sequence[Claim]) -> float:
    told = torch.tensor([claim.supported == 1 for claim in claims])
    yes, no = odds[told], odds[~told]
    if not len(yes) or not len(no):
        return float("nan")
    above = (yes[:, None] > no[None]).float() + 0.5 * (yes[:, None] == no[None]).float()
    return round(float(above.mean()), 4)


def examples(sets: Sequence[Sequence[Claim]], count: int, seed: int = 5) -> Iterator[tuple[list[int], int]]:
    """Yield the ids of typical claims with evidence, for measuring ranges; see index.reader.training.export."""
    pieces, chance = Pieces(seed), random.Random(seed)
    for _ in range(count):
        claim = chance.choice(chance.choice(list(sets)))
        both = pieces.pair(pieces.question(claim.claim), pieces.passage(claim.evidence))
        yield both.ids, both.first


def changes(
    odds: np.ndarray[tuple[int], np.dtype[np.float32]], claims: Sequence[Claim], alarms: float = 0.1
) -> dict[str, float]:
    """Return the share of changed claims that is caught at so many false alarms on true ones, by kind of change."""
    true = [score for score, claim in zip(odds, claims, strict=True) if claim.supported == 1]
    least = float(np.quantile(true, alarms))
    caught: dict[str, list[bool]] = {}
    for score, claim in zip(odds, claims, strict=True):
        if claim.supported == 0:
            caught.setdefault(claim.change or "other", []).append(bool(score < least))
    return {kind: round(float(np.mean(held)), 3) for kind, held in sorted(caught.items())}
