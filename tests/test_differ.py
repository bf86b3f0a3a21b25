"""Differ: sources that give different numbers for one thing are named with their dates."""

from __future__ import annotations

import numpy as np
import pytest

from app import differ, question
from app.extractive import FEATURES, Candidate
from index.encoder import unit
from index.passage import Hit, Passage, Source


def sentence(text: str, resource: str, published: str = "") -> Candidate:
    source = Source(
        resource, resource, resource, resource, "", "article", "html", "", published, "2026-11-21T00:00:00Z"
    )
    passage = Passage(text, resource, 0, len(text), text, (), (), "text", ((0, len(text)),))
    hit = Hit(1, passage, source, 1.0, 1.0, 1.0)
    vector = unit(np.random.default_rng(len(text)).normal(size=8).astype(np.float32))
    return Candidate(hit, 1, 0, vector, np.zeros(len(FEATURES), np.float32))


OLD = sentence("A Pod gets a grace period of 30 seconds before it is killed.", "a.org", "2019-03-01")
NEW = sentence("A Pod gets a grace period of 60 seconds before it is killed.", "b.org")


def test_two_numbers_for_one_thing_are_both_named_with_dates():
    asked = question.read("how many seconds is the grace period of a Pod?")
    said = differ.told(asked, [OLD, NEW])
    assert said == "The sources differ: 30 seconds in [1] (2019-03-01), 60 seconds in [2] (2026-11-21)."


@pytest.mark.parametrize(
    ("asked", "other"),
    [
        ("how many seconds is the grace period of a Pod?", sentence(OLD.quote, "b.org")),  # they agree
        ("how many seconds is the grace period of a Pod?", sentence(NEW.quote, "a.org")),  # one source
        (
            "how many seconds is the grace period of a Pod?",
            sentence("A node waits 300 seconds.", "b.org"),
        ),  # another thing
        ("how many seconds is the grace period of a Pod?", sentence(OLD.quote.replace("30 seconds", "9 GB"), "b.org")),
        ("How does a Pod end?", NEW),  # no number is asked for
    ],
)
def test_nothing_is_said_where_they_do_not_differ(asked, other):
    assert differ.told(question.read(asked), [OLD, other]) == ""
