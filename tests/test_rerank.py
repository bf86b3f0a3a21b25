"""Reranking: the best hits are looked at again, within a time."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from app import AnswerError, support
from index import ShelfError, rerank
from index.encoder import built_in_folder
from index.passage import Hit, Passage, Source

SOURCE = Source("https://x.org", "Rings", "https://x.org", "Rings", "", "article", "html", "", "", "")


def hits(*texts: str) -> list[Hit]:
    return [
        Hit(
            n,
            Passage(str(n), SOURCE.url, 0, len(text), text, (), "", "text", ((0, len(text)),)),
            SOURCE,
            3.0 - n / 10,
            0.5,
            1.0,
        )
        for n, text in enumerate(texts)
    ]


class Counting:
    weight = 1.0

    def __init__(self, seconds: float = 0.0) -> None:
        self.seen = 0
        self.seconds = seconds

    def scores(self, question, texts):
        time.sleep(self.seconds)
        self.seen += len(texts)
        return np.array([float(text.count("ring")) for text in texts], np.float32)


def test_what_a_closer_look_finds_better_goes_up():
    found = rerank.rerank("ring", hits("a tree", "a ring of a ring", "nothing"), Counting())
    assert [hit.number for hit in found] == [1, 0, 2]
    assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)


def test_when_the_time_is_spent_the_rest_keeps_its_places():
    slow = Counting(seconds=0.05)
    found = rerank.rerank("ring", hits(*["tree"] * 11, "ring"), slow, budget=0.01)
    assert slow.seen == rerank.SLICE
    assert [hit.number for hit in found] == list(range(12))


def test_nothing_and_all_alike_stay_as_they_are():
    assert rerank.rerank("ring", [], Counting()) == []
    assert [hit.number for hit in rerank.rerank("ring", hits("x", "y"), Counting())] == [0, 1]


def test_maxsim_likes_the_text_that_has_the_words(encoder):
    likes = rerank.MaxSim(encoder).scores("ring allreduce", ["trees grow slowly", "a ring allreduce of buffers", ""])
    assert likes.argmax() == 1
    assert likes[2] == 0


@pytest.fixture(scope="module")
def cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cross-encoder with random weights and three labels, as a folder."""
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    folder = tmp_path_factory.mktemp("cross-encoder")
    labels = {0: "contradiction", 1: "entailment", 2: "neutral"}
    shape = BertConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, num_labels=3, id2label=labels
    )
    BertForSequenceClassification(shape).save_pretrained(folder)
    AutoTokenizer.from_pretrained(str(built_in_folder()), local_files_only=True).save_pretrained(folder)
    return folder


def test_a_cross_encoder_from_the_disk_scores_pairs(cross_encoder, encoder):
    judged = rerank.load(str(cross_encoder), encoder)
    assert judged is not None
    assert judged.scores("ring", ["one", "two"]).shape == (2,)


def test_a_model_for_nli_takes_the_place_of_the_support_check(cross_encoder):
    likely = support.load(str(cross_encoder))("Rings scale.", "Rings scale well.")
    assert 0 < likely < 1
    assert support.load("") is support.support


@pytest.mark.parametrize("load", [lambda folder: rerank.load(folder, None), support.load])
def test_a_folder_without_a_model_is_named(tmp_path, load):
    with pytest.raises(ShelfError, match="holds no cross-encoder"):
        load(str(tmp_path))


def test_a_model_for_something_else_is_refused():
    class Other:
        labels = ("good", "bad")

    with pytest.raises(AnswerError, match="entailment"):
        support.Nli(Other())
