"""The straight line between two end states, the start of every band."""

import numpy as np
from ase import Atoms
from ase.geometry import find_mic
from numpy.typing import NDArray

from potentials.conversion import to_atoms
from potentials.errors import PotentialError
from potentials.protocol import Band

_SHORTER = 1e-3


def interpolated(band: Band, n_images: int) -> list[Atoms]:
    """Both end states and ``n_images`` evenly spaced between, all frozen where the first one is.

    Raises:
        PotentialError: as `way_between`.
    """
    initial, final = to_atoms(band.initial), to_atoms(band.final)
    way = way_between(initial, final)
    images = []
    for fraction in np.linspace(0.0, 1.0, n_images + 2):
        image = initial.copy()
        image.set_positions(initial.positions + fraction * way, apply_constraint=False)
        images.append(image)
    return images


def way_between(initial: Atoms, final: Atoms) -> NDArray[np.float64]:
    """Each atom's straight way from the initial to the final state, shape (n_atoms, 3), Å.

    It is the way that the states give, unless a periodic image is clearly nearer: a hop over half a
    cell keeps its direction, an atom that was wrapped into the cell is unwrapped.

    Raises:
        PotentialError: if the states differ in cell or in the order of sites.
    """
    if not np.array_equal(initial.numbers, final.numbers):
        raise PotentialError("band: the end states differ in their sites or their order; sort them")
    if not np.allclose(initial.cell.array, final.cell.array, atol=1e-6):
        raise PotentialError("band: the end states' cells differ; relax both in the same cell")
    given = final.positions - initial.positions
    shortest, lengths = find_mic(given, initial.cell, initial.pbc)
    nearer = lengths < np.linalg.norm(given, axis=1) - _SHORTER
    return np.where(nearer[:, None], shortest, given)
