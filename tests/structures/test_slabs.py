"""Slabs against surface lattices, symmetry and an independent builder."""

import math

import numpy as np
import pytest
from ase import Atoms
from ase.build import fcc111, hcp0001
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core.structure import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from structures.conversion import as_atoms
from structures.crystal_library import crystal
from structures.errors import StructureError
from structures.miller import miller_index
from structures.models import Facet
from structures.slabs import (
    faces_equivalent,
    facet,
    facet_set,
    facets,
    turned_over,
    with_frozen_bottom,
)

CU = 3.6149


def vacuum(slab: Structure) -> float:
    return float(slab.lattice.c - np.ptp(slab.cart_coords[:, 2]))


def check_geometry(found: Facet) -> None:
    slab = found.structure
    a, b, c = slab.lattice.matrix
    assert a[1:] == pytest.approx([0, 0])
    assert b[2] == pytest.approx(0)
    assert c[:2] == pytest.approx([0, 0])
    assert np.linalg.det(slab.lattice.matrix) > 0
    # Reduced: neither sum nor difference is shorter than the longer of the two.
    longest = max(np.linalg.norm(a), np.linalg.norm(b))
    assert min(np.linalg.norm(a + b), np.linalg.norm(a - b)) > longest - 1e-6
    heights = slab.cart_coords[:, 2]
    assert heights.min() == pytest.approx(c[2] - heights.max())


@pytest.mark.parametrize(
    ("index", "area"),
    [
        ((1, 1, 1), math.sqrt(3) / 4 * CU**2),
        ((1, 0, 0), CU**2 / 2),
        ((1, 1, 0), CU**2 / math.sqrt(2)),
        # A facet of all-odd indices has the area of N = h2 + k2 + l2 in units of a2/4.
        ((1, 1, 5), math.sqrt(27) / 4 * CU**2),
        ((3, 1, 1), math.sqrt(11) / 4 * CU**2),
        ((2, 1, 0), math.sqrt(5) / 2 * CU**2),
    ],
)
def test_area_of_copper_facets(index: tuple[int, int, int], area: float) -> None:
    found = facet("Cu", index)
    assert found.area == pytest.approx(area)
    check_geometry(found)


@pytest.mark.parametrize(
    ("name", "index", "density"),
    [  # atoms per Å² of the top layer
        ("Cu", (1, 1, 1), 4 / math.sqrt(3) / CU**2),
        ("Cu", (1, 0, 0), 2 / CU**2),
        ("Li", (1, 1, 0), math.sqrt(2) / 3.5101**2),
        ("Li", (1, 0, 0), 1 / 3.5101**2),
        ("Mg", (0, 0, 0, 1), 2 / math.sqrt(3) / 3.2093**2),
        ("Zn", (0, 0, 0, 1), 2 / math.sqrt(3) / 2.6650**2),
        ("graphene", (0, 0, 1), 4 / math.sqrt(3) / 2.4612**2),
    ],
)
def test_density_of_the_top_layer(name: str, index: tuple[int, ...], density: float) -> None:
    found = facet(name, index)
    heights = found.structure.cart_coords[:, 2]
    assert (heights > heights.max() - 0.1).sum() / found.area == pytest.approx(density)


@pytest.mark.parametrize(
    ("ours", "reference"),
    [
        (
            facet("Cu", (1, 1, 1), min_thickness=4 * CU / math.sqrt(3) - 0.1),
            fcc111("Cu", (1, 1, 4), a=CU, vacuum=7.5),
        ),
        (
            facet("Mg", (0, 0, 1), min_thickness=10.0),
            hcp0001("Mg", (1, 1, 4), a=3.2093, c=5.2107, vacuum=7.5),
        ),
    ],
    ids=["Cu(111)", "Mg(0001)"],
)
def test_slab_equals_that_of_ase(ours: Facet, reference: Atoms) -> None:
    expected = Structure(
        reference.cell.array,
        reference.get_chemical_symbols(),
        reference.get_positions(),
        coords_are_cartesian=True,
    )
    assert len(ours.structure) == len(expected)
    assert ours.area == pytest.approx(np.linalg.norm(np.cross(*expected.lattice.matrix[:2])))
    assert ours.structure.lattice.c == pytest.approx(expected.lattice.c)
    spectra = [
        sorted(n.nn_distance for site in s for n in s.get_neighbors(site, 6.0))
        for s in (ours.structure, expected)
    ]
    assert spectra[0] == pytest.approx(spectra[1], abs=1e-6)


