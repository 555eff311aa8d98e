"""Energy along a hop's path, as documents keep it and the report draws it."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from pymatgen.core import Structure

from results.documents import BarrierProfile, as_structure


def hop_profile(
    images: Sequence[dict[str, Any]], energies: Sequence[float], initial: str, final: str
) -> BarrierProfile:
    """Energy above the first image against the length of the path.

    Args:
        images: structures of the path, end states included, as documents hold them.
        energies: of each, eV.
        initial: label of the site where the path begins.
        final: of that where it ends.
    """
    steps = [_separation(one, other) for one, other in pairwise(map(as_structure, images))]
    above = np.asarray(energies) - energies[0]
    return BarrierProfile(
        initial_label=initial,
        final_label=final,
        distance=tuple(np.concatenate([[0.0], np.cumsum(steps)]).tolist()),
        energies_ev=tuple(above.tolist()),
    )


def _separation(one: Structure, other: Structure) -> float:
    """Distance between two images in the space of all coordinates, nearest periodic copies, Å."""
    moved = other.frac_coords - one.frac_coords
    return float(np.linalg.norm(one.lattice.get_cartesian_coords(moved - np.round(moved))))
