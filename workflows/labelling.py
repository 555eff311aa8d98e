"""Labels for frames: a list of structures in, energies, forces and stresses out.

Labelling is a stage like every other, with a potential that happens to be density-functional
theory: spool and database keep each frame as it is done, and it computes where stages compute.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from jobflow import Flow
from pymatgen.core import Structure

from potentials.potential import Potential
from results.documents import CalculationDocument, as_structure
from results.fingerprint import calculation_fingerprint
from results.spool import Spool
from structures import as_atoms
from structures import as_structure as structure_of
from workflows.errors import WorkflowError
from workflows.local import run_flow
from workflows.makers import EvaluateMaker
from workflows.places import Place, computing_at
from workflows.progress import Listener
from workflows.settings import PotentialSettings, StoreSettings
from workflows.tasks import EVALUATE

LABEL_STAGE = "label"
_VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


@dataclass(frozen=True)
class Labelling:
    """What became of a list of frames.

    Attributes:
        frames: those that converged, with results; what stood in their ``info`` is kept.
        failures: why the others did not, by their position in the list given.
        seconds: time spent on them, also in earlier runs.
    """

    frames: list[Atoms]
    failures: dict[int, str]
    seconds: float


def label_frames(
    frames: Sequence[Atoms],
    potential: PotentialSettings,
    stores: StoreSettings,
    listener: Listener,
    place: Place,
) -> Labelling:
    """Label frames as a jobflow job over the list; a killed labelling, called again, goes on.

    Args:
        frames: structures; their own results, where they have any, are not used.
        potential: what labels, such as ``PotentialSettings("gpaw-pbe-quick")``.
        stores: where labels are looked for and kept.
        listener: told as frames are done.
        place: where it computes.

    Raises:
        PotentialError: the potential cannot be loaded or lacks an element.
        ResultsError: a store cannot be read or written.
    """
    structures = [_structure(frame) for frame in frames]
    job = EvaluateMaker(name=LABEL_STAGE).make(structures, potential, stores)
    with computing_at(place):
        documents = run_flow(Flow([job], output=job.output), listener).documents
    return labelled(frames, documents)


def labelled(frames: Sequence[Atoms], documents: Sequence[CalculationDocument]) -> Labelling:
    """The frames with what was computed of them; one that did not converge has no results.

    Args:
        frames: what was labelled.
        documents: what `workflows.stages.evaluate_stage` gave of them, in the same order.
    """
    kept: list[Atoms] = []
    failures: dict[int, str] = {}
    for position, (frame, document) in enumerate(zip(frames, documents, strict=True)):
        if not document.converged or document.final_structure is None:
            failures[position] = document.failure or "not converged"
            continue
        atoms = as_atoms(as_structure(document.final_structure))
        atoms.set_constraint()
        results: dict[str, Any] = {"energy": document.energy_ev, "forces": document.forces}
        if document.stress is not None:
            results["stress"] = [document.stress[i][j] for i, j in _VOIGT]
        atoms.info.update(frame.info)
        atoms.calc = SinglePointCalculator(atoms, **results)
        kept.append(atoms)
    return Labelling(kept, failures, sum(each.wall_time_s or 0.0 for each in documents))


def spooled(
    frames: Sequence[Atoms], potential: Potential, spool: Path
) -> tuple[list[Atoms], list[CalculationDocument]]:
    """The frames that a labelling's spool knows, and what it holds of each; for `labelled`.

    Args:
        frames: what is looked for.
        potential: what labelled them; labels of others, or by other settings, are not taken.
        spool: the file that `label_frames` keeps in its spool folder.

    Raises:
        ResultsError: the file cannot be read.
    """
    known = Spool(spool).load()
    identity = potential.identity.to_dict()
    found, documents = [], []
    for frame in frames:
        key = calculation_fingerprint(_structure(frame), EVALUATE.name, {}, identity)
        document = known.get(key)
        if isinstance(document, CalculationDocument):
            found.append(frame)
            documents.append(document)
    return found, documents


def within_limit(seconds: Sequence[float], limit: float) -> int:
    """How many of the first frames fit into ``limit``, s."""
    total = 0.0
    for number, each in enumerate(seconds):
        total += each
        if total > limit:
            return number
    return len(seconds)


def write_labelled(frames: Sequence[Atoms], path: Path) -> None:
    """Write frames with their results as extended XYZ, compressed for a name in .gz or .xz.

    Raises:
        WorkflowError: if the file cannot be written.
    """
    import ase.io

    partial = path.with_name(f".partial-{path.name}")  # the ending decides on compression
    try:
        ase.io.write(partial, list(frames), format="extxyz")
        partial.replace(path)
    except OSError as error:
        raise WorkflowError(
            f"output: {path} cannot be written ({error.strerror}); choose another"
        ) from error


def _structure(frame: Atoms) -> Structure:
    """What is labelled: every atom free."""
    free = frame.copy()
    free.set_constraint()
    return structure_of(free)
