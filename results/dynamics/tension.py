"""Surface tension of a liquid from the stress of a film of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from results.dynamics.statistics import block_mean, equilibrium
from results.dynamics.trajectory import Floats
from results.errors import ResultsError
from results.quantities import ev_per_a2_to_j_per_m2


@dataclass(frozen=True)
class SurfaceTension:
    """The surface tension of a film in equilibrium with its vapour or with vacuum.

    Attributes:
        value: γ, J/m² (= N/m), mean over the equilibrium.
        error: standard error of its blocks, J/m²; None where there are too few.
        reason: why it is not to be relied on; None if it is.
    """

    value: float
    error: float | None
    reason: str | None


def tension_series(stresses: ArrayLike, cells: ArrayLike) -> Floats:
    """γ = (L/2)(p_N − p_T) of every frame of a film with two free surfaces, (n_frames,), J/m².

    L is the height of the cell, N along its normal, T the mean of the two directions in the plane.
    Source: Kirkwood and Buff, J. Chem. Phys. 17, 338 (1949). The stresses may be of the potential
    energy alone: the momenta of a liquid in equilibrium push alike in all directions.

    Args:
        stresses: (n_frames, 3, 3), eV/Å³, positive under tension.
        cells: (n_frames, 3, 3), Å, the first two vectors in the plane.

    Raises:
        ResultsError: arrays of other shapes.
    """
    stress, vectors = np.asarray(stresses, dtype=float), np.asarray(cells, dtype=float)
    if stress.ndim != 3 or stress.shape[1:] != (3, 3) or vectors.shape != stress.shape:
        raise ResultsError(
            f"stresses: shape {stress.shape} for cells {vectors.shape}; give both (n_frames, 3, 3)"
        )
    normals = np.cross(vectors[:, 0], vectors[:, 1])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    across = np.einsum("fi,fij,fj->f", normals, stress, normals)
    along = (np.trace(stress, axis1=1, axis2=2) - across) / 2
    heights = np.einsum("fi,fi->f", vectors[:, 2], normals)
    tension: Floats = ev_per_a2_to_j_per_m2(1.0) * heights / 2 * (along - across)
    return tension


def surface_tension(stresses: ArrayLike, cells: ArrayLike, energies: ArrayLike) -> SurfaceTension:
    """Mean of `tension_series` over the equilibrium, with block errors.

    Args:
        stresses: (n_frames, 3, 3), eV/Å³, positive under tension.
        cells: (n_frames, 3, 3), Å.
        energies: (n_frames,), potential energy, by which equilibrium is found too.

    Raises:
        ResultsError: arrays of other shapes, or stresses that are not numbers.
    """
    series = tension_series(stresses, cells)
    if not np.isfinite(series).all():
        raise ResultsError("stresses: some are not numbers; run the film again")
    settled = equilibrium(energies, series)
    mean = block_mean(series[settled.start :], settled.inefficiency)
    error = None if mean.error is None else float(mean.error)
    reason = settled.reason
    if reason is None and error is None:
        reason = "too short to tell: no error from its blocks; run longer"
    return SurfaceTension(float(mean.mean), error, reason)
