"""Hulls and voltage curves held to pymatgen's and to a two-phase system worked out by hand."""

import numpy as np
import pytest
from pymatgen.apps.battery.insertion_battery import InsertionElectrode
from pymatgen.core import Lattice, Structure
from pymatgen.entries.computed_entries import ComputedStructureEntry

from results.errors import ResultsError
from results.thermodynamics.phases import Phase
from results.thermodynamics.voltages import average_voltage, binary_hull, voltage_curve

E_LI, E_HOST = -1.9, -3.7


def alloy(n_li, formation_energy, *, name=None, volume=None):
    """LiₙAl with a formation energy in eV/atom and 16 Å³ per atom."""
    formula = "Al" if n_li == 0 else f"Li{n_li}Al"
    energy = n_li * E_LI + E_HOST + (n_li + 1) * formation_energy
    return Phase(name or formula, formula, energy, volume or 16.0 * (n_li + 1), "made up")


LITHIUM = Phase("Li", "Li", E_LI, 20.0, "made up")
ALUMINIUM = alloy(0, 0.0)


def curve_of(*alloys):
    return voltage_curve(binary_hull([LITHIUM, ALUMINIUM, *alloys], "Al"), E_LI)


def test_one_alloy_gives_one_plateau_at_its_formation_energy_per_lithium():
    (plateau,) = curve_of(alloy(1, -0.17))
    assert plateau.voltage_v == pytest.approx(2 * 0.17)
    assert (plateau.start, plateau.end) == ("Al", "Li1Al")
    assert plateau.volume_per_li_a3 == pytest.approx(16.0)


def test_a_phase_above_the_hull_has_no_plateau():
    hull = binary_hull([LITHIUM, ALUMINIUM, alloy(1, -0.17), alloy(3, -0.02)], "Al")
    (unstable,) = [one for one in hull if not one.stable]
    # The tie line from LiAl to Li at 75 % Li is at half of -0.17 eV.
    assert unstable.above_hull_ev == pytest.approx(0.085 - 0.02)
    assert len(voltage_curve(hull, E_LI)) == 1


def test_two_phases_as_stable_as_each_other_are_one_corner():
    """As where an enumerated arrangement relaxes into a phase of the library."""
    twice = curve_of(alloy(1, -0.17), alloy(1, -0.17, name="bcc-LiAl-1"))
    assert [plateau.voltage_v for plateau in twice] == [pytest.approx(2 * 0.17)]


def test_nothing_stable_is_no_alloying():
    assert curve_of(alloy(1, 0.05)) == ()
    with pytest.raises(ResultsError, match="does not alloy"):
        average_voltage(())


def test_the_average_is_the_voltage_of_the_whole_reaction():
    curve = curve_of(alloy(1, -0.17), alloy(3, -0.11))
    assert average_voltage(curve) == pytest.approx(4 * 0.11 / 3)


def random_alloys(seed):
    rng = np.random.default_rng(seed)
    return [alloy(n, -rng.uniform(0.02, 0.3)) for n in (1, 2, 3, 4, 5)]


@pytest.mark.parametrize("seed", range(5))
def test_voltages_and_phases_are_those_of_pymatgens_insertion_electrode(seed):
    alloys = random_alloys(seed)
    entries = [entry_of(phase) for phase in (ALUMINIUM, *alloys)]
    electrode = InsertionElectrode.from_entries(entries, entry_of(LITHIUM), strip_structures=False)
    curve = curve_of(*alloys)
    # pymatgen's hull does not hold lithium itself and goes on below 0 V, where lithium plates.
    expected = sorted((p.voltage for p in electrode.voltage_pairs if p.voltage > 0), reverse=True)
    assert [p.voltage_v for p in curve] == pytest.approx(expected)
    assert average_voltage(curve) == pytest.approx(electrode.get_average_voltage(min_voltage=0))


def entry_of(phase):
    """A cell of the phase's composition and volume; where its atoms are does not matter."""
    species = [element.symbol for element, n in phase.composition.items() for _ in range(int(n))]
    positions = [[i / len(species), 0, 0] for i in range(len(species))]
    lattice = Lattice.cubic(phase.volume_a3 ** (1 / 3))
    return ComputedStructureEntry(Structure(lattice, species, positions), phase.energy_ev)


@pytest.mark.parametrize("seed", range(5))
def test_voltages_fall_along_the_curve(seed):
    voltages = [plateau.voltage_v for plateau in curve_of(*random_alloys(seed))]
    assert voltages == sorted(voltages, reverse=True)
    assert voltages[-1] > 0


def test_a_phase_of_another_element_is_refused():
    copper = Phase("Cu", "Cu", -4.0, 12.0, "made up")
    with pytest.raises(ResultsError, match="Cu holds Cu; give phases of Li and Al only"):
        binary_hull([LITHIUM, ALUMINIUM, copper], "Al")
