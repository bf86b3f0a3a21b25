"""Words are weighed as BM25 says, and an index that was saved says the same when it is opened."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.lexical import K1, STOP_WORDS, B, Lexical, terms

TEXTS = [
    "Rings sum buffers over workers in rings.",
    "Workers fail.",
    "A cache stampede is a burst of misses.",
    "",
]


def bm25(question: str, texts: list[str]) -> list[float]:
    """Robertson and Zaragoza's sum as Lucene writes it, by hand."""
    held = [terms(text) for text in texts]
    usual = sum(max(1, len(words)) for words in held) / len(held)  # a text without words counts as one empty word
    scores = []
    for words in held:
        score = 0.0
        for word in terms(question):
            holders = sum(word in others for others in held)
            rarity = math.log(1 + (len(texts) - holders + 0.5) / (holders + 0.5))
            count = words.count(word)
            score += rarity * count / (count + K1 * (1 - B + B * len(words) / usual)) if count else 0.0
        scores.append(score)
    return scores


@pytest.mark.parametrize(
    "question",
    ["rings", "Which workers are in rings?", "cache stampede", "workers workers", "zebra rings", "RINGS, summing!"],
)
def test_scores_are_those_that_a_hand_computes(question):
    scores = Lexical.build(TEXTS).scores(question)
    assert scores.shape == (len(TEXTS),)
    assert scores.tolist() == pytest.approx(bm25(question, TEXTS), abs=1e-5)


@pytest.mark.parametrize("question", ["", "zebra", "how does it do the what?", "???"])
def test_a_question_that_shares_no_word_scores_nothing(question):
    assert Lexical.build(TEXTS).scores(question).tolist() == [0] * len(TEXTS)


def test_rare_words_weigh_more_and_unknown_ones_most():
    rarity = Lexical.build(TEXTS).rarity("Do zebra rings help the workers?")
    assert set(rarity) == {"zebra", "ring", "help", "worker"}
    assert rarity["zebra"] == rarity["help"] > rarity["ring"] > rarity["worker"]
    assert rarity["worker"] == pytest.approx(math.log(5 / 2.5))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("How does the ring work?", ["ring", "work"]),
        ("running runs runner", ["run", "run", "runner"]),
        ("snake_case and kebab-case, CamelCase", ["snake", "case", "kebab", "case", "camelcas"]),
        ("2(N-1)/N of 1,024 GB", ["2", "n", "1", "n", "1", "024", "gb"]),
        ("Ähnlich, naïve", ["ähnlich", "naïv"]),
        ("", []),
    ],
)
def test_words_are_stemmed_and_those_that_say_nothing_left_out(text, words):
    assert terms(text) == words


def test_no_stop_word_is_a_word():
    assert terms(" ".join(STOP_WORDS)) == []


def test_an_index_is_the_same_when_it_is_opened_again(tmp_path):
    made = Lexical.build(TEXTS)
    made.save(tmp_path / "lexical")
    opened = Lexical.open(tmp_path / "lexical")
    for question in ("rings", "cache stampede", "zebra", ""):
        assert opened.scores(question).tolist() == made.scores(question).tolist()
        assert opened.rarity(question) == made.rarity(question)


def test_its_arrays_are_mapped_and_not_read(tmp_path):
    Lexical.build(TEXTS).save(tmp_path / "lexical")
    held = Lexical.open(tmp_path / "lexical")._index.scores
    assert isinstance(held["data"], np.memmap)


def test_nothing_in_its_folder_is_pickled(tmp_path):
    Lexical.build(TEXTS).save(tmp_path / "lexical")
    for path in (tmp_path / "lexical").iterdir():
        if path.suffix == ".npy":
            np.load(path, allow_pickle=False)
        else:
            assert path.name.endswith(".json")
            json.loads(path.read_text())


@settings(deadline=None, max_examples=25)
@given(st.lists(st.lists(st.sampled_from("ring sum fail cache burst".split())).map(" ".join), min_size=1, max_size=9))
def test_so_it_is_for_any_texts(texts):
    if any(texts):
        assert Lexical.build(texts).scores("ring cache ring").tolist() == pytest.approx(
            bm25("ring cache ring", texts), abs=1e-4
        )
