"""Every distinct way to put two elements on a lattice, up to a number of atoms per cell.

The search is that of Hart and Forcade, Phys. Rev. B 77, 224115 (2008): all superlattices as Hermite
normal forms, all occupations of each, and of those that a symmetry of the parent lattice or a
translation carries into each other one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from structures.errors import StructureError

PARENTS = {
    "bcc": ((-0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0.5, 0.5, -0.5)),
    "fcc": ((0.0, 0.5, 0.5), (0.5, 0.0, 0.5), (0.5, 0.5, 0.0)),
}
"""Primitive vectors of the parent lattices in units of the cubic cell's length."""

MOST_ATOMS = 6
"""Of larger cells there are hundreds."""

Occupation = tuple[bool, ...]


@dataclass(frozen=True)
class Decoration:
    """One ordered arrangement.

    Attributes:
        name: parent, atoms per cell and running number, such as ``"bcc-Li3Ag-2"``.
        structure: its cell.
    """

    name: str
    structure: Structure


def decorations(
    elements: tuple[str, str],
    atomic_volumes: tuple[float, float],
    parent: str,
    max_atoms: int,
) -> list[Decoration]:
    """All distinct ordered arrangements of two elements on a lattice.

    Args:
        elements: symbols.
        atomic_volumes: of the two elements, Å³ per atom; between them the volume is interpolated.
        parent: ``"bcc"`` or ``"fcc"``.
        max_atoms: atoms per primitive cell at most, 2 to `MOST_ATOMS`.

    Returns:
        Cells that hold both elements and repeat in no smaller one, the smallest first.

    Raises:
        StructureError: an unknown parent, or a number of atoms out of range.
    """
    if parent not in PARENTS:
        raise StructureError(f"parent: {parent!r} is unknown; choose from {', '.join(PARENTS)}")
    if not 2 <= max_atoms <= MOST_ATOMS:
        raise StructureError(f"max_atoms: {max_atoms} is out of range; give 2 to {MOST_ATOMS}")
    found: list[Decoration] = []
    counts: dict[str, int] = {}
    for size in range(2, max_atoms + 1):
        for superlattice, occupation in distinct_occupations(parent, size):
            structure = _build(superlattice, occupation, elements, atomic_volumes, parent)
            stem = f"{parent}-{structure.composition.reduced_formula}"
            counts[stem] = counts.get(stem, 0) + 1
            found.append(Decoration(f"{stem}-{counts[stem]}", structure))
    return found


@cache
def distinct_occupations(parent: str, size: int) -> tuple[tuple[NDArray[np.int_], Occupation], ...]:
    """The distinct arrangements with ``size`` atoms per cell.

    Returns:
        For each the superlattice, whose rows are its vectors in terms of the parent's primitive
        ones, shape (3, 3), and which of its sites hold the second element, in the order of
        `_cosets`.
    """
    rotations = _rotations(parent)
    found = []
    seen: set[tuple[bytes, Occupation]] = set()
    for superlattice in _superlattices(size):
        sites = _cosets(superlattice)
        images = []
        for rotation in rotations:
            turned = _hermite(superlattice @ rotation)
            targets = [_coset_number(turned, site @ rotation) for site in sites]
            images.append((turned.tobytes(), targets))
        shifts = [[_coset_number(superlattice, site + shift) for site in sites] for shift in sites]
        for occupation in product((False, True), repeat=size):
            if len(set(occupation)) == 1 or (superlattice.tobytes(), occupation) in seen:
                continue
            moved = [tuple(occupation[shift[i]] for i in range(size)) for shift in shifts]
            for key, targets in images:
                for one in moved:
                    turned_one = [False] * size
                    for i, target in enumerate(targets):
                        turned_one[target] = one[i]
                    seen.add((key, tuple(turned_one)))
            if moved.count(occupation) == 1:  # otherwise a smaller cell repeats it
                found.append((superlattice, occupation))
    return tuple(found)


def _rotations(parent: str) -> NDArray[np.int_]:
    """The point group on coefficients of the parent's primitive vectors (rows), (48, 3, 3)."""
    lattice = Structure(Lattice(PARENTS[parent]), ["Li"], [[0, 0, 0]])
    operations = SpacegroupAnalyzer(lattice).get_symmetry_operations()
    # The operations' matrices act on columns of fractional coordinates.
    return np.array([np.rint(operation.rotation_matrix.T).astype(int) for operation in operations])


def _superlattices(size: int) -> Iterator[NDArray[np.int_]]:
    """All superlattices of ``size`` cells, as lower triangular Hermite normal forms by rows."""
    for a, b in product(range(1, size + 1), repeat=2):
        if size % (a * b) == 0:
            c = size // (a * b)
            for d, e, f in product(range(a), range(a), range(b)):
                yield np.array([[a, 0, 0], [d, b, 0], [e, f, c]])


def _hermite(matrix: NDArray[np.int_]) -> NDArray[np.int_]:
    """The Hermite normal form of the lattice that the rows span."""
    rows = matrix.copy()
    for column in (2, 1, 0):
        # Among the rows not yet placed, bring all but one to zero in this column (Euclid).
        while np.count_nonzero(rows[: column + 1, column]) > 1:
            order = np.argsort(
                [abs(v) if v else np.iinfo(int).max for v in rows[: column + 1, column]]
            )
            rows[: column + 1] = rows[: column + 1][order]
            for i in range(1, column + 1):
                rows[i] -= rows[i, column] // rows[0, column] * rows[0]
        pivot = int(np.flatnonzero(rows[: column + 1, column])[0])
        rows[[pivot, column]] = rows[[column, pivot]]
        rows[column] *= np.sign(rows[column, column])
    for i in (1, 2):
        for column in range(i - 1, -1, -1):
            rows[i] -= rows[i, column] // rows[column, column] * rows[column]
    return rows


def _cosets(superlattice: NDArray[np.int_]) -> list[NDArray[np.int_]]:
    """One parent site of every kind that the superlattice tells apart."""
    a, b, c = np.diag(superlattice)
    return [np.array(site) for site in product(range(a), range(b), range(c))]


def _coset_number(superlattice: NDArray[np.int_], site: NDArray[np.int_]) -> int:
    """Position in `_cosets` of the kind of a parent site."""
    rest = site.copy()
    for i in (2, 1, 0):
        rest = rest - rest[i] // superlattice[i, i] * superlattice[i]
    _, b, c = np.diag(superlattice)
    return int((rest[0] * b + rest[1]) * c + rest[2])


def _build(
    superlattice: NDArray[np.int_],
    occupation: Occupation,
    elements: tuple[str, str],
    atomic_volumes: tuple[float, float],
    parent: str,
) -> Structure:
    primitive = np.array(PARENTS[parent])
    n_second = sum(occupation)
    volume = (len(occupation) - n_second) * atomic_volumes[0] + n_second * atomic_volumes[1]
    scale = (volume / (len(occupation) * abs(np.linalg.det(primitive)))) ** (1 / 3)
    positions = np.array(_cosets(superlattice)) @ primitive * scale
    structure = Structure(
        Lattice(superlattice @ primitive * scale),
        [elements[second] for second in occupation],
        positions,
        coords_are_cartesian=True,
        to_unit_cell=True,
    )
    return structure.get_reduced_structure()
