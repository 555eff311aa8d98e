"""Voids and interstitial hops of crystals whose voids are known."""

import numpy as np
import pytest

from structures import StructureError, crystal
from structures.interstitial_hops import interstitial_hops, voids
from structures.vacancy_hops import relaxed_ends


def test_voids_of_rock_salt_are_its_tetrahedral_sites():
    salt = crystal("LiF")
    found = voids(salt)
    assert len(found) == 8
    a = salt.lattice.a
    for place, width in found:
        np.testing.assert_allclose(np.abs(place % 0.5 - 0.25), 0.0, atol=1e-6)
        assert width == pytest.approx(a * np.sqrt(3) / 4)


def test_voids_of_antifluorite_are_its_octahedral_sites():
    sulfide = crystal("Li2S")
    found = voids(sulfide)
    widest = [place for place, width in found if width == pytest.approx(found[0][1], abs=1e-3)]
    assert len(widest) == 4
    # At the middle of the cell and of its edges, in the middle of eight lithium atoms.
    assert found[0][1] == pytest.approx(sulfide.lattice.a * np.sqrt(3) / 4)
    for place in widest:
        assert sorted(np.round(place * 2) % 2) in ([0, 0, 1], [1, 1, 1])


def test_hops_in_rock_salt_are_along_the_edges_of_the_cube_of_voids():
    salt = crystal("LiF")
    (hop,) = interstitial_hops(salt, min_length=7.0)
    assert hop.distance == pytest.approx(salt.lattice.a / 2)
    assert hop.start == hop.end == "void 8c"
    lithium = hop.initial.composition["Li"]
    assert lithium == hop.initial.composition["F"] + 1
    assert hop.final.composition == hop.initial.composition
    # Two voids in the primitive cell, six neighbours each, every hop counted once.
    assert len(hop.images) == 6
    (moved,) = np.flatnonzero(
        np.abs(hop.final.frac_coords - hop.initial.frac_coords).max(axis=1) > 1e-6
    )
    assert moved == len(hop.initial) - 1
    apart = hop.final[int(moved)].coords - hop.initial[int(moved)].coords
    assert np.linalg.norm(apart) == pytest.approx(hop.distance)
    for end in (hop.initial, hop.final):
        distances = end.distance_matrix[-1, :-1]
        assert distances.min() == pytest.approx(salt.lattice.a * np.sqrt(3) / 4, abs=1e-6)


def test_a_dense_metal_has_no_room():
    copper = crystal("Cu")
    # Its octahedral voids are half an edge from six atoms.
    assert voids(copper)[0][1] == pytest.approx(copper.lattice.a / 2)
    copper.scale_lattice(3.1**3)
    assert interstitial_hops(copper, "Li") == []


def test_an_ion_that_leaves_its_void_is_named():
    (hop,) = interstitial_hops(crystal("LiF"), min_length=7.0)
    with pytest.raises(StructureError, match="extra ion on void 8c: does not stay there"):
        relaxed_ends(hop, hop.final, hop.initial)


def test_nothing_hops_through_atoms():
    """The widest voids of Li6PS5Cl are joined by lines that pass 1.1 Å from lithium only."""
    hops = interstitial_hops(crystal("Li3PS4"))
    assert hops
    for hop in hops:
        *others, mover = hop.initial.cart_coords
        apart = hop.final.cart_coords[-1] - mover
        for part in np.linspace(0, 1, 7):
            probe = hop.initial.copy()
            probe.translate_sites([len(others)], part * apart, frac_coords=False)
            assert probe.distance_matrix[-1, :-1].min() > 1.3
    argyrodite = crystal("Li6PS5Cl")
    assert len(voids(argyrodite)) > 1
    assert interstitial_hops(argyrodite) == []


def test_xenon_is_refused():
    gas = crystal("LiF")
    gas.replace_species({"F": "Xe"})
    with pytest.raises(StructureError, match="holds Xe"):
        interstitial_hops(gas)
