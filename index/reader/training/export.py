"""Export: a trained network becomes a file of what differs from the packaged model, with all that 8 bits need."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer

from index import network
from index.batching import NONE, batches
from index.encoder import built_in_folder
from index.manifest import sha256
from index.reader import engine
from index.reader.weights import HERE, Array, Name, read_tensors
from index.slow import torch_run

LIKE = 1e-6  # how far a tensor may be from the packaged one and count as the same


def export(
    name: Name,
    tensors: Mapping[str, Array],
    examples: Sequence[tuple[list[int], int]],
    card: Mapping[str, Any],
    folder: Path = HERE,
) -> Path:
    """Write a trained network and its card, and return the file.

    `tensors` are the network's by the packaged model's names, with "heads.weight" and "heads.bias"; `examples` are the
    ids of typical inputs, each with how many of them belong to the first text, on which the ranges are measured.
    """
    packaged = built_in_folder() / "model.safetensors"
    base = read_tensors(packaged)
    paired = name != "wide"
    changed = {key: one for key, one in tensors.items() if key not in base or np.abs(one - base[key]).max() > LIKE}
    # What ships is what is measured and probed: the weights as they are after rounding to 16 bits.
    changed = {key: one.astype(np.float16).astype(np.float32) for key, one in changed.items()}
    whole = {**base, **changed}
    ranges = network.measure(whole, _batches(examples, paired=paired), paired=paired)
    tokenizer = Tokenizer.from_file(str(built_in_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    probe = np.concatenate(engine.probed(torch_run(whole), tokenizer, paired=paired))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.safetensors"
    held = {key: one.astype(np.float16) for key, one in changed.items()}
    held |= {f"ranges.{key}": np.stack(both).astype(np.float32) for key, both in ranges.items()}
    save_file({**held, "probe": probe.astype(np.float32)}, path)
    text = json.dumps({"sha256": sha256(path), **card}, indent=1) + "\n"
    (folder / f"{name}.json").write_text(text, encoding="utf-8")
    return path


def _batches(examples: Sequence[tuple[list[int], int]], *, paired: bool) -> Any:  # noqa: ANN401  # numpy arrays
    ids = [one for one, _ in examples]
    for rows, pieces, mask, _ in batches(ids, [NONE] * len(ids), window=max(map(len, ids))):
        first = np.asarray([examples[row][1] for row in rows])[:, None]
        types = ((np.arange(pieces.shape[1]) >= first) & (mask > 0)).astype(np.int32)
        yield [pieces, mask, types] if paired else [pieces, mask]
