"""Input sets of DFT codes that run on clusters, and their results: one folder per frame."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from potentials.choices import check_choice
from potentials.dft.cp2k import read_cp2k, write_cp2k
from potentials.dft.espresso import read_espresso, write_espresso
from potentials.dft.settings import DftSettings
from potentials.dft.vasp import read_vasp, write_vasp
from potentials.errors import PotentialError

_INDEX = "frames.json"
_SAME = 1e-3
"""Largest distance between an atom written and the atom read back, Å."""


@dataclass(frozen=True)
class Code:
    """How one code is written for and read.

    Attributes:
        write: from (frame, settings, folder) to a line on what is still missing, or None.
        read: from a folder to the frame with its results.
    """

    write: Callable[[Atoms, DftSettings, Path], str | None]
    read: Callable[[Path], Atoms]


CODES = {
    "vasp": Code(write_vasp, read_vasp),
    "espresso": Code(write_espresso, read_espresso),
    "cp2k": Code(write_cp2k, read_cp2k),
}


def write_inputs(
    frames: Sequence[Atoms], code: str, settings: DftSettings, folder: Path
) -> list[str]:
    """A complete input set for each frame, in the folders 00000, 00001 and so on.

    Args:
        frames: what is to be labelled; their ``info`` comes back with the results.
        code: ``"vasp"``, ``"espresso"`` or ``"cp2k"``.
        settings: numerical settings.
        folder: where the folders go.

    Returns:
        What is still missing before the code can run, each line once.

    Raises:
        PotentialError: unknown code, or the folder holds other frames already.
    """
    check_choice("code", code, CODES)
    if (folder / _INDEX).exists():
        raise PotentialError(f"folder: {folder} holds frames already; give an empty one")
    missing = []
    rows = []
    for number, frame in enumerate(frames):
        name = f"{number:05d}"
        missing.append(CODES[code].write(frame, settings, folder / name))
        info = {
            key: value.item() if isinstance(value, np.generic) else value
            for key, value in frame.info.items()
            if isinstance(value, str | int | float | np.generic)
        }
        rows.append(
            {
                "folder": name,
                "info": info,
                "numbers": frame.numbers.tolist(),
                "positions": frame.positions.tolist(),
                "cell": frame.cell.array.tolist(),
            }
        )
    index = {"code": code, "settings": settings.to_dict(), "frames": rows}
    (folder / _INDEX).write_text(json.dumps(index), encoding="utf-8")
    return [line for line in dict.fromkeys(missing) if line]


def read_results(folder: Path) -> tuple[list[Atoms], dict[str, str]]:
    """The labelled frames of a folder that `write_inputs` made, and why others have no label.

    The structure of each result is held to the one that was written: a folder that was mixed up, or
    a run that moved the atoms, is no label.

    Raises:
        PotentialError: the folder was not made by `write_inputs`.
    """
    try:
        index = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
        code, rows = CODES[index["code"]], index["frames"]
    except (OSError, ValueError, KeyError) as error:
        raise PotentialError(
            f"folder: {folder} was not written by `lithiophile dft inputs`; give one that was"
        ) from error
    frames, failures = [], {}
    for row in rows:
        try:
            found = code.read(folder / row["folder"])
            frame = Atoms(row["numbers"], positions=row["positions"], cell=row["cell"], pbc=True)
            _check_same(found, frame, row["folder"])
        except PotentialError as error:
            failures[row["folder"]] = str(error)
            continue
        frame.calc = SinglePointCalculator(frame, **_results(found))
        frame.info.update(row["info"])
        frames.append(frame)
    return frames, failures


def _results(found: Atoms) -> dict[str, Any]:
    """Energies, forces and stress of a frame that was read; nothing else of the code's."""
    assert found.calc is not None
    names = ("energy", "free_energy", "forces", "stress")
    return {name: found.calc.results[name] for name in names if name in found.calc.results}


def _check_same(found: Atoms, wanted: Atoms, folder: str) -> None:
    """Refuse results of another structure than was written; whole cells apart is the same."""
    same = np.array_equal(found.numbers, wanted.numbers) and np.allclose(
        found.cell.array, wanted.cell.array, atol=_SAME
    )
    if same:
        apart = (found.positions - wanted.positions) @ np.linalg.inv(wanted.cell.array)
        apart -= np.round(apart)
        same = bool(np.linalg.norm(apart @ wanted.cell.array, axis=1).max() < _SAME)
    if not same:
        raise PotentialError(f"{folder}: holds another structure than was written; run it again")
