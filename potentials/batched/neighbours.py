"""Which atoms are near which: one list per system, kept until an atom has left its skin.

A list holds the pairs within the cutoff plus a skin; `GraphBatch` narrows it to the cutoff at every
step. Lists are built by vesin (https://github.com/Luthaf/vesin).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from vesin import NeighborList

SKIN = 0.8
"""Å. Wide enough that a relaxation seldom rebuilds; narrowing the list costs far less than the
network spends on one pair."""


@dataclass(frozen=True)
class NeighbourPairs:
    """All pairs of one system within a cutoff.

    Attributes:
        pairs: shape (2, n_pairs), sender and receiver, numbered within the system; each pair is
            there in both directions, sorted by receiver, sender and shift.
        shifts: shape (n_pairs, 3), float64, whole numbers: cell vectors to add to receiver minus
            sender.
    """

    pairs: Tensor
    shifts: Tensor


def neighbour_pairs(
    positions: NDArray[np.float64],
    cell: NDArray[np.float64],
    periodic: tuple[bool, bool, bool],
    cutoff: float,
) -> NeighbourPairs:
    """The pairs of one system, on the host.

    Args:
        positions: shape (n_atoms, 3), Å, not necessarily within the cell.
        cell: shape (3, 3), Å, vectors in rows.
        periodic: whether the system repeats along each cell vector.
        cutoff: Å.
    """
    search = NeighborList(cutoff=cutoff, full_list=True, n_threads=1)
    receiver, sender, shifts = search.compute(
        points=positions, box=cell, periodic=np.array(periodic), quantities="ijS"
    )
    # Sorted by receiver, the network's sums over edges stay local; sorted altogether, they do not
    # depend on when the list was made, and a restarted run repeats itself bit for bit.
    pairs = np.stack([sender, receiver]).astype(np.int64)
    # Shifts of one pair are less than 256 apart, however far an atom has gone.
    images = ((shifts.astype(np.int64) + 128) & 255) @ np.array([2**16, 2**8, 1])
    order = np.argsort((pairs[1] * len(positions) + pairs[0]) * 2**24 + images)
    pairs = pairs[:, order]
    return NeighbourPairs(
        torch.from_numpy(pairs), torch.from_numpy(-shifts[order].astype(np.float64))
    )


def neighbour_lists(
    systems: Sequence[tuple[NDArray[np.float64], NDArray[np.float64], tuple[bool, bool, bool]]],
    cutoff: float,
    device: torch.device,
) -> list[NeighbourPairs]:
    """The pairs of every system, brought over in one go.

    One after the other: what threads won on 64 slabs of 40 atoms, they lost by starting.

    Args:
        systems: positions, cell and periodicity of each, as `neighbour_pairs` takes them.
        cutoff: Å.
        device: where the results live.
    """
    lists = [neighbour_pairs(*system, cutoff) for system in systems]
    sizes = [len(each.shifts) for each in lists]
    pairs = torch.cat([each.pairs for each in lists], dim=1).to(device).split(sizes, dim=1)
    shifts = torch.cat([each.shifts for each in lists]).to(device).split(sizes)
    return [NeighbourPairs(*each) for each in zip(pairs, shifts, strict=True)]
