"""Diffusivities from displacements, with an interval, or the reason why there is none.

D = d⟨r²⟩/dt / 2d (Einstein, Ann. Phys. 322, 549 (1905)). A single straight line through one long
mean square displacement has no honest error, since its points are not independent; here the run is
cut into blocks in time, each gives a slope, and their scatter gives the interval.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as students_t

from results.dynamics.trajectory import Floats
from results.errors import ResultsError

A2_PER_PS_IN_CM2_PER_S = 1e-4
"""1 Å²/ps in cm²/s: 1e-16 cm² over 1e-12 s."""
CONFIDENCE = 0.95
N_BLOCKS = 10
LEAST_EXPONENT = 0.7
"""Slope of ln⟨r²⟩ against ln t under which atoms rattle or are caged rather than diffuse (1)."""
LEAST_SQUARE = 1.0
"""Å²; mean square displacement under which atoms have not left their sites."""
_LEAST_BLOCKS = 5
_LEAST_LAGS = 4


@dataclass(frozen=True)
class Diffusivity:
    """A diffusion coefficient or why there is none.

    Attributes:
        value: cm²/s; None where the run does not show diffusion.
        low: lower end of the 95 % interval, cm²/s; None without value.
        high: upper end of it; without value the upper end of what the run allows, None if unknown.
        error: standard error, cm²/s; None without value.
        exponent: of ⟨r²⟩ ~ t^exponent over the lags used, 1 for diffusion; None if unknown.
        n_atoms: atoms behind it, mean over the blocks.
        reason: why there is no value; None if there is one.
    """

    value: float | None
    low: float | None
    high: float | None
    error: float | None
    exponent: float | None
    n_atoms: float
    reason: str | None


@dataclass(frozen=True)
class SlabDiffusivity:
    """Diffusivities of the atoms of one slab of an interface.

    Attributes:
        low: lower edge of the slab, height in Å.
        high: upper edge.
        parallel: in the plane of the interface.
        normal: across it.
    """

    low: float
    high: float
    parallel: Diffusivity
    normal: Diffusivity


def diffusivity(positions: ArrayLike, times: ArrayLike) -> Diffusivity:
    """Self-diffusion coefficient of atoms that count alike.

    Args:
        positions: (n_frames, n_atoms, n_dimensions), Å, not wrapped, without drift, only the
            directions that count (all three, the two of a plane, or one).
        times: (n_frames,), ps, equally spaced.

    Raises:
        ResultsError: positions of another shape.
    """
    where, spacing = _checked(positions, times)
    blocks = _blocks(len(where))
    if blocks is None:
        return _none(f"too short to tell: {len(where)} frames; keep more or run longer")
    curves = np.array([_mean_square(where[block], _lags(block)).mean(axis=1) for block in blocks])
    return _from_curves(curves, _lags(blocks[0]) * spacing, where.shape[2], where.shape[1])


def slab_diffusivities(
    positions: ArrayLike, heights: ArrayLike, times: ArrayLike, edges: ArrayLike
) -> list[SlabDiffusivity]:
    """Diffusivities parallel and normal to an interface of the atoms of each slab.

    In every block of time an atom belongs to the slab where it is in the block's middle. An atom
    that leaves meanwhile stays counted, which does not disturb the motion in the plane; across it,
    there is no value where atoms leave the slab within a block. Compare Liu, Harder and Berne, J.
    Phys. Chem. B 108, 6595 (2004).

    Args:
        positions: (n_frames, n_atoms, 3), Å, not wrapped, without drift, normal along z.
        heights: (n_frames, n_atoms), Å, by which atoms belong to slabs.
        times: (n_frames,), ps.
        edges: (n_slabs + 1,), rising heights, Å.

    Raises:
        ResultsError: arrays of other shapes.
    """
    where, spacing = _checked(positions, times)
    height, steps = np.asarray(heights, dtype=float), np.asarray(edges, dtype=float)
    if height.shape != where.shape[:2] or where.shape[2] != 3:
        raise ResultsError(f"heights: shape {height.shape}; give {where.shape[:2]}")
    blocks = _blocks(len(where))
    found = []
    for low, high in pairwise(steps):
        if blocks is None:
            none = _none(f"too short to tell: {len(where)} frames; keep more or run longer")
            found.append(SlabDiffusivity(float(low), float(high), none, none))
            continue
        along, across, sizes = [], [], []
        for block in blocks:
            middle = height[(block.start + block.stop) // 2]
            inside = (middle >= low) & (middle < high)
            if inside.any():
                chosen = where[block][:, inside]
                along.append(_mean_square(chosen[..., :2], _lags(block)).mean(axis=1))
                across.append(_mean_square(chosen[..., 2:], _lags(block)).mean(axis=1))
                sizes.append(int(inside.sum()))
        lags, size = _lags(blocks[0]) * spacing, float(np.mean(sizes)) if sizes else 0.0
        if len(sizes) < _LEAST_BLOCKS:
            none = _none(f"too short to tell: atoms in {len(sizes)} of {len(blocks)} blocks only")
            found.append(SlabDiffusivity(float(low), float(high), none, none))
            continue
        parallel = _from_curves(np.array(along), lags, 2, size)
        normal = _from_curves(np.array(across), lags, 1, size)
        spread = float(np.sqrt(np.mean(across, axis=0)[-1]))
        if normal.reason is None and spread > (high - low) / 2:
            normal = _none(
                f"slabs too thin: atoms move {spread:.1f} Å across within a block; ask for slabs "
                f"of at least {2 * spread:.0f} Å"
            )
        found.append(SlabDiffusivity(float(low), float(high), parallel, normal))
    return found


def _checked(positions: ArrayLike, times: ArrayLike) -> tuple[Floats, float]:
    where, moments = np.asarray(positions, dtype=float), np.asarray(times, dtype=float)
    if where.ndim != 3 or len(where) != len(moments) or not where.shape[1]:
        raise ResultsError(
            f"positions: shape {where.shape} for {len(moments)} times; give (n_frames, n_atoms, n)"
        )
    return where, float(moments[1] - moments[0]) if len(moments) > 1 else 0.0


def _blocks(n_frames: int) -> list[slice] | None:
    """Blocks of time that share no step; None where even the fewest blocks are too short."""
    for n_blocks in range(N_BLOCKS, _LEAST_BLOCKS - 1, -1):
        length = (n_frames - 1) // n_blocks
        if len(_lags(slice(0, length + 1))) >= _LEAST_LAGS:
            first = n_frames - 1 - n_blocks * length
            starts = range(first, n_frames - 1, length)
            return [slice(start, start + length + 1) for start in starts]
    return None


def _lags(block: slice) -> NDArray[np.int_]:
    """Lags in frames from a tenth to a half of a block."""
    length = block.stop - block.start - 1
    return np.unique(np.linspace(max(1, length // 10), length // 2, 10).astype(int))


def _mean_square(positions: Floats, lags: NDArray[np.int_]) -> Floats:
    """(n_lags, n_atoms), mean over the time origins, Å²."""
    rows = [((positions[lag:] - positions[:-lag]) ** 2).sum(axis=2).mean(axis=0) for lag in lags]
    return np.array(rows)


def _from_curves(curves: Floats, lags: NDArray, dimensions: int, n_atoms: float) -> Diffusivity:
    """From each block's mean square displacements, (n_blocks, n_lags), Å², at lags in ps."""
    centred = lags - lags.mean()
    slopes = curves @ centred / (centred @ centred) / (2 * dimensions) * A2_PER_PS_IN_CM2_PER_S
    n_blocks = len(slopes)
    value, error = float(slopes.mean()), float(slopes.std(ddof=1) / np.sqrt(n_blocks))
    reach = float(students_t.ppf((1 + CONFIDENCE) / 2, n_blocks - 1)) * error
    low, high = value - reach, value + reach
    mean = curves.mean(axis=0)
    exponent = None
    if (mean > 0).all():
        exponent = float(np.polyfit(np.log(lags), np.log(mean), 1)[0])
    reason = None
    if mean[-1] < LEAST_SQUARE:
        reason = f"⟨r²⟩ reaches {mean[-1]:.2g} Å² in {lags[-1]:.2g} ps, under {LEAST_SQUARE:g} Å²"
    elif exponent is None or exponent < LEAST_EXPONENT:
        shown = "none" if exponent is None else f"{exponent:.2f}"
        reason = f"⟨r²⟩ grows with the power {shown} of time, under {LEAST_EXPONENT:g}: still caged"
    elif low <= 0:
        reason = f"the interval {low:.1e} to {high:.1e} cm²/s holds zero"
    if reason is None:
        return Diffusivity(value, low, high, error, exponent, n_atoms, None)
    return Diffusivity(
        None, None, max(high, 0.0), None, exponent, n_atoms, f"too short to tell: {reason}"
    )


def _none(reason: str) -> Diffusivity:
    return Diffusivity(None, None, None, None, None, 0.0, reason)
