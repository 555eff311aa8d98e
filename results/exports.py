"""Results as files that other programs read: tables and structures.

`export` writes what a query finds; the others write what they are given.

Every file is written beside its name first and then put in its place whole.
"""

import json
import os
import sqlite3
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from results.database import Database, QueryResult
from results.documents import (
    AnyCalculation,
    CalculationDocument,
    CandidateDocument,
    DynamicsDocument,
    as_structure,
    labels,
)
from results.errors import ResultsError, nearest
from results.query import miller_text

if TYPE_CHECKING:
    from ase import Atoms


TABLES = (".csv", ".json", ".parquet")
STRUCTURES = (".extxyz", ".cif", ".db", ".jsonl")


def export(database: Database, text: str, path: str | os.PathLike[str]) -> int:
    """Write what a query finds to a file, by its ending: a table or structures.

    A table (`export_table`) has one row per candidate; structures (`export_calculations`) are those
    of every calculation that the candidates came from.

    Args:
        database: where it is asked.
        text: the query (`results.query`); empty for every candidate.
        path: the file; replaced whole where there is one.

    Returns:
        The number of rows or calculations.

    Raises:
        ResultsError: a query that cannot be read, an unknown ending, a file that cannot be written,
            or nothing to write.
    """
    path = Path(path)
    if path.suffix in TABLES:
        table = database.query(text)
        export_table(table, path)
        return len(table)
    if path.suffix not in STRUCTURES:
        raise ResultsError(
            f"export: {path.name}: unknown ending {path.suffix!r}; "
            f"{nearest(path.suffix, [*TABLES, *STRUCTURES])}"
        )
    candidates = database.candidates(text)
    found = database.find(one for document in candidates for one in document.fingerprints())
    export_calculations(found.values(), path, candidates)
    return len(found)


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
    calculations: Iterable[AnyCalculation],
    path: str | os.PathLike[str],
    candidates: Iterable[CandidateDocument] = (),
) -> None:
    """Write structures by the file's ending.

    - ``.extxyz``: extended XYZ with energies, forces and stresses.
    - ``.db``: an ASE database, with the same.
    - ``.jsonl``: OPTIMADE JSON lines, with energies (`results.optimade`).
    - ``.cif``: structures alone.

    All but the last carry fingerprint, task, potential and convergence, and what is the same for
    all candidates that a calculation belongs to (campaign, screen, host, facet, termination,
    labels). A path gives all its images with their energies. Calculations without a final structure
    (coordinates were no longer numbers) are left out.

    Args:
        calculations: what is written, in this order.
        path: the file.
        candidates: those that the calculations belong to.

    Raises:
        ResultsError: another ending, a file that cannot be written, or no structure to write.
    """
    owners = _owners(candidates)
    images = [
        image
        for document in calculations
        for image in _images(document, owners.get(document.fingerprint, {}))
    ]
    writers: dict[str, Callable[[Path], None]] = {
        ".extxyz": lambda file: _write_ase(images, file, "extxyz"),
        ".cif": lambda file: _write_ase(images, file, "cif"),
        ".db": lambda file: _write_ase_database(images, file),
        ".jsonl": lambda file: _write_optimade(images, file),
    }
    path = Path(path)
    _check(path, writers)
    if not images:
        raise ResultsError("export: no structure to write; choose calculations that finished")
    _write(path, writers)


@dataclass(frozen=True)
class _Image:
    """One structure and what belongs to it.

    Attributes:
        document: the calculation.
        identifier: fingerprint, on a path with the image's number.
        structure: pymatgen's dictionary.
        found: energy (eV), forces (eV/Å) and stress (eV/Å³), where there are any.
        facts: what the candidates it belongs to have in common.
    """

    document: AnyCalculation
    identifier: str
    structure: dict[str, Any]
    found: dict[str, Any]
    facts: dict[str, str]

    @property
    def info(self) -> dict[str, Any]:
        """What is written beside the structure."""
        return {
            "fingerprint": self.document.fingerprint,
            "task": self.document.task,
            "potential": self.document.potential.name,
            "potential_sha256": self.document.potential.sha256,
            "converged": self.document.converged,
            **self.facts,
        }


