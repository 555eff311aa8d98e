"""Frames of molecular dynamics on disk, written as they come and safe against being killed.

A run's folder holds HDF5 files, each with the frames since the one before and the exact state after
its last frame. A file appears whole, by renaming, or not at all, so that a run that was killed goes
on from the newest one without a lost or a doubled frame.
"""

import contextlib
import json
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from potentials.errors import PotentialError


@dataclass(frozen=True)
class Frames:
    """Frames of one system.

    Attributes:
        steps: (n_frames,), time steps since the start; the first is 0.
        positions: (n_frames, n_atoms, 3), float32, Å; atoms are not wrapped into the cell.
        cells: (n_frames, 3, 3), Å.
        energies: (n_frames,), potential energy, eV.
        kinetic_energies: (n_frames,), eV.
        temperatures: (n_frames,), kinetic, K.
        stresses: (n_frames, 3, 3), of the potential energy alone, eV/Å³, positive under tension;
            NaN in files of versions that kept none.
    """

    steps: NDArray[np.int64]
    positions: NDArray[np.float32]
    cells: NDArray[np.float64]
    energies: NDArray[np.float64]
    kinetic_energies: NDArray[np.float64]
    temperatures: NDArray[np.float64]
    stresses: NDArray[np.float64]


@dataclass(frozen=True)
class Snapshot:
    """The exact state of one system, from which its run goes on.

    Attributes:
        positions: (n_atoms, 3), Å.
        velocities: (n_atoms, 3), in ASE's units.
        cell: (3, 3), Å.
        energy: potential energy, eV; NaN before the first evaluation, and in files of versions that
            kept none.
        forces: (n_atoms, 3), eV/Å; likewise.
        stress: (3, 3), eV/Å³, positive under tension; None where this step did not need it.
        steps: time steps done.
        force_evaluations: spent on the system so far.
        failure: why the system was given up; None while it runs.
    """

    positions: NDArray[np.float64]
    velocities: NDArray[np.float64]
    cell: NDArray[np.float64]
    energy: float
    forces: NDArray[np.float64]
    stress: NDArray[np.float64] | None
    steps: int
    force_evaluations: int
    failure: str | None


@dataclass(frozen=True)
class Segment:
    """What one file says of the systems that run together.

    Attributes:
        step: time steps done.
        snapshots: by position of the system in the list given.
    """

    step: int
    snapshots: dict[int, Snapshot]


def open_folder(folder: Path, parameters: Mapping[str, Any]) -> None:
    """Make ``folder``, or check that what is in it is a run with the same ``parameters``.

    Raises:
        PotentialError: if it holds another run, or cannot be written.
    """
    said = json.dumps(parameters, sort_keys=True, indent=1)
    note = folder / "run.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not note.exists():
            _rename_into_place(note, lambda path: path.write_text(said))
        before = note.read_text()
    except OSError as error:
        raise PotentialError(
            f"folder: {str(folder)!r} cannot be used ({error.strerror}); choose another"
        ) from error
    if before != said:
        old = json.loads(before)
        changed = [key for key in parameters if old.get(key) != json.loads(said)[key]]
        raise PotentialError(
            f"folder: {str(folder)!r} holds a run with other {', '.join(changed)};"
            " choose another folder, or delete it"
        )


def write_segment(
    folder: Path, step: int, frames: Mapping[int, Frames], snapshots: Mapping[int, Snapshot]
) -> None:
    """Add a file with ``frames`` and ``snapshots`` of systems that run together."""

    def write(path: Path) -> None:
        with h5py.File(path, "w") as file:
            file.attrs["step"] = step
            for index, snapshot in snapshots.items():
                group = file.create_group(f"system-{index}")
                for name, values in vars(frames[index]).items() if index in frames else ():
                    group.create_dataset(
                        f"frames/{name}", data=values, compression="gzip", shuffle=True
                    )
                for name in ("positions", "velocities", "cell", "energy", "forces", "stress"):
                    if getattr(snapshot, name) is not None:
                        group.create_dataset(f"state/{name}", data=getattr(snapshot, name))
                for name in ("steps", "force_evaluations", "failure"):
                    if getattr(snapshot, name) is not None:
                        group.attrs[name] = getattr(snapshot, name)

    name = f"{min(snapshots):06d}-{step:012d}.h5"
    _rename_into_place(folder / name, write)


def read_segments(folder: Path) -> list[Segment]:
    """The newest state of every set of systems that ran together.

    A damaged file is set aside with those after it, and the run goes on from the one before.
    """
    newest: dict[str, Path] = {}
    damaged: set[str] = set()
    for path in sorted(folder.glob("*-*.h5")):
        systems = path.name.split("-")[0]
        if systems in damaged or not _is_sound(path):
            aside = path.with_name(f"{path.name}.damaged")
            path.replace(aside)
            warnings.warn(
                f"{path}: damaged, or after a damaged file; set aside as {aside.name}, its frames "
                "are computed again",
                stacklevel=2,
            )
            damaged.add(systems)
        else:
            newest[systems] = path
    segments = []
    for path in newest.values():
        with h5py.File(path, "r") as file:
            step = int(file.attrs["step"])
            snapshots = {
                int(name.removeprefix("system-")): _read_snapshot(group, step)
                for name, group in file.items()
            }
            segments.append(Segment(step, dict(sorted(snapshots.items()))))
    return segments


def _read_snapshot(group: h5py.Group, step: int) -> Snapshot:
    """A system's state; files of earlier versions say less of it."""
    state = {name: np.asarray(values) for name, values in group["state"].items()}
    said = group.attrs
    return Snapshot(
        positions=state["positions"],
        velocities=state["velocities"],
        cell=state["cell"],
        energy=float(state.get("energy", np.nan)),
        forces=state.get("forces", np.full_like(state["positions"], np.nan)),
        stress=state.get("stress"),
        steps=int(said.get("steps", step)),
        force_evaluations=int(said.get("force_evaluations", step + 1)),
        failure=said.get("failure"),
    )


def read_frames(folder: Path | str, index: int) -> Frames:
    """All frames of one system so far.

    Args:
        folder: of the run.
        index: the system's position in the list that was given.

    Raises:
        PotentialError: if there are none, or one of their files is damaged.
    """
    parts: list[dict[str, NDArray]] = []
    for path in sorted(Path(folder).glob("*-*.h5")):
        try:
            with h5py.File(path, "r") as file:
                if f"system-{index}/frames" in file:
                    frames = file[f"system-{index}/frames"]
                    part = {name: np.asarray(frames[name]) for name in frames}
                    part.setdefault("stresses", np.full((len(part["steps"]), 3, 3), np.nan))
                    parts.append(part)
        except OSError as error:
            raise PotentialError(
                f"folder: {path} is damaged; run the dynamics again, which goes on from the file "
                "before it"
            ) from error
    if not parts:
        raise PotentialError(f"index: no frames of system {index} in {str(folder)!r}; check both")
    return Frames(**{name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


def _is_sound(path: Path) -> bool:
    """Whether every state and every frame in the file can be read."""

    def read(_name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            item[...]

    try:
        with h5py.File(path, "r") as file:
            file.visititems(read)
            return "step" in file.attrs
    except (OSError, RuntimeError):
        return False


def _rename_into_place(path: Path, write: Any) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(part)
        with part.open("rb") as file:
            os.fsync(file.fileno())  # the name must not be on the disk before the content
        part.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()


def stack(frames: Sequence[Frames]) -> Frames:
    """Single frames, one after the other."""
    return Frames(
        **{
            name: np.concatenate([getattr(frame, name) for frame in frames])
            for name in Frames.__dataclass_fields__
        }
    )
