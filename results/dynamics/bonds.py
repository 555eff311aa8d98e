"""Bonds and neighbours: which broke and formed, radial distribution."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from ase.data import atomic_numbers, covalent_radii
from numpy.typing import NDArray
from vesin import NeighborList

from results.dynamics.trajectory import Floats, Trajectory
from results.errors import ResultsError

FORMED = 1.2
"""A bond has formed under so many sums of covalent radii (Cordero et al., Dalton Trans. 2832
(2008)): 2.5 Å for P-S, 2.8 Å for Li-S."""
BROKEN = 1.4
"""It has broken beyond so many; in between it stays what it was, so that vibrations count not."""

_SHIFT_BITS = 10
"""Of the number that stands for a bond, for each of the three shifts of its second atom."""

Pair = tuple[str, str]


@dataclass(frozen=True)
class BondChange:
    """What became of the bonds between two elements.

    Attributes:
        pair: the elements, in alphabetical order.
        counts: (n_frames,), bonds in each frame.
        broken: bonds of the first frame that the last has not.
        formed: bonds of the last frame that the first had not.
    """

    pair: Pair
    counts: NDArray[np.int_]
    broken: int
    formed: int


def bond_changes(trajectory: Trajectory) -> list[BondChange]:
    """Bonds of every pair of elements against time, and which broke and formed on the way.

    A bond forms under `FORMED` and breaks beyond `BROKEN` sums of covalent radii.
    """
    symbols = trajectory.symbols
    kinds = sorted(set(symbols))
    kind = np.array([kinds.index(symbol) for symbol in symbols])
    radii = np.array([covalent_radii[atomic_numbers[symbol]] for symbol in symbols])
    n_atoms, n_kinds = len(symbols), len(kinds)
    reach = BROKEN * 2 * float(radii.max())
    bonded = np.zeros(0, dtype=np.int64)
    first = bonded
    counts = np.zeros((len(trajectory.times), n_kinds * n_kinds), dtype=int)

    def pairs_of(keys: NDArray[np.int64]) -> NDArray[np.int_]:
        atoms = keys >> (3 * _SHIFT_BITS)
        ends = np.sort(np.stack([kind[atoms // n_atoms], kind[atoms % n_atoms]]), axis=0)
        return np.bincount(ends[0] * n_kinds + ends[1], minlength=n_kinds * n_kinds)

    for frame, (i, j, shifts, distances) in enumerate(_neighbours(trajectory, reach)):
        keys, ratio = i * n_atoms + j, distances / (radii[i] + radii[j])
        for direction in range(3):
            keys = (keys << _SHIFT_BITS) + shifts[:, direction] + (1 << (_SHIFT_BITS - 1))
        near, within = np.unique(keys[ratio < FORMED]), np.unique(keys[ratio < BROKEN])
        bonded = np.union1d(np.intersect1d(bonded, within), near)
        first = bonded if frame == 0 else first
        counts[frame] = pairs_of(bonded)
    broken = pairs_of(np.setdiff1d(first, bonded))
    formed = pairs_of(np.setdiff1d(bonded, first))
    return [
        BondChange((kinds[a], kinds[b]), counts[:, code], int(broken[code]), int(formed[code]))
        for a in range(n_kinds)
        for b in range(a, n_kinds)
        for code in [a * n_kinds + b]
        if counts[:, code].any()
    ]


def radial_distribution(
    trajectory: Trajectory, pair: Pair, r_max: float = 8.0, bin_width: float = 0.05
) -> tuple[Floats, Floats]:
    """g(r) of two elements, 1 where they know nothing of each other.

    Source: Allen and Tildesley, Computer Simulation of Liquids, 2nd ed., section 2.6.

    Args:
        trajectory: its mean volume is the ideal one.
        pair: the elements; twice the same one is fine.
        r_max: Å; may be more than half of the cell.
        bin_width: Å.

    Returns:
        Middles of the bins (Å) and g, both (n_bins,).

    Raises:
        ResultsError: an element that the run lacks.
    """
    missing = [element for element in pair if element not in trajectory.symbols]
    if missing:
        raise ResultsError(
            f"pair: no {missing[0]} here; use two of {sorted(set(trajectory.symbols))}"
        )
    one, other = (trajectory.of(element) for element in pair)
    edges = np.arange(0.0, r_max + bin_width / 2, bin_width)
    found = np.zeros(len(edges) - 1)
    for i, j, _, distances in _neighbours(trajectory, r_max):
        # Each pair stands once; seen from both ends it counts for both orders of the elements.
        weights = (one[i] & other[j]).astype(float) + (other[i] & one[j])
        found += np.histogram(distances, edges, weights=weights)[0]
    volume = float((trajectory.areas * trajectory.cell_heights).mean())
    n_other = int(other.sum()) - (pair[0] == pair[1])
    shells = 4 / 3 * np.pi * (edges[1:] ** 3 - edges[:-1] ** 3)
    expected = len(trajectory.times) * int(one.sum()) * n_other / volume * shells
    return (edges[1:] + edges[:-1]) / 2, found / np.maximum(expected, 1e-300)


def _neighbours(
    trajectory: Trajectory, reach: float
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], Floats]]:
    """Both atoms, shift of cells (n, 3) and distance of every pair, each pair once, by frame.

    The first atom is the lower number; of an atom and its own image the first nonzero shift is
    positive. Atoms are not wrapped, so that a pair keeps its shift from frame to frame.
    """
    search = NeighborList(cutoff=reach, full_list=False, n_threads=1)
    for positions, cell in zip(trajectory.positions, trajectory.cells, strict=True):
        i, j, shifts, distances = search.compute(
            points=np.asarray(positions, dtype=np.float64),
            box=np.asarray(cell, dtype=np.float64),
            periodic=True,
            quantities="ijSd",
        )
        i, j, shifts = (each.astype(np.int64) for each in (i, j, shifts))
        leading = shifts @ np.array([1 << 40, 1 << 20, 1])
        turned = (i > j) | ((i == j) & (leading < 0))
        shifts = np.where(turned[:, None], -shifts, shifts)
        yield np.minimum(i, j), np.maximum(i, j), shifts, distances
