"""Reference energies per element, so that the network learns binding and not atoms."""

from collections.abc import Mapping, Sequence

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

_ROBUST = 0.01
"""Energy error per atom, eV, beyond which a frame counts by its size and not by its square."""


def fit_references(
    frames: Sequence[Atoms],
    elements: Sequence[int],
    prior: Mapping[int, float],
    ridge: float = 1.0,
) -> list[float]:
    """Element energies by ridge least squares over the frames' energies per atom.

    Minimises sum((E/n - x·e)²) + ridge·|e - e_prior|², where x is a frame's composition, so that an
    element that the frames hardly constrain stays at its prior.

    Args:
        frames: labelled frames.
        elements: atomic numbers, in the order of the result.
        prior: starting energy of each element, eV.
        ridge: strength of the pull to the prior, in frames.

    Returns:
        Energies in eV, in the order of ``elements``.
    """
    start = np.array([prior[z] for z in elements])
    energies = np.array([frame.get_potential_energy() for frame in frames])
    return [float(e) for e in start + _ridge(frames, energies, elements, start, ridge)]


def fit_shifts(
    frames: Sequence[Atoms],
    wanted: Sequence[float],
    predicted: Sequence[float],
    elements: Sequence[int],
    ridge: float = 1e-3,
) -> list[float]:
    """What to add to a network's reference energies so that its energies have the frames' zero.

    The sum over frames of a soft L1 norm is minimised: most frames are crystals, and a network's
    error on the surfaces among the rest is not to be taken for a shift of their elements.

    Args:
        frames: structures.
        wanted: their energies, eV.
        predicted: the network's energies, eV.
        elements: atomic numbers, in the order of the result.
        ridge: strength of the pull to no shift, in frames.

    Returns:
        Shifts in eV, in the order of ``elements``; zero for an element that no frame has.
    """
    from scipy.optimize import least_squares

    missing = np.array(wanted) - np.array(predicted)
    nothing = np.zeros(len(elements))
    composition, rest = _per_atom(frames, missing, elements, nothing)
    rows = np.vstack([composition, np.sqrt(ridge) * np.eye(len(elements))])
    found = least_squares(
        lambda shifts: rows @ shifts - np.concatenate([rest, nothing]),
        _ridge(frames, missing, elements, nothing, ridge),
        jac=lambda _: rows,
        loss="soft_l1",
        f_scale=_ROBUST,
    )
    return [float(e) for e in found.x]


def _ridge(
    frames: Sequence[Atoms],
    energies: NDArray[np.float64],
    elements: Sequence[int],
    start: NDArray[np.float64],
    ridge: float,
) -> NDArray[np.float64]:
    """Element energies over ``start`` that fit ``energies`` per atom, pulled to zero."""
    composition, rest = _per_atom(frames, energies, elements, start)
    matrix = composition.T @ composition + ridge * np.eye(len(elements))
    return np.asarray(np.linalg.solve(matrix, composition.T @ rest), dtype=np.float64)


def _per_atom(
    frames: Sequence[Atoms],
    energies: NDArray[np.float64],
    elements: Sequence[int],
    start: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share of each element in each frame, and energies per atom over those of ``start``, eV."""
    column = {z: i for i, z in enumerate(elements)}
    composition = np.zeros((len(frames), len(elements)))
    for row, frame in enumerate(frames):
        for z, count in zip(*np.unique(frame.numbers, return_counts=True), strict=True):
            composition[row, column[int(z)]] = count / len(frame)
    return composition, energies / [len(frame) for frame in frames] - composition @ start
