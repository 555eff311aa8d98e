"""Coherent interfaces: analytic strain, registries, checks of what is built."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from ase.calculators.emt import EMT
from pymatgen.core.structure import Structure

from structures.coherent_interfaces import check_interface, interfaces
from structures.conversion import as_atoms
from structures.crystal_library import crystal
from structures.errors import StructureError
from structures.in_plane import in_plane_vectors
from structures.lattice_match import lattice_matches
from structures.models import Facet, InterfaceModel, in_plane_area
from structures.slabs import facet, facets

CU, LI, AG = 3.6149, 3.5101, 4.0857


@cache
def slab(name: str, *index: int) -> Facet:
    return facet(name, index, min_thickness=8.0)


def energy(structure: Structure) -> float:
    atoms = as_atoms(structure)
    atoms.calc = EMT()
    return float(atoms.get_potential_energy())


PAIRS = [
    ((1, 1, 0), "Cu", (1, 1, 1)),
    ((1, 0, 0), "Cu", (1, 0, 0)),
    ((1, 1, 1), "Cu", (1, 1, 1)),
    ((1, 1, 0), "Cu", (1, 1, 5)),
    ((1, 1, 1), "Mg", (0, 0, 1)),
    ((1, 1, 1), "graphene", (0, 0, 1)),
    ((1, 0, 0), "LiF", (1, 0, 0)),
]


@pytest.mark.parametrize(("film_index", "host", "index"), PAIRS)
def test_built_interface_is_what_was_matched(
    film_index: tuple[int, int, int], host: str, index: tuple[int, int, int]
) -> None:
    film, substrate = slab("Li", *film_index), slab(host, *index)
    models = interfaces(film, substrate, registries=2)
    assert models
    for model in models:
        size = len(model.structure)
        assert size == len(model.film) + len(model.substrate) <= 200
        below = len(model.substrate) / len(substrate.structure)
        above = len(model.film) / len(film.structure)
        assert below == round(below)
        assert above == round(above)
        assert model.area == pytest.approx(below * substrate.area)
        assert in_plane_area(model.free_film) == pytest.approx(above * film.area)
        assert model.film_indices == tuple(range(len(model.substrate), size))
        assert [
            model.structure[i].species for i in model.film_indices
        ] == model.film.species_and_occu
        assert np.allclose(
            model.structure.cart_coords[: len(model.substrate)], model.substrate.cart_coords
        )
        assert np.allclose(
            model.structure.cart_coords[len(model.substrate) :], model.film.cart_coords
        )
        for part in (model.film, model.substrate):
            assert np.allclose(part.lattice.matrix, model.structure.lattice.matrix)
        heights = model.structure.cart_coords[:, 2]
        lowest_of_film = heights[list(model.film_indices)].min()
        assert lowest_of_film - model.substrate.cart_coords[:, 2].max() == pytest.approx(model.gap)
        assert model.structure.lattice.c - np.ptp(heights) == pytest.approx(15.0)
        assert model.substrate_strain == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(("film_index", "host", "index"), PAIRS)
def test_strain_is_that_between_the_cells_of_free_and_strained_film(
    film_index: tuple[int, int, int], host: str, index: tuple[int, int, int]
) -> None:
    model = interfaces(slab("Li", *film_index), slab(host, *index), registries=1)[0]
    free, strained = in_plane_vectors(model.free_film), in_plane_vectors(model.film)
    gradient = np.linalg.solve(free, strained).T
    # Rotation-free invariants of the Green-Lagrange strain.
    expected = np.linalg.eigvalsh((gradient.T @ gradient - np.eye(2)) / 2)
    xx, yy, xy = model.film_strain
    assert np.linalg.eigvalsh([[xx, xy], [xy, yy]]) == pytest.approx(expected, abs=1e-9)
    stretches = np.linalg.svd(gradient, compute_uv=False)
    assert np.abs(stretches - 1).max() <= 0.05 + 1e-9
    # The first row is the film stretched along x: a vector along x changes its length by this.
    inside = np.abs(np.linalg.norm(strained, axis=1) / np.linalg.norm(free, axis=1) - 1)
    assert inside.max() <= np.abs(stretches - 1).max() + 1e-9
    # Atoms of the free film keep the bulk's distances.
    bulk = crystal("Li")
    nearest = model.free_film.distance_matrix
    nearest = nearest[nearest > 0.1].min()
    assert nearest == pytest.approx(bulk.distance_matrix[0, 1], abs=1e-6)


def test_strain_of_an_epitaxial_film_is_analytic() -> None:
    # Silver (100) on copper (100) stretched to fit one to one: isotropic, lambda = a_Cu / a_Ag.
    ratio = CU / AG
    model = interfaces(slab("Ag", 1, 0, 0), slab("Cu", 1, 0, 0), max_strain=0.12, registries=1)[0]
    green_lagrange = (ratio**2 - 1) / 2
    assert model.film_strain == pytest.approx((green_lagrange, green_lagrange, 0), abs=1e-9)
    assert len(model.structure) == len(slab("Ag", 1, 0, 0).structure) + len(
        slab("Cu", 1, 0, 0).structure
    )


@pytest.mark.parametrize("index", [(1, 1, 1), (1, 0, 0), (1, 1, 0)])
def test_crystal_on_itself_needs_no_strain_and_is_the_bulk_when_in_registry(
    index: tuple[int, int, int],
) -> None:
    lower = slab("Cu", *index)
    spacing = {(1, 1, 1): CU / 3**0.5, (1, 0, 0): CU / 2, (1, 1, 0): CU / 8**0.5}[index]
    models = interfaces(lower, lower, registries=6, gap=spacing)
    assert all(model.film_strain == pytest.approx((0, 0, 0), abs=1e-9) for model in models)
    bulk = facet("Cu", index, min_thickness=2 * len(lower.structure) * spacing - 0.1).structure
    assert len(bulk) == len(models[0].structure)
    assert min(abs(energy(model.structure) - energy(bulk)) for model in models) < 1e-3


def test_registries_of_a_threefold_face() -> None:
    # Six by six shifts of (111) on (111): top, fcc, hcp and the distinct ones between.
    lower = slab("Cu", 1, 1, 1)
    models = interfaces(lower, lower, registries=6, gap=2.2)
    energies = np.sort([energy(model.structure) for model in models])
    # No two of those kept are the same structure (bridges lie between top and hollows).
    assert np.diff(energies).min() > 1e-6
    # All 36, without reduction, have no energy that the reduced ones lack.
    everything = []
    first = models[0]
    vectors = in_plane_vectors(lower.structure)
    size = len(first.substrate)
    for i in range(6):
        for j in range(6):
            moved = first.structure.copy()
            step = (np.array([i, j]) / 6 - np.array(first.registry)) @ vectors
            moved.translate_sites(
                list(range(size, len(moved))), [*step, 0.0], frac_coords=False, to_unit_cell=True
            )
            everything.append(energy(moved))
    distinct = np.unique(np.round(everything, 5))
    assert len(distinct) == len(models)
    assert np.sort(distinct) == pytest.approx(energies, abs=2e-5)


def test_registry_is_the_shift_from_atom_over_atom() -> None:
    models = interfaces(slab("Li", 1, 0, 0), slab("Cu", 1, 0, 0), registries=2)
    on_top = next(model for model in models if model.registry == (0.0, 0.0))
    size = len(on_top.substrate)
    top = on_top.substrate[int(np.argmax(on_top.substrate.cart_coords[:, 2]))]
    film = on_top.structure[size:]
    lowest = min(site.coords[2] for site in film)
    offsets = [(site.coords - top.coords)[:2] for site in film if site.coords[2] < lowest + 0.1]
    wrapped = on_top.structure.lattice
    assert min(
        np.linalg.norm(
            wrapped.get_all_distances(wrapped.get_fractional_coords([*o, 0.0]), [0.0, 0.0, 0.0])
        )
        for o in offsets
    ) == pytest.approx(0.0, abs=1e-6)


def test_more_registries_start_closer_where_atoms_mesh() -> None:
    models = interfaces(slab("Li", 1, 1, 1), slab("Cu", 1, 1, 1), registries=3)
    gaps = {model.registry: model.gap for model in models}
    assert gaps[0.0, 0.0] == max(gaps.values()) == pytest.approx(0.95 * (1.45 + 1.35), abs=0.01)
    assert min(gaps.values()) < 2.3


def test_every_pair_of_terminations_is_built_although_labels_collide() -> None:
    oxide = facets("Li2O", miller_indices=[(1, 1, 1)], min_thickness=6.0)
    assert sorted(f.termination for f in oxide) == ["Li-1", "Li-2", "O"]
    models = interfaces(
        slab("Li", 1, 1, 1),
        "Li2O",
        substrate_miller_index=(1, 1, 1),
        substrate_thickness=6.0,
        registries=1,
    )
    assert [model.termination for model in models] == ["Li|Li-1", "Li|O", "Li|Li-2"]
    assert len({model.structure.composition.formula for model in models}) == 3


def test_named_face_of_a_polar_film_is_the_one_that_touches() -> None:
    zinc, oxygen = facets("ZnO", miller_indices=[(0, 0, 1)], min_thickness=6.0)[:2]
    for film, symbol in ((zinc, "Zn"), (oxygen, "O")):
        model = interfaces(film, slab("Cu", 1, 1, 1), max_strain=0.1, registries=1)[0]
        lowest = min(model.film_indices, key=lambda i: model.structure[i].coords[2])
        assert model.structure[lowest].specie.symbol == symbol


def test_cheapest_match_comes_first_and_least_strained_of_those() -> None:
    film, substrate = slab("Li", 1, 1, 0).structure, slab("Cu", 1, 1, 1).structure
    matches = lattice_matches(film, substrate, max_strain=0.05, max_area=150, max_atoms=200)
    assert [m.atoms for m in matches] == sorted(m.atoms for m in matches)
    cheapest = [m for m in matches if m.atoms == matches[0].atoms]
    assert matches[0].largest_stretch == min(m.largest_stretch for m in cheapest)
    # Nothing cheaper exists: search all pairs of superlattices of fewer atoms by brute force.
    tighter = lattice_matches(
        film, substrate, max_strain=0.05, max_area=150, max_atoms=matches[0].atoms - 1
    )
    assert tighter == []
    strict = lattice_matches(film, substrate, max_strain=0.02, max_area=150, max_atoms=500)
    assert all(m.largest_stretch <= 0.02 for m in strict)
    assert strict[0].atoms > matches[0].atoms


def test_adhesion_is_recomputed_from_the_parts() -> None:
    # The energies of the parts in the same cell are what a work of adhesion needs.
    model = interfaces(slab("Ag", 1, 1, 1), slab("Cu", 1, 1, 1), max_strain=0.12, registries=3)[0]
    adhesion = (energy(model.film) + energy(model.substrate) - energy(model.structure)) / model.area
    assert 0 < adhesion * 16.02177 < 5


@pytest.mark.slow
def test_doubling_the_slabs_changes_adhesion_little() -> None:
    works = []
    for thickness in (8.0, 16.0):
        film = facet("Ag", (1, 1, 1), min_thickness=thickness)
        substrate = facet("Cu", (1, 1, 1), min_thickness=thickness)
        models = interfaces(film, substrate, max_strain=0.12, registries=3)
        works.append(
            max(
                (energy(m.film) + energy(m.substrate) - energy(m.structure)) / m.area
                for m in models
            )
        )
    assert works[1] == pytest.approx(works[0], rel=0.05)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_strain": -0.1}, "max_strain: -0.1"),
        ({"max_strain": 0}, "max_strain: 0"),
        ({"max_strain": math.nan}, "max_strain: nan"),
        ({"max_atoms": -5}, "max_atoms: -5"),
        ({"vacuum": 0}, "vacuum: 0"),
        ({"gap": -2.0}, "gap: -2.0"),
        ({"registries": 0}, "registries: 0"),
        ({"registries": (2, 2, 2)}, "registries"),
        ({"registries": True}, "registries: True"),
        ({"max_atoms": 11}, r"no common cell of Li\(1, 1, 0\) on Cu\(1, 1, 1\) within"),
    ],
)
def test_bad_limits_are_named(options: dict[str, float], message: str) -> None:
    with pytest.raises(StructureError, match=message) as error:
        interfaces(slab("Li", 1, 1, 0), slab("Cu", 1, 1, 1), **options)
    assert "\n" not in str(error.value)


def test_a_gap_too_narrow_is_widened_and_told() -> None:
    models = interfaces(slab("Li", 1, 1, 0), slab("Cu", 1, 1, 1), gap=0.5, registries=2)
    for model in models:
        size = len(model.substrate)
        closest = model.structure.distance_matrix[:size, size:].min()
        assert closest == pytest.approx(0.8 * (1.45 + 1.35), abs=0.01)
        assert model.gap > 1.5
    wide = interfaces(slab("Li", 1, 1, 0), slab("Cu", 1, 1, 1), gap=4.0, registries=1)
    assert wide[0].gap == 4.0


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (lambda m: replace(m, film=m.substrate), "the film is built as Cu"),
        (lambda m: replace(m, substrate=m.film), "the substrate is built as Li"),
        (lambda m: replace(m, structure=stretched(m.structure)), "its area is"),
        (lambda m: replace(m, structure=sunk(m)), "apart at a gap of"),
    ],
)
def test_broken_interface_is_an_error_naming_the_pair(
    broken: Callable[[InterfaceModel], InterfaceModel], message: str
) -> None:
    film, substrate = slab("Li", 1, 1, 0), slab("Cu", 1, 1, 1)
    model = interfaces(film, substrate, registries=1)[0]
    (match, *_) = lattice_matches(
        film.structure,
        substrate.structure,
        max_strain=0.05,
        max_area=200,
        max_atoms=200,
    )
    check_interface(model, film, substrate, match)
    with pytest.raises(StructureError, match=message) as error:
        check_interface(broken(model), film, substrate, match)
    assert "Li(1, 1, 0) on Cu(1, 1, 1), termination Li|Cu" in str(error.value)


def stretched(structure: Structure) -> Structure:
    return structure.copy().apply_strain([0.01, 0.0, 0.0], inplace=False)


def sunk(model: InterfaceModel) -> Structure:
    lowered = model.structure.copy()
    lowered.translate_sites(list(model.film_indices), [0, 0, -1.0], frac_coords=False)
    return lowered


def test_a_crystal_needs_its_facet() -> None:
    with pytest.raises(StructureError, match="film_miller_index: missing"):
        interfaces("Li", slab("Cu", 1, 1, 1))
    with pytest.raises(StructureError, match="substrate_miller_index: missing"):
        interfaces(slab("Li", 1, 1, 0), "Cu")


def test_models_come_from_crystals_as_from_facets() -> None:
    models: list[InterfaceModel] = interfaces(
        "Li",
        crystal("Cu"),
        film_miller_index=(1, 0, 0),
        substrate_miller_index=(1, 0, 0),
        film_thickness=6.0,
        substrate_thickness=4.0,
        registries=1,
    )
    assert [(m.film_host, m.substrate_host, m.termination) for m in models] == [
        ("Li", "Cu", "Li|Cu")
    ]
