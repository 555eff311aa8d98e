import itertools

import numpy as np
import pytest
from ase.data import atomic_numbers

from potentials.distil import systems
from potentials.distil.crystals import (
    ELEMENTS,
    METALS,
    POLYANIONIC,
    SALTS,
    starting_crystals,
    supercell,
)
from potentials.distil.frames import is_held_out
from potentials.distil.interfaces import GAPS, contact
from potentials.distil.stages import STAGES

CHEAP = ("bulk", "slab", "adatom", "vacancy", "alloy")


@pytest.fixture(scope="module")
def crystals():
    return starting_crystals()


@pytest.fixture(scope="module")
def sampled(crystals):
    return {stage: list(STAGES[stage](crystals)) for stage in CHEAP}


def test_crystals_have_the_formula_of_their_name(crystals):
    for name in (*SALTS, *POLYANIONIC):
        formula = crystals[name].symbols.formula
        assert formula.reduce()[0].format("hill") == type(formula)(name).format("hill"), name


@pytest.mark.parametrize(
    ("name", "volume"),  # Å³/atom, PBE, all-electron (Lejaeghere et al. 2014), 12 % for experiment
    [("Li", 20.2), ("Cu", 11.95), ("Ni", 10.9), ("Al", 16.5), ("Ag", 17.8), ("Au", 18.0)],
)
def test_crystals_have_about_the_published_volume(crystals, name, volume):
    assert crystals[name].get_volume() / len(crystals[name]) == pytest.approx(volume, rel=0.03)


def test_names_are_unique_and_starts_are_reproducible(crystals, sampled):
    names = [s.name for stage in sampled.values() for s in stage]
    assert len(set(names)) == len(names)
    again = list(itertools.islice(STAGES["adatom"](crystals), 5))
    for a, b in zip(sampled["adatom"], again, strict=False):
        np.testing.assert_array_equal(a.atoms.positions, b.atoms.positions)


def test_all_required_elements_are_sampled(sampled):
    seen = {int(z) for s in sampled["bulk"] for z in s.atoms.numbers}
    assert seen == {atomic_numbers[e] for e in ELEMENTS}


def test_no_two_atoms_start_on_top_of_each_other(sampled):
    for stage in ("slab", "adatom", "alloy"):
        assert min(systems.shortest_distance(s.atoms) for s in sampled[stage][::5]) > 1.8, stage


def test_adatoms_are_over_the_slab_within_reach(crystals):
    slab = systems.metal_slab(crystals, "Cu", "fcc111", (2, 2, 3))
    for seed in range(20):
        atoms = systems.with_adatoms(slab, np.random.default_rng(seed), 1)
        nearest = atoms.get_distances(-1, range(len(slab)), mic=True).min()
        assert atoms.positions[-1, 2] > slab.positions[:, 2].max()
        assert 2.0 < nearest < 5.01


def test_supercell_is_as_large_as_allowed_and_compact(crystals):
    grown = supercell(crystals["Li3N"], 24)
    assert len(grown) <= 24
    assert grown.cell.lengths().max() / grown.cell.lengths().min() < 2.0


@pytest.mark.parametrize("metal", METALS)
def test_slab_of_each_facet_is_the_bulk_cut_open(crystals, metal):
    bulk_volume = crystals[metal].get_volume() / len(crystals[metal])
    for facet in systems.facets_of(metal):
        thin = systems.metal_slab(crystals, metal, facet, (1, 1, 4))
        thick = systems.metal_slab(crystals, metal, facet, (1, 1, 8))
        added = (len(thick) - len(thin)) * bulk_volume
        grown = np.ptp(thick.positions[:, 2]) - np.ptp(thin.positions[:, 2])
        area = thin.get_volume() / thin.cell[2, 2]
        assert grown * area == pytest.approx(added, rel=0.02), facet


def test_contact_is_the_film_over_the_substrate_in_one_cell(crystals):
    atoms, film = contact(crystals, (1, 0, 0), "Cu", (1, 0, 0))
    assert set(atoms[film].symbols) == {"Li"}
    assert set(atoms[~film].symbols) == {"Cu"}
    gap = atoms.positions[film, 2].min() - atoms.positions[~film, 2].max()
    assert gap == pytest.approx(2.4, abs=0.05)
    assert atoms.cell[2, 2] - np.ptp(atoms.positions[:, 2]) > 8.0
    assert min(GAPS) < 2.4 < max(GAPS)


def test_about_one_trajectory_in_sixteen_is_held_out(sampled):
    names = [s.name for stage in sampled.values() for s in stage]
    share = sum(map(is_held_out, names)) / len(names)
    assert 0.03 < share < 0.09


def test_lithium_on_its_way_between_sites_is_often_over_the_middle_of_a_bond(crystals):
    on_bridge = []
    for system in systems.hop_path_systems({m: crystals[m] for m in ("Cu", "Mg")}, range(6)):
        distances = system.atoms.get_distances(-1, range(len(system.atoms) - 1), mic=True)
        first, second = np.sort(distances)[:2]
        assert 2.2 < first < 3.0, system.name
        on_bridge.append(second - first < 0.05)
    assert 0.2 < np.mean(on_bridge) < 0.8
