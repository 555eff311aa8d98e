"""The fault drill's short form; the long one is ``python -m tests.fault_drill --kills 30``."""

import pytest

from tests.fault_drill import KINDS, drill

pytest.importorskip("qtoolkit", reason="qtoolkit is not installed (extra hpc)")


def check(outcome, kills):
    assert sum(outcome.kills.values()) >= kills, outcome
    assert outcome.differences == []
    assert outcome.twice == []
    assert outcome.left == []


def test_kills_lose_nothing_and_leave_nothing():
    outcome = drill(6, n_systems=40, pause=(0.3, 1.2))
    check(outcome, 4)  # a quick machine may be done before the sixth
    assert len(outcome.computed) == 40


@pytest.mark.slow
def test_thirty_kills_of_every_kind():
    outcome = drill(30, n_systems=160)
    check(outcome, 30)
    assert set(outcome.kills) == set(KINDS)


@pytest.mark.slow
def test_a_whole_campaign_under_kills():
    check(drill(10, campaign=True, pause=(5.0, 15.0)), 10)
