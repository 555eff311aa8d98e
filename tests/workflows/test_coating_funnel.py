"""The whole coating flow with a stub potential: what is computed, and what is not."""

import pytest

from benchmarks.funnel_scale import COATINGS, COMPETING, run_campaign

N_COATINGS = 28


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("funnel")


@pytest.fixture(scope="module")
def outcome(folder):
    """No label reaches its crystal's own energy, so that only the bare electrolyte goes on."""
    return run_campaign(N_COATINGS, folder, max_energy_above_hull=1e-9)


def test_every_candidate_has_a_document_in_the_order_given(outcome):
    assert [one.coating for one in outcome.documents] == [
        None,
        *(f"{COATINGS[i % len(COATINGS)]}-{i}" for i in range(N_COATINGS)),
    ]


def test_every_rejection_has_its_number(outcome):
    for document in outcome.documents[1:]:
        first = document.rejections[0]
        assert first.quantity == "energy_above_hull"
        assert first.value == document.energy_above_hull_ev > first.threshold
        assert f"{first.value:.3f} eV/atom" in document.rejected


def test_dear_numbers_are_for_what_passed_only(outcome):
    bare, *coatings = outcome.documents
    assert bare.migration_barrier_ev == pytest.approx(0.3)
    assert bare.work_of_adhesion_j_m2 is not None
    assert bare.contact_angle_deg is not None
    assert all("migration_barrier_ev" not in one.evidence for one in coatings)
    # The crystals, each once; strained cells, vacancies and contacts of the electrolyte and Li.
    phases = N_COATINGS + len(COMPETING)
    dear = 2 * 12 + 2 * len(bare.hops) + 3 + 4 * len(bare.lithium_interfaces)
    assert outcome.counted["relax"] <= phases + dear
    assert outcome.counted["neb"] <= len(bare.hops)


def test_a_second_run_computes_nothing(folder, outcome):
    again = run_campaign(N_COATINGS, folder, max_energy_above_hull=1e-9)
    assert sum(again.counted.values()) == 0
    assert [one.energy_above_hull_ev for one in again.documents] == [
        one.energy_above_hull_ev for one in outcome.documents
    ]
