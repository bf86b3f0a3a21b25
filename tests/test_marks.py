"""Marks are read in all the ways in which models write them, and what they name that is not there is gone."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import marks


@pytest.mark.parametrize(
    ("text", "numbers", "left"),
    [
        ("Both agree [2][1].", [2, 1], "Both agree."),
        ("Both agree [2] [1].", [2, 1], "Both agree."),
        ("Both agree [1, 2].", [1, 2], "Both agree."),
        ("Both agree [1; 2 and 4]", [1, 2, 4], "Both agree"),
        ("Doubled [1][1] [[1]].", [1], "Doubled."),
        ("Nested [[1], [2]] and [1[3]].", [1, 2, 3], "Nested and."),
        ("Unbalanced [[1] then [2]].", [1, 2], "Unbalanced then."),
        ("A range [2-4]; another [1]–[2].", [2, 3, 4, 1], "A range; another."),
        ("A range beyond [3-99999999999999999999].", [3, 4], "A range beyond."),
        ("A range backwards [3-2].", [3, 2], "A range backwards."),
        ("Invented [7] and [0] and [-1].", [], "Invented and and."),
        ("Half invented [2, 9].", [2], "Half invented."),
        ("Wide【1】［2］〔3〕 and [４].", [1, 2, 3, 4], "Wide and."),
        ("As others write it【3†L1-L9】【4:0†source】.", [3, 4], "As others write it."),
        ("With words [Source 2], (passages 1 and 3), [see no. 4].", [2, 1, 3, 4], "With words,,."),
        ("A footnote [^2], a number [#3].", [2, 3], "A footnote, a number."),
        ("Raised.¹ And so.³⁻⁴", [1, 3, 4], "Raised. And so."),
        ("A link [1](https://evil.test/x).", [1], "A link."),
        ("Steps (1) and N² and O(n³) stay.", [], "Steps (1) and N² and O(n³) stay."),
        ("Scaled to [0, 1] or [-1, 1].", [], "Scaled to [0, 1] or [-1, 1]."),
        ("Code `a[1]` and $a[2]^2$ stay, a word[3] does not.", [3], "Code `a[1]` and $a[2]^2$ stay, a word does not."),
        ("No mark: [citation needed] [1.5] [x] [].", [], "No mark: [citation needed] [1.5] [x] []."),
        ("Not a mark [1, 2 workers].", [], "Not a mark [1, 2 workers]."),
    ],
)
def test_marks_are_read_and_taken_off(text, numbers, left):
    found = [number for mark in marks.find(text, 4) for number in mark.numbers]
    assert list(dict.fromkeys(found)) == numbers
    assert marks.strip(text) == left


@given(st.text(alphabet="[]()【】［0123456789,-–^†¹² ab.`$", max_size=60), st.integers(0, 12))
def test_no_text_breaks_the_reader_or_names_a_passage_that_is_not_there(text, most):
    found = marks.find(text, most)
    assert all(1 <= number <= most for mark in found for number in mark.numbers)
    assert all(a.end <= b.start for a, b in itertools.pairwise(found))
    assert all(0 <= mark.start < mark.end <= len(text) for mark in found)


@pytest.mark.parametrize(
    ("text", "begun"),
    [("Rings [1", "[1"), ("Rings [[1]", "[[1]"), ("So it is【", "【"), ("A (see", "(see"), ("Done [1].", "")],
)
def test_a_mark_that_may_still_come_is_waited_for(text, begun):
    assert text[marks.held(text) :] == begun
