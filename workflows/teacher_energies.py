"""Energies of crystals that a distilled potential takes from its teacher.

`mini` was shown no elements such as sulfur or fluorine and few of the phases that compete with the
ones it was shown, so a hull of its own energies means nothing. Its energies are fitted to those of
its teacher, CHGNet, on the same scale; so the teacher's energies of the library's crystals stand in
a table here, and hulls for `mini` are made of them. Every document says so.

``python -m workflows.teacher_energies Li P S Cl O F N`` computes what the table lacks of crystals
made of these elements (it needs the extra ``chgnet``); without elements, of all that `mini`
covers.
"""

import csv
import sys
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, fields
from functools import cache
from pathlib import Path

from pymatgen.core.structure import Structure

from results.fingerprint import structure_fingerprint
from results.thermodynamics.phases import Phase
from structures import crystal, crystal_names
from workflows.errors import WorkflowError

TABLE = Path(__file__).with_name("teacher_energies.csv")
TEACHERS = {"mini": "chgnet", "mini-pbe": "chgnet"}
"""Potentials whose hulls are made of another one's energies, and that one."""
_FMAX = 0.05
_MAX_STEPS = 300
_LARGEST_CELL = 56
"""Atoms in the primitive cell of the largest crystal that the table holds."""


@dataclass(frozen=True)
class _Row:
    """One crystal of the table.

    Attributes:
        crystal: name in the library.
        structure: fingerprint of the primitive cell that the relaxation started from, so that a
            crystal that the library has changed since is not taken for the old one.
        formula: reduced formula.
        energy_ev: per atom.
        volume_a3: per atom.
        source: what gave the energy.
    """

    crystal: str
    structure: str
    formula: str
    energy_ev: float
    volume_a3: float
    source: str


def teacher_phases(
    potential: str, names: Iterable[str], final_energies: str | None = None
) -> list[Phase] | None:
    """The phases among ``names`` with the energies of a potential's teacher.

    Args:
        potential: registry name.
        names: crystals of the library.
        final_energies: registry name of what gives the other energies; None for the potential.

    Returns:
        One phase for each name that the table holds; None for a potential that has no teacher, and
        where the other energies are those of a third one.
    """
    if potential not in TEACHERS or final_energies not in (None, TEACHERS[potential]):
        return None
    table = _table()
    found = []
    for name in names:
        row = table.get(name)
        if row is not None and row.structure == structure_fingerprint(primitive_crystal(name)):
            found.append(_phase(row))
    return found


def primitive_crystal(name: str) -> Structure:
    """Primitive cell of a crystal, with what tells where one from outside the library is from."""
    conventional = crystal(name)
    primitive = conventional.get_primitive_structure()
    primitive.properties = conventional.properties
    return primitive


def _phase(row: _Row) -> Phase:
    phase = Phase(row.crystal, row.formula, 0.0, None, row.source)
    atoms = phase.composition.num_atoms
    return Phase(row.crystal, row.formula, row.energy_ev * atoms, row.volume_a3 * atoms, row.source)


@cache
def _table() -> dict[str, _Row]:
    with TABLE.open(newline="", encoding="utf-8") as file:
        return {
            row["crystal"]: _Row(
                row["crystal"],
                row["structure"],
                row["formula"],
                float(row["energy_ev"]),
                float(row["volume_a3"]),
                row["source"],
            )
            for row in csv.DictReader(file)
        }


def write_missing(elements: Iterable[str]) -> None:
    """Relax with the teacher what the table lacks, the smallest cells first; kept one by one.

    Args:
        elements: only crystals made of these; empty for all that `mini` covers.

    Raises:
        WorkflowError: the teacher cannot be loaded.
    """
    from potentials.errors import PotentialError
    from potentials.loading import load_potential

    try:
        student = load_potential("mini")
        teacher = load_potential(TEACHERS["mini"])
    except PotentialError as error:
        raise WorkflowError(str(error)) from error
    source = f"{teacher.identity.name}, {teacher.identity.sha256[:12]}, {teacher.identity.dtype}"
    engine = teacher.engine()
    known = _table() if TABLE.exists() else {}
    for name, cell in _wanted(frozenset(elements) or student.elements):
        fingerprint = structure_fingerprint(cell)
        if name in known and known[name].structure == fingerprint:
            continue
        found = engine.relax([cell], fmax=_FMAX, max_steps=_MAX_STEPS, cell="full")[0]
        print(f"{name}: {found.failure or f'{found.energy / len(cell):.4f} eV/atom'}", flush=True)
        if found.converged:
            known[name] = _Row(
                name,
                fingerprint,
                cell.composition.reduced_formula,
                round(found.energy / len(cell), 5),
                round(found.structure.volume / len(cell), 3),
                source,
            )
            _write(known)


def _wanted(elements: frozenset[str]) -> Iterator[tuple[str, Structure]]:
    cells = {
        name: cell
        for name in crystal_names()
        for cell in [primitive_crystal(name)]
        if cell.symbol_set and set(cell.symbol_set) <= elements and len(cell) <= _LARGEST_CELL
    }
    yield from sorted(cells.items(), key=lambda item: (len(item[1]), item[0]))


def _write(rows: dict[str, _Row]) -> None:
    partial = TABLE.with_suffix(".partial")
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([field.name for field in fields(_Row)])
        writer.writerows(astuple(rows[name]) for name in sorted(rows))
    partial.replace(TABLE)


if __name__ == "__main__":
    try:
        write_missing(sys.argv[1:])
    except WorkflowError as error:
        sys.exit(str(error))
