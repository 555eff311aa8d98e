"""Labelled frames on disk: one extended-XYZ file per shard, written whole or not at all."""

import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms
from ase.calculators.calculator import PropertyNotImplementedError
from ase.calculators.singlepoint import SinglePointCalculator

from potentials.distil.errors import DistillationError
from potentials.distil.teacher import Label

HELD_OUT_SHARE = 0.06


def labelled(atoms: Atoms, label: Label) -> Atoms:
    """A copy of ``atoms`` that carries the label as calculator results."""
    frame = atoms.copy()
    results = {"energy": label.energy, "forces": label.forces}
    if label.stress is not None:
        results["stress"] = label.stress[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
    frame.calc = SinglePointCalculator(frame, **results)
    return frame


def label_of(frame: Atoms) -> Label:
    """The label that a frame carries, eV and eV/Å; forces on frozen atoms too.

    Raises:
        DistillationError: a frame without energy or forces.
    """
    if frame.calc is None or not {"energy", "forces"} <= set(frame.calc.results):
        name = frame.info.get("name", frame.get_chemical_formula())
        raise DistillationError(f"frames: {name} has no energy and forces; label it first")
    try:
        stress = np.asarray(frame.get_stress(voigt=False, apply_constraint=False))
    except PropertyNotImplementedError:
        stress = None
    forces = np.asarray(frame.get_forces(apply_constraint=False))
    return Label(float(frame.get_potential_energy()), forces, stress)


def write_frames(path: Path, frames: Sequence[Atoms]) -> None:
    """Write frames so that ``path`` exists only when it is complete."""
    partial = path.with_suffix(".partial")
    ase.io.write(partial, frames, format="extxyz")
    partial.rename(path)


def read_frames(paths: Iterable[Path]) -> list[Atoms]:
    """All frames of the files, in the order of the files.

    Raises:
        DistillationError: a file that cannot be read.
    """
    frames: list[Atoms] = []
    for path in paths:
        try:
            frames += ase.io.read(path, ":", format="extxyz")
        except Exception as error:
            said = f"{type(error).__name__}: {error}".splitlines()[0]
            raise DistillationError(
                f"frames: {path} cannot be read ({said}); give extended XYZ"
            ) from error
    return frames


def is_held_out(system: str) -> bool:
    """Whether the trajectory of this name is kept from training, to measure errors on."""
    return zlib.crc32(b"held-out/" + system.encode()) % 1000 < 1000 * HELD_OUT_SHARE


def split(frames: Iterable[Atoms]) -> tuple[list[Atoms], list[Atoms]]:
    """Frames to train on and frames of held-out trajectories, by ``info["system"]``.

    A frame without a system, as in a user's own file, counts as a trajectory of its own.
    """
    training: list[Atoms] = []
    held_out: list[Atoms] = []
    for number, frame in enumerate(frames):
        system = str(frame.info.get("system", number))
        (held_out if is_held_out(system) else training).append(frame)
    return training, held_out
