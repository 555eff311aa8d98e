"""Relax every crystal of the library with CHGNet and keep how far its volume moves, as a table.

    OMP_NUM_THREADS=1 nice python benchmarks/relax_crystals.py [--max-atoms 60] [NAME ...]

Each crystal is relaxed in its primitive cell, atoms and cell together, without any constraint of
symmetry. One line a crystal is added to `tests/structures/relaxed_volumes.csv` as soon as it is
done; a crystal whose facts have not changed since is not relaxed again, so that the script goes on
where it was stopped. Needs the extra `chgnet`.
"""

import argparse
import csv
import sys
import time
from pathlib import Path

import torch

from potentials import load_potential
from results.fingerprint import structure_fingerprint
from structures.crystal_library import crystal, crystal_fact, crystal_names
from structures.symmetry import primitive_cell, space_group_number

TABLE = Path(__file__).parent.parent / "tests" / "structures" / "relaxed_volumes.csv"
COLUMNS = (
    "name",
    "fingerprint",
    "atoms",
    "volume_a3_per_atom",
    "relaxed_volume_a3_per_atom",
    "change_percent",
    "space_group",
    "relaxed_space_group",
    "converged",
)
FMAX = 0.05
"""eV/Å; volumes move by less than 1 % below it."""
SYMPREC = 0.1
"""Å; what a relaxation to `FMAX` leaves of symmetry."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these crystals")
    parser.add_argument("--max-atoms", type=int, default=60, help="of the primitive cell")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    engine = load_potential("chgnet", device="cpu", dtype="float32").engine()
    rows = read_table()
    names = asked.names or [n for n in crystal_names() if not crystal_fact(n).sheet]
    cells = {name: primitive_cell(crystal(name)) for name in names}
    for name in sorted(names, key=lambda name: len(cells[name])):
        cell = cells[name]
        identity = structure_fingerprint(cell)[:16]
        if len(cell) > asked.max_atoms or rows.get(name, {}).get("fingerprint") == identity:
            continue
        started = time.monotonic()
        (found,) = engine.relax([cell], fmax=FMAX, max_steps=300, cell="full")
        relaxed = found.structure
        before, after = cell.volume / len(cell), relaxed.volume / len(cell)
        rows[name] = {
            "name": name,
            "fingerprint": identity,
            "atoms": str(len(cell)),
            "volume_a3_per_atom": f"{before:.3f}",
            "relaxed_volume_a3_per_atom": f"{after:.3f}",
            "change_percent": f"{100 * (after / before - 1):+.1f}",
            "space_group": str(crystal_fact(name).space_group_number),
            "relaxed_space_group": str(space_group_number(relaxed, SYMPREC)),
            "converged": str(found.converged).lower(),
        }
        write_table(rows)
        print(*rows[name].values(), f"{time.monotonic() - started:.0f} s", flush=True)


def read_table() -> dict[str, dict[str, str]]:
    """Rows by crystal."""
    if not TABLE.exists():
        return {}
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def write_table(rows: dict[str, dict[str, str]]) -> None:
    """Replace the table at once, so that a stopped script leaves a whole one."""
    part = TABLE.with_suffix(".part")
    with part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[name] for name in sorted(rows))
    part.replace(TABLE)


if __name__ == "__main__":
    sys.exit(main())
