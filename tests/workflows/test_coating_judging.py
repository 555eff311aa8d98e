"""What the hull says of coatings, against numbers computed by hand."""

import pytest

from results.documents import Evidence
from results.thermodynamics.phases import Phase
from tests.results.thermodynamics.hulls import LEVELS
from tests.workflows.coating_samples import FORMULAS, calculation
from workflows.coating_funnel import Funnel, rejections
from workflows.coating_judging import Candidates, CoatingPlan, Collected, judge_by_hull


def judged(
    coatings=("Li2S", "LiCl", "Li3P"),
    *,
    own=None,
    failing=(),
    funnel=None,
    cathode=None,
    competing=None,
    tabulated=None,
) -> Candidates:
    """The candidates on Li6PS5Cl; ``own`` are formation energies of labelled coatings."""
    own = own or {}
    plan = CoatingPlan(
        campaign="by hand",
        electrolytes=["Li6PS5Cl"],
        coatings=list(coatings),
        cathode=cathode,
        voltage=(0.0, 2.0),
        competing=list(FORMULAS) if competing is None else competing,
        tabulated=tabulated,
        funnel=funnel,
    )
    bulks = [
        calculation(
            name.split("-")[0],
            own.get(name, FORMULAS[name.split("-")[0]]),
            failure="out of steps" if name in failing else None,
        )
        for name in plan.crystals
    ]
    return judge_by_hull.original(plan, bulks)


def of(candidates: Candidates, coating):
    (found,) = (one for one in candidates.every() if one.coating == coating)
    return found


def test_the_bare_electrolyte_is_the_baseline():
    bare = of(judged(), None)
    assert bare.host == "Li6PS5Cl"
    assert bare.energy_above_hull_ev == pytest.approx(0.0, abs=1e-9)
    # Li3PS4 + 5 Li -> P + 4 Li2S and Li2S -> S + 2 Li.
    assert bare.reduction_limit_v == pytest.approx(1.76)
    assert bare.oxidation_limit_v == pytest.approx(2.1)
    # Li6PS5Cl + 8 Li -> Li3P + 5 Li2S + LiCl: 11.8 eV over 13 atoms, or over 21 with the lithium.
    assert bare.decomposition_energy_ev == pytest.approx(-11.8 / 13)
    assert set(bare.decomposition_products) == {"Li3P", "Li2S", "LiCl"}
    assert bare.lithium_reaction_ev == pytest.approx(-11.8 / 21)
    assert bare.electrolyte_reaction_ev is None
    assert bare.reaction_energy_ev == bare.lithium_reaction_ev


def test_a_coating_that_reacts_with_neither_side():
    sulfide = of(judged(), "Li2S")
    assert sulfide.reduction_limit_v == pytest.approx(0.0, abs=1e-9)
    assert sulfide.oxidation_limit_v == pytest.approx(2.1)
    assert sulfide.reaction_energy_ev == 0
    assert {one.contact for one in sulfide.reactions} == {"lithium", "electrolyte"}
    assert sulfide.converged


def test_a_coating_that_reduces_the_electrolyte():
    # 5 Li3P + 3 Li3PS4 -> 12 Li2S + 8 P: 12 * 4.2 - 15.0 - 24.0 = 11.4 eV over 44 atoms; the other
    # phases of Li6PS5Cl take no part, so that per atom of Li3P and Li6PS5Cl it is 11.4 / 59.
    phosphide = of(judged(), "Li3P")
    assert phosphide.electrolyte_reaction_ev == pytest.approx(-11.4 / 59)
    (reaction,) = (
        one
        for one in phosphide.reactions
        if one.contact == "electrolyte" and one.potential_v is None
    )
    assert set(reaction.products) == {"Li2S", "P", "LiCl"}
    # At 0 V both are Li3P, Li2S and LiCl, which do not react.
    assert phosphide.electrolyte_open_reaction_ev == 0
    assert phosphide.reaction_energy_ev == phosphide.electrolyte_reaction_ev


def test_a_label_above_the_hull_does_not_change_the_hull_of_others():
    found = judged(("Li2S", "Li2S-7"), own={"Li2S-7": -3.9})
    assert of(found, "Li2S-7").energy_above_hull_ev == pytest.approx(0.3 / 3)
    assert of(found, "Li2S-7").oxidation_limit_v == pytest.approx(2.1)
    assert of(found, "Li2S").energy_above_hull_ev == 0


def test_a_label_below_the_hull_is_judged_by_its_own():
    found = judged(("Li2S", "Li2S-7"), own={"Li2S-7": -4.5})
    assert of(found, "Li2S-7").energy_above_hull_ev == 0
    assert of(found, "Li2S-7").oxidation_limit_v == pytest.approx(2.25)
    assert of(found, "Li2S").oxidation_limit_v == pytest.approx(2.1)


