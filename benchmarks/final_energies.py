"""How far single points of a teacher mend what its student misses: adhesion of Li, Li vacancies.

Each quantity three times: with the student, with its structures and the teacher's energies
(`potentials.final_energies`), and with the teacher throughout. First and last are read from what
``python -m potentials.distil evaluate`` wrote into the folder of a distillation.

    python benchmarks/final_energies.py work/distil --student mini --teacher chgnet
"""

import argparse
import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from ase import Atoms

from potentials import load_potential
from potentials.conversion import to_atoms
from potentials.distil.crystals import relaxed_crystals, supercell
from potentials.distil.evaluation import CONTACTS, EV_PER_A2
from potentials.distil.interfaces import contact
from potentials.distil.systems import known
from potentials.final_energies import FinalEnergiesPotential
from potentials.protocol import Engine

_CONTACTS = ("LiCl", "LiF", "Li2O")
_VACANCIES = ("LiCl", "LiF")
_NAMES = {"work_of_adhesion": "W, J/m²", "vacancy_energy": "Li vacancy, eV"}


def main() -> None:
    """Print one line per quantity and system, and the mean errors against the teacher."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--student", default="mini")
    parser.add_argument("--teacher", default="chgnet")
    asked = parser.parse_args()
    both = FinalEnergiesPotential(load_potential(asked.student), load_potential(asked.teacher))
    with (asked.folder / "evaluation.csv").open(newline="") as lines:
        known_values = {(row["quantity"], row["system"]): row for row in csv.DictReader(lines)}
    crystals = relaxed_crystals(asked.folder / "crystals.extxyz", None)
    errors: dict[str, list[tuple[float, float]]] = {}
    print(f"{'':<34}{'student':>10}{'both':>10}{'teacher':>10}")
    for quantity, system, value in _values(both.engine(), crystals):
        if (row := known_values.get((quantity, system))) is None:
            continue
        student, teacher = float(row["network"]), float(row["teacher"])
        print(f"{_NAMES[quantity]:<16}{system:<18}{student:>10.3f}{value:>10.3f}{teacher:>10.3f}")
        errors.setdefault(quantity, []).append((abs(student - teacher), abs(value - teacher)))
    for quantity, pairs in errors.items():
        student, final = np.nanmean(pairs, axis=0)
        print(f"mean error, {_NAMES[quantity]}: student {student:.3f}, both {final:.3f}")


def _values(engine: Engine, crystals: Mapping[str, Atoms]) -> Iterator[tuple[str, str, float]]:
    """Quantity, system and value, from crystals relaxed with the engine; NaN where one failed."""
    names = known(crystals, dict.fromkeys(("Li", *_CONTACTS, *_VACANCIES)))
    found = engine.relax([crystals[name] for name in names], fmax=0.005, cell="full")
    own = {name: to_atoms(one.structure) for name, one in zip(names, found, strict=True)}
    lithium = found[0].energy / len(own["Li"])
    built = []
    for substrate in known(own, _CONTACTS):
        for ground, film in CONTACTS[substrate]:
            label = f"Li{film}|{substrate}{ground}".replace(", ", "")
            joined = contact(own, film, substrate, ground)
            if joined is not None:
                built.append((label, *joined))
    sides = [part for _, atoms, film in built for part in (atoms[film], atoms[~film], atoms)]
    energies = [one.energy for one in engine.relax(sides, fmax=0.03)]
    for i, (label, atoms, _) in enumerate(built):
        film_energy, ground_energy, both = energies[3 * i : 3 * i + 3]
        area = float(np.linalg.norm(np.cross(atoms.cell[0], atoms.cell[1])))
        yield "work_of_adhesion", label, EV_PER_A2 * (film_energy + ground_energy - both) / area
    salts = known(own, _VACANCIES)
    whole = [supercell(own[name], 36) for name in salts]
    short = []
    for atoms in whole:
        less = atoms.copy()
        del less[atoms.get_chemical_symbols().index("Li")]
        short.append(less)
    perfect = engine.evaluate(whole)
    for name, one, other in zip(salts, engine.relax(short, fmax=0.02), perfect, strict=True):
        yield "vacancy_energy", name, one.energy + lithium - other.energy


if __name__ == "__main__":
    main()
