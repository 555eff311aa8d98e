"""Arrhenius fits with confidence bands."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from results.dynamics.trajectory import Floats
from results.errors import ResultsError

BOLTZMANN_EV_PER_K = 8.617333262e-5
"""k_B, CODATA 2018 (exact)."""
LEAST_TEMPERATURES = 3


@dataclass(frozen=True)
class ArrheniusFit:
    """ln D = ln D₀ − E_a/(k_B T).

    Attributes:
        activation_energy: E_a, eV.
        activation_energy_error: its standard error, eV.
        ln_prefactor: ln(D₀ in the unit of D).
        covariance: of (ln_prefactor, activation_energy), ((a, b), (b, c)).
        misfit: χ² per degree of freedom; where it is over 1 the errors are widened by its root.
    """

    activation_energy: float
    activation_energy_error: float
    ln_prefactor: float
    covariance: tuple[tuple[float, float], tuple[float, float]]
    misfit: float

    def at(
        self, temperatures: ArrayLike, confidence: float = 0.95
    ) -> tuple[Floats, Floats, Floats]:
        """D and both edges of its confidence band at temperatures in K, in the unit of D."""
        beta = 1 / (BOLTZMANN_EV_PER_K * np.asarray(temperatures, dtype=float))
        rows = np.stack([np.ones_like(beta), -beta], axis=-1)
        line = rows @ np.array([self.ln_prefactor, self.activation_energy])
        spread = np.sqrt(np.einsum("...i,ij,...j", rows, np.array(self.covariance), rows))
        reach = float(norm.ppf((1 + confidence) / 2)) * spread
        return np.exp(line), np.exp(line - reach), np.exp(line + reach)


def arrhenius(
    temperatures: Sequence[float], values: Sequence[float], errors: Sequence[float]
) -> ArrheniusFit | str:
    """Straight line through ln D against 1/T, each point by its error.

    Args:
        temperatures: K.
        values: D or any rate, positive.
        errors: standard errors, positive.

    Returns:
        The fit, or why there is none (under three temperatures).

    Raises:
        ResultsError: a number that is not positive, or lists of different lengths.
    """
    if not len(temperatures) == len(values) == len(errors):
        raise ResultsError(
            f"values: {len(values)} and {len(errors)} errors for {len(temperatures)} temperatures"
        )
    for name, numbers in (("temperatures", temperatures), ("values", values), ("errors", errors)):
        for number in numbers:
            if not number > 0:
                raise ResultsError(f"{name}: {number} is not positive; leave that point out")
    if len(set(temperatures)) < LEAST_TEMPERATURES:
        return (
            f"values at {len(set(temperatures))} temperatures; an Arrhenius line with an error "
            f"needs {LEAST_TEMPERATURES}"
        )
    beta = 1 / (BOLTZMANN_EV_PER_K * np.array(temperatures))
    logs = np.log(values)
    weights = np.array(values) / np.array(errors)
    rows = np.stack([np.ones_like(beta), -beta], axis=1) * weights[:, None]
    solution, *_ = np.linalg.lstsq(rows, logs * weights, rcond=None)
    residual = rows @ solution - logs * weights
    misfit = float(residual @ residual) / (len(logs) - 2)
    covariance = np.linalg.inv(rows.T @ rows) * max(1.0, misfit)
    return ArrheniusFit(
        activation_energy=float(solution[1]),
        activation_energy_error=math.sqrt(covariance[1, 1]),
        ln_prefactor=float(solution[0]),
        covariance=(
            (float(covariance[0, 0]), float(covariance[0, 1])),
            (float(covariance[1, 0]), float(covariance[1, 1])),
        ),
        misfit=misfit,
    )