def test_a_phase_that_failed_is_left_out_and_named():
    found = of(judged(failing=("P2S5",)), "Li2S")
    assert found.converged
    assert found.hull_left_out == ("P2S5: out of steps; relax it again",)
    assert "P2S5" not in found.hull_phases


def test_without_a_reference_there_is_no_number_and_the_reason_stands():
    found = of(judged(failing=("Cl",)), "LiCl")
    assert found.reduction_limit_v is None
    assert "no reference for Cl" in found.evidence["reduction_limit_v"].failure
    assert not found.converged
    assert of(judged(failing=("Cl",)), "Li2S").reduction_limit_v == pytest.approx(0.0, abs=1e-9)


def test_a_crystal_that_failed_is_computed_no_further():
    found = judged(failing=("Li2S",), competing=[n for n in FORMULAS if n != "Li2S"])
    failed = of(found, "Li2S")
    assert failed.crystal_structure is None
    assert failed not in found.documents
    assert "out of steps" in failed.evidence["reaction_energy_ev"].failure


def test_a_cathode_adds_its_contacts():
    found = of(judged(cathode="P2S5"), "Li2S")
    # 3 Li2S + P2S5 -> 2 Li3PS4: 16.0 - 12.6 - 2.0 = 1.4 eV over 16 atoms.
    assert found.cathode_reaction_ev == pytest.approx(-1.4 / 16)
    assert found.cathode_open_reaction_ev is not None
    closed, opened = (one for one in found.reactions if one.contact == "cathode")
    assert closed.potential_v is None
    assert opened.potential_v == pytest.approx(2.0)


def test_energies_of_a_teacher_take_the_place_of_the_potentials_own():
    table = [
        Phase(name, name, energy + sum(n * LEVELS[e] for e, n in amounts.items()), None, "teacher")
        for name, energy, amounts in (
            ("Li", 0.0, {"Li": 1}),
            ("S", 0.0, {"S": 1}),
            ("Cl", 0.0, {"Cl": 1}),
            ("P", 0.0, {"P": 1}),
            ("Li2S", -4.4, {"Li": 2, "S": 1}),
        )
    ]
    found = of(judged(("Li2S",), tabulated=table), "Li2S")
    assert found.oxidation_limit_v == pytest.approx(2.2)
    assert found.hull_energies == "teacher"
    assert "LiCl: the potential's teacher has no energy" in found.hull_left_out


def test_a_phase_without_a_teachers_energy_is_missed_in_its_own_systems_only():
    table = [Phase(name, name, LEVELS[name], None, "teacher") for name in LEVELS]
    found = of(judged(("Li2S",), competing=[*LEVELS, "Li2O", "P2S5"], tabulated=table), "Li2S")
    assert found.hull_left_out == ("P2S5: the potential's teacher has no energy",)


def test_the_funnel_keeps_the_reason_and_the_number():
    found = judged(funnel=Funnel())
    phosphide = of(found, "Li3P")
    (rejection,) = phosphide.rejections
    assert rejection.quantity == "electrolyte_reaction"
    assert rejection.value == pytest.approx(-11.4 / 59)
    assert rejection.threshold == -0.1
    assert phosphide.rejected == (
        "reaction energy with the electrolyte -0.193 eV/atom is under the threshold of -0.1 eV/atom"
    )
    assert [one.host for one in found.documents] == ["Li6PS5Cl", "Li2S", "LiCl"]


def with_barrier(value, **evidence):
    document = of(judged(), "Li2S")
    known = {**document.evidence, "migration_barrier_ev": Evidence(**evidence)}
    return document.model_copy(update={"migration_barrier_ev": value, "evidence": known})


def test_thresholds_apply_at_their_step_only():
    document = with_barrier(1.4, converged=True)
    assert rejections(document, Funnel(), "thermodynamics") == ()
    (missed,) = rejections(document, Funnel(), "migration")
    assert missed.text == "migration barrier 1.400 eV is over the threshold of 1 eV"
    assert rejections(document, None, "migration") == ()
    assert rejections(document, Funnel(max_migration_barrier=None), "migration") == ()


def test_a_number_that_did_not_converge_rejects_nothing():
    document = with_barrier(1.4, converged=False, failure="a hop diverged")
    assert rejections(document, Funnel(), "migration") == ()


def test_the_bare_electrolyte_is_never_rejected():
    strict = Funnel(max_reduction_limit=0.0, min_reaction_energy=0.0)
    assert of(judged(funnel=strict), None).rejections == ()


def test_candidates_survive_the_way_through_a_store():
    found = judged(funnel=Funnel())
    again = Candidates.from_dict(found.as_dict())
    assert again.every() == found.every()
    assert again.hosts() == found.hosts()
    collected = found.collected(["Li6PS5Cl"], ["LiCl", "Li3P", "Li2S"])
    documents = Collected.from_dict(collected.as_dict()).documents
    assert [one.coating for one in documents] == [None, "LiCl", "Li3P", "Li2S"]
    assert {one.coating: one for one in documents} == {one.coating: one for one in found.every()}
