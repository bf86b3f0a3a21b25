"""Engine: a trained model made ready to run, by OpenVINO if that computes what torch did, else by torch."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from index.batching import NONE, batches, pooled
from index.reader.weights import Array, Ranges, Weights, read_tensors

Run = Callable[..., AbstractContextManager[tuple[Array, Array]]]
"""Gives the states of word pieces, and what the heads make of them, for ids, mask and, of pairs, types."""

LEAST = {"exact": 0.9999, "int8": 0.99}  # cosine of a probe's vector with torch's, at least
VERSION = 2  # of the network as it is made here
_PROBE = Path(__file__).resolve().parent.parent / "probe"


def published(packaged: Path, tokenizer: Tokenizer, *, keep: Path | None) -> Run:
    """Return the packaged model in float32; `keep` is a folder that remembers that it was checked on this machine."""
    probe = np.load(_PROBE.with_suffix(".npy"), allow_pickle=False).astype(np.float32)
    return _ready(read_tensors(packaged), {}, probe, "exact", tokenizer, keep, paired=False)


def trained(weights: Weights, tokenizer: Tokenizer, *, keep: Path | None, paired: bool = False) -> Run:
    """Return a trained model with its linear layers in 8-bit integers."""
    return _ready(weights.tensors, weights.ranges, weights.probe, weights.sha256, tokenizer, keep, paired=paired)


def _ready(
    tensors: Mapping[str, Array],
    ranges: Ranges,
    probe: Array,
    key: str,
    tokenizer: Tokenizer,
    keep: Path | None,
    *,
    paired: bool,
) -> Run:
    try:
        from index import network

        run = network.Compiled(network.Network(tensors, ranges, paired), exact=not ranges).run
        mark = (
            keep / f"{hashlib.sha256(f'{VERSION} {key} {network.machine()}'.encode()).hexdigest()[:16]}.checked"
            if keep
            else None
        )
        if not (mark and mark.exists()):
            likeness = agreement(run, tokenizer, probe, paired=paired)
            if likeness < LEAST["int8" if ranges else "exact"]:
                raise RuntimeError(f"its vectors are not torch's: cosine {likeness:.4f}")
            if mark:
                mark.parent.mkdir(parents=True, exist_ok=True)
                mark.touch()
        return run
    except (ImportError, RuntimeError) as error:
        from index.slow import torch_run

        logging.getLogger(__name__).warning("The fast engine cannot be used (%s); torch does its work.", error)
        return torch_run(tensors)


def agreement(run: Run, tokenizer: Tokenizer, probe: Array, *, paired: bool) -> float:
    """Return the lowest cosine of the pooled states of the probe texts with those that torch made of them.

    A model of pairs reads each text together with the one that follows it.
    """
    made = np.concatenate(probed(run, tokenizer, paired=paired))
    return float((made * probe / np.linalg.norm(probe, axis=1, keepdims=True)).sum(axis=1).min())


def probed(run: Run, tokenizer: Tokenizer, *, paired: bool) -> list[npt.NDArray[np.float32]]:
    """Return the unit mean of the states of each probe text, or pair of them."""
    texts = _PROBE.with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    firsts = [tokenizer.encode(text).ids for text in texts]
    seconds = [ids[1:] for ids in [*firsts[1:], firsts[0]]] if paired else [[] for _ in firsts]
    made = []
    for first, second in zip(firsts, seconds, strict=True):
        for _, pieces, mask, pool in batches([first + second], [NONE]):
            types = (np.arange(pieces.shape[1])[None] >= len(first)) & (mask > 0)
            given = (pieces, mask, types.astype(np.int32)) if paired else (pieces, mask)
            with run(*given) as (states, _):
                made.append(pooled(pool, states)[:, 0])
    return made
