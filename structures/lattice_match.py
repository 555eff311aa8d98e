"""Common in-plane cells of two facets, by pymatgen's Zur-McGill matching."""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pymatgen.analysis.interfaces.zsl import ZSLGenerator
from pymatgen.core.structure import Structure
from scipy.linalg import polar

from structures.in_plane import in_plane_vectors
from structures.models import in_plane_area

WIDENING = 1.6
"""Factor from one area searched to the next."""


_CellPair = tuple[NDArray[np.float64], NDArray[np.float64]]
"""In-plane vectors of a film's and a substrate's supercell, each of shape (2, 2), Å."""


Strain = tuple[float, float, float]
"""In-plane Green-Lagrange strain (xx, yy, xy)."""


@dataclass(frozen=True)
class LatticeMatch:
    """One common cell.

    Attributes:
        film_transform: film supercell in terms of the film's a and b, shape (2, 2).
        substrate_transform: the same of the substrate; right-handed.
        strain: of the film brought onto the substrate's supercell, x along its first vector.
        largest_stretch: largest relative change of length in any direction, absolute value.
        atoms: sites of both slabs in the common cell.
        area: of the common cell, Å².
        perimeter: half of it, Å; of cells of one area the most compact has the smallest.
    """

    film_transform: NDArray[np.int_]
    substrate_transform: NDArray[np.int_]
    strain: Strain
    largest_stretch: float
    atoms: int
    area: float
    perimeter: float


def lattice_matches(
    film: Structure, substrate: Structure, *, max_strain: float, max_area: float, max_atoms: int
) -> list[LatticeMatch]:
    """The smallest common cells within the limits, fewest atoms first, then least strain.

    Zur & McGill, J. Appl. Phys. 55, 378 (1984), as in pymatgen's ZSLGenerator; its tolerances on
    lengths and angles only preselect, what counts is the largest stretch. The search widens step by
    step and ends with the first area that has a match, so not every larger cell is listed.

    Args:
        film: slab that is strained.
        substrate: slab that keeps its cell.
        max_strain: limit on the largest stretch.
        max_area: limit on the common area, Å².
        max_atoms: limit on the sites of film and substrate together.
    """
    per_area = len(film) / in_plane_area(film) + len(substrate) / in_plane_area(substrate)
    limit = min(max_area, max_atoms / per_area * (1 + max_strain) ** 2)
    area = 2 * max(in_plane_area(film), in_plane_area(substrate))
    while True:
        area = min(area, limit)
        found = [
            match
            for match in _matches(film, substrate, max_strain, area)
            if match.area <= limit and match.atoms <= max_atoms
        ]
        if found or area >= limit:
            return sorted(found, key=_preference)
        area *= WIDENING


def _preference(match: LatticeMatch) -> tuple[int, float, float]:
    return match.atoms, round(match.largest_stretch, 6), match.perimeter


def _matches(
    film: Structure, substrate: Structure, max_strain: float, max_area: float
) -> list[LatticeMatch]:
    film_vectors, substrate_vectors = in_plane_vectors(film), in_plane_vectors(substrate)
    ratio = in_plane_area(film) / in_plane_area(substrate)
    areas = (1 + max_strain) ** 2
    generator = ZSLGenerator(
        # Both ratios of areas, film to substrate and back, are compared with this one number.
        max_area_ratio_tol=(areas - 1) * max(ratio, 1 / ratio),
        # The generator leaves out the multiple that reaches the limit itself.
        max_area=max_area * areas + max(in_plane_area(film), in_plane_area(substrate)),
        max_length_tol=2 * max_strain,
        max_angle_tol=4 * max_strain,
        bidirectional=True,
    )
    flat = np.zeros((2, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy's, of cross products of plane vectors
        pairs = [
            (np.array(match.film_sl_vectors)[:, :2], np.array(match.substrate_sl_vectors)[:, :2])
            for match in generator(
                np.hstack([film_vectors, flat]), np.hstack([substrate_vectors, flat])
            )
        ]
    found: dict[bytes, LatticeMatch] = {}
    for film_cell, substrate_cell in _little_strained(pairs, max_strain + 1e-6):
        candidate = _candidate(film, substrate, film_cell, substrate_cell)
        if candidate.largest_stretch <= max_strain + 1e-9:
            key = np.concatenate([candidate.film_transform, candidate.substrate_transform])
            found[key.tobytes()] = candidate
    return list(found.values())


def _little_strained(pairs: list[_CellPair], limit: float) -> list[_CellPair]:
    """Those pairs of cells that fit within ``limit`` in one of the ways `_candidate` tries."""
    if not pairs:
        return []
    cells, targets = (np.array(side) for side in zip(*pairs, strict=True))
    ways = [cells, cells * np.array([[1.0], [-1.0]]), cells[:, ::-1]]
    stretches = [np.linalg.svd(np.linalg.solve(way, targets), compute_uv=False) for way in ways]
    fits = (np.abs(np.array(stretches) - 1).max(axis=2) <= limit).any(axis=0)
    return [pair for pair, fit in zip(pairs, fits, strict=True) if fit]


def _candidate(
    film: Structure,
    substrate: Structure,
    film_cell: NDArray[np.float64],
    substrate_cell: NDArray[np.float64],
) -> LatticeMatch:
    if np.linalg.det(substrate_cell) < 0:
        film_cell, substrate_cell = film_cell[::-1], substrate_cell[::-1]
    turns = [film_cell]
    if np.linalg.det(film_cell) < 0:
        # The cells are mirror images. A rectangle fits with one side reversed, a rhombus with its
        # sides exchanged.
        turns = [film_cell * np.array([[1.0], [-1.0]]), film_cell[::-1]]
    film_cell = min(turns, key=lambda cell: np.abs(_strain(cell, substrate_cell)[0] - 1).max())
    stretches, strain = _strain(film_cell, substrate_cell)
    film_transform = np.rint(film_cell @ np.linalg.inv(in_plane_vectors(film))).astype(int)
    substrate_transform = np.rint(
        substrate_cell @ np.linalg.inv(in_plane_vectors(substrate))
    ).astype(int)
    cells = abs(round(float(np.linalg.det(film_transform))))
    beneath = abs(round(float(np.linalg.det(substrate_transform))))
    return LatticeMatch(
        film_transform=film_transform,
        substrate_transform=substrate_transform,
        strain=strain,
        largest_stretch=float(np.abs(stretches - 1).max()),
        atoms=cells * len(film) + beneath * len(substrate),
        area=float(abs(np.linalg.det(substrate_cell))),
        perimeter=float(np.linalg.norm(substrate_cell, axis=1).sum()),
    )


def _strain(
    film_cell: NDArray[np.float64], substrate_cell: NDArray[np.float64]
) -> tuple[NDArray[np.float64], Strain]:
    """Principal stretches and strain of the film, seen in the frame of the substrate's cell."""
    gradient = np.linalg.solve(film_cell, substrate_cell).T
    # F = V R: R turns the film onto the substrate, V stretches it there.
    _, stretch = polar(gradient, side="left")
    first = substrate_cell[0] / np.linalg.norm(substrate_cell[0])
    frame = np.array([first, [-first[1], first[0]]])
    turned = frame @ stretch @ frame.T
    green_lagrange = (turned @ turned - np.eye(2)) / 2
    return np.linalg.eigvalsh(stretch), (
        float(green_lagrange[0, 0]),
        float(green_lagrange[1, 1]),
        float(green_lagrange[0, 1]),
    )
