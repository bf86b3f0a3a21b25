"""Peers: what a user would write today with other libraries, as `prep eval speed` runs it beside ours."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from index.encoder import Vectors, built_in_folder

TEN_LINES = """
import sys
from llama_index.core import StorageContext, load_index_from_storage
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
model, store, question = sys.argv[1:]
embed = HuggingFaceEmbedding(model_name=model)
index = load_index_from_storage(StorageContext.from_defaults(persist_dir=store), embed_model=embed)
for hit in index.as_retriever(similarity_top_k=5).retrieve(question):
    print(hit.score, hit.node.get_content())
"""


def has(library: str) -> bool:
    """Return whether a library is installed."""
    with suppress(ImportError, ValueError):
        return find_spec(library) is not None
    return False


class LlamaIndex:
    """llama-index with HuggingFaceEmbedding and the same weights, with its defaults."""

    def __init__(self) -> None:
        os.environ["HF_HUB_OFFLINE"] = "1"
        from llama_index.embeddings.huggingface import HuggingFaceEmbedding

        self.model: Any = HuggingFaceEmbedding(model_name=str(built_in_folder()), device="cpu")

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return a unit vector a text."""
        return np.asarray(self.model.get_text_embedding_batch(list(texts)), dtype=np.float32)

    def build(self, texts: Sequence[str]) -> Any:  # noqa: ANN401  # llama-index's
        """Return an index of documents, cut at 256 tokens: what its encoder reads of a passage."""
        from llama_index.core import Document, VectorStoreIndex
        from llama_index.core.node_parser import SentenceSplitter

        splitter = SentenceSplitter(chunk_size=256, chunk_overlap=20)
        documents = [Document(text=text) for text in texts]
        return VectorStoreIndex.from_documents(documents, transformations=[splitter], embed_model=self.model)

    def index(self, texts: Sequence[str], vectors: Vectors) -> Any:  # noqa: ANN401
        """Return an index of passages whose vectors are known."""
        from llama_index.core import VectorStoreIndex
        from llama_index.core.schema import TextNode

        nodes = [TextNode(text=text, embedding=vector.tolist()) for text, vector in zip(texts, vectors, strict=True)]
        return VectorStoreIndex(nodes=nodes, embed_model=self.model)


def main_text(page: bytes) -> str:
    """Return the text that trafilatura finds in a page, without comments; "" where it finds none."""
    import trafilatura

    return str(trafilatura.extract(page, include_comments=False) or "")


def trafilatura_html(pages: Sequence[bytes]) -> int:
    """Return how many of some pages trafilatura finds a text in, one after the other."""
    import trafilatura

    return sum(bool(trafilatura.extract(page)) for page in pages)


def pypdf_pages(files: Sequence[bytes]) -> int:
    """Return how many pages of some PDFs pypdf reads, one after the other."""
    import pypdf

    read = 0
    for file in files:
        with suppress(Exception):  # a file that it cannot read
            for page in pypdf.PdfReader(io.BytesIO(file)).pages:
                page.extract_text()
                read += 1
    return read


def searchers(texts: Sequence[str], vectors: Vectors) -> dict[str, Callable[[str], object]]:
    """Return how each peer that is installed searches passages whose vectors are known, by its name.

    Each makes a question's vector by the same model on torch; txtai searches words, too.
    """
    llama = LlamaIndex()
    found: dict[str, Callable[[str], object]] = {
        "llama-index": llama.index(texts, vectors).as_retriever(similarity_top_k=5).retrieve
    }
    if has("txtai"):
        found["txtai"] = _txtai(texts, vectors, llama)
    if has("haystack"):
        found["haystack-ai"] = _haystack(texts, vectors, llama)
    return found


def _txtai(texts: Sequence[str], vectors: Vectors, llama: LlamaIndex) -> Callable[[str], object]:
    from txtai import Embeddings

    known = dict(zip(texts, vectors, strict=True))

    def transform(given: Sequence[str]) -> Vectors:
        return np.stack([known[text] if text in known else llama.embed([text])[0] for text in given])

    made = Embeddings(method="external", transform=transform, hybrid=True, content=False)
    made.index(list(enumerate(texts)))
    return partial(made.search, limit=5)


def _haystack(texts: Sequence[str], vectors: Vectors, llama: LlamaIndex) -> Callable[[str], object]:
    os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"
    from haystack import Document
    from haystack.components.retrievers.in_memory import InMemoryEmbeddingRetriever
    from haystack.document_stores.in_memory import InMemoryDocumentStore

    store = InMemoryDocumentStore(embedding_similarity_function="dot_product")
    store.write_documents(
        [
            Document(id=str(n), content=text, embedding=vector.tolist())
            for n, (text, vector) in enumerate(zip(texts, vectors, strict=True))
        ]
    )
    retriever = InMemoryEmbeddingRetriever(store, top_k=5)
    return lambda question: retriever.run(query_embedding=llama.embed([question])[0].tolist())


def persisted(index: Any, folder: Path) -> Mapping[str, str]:  # noqa: ANN401
    """Write llama-index's index into a folder, and return what its ten lines are run with."""
    index.storage_context.persist(str(folder))
    return {"model": str(built_in_folder()), "store": str(folder)}
