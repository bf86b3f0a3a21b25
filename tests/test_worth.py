"""A draft is worth more than quotes where it begins well, holds for the most part, and says what was marked."""

from __future__ import annotations

import pytest
from conftest import RING, a_source

from app.answer import Sentence
from app.worth import Worth
from index.passage import Hit, Passage

FACT = "ZeRO stage 3 shards parameters, gradients and optimizer states over all workers."
QUESTION = "What does ZeRO stage 3 shard?"


def read(*odds: float) -> Hit:
    """A passage of one fact and what is said besides, as the reader marked them."""
    text = f"{FACT} Bananas are yellow."
    spans = ((0, len(FACT)), (len(FACT) + 1, len(text)))
    passage = Passage("1", RING.url, 0, len(text), text, (), (), "text", spans)
    return Hit(0, passage, a_source(RING), score=1.0, dense=1.0, lexical=1.0, marks=odds)


@pytest.mark.parametrize(
    ("written", "marks", "enough"),
    [
        ([("ZeRO stage 3 shard.", "supported")], (2.0, -3.0), False),  # it repeats the question
        ([("ZeRO stage 3 shards gradients.", "supported")], (2.0, -3.0), False),
        ([("ZeRO stage 3 shards parameters, gradients and optimizer states.", "supported")], (2.0, -3.0), True),
        ([("It splits optimizer states, gradients and parameters.", "supported")], (2.0, -3.0), True),
        ([("ZeRO stage 3 shard.", "supported")], (), True),  # the reader is not sure of any fact
        ([("It shards parameters and gradients.", "weak")], (), False),
        ([("Bananas are all very yellow.", "supported")], (2.0, 1.0), True),  # it is nearly as sure of another one
        ([("Bananas are all very yellow.", "supported")], (2.0, -1.0), False),
        ([("Yes.", "weak"), ("It shards parameters, gradients, states.", "supported")], (2.0, -3.0), True),
        (
            [("It shards gradients, parameters, states.", "supported"), ("It is free.", "unsupported")],
            (2.0, -3.0),
            True,
        ),
        (
            [
                ("It shards gradients, parameters, states.", "supported"),
                ("It is free for all.", "unsupported"),
                ("It was made by monks.", "unsupported"),
            ],
            (2.0, -3.0),
            False,
        ),
        ([], (2.0, -3.0), False),
    ],
)
def test_a_draft_is_weighed_by_its_claims_and_by_what_was_marked(written, marks, enough):
    worth = Worth(QUESTION, [read(*marks)] if marks else [])
    for text, support in written:
        worth.weigh(Sentence(text, (), support))
    assert worth.enough == enough


def test_a_draft_is_lost_once_its_first_claim_is_or_the_facts_stay_away():
    worth = Worth(QUESTION, [read(2.0, -3.0)])
    worth.weigh(Sentence("There are three:", (), "unsupported"))
    assert not worth.lost
    for n in range(6):
        assert not worth.lost
        worth.weigh(Sentence(f"ZeRO has stage {n}.", (1,), "supported"))
    assert worth.lost
    other = Worth(QUESTION, [])
    other.weigh(Sentence("Bananas are very yellow.", (), "unsupported"))
    assert other.lost
