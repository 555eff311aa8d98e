"""Liquid lithium: a free film, and a cylindrical drop of it on a slab.

Atoms are put in one after the other wherever there is room, which gives the disorder of a liquid
without its correlations; a picosecond of dynamics above the melting point does the rest.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from monty.json import MSONable
from numpy.typing import NDArray
from pymatgen.core import Lattice, Structure

from structures.conversion import as_structure
from structures.errors import StructureError
from structures.models import in_plane_area
from structures.slabs import with_frozen_bottom

LIQUID_DENSITY = 0.04468
"""Number density of liquid Li at its melting point, atoms/Å³: 0.515 g/cm³ (Davison, NASA TN D-4650
(1968)) over 6.94 g/mol."""
CLOSEST = 2.35
"""Least distance between two Li when they are put in, Å; liquid Li's g(r) starts there."""
GAP = 2.5
"""Least distance of a Li of the drop from an atom of the slab, Å."""
_VACUUM = 15.0
"""Least empty height above a drop, Å."""
_SEED = 0
_TRIES = 400
_BATCH = 256


@dataclass(frozen=True)
class Drop(MSONable):
    """A cylindrical drop on a slab.

    Attributes:
        structure: the slab's sites first, its lowest layer frozen, then the drop's; the drop's axis
            along the second cell vector, the normal along z.
        n_lithium: atoms of the drop.
        width: period across the axis in the plane, Å.
        length: of the cell along the axis, Å.
    """

    structure: Structure
    n_lithium: int
    width: float
    length: float


def liquid_film(n_atoms: int = 216, *, thickness: float = 18.0, vacuum: float = 20.0) -> Structure:
    """A free film of disordered Li at `LIQUID_DENSITY`, square in the plane, the normal along z.

    Args:
        n_atoms: at least one.
        thickness: Å; both surfaces need some five layers between them.
        vacuum: empty height over it, Å; more than a potential sees.

    Raises:
        StructureError: a number that is not positive.
    """
    for name, number in (("n_atoms", n_atoms), ("thickness", thickness), ("vacuum", vacuum)):
        _check(name, number)
    edge = math.sqrt(n_atoms / LIQUID_DENSITY / thickness)
    low, high = np.array([0, 0, vacuum / 2]), np.array([edge, edge, vacuum / 2 + thickness])
    cell = np.diag([edge, edge, thickness + vacuum])
    rng = np.random.default_rng(_SEED)
    places = _fill(cell, np.zeros((0, 3)), n_atoms, lambda n: rng.uniform(low, high, (n, 3)))
    return Structure(Lattice(cell), ["Li"] * n_atoms, places, coords_are_cartesian=True)


def drop_on(
    slab: Any, n_lithium: int, *, min_length: float = 10.0, width_ratio: float = 1.9
) -> Drop:
    """Half a cylinder of disordered Li on a slab, its axis along the slab's second vector.

    The Li has `LIQUID_DENSITY`; over it, were it a full cylinder, 15 Å are empty.

    Args:
        slab: a `Facet` or slab, its normal along z, material from the cell's bottom up.
        n_lithium: atoms of the drop.
        min_length: least period along the axis, Å.
        width_ratio: period across the axis over the drop's own first width; a drop that wets needs
            room to spread.

    Raises:
        StructureError: a number that is not positive or a ratio of 1 or less.
    """
    for name, number in (("n_lithium", n_lithium), ("min_length", min_length)):
        _check(name, number)
    if not width_ratio > 1:
        raise StructureError(f"width_ratio: {width_ratio}; give more than 1, the drop must fit")
    base = as_structure(getattr(slab, "structure", slab))
    along = math.ceil(min_length / base.lattice.b)
    length = along * base.lattice.b
    # Half a circle: its area is the drop's volume over its length.
    radius = math.sqrt(2 * n_lithium / LIQUID_DENSITY / length / math.pi)
    period = in_plane_area(base) / base.lattice.b
    across = math.ceil(2 * radius * width_ratio / period)
    under = base.make_supercell([across, along, 1], in_place=False)
    under = _with_height(under, radius * math.sqrt(2) * 2 + _VACUUM)
    under = with_frozen_bottom(under, 0.5)
    cell = under.lattice.matrix
    axis = cell[1] / np.linalg.norm(cell[1])
    sideways = np.cross(axis, [0.0, 0.0, 1.0])
    sideways *= np.sign(sideways @ cell[0])
    top = float(under.cart_coords[:, 2].max())
    width = across * period
    rng = np.random.default_rng(_SEED)

    def somewhere(n: int) -> NDArray[np.float64]:
        """Places in half a circle's bounding box; those outside the circle left out."""
        tried = rng.uniform((-radius, 0.0, 0.0), (radius, radius, length), size=(n, 3))
        tried = tried[np.hypot(tried[:, 0], tried[:, 1]) < radius]
        places: NDArray[np.float64] = (
            (tried[:, :1] + width / 2) * sideways
            + tried[:, 2:] * axis
            + (tried[:, 1:2] + top + GAP * 0.8) * np.array([0.0, 0.0, 1.0])
        )
        return places

    places = _fill(cell, under.cart_coords, n_lithium, somewhere)
    structure = under.copy()
    for place in places:
        structure.append("Li", place, coords_are_cartesian=True)
    movable = [list(each) for each in under.site_properties["selective_dynamics"]]
    structure.add_site_property("selective_dynamics", movable + [[True] * 3] * n_lithium)
    return Drop(structure, n_lithium, width, length)


def _fill(
    cell: NDArray[np.float64],
    taken: NDArray[np.float64],
    n_atoms: int,
    somewhere: Callable[[int], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Places at random, `CLOSEST` apart from each other and `GAP` from what is there.

    Where there is no room left, the distances are lowered by 2 % and it goes on.

    Raises:
        StructureError: they would end under 0.7 of what they were.
    """
    inverse = np.linalg.inv(cell)
    found = np.zeros((0, 3))
    closest, gap, failed = CLOSEST, GAP, 0

    def far(place: NDArray[np.float64], others: NDArray[np.float64], least: float) -> bool:
        apart = (others - place) @ inverse
        apart = (apart - np.round(apart)) @ cell
        return bool((np.einsum("ai,ai->a", apart, apart) >= least**2).all())

    while len(found) < n_atoms:
        for place in somewhere(_BATCH):
            if far(place, found, closest) and far(place, taken, gap):
                found = np.vstack([found, place])
                failed = 0
            else:
                failed += 1
            if len(found) == n_atoms:
                break
        if failed > _TRIES * _BATCH / 16:
            closest, gap, failed = 0.98 * closest, 0.98 * gap, 0
            if closest < 0.7 * CLOSEST:
                raise StructureError(
                    f"lithium: no room for {n_atoms} atoms as dense as the liquid; give another "
                    "number of them"
                )
    return found


def _with_height(slab: Structure, height: float) -> Structure:
    """The slab, its lowest atom 1 Å above the bottom, with ``height`` above its top."""
    positions = slab.cart_coords.copy()
    positions[:, 2] += 1.0 - positions[:, 2].min()
    matrix = slab.lattice.matrix.copy()
    matrix[2] = [0.0, 0.0, positions[:, 2].max() + height]
    return Structure(Lattice(matrix), slab.species, positions, coords_are_cartesian=True)


def _check(name: str, number: float) -> None:
    if not number > 0:
        raise StructureError(f"{name}: {number} is not positive")
