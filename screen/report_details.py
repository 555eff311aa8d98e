"""What the details of several screens' candidates have in common."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from results.documents import BarrierProfile, InterfaceAdhesion
from screen.criteria import Quantity
from screen.report_parts import Curve, DetailTable, StructureView


def state_text(converged: bool, failure: str | None) -> str:
    """Whether something converged, or why not."""
    return "converged" if converged else failure or "not converged"


def structure_views(
    labelled: Iterable[tuple[str, Mapping[str, Any] | None]],
) -> tuple[StructureView, ...]:
    """The structures that there are, each under its label."""
    return tuple(
        StructureView(label, structure) for label, structure in labelled if structure is not None
    )


def profile_curve(title: str, profile: BarrierProfile) -> Curve:
    """The energy along a hop's path, its ends named."""
    between = [""] * (len(profile.distance) - 2)
    return Curve(
        title=title,
        x_label="Path length (Å)",
        y_label="Energy (eV)",
        x=profile.distance,
        y=profile.energies_ev,
        labels=(profile.initial_label, *between, profile.final_label),
    )


def interface_table(
    title: str, tried: Sequence[InterfaceAdhesion], adhesion: Quantity
) -> DetailTable:
    """Every interface that was tried, with its W, which ``adhesion`` says how to write."""
    return DetailTable(
        title=title,
        headings=("Film's facet", "Terminations", "Registry", "Atoms", "W (J/m²)", "State"),
        rows=tuple(
            (
                f"({' '.join(map(str, one.film_miller_index))})",
                one.termination,
                ", ".join(f"{part:.2f}" for part in one.registry),
                str(one.n_atoms),
                adhesion.text(one.work_of_adhesion_j_m2),
                state_text(one.converged, one.failure),
            )
            for one in tried
        ),
    )


def lithium_tension_notes(
    known: Iterable[tuple[float | None, str | None]],
) -> tuple[tuple[str, str], ...]:
    """What γ of lithium the contact angles rest on: that of the first candidate with one.

    Args:
        known: γ in J/m² and where it is from, of each candidate.
    """
    for gamma, source in known:
        if gamma is not None:
            text = f"{gamma:.3f} J/m²{f', {source}' if source else ''}"
            return (("γ of Li in the contact angle", text),)
    return ()
