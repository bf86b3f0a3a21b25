"""Weights: what training changed in all-MiniLM-L6-v2, read from the files beside this module and checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from index import ShelfError
from index.manifest import sha256

Name = Literal["wide", "narrow", "support"]
Array = npt.NDArray[np.float32]
Ranges = Mapping[str, tuple[Array, Array]]
"""The lowest and highest value of each channel of linear layers' inputs, by the layer's name."""

HERE = Path(__file__).parent / "weights"
_RANGES = "ranges."  # begins the names of the ranges
PROBE = "probe"  # names what torch made of the probe texts


@dataclass(frozen=True)
class Weights:
    """One trained model."""

    name: str
    sha256: str
    tensors: Mapping[str, Array]  # the whole network's
    ranges: Ranges  # for computing in 8-bit integers
    probe: Array  # see index.reader.engine.agreement


def load(name: Name, base: Path) -> Weights:
    """Return a trained model, laid over the packaged one whose safetensors file is `base`.

    Raises ShelfError if its file is missing or is not the one that was published.
    """
    path = HERE / f"{name}.safetensors"
    card = card_of(name)
    if not path.exists() or sha256(path) != card["sha256"]:
        raise ShelfError(f"{path} does not hold the published weights; restore it with `git checkout {path.name}`.")
    trained = read_tensors(path)
    own = {key: value for key, value in trained.items() if not key.startswith(_RANGES) and key != PROBE}
    ranges = {
        key.removeprefix(_RANGES): (value[0], value[1]) for key, value in trained.items() if key.startswith(_RANGES)
    }
    return Weights(name, card["sha256"], {**read_tensors(base), **own}, ranges, trained[PROBE])


def card_of(name: Name) -> dict[str, Any]:
    """Return what is told of a trained model: its checksum, command, data and figures."""
    card: dict[str, Any] = json.loads((HERE / f"{name}.json").read_bytes())
    return card


def read_tensors(path: Path) -> dict[str, Array]:
    """Return the floating-point tensors of a safetensors file by name, in float32.

    Those that are float32 in the file are views of the mapped file.
    """
    raw = np.memmap(path, dtype=np.uint8, mode="c")  # copy on write: OpenVINO wants writeable memory
    start = 8 + int(raw[:8].view("<u8")[0])
    header = json.loads(raw[8:start].tobytes())
    kinds = {"F32": "<f4", "F16": "<f2"}
    return {
        name: raw[start + tensor["data_offsets"][0] : start + tensor["data_offsets"][1]]
        .view(kinds[tensor["dtype"]])
        .reshape(tensor["shape"])
        .astype(np.float32, copy=False)
        for name, tensor in header.items()
        if tensor.get("dtype") in kinds
    }
