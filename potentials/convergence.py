"""When a relaxation is done and when it has gone wrong: the same for every engine."""

import numpy as np
from numpy.typing import NDArray

_STRESS_AREA = 100.0
_LARGEST_FORCE = 1e3
_LARGEST_GROWTH = 10.0
_DEEPEST_FALL = 50.0
_LARGEST_VOLUME_RATIO = 3.0


def largest_force(forces: NDArray[np.float64], free: NDArray[np.bool_]) -> float:
    """Largest force norm over the directions that may move, eV/Å; 0 where nothing may.

    Args:
        forces: shape (n_atoms, 3), eV/Å.
        free: shape (n_atoms, 3).
    """
    return float(np.linalg.norm(np.where(free, forces, 0.0), axis=1).max(initial=0.0))


def stress_tolerance(fmax: float) -> float:
    """Largest residual stress of a relaxed cell, eV/Å³, for a force threshold ``fmax`` (eV/Å).

    ``fmax`` over 100 Å², a facet cell's area: 0.05 GPa at 0.03 eV/Å, which leaves soft lithium
    within 0.15 % of its lattice parameter whatever the number of atoms in the cell.
    """
    return fmax / _STRESS_AREA


def divergence(
    energy: float, strongest: float, n_atoms: int, start_energy: float, start_force: float
) -> str | None:
    """Why a system must be given up, or None.

    Args:
        energy: present energy, eV.
        strongest: largest force norm of any atom, frozen or not, eV/Å; NaN where one is.
        n_atoms: number of atoms.
        start_energy: energy before the first step, eV.
        start_force: ``strongest`` before the first step; a poor start may feel much.
    """
    if not (np.isfinite(energy) and np.isfinite(strongest)):
        return "energy or forces are not a number"
    if strongest > max(_LARGEST_FORCE, _LARGEST_GROWTH * start_force):
        return f"diverged: force of {strongest:.3g} eV/Å"
    fall = (start_energy - energy) / max(n_atoms, 1)
    if fall > _DEEPEST_FALL:
        return f"diverged: energy fell by {fall:.3g} eV per atom"
    return None


def cell_divergence(volume: float, start_volume: float) -> str | None:
    """Why a cell that moves must be given up, or None; volumes in Å³."""
    ratio = volume / start_volume
    if np.isfinite(ratio) and 1 / _LARGEST_VOLUME_RATIO < ratio < _LARGEST_VOLUME_RATIO:
        return None
    return f"diverged: cell volume changed by a factor of {ratio:.3g}"
