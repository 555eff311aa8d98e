"""Phases with their energies, all from one source, and the hull over them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from monty.json import MSONable
from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
from pymatgen.core.composition import Composition

from results.documents import CalculationDocument, Potential
from results.errors import ResultsError


@dataclass(frozen=True)
class Phase(MSONable):
    """A phase with its energy.

    Attributes:
        name: name in the crystal library, or what else tells it from other phases.
        formula: reduced formula.
        energy_ev: energy per formula unit, eV.
        volume_a3: volume per formula unit, Å³; None where it is not known.
        energies_from: what gave the energy, as `energies_from` writes a potential. Energies of two
            sources are never put on one hull.
        fingerprint: calculation that gave the energy; None for one of a database.
    """

    name: str
    formula: str
    energy_ev: float
    volume_a3: float | None
    energies_from: str
    fingerprint: str | None = None

    @property
    def composition(self) -> Composition:
        """Composition of one formula unit."""
        return Composition(self.formula)

    @property
    def energy_per_atom_ev(self) -> float:
        """Energy per atom, eV."""
        return float(self.energy_ev / self.composition.num_atoms)

    def entry(self) -> PDEntry:
        """The phase as pymatgen's phase diagrams take it; its ``attribute`` is the phase."""
        return PDEntry(self.composition, self.energy_ev, name=self.name, attribute=self)


def energies_from(potential: Potential) -> str:
    """What tells the energies of one potential from those of another."""
    parts = [potential.name, potential.sha256[:12], potential.dtype]
    parts += [f"head {potential.head}"] if potential.head else []
    parts += [f"dispersion {potential.dispersion}"] if potential.dispersion else []
    return ", ".join(parts)


def phase_of(name: str, document: CalculationDocument) -> Phase:
    """The phase that a converged relaxation of a crystal ended in.

    Raises:
        ResultsError: a calculation that did not converge.
    """
    if not document.converged or document.energy_ev is None or document.final_structure is None:
        raise ResultsError(f"{name}: {document.failure or 'has no energy'}; relax it again")
    # Without building the structure, which takes longer than all the rest for 10,000 phases.
    sites = document.final_structure["sites"]
    amounts = Counter(site["species"][0]["element"] for site in sites)
    formula, units = Composition(amounts).get_reduced_formula_and_factor()
    volume = abs(float(np.linalg.det(document.final_structure["lattice"]["matrix"])))
    return Phase(
        name=name,
        formula=formula,
        energy_ev=document.energy_ev / units,
        volume_a3=volume / units,
        energies_from=energies_from(document.potential),
        fingerprint=document.fingerprint,
    )


def phase_diagram(phases: Sequence[Phase]) -> PhaseDiagram:
    """The hull over all ``phases``.

    Args:
        phases: of energies of one source, among them every element on its own.

    Raises:
        ResultsError: no phases, energies of several sources, or an element without a reference.
    """
    if not phases:
        raise ResultsError("hull: has no phases; give at least the elements")
    sources = list(dict.fromkeys(phase.energies_from for phase in phases))
    if len(sources) > 1:
        raise ResultsError(
            f"hull: energies of {' and '.join(sources)} share no correction scheme; "
            "compute every phase with one of them"
        )
    check_references(phase.composition for phase in phases)
    return PhaseDiagram([phase.entry() for phase in phases])


def check_references(compositions: Iterable[Composition]) -> None:
    """Refuse compositions that hold an element of which none is the pure phase.

    Raises:
        ResultsError: naming the element.
    """
    known = list(compositions)
    elements = {element.symbol for composition in known for element in composition.elements}
    pure = {c.elements[0].symbol for c in known if len(c.elements) == 1}
    if missing := sorted(elements - pure):
        raise ResultsError(
            f"hull: has no reference for {missing[0]}; add a phase of {missing[0]} alone"
        )
