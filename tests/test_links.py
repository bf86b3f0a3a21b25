"""A deep link opens the source at the quote, or, where that is in doubt, the source and no wrong place in it."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.links import deep_link, text_fragment

PAGE = "https://example.org/a"
LONG = " ".join(f"word{n}" for n in range(80))


def matches(fragment: str, page: str) -> int:
    """How often a text directive is found on a page whose lines are its blocks, told by other means than ours."""
    assert re.fullmatch(r"(?:[\w.~]|%[0-9A-F]{2})+(?:,(?:[\w.~]|%[0-9A-F]{2})+)?", fragment), fragment
    first, _, last = fragment.partition(",")
    lines = "\n".join(" ".join(line.split()) for line in page.lower().split("\n"))
    starts = [found.end(1) for found in re.finditer(f"(?=({re.escape(unquote(first).lower())}))", lines)]
    if not last:
        return len(starts)
    return sum(unquote(last).lower() in lines[end:] for end in starts)


@pytest.mark.parametrize(
    ("quote", "page", "fragment"),
    [
        ("two words", "One line\nAnd two words.", "two%20words"),
        ("Two WORDS", "And two words.", "Two%20WORDS"),  # a browser ignores case
        ("two\n  words", "And two words.", "two%20words"),  # and how words are set apart
        ("50 %, a-b & c", "It is 50 %, a-b & c.", "50%20%25%2C%20a%2Db%20%26%20c"),
        ("größer #1?", "Viel größer #1? Ja.", "gr%C3%B6%C3%9Fer%20%231%3F"),
        ("环形归约", "叫做 环形归约 。", "%E7%8E%AF%E5%BD%A2%E5%BD%92%E7%BA%A6"),
        ("the ring", "the ring\nof the ring", ""),  # twice on the page
        ("a a a", "a a a a", ""),  # twice, one over the other
        ("one two", "one\ntwo", ""),  # no browser finds it across two blocks
        ("ring", "strings", ""),  # nor within a word
        ("not there", "nothing of it", ""),
        ("anything", "", ""),
    ],
)
def test_a_fragment_names_a_quote_that_stands_once_on_its_page(quote, page, fragment):
    assert text_fragment(quote, page) == fragment


def test_a_long_quote_is_named_by_its_first_and_last_words():
    assert text_fragment(LONG, f"Before. {LONG} After.") == "word0%20word1%20word2,word77%20word78%20word79"


def test_a_quote_over_two_lines_is_named_by_its_first_and_last_words():
    quote = "Rings sum buffers\nover all of their workers"
    assert text_fragment(
        quote, f"Before.\n{quote}\nAfter."
    ) == "Rings%20sum%20buffers,all%20of%20their%20workers".replace("all%20of%20", "of%20")


@pytest.mark.parametrize(
    "page",
    [
        f"{LONG}\n{LONG}",  # it stands there twice
        f"word0 word1 word2 {'between ' * 300} word77 word78 word79",  # too far apart to be it
        f"word77 word78 word79 before word0 word1 word2 {LONG[: len(LONG) // 2]}",  # the wrong way round
    ],
)
def test_a_long_quote_that_is_in_doubt_has_no_fragment(page):
    assert text_fragment(LONG, page) == ""


WORDS = st.sampled_from("the ring a sum Sum of 2(N-1)/N ring, e.g. straße ÄRGER x-y 50% a&b “it” ring. 环形".split())
LINES = st.lists(st.lists(WORDS, min_size=1, max_size=60).map(" ".join), min_size=1, max_size=6)


@settings(deadline=None, max_examples=300)
@given(LINES, st.data())
def test_every_fragment_that_is_made_is_found_exactly_once(lines, data):
    page = "\n".join(lines)
    start = data.draw(st.integers(0, len(page) - 1))
    quote = page[start : data.draw(st.integers(start + 1, len(page)))]
    fragment = text_fragment(quote, page)
    assert not fragment or matches(fragment, page) == 1


@settings(deadline=None, max_examples=100)
@given(st.lists(st.from_regex(r"[a-z]{3,9}", fullmatch=True), min_size=3, max_size=40, unique=True), st.data())
def test_a_quote_that_stands_once_is_always_found(words, data):
    start = data.draw(st.integers(0, len(words) - 3))
    end = data.draw(st.integers(start + 3, len(words)))
    page = " ".join(words)
    quote = " ".join(words[start:end])
    assert matches(text_fragment(quote, page) or "none", page) == 1 or page.count(quote) > 1


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=60), st.text(max_size=200))
def test_no_quote_and_no_page_is_too_odd_for_it(quote, page):
    fragment = text_fragment(quote, f"{page}\n{quote}")
    assert fragment.isascii()
    assert not set(fragment) & set("#&- \n")


@pytest.mark.parametrize(
    ("url", "form", "place", "link"),
    [
        (PAGE, "html", "", f"{PAGE}#:~:text=the%20quote"),
        (f"{PAGE}#section", "html", "section", f"{PAGE}#:~:text=the%20quote"),
        (f"{PAGE}?q=1", "markdown", "", f"{PAGE}?q=1#:~:text=the%20quote"),
        ("https://example.org/a.pdf", "pdf", "page=3", "https://example.org/a.pdf#page=3"),
        ("https://example.org/a.pdf", "pdf", "", "https://example.org/a.pdf"),
        ("https://arxiv.org/abs/1708.05031", "pdf", "page=2", "https://arxiv.org/pdf/1708.05031#page=2"),
        ("https://www.youtube.com/watch?v=abc", "transcript", "t=95", "https://www.youtube.com/watch?v=abc&t=95s"),
        ("https://youtu.be/abc", "transcript", "t=95", "https://youtu.be/abc?t=95s"),
        (
            "https://github.com/o/r/blob/main/a.md",
            "markdown",
            "L12",
            "https://github.com/o/r/blob/main/a.md?plain=1#L12",
        ),
        ("https://github.com/o/r", "markdown", "L12", "https://github.com/o/r/blob/HEAD/README.md?plain=1#L12"),
        ("ingest/starter/caching.md", "note", "L12", "ingest/starter/caching.md#L12"),
    ],
)
def test_every_kind_of_source_is_opened_in_its_own_way(url, form, place, link):
    assert deep_link(url, form, place, "the quote", "Here is the quote.") == link


@pytest.mark.parametrize("page", ["the quote and the quote", "another text", ""])
def test_where_the_place_is_in_doubt_the_plain_address_is_given(page):
    assert deep_link(f"{PAGE}#there", "html", "there", "the quote", page) == PAGE


def test_what_a_page_says_cannot_end_the_fragment_or_begin_another_address():
    quote = 'see"><script>&text=other,-https://evil.test/#x'
    link = deep_link(PAGE, "html", "", quote, f"Please {quote} now.")
    assert link.startswith(f"{PAGE}#:~:text=")
    assert not set(urlsplit(link).fragment.removeprefix(":~:text=")) & set("\"'<>&,-#:/= ")
