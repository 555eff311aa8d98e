"""Ranks within errors, held to what can be said by hand."""

import math
import time

import numpy as np
import pytest

from screen.criteria import COLLECTOR_QUANTITIES, Criterion
from screen.errors import CampaignError
from screen.rank_uncertainty import draw_fronts, rank_uncertainty
from screen.ranking import Candidate, pareto_fronts, rank_candidates

ADHESION = Criterion(COLLECTOR_QUANTITIES["work_of_adhesion"], "max")
BINDING = Criterion(COLLECTOR_QUANTITIES["li_binding"], "min")


def candidate(name, adhesion, error, binding=0.0, binding_error=0.0):
    return Candidate(
        (name,),
        {"host": name},
        {"work_of_adhesion": adhesion, "li_binding": binding},
        {"work_of_adhesion": error, "li_binding": binding_error},
    )


@pytest.mark.parametrize(("gap", "one", "other"), [(0.1, 0.1, 0.1), (0.3, 0.05, 0.2), (0, 0.1, 0)])
def test_two_candidates_are_ordered_as_the_normal_distribution_says(gap, one, other):
    found = rank_uncertainty(np.array([[0.0], [gap]]), np.array([[one], [other]]))
    expected = 0.5 * (1 + math.erf(gap / math.hypot(one, other) / math.sqrt(2)))
    four_sigma = 4 * math.sqrt(expected * (1 - expected) / found.n_draws)
    assert found.ahead[0, 1] == pytest.approx(expected, abs=four_sigma)
    assert found.places[0, 0] == found.ahead[0, 1]


def test_exact_values_keep_their_places():
    costs = np.random.default_rng(1).random((9, 2))
    entries = [candidate(f"{i}", -w, 0.0, e) for i, (w, e) in enumerate(costs)]
    ranking = rank_candidates(entries, (ADHESION, BINDING))
    assert [entry.rank_interval for entry in ranking.ranked] == [(i, i) for i in range(1, 10)]
    assert [entry.top_probability for entry in ranking.ranked] == [1.0] * 3 + [0.0] * 6
    assert not any(entry.undecided for entry in ranking.ranked)


def test_fronts_of_draws_are_those_of_each_draw_alone():
    draws = np.random.default_rng(2).integers(0, 5, (60, 25, 3)).astype(float)
    assert draw_fronts(draws).tolist() == [pareto_fronts(draw).tolist() for draw in draws]


def test_probabilities_are_consistent():
    rng = np.random.default_rng(3)
    found = rank_uncertainty(rng.random((12, 3)), rng.random((12, 3)) * 0.2)
    assert found.places.sum(axis=0) == pytest.approx(1)
    assert found.places.sum(axis=1) == pytest.approx(1)
    assert found.top(12) == pytest.approx(1)
    assert found.top(3).sum() == pytest.approx(3)
    off_diagonal = ~np.eye(12, dtype=bool)
    assert (found.ahead + found.ahead.T)[off_diagonal] == pytest.approx(1)
    for i, (low, high) in enumerate(zip(found.low, found.high, strict=True)):
        assert found.places[i, low - 1 : high].sum() >= 0.9


def test_what_the_errors_cannot_tell_apart_is_named_both_ways():
    entries = [
        candidate("best", 3.0, 0.05),
        candidate("second", 2.0, 0.2),
        candidate("third", 1.9, 0.2),
        candidate("last", 0.5, 0.05),
    ]
    ranking = rank_candidates(entries, (ADHESION,), top=2)
    assert [entry.undecided for entry in ranking.ranked] == [(), (3,), (2,), ()]
    assert [entry.rank_interval for entry in ranking.ranked] == [(1, 1), (2, 3), (2, 3), (4, 4)]
    best, second, third, last = (entry.top_probability for entry in ranking.ranked)
    assert best == 1
    assert last == 0
    assert second + third == pytest.approx(1)
    assert ranking.without_error == ()


def test_the_same_candidates_in_any_order_give_the_same_numbers():
    entries = [candidate(str(i), 0.1 * i, 0.15, -0.2 * i, 0.1) for i in range(6)]
    assert rank_candidates(entries, (ADHESION, BINDING)) == rank_candidates(
        entries[::-1], (ADHESION, BINDING)
    )


def test_values_without_an_error_are_named():
    entries = [candidate("a", 1.0, 0.1), candidate("b", 0.9, None)]
    assert rank_candidates(entries, (ADHESION, BINDING)).without_error == ("work_of_adhesion",)


def test_a_threshold_missed_within_the_error_is_said_to_be():
    bound = Criterion(COLLECTOR_QUANTITIES["work_of_adhesion"], "max", at_least=1.0)
    entries = [candidate("near", 0.95, 0.1), candidate("far", 0.5, 0.1)]
    far, near = rank_candidates(entries, (bound,)).below_threshold
    assert near.reason.endswith("by less than its error")
    assert "error" not in far.reason


def test_beyond_the_best_500_no_interval_is_given_and_it_stays_quick():
    entries = [candidate(f"{i:04}", 0.01 * i, 0.05) for i in range(600)]
    start = time.perf_counter()
    ranking = rank_candidates(entries, (ADHESION,))
    assert time.perf_counter() - start < 20
    assert ranking.ranked[499].rank_interval is not None
    assert ranking.ranked[500].rank_interval is None
    assert len(ranking.ahead) == 500


def test_top_of_none_is_refused():
    with pytest.raises(CampaignError, match="--top = 0"):
        rank_candidates([candidate("a", 1.0, 0.1)], (ADHESION,), top=0)
