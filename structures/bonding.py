"""Which atoms of a structure are bonded, by distance alone."""

import numpy as np
from numpy.typing import NDArray
from pymatgen.core.structure import Structure

BOND_TOLERANCE = 1.25
"""Neighbours within this multiple of the nearest distance count as bonded."""


def bonds(
    structure: Structure,
) -> tuple[NDArray[np.int_], NDArray[np.int_], NDArray[np.float64], NDArray[np.float64]]:
    """Directed bonds i -> j, image of j and length, by distance to the nearest neighbour.

    Like atoms of a compound are bonded only as nearest neighbours: the lithium atoms of Li2O are
    not, although they are only 15 % further apart than lithium and oxygen.
    """
    cutoff = 3.0
    nearest = np.full(len(structure), np.inf)
    while not np.isfinite(nearest).all():
        centres, neighbours, images, lengths = structure.get_neighbor_list(cutoff)
        np.minimum.at(nearest, centres, lengths)
        cutoff += 1.0
    centres, neighbours, images, lengths = structure.get_neighbor_list(
        BOND_TOLERANCE * float(nearest.max())
    )
    reach = np.maximum(nearest[centres], nearest[neighbours])
    numbers = np.array(structure.atomic_numbers)
    like = (numbers[centres] == numbers[neighbours]) & (len(set(numbers)) > 1)
    bonded = lengths <= np.where(like, 1.05, BOND_TOLERANCE) * reach
    return centres[bonded], neighbours[bonded], images[bonded], lengths[bonded]


def coordination(structure: Structure) -> NDArray[np.int_]:
    """Number of bonds of each site."""
    return np.bincount(bonds(structure)[0], minlength=len(structure))
