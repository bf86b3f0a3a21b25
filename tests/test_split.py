"""Passages are stretches of their document, no larger than the encoder sees."""

from __future__ import annotations

from itertools import pairwise

import pytest
from conftest import FakeEncoder, a_document
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from index import split
from index.encoder import built_in_folder
from ingest.document import Document, Piece
from ingest.pieces import mark_link_sections

ENCODER = FakeEncoder()
WINDOW = 256  # word pieces that the built-in encoder sees, its two special ones included
WORDS = st.sampled_from(
    [
        "ring",
        "allreduce",
        "sums",
        "e.g.",
        "Fig.",
        "3.",
        "worker",
        "it.",
        "Yes!",
        "x" * 400,
        "2(N-1)/N",
        "环形归约",
        "ß…",
    ]
)
PIECES = st.builds(
    Piece,
    kind=st.sampled_from(["heading", "text", "item", "code", "table", "reference"]),
    text=st.lists(WORDS, min_size=1, max_size=300).map(" ".join),
    level=st.integers(1, 4),
)


def pieces_of(texts):
    """The built-in encoder's own count, without its weights."""
    return [len(found.ids) for found in _TOKENIZER.encode_batch(list(texts), add_special_tokens=False)]


_TOKENIZER = Tokenizer.from_file(str(built_in_folder() / "tokenizer.json"))
_TOKENIZER.no_truncation()
_TOKENIZER.no_padding()


def seen(text: str, count) -> list[str]:
    """The characters of a text that mean something to the encoder."""
    marks = sorted("".join(text.split()))
    return [mark for mark, pieces in zip(marks, count(marks), strict=True) if pieces]


def check(document: Document, count) -> None:
    """What holds of the passages of every document."""
    passages = split.split(document, count)
    for passage in passages:
        assert document.text[passage.start : passage.end] == passage.text
        assert count([passage.text])[0] <= split.PIECES
        blocks = [block for block in document.blocks if block.start < passage.end and block.end > passage.start]
        assert {block.kind for block in blocks} <= {"text", "item", "code", "table"}
        assert {block.heading for block in blocks} == {passage.heading}
        assert all(0 <= start < end <= len(passage.text) for start, end in passage.sentences)
        assert list(passage.sentences) == sorted(passage.sentences)
    assert len({passage.id for passage in passages}) == len(passages)
    assert all(one.end <= other.start for one, other in pairwise(passages))
    quotable = "".join(document.text[b.start : b.end] for b in document.blocks if b.kind in {"text", "item"})
    covered = "".join(passage.text for passage in passages if passage.kind == "text")
    assert seen(covered, count) == seen(quotable, count), "nothing quotable is left out"


@settings(deadline=None, max_examples=40)
@given(st.lists(PIECES, max_size=12))
def test_every_passage_is_a_stretch_of_its_document_that_the_encoder_sees_whole(pieces):
    check(a_document("https://example.org/", *pieces), ENCODER.count)


@settings(deadline=None, max_examples=40)
@given(st.lists(PIECES, max_size=8))
def test_so_it_is_in_the_word_pieces_of_the_real_encoder(pieces):
    check(a_document("https://example.org/", *pieces), pieces_of)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.builds(Piece, st.sampled_from(["heading", "text", "item", "code", "table"]), st.text(max_size=80))))
def test_no_text_is_too_odd_for_it(pieces):
    check(a_document("https://example.org/", *pieces), pieces_of)


def test_what_stands_in_front_of_a_passage_and_the_passage_fit_the_window_together():
    assert split.CONTEXT_PIECES + split.PIECES + 2 <= WINDOW


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


@settings(deadline=None, max_examples=100)
@given(st.text(alphabet=st.sampled_from("ab A.!?\n\t 1é。"), max_size=200))
def test_sentences_cover_a_text_and_do_not_overlap(text):
    bounds = split.sentence_bounds(text)
    assert "".join("".join(text[a:b] for a, b in bounds).split()) == "".join(text.split())
    assert all(one[1] <= other[0] for one, other in pairwise(bounds))


