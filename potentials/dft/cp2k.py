"""CP2K: input files through pymatgen, results read back."""

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.units import Bohr, GPa, Hartree

from potentials.conversion import to_structure
from potentials.dft.settings import (
    DftSettings,
    kpoint_mesh,
    needs_dipole_correction,
    starting_moments,
)
from potentials.errors import PotentialError

INPUT, OUTPUT = "cp2k.inp", "cp2k.out"
_BASIS, _POTENTIAL = "DZVP-MOLOPT-SR-GTH", "GTH-PBE"
_DENSITY_CUTOFF = {"pbe-quick": 500, "pbe-tight": 800}
"""Of the density's grid, Ry: CP2K expands the wave functions in Gaussians, not in plane waves."""
_STATES = 0.5
"""Empty states added per occupied one, for the smearing."""


def write_cp2k(atoms: Atoms, settings: DftSettings, folder: Path) -> None:
    """The input file of CP2K for energy, forces and stress; basis and potentials are CP2K's own.

    Args:
        atoms: the frame.
        settings: numerical settings; the cutoff is replaced by one of the density grid.
        folder: where the file goes; made if it is not there.
    """
    from pymatgen.io.cp2k.inputs import Cell, Coord, Cp2kInput, Keyword, Kind, Section

    moments = starting_moments(atoms)
    structure = to_structure(atoms, atoms.copy())

    def section(name: str, words: dict[str, Any], *inside: Any) -> Any:
        keywords = {
            key: Keyword(key, *value) if isinstance(value, tuple) else Keyword(key, value)
            for key, value in words.items()
        }
        return Section(name, subsections={each.name: each for each in inside}, keywords=keywords)

    kinds = _kinds(atoms)
    subsys = section("SUBSYS", {}, Cell(structure.lattice), Coord(structure, aliases=kinds))
    for name, sites in kinds.items():
        symbol = atoms.symbols[sites[0]]
        moment = 0.0 if moments is None else float(moments[sites[0]])
        kind = Kind(symbol, name, magnetization=moment, basis_set=_BASIS, potential=_POTENTIAL)
        subsys.insert(kind)
    smear = section(
        "SMEAR",
        {
            "METHOD": "FERMI_DIRAC",
            "ELECTRONIC_TEMPERATURE": ("[K]", round(settings.smearing / _KELVIN, 3)),
        },
    )
    smear.section_parameters = ["ON"]
    mixing = section("MIXING", {"METHOD": "BROYDEN_MIXING", "ALPHA": 0.2})
    solver = section("DIAGONALIZATION", {"ALGORITHM": "STANDARD"})
    for switched in (mixing, solver):
        switched.section_parameters = ["ON"]
    scf = section(
        "SCF",
        {
            "SCF_GUESS": "ATOMIC",
            "EPS_SCF": settings.density_tolerance * 1e-2,
            "MAX_SCF": settings.max_iterations,
            "ADDED_MOS": max(8, int(_STATES * 8 * len(atoms))),
        },
        solver,
        smear,
        mixing,
    )
    functional = section("XC_FUNCTIONAL", {})
    functional.section_parameters = [settings.functional]
    mesh = kpoint_mesh(atoms, settings.kpoint_spacing)
    words = {
        "BASIS_SET_FILE_NAME": "BASIS_MOLOPT",
        "POTENTIAL_FILE_NAME": "GTH_POTENTIALS",
        "UKS": moments is not None,
    }
    if needs_dipole_correction(atoms):
        words |= {"SURFACE_DIPOLE_CORRECTION": True, "SURF_DIP_DIR": "Z"}
    dft = section(
        "DFT",
        words,
        section("MGRID", {"CUTOFF": _DENSITY_CUTOFF[settings.name], "REL_CUTOFF": 60}),
        section("QS", {"EPS_DEFAULT": 1e-12}),
        scf,
        section("XC", {}, functional),
        section("KPOINTS", {"SCHEME": ("GAMMA", *mesh), "SYMMETRY": False}),
    )
    forces, stress = section("FORCES", {}), section("STRESS_TENSOR", {})
    for switched in (forces, stress):
        switched.section_parameters = ["ON"]
    force_eval = section(
        "FORCE_EVAL",
        {"METHOD": "QS", "STRESS_TENSOR": "ANALYTICAL"},
        dft,
        subsys,
        section("PRINT", {}, forces, stress),
    )
    start = section("GLOBAL", {"PROJECT": "frame", "RUN_TYPE": "ENERGY_FORCE"})
    whole = Cp2kInput(subsections={"GLOBAL": start, "FORCE_EVAL": force_eval})
    folder.mkdir(parents=True, exist_ok=True)
    (folder / INPUT).write_text(whole.get_str(), encoding="utf-8")


def read_cp2k(folder: Path) -> Atoms:
    """The frame with energy (zero width of the occupations), forces and stress.

    CP2K prints the free energy; half of its entropy term is taken off again.

    Raises:
        PotentialError: there is no result, or it is not self-consistent.
    """
    from pymatgen.io.cp2k.outputs import Cp2kOutput

    path = folder / OUTPUT
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
        if "SCF run NOT converged" in text:
            raise PotentialError(f"{path}: not self-consistent; raise MAX_SCF or change the mixing")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            run = Cp2kOutput(str(path))
            run.ran_successfully()
            run.parse_structures()
            run.parse_energies()
            run.parse_forces()
    except PotentialError:
        raise
    except Exception as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        raise PotentialError(f"{path}: cannot be read ({said}); run CP2K again") from error
    structure: Any = run.initial_structure
    atoms = Atoms(
        [site.specie.symbol for site in structure],
        positions=structure.cart_coords,
        cell=structure.lattice.matrix,
        pbc=True,
    )
    entropy = re.findall(r"Electronic entropic energy:\s*(-?[\d.]+)", text)
    free = float(run.final_energy)
    results: dict[str, Any] = {
        "energy": free - 0.5 * float(entropy[-1]) * Hartree if entropy else free,
        "free_energy": free,
        "forces": np.array(run.data["forces"][-1], dtype=float) * Hartree / Bohr,
    }
    stress = _stress(text)
    if stress is not None:
        results["stress"] = stress
    atoms.calc = SinglePointCalculator(atoms, **results)
    return atoms


def _kinds(atoms: Atoms) -> dict[str, list[int]]:
    """Sites of each kind: an element, and where spins alternate, up and down of it."""
    moments = starting_moments(atoms)
    found: dict[str, list[int]] = {}
    for site, symbol in enumerate(atoms.get_chemical_symbols()):
        down = moments is not None and moments[site] < 0
        found.setdefault(f"{symbol}_down" if down else symbol, []).append(site)
    return found


def _stress(text: str) -> np.ndarray | None:
    """The last stress tensor printed, Voigt, eV/Å³, ASE's sign."""
    blocks = re.findall(_TENSOR, text)
    if not blocks or blocks[-1][0] not in _PRESSURES:
        return None
    unit, rows = blocks[-1]
    values = [line.split()[2:5] for line in rows.strip().splitlines()]
    tensor = -np.array(values, dtype=float) * _PRESSURES[unit]
    return tensor[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]


_KELVIN = 8.617333262e-5
"""eV per kelvin."""
_TENSOR = r"Analytical stress tensor \[(\w+)\]\n.*\n((?:\s*STRESS\|\s+[xyz] .*\n){3})"
_PRESSURES = {"GPa": GPa, "bar": 1e-4 * GPa}
