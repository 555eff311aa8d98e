"""Starting paths between two end states: straight, then the image-dependent pair potential.

Method: Smidstrup, Pedersen, Stokbro and Jónsson, J. Chem. Phys. 140, 214106 (2014); every image is
taken to its interpolated distances on its own, without springs between images, which the distances
already keep apart.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from potentials.batched.neighbours import neighbour_pairs
from potentials.batched.optimisers import Lbfgs

REACH = 4.0
"""Å; pairs further apart along the whole straight path do not get in each other's way."""
STEPS = 60
LARGEST_SLOPE = 0.02
"""Å⁻³ (Å² over Å⁴, per Å); where the largest slope is under this the path is good enough."""


@dataclass(frozen=True)
class EndStates:
    """Two end states, as a path between them goes.

    Attributes:
        initial: (n_atoms, 3), Å.
        final: (n_atoms, 3), Å; initial plus each atom's way.
        cell: (3, 3), Å.
        free: (n_atoms, 3), which directions may move.
        periodic: along each cell vector.
    """

    initial: NDArray[np.float64]
    final: NDArray[np.float64]
    cell: NDArray[np.float64]
    free: NDArray[np.bool_]
    periodic: tuple[bool, bool, bool]


def interpolate(ends: EndStates, n_images: int) -> NDArray[np.float64]:
    """``n_images`` images between ``ends``, shape (n_images, n_atoms, 3), Å."""
    fractions = np.linspace(0.0, 1.0, n_images + 2)[1:-1]
    way = ends.final - ends.initial
    straight = torch.from_numpy(ends.initial + fractions[:, None, None] * way)
    pairs, shifts = _near_pairs(ends)
    offsets = shifts @ torch.from_numpy(ends.cell)
    first, last = (
        torch.linalg.vector_norm(_vectors(torch.from_numpy(end)[None], pairs, offsets), dim=2)
        for end in (ends.initial, ends.final)
    )
    wanted = first + torch.from_numpy(fractions)[:, None] * (last - first)
    free = torch.from_numpy(ends.free)
    images, optimiser = straight, Lbfgs(straight.device)
    for _ in range(STEPS):
        forces = torch.where(free, _forces(images, pairs, offsets, wanted), 0.0)
        if torch.linalg.vector_norm(forces, dim=2).max() < LARGEST_SLOPE:
            break
        images = images + optimiser.step(images, forces)
    return images.numpy()


def _near_pairs(ends: EndStates) -> tuple[Tensor, Tensor]:
    """Pairs within `REACH` at the ends or half-way, as in `NeighbourPairs`."""
    found = []
    for positions in (ends.initial, (ends.initial + ends.final) / 2, ends.final):
        near = neighbour_pairs(positions, ends.cell, ends.periodic, REACH)
        found.append(torch.cat([near.pairs.T, near.shifts.to(torch.int64)], dim=1))
    each = torch.unique(torch.cat(found), dim=0)
    return each[:, :2].T, each[:, 2:].to(torch.float64)


def _vectors(images: Tensor, pairs: Tensor, offsets: Tensor) -> Tensor:
    sender, receiver = pairs
    return images[:, receiver] - images[:, sender] + offsets


def _forces(images: Tensor, pairs: Tensor, offsets: Tensor, wanted: Tensor) -> Tensor:
    """Minus the slope of the sum over pairs of (distance - wanted)²/distance⁴."""
    vectors = _vectors(images, pairs, offsets)
    distance = torch.linalg.vector_norm(vectors, dim=2)
    excess = distance - wanted
    slope = excess * (1 - 2 * excess / distance) / distance**5
    # Every pair is there in both directions: each atom's share comes to it as receiver.
    return torch.zeros_like(images).index_add(1, pairs[1], -2 * slope[..., None] * vectors)
