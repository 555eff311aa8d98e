"""Vacancy hops held to coordination numbers and to pymatgen's symmetric neighbour lists."""

import numpy as np
import pytest

from structures import StructureError, crystal
from structures.vacancy_hops import percolating_hops, relaxed_ends, vacancy_hops

NEIGHBOURS = [("Li", 8), ("LiF", 12), ("Li2O", 6), ("LiAl", 4), ("LiAg", 6), ("Li3Au", 8)]


@pytest.mark.parametrize(("name", "coordination"), NEIGHBOURS)
def test_one_distinct_hop_to_every_nearest_neighbour(name, coordination):
    (hop,) = vacancy_hops(crystal(name))
    n_sites = sum(site.specie.symbol == "Li" for site in crystal(name).get_primitive_structure())
    # In Li3Au the octahedral site has eight neighbours and the two tetrahedral ones four each.
    assert len(hop.images) == coordination * (1 if name == "Li3Au" else n_sites / 2)


def test_distinct_hops_are_those_of_pymatgens_symmetric_neighbours():
    lithium = crystal("Li8Ag5")
    hops = vacancy_hops(lithium)
    lithium.remove_species(["Ag"])
    _, _, _, distances, groups, _ = lithium.get_symmetric_neighbor_list(
        hops[-1].distance + 1e-3, sg=217, unique=True
    )
    expected = sorted((distances[groups == group][0], group) for group in set(groups))
    assert [hop.distance for hop in hops] == pytest.approx([d for d, _ in expected], abs=1e-3)
    # The conventional cell holds two primitive ones.
    assert [2 * len(hop.images) for hop in hops] == [sum(groups == g) for _, g in expected]


@pytest.mark.parametrize("name", ["Li", "Li3Au", "Li3N", "Li9Al4", "Li6PS5Cl"])
def test_one_ion_moves_and_keeps_its_distances(name):
    for hop in vacancy_hops(crystal(name)):
        steps = np.linalg.norm(
            hop.initial.lattice.get_cartesian_coords(
                hop.final.frac_coords - hop.initial.frac_coords
            ),
            axis=1,
        )
        assert sorted(steps)[-2:] == pytest.approx([0, hop.distance], abs=1e-6)
        assert hop.initial.is_valid(1.5)
        assert hop.final.is_valid(1.5)
        lengths = hop.initial.lattice.get_lll_reduced_lattice().abc
        assert min(lengths) >= max(8.0, 2 * hop.distance)


def test_ends_of_the_same_label_are_equivalent():
    for hop in vacancy_hops(crystal("Li8Ag5")):
        around = [
            sorted(round(n.nn_distance, 3) for n in s.get_sites_in_sphere(position, 4.0))
            for s, position in _vacancies(hop)
        ]
        assert (around[0] == around[1]) == (hop.start == hop.end)


def _vacancies(hop):
    """Both ends with the Cartesian position that is empty."""
    moved = np.abs(hop.final.frac_coords - hop.initial.frac_coords).sum(axis=1).argmax()
    return (hop.initial, hop.final[moved].coords), (hop.final, hop.initial[moved].coords)


def test_travel_in_a_plane_is_easier_than_out_of_it():
    in_plane, out_of_plane = vacancy_hops(crystal("Li3N"))
    found = percolating_hops([in_plane, out_of_plane], [0.1, 0.7], {"Li 2c": 0.0, "Li 1b": 0.4})
    assert [(one.barrier, one.dimensions, one.hop) for one in found] == [(0.1, 2, 0), (0.7, 3, 1)]


def test_a_barrier_counts_from_the_most_stable_vacancy_on_the_way():
    (hop,) = vacancy_hops(crystal("Li3Au"))
    (found,) = percolating_hops([hop], [0.5], {"Li 4b": -0.2, "Li 8c": 0.1})
    assert found.barrier == pytest.approx(0.7)


def test_hops_that_are_not_known_are_not_made():
    hops = vacancy_hops(crystal("Li3N"))
    energies = {"Li 2c": 0.0, "Li 1b": 0.4}
    assert percolating_hops(hops, [None, None], energies) == ()
    assert [one.dimensions for one in percolating_hops(hops, [0.3, None], energies)] == [2]


def test_relaxed_ends_keep_the_way_short():
    (hop,) = vacancy_hops(crystal("LiAl"))
    final = hop.final.copy()
    for i in range(len(final)):
        final.translate_sites([i], [1, 0, -1], to_unit_cell=False)
    again = relaxed_ends(hop, hop.initial, final)
    assert np.allclose(again.final.frac_coords, hop.final.frac_coords)


def test_a_vacancy_that_moves_away_is_no_end():
    (hop,) = vacancy_hops(crystal("LiAl"))
    with pytest.raises(StructureError, match="vacancy on Li 8b: does not stay there"):
        relaxed_ends(hop, hop.final, hop.final)


def test_bad_input_is_one_line():
    with pytest.raises(StructureError, match="LiF holds no Na; choose from F, Li"):
        vacancy_hops(crystal("LiF"), "Na")
    hops = vacancy_hops(crystal("LiF"))
    with pytest.raises(StructureError, match="2 values for 1 hops"):
        percolating_hops(hops, [0.1, 0.2], {"Li 4a": 0.0})
    with pytest.raises(StructureError, match="none for the vacancy on Li 4a"):
        percolating_hops(hops, [0.1], {})
