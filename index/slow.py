"""Slow: any sentence-transformers model with mean pooling on the local disk, through torch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from index import ShelfError
from index.encoder import Spans, Vectors, batches, inside, unit

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


class TorchEncoder:
    """Makes vectors as the model's makers do."""

    def __init__(self, folder: Path, *, name: str) -> None:
        _stay_offline()
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
                pooled[n] = unit(inside(offsets[row], parts[n]) @ states[row])
        return whole, pooled


class CrossEncoder:
    """A model on the local disk that reads two texts together: a reranker, or a judge of whether one follows."""

    def __init__(self, folder: Path, *, setting: str) -> None:
        _stay_offline()
        from sentence_transformers import CrossEncoder as Model

        if not (folder / "config.json").exists() or not any(folder.glob("*.safetensors")):
            raise ShelfError(
                f"{folder} holds no cross-encoder with .safetensors weights; set {setting} to one that does."
            )
        try:
            self._model = Model(str(folder), device="cpu", trust_remote_code=False, local_files_only=True)
        except Exception as error:  # as many kinds as files can be damaged in
            reason = str(error).partition("\n")[0]
            raise ShelfError(f"{folder} cannot be loaded ({reason}); set {setting} to a sound model.") from error
        named = getattr(self._model.model.config, "id2label", {}) or {}
        self.labels = [str(named.get(n, n)).lower() for n in range(len(named))]

    def logits(self, pairs: Sequence[tuple[str, str]]) -> Vectors:
        """Return the scores that it gives each pair, shape (n, labels)."""
        from torch.nn import Identity

        said = self._model.predict(list(pairs), activation_fn=Identity(), show_progress_bar=False)
        return np.asarray(said, dtype=np.float32).reshape(len(pairs), -1)


def _stay_offline() -> None:
    os.environ["HF_HUB_OFFLINE"] = "1"  # a library must not look for the network
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"  # nor draw where there may be no terminal
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
