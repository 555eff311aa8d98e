"""How far a number may be off for want of convergence or of sampling; never the potential's error.

Errors are standard deviations in the sense that a ranking draws from them; those of independent
origin are added in squares.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from results.errors import ResultsError
from results.quantities import contact_angle

FORCE_CONSTANT = 0.5
"""Force constant of the soft motions that a relaxation must settle, eV/Å².

Relaxing slabs of Li, Cu, Au, Mg and Zn, and Li on them, on to a tenth of the force with `mini`
gives 1 to 3, and 0.2 for Zn."""

SLIDING_FORCE_CONSTANT = 0.1
"""The same where a film may still slide on its substrate, eV/Å².

That of the softest zone-boundary phonon of bcc lithium, about 1.9 THz (Beg and Nielsen, Phys. Rev.
B 14, 4266 (1976)): m ω² = 0.10 eV/Å². Relaxing on as above gives 0.06 to 0.5 for Li on Cu, Mg and
Zn."""


def relaxation_residual(
    forces: ArrayLike, free: ArrayLike | None = None, *, force_constant: float = FORCE_CONSTANT
) -> float:
    """Energy that a relaxation may still gain, Σ|f|²/(2k), eV: that of soft springs not at rest.

    Near a minimum it is fᵀH⁻¹f/2 with the Hessian H, at most |f|²/2 over its lowest eigenvalue;
    ``force_constant``, k, stands for that. A film that would slide on into another minimum is
    beyond any such estimate.

    Args:
        forces: left at the end, shape (n_atoms, 3), eV/Å.
        free: which components were relaxed, shape (n_atoms, 3), bool; None for all.
        force_constant: k, eV/Å²; `SLIDING_FORCE_CONSTANT` for a film on a substrate.

    Raises:
        ResultsError: forces that are not finite or not of that shape.
    """
    left = np.asarray(forces, dtype=float)
    if left.ndim != 2 or left.shape[1] != 3 or not np.isfinite(left).all():
        raise ResultsError(f"forces: shape {left.shape} or not finite; give finite (n_atoms, 3)")
    if free is not None:
        left = np.where(np.asarray(free, dtype=bool), left, 0.0)
    return float((left**2).sum() / (2 * force_constant))


def sampled_best_error(values: Sequence[float], residuals: Sequence[float]) -> float:
    """Error of the best of several relaxed starts, such as the registries of an interface.

    Starts that end in one minimum say nothing of the others, so their tiny spread is no error. The
    square of the error is the sum of

    - the variance over the distinct minima (0 where there is one): what another choice of starts
      would have changed. Values closer than their residuals together are one minimum, which counts
      once, with its best value;
    - the square of the best one's residual, or of the largest difference seen inside one minimum if
      that is more.

    Args:
        values: one of each start, at least one, in the unit of the error; the largest is the best.
        residuals: how far each may be off for want of convergence, same unit, as many.

    Raises:
        ResultsError: no value, or not as many residuals.
    """
    if not values or len(values) != len(residuals):
        raise ResultsError(f"residuals: {len(residuals)} for {len(values)} values; give one each")
    ordered = sorted(zip(values, residuals, strict=True), reverse=True)
    minima = [ordered[0]]
    within = 0.0
    for value, residual in ordered[1:]:
        first, its_residual = minima[-1]
        if first - value <= residual + its_residual:
            within = max(within, first - value)
        else:
            minima.append((value, residual))
    spread = float(np.std([value for value, _ in minima], ddof=1)) if len(minima) > 1 else 0.0
    return math.hypot(spread, max(ordered[0][1], within))


def contact_angle_error(
    adhesion: float, gamma: float, adhesion_error: float | None, gamma_error: float | None
) -> float | None:
    """Error of `results.quantities.contact_angle`, degrees: half of what W's and γ's span.

    Args:
        adhesion: W, J/m².
        gamma: γ of lithium, J/m².
        adhesion_error: of W; None where it is not known.
        gamma_error: of γ; None counts it as exact.

    Returns:
        None where W has no error, or where both ends are clipped to one limit: its error then says
        nothing of the angle's.
    """
    if adhesion_error is None:
        return None
    spread = math.hypot(adhesion_error, adhesion / gamma * (gamma_error or 0.0))
    ends = [contact_angle(adhesion + sign * spread, gamma) for sign in (-1, 1)]
    return (ends[0] - ends[1]) / 2 or None


def in_squares(*errors: float | None) -> float | None:
    """Errors of independent origin together; None where one of them is not known."""
    known = [error for error in errors if error is not None]
    return math.hypot(*known) if len(known) == len(errors) else None
