"""Equilibration and block errors of series that remember their past."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from results.errors import ResultsError

Floats = NDArray[np.float64]

LEAST_SAMPLES = 10
"""Independent samples that a run must hold after its equilibration to be called equilibrated."""
MOST_BLOCKS = 10
LEAST_BLOCKS = 4
BLOCK_IN_INEFFICIENCIES = 4
"""Length of a block in statistical inefficiencies: neighbouring means are then about independent
(6 % too small an error for an exponential memory)."""
_STARTS = 100
"""Places at which a series is tried as the start of equilibrium."""


@dataclass(frozen=True)
class Equilibrium:
    """From where on a run is in equilibrium.

    Attributes:
        start: first frame of it.
        inefficiency: frames per independent sample after ``start``.
        samples: independent samples after ``start``.
        reason: why it is not to be called equilibrated; None if it is.
    """

    start: int
    inefficiency: float
    samples: float
    reason: str | None


@dataclass(frozen=True)
class BlockMean:
    """A mean with the error of its blocks.

    Attributes:
        mean: over all frames, shape of one frame's value.
        error: standard error, same shape; None where there are too few independent samples.
        n_blocks: number of blocks behind it.
    """

    mean: Floats
    error: Floats | None
    n_blocks: int


def statistical_inefficiency(series: ArrayLike) -> float:
    """Frames per independent sample, g = 1 + 2 Σ (1 − t/n) C(t), at least 1.

    The sum over the autocorrelation C ends where C first falls under zero. Source: Chodera et al.,
    J. Chem. Theory Comput. 3, 26 (2007).

    Args:
        series: (n,); a constant one gives 1.
    """
    values = np.asarray(series, dtype=float)
    n = len(values)
    deviations = values - values.mean()
    variance = float(deviations @ deviations)
    if n < 3 or variance <= 1e-20 * n * max(1.0, float(values @ values) / n):
        return 1.0
    transform = np.fft.rfft(deviations, 2 * n)
    products = np.fft.irfft(transform * transform.conj(), 2 * n)[:n]
    lags = np.arange(1, n)
    correlation = products[1:] / variance * n / (n - lags)
    ends = np.flatnonzero(correlation <= 0)
    last = ends[0] if len(ends) else n - 1
    terms = (1 - lags / n) * correlation
    return max(1.0, float(1 + 2 * terms[:last].sum()))


def equilibrium(*series: ArrayLike) -> Equilibrium:
    """Where equilibrium starts: where most independent samples are left, the latest of all series.

    Source: Chodera, J. Chem. Theory Comput. 12, 1799 (2016).

    Args:
        series: one or more of the same run, each (n,).

    Raises:
        ResultsError: no series, or an empty one.
    """
    found = [_equilibrium(np.asarray(each, dtype=float)) for each in series]
    if not found:
        raise ResultsError("series: none given; give at least one")
    start = max(each.start for each in found)
    tails = [statistical_inefficiency(np.asarray(each, dtype=float)[start:]) for each in series]
    inefficiency = max(tails)
    n = len(np.asarray(series[0]))
    samples = (n - start) / inefficiency
    reason = None
    if start > n / 2:
        reason = f"still changing: equilibrium only from frame {start} of {n}; run longer"
    elif samples < LEAST_SAMPLES:
        reason = (
            f"too short to tell: {samples:.1f} independent samples of {n - start} frames, under "
            f"{LEAST_SAMPLES}; run longer"
        )
    return Equilibrium(start, inefficiency, samples, reason)


def _equilibrium(values: Floats) -> Equilibrium:
    n = len(values)
    if not n:
        raise ResultsError("series: empty; give its values")
    starts = np.unique(np.linspace(0, max(0, n - 2), _STARTS).astype(int))
    tried = []
    for start in starts:
        inefficiency = statistical_inefficiency(values[start:])
        tried.append(Equilibrium(int(start), inefficiency, (n - start) / inefficiency, None))
    return max(tried, key=lambda each: each.samples)


def block_mean(values: ArrayLike, inefficiency: float) -> BlockMean:
    """Mean over frames with the standard error of its blocks' means.

    Blocks are at least four statistical inefficiencies long, at most ten; with fewer than four
    there is no error. Source: Flyvbjerg and Petersen, J. Chem. Phys. 91, 461 (1989).

    Args:
        values: (n, ...), one entry per frame.
        inefficiency: frames per independent sample, as `statistical_inefficiency` gives it.

    Raises:
        ResultsError: no values.
    """
    data = np.asarray(values, dtype=float)
    if not len(data):
        raise ResultsError("values: none; give at least one frame")
    shortest = int(np.ceil(BLOCK_IN_INEFFICIENCIES * inefficiency))
    n_blocks = min(MOST_BLOCKS, len(data) // shortest)
    mean = data.mean(axis=0)
    if n_blocks < LEAST_BLOCKS:
        return BlockMean(mean, None, n_blocks)
    length = len(data) // n_blocks
    # The frames left over are the earliest, nearest to what came before equilibrium.
    tail = data[len(data) - length * n_blocks :]
    means = tail.reshape(n_blocks, length, *data.shape[1:]).mean(axis=1)
    return BlockMean(mean, means.std(axis=0, ddof=1) / np.sqrt(n_blocks), n_blocks)
