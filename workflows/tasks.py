"""What a stage does to each of its systems: the tasks, as plain functions that travel by name.

A stage may compute in this process or in a shard on a compute node; either way it is a `Task` that
computes and that turns each result into its document.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymatgen.core import Structure

from potentials.protocol import Band, Calculation, Engine, MinimumEnergyPath
from results.documents import AnyCalculation, CalculationDocument, PathDocument
from workflows.settings import engine_for

System = Sequence[Structure]
"""What one fingerprint stands for: one structure, or the two ends of a path."""
Done = Callable[[int, Any], None]
"""Called with (position in the list given, result) the moment a system is done."""


def _lost_calculation(
    system: System, reason: str, common: Mapping[str, Any]
) -> CalculationDocument:
    nothing = dict.fromkeys(("final_structure", "energy_ev", "forces", "stress"))
    return CalculationDocument.model_validate(
        {**common, **_lost(reason), **nothing, "initial_structure": system[0]}
    )


def _lost_path(system: System, reason: str, common: Mapping[str, Any]) -> PathDocument:
    nothing = dict.fromkeys(("images", "energies_ev", "barrier_ev", "reverse_barrier_ev"))
    ends = {"initial_structure": system[0], "final_structure": system[1]}
    return PathDocument.model_validate({**common, **_lost(reason), **nothing, **ends})


def _lost(reason: str) -> dict[str, Any]:
    return {
        "max_force": None,
        "converged": False,
        "failure": reason,
        "steps": 0,
        "force_evaluations": 0,
        "wall_time_s": 0.0,
    }


@dataclass(frozen=True)
class Task:
    """One kind of calculation.

    Attributes:
        name: task in the fingerprint and in the documents.
        path: where this object stands, ``"module:attribute"``, so that a shard finds it.
        compute: called with (engine, systems, parameters, done).
        document: the document of (system, result, common), where common holds the fingerprint, the
            task, the parameters and the potential's identity.
        load: from the settings to what has ``identity`` and ``check_elements``, and the engine.
        lost: the document of (system, reason, common) of a system that gave no result.
    """

    name: str
    path: str
    compute: Callable[[Any, Sequence[System], Mapping[str, Any], Done], None]
    document: Callable[[System, Any, Mapping[str, Any]], AnyCalculation]
    load: Callable[[Any], tuple[Any, Any]] = engine_for
    lost: Callable[[System, str, Mapping[str, Any]], AnyCalculation] = _lost_calculation


def task_at(path: str) -> Task:
    """The task whose `Task.path` this is."""
    module, _, attribute = path.partition(":")
    task: Task = getattr(importlib.import_module(module), attribute)
    return task


def stage_slug(stage: str) -> str:
    """A stage's name as it stands in the names of files."""
    return stage.replace(" ", "-")


@dataclass(frozen=True)
class StageWork:
    """The systems that a stage has to compute, and how.

    Attributes:
        stage: name shown in the progress.
        task: what is done.
        parameters: the task's parameters.
        settings: what `Task.load` takes; `workflows.settings.PotentialSettings` as a rule.
        identity: the potential's identity, as it stands in the fingerprints.
        systems: what is computed.
        fingerprints: of each system.
    """

    stage: str
    task: Task
    parameters: Mapping[str, Any]
    settings: Any
    identity: Mapping[str, Any]
    systems: Sequence[System]
    fingerprints: Sequence[str]

    def document(self, position: int, result: Any) -> AnyCalculation:
        """The document of the result of the system at ``position``."""
        return self.task.document(self.systems[position], result, self._common(position))

    def lost_document(self, position: int, reason: str) -> AnyCalculation:
        """The document of the system at ``position``, which gave no result."""
        return self.task.lost(self.systems[position], reason, self._common(position))

    def compute(self, engine: Any, keep: Callable[[AnyCalculation], None]) -> None:
        """Compute every system in this process; ``keep`` gets each document as it is done."""

        def done(position: int, result: Any) -> None:
            keep(self.document(position, result))

        self.task.compute(engine, self.systems, self.parameters, done)

    def _common(self, position: int) -> dict[str, Any]:
        return {
            "fingerprint": self.fingerprints[position],
            "task": self.task.name,
            "parameters": dict(self.parameters),
            "potential": dict(self.identity),
        }


def _evaluate(
    engine: Engine, systems: Sequence[System], _parameters: Mapping[str, Any], done: Done
) -> None:
    engine.evaluate([system[0] for system in systems], on_result=done)


def _relax(
    engine: Engine, systems: Sequence[System], parameters: Mapping[str, Any], done: Done
) -> None:
    engine.relax([system[0] for system in systems], **parameters, on_result=done)


def _find_path(
    engine: Engine, systems: Sequence[System], parameters: Mapping[str, Any], done: Done
) -> None:
    engine.neb([Band(*system) for system in systems], **parameters, on_result=done)


def _calculation_document(
    system: System, result: Calculation, common: Mapping[str, Any]
) -> CalculationDocument:
    return CalculationDocument.model_validate(
        {
            **common,
            **_outcome(result),
            "initial_structure": system[0],
            "final_structure": result.structure,
            "energy_ev": result.energy,
            "forces": result.forces,
            "stress": result.stress,
        }
    )


def _path_document(
    system: System, result: MinimumEnergyPath, common: Mapping[str, Any]
) -> PathDocument:
    return PathDocument.model_validate(
        {
            **common,
            **_outcome(result),
            "initial_structure": system[0],
            "final_structure": system[1],
            "images": result.images,
            "energies_ev": result.energies,
            "barrier_ev": result.barrier,
            "reverse_barrier_ev": result.reverse_barrier,
        }
    )


def _outcome(result: Calculation | MinimumEnergyPath) -> dict[str, Any]:
    return {
        "max_force": result.max_force,
        "converged": result.converged,
        "failure": result.failure,
        "steps": result.steps,
        "force_evaluations": result.force_evaluations,
        "wall_time_s": result.wall_time,
    }


EVALUATE = Task("evaluate", "workflows.tasks:EVALUATE", _evaluate, _calculation_document)
RELAX = Task("relax", "workflows.tasks:RELAX", _relax, _calculation_document)
FIND_PATH = Task("neb", "workflows.tasks:FIND_PATH", _find_path, _path_document, lost=_lost_path)
