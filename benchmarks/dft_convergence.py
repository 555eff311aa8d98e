"""How far each DFT setting is converged for Li, Cu and LiF, as differences that do not drift.

For each crystal and each value of a setting, the others as in pbe-quick: the energy of compression
by 9 % of the volume, and the force on one atom of a cell of two that is moved by 0.15 Å.

Run: python benchmarks/dft_convergence.py [Li Cu LiF] > convergence.csv   (15 minutes on one core)
"""

import csv
import sys
import time
from dataclasses import replace

import numpy as np
from ase import Atoms
from ase.build import bulk

from potentials.dft.gpaw_calculator import GpawCalculator
from potentials.dft.settings import DftSettings, dft_settings

VARIED: dict[str, tuple[float, ...]] = {
    "cutoff": (300.0, 350.0, 400.0, 500.0, 600.0),
    "kpoint_spacing": (0.6, 0.45, 0.35, 0.25, 0.20),
    "smearing": (0.05, 0.1, 0.2),
}
CRYSTALS = {
    "Li": bulk("Li", "bcc", a=3.44, cubic=True),
    "Cu": bulk("Cu", "fcc", a=3.63, orthorhombic=True),
    "LiF": bulk("LiF", "rocksalt", a=4.06),
}


def main() -> None:
    quick, tight = dft_settings("pbe-quick"), dft_settings("pbe-tight")
    rows = csv.writer(sys.stdout)
    rows.writerow(["crystal", "setting", "value", "compression_mev", "force_ev_a", "seconds"])
    for name in sys.argv[1:] or CRYSTALS:
        crystal = CRYSTALS[name]
        for setting, values in VARIED.items():
            if name == "LiF" and setting == "smearing":
                continue  # an insulator
            for value in values:
                settings = replace(quick, **{setting: value})
                rows.writerow([name, setting, value, *measured(crystal, settings)])
                sys.stdout.flush()
        for settings in (quick, tight):
            rows.writerow([name, "all", settings.name, *measured(crystal, settings)])
            sys.stdout.flush()


def measured(crystal: Atoms, settings: DftSettings) -> tuple[float, float, float]:
    """Energy of compression, meV/atom; force, eV/Å; CPU seconds."""
    began = time.process_time()
    settings = replace(settings, cutoff_slopes={})
    squeezed = crystal.copy()
    squeezed.set_cell(crystal.cell * 0.97, scale_atoms=True)
    moved = crystal.copy()
    moved.positions[-1, 2] += 0.15
    energies, forces = [], []
    for atoms in (crystal.copy(), squeezed, moved):
        atoms.calc = GpawCalculator(settings)
        energies.append(atoms.get_potential_energy())
        forces.append(atoms.get_forces())
    compression = 1e3 * (energies[1] - energies[0]) / len(crystal)
    force = float(np.linalg.norm(forces[2][-1]))
    return round(compression, 2), round(force, 4), round(time.process_time() - began, 1)


if __name__ == "__main__":
    main()