def _images(document: AnyCalculation, facts: dict[str, str]) -> list[_Image]:
    fingerprint = document.fingerprint
    if isinstance(document, DynamicsDocument):
        last = document.final_structure
        return [] if last is None else [_Image(document, fingerprint, last, {}, facts)]
    if isinstance(document, CalculationDocument):
        if document.final_structure is None:
            return []
        found = {"energy": document.energy_ev, "forces": document.forces, "stress": document.stress}
        return [_Image(document, fingerprint, document.final_structure, found, facts)]
    energies = document.energies_ev or [None] * len(document.images or ())
    pairs = zip(document.images or (), energies, strict=True)
    return [
        _Image(document, f"{fingerprint}-{number}", image, {"energy": energy}, facts)
        for number, (image, energy) in enumerate(pairs)
    ]


def _owners(candidates: Iterable[CandidateDocument]) -> dict[str, dict[str, str]]:
    """By fingerprint, what is the same for all candidates that a calculation belongs to."""
    common: dict[str, dict[str, str]] = {}
    for document in candidates:
        facts = {
            "campaign": document.campaign,
            "screen": document.screen,
            "host": document.host,
            "miller_index": miller_text(document.miller_index),
            "termination": document.termination,
            **{
                name: getattr(document, field) or ""
                for field, name in labels(type(document)).items()
            },
        }
        for fingerprint in document.fingerprints():
            known = common.get(fingerprint, facts)
            common[fingerprint] = {k: v for k, v in known.items() if v and facts.get(k) == v}
    return common


def _check(path: Path, writers: dict[str, Callable[[Path], None]]) -> None:
    if path.suffix not in writers:
        raise ResultsError(
            f"export: {path.name}: unknown ending {path.suffix!r}; {nearest(path.suffix, writers)}"
        )
    if path.is_dir():
        raise ResultsError(f"export: {path} is a folder; name a file in it")
    if not path.parent.is_dir():
        raise ResultsError(f"export: {path} cannot be written (no such folder); make it first")


def _write(path: Path, writers: dict[str, Callable[[Path], None]]) -> None:
    """Write the whole file beside its name, put it on the disk, and only then give it its name."""
    _check(path, writers)
    unfinished = path.with_name(f".{uuid.uuid4().hex}{path.suffix}")
    try:
        writers[path.suffix](unfinished)
        with unfinished.open("rb+") as file:
            os.fsync(file.fileno())
        unfinished.replace(path)
    except (OSError, sqlite3.OperationalError) as error:
        raise ResultsError(
            f"export: {path} cannot be written ({' '.join(str(error).split())}); give another path"
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)


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


def _write_ase(images: list[_Image], file: Path, form: str) -> None:
    from ase.io import write

    write(file, [_atoms(image) for image in images], format=form)


def _write_ase_database(images: list[_Image], file: Path) -> None:
    from ase.db import connect

    with connect(file) as database:
        for image in images:
            pairs = {name: _plain_number(value) for name, value in image.info.items()}
            database.write(_atoms(image), key_value_pairs=pairs)


def _plain_number(value: Any) -> Any:
    """A text that reads as a number as that number, since an ASE database refuses the text."""
    if isinstance(value, str):
        for number in (int, float):
            with suppress(ValueError):
                return number(value)
    return value


def _write_optimade(images: list[_Image], file: Path) -> None:
    from results.optimade import optimade_lines

    entries = (
        (
            image.identifier,
            as_structure(image.structure),
            image.document.created_at,
            {
                **image.info,
                "energy": image.found["energy"],
                "max_force": image.document.max_force,
            },
        )
        for image in images
    )
    with file.open("w", encoding="utf-8") as lines:
        lines.writelines(optimade_lines(entries))


def _atoms(image: _Image) -> "Atoms":
    """The structure as ASE Atoms with the results that belong to it."""
    import numpy as np
    from ase.calculators.singlepoint import SinglePointCalculator
    from ase.stress import full_3x3_to_voigt_6_stress
    from pymatgen.io.ase import AseAtomsAdaptor

    atoms: Atoms = AseAtomsAdaptor.get_atoms(as_structure(image.structure), msonable=False)
    known: dict[str, Any] = {
        name: np.array(value) for name, value in image.found.items() if value is not None
    }
    if "stress" in known:
        known["stress"] = full_3x3_to_voigt_6_stress(known["stress"])
    if "energy" in known:
        known["energy"] = float(known["energy"])
    atoms.calc = SinglePointCalculator(atoms, **known)
    atoms.info = image.info
    return atoms
