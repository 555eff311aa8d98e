"""Hulls with energies made up by hand, and random ones."""

import numpy as np
from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
from pymatgen.core.composition import Composition

# Energy of a formula unit over its elements, eV. From them by hand: Li2S gives off Li at 4.2 / 2 V;
# Li3PS4 + 8 Li -> Li3P + 4 Li2S releases 3.0 + 16.8 - 8.0 = 11.8 eV.
FORMATION = {
    "Li2S": -4.2,
    "Li3P": -3.0,
    "LiP": -1.1,
    "LiCl": -4.0,
    "Li3PS4": -8.0,
    "P2S5": -2.0,
    "PCl3": -3.0,
}
LEVELS = {"Li": -1.9, "P": -5.4, "S": -4.1, "Cl": -1.8}
"""Energies of the elements, eV/atom: none is 0, as in no potential."""


def hull(formation: dict[str, float] = FORMATION) -> PhaseDiagram:
    """The diagram of these formation energies (eV per formula) and their elements."""
    compounds = [Composition(formula) for formula in formation]
    elements = sorted({e.symbol for c in compounds for e in c.elements} | {"Li"})
    entries = [PDEntry(Composition(symbol), LEVELS[symbol]) for symbol in elements]
    entries += [
        PDEntry(c, energy + sum(n * LEVELS[e.symbol] for e, n in c.items()))
        for c, energy in zip(compounds, formation.values(), strict=True)
    ]
    return PhaseDiagram(entries)


def random_hull(seed: int, n_compounds: int = 14) -> tuple[PhaseDiagram, list[Composition]]:
    """A diagram of Li, P, S and Cl with random compounds, and the compounds."""
    generator = np.random.default_rng(seed)
    formation: dict[str, float] = {}
    while len(formation) < n_compounds:
        amounts = generator.integers(0, 5, 4)
        if np.count_nonzero(amounts) < 2:
            continue
        composition = Composition(dict(zip(LEVELS, amounts, strict=True)))
        energy = -float(generator.uniform(0.1, 1.2)) * composition.reduced_composition.num_atoms
        formation[composition.reduced_formula] = energy
    for symbol in LEVELS:
        formation.setdefault({"Cl": "LiCl", "Li": "Li2S"}.get(symbol, f"Li3{symbol}"), -2.0)
    return hull(formation), [Composition(formula) for formula in formation]
