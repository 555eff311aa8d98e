"""Adsorption sites against what symmetry and geometry say of well-known facets."""

import math

import numpy as np
import pytest

from structures.adsorption import _faces, adsorption_sites, atomic_radius, contact_heights
from structures.conversion import as_atoms
from structures.errors import StructureError
from structures.in_plane import face_operations, in_plane_vectors, smallest_transform, supercell
from structures.models import AdsorptionSite
from structures.slabs import facet

CU = 3.6149


def coordination(site: AdsorptionSite) -> int:
    distances = np.array(
        [n.nn_distance for n in site.structure.get_neighbors(site.structure[-1], 5.0)]
    )
    return int((distances < distances.min() + 0.05).sum())


@pytest.mark.parametrize(
    ("host", "index", "expected"),
    [  # label: (atoms that touch the adatom, equivalent sites per surface cell)
        (
            "Cu",
            (1, 1, 1),
            {"top": (1, 1), "bridge": (2, 3), "hollow-fcc": (3, 1), "hollow-hcp": (3, 1)},
        ),
        ("Cu", (1, 0, 0), {"top": (1, 1), "bridge": (2, 2), "hollow": (4, 1)}),
        (
            "Cu",
            (1, 1, 0),
            {"top": (1, 1), "bridge-short": (2, 1), "bridge-long": (2, 1), "hollow": (4, 1)},
        ),
        (
            "Mg",
            (0, 0, 1),
            {"top": (1, 1), "bridge": (2, 3), "hollow-fcc": (3, 1), "hollow-hcp": (3, 1)},
        ),
        (
            "Li",
            (1, 1, 0),
            {"top": (1, 1), "bridge-short": (2, 2), "bridge-long": (2, 1), "hollow": (3, 2)},
        ),
        ("Li", (1, 0, 0), {"top": (1, 1), "bridge": (2, 2), "hollow": (4, 1)}),
        ("graphene", (0, 0, 1), {"top": (1, 2), "bridge": (2, 3), "hollow": (6, 1)}),
        (
            "LiF",
            (1, 0, 0),
            {"top-Li": (1, 1), "top-F": (1, 1), "bridge": (2, 4), "hollow": (4, 2)},
        ),
    ],
)
def test_sites_of_known_facets(
    host: str, index: tuple[int, int, int], expected: dict[str, tuple[int, int]]
) -> None:
    # On LiF the larger radius of lithium decides what touches; a fixed height does not.
    thin = facet(host, index, min_thickness=6.0)
    sites = adsorption_sites(thin, min_separation=4.0)
    if host == "LiF":
        assert {site.label: site.multiplicity for site in sites} == {
            label: multiplicity for label, (_, multiplicity) in expected.items()
        }
        return
    assert {site.label: (coordination(site), site.multiplicity) for site in sites} == expected


def test_fcc_and_hcp_hollows_differ_by_the_second_layer() -> None:
    sites = {site.label: site for site in adsorption_sites(facet("Cu", (1, 1, 1)))}
    for label, below in (("hollow-hcp", 2), ("hollow-fcc", 3)):
        structure = sites[label].structure
        adatom, slab = structure.cart_coords[-1], structure.cart_coords[:-1]
        offsets = structure.lattice.get_fractional_coords(slab - adatom)[:, :2]
        offsets -= np.round(offsets)
        beneath = np.linalg.norm(offsets @ in_plane_vectors(structure), axis=1) < 0.1
        depth = adatom[2] - slab[beneath, 2].max()
        top = adatom[2] - slab[:, 2].max()
        assert depth - top == pytest.approx((below - 1) * CU / math.sqrt(3), abs=0.01)


def test_images_keep_their_distance_and_coverage_follows() -> None:
    copper = facet("Cu", (1, 1, 1))
    for separation, cells in ((2.0, 1), (5.0, 4), (7.0, 9)):
        site = adsorption_sites(copper, min_separation=separation)[0]
        assert site.coverage == pytest.approx(1 / cells)
        vectors = in_plane_vectors(site.structure)
        shortest = min(
            np.linalg.norm(i * vectors[0] + j * vectors[1])
            for i in (-1, 0, 1)
            for j in (-1, 0, 1)
            if (i, j) != (0, 0)
        )
        assert shortest >= separation - 1e-6
        assert shortest == pytest.approx(math.sqrt(cells) * CU / math.sqrt(2))


