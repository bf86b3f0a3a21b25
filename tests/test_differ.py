"""Differ: sources that give different numbers for one thing are named with their dates."""

from __future__ import annotations

import numpy as np
import pytest

from app import differ
from app.differ import Stated
from index.encoder import unit
from index.passage import Source

PODS = "how many seconds is the grace period of a Pod?"


def stated(text: str, resource: str, published: str = "", n: int = 1) -> Stated:
    source = Source(
        resource, resource, resource, resource, "", "article", "html", "", published, "2026-11-21T00:00:00Z"
    )
    return Stated(n, text, unit(np.random.default_rng(len(text)).normal(size=8).astype(np.float32)), source)


OLD = stated("A Pod gets a grace period of 30 seconds before it is killed.", "a.org", "2019-03-01")
NEW = stated("A Pod gets a grace period of 60 seconds before it is killed.", "b.org", n=2)


def test_two_numbers_for_one_thing_are_both_named_with_dates():
    said = differ.told(PODS, [OLD, NEW])
    assert said == "The sources differ: 30 seconds in [1] (2019-03-01), 60 seconds in [2] (2026-11-21)."


@pytest.mark.parametrize(
    "other",
    [
        stated(OLD.text, "b.org"),  # they agree
        stated(NEW.text, "a.org"),  # one source
        stated("A node waits 300 seconds.", "b.org"),  # another thing
        stated(OLD.text.replace("30 seconds", "9 GB"), "b.org"),
    ],
)
def test_nothing_is_said_where_they_do_not_differ(other):
    assert differ.told(PODS, [OLD, other]) == ""
