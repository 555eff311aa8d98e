"""Fine-tuning of a MACE network on a user's own frames."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from ase import Atoms
from ase.data import chemical_symbols

import potentials
from potentials.distil.errors import DistillationError
from potentials.distil.frames import label_of, labelled, read_frames, split
from potentials.distil.graphs import labelled_graphs
from potentials.distil.network import save_trained
from potentials.distil.references import fit_shifts
from potentials.distil.teacher import Label, NetworkTeacher
from potentials.distil.training import Errors, Schedule, mean_errors, train
from potentials.loading import load_potential
from potentials.potential import MacePotential
from potentials.registry import registry

log = logging.getLogger(__name__)
_MODEL = "model.model"


@dataclass(frozen=True)
class Tuned:
    """A fine-tuned network.

    Attributes:
        errors: on held-out frames, before and after; of replayed frames too where there are any.
        model: what loads it: a folder of tensors and JSON where the start was one, else a MACE
            checkpoint.
    """

    errors: dict[str, Errors]
    model: Path


def fine_tune(
    model: str, frames: Path, folder: Path, schedule: Schedule, replay: Sequence[Path] = ()
) -> Tuned:
    """Train a loaded MACE network further and write it into a folder.

    Another code or functional counts energies from another zero. Without replay the network's
    element energies are shifted to that of the frames. With it the frames' energies are shifted to
    the network's, which the replayed frames share, and both kinds get the same number of atoms.

    Args:
        model: registered name, trusted file or folder of a MACE network with one head.
        frames: extended-XYZ file with energies and forces, and stresses where there are.
        folder: where checkpoint and result go.
        schedule: how long and how hard; a tenth of a fresh network's learning rate is usual.
        replay: files of frames with the labels that the network was trained on, or its own, so that
            it keeps what the new frames do not show.

    Raises:
        DistillationError: if the network lacks an element of the frames or has several heads, a
            file cannot be read or holds frames without labels, or nothing is held out.
        PotentialError: the model cannot be loaded.
    """
    potential = load_potential(model, dtype="float32")
    if not isinstance(potential, MacePotential):
        raise DistillationError(f"fine-tune: {model!r} is no MACE network; give one that is")
    if potential.identity.head is not None:
        raise DistillationError(f"fine-tune: {model!r} has several heads; give one with one head")
    training, held_out = split(read_frames([frames]))
    if not held_out:
        raise DistillationError(f"frames: only {len(training)}, none held out; give 50 or more")
    old, old_held_out = split(read_frames(replay))
    network = potential.model
    elements = list(potential.atomic_numbers)
    unknown = {int(z) for frame in training + held_out + old for z in frame.numbers} - set(elements)
    if unknown:
        symbols = ", ".join(chemical_symbols[z] for z in sorted(unknown))
        raise DistillationError(f"fine-tune: {model!r} lacks {symbols}; choose another model")
    shifts = _shifts(network, training, elements)
    if replay:
        training, held_out = (_shifted(part, shifts) for part in (training, held_out))
    else:
        energies = network.get_buffer("atomic_energies_fn.atomic_energies")
        energies += torch.tensor([shifts[z] for z in elements], dtype=energies.dtype)
    network.requires_grad_(True)
    tests = {"": held_out, "replayed, ": old_held_out}
    tested = {
        name: labelled_graphs(part, elements, potential.r_max)
        for name, part in tests.items()
        if part
    }
    errors = {f"{name}before": mean_errors(network, graphs) for name, graphs in tested.items()}
    for name, error in errors.items():
        log.info("%s: %s", name, error)
    folder.mkdir(parents=True, exist_ok=True)
    train(
        network,
        labelled_graphs(_balanced(training, old), elements, potential.r_max),
        tested[""],
        schedule,
        folder / "checkpoint.pt",
    )
    errors |= {f"{name}after": mean_errors(network, graphs) for name, graphs in tested.items()}
    source = _description(model)
    if source is None:
        torch.save(network, folder / _MODEL)
        return Tuned(errors, folder / _MODEL)
    arguments = json.loads(source.read_text())
    if not replay:
        known = zip(elements, arguments["atomic_energies"], strict=True)
        arguments["atomic_energies"] = [energy + shifts[z] for z, energy in known]
    save_trained(network, arguments, folder / "model")
    return Tuned(errors, folder)


def _shifts(
    network: torch.nn.Module, frames: Sequence[Atoms], elements: Sequence[int]
) -> dict[int, float]:
    """What brings the network's energies to the frames' zero, eV, by atomic number."""
    predicted = [label.energy for label in NetworkTeacher(network).label(frames)]
    wanted = [label_of(frame).energy for frame in frames]
    return dict(zip(elements, fit_shifts(frames, wanted, predicted, elements), strict=True))


def _shifted(frames: Sequence[Atoms], shifts: dict[int, float]) -> list[Atoms]:
    """The frames with their energies counted from the network's zero."""
    moved = []
    for frame in frames:
        label = label_of(frame)
        energy = label.energy - sum(shifts[int(z)] for z in frame.numbers)
        moved.append(labelled(frame, Label(energy, label.forces, label.stress)))
    return moved


def _balanced(frames: list[Atoms], old: list[Atoms]) -> list[Atoms]:
    """All frames, the new ones as often as gives them as many atoms as the old ones have."""
    sizes = [float(np.sum([len(frame) for frame in part])) for part in (frames, old)]
    return frames * max(1, round(sizes[1] / sizes[0])) + old


def _description(model: str) -> Path | None:
    """The JSON file of a network kept as tensors and JSON; None for a checkpoint."""
    known = registry().get(model)
    if known is not None:
        folder = Path(potentials.__file__).parent / model
        return folder / "model.json" if known.kind == "network" else None
    path = Path(model) / "model.json"
    return path if path.is_file() else None
