"""Quantum ESPRESSO's pw.x: input files through ASE, results read back."""

import re
from pathlib import Path
from typing import Any

import ase.io
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.units import Ry

from potentials.dft.settings import (
    DftSettings,
    kpoint_mesh,
    middle_of_vacuum,
    needs_dipole_correction,
    starting_moments,
)
from potentials.errors import PotentialError

INPUT, OUTPUT = "pw.in", "pw.out"
_CUTOFF_FACTOR = 1.6
_DENSITY_FACTOR = 8.0
"""Pseudopotentials of the SSSP library need 40 to 90 Ry where GPAW's setups need 500 to 700 eV, and
ultrasoft ones a density cutoff of eight times that (Prandini et al., npj Comput. Mater. 4, 72
(2018))."""


def write_espresso(atoms: Atoms, settings: DftSettings, folder: Path) -> str:
    """The input file of pw.x for energy, forces and stress.

    Args:
        atoms: the frame.
        settings: numerical settings; the cutoff is raised by `_CUTOFF_FACTOR`.
        folder: where the file goes; made if it is not there.

    Returns:
        Which pseudopotential files have to stand in the folder.
    """
    frame = atoms.copy()
    frame.set_constraint()
    cutoff = _CUTOFF_FACTOR * settings.cutoff / Ry
    system: dict[str, Any] = {
        "ecutwfc": round(cutoff, 3),
        "ecutrho": round(_DENSITY_FACTOR * cutoff, 3),
        "occupations": "smearing",
        "smearing": "fermi-dirac",
        "degauss": settings.smearing / Ry,
        "input_dft": settings.functional,
    }
    control: dict[str, Any] = {
        "calculation": "scf",
        "prefix": "frame",
        "outdir": "./tmp",
        "pseudo_dir": ".",
        "tprnfor": True,
        "tstress": True,
    }
    moments = starting_moments(frame)
    if moments is not None:
        frame.set_initial_magnetic_moments(moments)
        system["nspin"] = 2
    if needs_dipole_correction(frame):
        control |= {"tefield": True, "dipfield": True}
        system |= {
            "edir": 3,
            "emaxpos": round((middle_of_vacuum(frame) - 0.025) % 1.0, 4),
            "eopreg": 0.05,
            "eamp": 0.0,
        }
    tolerance = settings.energy_tolerance * 1e-2 * len(frame) / Ry
    data = {
        "control": control,
        "system": system,
        "electrons": {"conv_thr": tolerance, "electron_maxstep": settings.max_iterations},
    }
    symbols = sorted(set(frame.get_chemical_symbols()))
    files = {symbol: f"{symbol}.UPF" for symbol in symbols}
    folder.mkdir(parents=True, exist_ok=True)
    ase.io.write(
        folder / INPUT,
        frame,
        format="espresso-in",
        input_data=data,
        pseudopotentials=files,
        kpts=kpoint_mesh(frame, settings.kpoint_spacing),
    )
    return (
        f"pseudopotentials: put {', '.join(files.values())} into each folder (PBE, such as the "
        "SSSP library), or change pseudo_dir"
    )


def read_espresso(folder: Path) -> Atoms:
    """The frame with energy (zero width of the occupations), forces and stress.

    pw.x prints the free energy; half of its entropy term is taken off again.

    Raises:
        PotentialError: there is no result, or it is not self-consistent.
    """
    path = folder / OUTPUT
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
        if "convergence has been achieved" not in text:
            raise PotentialError(f"{path}: not self-consistent; raise electron_maxstep")
        atoms = ase.io.read(path, format="espresso-out")
    except PotentialError:
        raise
    except Exception as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        raise PotentialError(f"{path}: cannot be read ({said}); run pw.x again") from error
    assert isinstance(atoms, Atoms)
    entropy = re.findall(r"smearing contrib\. \(-TS\)\s*=\s*(-?[\d.]+) Ry", text)
    results = dict(atoms.calc.results)
    free = float(results["energy"])
    results["free_energy"] = free
    results["energy"] = free - 0.5 * float(entropy[-1]) * Ry if entropy else free
    atoms.calc = SinglePointCalculator(atoms, **results)
    return atoms
