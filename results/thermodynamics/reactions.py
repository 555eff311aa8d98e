"""Reactions at the contact of two solids, closed and open to lithium.

Two solids in contact may mix in any proportion; the hull says what the mixture becomes. The lowest
energy along the mixing line, less that of the two apart, is the mutual reaction energy. Source:
Richards et al., Chem. Mater. 28, 266 (2016); Zhu et al., J. Mater. Chem. A 4, 3253 (2016).

These are the kinks of pymatgen's `InterfacialReactivity` and `GrandPotentialInterfacialReactivity`,
taken from its phase diagrams directly: the two classes balance an equation at every kink, and raise
where a reactant holds nothing but the open element.
"""

from dataclasses import dataclass

import numpy as np
from pymatgen.analysis.phase_diagram import GrandPotentialPhaseDiagram, PhaseDiagram
from pymatgen.core.composition import Composition

from results.errors import ResultsError
from results.thermodynamics.windows import LITHIUM, check_elements, decomposition_at, products_of

_ENERGY_NOISE = 1e-7
"""Reaction energies of less than this are numerical noise, eV/atom."""


@dataclass(frozen=True)
class MutualReaction:
    """The most favourable reaction of two solids.

    Attributes:
        energy: eV per atom of the two reactants (lithium from a reservoir not counted), relative to
            the hull at either composition; negative = reactive, 0 = they do not react.
        fraction: how many of the reactants' atoms belong to the first one, 0 to 1; of a contact
            that does not react 1.
        products: reduced formulas, the largest amount first; of a contact that does not react, what
            the hull is made of at the first reactant's composition.
        potential: V vs Li/Li⁺ at which lithium is exchanged; None where none is.
    """

    energy: float
    fraction: float
    products: tuple[str, ...]
    potential: float | None


def open_diagram(diagram: PhaseDiagram, potential: float) -> GrandPotentialPhaseDiagram:
    """The diagram's phases in equilibrium with lithium at ``potential`` (V vs Li/Li⁺).

    Raises:
        ResultsError: a diagram without lithium, or of lithium alone.
    """
    check_elements(diagram, Composition("Li"))
    if len(diagram.elements) < 2:
        raise ResultsError("hull: of lithium alone; give the phases of a compound too")
    level = diagram.el_refs[LITHIUM].energy_per_atom - potential
    return GrandPotentialPhaseDiagram(diagram.all_entries, {LITHIUM: level}, diagram.elements)


def closed_reaction(diagram: PhaseDiagram, one: Composition, other: Composition) -> MutualReaction:
    """The most favourable reaction of two solids that exchange nothing with a reservoir.

    Args:
        diagram: of all elements of both, energies of one potential.
        one: composition of the first reactant, in any amount.
        other: of the second one.

    Raises:
        ResultsError: elements that the diagram lacks.
    """
    check_elements(diagram, one, other)
    return _lowest_kink(diagram, one, other, None)


def open_reaction(
    diagram: PhaseDiagram,
    opened: GrandPotentialPhaseDiagram,
    one: Composition,
    other: Composition,
) -> MutualReaction:
    """The same in equilibrium with lithium at one potential.

    What either reactant does on its own at that potential is not part of the energy: see
    `results.thermodynamics.windows.decomposition_at`. So a contact with lithium metal itself, which
    is the reservoir, has the energy 0 and the other reactant's own products.

    Args:
        diagram: as for `closed_reaction`.
        opened: what `open_diagram` gives of it.
        one: composition of the first reactant, in any amount.
        other: of the second one.

    Raises:
        ResultsError: elements that the diagram lacks.
    """
    check_elements(diagram, one, other)
    metal = float(diagram.el_refs[LITHIUM].energy_per_atom)
    potential = metal - float(opened.chempots[LITHIUM])
    solids = [each for each in (one, other) if set(each.elements) != {LITHIUM}]
    if len(solids) == 2:
        return _lowest_kink(opened, one, other, potential)
    alone = decomposition_at(diagram, solids[0], potential).products if solids else ("Li",)
    return MutualReaction(0.0, float(solids[:1] == [one]), alone, potential)


def _lowest_kink(
    diagram: PhaseDiagram, one: Composition, other: Composition, potential: float | None
) -> MutualReaction:
    """The lowest point of the hull along the mixing line, per atom of the reactants.

    Per such atom the energy is straight between kinks, so that one of them is the lowest.
    """
    first, second = (_exchanged(diagram, each.fractional_composition) for each in (one, other))
    ends = np.array([diagram.get_hull_energy(each) for each in (first, second)])
    lowest = MutualReaction(0.0, 1.0, products_of(diagram.get_decomposition(first)), potential)
    if first.fractional_composition.almost_equals(second.fractional_composition):
        return lowest
    for fraction in _kinks(diagram, first, second):
        mixed = first * fraction + second * (1 - fraction)
        energy = float(diagram.get_hull_energy(mixed) - ends @ (fraction, 1 - fraction))
        if energy < min(lowest.energy, -_ENERGY_NOISE):
            products = products_of(diagram.get_decomposition(mixed))
            lowest = MutualReaction(energy, fraction, products, potential)
    return lowest


def _exchanged(diagram: PhaseDiagram, composition: Composition) -> Composition:
    """What of a composition is in the diagram's space: all but an open element."""
    kept = {e: n for e, n in composition.items() if e in diagram.elements}
    return Composition(kept)


def _kinks(diagram: PhaseDiagram, first: Composition, second: Composition) -> list[float]:
    """Fractions of ``first`` at which the products along the mixing line change, ends left out."""
    elements = diagram.elements
    start, end = (
        np.array([each.get_atomic_fraction(e) for e in elements]) for each in (second, first)
    )
    line = end - start
    fractions = []
    for critical in diagram.get_critical_compositions(
        first.fractional_composition, second.fractional_composition
    ):
        point = np.array([critical.get_atomic_fraction(e) for e in elements])
        t = float((point - start) @ line / (line @ line))
        # The line between the two normalised compositions, back to amounts of the reactants.
        t = t * second.num_atoms / (t * second.num_atoms + (1 - t) * first.num_atoms)
        if 1e-8 < t < 1 - 1e-8:
            fractions.append(t)
    return fractions
