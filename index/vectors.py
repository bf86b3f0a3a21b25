"""Vectors: a FAISS index of unit vectors, of the kind that suits how many there are.

Up to some ten thousand, comparing all is exact and takes a millisecond or two. Beyond, the vectors are kept in cells,
in 8 bits a dimension: of 100,000 clustered ones, on one thread, that takes 0.4 ms where comparing all takes 27, finds
0.99 of the ten nearest, and needs 41 MB where float32 needs 154. A graph (HNSW) is as quick, finds all, needs 181 MB.
"""

from __future__ import annotations

import os
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import faiss

Array = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]

FLAT_UP_TO = 20_000  # vectors
AT_ONCE = 65_536  # vectors added in one call: bounds the memory of a large build
CELLS = 4  # times the square root of the number of vectors
SEARCHED = 96  # cells a question, of however many: so its time grows as the square root
TRAINED_ON = 64  # vectors a cell
FEW = 50_000  # allowed vectors that are compared one by one rather than looked for among the others


def kind_for(count: int) -> str:
    """Return the kind of index for so many vectors, as FAISS's factory names it.

    >>> [kind_for(count) for count in (1_000, 100_000, 1_000_000)]
    ['Flat', 'IVF1265,SQ8', 'IVF4000,SQ8']
    """
    return "Flat" if count <= FLAT_UP_TO else f"IVF{round(CELLS * sqrt(count))},SQ8"


def build(vectors: Array, kind: str = "") -> faiss.Index:
    """Return an index of unit vectors; `kind` overrides the one that suits their number."""
    import faiss

    faiss.omp_set_num_threads(os.cpu_count() or 1)
    # Unit vectors: inner product is cosine, so higher is closer.
    index = faiss.index_factory(vectors.shape[1], kind or kind_for(len(vectors)), faiss.METRIC_INNER_PRODUCT)
    if not index.is_trained:
        cells = getattr(faiss.downcast_index(index), "nlist", 256)
        every = max(1, len(vectors) // (TRAINED_ON * cells))
        index.train(np.ascontiguousarray(vectors[::every]))
    for start in range(0, len(vectors), AT_ONCE):
        index.add(np.ascontiguousarray(vectors[start : start + AT_ONCE]))
    return index


def save(index: faiss.Index, path: Path) -> None:
    """Write an index as llama-index's FAISS store does, so that its own tools can read it back."""
    from llama_index.vector_stores.faiss import FaissVectorStore

    FaissVectorStore(faiss_index=index).persist(str(path))


def read(path: Path) -> Index:
    """Return the index in a file, mapped into memory where its kind allows; without llama-index, which is slow."""
    import faiss

    # One question has no work for two threads, and those of OpenMP spin while they wait.
    faiss.omp_set_num_threads(1)
    return Index(faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC | faiss.IO_FLAG_READ_ONLY))


class Index:
    """Finds vectors, by number, and gives them back."""

    def __init__(self, index: Any) -> None:  # noqa: ANN401  # one of FAISS's many
        self._index = index
        if hasattr(self._index, "nlist"):
            self._index.make_direct_map()

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def get(self, numbers: Numbers) -> Array:
        """Return vectors by number, shape (n, dimension)."""
        return np.asarray(self._index.reconstruct_batch(numbers), dtype=np.float32)

    def nearest(self, vector: Array, limit: int, allowed: npt.NDArray[np.bool_] | None = None) -> Numbers:
        """Return the numbers of the vectors nearest to a unit vector, best first; of the allowed ones, where given."""
        if allowed is not None and (few := np.flatnonzero(allowed)).size <= FEW:
            return np.asarray(few[np.argsort(-(self.get(few) @ vector), kind="stable")[:limit]], dtype=np.int64)
        limit = min(limit, len(self))
        _, numbers = self._index.search(vector[None, :], limit, params=self._how(allowed))
        found: Numbers = numbers[0][numbers[0] >= 0]
        return found

    def _how(self, allowed: npt.NDArray[np.bool_] | None) -> Any:  # noqa: ANN401
        import faiss

        given: Any = faiss  # its type stubs lack what its own wrappers add
        among = {} if allowed is None else {"sel": given.IDSelectorBatch(np.flatnonzero(allowed))}
        if hasattr(self._index, "nlist"):
            return given.SearchParametersIVF(nprobe=SEARCHED, **among)
        return given.SearchParameters(**among)
