"""Whether a path is its own reverse: then half of its images say all."""

from dataclasses import dataclass

import numpy as np
import spglib
from numpy.typing import NDArray

from potentials.batched.interpolation import EndStates

TOLERANCE = 0.05
"""Å; what two end states relaxed to the usual thresholds differ by."""


@dataclass(frozen=True)
class Reversal:
    """A symmetry operation that takes the path to its reverse.

    Attributes:
        rotation: (3, 3), Cartesian; a vector v (row) goes to v @ rotation.
        image_of: (n_atoms,), which atom each atom goes to.
    """

    rotation: NDArray[np.float64]
    image_of: NDArray[np.int64]


def find_reversal(ends: EndStates, numbers: NDArray[np.int64]) -> Reversal | None:
    """The operation that exchanges the end states, atom by atom; None where there is none.

    Args:
        ends: the end states.
        numbers: (n_atoms,), atomic numbers.
    """
    inverse = np.linalg.inv(ends.cell)
    initial, final = ends.initial @ inverse, ends.final @ inverse
    way = np.linalg.norm(ends.final - ends.initial, axis=1)
    mover = int(way.argmax())
    targets = np.flatnonzero((way > way[mover] - TOLERANCE) & (numbers == numbers[mover]))
    for turn in _lattice_rotations(ends.cell, ends.periodic):
        for target in targets:
            shift = final[target] - initial[mover] @ turn.T
            image_of = _matching(initial @ turn.T + shift, final, ends, numbers)
            if image_of is None:
                continue
            back = (final @ turn.T + shift)[np.argsort(image_of)]
            if _distances(back - initial, ends).max() > TOLERANCE:
                continue
            rotation = inverse @ turn.T @ ends.cell
            # Half a cell further along exchanges the ends too, but goes on instead of back.
            turned = (ends.final - ends.initial) @ rotation
            if np.abs(turned + (ends.final - ends.initial)[image_of]).max() > 2 * TOLERANCE:
                continue
            if (ends.free[image_of] == ends.free).all() and _keeps_directions(rotation, ends):
                return Reversal(rotation, image_of)
    return None


def _lattice_rotations(
    cell: NDArray[np.float64], periodic: tuple[bool, bool, bool]
) -> NDArray[np.int64]:
    """Rotations of the empty lattice, in fractional coordinates, (n, 3, 3)."""
    found = spglib.get_symmetry((cell.tolist(), [[0.0, 0.0, 0.0]], [1]), symprec=1e-3)
    if found is None:
        return np.eye(3, dtype=np.int64)[None]
    rotations = np.asarray(found["rotations"])
    open_directions = ~np.array(periodic)
    mixing = rotations[:, open_directions][:, :, ~open_directions].any(axis=(1, 2)) | rotations[
        :, ~open_directions
    ][:, :, open_directions].any(axis=(1, 2))
    return rotations[~mixing]


def _matching(
    moved: NDArray[np.float64],
    final: NDArray[np.float64],
    ends: EndStates,
    numbers: NDArray[np.int64],
) -> NDArray[np.int64] | None:
    """Which atom of ``final`` each of ``moved`` lies on; None unless it is one to one."""
    apart = _distances(moved[:, None] - final[None, :], ends)
    image_of = apart.argmin(axis=1)
    matched = apart[np.arange(len(moved)), image_of].max() < TOLERANCE
    if matched and len(set(image_of)) == len(moved) and (numbers[image_of] == numbers).all():
        return image_of
    return None


def _distances(fractional: NDArray[np.float64], ends: EndStates) -> NDArray[np.float64]:
    """Å, up to cell vectors along periodic directions; exact where they are short."""
    wrapped = fractional - np.round(fractional) * np.array(ends.periodic)
    return np.asarray(np.linalg.norm(wrapped @ ends.cell, axis=-1))


def _keeps_directions(rotation: NDArray[np.float64], ends: EndStates) -> bool:
    """Whether atoms that are free along some directions only are free along them when turned."""
    if (ends.free.all(axis=1) | ~ends.free.any(axis=1)).all():
        return True
    return bool(np.allclose(np.abs(rotation), np.eye(3), atol=1e-6))
