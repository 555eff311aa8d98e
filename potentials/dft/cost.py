"""How long a DFT calculation takes, before it is started."""

import math

import numpy as np
from ase import Atoms
from ase.units import Bohr, Hartree

from potentials.dft.settings import DftSettings, is_slab, kpoint_mesh, starting_moments

_ELECTRONS = {
    **{"H": 1, "Li": 3, "Be": 4, "B": 3, "C": 4, "N": 5, "O": 6, "F": 7, "Na": 7, "Mg": 10},
    **{"Al": 3, "Si": 4, "P": 5, "S": 6, "Cl": 7, "K": 9, "Ca": 10, "Ti": 12, "Cr": 14, "Mn": 15},
    **{"Fe": 16, "Co": 17, "Ni": 16, "Cu": 11, "Zn": 12, "Ge": 14, "Ag": 17, "In": 13, "Sn": 14},
    **{"Sb": 15, "Pt": 16, "Au": 11, "Pb": 14, "Bi": 15},
}
"""Electrons that GPAW's setups compute explicitly."""
_OTHER_ELECTRONS = 12
_START = 3.5
_PER_UNIT = 5.0e-5
_SLAB = 1.4
"""Seconds on one core of a 2020s server: a start, then per k-point, band and plane wave; slabs take
more steps to become self-consistent. Fitted to the reference frames, right within half."""


def estimated_seconds(atoms: Atoms, settings: DftSettings) -> float:
    """About how long GPAW takes for the energy and forces of one frame on one core, s."""
    mesh = kpoint_mesh(atoms, settings.kpoint_spacing)
    electrons = sum(_ELECTRONS.get(s, _OTHER_ELECTRONS) for s in atoms.get_chemical_symbols())
    wave = math.sqrt(2.0 * settings.cutoff / Hartree) / Bohr
    waves = atoms.get_volume() * wave**3 / (6.0 * math.pi**2)
    spins = 1 if starting_moments(atoms) is None else 2
    work = _irreducible(atoms, mesh) * spins * electrons / 2.0 * waves
    return _START + _PER_UNIT * work * (_SLAB if is_slab(atoms) else 1.0)


def _irreducible(atoms: Atoms, mesh: tuple[int, int, int]) -> int:
    """Number of k-points that symmetry leaves."""
    import spglib

    cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
    found = spglib.get_ir_reciprocal_mesh(mesh, cell, is_shift=[0, 0, 0], symprec=1e-4)
    return math.prod(mesh) if found is None else len(np.unique(found[0]))
