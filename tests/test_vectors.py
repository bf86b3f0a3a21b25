"""Indexes of vectors: exact while few, approximate when many, and both find what is near and allowed."""

from __future__ import annotations

import numpy as np
import pytest

from index import vectors
from index.encoder import unit


def clustered(count: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((40, 32), dtype=np.float32)
    return unit(centres[rng.integers(40, size=count)] + 0.7 * rng.standard_normal((count, 32), dtype=np.float32))


@pytest.fixture(params=["Flat", "IVF64,SQ8"])
def opened(request, tmp_path):
    """An index of 5,000 vectors as it is read back from its file, with the vectors."""
    held = clustered(5000)
    vectors.save(vectors.build(held, request.param), tmp_path / "vectors.faiss")
    return vectors.read(tmp_path / "vectors.faiss"), held


def nearest(held, question, limit):
    return np.argsort(-(held @ question), kind="stable")[:limit]


def test_it_finds_the_nearest_best_first(opened):
    index, held = opened
    shares = []
    for question in clustered(20, seed=1):
        found = index.nearest(question, 10)
        assert len(found) == len(set(found.tolist())) == 10
        cosines = index.get(found) @ question
        assert np.all(np.diff(cosines) <= 1e-6)
        shares.append(len(np.intersect1d(found, nearest(held, question, 10))) / 10)
    assert np.mean(shares) >= 0.97


@pytest.mark.parametrize("few", [vectors.FEW, 10], ids=["one by one", "among the others"])
def test_it_finds_only_what_is_allowed(opened, few, monkeypatch):
    monkeypatch.setattr(vectors, "FEW", few)
    index, held = opened
    allowed = np.zeros(len(held), dtype=np.bool_)
    allowed[::7] = True
    question = clustered(1, seed=2)[0]
    found = index.nearest(question, 10, allowed)
    assert allowed[found].all()
    wanted = np.flatnonzero(allowed)[nearest(held[allowed], question, 10)]
    assert len(np.intersect1d(found, wanted)) >= 9
    assert not len(index.nearest(question, 10, np.zeros(len(held), dtype=np.bool_)))


def test_it_gives_vectors_back_and_no_more_than_it_has(opened):
    index, held = opened
    numbers = np.array([4999, 0, 17])
    assert index.get(numbers) == pytest.approx(held[numbers], abs=0.01)
    assert len(index) == 5000
    assert len(index.nearest(held[0], 10_000)) <= 5000


def test_a_shelf_takes_the_kind_that_suits_its_size():
    assert vectors.kind_for(vectors.FLAT_UP_TO) == "Flat"
    assert vectors.kind_for(vectors.FLAT_UP_TO + 1).startswith("IVF")
    many = clustered(vectors.FLAT_UP_TO + 1)
    assert type(vectors.build(many)).__name__ == "IndexIVFScalarQuantizer"
