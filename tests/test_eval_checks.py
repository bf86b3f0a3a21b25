"""Checks of hits and answers, against what theory says of perfect and of random ones."""

from __future__ import annotations

import random
from statistics import fmean

import pytest

from eval import checks
from eval.cases import Case
from eval.checks import Found

CASE = Case("a", "q", "short", "t", found=("https://x.org/7",), facts=("2 phases", "N-1"), quote="two? phases")
PAGES = {"https://x.org/7": ("It has 2 phases of N-1 steps.", "")}


def page(url):
    return PAGES.get(url, ("", ""))


def hits(*urls):
    return [Found(url, PAGES.get(url, ("nothing", ""))[0], 1.0) for url in urls]


def said(*sentences, url="https://x.org/7", start=0, abstained=False, deep=""):
    text = PAGES.get(url, ("", ""))[0]
    quoted = [
        (n, sentence, sentence[1] if isinstance(sentence, tuple) else sentence)
        for n, sentence in enumerate(sentences, 1)
    ]
    return {
        "abstained": abstained,
        "answer": " ".join(
            sentence for _, sentence, _ in [(n, s[0] if isinstance(s, tuple) else s, q) for n, s, q in quoted]
        ),
        "sentences": [
            {"text": sentence[0] if isinstance(sentence, tuple) else sentence, "citations": [n]}
            for n, sentence, _ in quoted
        ],
        "citations": [
            {
                "n": n,
                "url": url,
                "deep_url": deep or f"{url}#page=1",
                "quote": quote,
                "start": start if start else max(0, text.find(quote)),
                "end": (start if start else max(0, text.find(quote))) + len(quote),
            }
            for n, _, quote in quoted
        ],
    }


def test_a_perfect_ranking_scores_one():
    scores = checks.of_hits(CASE, hits("https://x.org/7", "https://x.org/1"))
    assert {name: scores[name] for name in ("found@5", "mrr", "facts@5")} == {"found@5": 1, "mrr": 1, "facts@5": 1}


def test_a_random_ranking_scores_as_theory_says():
    # One right document among n, in random order: it is in the first 5 with 5/n, and its reciprocal rank, cut at 10,
    # is the sum of 1/k over the first ten ranks, divided by n.
    documents = [f"https://x.org/{n}" for n in range(40)]
    dice = random.Random(7)
    scores = [checks.of_hits(CASE, hits(*dice.sample(documents, 40))) for _ in range(4000)]
    assert fmean(score["found@5"] for score in scores) == pytest.approx(5 / 40, abs=0.02)
    assert fmean(score["mrr"] for score in scores) == pytest.approx(sum(1 / k for k in range(1, 11)) / 40, abs=0.01)


def test_an_answer_holds_its_facts_and_cites_them():
    scores = checks.of_answer(CASE, said("It has 2 phases of N-1 steps."), page, checks.supported)
    assert (scores["complete"], scores["correct"], scores["cited"], scores["verbatim"]) == (1, 1, 1, 1)


@pytest.mark.parametrize(
    ("answer", "metric", "score"),
    [
        (said("It has 2 phases."), "complete", 0.5),
        (said("It has 2 phases of N-1 steps.", url="https://x.org/9"), "correct", 0.0),
        (said("It has 2 phases of N-1 steps.", start=3), "verbatim", 0.0),
        (said(("It has 3 phases of N-1 steps.", "It has 2 phases of N-1 steps.")), "recall", 0.0),
        (said(abstained=True), "answered", 0.0),
        (said(abstained=True), "complete", 0.0),
    ],
)
def test_what_is_wrong_with_an_answer_shows(answer, metric, score):
    assert checks.of_answer(CASE, answer, page, checks.supported)[metric] == score


def test_a_refusal_is_right_where_nothing_is_known():
    unknown = Case("b", "q", "far", "t", absent="x")
    assert checks.of_answer(unknown, said(abstained=True), page, checks.supported) == {"refused": 1}
    assert checks.of_answer(unknown, said("Anything."), page, checks.supported) == {"refused": 0}


def test_a_quote_is_needed_where_the_sentence_would_lack_it():
    def holds(sentence, text):
        return set(sentence) <= set(text)

    assert checks.alce([("ab", ["a", "b"]), ("ab", ["ab", "c"]), ("ab", ["c"]), ("ab", [])], holds) == (
        [True, True, False, False],
        [True, True, True, False, False],
    )


@pytest.mark.parametrize(
    ("directive", "page_text", "count"),
    [
        ("two%20words", "Two words.\nAnd two  words", 2),
        ("ring", "rings\nstring", 0),
        ("(see%20%5B1%5D).", "It holds (see [1]).Then more.", 1),
        ("one,three", "one two three", 1),
        ("one,three", "three one two", 0),
        ("before-,one,-after", "one\none", 2),
        ("", "anything", 0),
    ],
)
def test_a_text_directive_is_counted_as_browsers_find_it(directive, page_text, count):
    assert checks.occurrences(f"https://x.org/#:~:text={directive}", page_text) == count
