"""Molecular dynamics as a stage: the task, its settings, and the frames it leaves behind.

The frames go to a folder beside the stage's spool, in pieces; a run that was killed goes on from
the newest piece. One folder holds the systems of one batch, which end together, so that their
documents appear when all of them are done.
"""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from pymatgen.core import Structure

from potentials.batched.trajectory import Frames, read_frames
from potentials.protocol import DynamicsProgress, DynamicsResult, Engine
from potentials.registry import registry
from results.documents import DynamicsDocument, SideFile, as_structure
from results.dynamics.trajectory import Trajectory
from results.fingerprint import calculation_fingerprint
from workflows.errors import WorkflowError
from workflows.progress import StageEvent, report
from workflows.settings import PotentialSettings, StoreSettings, engine_for
from workflows.stages import run_stage
from workflows.tasks import Done, System, Task

DYNAMICS_DTYPE = "float32"
"""Precision where the potential's settings name none: enough for forces, half of the cost. DFT has
its own."""


@dataclass(frozen=True)
class RunSettings(PotentialSettings):
    """What the task loads its engine from: the potential that moves the atoms, and a folder.

    Attributes:
        folder: where the folders of frames go, on a disk that every node sees.
    """

    folder: str = "dynamics"


@dataclass(frozen=True)
class _Mover:
    """An engine that moves, and where its frames go."""

    engine: Engine
    identity: Mapping[str, Any]
    folder: Path


@dataclass(frozen=True)
class _Run:
    """How one system's run ended, and where its frames are."""

    result: DynamicsResult
    frames: SideFile | None
    time_ps: float


def dynamics_stage(
    stage: str,
    structures: Sequence[Structure],
    parameters: Mapping[str, Any],
    potential: PotentialSettings,
    stores: StoreSettings,
) -> list[DynamicsDocument]:
    """Move each structure with the ``parameters`` of `Engine.md`.

    Runs whose frames are no longer where the database says are run again.

    Args:
        stage: name shown in the progress and given to the spool.
        structures: starting points; frozen atoms do not move.
        parameters: keyword arguments of `potentials.protocol.Engine.md`.
        potential: what moves; float32 where it names no precision and has it.
        stores: where results are looked for and kept; frames go beside the spool.

    Raises:
        PotentialError: the potential cannot be loaded, lacks an element, or is one with final
            energies.
    """
    folder = Path(stores.spool or ".").resolve() / "dynamics"
    known = registry().get(potential.name)
    usual = None if known is not None and known.kind == "gpaw" else DYNAMICS_DTYPE
    given = vars(potential) | {"dtype": potential.dtype or usual}
    settings = RunSettings(**given, folder=str(folder))
    systems = [[structure] for structure in structures]
    found = run_stage(stage, DYNAMICS, parameters, systems, settings, stores)
    gone = [
        position
        for position, document in enumerate(found)
        if isinstance(document, DynamicsDocument) and _is_gone(document)
    ]
    if gone:
        again = [systems[position] for position in gone]
        apart = StoreSettings(database=None, spool=None)
        for position, document in zip(
            gone, run_stage(stage, DYNAMICS, parameters, again, settings, apart), strict=True
        ):
            found[position] = document
    return cast("list[DynamicsDocument]", found)


def read_trajectory(document: DynamicsDocument) -> Trajectory:
    """The frames of a run.

    Raises:
        WorkflowError: a run without frames.
        PotentialError: its side file is not there.
    """
    if document.frames is None:
        raise WorkflowError(f"run {document.fingerprint[:12]}: {document.failure or 'no frames'}")
    frames = read_frames(document.frames.path, document.frames.index)
    # A run that was made longer later on has more frames than this document knows of.
    n = document.frames.n_frames
    structure = as_structure(document.initial_structure)
    return Trajectory(
        symbols=tuple(site.specie.symbol for site in structure),
        times=frames.steps[:n] * float(document.parameters["timestep"]) / 1000,
        positions=frames.positions[:n].astype(np.float64),
        cells=frames.cells[:n],
        energies=frames.energies[:n],
        temperatures=frames.temperatures[:n],
        stresses=frames.stresses[:n],
    )


def frames_hash(frames: Frames, n_frames: int | None = None) -> str:
    """SHA-256 (hex) of steps, positions and cells of the first ``n_frames``; None for all."""
    total = hashlib.sha256()
    for values in (frames.steps, frames.positions, frames.cells):
        total.update(np.ascontiguousarray(values[:n_frames]).tobytes())
    return total.hexdigest()


def _is_gone(document: DynamicsDocument) -> bool:
    if document.frames is None:
        return False
    with suppress(ValueError, OSError):
        read_frames(document.frames.path, document.frames.index)
        return False
    return True


def _load(settings: RunSettings) -> tuple[Any, _Mover]:
    potential, engine = engine_for(settings)
    return potential, _Mover(engine, potential.identity.to_dict(), Path(settings.folder))


def _move(
    mover: _Mover, systems: Sequence[System], parameters: Mapping[str, Any], done: Done
) -> None:
    structures = [system[0] for system in systems]
    # Not of its length: a run that is asked for again, but longer, goes on where it ended.
    kind = {name: value for name, value in parameters.items() if name != "steps"}
    key = calculation_fingerprint(structures, DYNAMICS.name, kind, dict(mover.identity))
    folder = mover.folder / key[:20]
    timestep = float(parameters["timestep"])
    label = f"{parameters['temperature']:g} K, ps"

    def tell(progress: DynamicsProgress) -> None:
        at, total = (int(n * timestep / 1000) for n in (progress.step, progress.steps))
        report(StageEvent(label, at, max(total, 1), 0, 0))

    results = mover.engine.md(structures, folder, **parameters, on_progress=tell)
    runs = []
    for index, result in enumerate(results):
        steps = min(result.steps, parameters["steps"])
        frames = None
        with suppress(ValueError):  # a system that had no frame
            read = read_frames(folder, index)
            n_frames = int((read.steps <= steps).sum())
            frames = SideFile(
                path=str(folder),
                index=index,
                sha256=frames_hash(read, n_frames),
                n_frames=n_frames,
            )
        runs.append(_Run(result, frames, steps * timestep / 1000))
    # All at once: with one of them known, the others would be another list, in another folder.
    for index, run in enumerate(runs):
        done(index, run)


def _document(system: System, run: _Run, common: Mapping[str, Any]) -> DynamicsDocument:
    return DynamicsDocument.model_validate(
        {
            **common,
            "initial_structure": system[0],
            "final_structure": run.result.structure,
            "max_force": None,
            "converged": run.result.converged,
            "failure": run.result.failure,
            "steps": run.result.steps,
            "force_evaluations": run.result.force_evaluations,
            "wall_time_s": run.result.wall_time,
            "time_ps": run.time_ps,
            "frames": run.frames,
        }
    )


def _lost(system: System, reason: str, common: Mapping[str, Any]) -> DynamicsDocument:
    return DynamicsDocument.model_validate(
        {
            **common,
            "initial_structure": system[0],
            "final_structure": None,
            "max_force": None,
            "converged": False,
            "failure": reason,
            "steps": 0,
            "force_evaluations": 0,
            "wall_time_s": 0.0,
            "time_ps": 0.0,
            "frames": None,
        }
    )


DYNAMICS = Task(
    "dynamics", "workflows.dynamics_runs:DYNAMICS", _move, _document, load=_load, lost=_lost
)
