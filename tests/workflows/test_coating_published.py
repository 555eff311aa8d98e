"""Published thermodynamics of electrolytes and coatings, on the library's hulls.

Windows and products: Zhu, He and Mo, ACS Appl. Mater. Interfaces 7, 23685 (2015), and Richards et
al., Chem. Mater. 28, 266 (2016), from PBE energies with the Materials Project's corrections. The
energies behind the fast tests are those of CHGNet in `workflows.teacher_energies`, which the hulls
for `mini` are made of; the slow ones relax with CHGNet itself.
"""

import pytest
from pymatgen.core.composition import Composition

from results.thermodynamics.phases import phase_diagram
from results.thermodynamics.reactions import closed_reaction
from results.thermodynamics.windows import (
    decomposition_at,
    electrochemical_window,
    height_above,
    hull_level,
)
from structures import crystal_names_within
from workflows.teacher_energies import TABLE, primitive_crystal, teacher_phases

TOLERANCE = 0.3
"""V; the published windows of two groups differ by up to 0.1, those of two correction schemes more.
"""
OXIDATION = {"LiF": 6.38, "LiCl": 4.21, "Li2O": 2.90, "Li2S": 2.01, "Li3N": 0.45}
REDUCTION = {"Li3PS4": 1.71, "Li6PS5Cl": 1.71, "Li3PO4": 0.69}
OXIDISED = {
    "Li3PS4": (2.31, {"P2S5", "S"}),
    "Li6PS5Cl": (2.01, {"Li3PS4", "LiCl", "S"}),
}
AT_ZERO = {
    "Li3PS4": {"Li3P", "Li2S"},
    "Li6PS5Cl": {"Li3P", "Li2S", "LiCl"},
    "Li3PO4": {"Li3P", "Li2O"},
}


def diagram_of(formula):
    elements = {"Li", *(e.symbol for e in Composition(formula).elements)}
    # As in the screen, potentials count from bcc lithium.
    names = set(crystal_names_within(elements)) - {"Li-fcc", "Li-hcp"}
    return phase_diagram(teacher_phases("mini", sorted(names)))


@pytest.mark.parametrize(("formula", "published"), OXIDATION.items())
def test_windows_of_binaries(formula, published):
    window = electrochemical_window(diagram_of(formula), Composition(formula))
    assert window.reduction_limit == pytest.approx(0.0, abs=1e-6)
    assert window.oxidation_limit == pytest.approx(published, abs=TOLERANCE)


@pytest.mark.parametrize(("formula", "published"), REDUCTION.items())
def test_reduction_limits(formula, published):
    window = electrochemical_window(diagram_of(formula), Composition(formula))
    assert window.reduction_limit == pytest.approx(published, abs=TOLERANCE)


@pytest.mark.parametrize(("formula", "published"), OXIDISED.items())
def test_oxidation_limits_of_electrolytes(formula, published):
    limit, products = published
    window = electrochemical_window(diagram_of(formula), Composition(formula))
    assert window.oxidation_limit == pytest.approx(limit, abs=TOLERANCE)
    assert set(window.oxidation_products) == products


@pytest.mark.parametrize(("formula", "products"), AT_ZERO.items())
def test_products_at_0_v(formula, products):
    found = decomposition_at(diagram_of(formula), Composition(formula), 0.0)
    assert set(found.products) == products


def test_decomposition_energies_at_0_v():
    # -1.42 and -0.96 eV/atom; the tolerance is that of ten per cent in every energy.
    for formula, published in (("Li3PS4", -1.42), ("Li6PS5Cl", -0.96)):
        found = decomposition_at(diagram_of(formula), Composition(formula), 0.0)
        assert found.energy == pytest.approx(published, abs=0.15)


@pytest.mark.parametrize("formula", ["LiF", "LiCl", "Li2O", "Li2S", "Li3N", "Li3P"])
def test_coatings_stable_against_lithium(formula):
    diagram = diagram_of(formula)
    assert closed_reaction(diagram, Composition(formula), Composition("Li")).energy == 0


@pytest.mark.parametrize("formula", ["Li3PS4", "Li6PS5Cl", "Li3PO4"])
def test_phases_that_exist_are_on_the_hull_or_near_it(formula):
    (phase,) = teacher_phases("mini", [formula])
    level = hull_level(diagram_of(formula), phase.composition)
    assert height_above(level, phase.energy_per_atom_ev) < 0.03


def test_the_table_holds_what_the_example_needs():
    needed = {"Li", "P", "S", "Cl2", "F2", "O2", "N2", *OXIDATION, *REDUCTION, "Li3P"}
    needed |= {"LiP", "P2S5", "P4S3", "Li7PS6"}
    assert {phase.name for phase in teacher_phases("mini", needed)} == needed
    assert teacher_phases("chgnet", needed) is None


def test_a_crystal_that_changed_is_not_taken_from_the_table(monkeypatch):
    strained = primitive_crystal("LiF")
    strained.apply_strain(0.01)
    monkeypatch.setattr("workflows.teacher_energies.primitive_crystal", lambda _: strained)
    assert teacher_phases("mini", ["LiF"]) == []


@pytest.mark.slow
@pytest.mark.parametrize("formula", ["LiF", "LiCl", "Li2O", "Li2S", "Li3N"])
def test_the_table_is_what_chgnet_gives(formula):
    pytest.importorskip("chgnet")
    from potentials import load_potential

    names = crystal_names_within({"Li", *(e.symbol for e in Composition(formula).elements)})
    phases = [phase for phase in teacher_phases("mini", names) or [] if phase.name != "S"]
    engine = load_potential("chgnet").engine()
    cells = [primitive_crystal(phase.name) for phase in phases]
    found = engine.relax(cells, fmax=0.05, cell="full", max_steps=300)
    for phase, cell, relaxed in zip(phases, cells, found, strict=True):
        assert relaxed.energy / len(cell) == pytest.approx(phase.energy_per_atom_ev, abs=2e-3)


def test_the_table_names_its_source():
    header, first, *_ = TABLE.read_text(encoding="utf-8").splitlines()
    assert header == "crystal,structure,formula,energy_ev,volume_a3,source"
    assert "chgnet" in first
