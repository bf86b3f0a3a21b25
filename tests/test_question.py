"""A question is read for what it asks, and a follow-up for what it leaves unsaid."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.question import read, standalone, subject_of
from index.lexical import terms


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("How does ring-allreduce work?", "how"),
        ("explain the scatter-reduce step", "how"),
        ("Walk me through the raft protocol", "how"),
        ("What is a feature store?", "define"),
        ("feature store", "define"),
        ("define idempotency", "define"),
        ("What are the phases of ring-allreduce?", "list"),
        ("Name the SOLID principles", "list"),
        ("list the steps of a canary release", "list"),
        ("types of cache eviction", "list"),
        ("blue/green vs canary", "compare"),
        ("What is the difference between ECS and EKS?", "compare"),
        ("Should I use Kafka or RabbitMQ?", "compare"),
        ("How do threads differ from processes?", "compare"),
        ("How many steps does ring-allreduce take?", "number"),
        ("max size of a ConfigMap", "number"),
        ("default port of Redis", "number"),
        ("What year was MapReduce published?", "when"),
        ("When was Kubernetes released?", "when"),
        ("Who wrote the Chubby paper?", "who"),
        ("Which company built Michelangelo?", "who"),
        ("Where does etcd keep its data?", "where"),
        ("Why do parameter servers become a bottleneck?", "why"),
        ("What is the purpose of a readiness probe?", "why"),
    ],
)
def test_what_kind_of_answer_is_asked_for(text, kind):
    assert read(text).kind == kind


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        ("blue/green vs canary deployment", ("blue/green", "canary deployment")),
        ("What is the difference between a process and a thread?", ("process", "thread?")),
        ("Compare ECS with EKS", ("ECS", "EKS")),
        ("Kafka versus RabbitMQ for streaming", ("Kafka", "RabbitMQ")),
        ("Should I use Kafka or RabbitMQ?", ("Kafka", "RabbitMQ?")),
        ("how is data parallelism different from model parallelism?", ("data parallelism", "model parallelism?")),
        ("which is cheaper?", ()),
        ("How does a cache work?", ()),
    ],
)
def test_a_comparison_has_two_sides(text, sides):
    assert tuple(map(terms, read(text).sides)) == tuple(map(terms, sides))


def test_the_subject_of_a_question_is_what_its_words_say():
    assert read("How does the ring-allreduce work?").subject == {"ring", "allreduc", "work"}


RING, CAP = "How does ring-allreduce work?", "What is the CAP theorem?"


@pytest.mark.parametrize(
    ("question", "before", "alone"),
    [
        ("and how does its cost scale?", [RING], "how does ring-allreduce cost scale?"),
        ("why is it used?", [CAP], "why is CAP theorem used?"),
        ("what about trees?", ["what is ring-allreduce?"], "trees ring-allreduce"),
        ("and how many steps?", ["How does ring-allreduce work?"], "how many steps ring-allreduce?"),
        ("who uses it?", [RING, "and what does it cost?"], "who uses ring-allreduce"),
        ("How does a feature store keep training and serving alike?", [RING], None),
        ("how does Karpenter pick a node?", ["What is a Pod?"], None),
        (RING, [], None),
        (RING, ["?"], None),
    ],
)
def test_a_follow_up_is_asked_with_what_it_leaves_unsaid(question, before, alone):
    found = terms(standalone(question, before))
    wanted = terms(alone or question)
    assert set(wanted) <= set(found)
    if alone is None:
        assert standalone(question, before) == question


@pytest.mark.parametrize(
    ("question", "subject"),
    [
        (RING, "ring-allreduce"),
        (CAP, "CAP theorem"),
        ("What is a feature store?", "feature store"),
        ("explain two-tower models", "two-tower models"),
        ("", ""),
    ],
)
def test_the_subject_is_what_is_left_without_the_scaffold_of_asking(question, subject):
    assert subject_of(question) == subject


@pytest.mark.parametrize(
    ("question", "new"),
    [
        ("how to shard a database?", True),
        ("how do I pass the interview?", True),
        ("when should I use a message queue?", True),
        ("which optimizer should I use?", True),
        ("how many replicas?", False),
        ("how large are the chunks?", False),
        ("what happens when the leader fails?", False),
        ("disadvantages?", False),
        ("why?", False),
    ],
)
def test_only_what_may_bring_a_subject_of_its_own_is_tried_alone(question, new):
    tried = []
    said = standalone(question, [RING], lambda *both: bool(tried.append(both)) or True)
    assert tried == ([(question, f"{question[:-1]} ring-allreduce?")] if new else [])
    assert (said == question) is new
    assert standalone(question, [RING], lambda *_: False) != question


@given(st.text(max_size=200), st.lists(st.text(max_size=100), max_size=3))
def test_nothing_that_people_type_breaks_the_reading(text, before):
    asked = read(standalone(text, before))
    assert asked.kind
    assert len(asked.sides) in {0, 2}


def test_the_occasion_of_a_question_is_taken_off_in_time():
    """A pattern that tries all ways of reading so many words would never end."""
    endless = "my interview " + "on in " * 200
    assert standalone(endless, []) == endless
    assert standalone("My interview is on Monday, what is a Pod?", []) == "what is a Pod?"
    assert standalone("I use Kafka, how do I get exactly-once?", []) == "I use Kafka, how do I get exactly-once?"
