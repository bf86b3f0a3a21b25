"""Slow: any sentence-transformers model with mean pooling on the local disk, through torch."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from index import DIMENSION, ShelfError
from index.encoder import Asked, Encoded, Spans, Vectors, batches, inside, unit
from index.reader.readings import Reading, Text

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from transformers import BertModel

    from index.reader.engine import Run


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
        self.width = 0

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

    def ask(self, question: str) -> Asked:
        """Return what a question is searched with; this model makes no token vectors."""
        return Asked(question, self.encode([question])[0], np.zeros((0, 0), dtype=np.float32))

    def encode_parts(self, texts: Sequence[str], parts: Sequence[Spans]) -> list[Encoded]:
        """Return all vectors of each text; see Encoder."""
        made: dict[int, Encoded] = {}
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
                held = unit(inside(offsets[row], parts[n]) @ states[row])
                made[n] = Encoded(unit(vectors[row]), held, np.zeros((0, 0), dtype=np.int8))
        return [made[n] for n in range(len(texts))]


class CrossEncoder:
    """A model on the local disk that reads two texts together: does one answer, or follow from, the other?"""

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

    def read(self, first: str, seconds: Sequence[Text]) -> list[Reading]:
        """Return what it makes of a text with each of others, and with each of their sentences."""
        whole = self.logits([(first, f"{second.head}\n{second.text}") for second in seconds])[:, -1]
        said = [second.text[start:end] for second in seconds for start, end in second.parts]
        parts = self.logits([(first, sentence) for sentence in said])[:, -1] if said else np.zeros(0, np.float32)
        ends = np.cumsum([len(second.parts) for second in seconds])[:-1]
        return [Reading(float(score), held) for score, held in zip(whole, np.split(parts, ends), strict=True)]


def bert(tensors: Mapping[str, Vectors]) -> BertModel:
    """Return a network of all-MiniLM-L6-v2's shape with these weights, in torch, without dropout."""
    _stay_offline()
    import torch
    from transformers import BertConfig, BertModel

    config = BertConfig(
        hidden_size=DIMENSION,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=1536,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    config._attn_implementation = "eager"  # on the CPU it trains half as quickly again as the fused one
    model: BertModel = BertModel(config, add_pooling_layer=False)
    names = model.state_dict().keys() & tensors.keys()
    model.load_state_dict({name: torch.from_numpy(np.array(tensors[name])) for name in names}, strict=False)
    model.train(mode=False)
    return model


def torch_run(tensors: Mapping[str, Vectors]) -> Run:
    """Return a network of all-MiniLM-L6-v2's shape with these weights, run by torch; see index.reader.engine.Run."""
    import torch

    model = bert(tensors)
    held = {name: torch.from_numpy(np.array(one)) for name, one in tensors.items() if name.startswith("heads")}

    @contextmanager
    def run(
        ids: npt.NDArray[np.int32], mask: Vectors, types: npt.NDArray[np.int32] | None = None
    ) -> Iterator[tuple[Vectors, Vectors]]:
        with torch.inference_mode():
            given = [
                torch.from_numpy(one.astype(np.int64))
                for one in (ids, mask, np.zeros_like(ids) if types is None else types)
            ]
            states = model(given[0], given[1], given[2]).last_hidden_state
            heads = states @ held["heads.weight"].T + held["heads.bias"] if "heads.weight" in held else states[:, :, :0]
        yield states.numpy(), heads.numpy()

    return run


def _stay_offline() -> None:
    os.environ["HF_HUB_OFFLINE"] = "1"  # a library must not look for the network
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"  # nor draw where there may be no terminal
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
