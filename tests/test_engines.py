"""The built-in model's engines compute what torch does, remember that they were checked, and give way where they fail."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from index import encoder, fast, network

TEXTS = [
    "Ring-allreduce sums a buffer over N workers. Each sends 2(N-1)/N times the buffer. It is optimal in bandwidth.",
    "A Pod is the smallest deployable unit.",
    "",
    "word " * 400,
]
SENTENCES = [[(0, 43), (44, 82), (83, 110)], [(0, 38)], [], [(0, 20), (1900, 1999)]]


@pytest.fixture(scope="module")
def folder() -> Path:
    return encoder.built_in_folder()


@pytest.fixture(scope="module")
def engines(folder):
    return {one: fast.load(folder, name=one, precision=one, keep=None) for one in ("exact", "int8")}


@pytest.mark.parametrize(("precision", "least"), [("exact", 0.99999), ("int8", 0.995)])
def test_an_engine_makes_the_vectors_that_torch_made(engines, precision, least):
    assert fast.agreement(engines[precision]) > least


@pytest.mark.parametrize("precision", ["exact", "int8"])
def test_vectors_have_length_one_and_do_not_depend_on_their_company(engines, precision):
    together = engines[precision].encode([*TEXTS, *["a question about pods and rings"] * 40])
    alone = np.concatenate([engines[precision].encode([text]) for text in TEXTS])
    assert np.linalg.norm(together, axis=1) == pytest.approx(1, abs=1e-5)
    assert together[: len(TEXTS)] == pytest.approx(alone, abs=1e-5)


@pytest.mark.parametrize("precision", ["exact", "int8"])
def test_sentences_come_out_of_the_same_pass_as_their_text(engines, precision):
    whole, parts = engines[precision].encode_parts(TEXTS, SENTENCES)
    assert whole == pytest.approx(engines[precision].encode(TEXTS), abs=1e-5)
    assert [part.shape for part in parts] == [(3, 384), (1, 384), (0, 384), (2, 384)]
    assert np.linalg.norm(parts[0], axis=1) == pytest.approx(1, abs=1e-5)
    assert parts[0][1] @ whole[0] > parts[1][0] @ whole[0], "a sentence is nearest to the text it stands in"
    assert not parts[3][1].any(), "what the window does not show has the zero vector"


def test_an_engine_is_checked_once_on_a_machine(folder, tmp_path, monkeypatch):
    checked = []
    agreement = fast.agreement
    monkeypatch.setattr(fast, "agreement", lambda made: checked.append(made.name) or agreement(made))
    monkeypatch.setattr(network, "measure", lambda *_: pytest.fail("only int8 is measured"))
    first, second = (fast.load(folder, name="x", precision="exact", keep=tmp_path) for _ in range(2))
    assert checked == ["x"]
    assert np.array_equal(first.encode(TEXTS), second.encode(TEXTS))


def test_what_was_measured_is_kept_and_made_again_where_it_is_damaged(folder, tmp_path, engines):
    fast.load(folder, name="x", precision="int8", keep=tmp_path)
    (kept,) = tmp_path.iterdir()
    vectors = fast.load(folder, name="x", precision="int8", keep=tmp_path).encode(TEXTS)
    assert np.array_equal(vectors, engines["int8"].encode(TEXTS))
    kept.write_bytes(kept.read_bytes()[:1000])
    again = fast.load(folder, name="x", precision="int8", keep=tmp_path)
    assert np.array_equal(vectors, again.encode(TEXTS))


def test_an_engine_that_computes_something_else_is_refused(folder, monkeypatch):
    read = network.read_weights
    broken = "encoder.layer.3.intermediate.dense.weight"
    monkeypatch.setattr(network, "read_weights", lambda path: {**read(path), broken: read(path)[broken] * -1})
    with pytest.raises(RuntimeError, match="not torch's"):
        fast.load(folder, name="x", precision="int8", keep=None)


def test_torch_does_the_work_of_an_engine_that_cannot_be_used(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(fast, "agreement", lambda _: 0.5)
    with caplog.at_level(logging.WARNING):
        made = encoder.load("exact", engines=tmp_path)
    assert "torch does its work" in caplog.text
    assert type(made).__name__ == "TorchEncoder"
    assert made.encode(["ring"]).shape == (1, 384)
    assert not list(tmp_path.iterdir()), "what was not trusted is not remembered"


def test_the_manifest_tells_fast_exact_and_other_encoders_apart(tmp_path, folder, engines):
    names = {encoder.load(which, engines=tmp_path).name for which in ("", "exact", str(folder))}
    assert len(names) == 3
    other = encoder.load(str(folder))
    whole, parts = other.encode_parts(TEXTS, SENTENCES)
    fine, fine_parts = engines["exact"].encode_parts(TEXTS, SENTENCES)
    assert type(other).__name__ == "TorchEncoder", "a folder takes the slow path"
    assert whole == pytest.approx(fine, abs=1e-4)
    assert np.concatenate(parts) == pytest.approx(np.concatenate(fine_parts), abs=1e-4)
    assert other.count(TEXTS) == engines["exact"].count(TEXTS)
