"""The plain pipeline: what a user would write in ten lines of llama-index, with its defaults, over the same documents.

Nothing here is tuned, and nothing of ours is in it but the documents' texts and the encoder's weights.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eval.checks import FIRST, Found
from index.cache import Cache
from index.encoder import Encoded, built_in_folder
from ingest import Track, silently

if TYPE_CHECKING:
    from llama_index.core.base.base_retriever import BaseRetriever
    from llama_index.core.base.embeddings.base import BaseEmbedding

NAME = "llama-index"


class Plain:
    """SentenceSplitter with its defaults, VectorStoreIndex with the same MiniLM, the first five nodes."""

    name = NAME
    answers = False

    def __init__(self, retriever: BaseRetriever, model: BaseEmbedding) -> None:
        self._retriever = retriever
        self._model = model
        self._vectors: dict[str, list[float]] = {}

    def prepare(self, questions: Sequence[str]) -> None:
        """Embed questions in batches, as it would one by one."""
        self._vectors = dict(zip(questions, self._model.get_text_embedding_batch(list(questions)), strict=True))

    def search(self, question: str, limit: int) -> list[Found]:
        """Return its nodes, five at most."""
        from llama_index.core.schema import QueryBundle

        asked = QueryBundle(question, embedding=self._vectors.get(question))
        nodes = self._retriever.retrieve(asked)[: min(limit, FIRST)]
        return [Found(node.node.metadata["url"], node.node.get_content(), float(node.score or 0)) for node in nodes]

    def ask(self, question: str, before: str = "") -> None:
        """Answer nothing: without a language model it only retrieves."""


def build(texts: Mapping[str, str], cache: Path, *, encoder_folder: str = "", track: Track = silently) -> Plain:
    """Return the plain pipeline over texts by address; vectors are kept in `cache` by model and text."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    from llama_index.core import VectorStoreIndex
    from llama_index.core.node_parser import SentenceSplitter
    from llama_index.core.schema import Document
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding

    folder = encoder_folder or str(built_in_folder())
    model = HuggingFaceEmbedding(model_name=folder, device="cpu")
    hidden = ["url"]  # an address is no part of what a node says
    documents = [
        Document(
            text=text, metadata={"url": url}, excluded_embed_metadata_keys=hidden, excluded_llm_metadata_keys=hidden
        )
        for url, text in texts.items()
    ]
    nodes = SentenceSplitter().get_nodes_from_documents(documents)
    _embed(nodes, model, folder, cache, track)
    index = VectorStoreIndex(nodes=nodes, embed_model=model)
    return Plain(index.as_retriever(similarity_top_k=FIRST), model)


def _embed(nodes: list[Any], model: Any, folder: str, cache: Path, track: Track) -> None:  # noqa: ANN401  # llama-index's
    """Give every node its vector, as the index would, but once for a text: the machine is slow and has more to do."""
    texts = [node.get_content(metadata_mode="embed") for node in nodes]
    width = len(model.get_text_embedding("width"))
    keys = [f"{NAME}\0{folder}\0{text}".encode() for text in texts]
    with Cache(cache, width) as kept:
        missing = kept.missing(keys)
        groups = [missing[n : n + 64] for n in range(0, len(missing), 64)]
        for group in track(groups, f"Embedding for {NAME}", len(groups)):
            made = np.asarray(model.get_text_embedding_batch([texts[n] for n in group]), dtype=np.float32)
            none = np.zeros((0, width), dtype=np.float32), np.zeros((0, 0), dtype=np.int8)
            kept.keep({keys[n]: Encoded(vector, *none) for n, vector in zip(group, made, strict=True)})
        vectors, _, _ = kept.get(keys)
    for node, vector in zip(nodes, vectors, strict=True):
        node.embedding = vector.tolist()
