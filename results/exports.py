"""Results as files that other programs read: tables and structures.

Every file is written beside its name first and then put in its place whole.
"""

import json
import os
import sqlite3
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from results.database import QueryResult
from results.documents import AnyCalculation, CalculationDocument, as_structure
from results.errors import ResultsError, nearest

if TYPE_CHECKING:
    from ase import Atoms


def export_table(table: QueryResult, path: str | os.PathLike[str]) -> None:
    """Write a query's table, units in the headers, by the file's ending: .csv, .json or .parquet.

    JSON has ``units`` by column beside ``rows``, whose keys are the plain names.

    Raises:
        ResultsError: another ending, a file that cannot be written, or Parquet without pyarrow.
    """
    writers: dict[str, Callable[[Path], None]] = {
        ".csv": lambda file: table.to_pandas().to_csv(file, index=False),
        ".json": lambda file: _write_json(table, file),
        ".parquet": lambda file: write_parquet(table, file),
    }
    _write(Path(path), writers)


def export_calculations(
    calculations: Iterable[AnyCalculation], path: str | os.PathLike[str]
) -> None:
    """Write final structures by the file's ending: .extxyz, .cif, or .db (an ASE database).

    Energies, forces and stresses are in the extended XYZ file and in the ASE database, as are
    fingerprint, task, potential and convergence; a path gives all its images with their energies.
    Calculations without a final structure (coordinates were no longer numbers) are left out.

    Raises:
        ResultsError: another ending, a file that cannot be written, or no structure to write.
    """
    images = [atoms for document in calculations for atoms in _atoms(document)]
    writers: dict[str, Callable[[Path], None]] = {
        ".extxyz": lambda file: _write_ase(images, file, "extxyz"),
        ".cif": lambda file: _write_ase(images, file, "cif"),
        ".db": lambda file: _write_ase_database(images, file),
    }
    if not images:
        raise ResultsError("export: no structure to write; choose calculations that finished")
    _write(Path(path), writers)


def _write(path: Path, writers: dict[str, Callable[[Path], None]]) -> None:
    writer = writers.get(path.suffix)
    if writer is None:
        raise ResultsError(
            f"export: {path.name}: unknown ending {path.suffix!r}; {nearest(path.suffix, writers)}"
        )
    if not path.parent.is_dir():
        raise ResultsError(f"export: {path} cannot be written (no such folder); make it first")
    unfinished = path.with_name(f".{uuid.uuid4().hex}{path.suffix}")
    try:
        writer(unfinished)
        unfinished.replace(path)
    except (OSError, sqlite3.OperationalError) as error:
        raise ResultsError(
            f"export: {path} cannot be written ({' '.join(str(error).split())}); give another path"
        ) from error
    finally:
        if unfinished.exists():
            unfinished.unlink()


def _write_json(table: QueryResult, file: Path) -> None:
    units = {name: table.units[name] for name in table.columns if name in table.units}
    content = {"units": units, "rows": table.rows}
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_parquet(table: QueryResult, file: Path | IO[bytes]) -> None:
    """Write a query's table as Parquet, units in the headers.

    Raises:
        ResultsError: pyarrow is not installed.
    """
    try:
        table.to_pandas().to_parquet(file, index=False)
    except ImportError as error:
        raise ResultsError(
            "export: Parquet needs pyarrow; pip install 'lithiophile[parquet]'"
        ) from error


def _write_ase(images: list["Atoms"], file: Path, form: str) -> None:
    from ase.io import write

    write(file, images, format=form)


def _write_ase_database(images: list["Atoms"], file: Path) -> None:
    from ase.db import connect

    with connect(file) as database:
        for atoms in images:
            database.write(atoms, key_value_pairs=atoms.info)


def _atoms(document: AnyCalculation) -> list["Atoms"]:
    """The structures of a calculation as ASE Atoms with the results that belong to them."""
    if isinstance(document, CalculationDocument):
        if document.final_structure is None:
            return []
        found = {"energy": document.energy_ev, "forces": document.forces, "stress": document.stress}
        return [_one_atoms(document, document.final_structure, found)]
    energies = document.energies_ev or [None] * len(document.images or ())
    return [
        _one_atoms(document, image, {"energy": energy})
        for image, energy in zip(document.images or (), energies, strict=True)
    ]


def _one_atoms(
    document: AnyCalculation, structure: dict[str, Any], found: dict[str, Any]
) -> "Atoms":
    import numpy as np
    from ase.calculators.singlepoint import SinglePointCalculator
    from ase.stress import full_3x3_to_voigt_6_stress
    from pymatgen.io.ase import AseAtomsAdaptor

    atoms: Atoms = AseAtomsAdaptor.get_atoms(as_structure(structure), msonable=False)
    known: dict[str, Any] = {
        name: np.array(value) for name, value in found.items() if value is not None
    }
    if "stress" in known:
        known["stress"] = full_3x3_to_voigt_6_stress(known["stress"])
    if "energy" in known:
        known["energy"] = float(known["energy"])
    atoms.calc = SinglePointCalculator(atoms, **known)
    atoms.info = {
        "fingerprint": document.fingerprint,
        "task": document.task,
        "potential": document.potential.name,
        "potential_sha256": document.potential.sha256,
        "converged": document.converged,
    }
    return atoms
