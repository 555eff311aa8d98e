"""A stage: one task over a list of systems, nothing computed twice and nothing finished lost.

What the database or the stage's spool already holds under a system's fingerprint is taken from
there; every other system is written to the spool the moment it is done, and the whole stage to the
database at its end. A killed stage, run again, computes only what had not finished.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from pymatgen.core import Structure

from potentials.protocol import Band, Calculation, MinimumEnergyPath
from results.database import open_database
from results.documents import AnyCalculation, CalculationDocument, PathDocument, as_structure
from results.fingerprint import calculation_fingerprint
from results.spool import Spool
from workflows.progress import StageEvent, report
from workflows.settings import PotentialSettings, StoreSettings, engine_for

Result = TypeVar("Result")
Document = TypeVar("Document", bound=AnyCalculation)


def evaluate_stage(
    stage: str,
    structures: Sequence[Structure],
    potential: PotentialSettings,
    stores: StoreSettings,
) -> list[CalculationDocument]:
    """Energy, forces and stress of each structure as it stands.

    Args:
        stage: name shown in the progress and given to the spool.
        structures: what is evaluated.
        potential: what evaluates.
        stores: where results are looked for and kept.

    Returns:
        One document per structure, in the order given; failed ones have ``failure`` set.

    Raises:
        PotentialError: the potential cannot be loaded or lacks an element.
        ResultsError: a store cannot be read or written.
    """
    engine = engine_for(potential)[1]

    def compute(positions: list[int], done: Callable[[int, Calculation], None]) -> None:
        engine.evaluate([structures[i] for i in positions], on_result=done)

    def document(i: int, result: Calculation, common: Mapping[str, Any]) -> CalculationDocument:
        return _calculation_document(structures[i], result, common)

    inputs = [[structure] for structure in structures]
    return _run_stage(stage, "evaluate", {}, inputs, compute, document, potential, stores)


def relax_stage(
    stage: str,
    structures: Sequence[Structure],
    parameters: Mapping[str, Any],
    potential: PotentialSettings,
    stores: StoreSettings,
) -> list[CalculationDocument]:
    """Relax each structure with the ``parameters`` of `Engine.relax`; else as `evaluate_stage`."""
    engine = engine_for(potential)[1]

    def compute(positions: list[int], done: Callable[[int, Calculation], None]) -> None:
        engine.relax([structures[i] for i in positions], **parameters, on_result=done)

    def document(i: int, result: Calculation, common: Mapping[str, Any]) -> CalculationDocument:
        return _calculation_document(structures[i], result, common)

    inputs = [[structure] for structure in structures]
    return _run_stage(stage, "relax", parameters, inputs, compute, document, potential, stores)


def path_stage(
    stage: str,
    ends: Sequence[tuple[Structure, Structure]],
    parameters: Mapping[str, Any],
    potential: PotentialSettings,
    stores: StoreSettings,
) -> list[PathDocument]:
    """NEB of each (initial, final) pair of relaxed ends, with the ``parameters`` of `Engine.neb`.

    Else as `evaluate_stage`.
    """
    engine = engine_for(potential)[1]

    def compute(positions: list[int], done: Callable[[int, MinimumEnergyPath], None]) -> None:
        engine.neb([Band(*ends[i]) for i in positions], **parameters, on_result=done)

    def document(i: int, result: MinimumEnergyPath, common: Mapping[str, Any]) -> PathDocument:
        return PathDocument.model_validate(
            {
                **common,
                **_outcome(result),
                "initial_structure": ends[i][0],
                "final_structure": ends[i][1],
                "images": result.images,
                "energies_ev": result.energies,
                "barrier_ev": result.barrier,
                "reverse_barrier_ev": result.reverse_barrier,
            }
        )

    inputs = [list(pair) for pair in ends]
    return _run_stage(stage, "neb", parameters, inputs, compute, document, potential, stores)


def last_structure(document: CalculationDocument) -> Structure:
    """The structure a calculation ended with; the one it started from if it has none."""
    return as_structure(document.final_structure or document.initial_structure)


def _calculation_document(
    structure: Structure, result: Calculation, common: Mapping[str, Any]
) -> CalculationDocument:
    return CalculationDocument.model_validate(
        {
            **common,
            **_outcome(result),
            "initial_structure": structure,
            "final_structure": result.structure,
            "energy_ev": result.energy,
            "forces": result.forces,
            "stress": result.stress,
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


def _run_stage(
    stage: str,
    task: str,
    parameters: Mapping[str, Any],
    inputs: Sequence[Sequence[Structure]],
    compute: Callable[[list[int], Callable[[int, Result], None]], None],
    to_document: Callable[[int, Result, Mapping[str, Any]], Document],
    potential: PotentialSettings,
    stores: StoreSettings,
) -> list[Document]:
    """Reuse, compute the rest, keep; a system that stands twice in ``inputs`` is computed once."""
    loaded = engine_for(potential)[0]
    loaded.check_elements({symbol for group in inputs for s in group for symbol in s.symbol_set})
    identity = loaded.identity.to_dict()
    fingerprints = [calculation_fingerprint(group, task, parameters, identity) for group in inputs]
    stored = _stored_documents(fingerprints, stores)
    spool = _spool(stage, stores)
    finished = {} if spool is None else spool.load()
    fresh = {key: finished[key] for key in fingerprints if key in finished and key not in stored}
    known = stored | fresh
    missing = {
        fingerprint: position
        for position, fingerprint in enumerate(fingerprints)
        if fingerprint not in known
    }
    positions = list(missing.values())
    reused, total = len(known), len(known) + len(missing)

    def tell() -> None:
        failed = sum(not document.converged for document in known.values())
        report(StageEvent(stage, len(known), total, reused, failed))

    def keep(place: int, result: Result) -> None:
        position = positions[place]
        common = {
            "fingerprint": fingerprints[position],
            "task": task,
            "parameters": dict(parameters),
            "potential": identity,
        }
        document = to_document(position, result, common)
        known[document.fingerprint] = fresh[document.fingerprint] = document
        if spool is not None:
            spool.append(document)
        tell()

    tell()
    if positions:
        compute(positions, keep)
    if stores.database is not None:
        if fresh:
            with open_database(stores.database) as database:
                database.add_calculations(list(fresh.values()))
        if spool is not None:
            spool.path.unlink(missing_ok=True)
    return [cast(Document, known[fingerprint]) for fingerprint in fingerprints]


def _spool(stage: str, stores: StoreSettings) -> Spool | None:
    if stores.spool is None:
        return None
    return Spool(Path(stores.spool) / f"{stage.replace(' ', '-')}.jsonl")


def _stored_documents(
    fingerprints: Sequence[str], stores: StoreSettings
) -> dict[str, AnyCalculation]:
    if stores.database is None:
        return {}
    with open_database(stores.database) as database:
        return database.find(fingerprints)
