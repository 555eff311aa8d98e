"""What stands behind a number: the calculations it comes from, their energies and their residuals.

Errors are those of `workflows.collector_documents`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from results.documents import CalculationDocument, Evidence, PathDocument, as_structure
from results.quantities import ev_per_a2_to_j_per_m2
from results.uncertainties import FORCE_CONSTANT, relaxation_residual


@dataclass(frozen=True)
class Quantities:
    """Some of a candidate's fields: values beside the evidence for them."""

    values: dict[str, Any]
    evidence: dict[str, Evidence]

    def __or__(self, other: "Quantities") -> "Quantities":
        return Quantities(self.values | other.values, self.evidence | other.evidence)


def evidence_of(
    parts: Sequence[CalculationDocument | PathDocument],
    reference_state: str | None = None,
    error: float | None = None,
) -> Evidence:
    """The evidence that calculations are: converged where every one of them is.

    Args:
        parts: the calculations.
        reference_state: what the number is measured against.
        error: of the number, in its unit.
    """
    failures = [part.failure for part in parts if part.failure is not None]
    return Evidence(
        converged=not failures,
        error=error,
        reference_state=reference_state,
        failure="; ".join(failures) or None,
        fingerprints=tuple(part.fingerprint for part in parts),
    )


def flagged(evidence: Evidence, failure: str | None) -> Evidence:
    """Not to be trusted for this reason; as it is without one, or where it failed by itself."""
    if not failure or not evidence.converged:
        return evidence
    return evidence.model_copy(update={"converged": False, "failure": failure})


def failures_text(problems: Iterable[tuple[str, str | None]]) -> str | None:
    """``label: failure`` of each that has one; None where none has."""
    return "; ".join(f"{label}: {failure}" for label, failure in problems if failure) or None


def residual_of(
    document: CalculationDocument, force_constant: float = FORCE_CONSTANT
) -> float | None:
    """What the relaxation may still gain, eV; None where it failed."""
    if document.failure is not None or document.forces is None or document.final_structure is None:
        return None
    free = as_structure(document.final_structure).site_properties.get("selective_dynamics")
    return relaxation_residual(document.forces, free, force_constant=force_constant)


def scaled(error: float | None, factor: float) -> float | None:
    """An error on another scale; None stays None."""
    return None if error is None else error * factor


def per_area(error: float | None, area: float) -> float | None:
    """An error of an energy (eV) as one of an energy per area (Å²), J/m²."""
    return None if error is None else ev_per_a2_to_j_per_m2(error / area)


def energy_of(document: CalculationDocument) -> float:
    """Energy of a calculation that converged, eV."""
    return value_of(document.energy_ev)


def energy_per_atom(document: CalculationDocument) -> float:
    """The same per atom, eV."""
    return value_of(document.energy_ev) / len(document.initial_structure["sites"])


def value_of(value: float | None) -> float:
    """A number that a converged calculation must have.

    Raises:
        ValueError: it has none.
    """
    if value is None:
        raise ValueError("a converged calculation has no energy")
    return value
