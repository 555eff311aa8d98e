"""Liquid lithium and drops of it."""

import math

import numpy as np
import pytest

from structures import StructureError, droplets, facet
from structures.droplets import CLOSEST, LIQUID_DENSITY, drop_on, liquid_film


def test_film_has_the_density_between_two_free_surfaces():
    film = liquid_film(120, thickness=15.0, vacuum=12.0)
    heights = film.cart_coords[:, 2]
    assert 13 < np.ptp(heights) <= 15
    assert film.lattice.c - np.ptp(heights) >= 12
    area = film.volume / film.lattice.c
    assert 120 / area / 15 == pytest.approx(LIQUID_DENSITY)
    assert film.density * film.lattice.c / 15 == pytest.approx(0.515, rel=2e-3)
    assert film.distance_matrix[np.triu_indices(120, 1)].min() > 0.8 * CLOSEST


@pytest.mark.parametrize(("host", "index"), [("Cu", (1, 1, 1)), ("LiF", (1, 0, 0))])
def test_drop_stands_on_the_slab(host, index):
    slab = facet(host, index, min_thickness=4.0)
    drop = drop_on(slab, 100, min_length=10.0)
    structure = drop.structure
    positions = structure.cart_coords
    of_drop = np.arange(len(structure)) >= len(structure) - 100
    assert all(site.specie.symbol == "Li" for site in structure[-100:])
    top = positions[~of_drop, 2].max()
    assert positions[of_drop, 2].min() > top + 1.5
    # Half a cylinder of the liquid's volume.
    radius = math.sqrt(200 / LIQUID_DENSITY / drop.length / math.pi)
    assert positions[of_drop, 2].max() < top + 2.0 + radius
    assert drop.width >= 1.9 * 2 * radius
    assert drop.length >= 10
    assert drop.width * drop.length == pytest.approx(
        structure.volume / structure.lattice.c, rel=1e-6
    )
    movable = np.array(structure.site_properties["selective_dynamics"])
    assert movable[of_drop].all()
    lowest = positions[:, 2] < positions[:, 2].min() + 0.5
    assert (movable.any(axis=1) == ~lowest).all()
    distances = structure.distance_matrix[-100:]
    np.fill_diagonal(distances[:, -100:], 9.0)
    assert distances.min() > 0.8 * CLOSEST


def test_example_drop_has_the_size_that_was_asked_for():
    drop = drop_on(facet("Cu", (1, 1, 1), min_thickness=3.0), 150)
    assert 300 < len(drop.structure) < 420


def test_bad_numbers_are_refused():
    with pytest.raises(StructureError, match="n_atoms"):
        liquid_film(0)
    with pytest.raises(StructureError, match="vacuum"):
        liquid_film(50, vacuum=0.0)
    with pytest.raises(StructureError, match="width_ratio"):
        drop_on(facet("Cu", (1, 1, 1), min_thickness=3.0), 10, width_ratio=1.0)


def test_atoms_without_room_are_refused(monkeypatch):
    monkeypatch.setattr(droplets, "CLOSEST", 2 * CLOSEST)
    with pytest.raises(StructureError, match="no room for 50"):
        liquid_film(50)
