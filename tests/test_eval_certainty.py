"""Intervals, tests and areas, against what theory says of them."""

from __future__ import annotations

import random

import ir_measures
import pytest

from eval import certainty
from eval.retrieval import MEASURES


def test_an_interval_holds_the_true_mean_about_as_often_as_it_says():
    dice = random.Random(3)
    inside = 0
    for _ in range(200):
        known = certainty.interval([float(dice.random() < 0.3) for _ in range(80)])
        inside += known.low <= 0.3 <= known.high
    assert 0.88 <= inside / 200 <= 1.0


def test_no_values_have_no_mean():
    assert certainty.interval([]).cases == 0


def test_two_equal_systems_differ_by_chance_only_and_two_others_do_not():
    dice = random.Random(5)
    one = {str(n): float(dice.random() < 0.5) for n in range(200)}
    other = {key: float(dice.random() < 0.5) for key in one}
    better = {key: max(value, float(dice.random() < 0.4)) for key, value in other.items()}
    assert certainty.difference(one, one).p == 1.0
    assert certainty.difference(one, other).p > 0.05
    gap = certainty.difference(better, other)
    assert gap.p < 0.01
    assert gap.low > 0
    assert not gap.worse
    assert len(gap.better) == round(gap.mean * 200)


def test_only_cases_that_both_have_are_compared():
    assert certainty.difference({"a": 1.0}, {"b": 0.0}).p == 1.0
    assert certainty.difference({"a": 1.0, "c": 0.0}, {"a": 0.0}).mean == 1.0


@pytest.mark.parametrize(
    ("yes", "no", "area"),
    [([3, 4], [1, 2], 1.0), ([1, 2], [3, 4], 0.0), ([1, 1], [1, 1], 0.5), ([2, 3], [1, 2], 0.875)],
)
def test_the_area_is_the_chance_of_being_above(yes, no, area):
    assert certainty.auc(yes, no) == area


def test_a_random_score_has_an_area_of_a_half():
    dice = random.Random(11)
    assert certainty.auc([dice.random() for _ in range(3000)], [dice.random() for _ in range(3000)]) == pytest.approx(
        0.5, abs=0.02
    )


def test_the_best_threshold_is_found():
    assert certainty.best([3, 4, 5], [1, 2, 3]).f1 == pytest.approx(6 / 7)
    assert certainty.best([3, 4], [1, 2], by="balanced").balanced == 1.0
    assert certainty.at(9, [1], [1]).f1 == 0.0


def qrels(query, *documents):
    return [ir_measures.Qrel(query, document, 1) for document in documents]


def ranking(query, documents):
    return [ir_measures.ScoredDoc(query, document, -float(n)) for n, document in enumerate(documents)]


def test_a_perfect_and_a_random_run_score_as_theory_says():
    documents = [f"d{n}" for n in range(50)]
    dice = random.Random(2)
    wanted = [qrel for n in range(600) for qrel in qrels(f"q{n}", dice.choice(documents))]
    perfect = [one for qrel in wanted for one in ranking(qrel.query_id, [qrel.doc_id, "d0"])]
    chance = [one for qrel in wanted for one in ranking(qrel.query_id, dice.sample(documents, 50))]
    scores = ir_measures.calc_aggregate(list(MEASURES.values()), wanted, perfect)
    assert all(scores[measure] == pytest.approx(1.0) for measure in MEASURES.values())
    scores = ir_measures.calc_aggregate(list(MEASURES.values()), wanted, chance)
    assert scores[MEASURES["mrr@10"]] == pytest.approx(sum(1 / k for k in range(1, 11)) / 50, abs=0.02)
    assert scores[MEASURES["hit@5"]] == pytest.approx(5 / 50, abs=0.04)
    assert scores[MEASURES["recall@100"]] == pytest.approx(1.0)
