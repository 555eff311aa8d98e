import numpy as np
import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure

from structures import crystal, facet
from workflows.reference_cells import (
    alternating_layers,
    opened_layers,
    ordered_cell,
    other_lattice,
)

VOLUMES = {"Li": 20.2, "Al": 16.5}


def neighbours(cell: Structure, symbol: str) -> list[str]:
    """Symbols of the atoms about as near as the nearest of the first site of ``symbol``."""
    site = next(site for site in cell if site.specie.symbol == symbol)
    around = cell.get_neighbors(site, 5.0)
    nearest = min(other.nn_distance for other in around)
    return sorted(o.specie.symbol for o in around if o.nn_distance < 1.05 * nearest)


@pytest.mark.parametrize(
    ("prototype", "space_group", "of_aluminium"),
    [
        ("B2", 221, ["Li"] * 8),
        ("B32", 227, ["Al"] * 4 + ["Li"] * 4),
        ("D0_3-Li3M", 225, ["Li"] * 8),
        ("L1_2-Li3M", 221, ["Li"] * 12),
        ("L1_2-LiM3", 221, ["Al"] * 8 + ["Li"] * 4),
        ("L1_0", 123, ["Al"] * 4 + ["Li"] * 8),
    ],
)
def test_ordered_cells_are_their_prototypes_at_the_sum_of_the_volumes(
    prototype, space_group, of_aluminium
):
    cell = ordered_cell(prototype, "Al", VOLUMES, 0.0)
    assert cell.get_space_group_info()[1] == space_group
    assert neighbours(cell, "Al") == of_aluminium
    assert cell.volume == pytest.approx(sum(VOLUMES[site.specie.symbol] for site in cell))
    stretched = ordered_cell(prototype, "Al", VOLUMES, 0.05)
    assert stretched.volume == pytest.approx(1.05**3 * cell.volume)


def test_b32_is_the_structure_of_lithium_aluminium():
    assert StructureMatcher().fit(ordered_cell("B32", "Al", VOLUMES, 0.0), crystal("LiAl"))


@pytest.mark.parametrize(("lattice", "number"), [("sc", 6), ("bcc", 8), ("fcc", 12)])
def test_other_lattices_have_their_neighbours_and_volume(lattice, number):
    cell = other_lattice("Cu", lattice, 12.0)
    assert len(neighbours(cell, "Cu")) == number
    assert cell.volume / len(cell) == pytest.approx(12.0)


@pytest.mark.parametrize(
    ("metal", "index", "numbers"),
    [
        ("Cu", (1, 1, 1), (2, 2)),
        ("Cu", (1, 1, 1), (2, 1)),
        ("Cu", (1, 0, 0), (1, 2)),
        ("Mg", (0, 0, 1), (2, 2)),
    ],
)
def test_layers_of_a_metal_and_itself_are_its_crystal(metal, index, numbers):
    slab = facet(metal, index, min_thickness=12.0, min_vacuum=9.0).structure
    bulk = crystal(metal)
    base = float(np.linalg.norm(np.cross(*slab.lattice.matrix[:2])))
    volumes = {metal: bulk.volume / len(bulk)}
    cell = alternating_layers(slab, metal, volumes, base, numbers)
    assert len(cell) == sum(numbers)
    assert StructureMatcher(scale=False, ltol=0.01, stol=0.01).fit(cell, bulk)


def test_layers_keep_both_volumes_and_open_at_both_gaps():
    places = ((0.0, 0.0), (0.5, 0.5)) * 3
    sites = [[*place, (2 + 2 * n) / 25] for n, place in enumerate(places)]
    slab = Structure(Lattice.tetragonal(2.9, 25.0), ["Al"] * 6, sites)
    cell = alternating_layers(slab, "Li", VOLUMES, 9.0, (2, 2))
    assert [site.specie.symbol for site in cell] == ["Al", "Al", "Li", "Li"]
    assert cell.volume == pytest.approx(2 * sum(VOLUMES.values()))
    assert np.linalg.norm(np.cross(*cell.lattice.matrix[:2])) == pytest.approx(9.0)

    def gaps(structure: Structure) -> np.ndarray:
        heights = structure.cart_coords[:, 2]
        return np.diff(np.append(heights, heights[0] + structure.lattice.matrix[2, 2]))

    assert gaps(opened_layers(cell, "Li", 0.7)) - gaps(cell) == pytest.approx([0, 0.7, 0, 0.7])
