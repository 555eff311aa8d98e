"""Miller indices: checked, brought to families, and compared by the bonds that their plane cuts."""

import math
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymatgen.core.structure import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from structures.bonding import bonds
from structures.conversion import SYMPREC
from structures.errors import StructureError
from structures.models import MillerIndex

LAYER_TOLERANCE = 0.2
"""Atoms closer than this along the normal belong to one layer, Å."""


def miller_index(value: Any, structure: Structure | None = None) -> MillerIndex:
    """A three-index (h, k, l) without common factor.

    Args:
        value: three integers, or four (h, k, i, l) for a hexagonal cell.
        structure: the crystal it is meant for; needed to accept four indices.

    Returns:
        (h, k, l) divided by its greatest common divisor: (2, 2, 2) is the facet (1, 1, 1).

    Raises:
        StructureError: not three or four integers, all zero, h + k + i not zero, or four indices
            for a cell that is not hexagonal.
    """
    shown = list(value) if isinstance(value, (list, tuple, np.ndarray)) else value
    if (
        not isinstance(shown, list)
        or len(shown) not in (3, 4)
        or not all(isinstance(i, (int, np.integer)) and not isinstance(i, bool) for i in shown)
    ):
        raise StructureError(
            f"miller_index: {shown!r} is not a facet; give three integers such as [1, 1, 1], or "
            "four such as [0, 0, 0, 1] for a hexagonal crystal"
        )
    if len(shown) == 4:
        h, k, i, ell = shown
        if h + k + i != 0:
            raise StructureError(
                f"miller_index: {shown} breaks h + k + i = 0; for h, k = {h}, {k} write "
                f"[{h}, {k}, {-h - k}, {ell}]"
            )
        if structure is not None and not structure.lattice.is_hexagonal():
            raise StructureError(
                f"miller_index: {shown} has four indices but "
                f"{structure.composition.reduced_formula} is not hexagonal; write [{h}, {k}, {ell}]"
            )
        shown = [h, k, ell]
    divisor = math.gcd(*(int(i) for i in shown))
    if divisor == 0:
        raise StructureError(
            "miller_index: [0, 0, 0] names no facet; at least one index must differ from zero"
        )
    h, k, ell = (int(i) // divisor for i in shown)
    return (h, k, ell)


def distinct_miller_indices(structure: Structure, max_index: int) -> list[MillerIndex]:
    """One index of each family of symmetry-equivalent facets up to ``max_index``.

    (h, k, l) and (-h, -k, -l) are the two faces of one slab and count once.

    Args:
        structure: conventional cell.
        max_index: largest absolute value of an index, at least 1.

    Returns:
        The families, those with small indices first, each by its index with the fewest minus signs.

    Raises:
        StructureError: ``max_index`` is not a positive integer.
    """
    if isinstance(max_index, bool) or not isinstance(max_index, int) or max_index < 1:
        raise StructureError(f"max_index: {max_index!r} must be a whole number of at least 1")
    rotations = _laue_rotations(structure)
    families: list[MillerIndex] = []
    seen: set[MillerIndex] = set()
    candidates = [
        miller_index(index)
        for index in product(range(-max_index, max_index + 1), repeat=3)
        if any(index)
    ]
    for index in sorted(set(candidates), key=_plainness):
        if index in seen:
            continue
        families.append(index)
        seen.update((int(h), int(k), int(ell)) for h, k, ell in np.array(index) @ rotations)
    return sorted(families, key=lambda index: (sum(map(abs, index)), _plainness(index)))


def close_packed_index(structure: Structure) -> MillerIndex:
    """The facet that cuts the least bonding per area: (111) of fcc, (110) of bcc, (0001) of hcp.

    For a compound the same count picks its cleavage plane, such as (100) of rock salt.

    Args:
        structure: conventional cell.
    """
    return min(
        distinct_miller_indices(structure, 1),
        key=lambda index: (round(min(broken_bonds(structure, index)[1]), 6), _plainness(index)),
    )


def broken_bonds(
    structure: Structure, index: MillerIndex
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bonding cut by each distinct plane between two atomic layers.

    Each bond counts with (d0/d)^6, d its length and d0 the shortest one of the crystal.

    Args:
        structure: conventional cell.
        index: the facet.

    Returns:
        Heights of the cutting planes along the normal, Å, between 0 and the spacing of lattice
        planes, and the bonds that each cuts per Å².
    """
    normal = structure.lattice.reciprocal_lattice_crystallographic.get_cartesian_coords(index)
    normal /= np.linalg.norm(normal)
    spacing = _lattice_plane_spacing(structure, index)
    heights = structure.cart_coords @ normal
    cuts = layer_cuts(heights, spacing)
    centres, neighbours, images, lengths = bonds(structure)
    start = heights[centres]
    end = heights[neighbours] + images @ structure.lattice.matrix @ normal
    low, high = np.minimum(start, end), np.maximum(start, end)
    crossings = np.floor((high[None, :] - cuts[:, None]) / spacing) - np.floor(
        (low[None, :] - cuts[:, None]) / spacing
    )
    area = structure.volume / spacing
    weights = (lengths.min() / lengths) ** 6
    # Each bond is found from both of its ends.
    return cuts, crossings @ weights / 2 / area


def layer_cuts(heights: NDArray[np.float64], spacing: float) -> NDArray[np.float64]:
    """Heights half-way between neighbouring atomic layers of a stack with period ``spacing``, Å."""
    wrapped = np.sort(np.mod(heights, spacing))
    gaps = np.diff(wrapped, append=wrapped[0] + spacing)
    open_gaps = gaps > min(LAYER_TOLERANCE, 0.999 * gaps.max())
    return np.mod(wrapped[open_gaps] + gaps[open_gaps] / 2, spacing)


def reduced_primitive_cell(structure: Structure) -> Structure:
    """Primitive cell spanned by the shortest vectors, in the same orientation in space.

    Facets are cut from it; `structures.symmetry.primitive_cell` is spanned by the standard ones.
    """
    dataset = SpacegroupAnalyzer(structure, symprec=SYMPREC).get_symmetry_dataset()
    pure = (dataset.rotations == np.eye(3, dtype=int)).all(axis=(1, 2))
    translations = dataset.translations[pure]
    lattice = structure.lattice
    # The shortest vectors of the centred lattice that span the primitive volume.
    offsets = np.array(list(product((-1, 0, 1), repeat=3)))
    vectors = (translations[:, None, :] + offsets[None, :, :]).reshape(-1, 3)
    cartesian = lattice.get_cartesian_coords(vectors)
    lengths = np.linalg.norm(cartesian, axis=1)
    basis: list[NDArray[np.float64]] = []
    for vector in cartesian[np.lexsort((*(-vectors.T), np.round(lengths, 6)))]:
        trial = [*basis, vector]
        if np.linalg.matrix_rank(np.array(trial), tol=1e-3) == len(trial):
            basis = trial
        if len(basis) == 3:
            break
    matrix = np.array(basis)
    if np.linalg.det(matrix) < 0:
        matrix = -matrix
    fractional = np.linalg.solve(matrix.T, structure.cart_coords.T).T
    kept: list[int] = []
    for site in range(len(structure)):
        delta = fractional[kept] - fractional[site]
        delta -= np.round(delta)
        same = np.linalg.norm(delta @ matrix, axis=1) < 5 * SYMPREC
        if not same.any():
            kept.append(site)
    return Structure(
        matrix, [structure[i].species for i in kept], fractional[kept], to_unit_cell=True
    )


def _laue_rotations(structure: Structure) -> NDArray[np.int_]:
    """Rotations of the crystal, with inversion, acting on row indices from the right."""
    analyzer = SpacegroupAnalyzer(structure, symprec=SYMPREC)
    rotations = np.array(analyzer.get_symmetry_dataset().rotations)
    return np.unique(np.concatenate([rotations, -rotations]), axis=0)


def _plainness(index: MillerIndex) -> tuple[int, int, tuple[int, ...]]:
    negatives = sum(i < 0 for i in index)
    return negatives, sum(map(abs, index)), tuple(-i for i in index)


def _lattice_plane_spacing(structure: Structure, index: MillerIndex) -> float:
    """Distance along the normal after which the crystal repeats, Å."""
    primitive = reduced_primitive_cell(structure)
    inner = primitive_index(structure, primitive, index)
    return float(primitive.lattice.d_hkl(inner))


def primitive_index(structure: Structure, primitive: Structure, index: MillerIndex) -> MillerIndex:
    """A facet's index in terms of the primitive cell.

    Args:
        structure: the conventional cell, in which ``index`` is given.
        primitive: of the same crystal, in the same orientation.
        index: the facet.
    """
    relation = primitive.lattice.matrix @ np.linalg.inv(structure.lattice.matrix)
    # Centring vectors are halves and thirds of the conventional ones.
    return miller_index([int(i) for i in np.rint(6 * relation @ np.array(index))])