@settings(deadline=None, max_examples=20)
@given(st.tuples(*[st.integers(-3, 3)] * 3).filter(any))
def test_any_facet_of_a_cubic_crystal_is_a_slab_of_the_bulk(index: tuple[int, int, int]) -> None:
    found = facet("Cu", index, min_thickness=8.0)
    check_geometry(found)
    assert found.symmetric
    assert found.stoichiometric
    # The area of the primitive cell of a lattice plane is its atomic volume over its spacing.
    h2 = sum(i * i for i in miller_index(index))
    odd = all(i % 2 for i in miller_index(index))
    spacing = CU / math.sqrt(h2) / (1 if odd else 2)
    assert found.area == pytest.approx(CU**3 / 4 / spacing)
    layers = math.ceil(8.0 / spacing - 1e-6)
    assert len(found.structure) == layers
    # Inside the slab every atom has the twelve neighbours of the bulk.
    distances = found.structure.distance_matrix
    assert distances[distances > 0.1].min(initial=99.0) >= CU / math.sqrt(2) - 1e-6
    assert float(found.structure.volume / found.structure.lattice.c) == pytest.approx(found.area)


def test_thickness_and_vacuum_are_in_angstrom() -> None:
    spacing = CU / math.sqrt(3)
    for thickness, layers in ((6.0, 3), (10.0, 5), (20.0, 10)):
        slab = facet("Cu", (1, 1, 1), min_thickness=thickness, min_vacuum=12.0).structure
        assert len(slab) == layers == math.ceil(thickness / spacing)
        assert vacuum(slab) == pytest.approx(12.0)


def test_max_index_gives_one_facet_of_each_family() -> None:
    assert [f.miller_index for f in facets(crystal("Cu"), max_index=1)] == [
        *[(1, 0, 0), (1, 1, 0), (1, 1, 1)]
    ]


def test_close_packed_and_listed_facets() -> None:
    assert [f.miller_index for f in facets("Li", close_packed=True)] == [(1, 1, 0)]
    listed = facets("Mg", miller_indices=[(0, 0, 0, 1), (0, 0, 2), (1, 0, -1, 0)])
    assert [f.miller_index for f in listed] == [(0, 0, 1), (1, 0, 0), (1, 0, 0)]
    # The prism plane of hcp can be cut between near or between far layers.
    assert len({f.termination for f in listed if f.miller_index == (1, 0, 0)}) == 2


@pytest.mark.parametrize("name", ["Li", "Mg", "Si", "Sn"])
def test_primitive_cell_atoms_and_supercell_give_the_same_facets(name: str) -> None:
    structure = crystal(name)
    primitive = SpacegroupAnalyzer(structure).get_primitive_standard_structure()
    expected = [(f.miller_index, f.area, len(f.structure)) for f in facets(structure)]
    for same in (primitive, as_atoms(structure), structure * (2, 1, 1)):
        found = [(f.miller_index, f.area, len(f.structure)) for f in facets(same)]
        assert [f[::2] for f in found] == [e[::2] for e in expected]
        assert [f[1] for f in found] == pytest.approx([e[1] for e in expected], rel=1e-4)


def test_a_relaxed_noisy_cell_is_cut_like_the_perfect_one() -> None:
    noisy = crystal("Mg")
    noisy.perturb(1e-3)
    noisy.apply_strain(0.01)
    assert [(f.miller_index, len(f.structure)) for f in facets(noisy)] == [
        (f.miller_index, len(f.structure)) for f in facets("Mg")
    ]


@pytest.mark.parametrize(
    ("name", "index", "labels"),
    [
        ("Cu", (1, 1, 1), {"Cu"}),
        ("LiF", (1, 0, 0), {"LiF"}),
        # Fluorite (111): between Li-O-Li sandwiches, and the two ways to break one up.
        ("Li2O", (1, 1, 1), {"Li-1", "Li-2", "O"}),
        ("Li3N", (0, 0, 1), {"Li2N", "Li"}),
        # Wurtzite (0001): two cuts, each with a Zn and an O face, no two of them equivalent.
        ("ZnO", (0, 0, 1), {"Zn-1", "O-1", "O-2", "Zn-2"}),
        ("Si", (1, 1, 1), {"Si-1", "Si-2"}),
    ],
)
def test_all_terminations_are_listed_with_unique_labels(
    name: str, index: tuple[int, int, int], labels: set[str]
) -> None:
    found = facets(name, miller_indices=[index])
    assert {f.termination for f in found} == labels
    assert len(found) == len(labels)


def test_first_termination_cuts_the_fewest_bonds() -> None:
    # Si(111) between bilayers leaves one dangling bond per atom, within one three.
    slab = facet("Si", (1, 1, 1)).structure
    top = int(np.argmax(slab.cart_coords[:, 2]))
    assert len(slab.get_neighbors(slab[top], 2.6)) == 3
    # Between the Li-O-Li sandwiches of Li2O(111) an oxygen loses one bond of eight.
    oxide = facet("Li2O", (1, 1, 1)).structure
    oxygen = [i for i in range(len(oxide)) if oxide[i].specie.symbol == "O"]
    assert {len(oxide.get_neighbors(oxide[i], 2.2)) for i in oxygen} == {7, 8}


