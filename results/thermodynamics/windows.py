"""Which potentials a compound stands, and what it decomposes to outside them.

Everything is read from one function: the energy of the hull above the compound's composition as
lithium is added to it or taken from it, E(n) with n lithium atoms per formula. It is convex and
made of straight pieces; its slope is the chemical potential of lithium, −eV away from that of the
metal. Source: Ong et al., Chem. Mater. 20, 1798 (2008); Richards et al., Chem. Mater. 28, 266
(2016).

The compound itself is taken to lie on the hull, as in Zhu et al., ACS Appl. Mater. Interfaces 7,
23685 (2015): how far above it really lies is a number of its own (`height_above`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pymatgen.analysis.phase_diagram import PhaseDiagram
from pymatgen.core.composition import Composition
from pymatgen.core.periodic_table import Element

from results.errors import ResultsError

LITHIUM = Element("Li")
LEAST_AMOUNT = 1e-5
"""Products that make up less than this fraction of the atoms are numerical noise."""
_ENERGY_NOISE = 1e-7
"""Differences of total energies below this are numerical noise, eV per atom."""


@dataclass(frozen=True)
class Decomposition:
    """What a composition becomes in equilibrium with lithium at one potential.

    Attributes:
        potential: V vs Li/Li⁺.
        energy: of the decomposition per atom of the compound, eV/atom; 0 where it is stable,
            negative otherwise.
        lithium: Li atoms taken up (given off where negative) per reduced formula.
        products: reduced formulas, the largest amount of atoms first.
    """

    potential: float
    energy: float
    lithium: float
    products: tuple[str, ...]


@dataclass(frozen=True)
class ElectrochemicalWindow:
    """The potentials between which a composition neither takes up nor gives off lithium.

    Attributes:
        reduction_limit: lower end, V vs Li/Li⁺; 0 where it is stable against lithium metal.
        oxidation_limit: upper end, V; None where there is no lithium to give off.
        reduction_products: reduced formulas of what it becomes just below the lower end; those
            that it is made of already where the lower end is 0.
        oxidation_products: the same just above the upper end; empty where there is none.
    """

    reduction_limit: float
    oxidation_limit: float | None
    reduction_products: tuple[str, ...]
    oxidation_products: tuple[str, ...]


@dataclass(frozen=True)
class _LithiumLine:
    """The hull above one composition as a function of its lithium.

    Attributes:
        lithium: Li atoms per reduced formula at each kink, ascending; shape (n_kinks,).
        energies: hull energies there, eV per reduced formula; shape (n_kinks,).
        products: what the hull is made of at each kink.
        own: Li atoms in the composition itself.
        own_energy: hull energy there, eV per reduced formula.
        own_products: what the hull is made of there.
        atoms: atoms per reduced formula.
        metal: energy of an atom of lithium metal, eV.
    """

    lithium: NDArray[np.float64]
    energies: NDArray[np.float64]
    products: tuple[tuple[str, ...], ...]
    own: float
    own_energy: float
    own_products: tuple[str, ...]
    atoms: float
    metal: float

    @property
    def noise(self) -> float:
        """Energy differences per formula that mean nothing, eV."""
        return _ENERGY_NOISE * max(self.atoms, float(self.lithium[-1]))

    def at(self, potential: float) -> int:
        """The kink that is in equilibrium with lithium at ``potential``; of equals the first."""
        grand = self.energies - (self.metal - potential) * self.lithium
        return int(np.flatnonzero(grand <= grand.min() + self.noise)[0])


def electrochemical_window(
    diagram: PhaseDiagram, composition: Composition
) -> ElectrochemicalWindow:
    """The potentials between which no lithium is taken up or released on the hull.

    Args:
        diagram: of all elements of the composition and Li, energies of one potential.
        composition: of the compound; its hull energy counts as its own.

    Raises:
        ResultsError: a composition of lithium alone, or elements that the diagram lacks.
    """
    line = _lithium_line(diagram, composition)
    apart = np.abs(line.lithium - line.own)
    here = int(apart.argmin())
    on_kink = bool(apart[here] < LEAST_AMOUNT * line.atoms)
    below = here - 1 if on_kink else int(np.searchsorted(line.lithium, line.own)) - 1
    above = here + 1 if on_kink else below + 1
    reduction, reduced = 0.0, line.own_products
    if above < len(line.lithium):
        reduction = max(0.0, _potential(line, above))
        reduced = line.products[above]
    if below < 0:
        return ElectrochemicalWindow(reduction, None, reduced, ())
    oxidation = max(reduction, _potential(line, below))
    return ElectrochemicalWindow(reduction, oxidation, reduced, line.products[below])


def decomposition_at(
    diagram: PhaseDiagram, composition: Composition, potential: float
) -> Decomposition:
    """What the composition becomes in equilibrium with lithium at ``potential`` (V vs Li/Li⁺).

    At 0 V that is lithium metal in excess.

    Args:
        diagram: of all elements of the composition and Li, energies of one potential.
        composition: of the compound; its hull energy counts as its own.
        potential: V vs Li/Li⁺.

    Raises:
        ResultsError: as `electrochemical_window`.
    """
    line = _lithium_line(diagram, composition)
    kink = line.at(potential)
    taken = float(line.lithium[kink] - line.own)
    level = line.metal - potential
    gained = float(line.energies[kink]) - line.own_energy - level * taken
    if gained > -line.noise:
        return Decomposition(potential, 0.0, 0.0, line.own_products)
    return Decomposition(potential, gained / line.atoms, taken, line.products[kink])


def hull_level(diagram: PhaseDiagram, composition: Composition) -> float:
    """The hull's energy at a composition, eV/atom.

    Raises:
        ResultsError: elements that the diagram lacks.
    """
    check_elements(diagram, composition)
    return float(diagram.get_hull_energy_per_atom(composition))


def height_above(level: float, energy_per_atom: float) -> float:
    """How far an energy lies above a level, both eV/atom; 0 where it lies on it or below."""
    above = energy_per_atom - level
    return above if above > _ENERGY_NOISE else 0.0


def check_elements(diagram: PhaseDiagram, *compositions: Composition) -> None:
    """Refuse compositions with elements that the diagram has no reference for.

    Raises:
        ResultsError: naming them.
    """
    known = {element.symbol for element in diagram.elements}
    for composition in compositions:
        if missing := sorted(set(composition.get_el_amt_dict()) - known):
            raise ResultsError(
                f"hull: no reference for {', '.join(missing)} of {composition.reduced_formula}; "
                "add a phase of the element"
            )


def products_of(parts: Mapping) -> tuple[str, ...]:
    """Reduced formulas of a decomposition {entry: fraction of the atoms}, the largest first."""
    amounts: dict[str, float] = {}
    for entry, amount in parts.items():
        if amount > LEAST_AMOUNT:
            # The whole composition: a grand-potential entry's own leaves the open element out.
            whole = getattr(entry, "original_comp", entry.composition)
            formula = whole.reduced_formula
            amounts[formula] = amounts.get(formula, 0.0) + amount
    return tuple(sorted(amounts, key=lambda formula: (-round(amounts[formula], 6), formula)))


def _potential(line: _LithiumLine, kink: int) -> float:
    """Potential at which the composition and ``kink`` exchange lithium at no cost, V."""
    slope = (line.energies[kink] - line.own_energy) / (line.lithium[kink] - line.own)
    return float(line.metal - slope)


def _lithium_line(diagram: PhaseDiagram, composition: Composition) -> _LithiumLine:
    check_elements(diagram, composition, Composition("Li"))
    formula = composition.reduced_composition
    rest = Composition({e: n for e, n in formula.items() if e != LITHIUM})
    if not rest:
        raise ResultsError("composition: lithium alone; give a compound")
    metal = float(diagram.el_refs[LITHIUM].energy_per_atom)
    kinks = []
    for critical in diagram.get_critical_compositions(rest, Composition("Li")):
        others = critical.num_atoms - critical[LITHIUM]
        if others < 1e-6 * critical.num_atoms:
            continue
        scaled = critical * (rest.num_atoms / others)
        parts, per_atom = diagram.get_decomp_and_hull_energy_per_atom(scaled)
        kinks.append(
            (float(scaled[LITHIUM]), float(per_atom * scaled.num_atoms), products_of(parts))
        )
    kinks.sort()
    own, own_per_atom = diagram.get_decomp_and_hull_energy_per_atom(formula)
    return _LithiumLine(
        lithium=np.array([n for n, _, _ in kinks]),
        energies=np.array([energy for _, energy, _ in kinks]),
        products=tuple(products for _, _, products in kinks),
        own=float(formula[LITHIUM]),
        own_energy=float(own_per_atom * formula.num_atoms),
        own_products=products_of(own),
        atoms=float(formula.num_atoms),
        metal=metal,
    )
