"""Calculations with energies made up by hand, as the coating screen takes them."""

import hashlib

import numpy as np
from pymatgen.core import Composition, Lattice, Structure

from results.documents import CalculationDocument, Potential
from tests.results.thermodynamics.hulls import FORMATION, LEVELS

POTENTIAL = Potential(name="made-up", sha256="7" * 64, head=None, dtype="float64", dispersion=None)
FORMULAS = {**FORMATION, "Li6PS5Cl": -8.0 - 4.2 - 4.0, **dict.fromkeys(LEVELS, 0.0)}
"""Formation energy per formula, eV; Li6PS5Cl on the plane of Li3PS4, Li2S and LiCl."""


def calculation(formula: str, formation: float, *, failure: str | None = None):
    """A relaxed crystal of a formula with a formation energy per formula, eV."""
    composition = Composition(formula)
    symbols = [e.symbol for e, n in composition.items() for _ in range(int(n))]
    size = len(symbols)
    structure = Structure(
        Lattice.cubic(3.0 * size ** (1 / 3)), symbols, np.linspace(0, 0.9, 3 * size).reshape(-1, 3)
    )
    energy = formation + sum(LEVELS[symbol] for symbol in symbols)
    return CalculationDocument(
        fingerprint=hashlib.sha256(f"{formula} {formation}".encode()).hexdigest(),
        task="relax",
        parameters={},
        potential=POTENTIAL,
        initial_structure=structure,
        final_structure=structure,
        energy_ev=energy,
        forces=np.zeros((size, 3)),
        max_force=0.0,
        converged=failure is None,
        failure=failure,
        steps=1,
        force_evaluations=1,
        wall_time_s=0.0,
    )
