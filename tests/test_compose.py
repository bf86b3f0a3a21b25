"""An answer is made of whole sentences that say something, in an order in which they can be read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from conftest import FakeEncoder, a_document, a_source

from app import compose, extractive, question
from index import split
from index.passage import Hit
from ingest.document import Document, Piece

ENCODER = FakeEncoder()


def found_in(asked: question.Question, *documents: Document) -> list[extractive.Candidate]:
    """All sentences of some documents, their passages ranked in this order."""
    hits = []
    for document in documents:
        for passage in split.split(document, ENCODER.count):
            hits.append(Hit(len(hits), passage, a_source(document), 10.0 - len(hits), 0.5, 1.0))
    vectors = {hit.number: ENCODER.encode([hit.passage.text[a:b] for a, b in hit.passage.sentences]) for hit in hits}
    rarity = dict.fromkeys(asked.subject, 3.0)
    return extractive.candidates(asked, ENCODER.encode([asked.text])[0], hits, vectors, rarity)


def composed(text: str, likely: list[str], *documents: Document, length: str = "standard") -> compose.Composed:
    """Compose from sentences that are the likelier the earlier they stand in a list; the others say nothing."""
    asked = question.read(text)
    rank = {quote: n for n, quote in enumerate(likely)}
    scored = [replace(one, score=-float(rank.get(one.quote, 20))) for one in found_in(asked, *documents)]
    return compose.compose(asked, sorted(scored, key=lambda one: -one.score), length)


def quotes(made: compose.Composed) -> list[str]:
    return [one.quote for one in made.sentences]


GOOD = "A ring passes partial sums around until every worker holds them all."


@pytest.mark.parametrize(
    "piece",
    [
        Piece("heading", "How a ring passes sums around workers.", 2),
        Piece("text", "How does a ring pass partial sums around its workers?"),
        Piece("code", "ring.sum(workers)  # passes partial sums around the workers of it."),
        Piece("text", "for (i = 0; i < N; ++i) { sum[i] += buf[(i + 1) % N]; } // ring."),
        Piece("reference", "Figure 3. The ring passes partial sums around its workers."),
        Piece("text", "ring workers sum"),
        Piece("text", "and passing sums around the ring of workers until it is over."),
        Piece("text", "| ring | 4 | 8 | 16 | 32 | 64 | 128 | 256 | 512 |"),
    ],
    ids=["heading", "question", "listing", "code debris", "caption", "label", "half a sentence", "figures"],
)
def test_what_is_no_sentence_is_never_said(piece):
    document = a_document("https://example.org/", piece, GOOD)
    made = quotes(composed("how does a ring work?", [piece.text, GOOD], document))
    assert made == [GOOD]


@pytest.mark.parametrize(
    ("quote", "stands"),
    [
        ("Rings scale well with buffers.", True),
        ("kubelet-1 restarts Pods that fail.", True),
        ("`SIGTERM` is sent first, SIGKILL follows.", True),
        ("“Exactly once” is a promise that few keep.", True),
        ("$2(N-1)/N$ of the buffer is sent by each worker.", True),
        ("Why do rings scale?", False),
        ("Rings scale", False),
        ("rings scale well with buffers", False),
        ("x = y_1 + { } ; z += 3 ; ++i", False),
        ("THIS IS ALL LOUD.", False),
        ("", False),
        ("word " * 81, False),
    ],
)
def test_whether_a_stretch_can_stand_in_an_answer(quote, stands):
    assert compose.fit(quote) is stands


def test_a_sentence_that_leans_on_the_one_before_it_brings_it_along():
    before = "The ring is cut into as many segments as there are workers."
    leaning = "This lets every worker send and receive at the same time."
    document = a_document("https://example.org/", f"{before} {leaning}", GOOD)
    made = quotes(composed("how does a ring work?", [leaning, GOOD], document))
    assert made.index(leaning) == made.index(before) + 1


def test_and_is_left_out_where_there_is_none():
    leaning = "This lets every worker send and receive at the same time."
    document = a_document("https://example.org/", leaning, Piece("heading", "Next", 2), GOOD)
    assert leaning not in quotes(composed("how does a ring work?", [leaning, GOOD], document))


def test_a_sentence_that_leans_on_a_question_is_left_out_with_it():
    asked = "What do all rings of workers that sum a buffer have in common?"
    leaning = "They pass partial sums around the ring until every worker holds the sum."
    made = quotes(
        composed("how does a ring work?", [leaning, GOOD], a_document("https://example.org/", asked, leaning, GOOD))
    )
    assert made == [GOOD]


def test_what_something_is_comes_before_what_it_is_like():
    like = "The saga pattern is particularly hard to debug for any team that runs it."
    what = "A saga is a sequence of local transactions across services."
    documents = [a_document(f"https://example.org/{n}", text) for n, text in enumerate((like, what))]
    assert quotes(composed("Tell me about the saga pattern", [like, what], *documents))[0] == what


@pytest.mark.parametrize("on_it", ["Every ring moves partial sums from one neighbour to its next.", ""])
def test_a_second_source_is_heard_and_best_on_the_subject(on_it):
    first = [
        "A ring passes partial sums around until every worker holds them all.",
        "Segments of the buffer travel side by side, so no link waits for another.",
        "The cost stays below twice the buffer, however many workers join it.",
    ]
    on_something_else = "Ringlet is a small library with a ring and its examples."
    documents = a_document("https://example.org/a", *first), a_document("https://example.net/b", on_something_else)
    if on_it:
        documents = documents[0], a_document("https://example.net/b", on_something_else, on_it)
    made = composed("how does a ring work?", [*first, on_something_else, on_it], *documents, length="short")
    assert quotes(made)[-1] == (on_it or on_something_else)


def test_a_comparison_speaks_of_both_sides():
    blue = [f"Blue/green number {n} switches all traffic from one environment to another." for n in range(9)]
    canary = "A canary receives a small share of the traffic before the others do."
    document = a_document("https://example.org/b", *blue), a_document("https://example.org/c", canary)
    made = quotes(composed("blue/green vs canary", [*blue, canary], *document))
    assert canary in made
    assert set(blue) & set(made)


def test_the_same_thing_is_not_said_twice():
    again = "A ring passes the partial sums around until every worker holds them all."
    made = quotes(
        composed(
            "how does a ring work?",
            [GOOD, again],
            a_document("https://example.org/1", GOOD),
            a_document("https://example.org/2", again, "Each of its segments is sent by another of the participants."),
        )
    )
    assert GOOD in made
    assert again not in made


def test_sentences_stand_by_document_and_in_its_order_the_best_document_first():
    ring = ["Rings have two phases in all.", "Scatter comes first of them.", "Gathering comes as the second one."]
    tree = ["Trees halve the number of senders at every level.", "Latency then grows with a logarithm only."]
    made = quotes(
        composed(
            "why are there rings and trees in collectives?",
            [tree[1], ring[2], ring[0], tree[0], ring[1]],
            a_document("https://example.org/ring", *ring),
            a_document("https://example.org/tree", *tree),
        )
    )
    assert made == [*tree, *ring]


def test_what_says_what_the_subject_is_comes_first():
    defines = "A feature store is a system that keeps features for training and serving alike."
    uses = "Uber built one of them into Michelangelo so that teams could share their work."
    made = quotes(
        composed(
            "What is a feature store?",
            [uses, defines],
            a_document("https://example.org/uber", uses),
            a_document("https://example.org/store", defines),
        )
    )
    assert made == [defines, uses]


def test_an_answer_has_no_more_sentences_than_can_be_read():
    many = [f"Fact {n} about {'abcdefghijklmnopqrstuvwxyz'[n] * 3} and {n * 7} rings is told here." for n in range(26)]
    made = composed("how does a ring work?", many, a_document("https://example.org/", *many))
    assert 3 <= len(made.sentences) <= compose.USUAL_LENGTH
    assert len(composed("how many rings?", many, a_document("https://example.org/", *many)).sentences) <= 5


def test_a_far_less_likely_sentence_is_left_out():
    likely = [f"Fact {n} about {'abc'[n] * 4} and {n * 7} rings is told here." for n in range(3)]
    document = a_document("https://example.org/", *likely, "Bananas are grown in warm countries by many people.")
    assert quotes(composed("how does a ring work?", likely, document)) == likely


def test_a_list_is_answered_by_the_items_of_a_list():
    items = ["Data parallelism splits the batch.", "Tensor parallelism splits a layer.", "Pipelines split the depth."]
    document = a_document(
        "https://example.org/",
        Piece("heading", "Kinds of parallelism", 2),
        "There are three kinds of parallelism that one hears of most.",
        *[Piece("item", item) for item in items],
    )
    made = composed("What are the kinds of parallelism?", items[:1], document)
    assert made.listed
    assert quotes(made) == items


def test_a_list_and_a_sentence_go_on_in_the_next_passage(monkeypatch):
    monkeypatch.setattr(split, "PIECES", 16)  # two items a passage
    items = ["Data parallelism splits the batch.", "Tensor parallelism splits a layer.", "Pipelines split the depth."]
    headed = [Piece("heading", "Kinds of parallelism", 2), *[Piece("item", item) for item in items]]
    made = composed("What are the kinds of parallelism?", items[:1], a_document("https://example.org/", *headed))
    assert len({one.hit.number for one in made.sentences}) == 2
    assert quotes(made) == items

    opening, leaning = "A ring passes its sums around all of the workers in many steps.", "They hold all sums then."
    document = a_document("https://example.org/", opening, leaning)
    made = composed("how does a ring work?", [leaning], document)
    assert [one.hit.number for one in made.sentences] == [0, 1]
    apart = a_document("https://example.org/", opening, Piece("heading", "Else", 2), leaning)
    assert leaning not in quotes(composed("how does a ring work?", [leaning], apart))


def test_where_there_is_no_list_sentences_answer_one():
    sentence = "Data, tensor and pipeline parallelism are the kinds of parallelism in use."
    made = composed("What are the kinds of parallelism?", [sentence], a_document("https://example.org/", sentence))
    assert not made.listed
    assert quotes(made) == [sentence]


def test_nothing_is_composed_of_nothing():
    assert compose.compose(question.read("how?"), []) == compose.Composed(())


# --- what tells a sentence that answers -----------------------------------------------------------


def features(asked: str, sentence: str) -> dict[str, float]:
    (one, *_) = found_in(question.read(asked), a_document("https://example.org/", sentence))
    return dict(zip(extractive.FEATURES, one.features.tolist(), strict=True))


@pytest.mark.parametrize(
    ("feature", "asked", "has", "lacks"),
    [
        ("number", "how many phases has a ring?", "A ring has 2 phases in all.", "A ring has phases in all."),
        ("name", "who wrote of rings?", "Later Patarasuk wrote of rings.", "Later somebody wrote of rings."),
        ("date", "when was it published?", "It was published in 2009.", "It was published later."),
        ("defines", "what is a ring?", "A ring is a way of passing sums.", "Sums pass around in rings."),
        ("leans", "what is a ring?", "This makes rings quick.", "Segments make rings quick."),
        ("points", "what is a ring?", "See figure 3 for a ring.", "A ring has two phases."),
        ("short", "what is a ring?", "A ring has two phases.", "A ring has two phases that take as many steps each."),
    ],
)
def test_signs_of_an_answer(feature, asked, has, lacks):
    assert features(asked, has)[feature] == 1
    assert features(asked, lacks)[feature] == 0


def test_shares_are_of_what_is_asked_and_rare_words_count_more():
    rarity = {"ring": 1.0, "allreduc": 3.0}
    assert extractive.share({"ring"}, rarity) == 0.25
    assert extractive.share({"allreduc", "ring", "more"}, rarity) == 1
    assert extractive.share({"ring"}, {}) == 0


def test_all_features_are_numbers():
    one = found_in(question.read("?"), a_document("https://example.org/", GOOD))[0]
    assert one.features.shape == (len(extractive.FEATURES),)
    assert np.isfinite(one.features).all()
