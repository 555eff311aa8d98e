"""The crystals that the training set is made from, relaxed with the teacher itself.

Every other structure is cut from these, so that the frames lie around the teacher's own minima and
not around another method's lattice constants.
"""

from collections.abc import Sequence
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.filters import FrechetCellFilter
from ase.optimize import FIRE
from ase.spacegroup import crystal

from potentials.distil.calculator import TeacherCalculator
from potentials.distil.errors import DistillationError
from potentials.distil.teacher import Teacher

# fmt: off
ELEMENTS = (
    "Li", "N", "O", "F", "Mg", "Al", "Si", "P", "S", "Cl", "Ni", "Cu", "Zn", "Ag", "In", "Sn", "Au",
)
# fmt: on
METALS = ("Cu", "Ni", "Al", "Ag", "Au", "Mg", "Zn")
SEEDS = ("In", "Sn", "Si")
SALTS = ("LiF", "LiCl", "Li2O", "Li2S", "Li3N")
POLYANIONIC = ("Li3P", "Li3PO4", "Li3PS4", "Li6PS5Cl")


def starting_crystals() -> dict[str, Atoms]:
    """Primitive cells by name, before the teacher's relaxation.

    Rounded experimental lattice constants and Wyckoff positions: starting points, since the
    teacher's relaxation moves everything that symmetry lets move.
    """
    found = {
        "Li": bulk("Li", "bcc", a=3.44),
        "Li-fcc": bulk("Li", "fcc", a=4.33),
        "Li-hcp": bulk("Li", "hcp", a=3.06, c=5.0),
        "Cu": bulk("Cu", "fcc", a=3.61),
        "Cu-bcc": bulk("Cu", "bcc", a=2.88),
        "Ni": bulk("Ni", "fcc", a=3.52),
        "Al": bulk("Al", "fcc", a=4.04),
        "Ag": bulk("Ag", "fcc", a=4.12),
        "Au": bulk("Au", "fcc", a=4.13),
        "Mg": bulk("Mg", "hcp", a=3.20, c=5.20),
        "Zn": bulk("Zn", "hcp", a=2.66, c=4.94),
        "In": bulk("In", "bct", a=3.25, c=4.95),
        "Si": bulk("Si", "diamond", a=5.45),
        "Sn": crystal("Sn", [(0, 0, 0)], spacegroup=141, cellpar=[5.83, 5.83, 3.18, 90, 90, 90]),
        "Sn-alpha": bulk("Sn", "diamond", a=6.6),
        "LiF": bulk("LiF", "rocksalt", a=4.05),
        "LiCl": bulk("LiCl", "rocksalt", a=5.13),
        "Li2O": bulk("OLi2", "fluorite", a=4.62),
        "Li2S": bulk("SLi2", "fluorite", a=5.71),
        "Li3N": crystal(
            ["N", "Li", "Li"],
            [(0, 0, 0), (0, 0, 0.5), (1 / 3, 2 / 3, 0)],
            spacegroup=191,
            cellpar=[3.65, 3.65, 3.88, 90, 90, 120],
        ),
        "Li3P": crystal(
            ["P", "Li", "Li"],
            [(1 / 3, 2 / 3, 0.25), (0, 0, 0.25), (1 / 3, 2 / 3, 0.583)],
            spacegroup=194,
            cellpar=[4.27, 4.27, 7.59, 90, 90, 120],
        ),
        "Li3PO4": crystal(
            ["Li", "Li", "P", "O", "O", "O"],
            [
                (0.248, 0.328, 0.986),
                (0.5, 0.843, 0.989),
                (0, 0.824, 0),
                (0.209, 0.686, 0.893),
                (0, 0.106, 0.897),
                (0, 0.814, 0.311),
            ],
            spacegroup=31,
            cellpar=[6.11, 5.24, 4.86, 90, 90, 90],
        ),
        "Li3PS4": crystal(
            ["Li", "Li", "P", "S", "S", "S"],
            [
                (0.244, 0.323, 0.0),
                (0.0, 0.155, 0.493),
                (0, 0.815, 0),
                (0.220, 0.668, 0.894),
                (0, 0.110, 0.888),
                (0, 0.807, 0.268),
            ],
            spacegroup=31,
            cellpar=[7.71, 6.54, 6.14, 90, 90, 90],
        ),
        # Deiseroth et al., Angew. Chem. Int. Ed. 47, 755 (2008), Li in the middle of its pairs
        "Li6PS5Cl": crystal(
            ["Cl", "P", "S", "S", "Li"],
            [(0, 0, 0), (0.5, 0.5, 0.5), (0.25, 0.25, 0.25), (0.6188,) * 3, (0.024, 0.25, 0.25)],
            spacegroup=216,
            cellpar=[9.859, 9.859, 9.859, 90, 90, 90],
        ),
    }
    return {name: _primitive(atoms) for name, atoms in found.items()}


def relaxed_crystals(
    path: Path, teacher: Teacher | None, elements: Sequence[str] | None = None
) -> dict[str, Atoms]:
    """Crystals relaxed (cell and positions) with the teacher, read back from ``path`` if there.

    Args:
        path: where they are kept.
        teacher: what relaxes them; may be None where ``path`` is there.
        elements: symbols, Li among them, of which alone the crystals are to be; None takes those
            that ``path`` holds, or all.

    Raises:
        DistillationError: if an element has no crystal, or ``path`` holds those of others.
    """
    wanted = starting_crystals()
    check_elements(elements)
    if elements is not None:
        wanted = {name: a for name, a in wanted.items() if {*a.symbols} <= {*elements}}
    if path.is_file():
        kept = {atoms.info["name"]: atoms for atoms in ase.io.read(path, ":")}
        if elements is not None and kept.keys() != wanted.keys():
            raise DistillationError(f"elements: {path} holds others; take another folder")
        return kept
    assert teacher is not None
    relaxed = {}
    for name, atoms in wanted.items():
        atoms.calc = TeacherCalculator(teacher)
        FIRE(FrechetCellFilter(atoms), logfile=None).run(fmax=0.01, steps=150)
        plain = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=True)
        plain.info["name"] = name
        relaxed[name] = plain
    partial = path.with_suffix(".partial")
    ase.io.write(partial, list(relaxed.values()), format="extxyz")
    partial.rename(path)
    return relaxed


def check_elements(elements: Sequence[str] | None) -> None:
    """Raise DistillationError where crystals of ``elements`` alone cannot be made."""
    for symbol in {*(elements or ())} - {*ELEMENTS}:
        raise DistillationError(f"elements: no {symbol!r}; choose from {', '.join(ELEMENTS)}")
    if elements is not None and "Li" not in elements:
        raise DistillationError("elements: Li is missing; everything is made with it")


def supercell(atoms: Atoms, n_atoms: int) -> Atoms:
    """The most cube-like diagonal supercell with at most ``n_atoms`` atoms."""
    repeats = [1, 1, 1]
    while True:
        lengths = np.array(repeats) * atoms.cell.lengths()
        grown = repeats.copy()
        grown[int(np.argmin(lengths))] += 1
        if len(atoms) * int(np.prod(grown)) > n_atoms:
            return atoms.repeat(repeats)
        repeats = grown


def _primitive(atoms: Atoms) -> Atoms:
    import spglib

    found = spglib.find_primitive((atoms.cell[:], atoms.get_scaled_positions(), atoms.numbers))
    assert found is not None
    cell, positions, numbers = found
    return Atoms(numbers, scaled_positions=positions, cell=cell, pbc=True)
