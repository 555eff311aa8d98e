"""Lithiation of an element along its hull with lithium: which phases, at which voltages.

Source of the voltages: Aydinol et al., Phys. Rev. B 56, 1354 (1997), from total energies: entropy
and zero-point energy are left out, as they nearly cancel between solids.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pymatgen.analysis.phase_diagram import PhaseDiagram
from pymatgen.core.composition import Composition

from results.errors import ResultsError
from results.quantities import lithiation_voltage
from results.thermodynamics.phases import Phase, phase_diagram

LITHIUM = "Li"


@dataclass(frozen=True)
class HullPhase:
    """A phase with its place against the hull.

    Attributes:
        phase: the phase.
        li_fraction: fraction of its atoms that are Li.
        li_per_host: Li atoms per host atom; None for Li itself.
        formation_energy_ev: against the elements, eV/atom.
        above_hull_ev: eV/atom; 0 on the hull.
    """

    phase: Phase
    li_fraction: float
    li_per_host: float | None
    formation_energy_ev: float
    above_hull_ev: float

    @property
    def stable(self) -> bool:
        """Whether it is on the hull."""
        return self.above_hull_ev <= 0.0


@dataclass(frozen=True)
class Plateau:
    """One step of the lithiation: two phases side by side, at one voltage.

    Attributes:
        start: name of the phase with less Li.
        end: name of the phase with more Li.
        li_start: Li per host atom in ``start``.
        li_end: Li per host atom in ``end``.
        voltage_v: V vs Li/Li⁺.
        volume_per_li_a3: how much the volume grows per Li taken up, Å³; None where a volume is not
            known.
    """

    start: str
    end: str
    li_start: float
    li_end: float
    voltage_v: float
    volume_per_li_a3: float | None


def binary_hull(phases: Sequence[Phase], host: str) -> tuple[HullPhase, ...]:
    """Every phase of lithium and ``host`` with its place against their hull, poorest in Li first.

    Args:
        phases: of the two elements, energies of one source; each element on its own among them.
        host: symbol of the element that takes Li up.

    Raises:
        ResultsError: a phase of other elements, or a hull that `phase_diagram` refuses.
    """
    for phase in phases:
        if other := sorted(phase.composition.chemical_system_set - {LITHIUM, host}):
            raise ResultsError(
                f"hull: {phase.name} holds {other[0]}; give phases of Li and {host} only"
            )
    diagram = phase_diagram(phases)
    return tuple(
        sorted(
            (_hull_phase(phase, host, diagram) for phase in phases),
            key=lambda one: (one.li_fraction, one.above_hull_ev),
        )
    )


def voltage_curve(hull: Sequence[HullPhase], li_bulk_energy: float) -> tuple[Plateau, ...]:
    """The plateaus of lithiation from the pure host to its Li-richest stable phase.

    Args:
        hull: as `binary_hull` gave it.
        li_bulk_energy: e(Li), bcc, same source, eV per atom.

    Returns:
        Plateaus, poorest in Li and so highest in voltage first; empty where no phase of both
        elements is stable, and lithium plates instead of alloying.
    """
    # Of one composition, two phases as stable as each other are one corner of the hull.
    stable = {one.phase.formula: one for one in hull if one.stable and one.li_per_host is not None}
    return tuple(_plateau(one, other, li_bulk_energy) for one, other in pairwise(stable.values()))


def average_voltage(curve: Sequence[Plateau]) -> float:
    """Voltage of the whole lithiation, the plateaus weighted with the Li that they take up, V.

    Raises:
        ResultsError: no plateau.
    """
    if not curve:
        raise ResultsError("curve: has no plateau; lithium does not alloy")
    taken = sum(plateau.li_end - plateau.li_start for plateau in curve)
    return sum(p.voltage_v * (p.li_end - p.li_start) for p in curve) / taken


def _hull_phase(phase: Phase, host: str, diagram: PhaseDiagram) -> HullPhase:
    entry = phase.entry()
    composition: Composition = phase.composition
    n_host = composition[host]
    above = diagram.get_e_above_hull(entry) or 0.0
    return HullPhase(
        phase=phase,
        li_fraction=float(composition.get_atomic_fraction(LITHIUM)),
        li_per_host=float(composition[LITHIUM] / n_host) if n_host else None,
        formation_energy_ev=float(diagram.get_form_energy_per_atom(entry)),
        above_hull_ev=0.0 if abs(above) < PhaseDiagram.numerical_tol else above,
    )


def _plateau(one: HullPhase, other: HullPhase, li_bulk_energy: float) -> Plateau:
    energies, volumes, lithium = [], [], []
    for each in (one, other):
        n_host = each.phase.composition.num_atoms * (1 - each.li_fraction)
        volume = each.phase.volume_a3
        energies.append(each.phase.energy_ev / n_host)
        volumes.append(None if volume is None else volume / n_host)
        lithium.append(each.li_per_host or 0.0)
    taken = lithium[1] - lithium[0]
    return Plateau(
        start=one.phase.name,
        end=other.phase.name,
        li_start=lithium[0],
        li_end=lithium[1],
        voltage_v=lithiation_voltage(energies[1], energies[0], taken, li_bulk_energy),
        volume_per_li_a3=volume_per_li(volumes[0], volumes[1], taken),
    )


def volume_per_li(before: float | None, after: float | None, taken: float) -> float | None:
    """Growth of the volume per Li taken up, Å³; volumes per host atom, None where one is unknown.

    Args:
        before: volume per host atom before, Å³.
        after: after.
        taken: Li atoms taken up per host atom.
    """
    return None if before is None or after is None else (after - before) / taken
