"""The built-in models' engines compute what torch does, remember that they were checked, and give way if they fail."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from index import ShelfError, encoder, fast
from index.reader import engine, weights
from index.slow import torch_run

TEXTS = [
    "Ring-allreduce sums a buffer over N workers. Each sends 2(N-1)/N times the buffer. It is optimal in bandwidth.",
    "A Pod is the smallest deployable unit.",
    "",
    "word " * 400,
]
SENTENCES = [[(0, 43), (44, 82), (83, 110)], [(0, 38)], [], [(0, 20), (1900, 1999)]]
PRECISIONS = ("exact", "int8")


@pytest.fixture(scope="module")
def folder() -> Path:
    return encoder.built_in_folder()


@pytest.fixture(scope="module")
def tokenizer(folder):
    made = Tokenizer.from_file(str(folder / "tokenizer.json"))
    made.no_padding()
    made.no_truncation()
    return made


@pytest.fixture(scope="module")
def engines(folder):
    return {one: fast.load(folder, name=one, precision=one, keep=None) for one in PRECISIONS}


@pytest.mark.parametrize("name", ["wide", "narrow", "support"])
def test_an_engine_computes_what_torch_does(name, folder, tokenizer):
    trained = weights.load(name, folder / "model.safetensors")
    paired = name != "wide"
    run = engine.trained(trained, tokenizer, keep=None, paired=paired)
    assert engine.agreement(run, tokenizer, trained.probe, paired=paired) > 0.99
    slow = engine.agreement(torch_run(trained.tensors), tokenizer, trained.probe, paired=paired)
    assert slow > 0.9999, "the probe is what torch makes of these very weights"


@pytest.mark.parametrize("precision", PRECISIONS)
def test_vectors_have_length_one_and_do_not_depend_on_their_company(engines, precision):
    together = engines[precision].encode([*TEXTS, *["a question about pods and rings"] * 40])
    alone = np.concatenate([engines[precision].encode([text]) for text in TEXTS])
    assert np.linalg.norm(together, axis=1) == pytest.approx(1, abs=1e-5)
    assert together[: len(TEXTS)] == pytest.approx(alone, abs=1e-5)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_sentences_come_out_of_the_same_pass_as_their_text(engines, precision):
    made = engines[precision].encode_parts(TEXTS, SENTENCES)
    parts = [one.parts for one in made]
    assert np.stack([one.whole for one in made]) == pytest.approx(engines[precision].encode(TEXTS), abs=1e-5)
    assert [part.shape for part in parts] == [(3, 384), (1, 384), (0, 384), (2, 384)]
    assert np.linalg.norm(parts[0], axis=1) == pytest.approx(1, abs=1e-5)
    assert parts[0][1] @ made[0].whole > parts[1][0] @ made[0].whole, "a sentence is nearest to the text it stands in"
    assert not parts[3][1].any(), "what the window does not show has the zero vector"


def test_token_vectors_come_out_of_it_too_and_a_question_weighs_its_own(engines):
    made = engines["int8"].encode_parts(TEXTS, SENTENCES)
    assert [one.tokens.shape for one in made] == [(pieces, 128) for pieces in (34, 11, 2, 256)]
    asked = engines["int8"].ask("How does ring-allreduce work?")
    lengths = np.linalg.norm(asked.tokens, axis=1)
    assert lengths.sum() == pytest.approx(1, abs=1e-5)
    assert asked.vector == pytest.approx(engines["int8"].encode(["How does ring-allreduce work?"])[0], abs=1e-5)
    assert engines["exact"].width == 0
    assert not engines["exact"].ask("How does ring-allreduce work?").tokens.size


def test_an_engine_is_checked_once_on_a_machine(folder, tmp_path, monkeypatch):
    checked = []
    agreement = engine.agreement
    monkeypatch.setattr(engine, "agreement", lambda *args, **more: checked.append(1) or agreement(*args, **more))
    first, second = (fast.load(folder, name="x", precision="int8", keep=tmp_path) for _ in range(2))
    assert checked == [1]
    assert np.array_equal(first.encode(TEXTS), second.encode(TEXTS))


def test_torch_does_the_work_of_an_engine_that_computes_something_else(folder, tmp_path, monkeypatch, caplog, engines):
    monkeypatch.setattr(engine, "agreement", lambda *_, **__: 0.5)
    with caplog.at_level(logging.WARNING):
        made = fast.load(folder, name="x", precision="int8", keep=tmp_path)
    assert "not torch's: cosine 0.5000" in caplog.text
    assert "torch does its work" in caplog.text
    assert not list(tmp_path.iterdir()), "what was not trusted is not remembered"
    likeness = (made.encode(TEXTS[:2]) * engines["int8"].encode(TEXTS[:2])).sum(axis=1)
    assert likeness.min() > 0.99


def test_weights_that_are_not_the_published_ones_are_refused_with_the_cure(folder, tmp_path, monkeypatch):
    for name in ("wide.safetensors", "wide.json"):
        (tmp_path / name).write_bytes((weights.HERE / name).read_bytes())
    path = tmp_path / "wide.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    monkeypatch.setattr(weights, "HERE", tmp_path)
    with pytest.raises(ShelfError, match="does not hold the published weights; restore it"):
        weights.load("wide", folder / "model.safetensors")


def test_the_manifest_tells_ours_the_exact_and_other_encoders_apart(tmp_path, folder, engines):
    names = {encoder.load(which, engines=tmp_path).name for which in ("", "exact", str(folder))}
    assert len(names) == 3
    other = encoder.load(str(folder))
    made, fine = (one.encode_parts(TEXTS, SENTENCES) for one in (other, engines["exact"]))
    assert type(other).__name__ == "TorchEncoder", "a folder takes the slow path"
    for one, two in zip(made, fine, strict=True):
        assert one.whole == pytest.approx(two.whole, abs=1e-4)
        assert one.parts == pytest.approx(two.parts, abs=1e-4)
    assert other.count(TEXTS) == engines["exact"].count(TEXTS)
