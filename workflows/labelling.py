"""Labels for frames: energies, forces and stresses of a list of structures, kept as they come."""

from collections.abc import Iterator, Sequence
from typing import Any

from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from results.documents import CalculationDocument, as_structure
from structures import as_atoms


def labelled_frames(
    frames: Sequence[Atoms], documents: Sequence[CalculationDocument]
) -> Iterator[Atoms]:
    """The frames that converged, each with what was computed of it as calculator results.

    Args:
        frames: what was labelled; their ``info`` is kept.
        documents: what `evaluate_stage` gave of them, in the same order.
    """
    for frame, document in zip(frames, documents, strict=True):
        if not document.converged:
            continue
        atoms = as_atoms(as_structure(document.final_structure))
        results: dict[str, Any] = {"energy": document.energy_ev, "forces": document.forces}
        if document.stress is not None:
            results["stress"] = [document.stress[i][j] for i, j in _VOIGT]
        atoms.info.update(frame.info)
        atoms.calc = SinglePointCalculator(atoms, **results)
        yield atoms


_VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
