"""Passages are stretches of their document, no larger than the encoder sees."""

from __future__ import annotations

import pytest
from conftest import FakeEncoder, a_document
from hypothesis import given, settings
from hypothesis import strategies as st

from index import split
from ingest.document import Piece

ENCODER = FakeEncoder()
WORDS = st.sampled_from(
    ["ring", "allreduce", "sums", "e.g.", "Fig.", "3.", "worker", "it.", "Yes!", "x" * 400, "2(N-1)/N"]
)
PIECES = st.builds(
    Piece,
    kind=st.sampled_from(["heading", "text", "item", "code", "table", "reference"]),
    text=st.lists(WORDS, min_size=1, max_size=300).map(" ".join),
    level=st.integers(1, 4),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(PIECES, max_size=12))
def test_every_passage_is_a_stretch_of_its_document_that_the_encoder_sees_whole(pieces):
    document = a_document("https://example.org/", *pieces)
    passages = split.split(document, ENCODER.count)
    for passage in passages:
        assert document.text[passage.start : passage.end] == passage.text
        assert ENCODER.count([passage.text])[0] <= split.PIECES
        blocks = [block for block in document.blocks if block.start < passage.end and block.end > passage.start]
        assert {block.kind for block in blocks} <= {"text", "item", "code", "table"}
        assert {block.heading for block in blocks} == {passage.heading}
        assert all(0 <= start < end <= len(passage.text) for start, end in passage.sentences)
    assert len({passage.id for passage in passages}) == len(passages)
    quotable = "".join(document.text[b.start : b.end] for b in document.blocks if b.kind in {"text", "item"})
    covered = "".join(passage.text for passage in passages if passage.kind == "text")
    assert sorted("".join(covered.split())) == sorted("".join(quotable.split())), "nothing quotable is left out"


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One step. Two steps.", ["One step.", "Two steps."]),
        ("As in Fig. 3 it works. Done.", ["As in Fig. 3 it works.", "Done."]),
        ("Li et al. showed this in 2014. It holds.", ["Li et al. showed this in 2014.", "It holds."]),
        ("It costs 1.5 ms, i.e. less than a read. Good.", ["It costs 1.5 ms, i.e. less than a read.", "Good."]),
        ("First line\nSecond line", ["First line", "Second line"]),
        ("", []),
    ],
)
def test_sentences_end_at_full_stops_but_not_at_abbreviations(text, sentences):
    assert [text[a:b] for a, b in split.sentence_bounds(text)] == sentences


def test_the_id_of_a_passage_survives_a_change_elsewhere_in_its_document():
    before = a_document("https://example.org/", "Rings sum buffers.", Piece("heading", "More", 2), "Trees do too.")
    after = a_document("https://example.org/", "Rings add buffers up.", Piece("heading", "More", 2), "Trees do too.")
    kept = {p.id for p in split.split(before, ENCODER.count)} & {p.id for p in split.split(after, ENCODER.count)}
    assert len(kept) == 1


def test_items_are_quoted_without_their_bullets():
    document = a_document(
        "https://example.org/", Piece("item", "Latency grows with N."), Piece("item", "Bandwidth does not.")
    )
    (passage,) = split.split(document, ENCODER.count)
    assert [passage.text[a:b] for a, b in passage.sentences] == ["Latency grows with N.", "Bandwidth does not."]


def test_prose_in_tables_may_be_quoted_and_figures_may_not():
    row = "| Pending | The Pod has been accepted by the cluster but one of its containers is not running yet | 3 |"
    (passage,) = split.split(a_document("https://example.org/", Piece("table", row)), ENCODER.count)
    assert [passage.text[a:b][:20] for a, b in passage.sentences] == ["The Pod has been acc"]
