"""The Materials Project's energies on a hull, and never on one with a potential's."""

import pytest
from pymatgen.core import Lattice, Structure
from pymatgen.entries.computed_entries import (
    ComputedEntry,
    ComputedStructureEntry,
    ConstantEnergyAdjustment,
)

from results.errors import ResultsError
from results.thermodynamics.materials_project import materials_project_phases
from results.thermodynamics.phases import Phase, phase_diagram


def entries() -> list[ComputedEntry]:
    """Li, S and Li2S with made-up energies, the last with a correction and two formula units."""
    lattice = Lattice.cubic(4.0)
    crystal = Structure(lattice, ["Li"] * 4 + ["S"] * 2, [[i / 6] * 3 for i in range(6)])
    corrected = ConstantEnergyAdjustment(-1.0)
    return [
        ComputedEntry("Li", -1.9, entry_id="mp-1-GGA", data={"material_id": "mp-1"}),
        ComputedEntry("S8", -33.0, entry_id="mp-2"),
        ComputedStructureEntry(crystal, -23.0, energy_adjustments=[corrected], entry_id="mp-3"),
    ]


def test_energies_are_per_formula_unit_with_their_corrections() -> None:
    lithium, sulfur, sulfide = materials_project_phases(entries())
    assert (lithium.name, lithium.formula, lithium.energy_ev) == ("mp-1", "Li", -1.9)
    assert sulfur.energy_per_atom_ev == pytest.approx(-33.0 / 8)
    assert (sulfide.formula, sulfide.energy_ev) == ("Li2S", -12.0)
    assert sulfide.volume_a3 == pytest.approx(64.0 / 2)
    formed = phase_diagram([lithium, sulfur, sulfide]).get_form_energy(sulfide.entry())
    assert formed == pytest.approx(-12.0 + 2 * 1.9 + 33.0 / 8)


def test_a_hull_refuses_them_beside_those_of_a_potential() -> None:
    phases = materials_project_phases(entries())
    own = Phase("Li3P", "Li3P", -14.0, None, "mini, 0123456789ab, float64")
    with pytest.raises(ResultsError, match=r"Materials Project.* and mini.* no correction scheme"):
        phase_diagram([*phases, own])


def test_a_hull_refuses_two_schemes() -> None:
    mixed = materials_project_phases(entries()[:1], "R2SCAN")
    with pytest.raises(ResultsError, match="no correction scheme"):
        phase_diagram([*materials_project_phases(entries()), *mixed])


@pytest.mark.parametrize(
    ("given", "thermo_type", "message"),
    [([], "R2SCAN", "entries: none"), (entries(), "PBE", "'PBE': unknown; choose from GGA_GGA")],
)
def test_bad_input(given: list[ComputedEntry], thermo_type: str, message: str) -> None:
    with pytest.raises(ResultsError, match=message):
        materials_project_phases(given, thermo_type)
