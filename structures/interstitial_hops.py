"""Hops of an ion between the voids of a crystal, as the vacancy hops of a sublattice of voids.

The voids are the corners of the atoms' Voronoi cells (Blatov, Crystallogr. Rev. 10, 249 (2004)). A
dummy atom on each makes them a sublattice, whose vacancy hops (`structures.vacancy_hops`) are the
hops between neighbouring voids; with the dummies gone and the ion on one of them these are the hops
of an interstitial.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from pymatgen.core.structure import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer
from scipy.spatial import Voronoi

from structures.errors import StructureError
from structures.vacancy_hops import (
    SYMMETRY_PRECISION,
    VacancyHop,
    percolating_hops,
    vacancy_hops,
)

SMALLEST_VOID = 1.6
"""A void is at least so far from the nearest atom, Å: about the radius of Li⁺ beside an anion."""
MOST_VOIDS = 2
"""Distinct voids that are looked at, the widest ones."""
NARROWEST_PASSAGE = 1.3
"""The line between two voids stays at least so far from every atom, Å; else nothing hops along it
and what is pushed aside moves in its place."""

_DUMMY = "Xe"
_SAME_PLACE = 1.0
"""Corners closer than this are one void, Å."""
_POINTS = 21
"""Points at which a hop's line is measured."""


def interstitial_hops(
    crystal: Structure, element: str = "Li", min_length: float = 8.0
) -> list[VacancyHop]:
    """The symmetry-distinct hops of one extra ion between neighbouring voids of a crystal.

    Args:
        crystal: relaxed, any cell, without xenon.
        element: symbol of the extra ion.
        min_length: of the supercell's shortest lattice vector, Å.

    Returns:
        Hops whose ends have one ion more than the crystal, the shortest first; labels start with
        ``void``. Empty where no void is wide enough, or none of their hops lead anywhere without
        running into an atom.

    Raises:
        StructureError: a crystal that holds xenon, which stands for the voids here.
    """
    if _DUMMY in crystal.symbol_set:
        raise StructureError("crystal: holds Xe, which stands for its voids here; leave it out")
    decorated = _with_voids(crystal)
    if _DUMMY not in decorated.symbol_set:
        return []
    filled = [_filled(hop, element) for hop in vacancy_hops(decorated, _DUMMY, min_length)]
    open_hops = [hop for hop in filled if _passage(hop) >= NARROWEST_PASSAGE]
    energies = {label: 0.0 for hop in open_hops for label in (hop.start, hop.end)}
    return open_hops if percolating_hops(open_hops, [0.0] * len(open_hops), energies) else []


def voids(crystal: Structure) -> list[tuple[NDArray[np.float64], float]]:
    """Fractional position and distance to the nearest atom (Å) of every void, the widest first."""
    images = np.array([[i, j, k] for i in (-1, 0, 1) for j in (-1, 0, 1) for k in (-1, 0, 1)])
    points = (crystal.frac_coords[None] + images[:, None]).reshape(-1, 3)
    corners = Voronoi(points @ crystal.lattice.matrix).vertices
    inside = crystal.lattice.get_fractional_coords(corners)
    inside = np.mod(inside[(np.abs(inside - 0.5) <= 0.5 + 1e-6).all(axis=1)], 1.0)
    if not len(inside):
        return []
    widths = crystal.lattice.get_all_distances(inside, crystal.frac_coords).min(axis=1)
    found: list[tuple[NDArray[np.float64], float]] = []
    for corner in np.argsort(-np.round(widths, 4), kind="stable"):
        if widths[corner] < SMALLEST_VOID:
            break
        known = np.array([place for place, _ in found]).reshape(-1, 3)
        apart = crystal.lattice.get_all_distances(inside[corner], known) if len(known) else None
        if apart is None or apart.min() > _SAME_PLACE:
            found.append((inside[corner], float(widths[corner])))
    return found


def _with_voids(crystal: Structure) -> Structure:
    """The primitive crystal with a dummy on every copy of its widest distinct voids."""
    analyzer = SpacegroupAnalyzer(crystal, SYMMETRY_PRECISION)
    primitive = analyzer.get_primitive_standard_structure()
    operations = SpacegroupAnalyzer(primitive, SYMMETRY_PRECISION).get_symmetry_operations()
    placed: list[NDArray[np.float64]] = []
    distinct = 0
    for place, _ in voids(primitive):
        if _near(primitive, place, placed):
            continue
        if distinct == MOST_VOIDS:
            break
        distinct += 1
        for operation in operations:
            image = np.mod(operation.operate(place), 1.0)
            if not _near(primitive, image, placed):
                placed.append(image)
    decorated = primitive.copy()
    for place in placed:
        decorated.append(_DUMMY, place)
    return decorated


def _passage(hop: VacancyHop) -> float:
    """Shortest distance of the straight line of a hop, the last site's, to any other atom, Å."""
    lattice, others = hop.initial.lattice, hop.initial.frac_coords[:-1]
    start = hop.initial.frac_coords[-1]
    line = start + np.linspace(0, 1, _POINTS)[:, None] * (hop.final.frac_coords[-1] - start)
    return float(lattice.get_all_distances(line, others).min())


def _near(
    crystal: Structure, place: NDArray[np.float64], others: list[NDArray[np.float64]]
) -> bool:
    return bool(others) and bool(
        crystal.lattice.get_all_distances(place, others).min() < _SAME_PLACE
    )


def _filled(hop: VacancyHop, element: str) -> VacancyHop:
    """An ion's hop from start to end in the place of a dummy vacancy's."""
    moved = hop.initial.frac_coords - hop.final.frac_coords
    mover = int(np.abs(moved).max(axis=1).argmax())
    ends = hop.final.frac_coords[mover], hop.initial.frac_coords[mover]
    host = hop.initial.copy()
    host.remove_species([_DUMMY])
    structures = []
    for place in ends:
        filled = host.copy()
        filled.append(element, place)
        structures.append(filled)
    start, end = (label.replace(_DUMMY, "void") for label in (hop.start, hop.end))
    return replace(
        hop, initial=structures[0], final=structures[1], start=start, end=end, what="extra ion"
    )
