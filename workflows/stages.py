"""A stage: one task over a list of systems, nothing computed twice and nothing finished lost.

What the database or the stage's spool already holds under a system's fingerprint is taken from
there; every other system is written to the spool the moment it is done, and to the database in
batches and at the stage's end. A killed stage, run again, computes only what had not finished.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from pymatgen.core import Structure

from results.database import open_database
from results.documents import AnyCalculation, CalculationDocument, PathDocument, as_structure
from results.errors import ResultsError
from results.fingerprint import calculation_fingerprint
from results.spool import Spool
from workflows.places import current_place
from workflows.progress import StageEvent, report
from workflows.settings import PotentialSettings, StoreSettings
from workflows.tasks import EVALUATE, FIND_PATH, RELAX, StageWork, System, Task, stage_slug

_SAVE_EVERY = 500
"""Finished systems after which the database gets them; the spool has each of them at once."""


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
    systems = [[structure] for structure in structures]
    return cast(
        "list[CalculationDocument]", run_stage(stage, EVALUATE, {}, systems, potential, stores)
    )


def relax_stage(
    stage: str,
    structures: Sequence[Structure],
    parameters: Mapping[str, Any],
    potential: PotentialSettings,
    stores: StoreSettings,
) -> list[CalculationDocument]:
    """Relax each structure with the ``parameters`` of `Engine.relax`; else as `evaluate_stage`."""
    systems = [[structure] for structure in structures]
    return cast(
        "list[CalculationDocument]", run_stage(stage, RELAX, parameters, systems, potential, stores)
    )


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
    return cast(
        "list[PathDocument]", run_stage(stage, FIND_PATH, parameters, ends, potential, stores)
    )


def last_structure(document: CalculationDocument) -> Structure:
    """The structure a calculation ended with; the one it started from if it has none."""
    return as_structure(document.final_structure or document.initial_structure)


def run_stage(
    stage: str,
    task: Task,
    parameters: Mapping[str, Any],
    systems: Sequence[System],
    settings: Any,
    stores: StoreSettings,
) -> list[AnyCalculation]:
    """Reuse, compute the rest where `workflows.places` says, keep.

    A system that stands twice in ``systems`` is computed once.

    Args:
        stage: name shown in the progress and given to the spool.
        task: what is done.
        parameters: the task's parameters, part of the fingerprint.
        systems: what is computed.
        settings: what the task loads its engine from, `PotentialSettings` as a rule.
        stores: where results are looked for and kept.

    Returns:
        One document per system, in the order given; failed ones have ``failure`` set.

    Raises:
        PotentialError: the potential cannot be loaded or lacks an element.
        ResultsError: a store cannot be read or written.
        WorkflowError: the place where the stage computes cannot compute it.
    """
    place = current_place()
    loaded = task.load(place.settings_here(settings))[0]
    loaded.check_elements({symbol for system in systems for s in system for symbol in s.symbol_set})
    identity = loaded.identity.to_dict()
    fingerprints = [
        calculation_fingerprint(list(system), task.name, parameters, identity) for system in systems
    ]
    stored = _stored_documents(fingerprints, stores)
    spool = _spool(stage, stores)
    finished = {} if spool is None else spool.load()
    unsaved = [
        finished[key]
        for key in dict.fromkeys(fingerprints)
        if key in finished and key not in stored
    ]
    known = stored | {document.fingerprint: document for document in unsaved}
    missing = {
        fingerprint: position
        for position, fingerprint in enumerate(fingerprints)
        if fingerprint not in known
    }
    reused, total = len(known), len(known) + len(missing)
    failed = sum(not document.converged for document in known.values())

    def tell() -> None:
        report(StageEvent(stage, len(known), total, reused, failed))

    def save() -> None:
        if stores.database is not None and unsaved:
            with open_database(stores.database) as database:
                database.add_calculations(unsaved)
            unsaved.clear()

    def keep(document: AnyCalculation) -> None:
        nonlocal failed
        if document.fingerprint in known:
            return
        if spool is not None:
            spool.append(document)
        known[document.fingerprint] = document
        unsaved.append(document)
        failed += not document.converged
        if len(unsaved) % _SAVE_EVERY == 0:
            # The spool has them; a database that is away for a while is asked again later.
            with suppress(ResultsError):
                save()
        tell()

    tell()
    if missing:
        work = StageWork(
            stage,
            task,
            parameters,
            settings,
            identity,
            [systems[position] for position in missing.values()],
            list(missing),
        )
        place.compute(work, keep)
    save()
    if spool is not None and stores.database is not None:
        spool.path.unlink(missing_ok=True)
    return [known[fingerprint] for fingerprint in fingerprints]


def _spool(stage: str, stores: StoreSettings) -> Spool | None:
    if stores.spool is None:
        return None
    return Spool(Path(stores.spool) / f"{stage_slug(stage)}.jsonl")


def _stored_documents(
    fingerprints: Sequence[str], stores: StoreSettings
) -> dict[str, AnyCalculation]:
    if stores.database is None:
        return {}
    with open_database(stores.database) as database:
        return database.find(fingerprints)