@pytest.mark.parametrize(
    ("host", "index"), [("Cu", (1, 0, 0)), ("Cu", (1, 1, 0)), ("Li", (1, 1, 0)), ("In", (1, 0, 1))]
)
def test_supercell_keeps_the_symmetry_of_the_face(host: str, index: tuple[int, ...]) -> None:
    slab = facet(host, index).structure
    transform = smallest_transform(slab, 6.0)
    large = supercell(slab, transform)
    cells = abs(round(float(np.linalg.det(transform))))
    assert len(large) == cells * len(slab)
    assert len(face_operations(large)) == cells * len(face_operations(slab))
    assert np.linalg.norm(in_plane_vectors(large), axis=1).min() >= 6.0 - 1e-6


def test_site_holds_slab_and_adatom_with_frozen_bottom() -> None:
    for site in adsorption_sites(facet("Cu", (1, 0, 0))):
        slab, structure = site.slab, site.structure
        assert structure[-1].specie.symbol == "Li"
        assert np.allclose(structure.cart_coords[:-1], slab.cart_coords)
        assert structure.cart_coords[-1, 2] > slab.cart_coords[:, 2].max()
        flags = np.array(structure.site_properties["selective_dynamics"])
        heights = structure.cart_coords[:, 2]
        middle = (slab.cart_coords[:, 2].min() + slab.cart_coords[:, 2].max()) / 2
        assert (flags[:, 0] == (heights > middle + 0.1)).all()
        assert slab.site_properties["selective_dynamics"] == flags[:-1].tolist()


def test_half_the_slab_is_frozen_by_default_and_a_sheet_is_free() -> None:
    flags = np.array(
        adsorption_sites(facet("Cu", (1, 1, 1)))[0].slab.site_properties["selective_dynamics"]
    )
    assert (~flags[:, 0]).mean() == pytest.approx(3 / 5)
    sheet = adsorption_sites(facet("graphene", (0, 0, 1)))[0].slab
    assert np.array(sheet.site_properties["selective_dynamics"]).all()


def test_the_adatom_starts_where_it_touches_the_surface() -> None:
    for adatom in ("Li", "Na"):
        reach = 0.95 * (atomic_radius(adatom) + atomic_radius("Cu"))
        for site in adsorption_sites(facet("Cu", (1, 1, 1)), adatom):
            assert site.structure[-1].specie.symbol == adatom
            neighbours = site.structure.get_neighbors(site.structure[-1], 5.0)
            assert min(n.nn_distance for n in neighbours) == pytest.approx(reach, abs=0.01)


def test_contact_height_over_an_atom_is_the_sum_of_radii() -> None:
    slab = facet("Cu", (1, 1, 1)).structure
    top = slab[int(np.argmax(slab.cart_coords[:, 2]))]
    (height,) = contact_heights(slab, top.frac_coords[None, :2], np.array([1.45]), contact=1.0)
    assert height - top.coords[2] == pytest.approx(1.45 + 1.35)


def test_steps_offer_more_sites_than_terraces() -> None:
    labels = [site.label for site in adsorption_sites(facet("Cu", (1, 1, 5)), min_separation=5.0)]
    assert len(labels) == len(set(labels))
    # Three rows of atoms are exposed: two of the (100) terrace and the edge.
    assert sum(label.startswith("top") for label in labels) == 3


def test_bare_slabs_as_structure_and_atoms_give_the_same_sites() -> None:
    slab = facet("Cu", (1, 0, 0))
    expected = [(s.label, s.multiplicity) for s in adsorption_sites(slab)]
    for same in (slab.structure, as_atoms(slab.structure)):
        assert [(s.label, s.multiplicity) for s in adsorption_sites(same)] == expected


def test_bad_input_is_named() -> None:
    copper = facet("Cu", (1, 1, 1))
    with pytest.raises(StructureError, match="adatom: 'Lithium'"):
        adsorption_sites(copper, "Lithium")
    with pytest.raises(StructureError, match="min_separation: 0"):
        adsorption_sites(copper, min_separation=0)


def test_corners_on_a_line_are_no_face():
    points = np.array([[0.0, 0.0], [3.0, 0.0], [6.0, 1e-12], [0.0, 3.0]])
    (face,) = _faces(points, np.array([[0, 1, 2], [0, 1, 3]]))
    assert face.corners == {0, 1, 3}
