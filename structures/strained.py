"""Cells under small strains, for elastic constants."""

import numpy as np
from pymatgen.core.structure import Structure

STRAIN = 0.005
"""Size of each strain."""
VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
"""Row and column of the six components of a symmetric tensor, in Voigt's order."""


def strained_cells(structure: Structure) -> list[Structure]:
    """Twelve copies: each Voigt component of the strain by plus, then minus `STRAIN`.

    A shear of Voigt size e is put in as e/2 on both sides of the diagonal, so that nothing turns.
    Fractional coordinates are kept.
    """
    return [_strained(structure, i, j, sign * STRAIN) for i, j in VOIGT for sign in (1, -1)]


def _strained(structure: Structure, i: int, j: int, size: float) -> Structure:
    strain = np.zeros((3, 3))
    strain[i, j] += size / 2
    strain[j, i] += size / 2
    return Structure(
        structure.lattice.matrix @ (np.eye(3) + strain), structure.species, structure.frac_coords
    )
