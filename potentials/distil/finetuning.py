"""Fine-tuning of a MACE foundation model on a user's own frames."""

import logging
from pathlib import Path

import torch
from ase.data import chemical_symbols

from potentials.distil.errors import DistillationError
from potentials.distil.frames import label_of, read_frames, split
from potentials.distil.graphs import labelled_graphs
from potentials.distil.references import fit_shifts
from potentials.distil.teacher import NetworkTeacher
from potentials.distil.training import Errors, Schedule, mean_errors, train
from potentials.loading import load_potential
from potentials.potential import MacePotential

log = logging.getLogger(__name__)


def fine_tune(model: str, frames: Path, folder: Path, schedule: Schedule) -> dict[str, Errors]:
    """Train a loaded MACE network further and write it as ``<folder>/model.model``.

    The reference energies of the elements are shifted first (ridge least squares), since another
    code or functional counts energies from another zero.

    Args:
        model: registered name or trusted file of a MACE network with one head.
        frames: extended-XYZ file with energies and forces, and stresses where there are.
        folder: where checkpoint and result go.
        schedule: how long and how hard; a tenth of a fresh network's learning rate is usual.

    Returns:
        Errors on held-out frames before and after.

    Raises:
        DistillationError: if the network lacks an element of the frames or nothing is held out.
    """
    potential = load_potential(model, dtype="float32")
    if not isinstance(potential, MacePotential):
        raise DistillationError(f"fine-tune: {model!r} is no MACE network; give one that is")
    training, held_out = split(read_frames([frames]))
    if not held_out:
        raise DistillationError(f"frames: only {len(training)}, none held out; give 50 or more")
    network = potential.model
    elements = list(potential.atomic_numbers)
    unknown = {int(z) for frame in training for z in frame.numbers} - set(elements)
    if unknown:
        symbols = ", ".join(chemical_symbols[z] for z in sorted(unknown))
        raise DistillationError(f"fine-tune: {model!r} lacks {symbols}; choose another model")
    predicted = [label.energy for label in NetworkTeacher(network).label(training)]
    wanted = [label_of(frame).energy for frame in training]
    shifts = fit_shifts(training, wanted, predicted, elements)
    energies = network.get_buffer("atomic_energies_fn.atomic_energies")
    energies += torch.tensor(shifts, dtype=energies.dtype)
    network.requires_grad_(True)
    tested = labelled_graphs(held_out, elements, potential.r_max)
    graphs = labelled_graphs(training, elements, potential.r_max)
    errors = {"before": mean_errors(network, tested)}
    folder.mkdir(parents=True, exist_ok=True)
    train(network, graphs, tested, schedule, folder / "checkpoint.pt")
    errors["after"] = mean_errors(network, tested)
    torch.save(network, folder / "model.model")
    return errors
