"""The ranking held to the definition of dominance, on random candidates."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from screen.criteria import COLLECTOR_QUANTITIES, Criterion
from screen.errors import CampaignError
from screen.ranking import Candidate, pareto_fronts, rank_candidates

ADHESION = Criterion(COLLECTOR_QUANTITIES["work_of_adhesion"], "max")
BINDING = Criterion(COLLECTOR_QUANTITIES["li_binding"], "min")
BARRIER = Criterion(COLLECTOR_QUANTITIES["adatom_barrier"], "min")
no_deadline = settings(deadline=None)  # a busy machine is no failure
CRITERIA = (ADHESION, BINDING, BARRIER)

# Few distinct numbers, so that ties and equal candidates are common; wide ones as well.
numbers = st.one_of(
    st.sampled_from([-1.0, -0.5, -0.0, 0.0, 0.5, 1.0]),
    st.floats(allow_nan=False, allow_infinity=False),
)
rows = st.tuples(numbers, numbers, numbers)
tables = st.lists(rows, max_size=14)


def candidate(name, row, **failures):
    values = dict(zip(("work_of_adhesion", "li_binding", "adatom_barrier"), row, strict=True))
    return Candidate((name,), {"host": str(name)}, values, {}, failures)


def candidates(table):
    return [candidate(name, row) for name, row in enumerate(table)]


def dominates(one, other):
    """By the definition, with the first number maximised and the others minimised."""
    no_worse = one[0] >= other[0] and one[1] <= other[1] and one[2] <= other[2]
    return no_worse and one != other


def names(ranking):
    return [entry.candidate.identity[0] for entry in ranking.ranked]


@no_deadline
@given(tables)
def test_dominance_is_never_inverted(table):
    ranking = rank_candidates(candidates(table), CRITERIA)
    place = {entry.candidate.identity[0]: entry for entry in ranking.ranked}
    assert sorted(place) == list(range(len(table)))
    assert [entry.rank for entry in ranking.ranked] == list(range(1, len(table) + 1))
    for one, other in itertools.permutations(place, 2):
        if dominates(table[one], table[other]):
            assert place[one].rank < place[other].rank
            assert place[one].pareto_front < place[other].pareto_front


@no_deadline
@given(tables)
def test_every_front_behind_the_first_is_dominated_by_the_one_before(table):
    ranking = rank_candidates(candidates(table), CRITERIA)
    front_of = {entry.candidate.identity[0]: entry.pareto_front for entry in ranking.ranked}
    for name, front in front_of.items():
        dominators = [other for other in front_of if dominates(table[other], table[name])]
        deepest = max((front_of[other] for other in dominators), default=0)
        assert front == deepest + 1


@no_deadline
@given(tables, st.randoms(use_true_random=False))
def test_order_of_the_input_does_not_matter(table, random):
    given_order = candidates(table)
    shuffled = random.sample(given_order, len(given_order))
    assert rank_candidates(shuffled, CRITERIA) == rank_candidates(given_order, CRITERIA)


@no_deadline
@given(tables.filter(bool), rows, st.data())
def test_a_dominated_candidate_changes_nothing_above_its_front(table, worse, data):
    dominator = data.draw(st.sampled_from(table))
    dominated = (
        min(dominator[0], worse[0]),
        max(dominator[1], worse[1]),
        max(dominator[2], worse[2]),
    )
    if dominated == dominator:
        return
    before = rank_candidates(candidates(table), CRITERIA)
    after = rank_candidates([*candidates(table), candidate("new", dominated)], CRITERIA)
    front = next(e.pareto_front for e in after.ranked if e.candidate.identity == ("new",))
    assert front > 1
    assert [e for e in after.ranked if e.pareto_front < front] == [
        e for e in before.ranked if e.pareto_front < front
    ]


@no_deadline
@given(tables)
def test_scores_lie_between_best_and_worst(table):
    ranking = rank_candidates(candidates(table), CRITERIA)
    assert all(0 <= entry.score <= 1 for entry in ranking.ranked)
    for _, front in itertools.groupby(ranking.ranked, key=lambda entry: entry.pareto_front):
        scores = [entry.score for entry in front]
        assert scores == sorted(scores)


def test_order_inside_a_front_by_hand():
    """Two criteria: scaled costs (0, 1), (0.25, 0.5), (1, 0) give means 0.5, 0.375, 0.5."""
    table = {"a": (2.0, 0.4), "b": (1.75, 0.2), "c": (1.0, 0.0)}
    entries = [
        Candidate((name,), {}, {"work_of_adhesion": w, "li_binding": e}, {})
        for name, (w, e) in table.items()
    ]
    ranking = rank_candidates(entries, (ADHESION, BINDING))
    assert names(ranking) == ["b", "a", "c"]
    assert [entry.score for entry in ranking.ranked] == [0.375, 0.5, 0.5]
    assert {entry.pareto_front for entry in ranking.ranked} == {1}


@pytest.mark.parametrize("criterion", CRITERIA)
def test_one_criterion_is_a_plain_sort(criterion):
    table = [(0.3, 0.1, 0.9), (0.1, 0.5, 0.2), (0.2, 0.2, 0.1)]
    column = CRITERIA.index(criterion)
    expected = sorted(
        range(3), key=lambda i: table[i][column], reverse=criterion.direction == "max"
    )
    assert names(rank_candidates(candidates(table), (criterion,))) == expected


def test_unconverged_and_incomplete_are_listed_apart_with_the_reason():
    entries = [
        candidate("good", (1.0, 0.0, 0.1), surface_energy="not a criterion"),
        candidate("failed", (9.0, -9.0, 0.0), li_binding="diverged", surface_energy="no matter"),
        candidate("hole", (1.0, None, 0.1)),
        candidate("nan", (1.0, 0.0, float("nan"))),
    ]
    ranking = rank_candidates(entries, CRITERIA)
    assert names(ranking) == ["good"]
    assert {u.candidate.identity[0]: u.reason for u in ranking.unconverged} == {
        "failed": "Li binding: diverged",
        "hole": "Li binding: not computed",
        "nan": "Adatom barrier: not computed",
    }


def test_a_missed_threshold_is_listed_with_the_number():
    bound = Criterion(COLLECTOR_QUANTITIES["li_binding"], "min", at_most=0.1)
    entries = [candidate("in", (1.0, 0.1, 0.1)), candidate("out", (2.0, 0.25, 0.1))]
    ranking = rank_candidates(entries, (ADHESION, bound))
    assert names(ranking) == ["in"]
    (out,) = ranking.below_threshold
    assert out.candidate.identity == ("out",)
    assert "0.250 eV" in out.reason
    assert "0.1 eV" in out.reason


def test_refuses_no_criteria_and_repeated_candidates():
    with pytest.raises(CampaignError, match="criteria"):
        rank_candidates([], ())
    with pytest.raises(CampaignError, match="twice"):
        rank_candidates([candidate("a", (1, 1, 1)), candidate("a", (2, 2, 2))], CRITERIA)


def test_fronts_of_nothing():
    assert pareto_fronts(np.zeros((0, 3))).tolist() == []


@pytest.mark.parametrize("n_criteria", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("largest", [2, 1000])
def test_fronts_are_those_of_the_definition(n_criteria, largest):
    rng = np.random.default_rng(n_criteria)
    costs = rng.integers(-largest, largest, (80, n_criteria)).astype(float)
    expected = np.zeros(len(costs), dtype=int)
    left = np.arange(len(costs))
    while len(left):  # peel off what no other one left dominates
        some = costs[left]
        free = [not np.any((some <= r).all(axis=1) & (some < r).any(axis=1)) for r in some]
        expected[left[free]] = expected.max() + 1
        left = left[~np.array(free)]
    assert pareto_fronts(costs).tolist() == expected.tolist()
