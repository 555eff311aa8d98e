"""Phases from calculations, and what may stand on one hull."""

from dataclasses import replace

import pytest
from monty.json import MontyDecoder
from pymatgen.core import Lattice, Structure

from results.errors import ResultsError
from results.thermodynamics.phases import Phase, energies_from, phase_diagram, phase_of
from tests.results.samples import POTENTIAL, relaxed

LITHIUM = Phase("Li", "Li", -1.9, 20.2, "mini")
ALUMINIUM = Phase("Al", "Al", -3.7, 16.5, "mini")
ALLOY = Phase("LiAl", "LiAl", -6.0, 32.3, "mini")


def rock_salt():
    return Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(4.0), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )


def test_energy_and_volume_are_per_formula_unit():
    document = relaxed(
        1, final_structure=rock_salt(), energy_ev=-40.0, forces=[[0, 0, 0]] * len(rock_salt())
    )
    phase = phase_of("LiF", document)
    assert (phase.formula, phase.energy_ev, phase.energy_per_atom_ev) == ("LiF", -10.0, -5.0)
    assert phase.volume_a3 == pytest.approx(16.0)
    assert phase.fingerprint == document.fingerprint
    assert phase.energies_from == energies_from(POTENTIAL)


def test_a_relaxation_that_failed_is_no_phase():
    with pytest.raises(ResultsError, match="LiF: diverged"):
        phase_of("LiF", relaxed(1, converged=False, failure="diverged"))


def test_the_hull_knows_its_phases():
    diagram = phase_diagram([LITHIUM, ALUMINIUM, ALLOY])
    assert {entry.attribute for entry in diagram.stable_entries} == {LITHIUM, ALUMINIUM, ALLOY}
    assert diagram.get_form_energy_per_atom(ALLOY.entry()) == pytest.approx((-6.0 + 5.6) / 2)


@pytest.mark.parametrize(
    ("phases", "message"),
    [
        ([], "hull: has no phases"),
        ([ALUMINIUM, ALLOY], "no reference for Li; add a phase of Li alone"),
        ([LITHIUM, ALLOY, replace(ALUMINIUM, energies_from="other")], "no correction scheme"),
    ],
)
def test_a_hull_that_means_nothing_is_refused(phases, message):
    with pytest.raises(ResultsError, match=message):
        phase_diagram(phases)


def test_two_heads_of_a_model_are_two_sources():
    other = POTENTIAL.model_copy(update={"head": "omat"})
    assert energies_from(other) != energies_from(POTENTIAL)


def test_a_phase_travels_between_jobs():
    assert MontyDecoder().process_decoded(ALLOY.as_dict()) == ALLOY
