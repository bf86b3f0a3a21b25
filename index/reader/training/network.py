"""Network: all-MiniLM-L6-v2 in torch with the reader's heads, and how texts become its inputs."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch.nn import functional

from index import DIMENSION
from index.encoder import built_in_folder
from index.reader.cross import FIRST, HEAD
from index.reader.training.rows import Span, Text
from index.reader.weights import read_tensors
from index.slow import bert
from index.split import sentence_bounds

BODY = 208  # word pieces of a passage that are trained with
CLS, SEP = 101, 102
PAD = 32  # lengths are padded to its multiples, so that few sizes of memory are asked for
HALF = bool(torch.cpu.get_capabilities().get("amx_bf16"))  # four times as quick as 32 bits; without AMX it is slower
GROUPS = 4  # of like length, that a batch is computed in

Array = npt.NDArray[np.float32]


class Network(torch.nn.Module):
    """The model with linear heads on every word piece; the lowest layers and the embeddings stay as they are."""

    def __init__(self, heads: int, *, frozen: int, begin: Mapping[str, Array] | None = None) -> None:
        """`begin` are the tensors to start from, the packaged model's by default."""
        super().__init__()
        tensors = begin or read_tensors(built_in_folder() / "model.safetensors")
        self.bert = bert(tensors)
        self.heads = torch.nn.Linear(DIMENSION, heads)
        torch.nn.init.orthogonal_(self.heads.weight)
        torch.nn.init.zeros_(self.heads.bias)
        for part in (self.bert.embeddings, *self.bert.encoder.layer[:frozen]):
            part.requires_grad_(requires_grad=False)

    def states(self, inputs: Sequence[Input]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the states of all word pieces, (inputs, pieces, 384), and which are no padding, (inputs, pieces)."""
        order = sorted(range(len(inputs)), key=lambda n: -len(inputs[n].ids))
        longest = _padded(len(inputs[order[0]].ids))
        parts = []
        for group in np.array_split(order, min(GROUPS, len(order))):
            ids, mask, types = _stacked([inputs[n] for n in group])
            with torch.autocast("cpu", torch.bfloat16, enabled=HALF):
                states = self.bert(ids, mask, token_type_ids=types).last_hidden_state
            parts.append(functional.pad(states.float(), (0, 0, 0, longest - ids.shape[1])))
        back = torch.from_numpy(np.argsort(order, kind="stable"))
        lengths = torch.tensor([len(one.ids) for one in inputs])
        return torch.cat(parts)[back], torch.arange(longest)[None] < lengths[:, None]

    def tensors(self) -> dict[str, Array]:
        """Return all tensors by the packaged model's names."""
        held = {name: tensor.detach().numpy() for name, tensor in self.bert.state_dict().items()}
        return held | {
            "heads.weight": self.heads.weight.detach().numpy(),
            "heads.bias": self.heads.bias.detach().numpy(),
        }


@dataclass(frozen=True, slots=True)
class Input:
    """The word pieces of a text, or of two, and where those of the passage stand in its text."""

    ids: list[int]
    first: int  # pieces of the first text; of one text alone, all
    offsets: list[Span]  # of each piece, in characters of the passage's text; (0, 0) of what is not of it

    def inside(self, span: Span) -> list[int]:
        """Return the places of the pieces that lie inside a stretch of the passage's text."""
        return [n for n, (a, b) in enumerate(self.offsets) if b > a and a >= span[0] and b <= span[1]]


class Pieces:
    """Makes inputs of texts."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._tokenizer = Tokenizer.from_file(str(built_in_folder() / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    def question(self, text: str, passage: str = "") -> Input:
        """Return a question; with a passage, as training varies it: shared words left out, mistyped, unended."""
        text = self._varied(text, passage) if passage else text
        ids = [CLS, *self._tokenizer.encode(text, add_special_tokens=False).ids[:FIRST], SEP]
        return Input(ids, len(ids), [(0, 0)] * len(ids))

    def passage(self, passage: Text, keep: Span | None = None, *, bare: bool = False) -> Input:
        """Return a passage under its headings, or `bare`; of a long one a part that holds `keep`."""
        head = [] if bare else self._tokenizer.encode(passage.head, add_special_tokens=False).ids[:HEAD]
        found = self._tokenizer.encode(passage.text, add_special_tokens=False)
        ids, offsets = found.ids, found.offsets
        if len(ids) > BODY:
            start = 0
            if keep:
                at = next((n for n, (_, end) in enumerate(offsets) if end > keep[0]), 0)
                start = max(0, min(at - self._random.randrange(20, BODY - 60), len(ids) - BODY))
            ids, offsets = ids[start : start + BODY], offsets[start : start + BODY]
        ids = [CLS, *head, *ids, SEP]
        return Input(ids, len(ids), [(0, 0)] * (1 + len(head)) + offsets + [(0, 0)])

    def pair(self, first: Input, second: Input) -> Input:
        """Return two inputs read together."""
        return Input(first.ids + second.ids[1:], len(first.ids), first.offsets + second.offsets[1:])

    def _varied(self, text: str, passage: str) -> str:
        chance = self._random.random
        if chance() < 1 / 3:
            shared = set(_words(passage))
            kept = [
                word
                for word in text.split(" ")
                if not (shared & set(_words(word)) and len(word) > 3 and chance() < 0.7)
            ]
            text = " ".join(kept) if len(kept) >= 3 else text
        if chance() < 0.1:
            text = self._mistyped(text)
        return text.rstrip("?. ") if chance() < 0.3 else text

    def _mistyped(self, text: str) -> str:
        letters = list(text)
        for _ in range(max(1, len(letters) // 20)):
            at, kind = self._random.randrange(len(letters)), self._random.random()
            if not letters[at].isalpha():
                continue
            if kind < 0.4:
                letters[at] = ""
            elif kind < 0.7 and at + 1 < len(letters):
                letters[at], letters[at + 1] = letters[at + 1], letters[at]
            else:
                letters[at] *= 2
        return "".join(letters)


def sentences(passage: Text, given: Input, answers: Sequence[Span]) -> Iterator[tuple[list[int], bool]]:
    """Yield the places of each sentence's pieces, and whether it is one that answers; those out of view left out."""
    for start, end in sentence_bounds(passage.text):
        inside = given.inside((start, end))
        if len(inside) >= 3:
            yield inside, any(a < end and b > start for a, b in answers)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _padded(length: int) -> int:
    return -(-length // PAD) * PAD


def _stacked(inputs: Sequence[Input]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    shape = len(inputs), _padded(max(len(one.ids) for one in inputs))
    ids, mask, types = (torch.zeros(shape, dtype=torch.long) for _ in range(3))
    for row, one in enumerate(inputs):
        length = len(one.ids)
        ids[row, :length] = torch.tensor(one.ids)
        mask[row, :length] = 1
        types[row, one.first : length] = 1
    return ids, mask, types