@pytest.mark.parametrize("name", ["LiF", "Li2O", "Li3N", "CuO"])
def test_symmetric_slabs_have_equivalent_faces(name: str) -> None:
    for found in facets(name, 1):
        assert found.symmetric
        assert faces_equivalent(found.structure)
        exact = (
            found.structure.composition.reduced_formula == found.bulk.composition.reduced_formula
        )
        assert found.stoichiometric == exact
        # Half the open gap of either cut belongs to the thickness; none is wider than 3 Å here.
        assert np.ptp(found.structure.cart_coords[:, 2]) > 10.0 - 3.0


def test_polar_slabs_are_given_with_either_face_on_top() -> None:
    zinc, oxygen = facets("ZnO", miller_indices=[(0, 0, 1)])[:2]
    for found, top in ((zinc, "Zn"), (oxygen, "O")):
        assert not found.symmetric
        assert found.stoichiometric
        order = np.argsort(found.structure.cart_coords[:, 2])
        assert found.structure[int(order[-1])].specie.symbol == top
    heights = [np.sort(f.structure.cart_coords[:, 2]) for f in (zinc, oxygen)]
    assert heights[0] == pytest.approx(zinc.structure.lattice.c - heights[1][::-1])


def test_stoichiometric_slabs_on_request() -> None:
    found = facets("Li3N", miller_indices=[(0, 0, 1)], symmetric=False)
    assert all(f.stoichiometric and not f.symmetric for f in found)
    assert {f.termination for f in found} == {"Li2N", "Li"}


def test_turning_over_twice_gives_the_slab_back() -> None:
    slab = facet("ZnO", (1, 0, 1)).structure
    twice = turned_over(turned_over(slab))
    assert np.allclose(twice.lattice.matrix[:2], slab.lattice.matrix[:2])
    distances = [s.distance_matrix[np.triu_indices(len(s), 1)] for s in (slab, twice)]
    assert np.sort(distances[0]) == pytest.approx(np.sort(distances[1]))


def test_a_sheet_has_one_facet() -> None:
    (found,) = facets("graphene")
    assert (found.miller_index, len(found.structure)) == ((0, 0, 1), 2)
    assert found.structure.lattice.c == pytest.approx(15.0)
    assert facets("graphene", close_packed=True)[0].miller_index == (0, 0, 1)
    with pytest.raises(StructureError, match=r"\[1, 0, 0\] cuts through graphene"):
        facet("graphene", (1, 0, 0))


def test_campaign_specifications() -> None:
    assert [f.miller_index for f in facet_set("Cu", "close_packed")] == [(1, 1, 1)]
    assert len(facet_set("Cu", {"max_index": 1})) == 3
    assert facet_set("Cu", [[1, 1, 5]])[0].miller_index == (1, 1, 5)
    thin = facet_set("Cu", "close_packed", min_thickness=4.0, host="copper")
    assert (len(thin[0].structure), thin[0].host) == (2, "copper")


@pytest.mark.parametrize("wrong", ["all", {"max": 1}, 3, None, {"max_index": 1, "x": 2}])
def test_bad_campaign_specification(wrong: object) -> None:
    with pytest.raises(StructureError, match=r"facets: .* is not understood"):
        facet_set("Cu", wrong)


def test_bad_input_is_named() -> None:
    with pytest.raises(StructureError, match="facets: the list is empty"):
        facets("Cu", miller_indices=[])
    with pytest.raises(StructureError, match="min_thickness: -1"):
        facets("Cu", min_thickness=-1)
    with pytest.raises(StructureError, match="min_vacuum"):
        facets("Cu", min_vacuum=float("nan"))
    with pytest.raises(StructureError, match="nearest: Cu"):
        facets("Cuu")
    with pytest.raises(StructureError, match="int is not a structure"):
        facets(5)
    half = Structure(np.eye(3) * 3, [{"Li": 0.5}], [[0, 0, 0]])
    with pytest.raises(StructureError, match="partly occupied"):
        facets(half)


def test_bottom_is_frozen_up_to_a_thickness() -> None:
    slab = facet("Cu", (1, 1, 1)).structure
    frozen = with_frozen_bottom(slab, CU / math.sqrt(3))
    flags = np.array(frozen.site_properties["selective_dynamics"])
    heights = frozen.cart_coords[:, 2]
    assert (flags.all(axis=1) == (heights > np.sort(heights)[1] + 0.1)).all()
    assert "selective_dynamics" not in slab.site_properties
    assert len(as_atoms(frozen).constraints[0].get_indices()) == 2
