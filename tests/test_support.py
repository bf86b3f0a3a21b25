"""Whether a passage says what a sentence says is told by its words, its numbers, its names and its "not"."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.support import numbers, state, support

RING = (
    "Ring-allreduce takes 2(N-1) steps over N workers. Each worker sends 1,024 MB at 2.5 GB/s. Baidu published it in"
    " 2017. It is not limited by the slowest switch."
)


@pytest.mark.parametrize(
    ("says", "says_otherwise"),
    [
        ("Each worker sends 1,024 MB.", "Each worker sends 2,048 MB."),  # numbers
        ("Each worker sends 1024 MB.", "Each worker sends 102 MB."),
        ("Each worker sends at 2.5 GB/s.", "Each worker sends at 25 GB/s."),
        ("Baidu published it in 2017.", "Google published it in 2017."),  # names
        ("Baidu published it in 2017.", "Baidu published it in 2018."),
        ("It is not limited by the slowest switch.", "It is limited by the slowest switch."),
        (
            "Ring-allreduce takes 2(N-1) steps over N workers.",
            "Ring-allreduce never takes 2(N-1) steps over N workers.",
        ),
        ("Ring-allreduce takes steps over workers.", "Bananas are rich in potassium and fibre."),  # words
        ("Each worker sends at 2.5 GB/s.", "Each worker sends at 2.5 MB/s."),  # units
        ("Each worker sends at 2.5 GB/s.", "Each worker sends at 2.5 GB/s over Infiniband with Mellanox cards."),
    ],
)
def test_a_sentence_that_says_something_else_is_supported_less(says, says_otherwise):
    assert support(says, RING) > support(says_otherwise, RING)


@pytest.mark.parametrize("sentence", ["Each worker sends 1,024 MB at 2.5 GB/s.", "Baidu published it in 2017."])
def test_the_very_words_are_supported(sentence):
    assert state(support(sentence, RING)) == "supported"


@pytest.mark.parametrize(
    "sentence", ["Bananas are rich in potassium and fibre.", "Kubernetes drains 17 nodes at midnight."]
)
def test_what_is_nowhere_said_is_not(sentence):
    assert state(support(sentence, RING)) == "unsupported"


@pytest.mark.parametrize(
    ("sentence", "passage", "agrees"),
    [
        ("Rings take 2 phases.", "A ring takes 2 phases.", True),
        ("Rings take 3 phases.", "A ring takes 2 phases.", False),
        ("Rings of workers sum buffers in 1,024 steps.", "A ring of workers sums buffers in 1024 steps.", True),
        ("Rings are not limited by latency.", "Rings are limited by latency.", False),
        ("Rings are limited by latency.", "Rings aren't limited by latency.", False),
        ("It was built by NVIDIA for rings.", "It was built by Baidu for rings.", False),
        ("Rings take bananas.", "Trees grow.", False),
        ("", "anything", False),
    ],
)
def test_a_written_sentence_agrees_with_its_passage_in_numbers_names_and_denial(sentence, passage, agrees):
    assert (state(support(sentence, passage)) == "supported") is agrees


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1,024 workers at 2.5 GB/s", ["1024", "2.5"]),
        ("In 2017.", ["2017"]),
        ("2(N-1)/N", ["2", "1"]),
        ("GPT-4 and H100s", ["4", "100"]),
        ("none at all", []),
    ],
)
def test_numbers_are_read_without_separators(text, found):
    assert numbers(text) == found


@given(st.text(max_size=120), st.text(max_size=300))
def test_it_is_a_probability_for_any_texts(sentence, passage):
    assert 0 <= support(sentence, passage) <= 1
    assert state(support(sentence, passage)) in {"supported", "weak", "unsupported"}