@pytest.mark.parametrize("kind", ["code", "table"])
def test_a_listing_or_a_table_that_fits_is_kept_whole(kind):
    lines = "\n".join(f"| {n} | line of it |" for n in range(20))
    document = a_document(
        "https://example.org/", "Before. " * 60, Piece(kind, lines), "After. " * 60, Piece(kind, lines)
    )
    kept = [passage for passage in split.split(document, ENCODER.count) if passage.kind == kind]
    assert len(kept) == 2
    assert all(lines in passage.text for passage in kept)


def test_one_that_does_not_fit_is_cut_between_its_lines():
    lines = [f"row {n} of a table that is far too long" for n in range(100)]
    document = a_document("https://example.org/", Piece("table", "\n".join(lines)))
    passages = split.split(document, ENCODER.count)
    assert len(passages) > 1
    assert [line for passage in passages for line in passage.text.split("\n")] == lines


def test_short_neighbours_share_a_passage_and_a_sentence_is_not_cut():
    paragraphs = [f"Paragraph {n} has one sentence of ten words or so." for n in range(60)]
    passages = split.split(a_document("https://example.org/", *paragraphs), ENCODER.count)
    assert 1 < len(passages) <= 5
    assert [passage.text[a:b] for passage in passages for a, b in passage.sentences] == paragraphs


def test_the_ids_of_passages_are_the_same_in_every_build():
    document = a_document("https://example.org/", "Rings sum buffers.", Piece("heading", "More", 2), "Trees do too.")
    assert [p.id for p in split.split(document, ENCODER.count)] == ["714f1f7158bb9724", "d560dd4777e3ec43"]


def test_the_id_of_a_passage_survives_a_change_elsewhere_in_its_document():
    before = a_document("https://example.org/", "Rings sum buffers.", Piece("heading", "More", 2), "Trees do too.")
    after = a_document("https://example.org/", "Rings add buffers up.", Piece("heading", "More", 2), "Trees do too.")
    kept = {p.id for p in split.split(before, ENCODER.count)} & {p.id for p in split.split(after, ENCODER.count)}
    assert len(kept) == 1


def test_the_same_words_twice_in_a_document_are_two_passages():
    again = [Piece("heading", "One", 2), "The same words.", Piece("heading", "Two", 2), "The same words."]
    one, two = split.split(a_document("https://example.org/", *again), ENCODER.count)
    assert one.text == two.text
    assert one.id != two.id


@pytest.mark.parametrize("section", ["References", "Bibliography", "Further reading", "See also", "Table of Contents"])
def test_bibliographies_and_link_lists_become_no_passage(section):
    pieces = mark_link_sections(
        [
            Piece("text", "Rings sum buffers over all workers."),
            Piece("heading", section, 2),
            Piece("item", "Patarasuk and Yuan. Bandwidth optimal all-reduce algorithms. 2009."),
            Piece("text", "Rabenseifner. Optimization of collective reduction operations. 2004."),
        ]
    )
    (passage,) = split.split(a_document("https://example.org/", *pieces), ENCODER.count)
    assert passage.text == "Rings sum buffers over all workers."


@pytest.mark.parametrize("pieces", [[], [Piece("heading", "Only a heading", 1)], [Piece("reference", "Home | Blog")]])
def test_a_document_without_text_of_its_own_has_no_passages(pieces):
    assert split.split(a_document("https://example.org/", *pieces), ENCODER.count) == []


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


def test_nothing_of_a_listing_is_quoted_as_a_sentence():
    (passage,) = split.split(
        a_document("https://example.org/", Piece("code", "total = sum(ring). # a comment of nine words, all told")),
        ENCODER.count,
    )
    assert passage.sentences == ()


@pytest.mark.parametrize(
    ("title", "heading", "context"),
    [
        ("Rings", ("Cost", "Latency"), "Rings > Cost > Latency"),
        ("Rings", ("Rings", "Cost"), "Rings > Cost"),
        ("Rings", (), "Rings"),
    ],
)
def test_a_passage_is_embedded_with_where_it_stands(title, heading, context):
    assert split.context_of(title, heading) == context


def test_rows_of_figures_may_be_quoted_with_what_they_are_of():
    table = Piece("table", "| Service | Per second |\n| Gate one | 10000 |\n| 7 | 8 |\n| no figures | here |")
    (passage,) = split.split(a_document("https://example.org/t", table), FakeEncoder().count)
    assert [passage.text[a:b] for a, b in passage.sentences] == ["Gate one | 10000"]
