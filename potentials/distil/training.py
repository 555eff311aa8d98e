"""Training of a MACE network on labelled frames, resumable, for a given time.

MACE's own trainer weighs energies and forces by constants per stage and takes epochs; here the
weight of the energies rises while the learning rate falls, and the schedule is one of time, since
what a user without a GPU has to spend is an evening. The network, its data and its averaging are
MACE's.
"""

import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, distributed
from torch_ema import ExponentialMovingAverage

from potentials.distil.graphs import Graph, batches, collate

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Schedule:
    """How long and how hard to train.

    Attributes:
        minutes: time to train, min.
        learning_rate: at the start; falls to zero as half a cosine.
        batch_atoms: atoms per step.
        energy_weights: of the energy term, at the start and at the end.
        energy_widths: where the smooth L1 of the energy per atom turns from square to linear, eV,
            at the start and at the end.
        stress_weight: of the stress term.
        averaging: decay of the moving average of the weights per step.
    """

    minutes: float
    learning_rate: float = 0.01
    batch_atoms: int = 120
    energy_weights: tuple[float, float] = (4.0, 20.0)
    energy_widths: tuple[float, float] = (0.010, 0.003)
    stress_weight: float = 20.0
    averaging: float = 0.995


def later(minutes: float, learning_rate: float) -> Schedule:
    """The schedule of a network that has been trained before: energies matter from the start.

    Args:
        minutes: time to train, min.
        learning_rate: at the start.
    """
    return Schedule(
        minutes, learning_rate, energy_weights=(15.0, 20.0), energy_widths=(0.004, 0.003)
    )


def train(
    network: torch.nn.Module,
    graphs: Sequence[Graph],
    held_out: Sequence[Graph],
    schedule: Schedule,
    checkpoint: Path,
) -> None:
    """Train in place; at the end the network carries the averaged weights.

    Under ``torchrun`` every process works on batches of its own and the gradients are averaged.

    Args:
        network: float32 MACE network.
        graphs: to train on.
        held_out: to report errors on every few minutes; never trained on.
        schedule: how long and how hard.
        checkpoint: file that a killed training goes on from, written every minute.
    """
    rank = distributed.get_rank() if distributed.is_initialized() else 0
    n_elements = len(network.get_buffer("atomic_numbers"))
    optimiser = torch.optim.Adam(network.parameters(), lr=schedule.learning_rate, amsgrad=True)
    average = ExponentialMovingAverage(network.parameters(), decay=schedule.averaging)
    spent = 0.0
    steps = 0
    if checkpoint.is_file():
        state = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        average.load_state_dict(state["average"])
        spent, steps = state["spent"], state["steps"]
    budget = schedule.minutes * 60.0
    saved = reported = spent
    began = time.monotonic() - spent
    groups = _endless_batches(graphs, schedule.batch_atoms, np.random.default_rng([steps, rank]))
    while spent < budget:
        progress = spent / budget
        for options in optimiser.param_groups:
            options["lr"] = schedule.learning_rate * 0.5 * (1.0 + math.cos(math.pi * progress))
        loss = _loss(network, collate(next(groups), n_elements), schedule, progress)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        spent = _averaged_over_processes(network, time.monotonic() - began)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 10.0)
        optimiser.step()
        average.update()
        steps += 1
        if rank == 0 and (spent - saved > 60.0 or spent >= budget):
            saved = spent
            _save(checkpoint, network, optimiser, average, spent, steps)
        if rank == 0 and spent - reported > 240.0:
            reported = spent
            with average.average_parameters():
                errors = mean_errors(network, held_out)
            log.info("%5.1f min, step %d: %s", spent / 60.0, steps, errors)
    average.copy_to()


def _endless_batches(
    graphs: Sequence[Graph], n_atoms: int, rng: np.random.Generator
) -> Iterator[list[Graph]]:
    while True:
        yield from batches(graphs, n_atoms, rng)


def _averaged_over_processes(network: torch.nn.Module, spent: float) -> float:
    """Average the gradients, and the time spent, so that all processes take the same step."""
    if not distributed.is_initialized():
        return spent
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    vector = torch.cat([*(gradient.flatten() for gradient in gradients), torch.tensor([spent])])
    distributed.all_reduce(vector)
    vector /= distributed.get_world_size()
    start = 0
    for gradient in gradients:
        end = start + gradient.numel()
        gradient.copy_(vector[start:end].view_as(gradient))
        start = end
    return float(vector[-1])


@dataclass(frozen=True)
class Errors:
    """Mean absolute errors over frames.

    Attributes:
        frames: number of frames.
        energy: meV/atom, mean over frames.
        forces: meV/Å, mean over force components.
        stress: GPa, mean over components of frames that have a stress.
    """

    frames: int
    energy: float
    forces: float
    stress: float

    def __str__(self) -> str:
        return f"{self.energy:.2f} meV/atom, {self.forces:.1f} meV/Å, {self.stress:.3f} GPa"


def mean_errors(network: torch.nn.Module, graphs: Sequence[Graph]) -> Errors:
    """Errors of a network on labelled graphs."""
    n_elements = len(network.get_buffer("atomic_numbers"))
    energy: list[Tensor] = []
    forces: list[Tensor] = []
    stress: list[Tensor] = []
    for group in batches(graphs, 400, np.random.default_rng(0)):
        batch = collate(group, n_elements)
        found = network(batch, compute_stress=True)
        sizes = batch["ptr"].diff()
        energy.append(((found["energy"] - batch["energy"]) / sizes).detach().abs())
        forces.append((found["forces"] - batch["forces"]).detach().abs().flatten())
        kept = batch["has_stress"] > 0
        stress.append((found["stress"] - batch["stress"])[kept].detach().abs().flatten())
    return Errors(
        len(graphs),
        1e3 * float(torch.cat(energy).mean()),
        1e3 * float(torch.cat(forces).mean()),
        160.21766 * float(torch.cat(stress).mean()),
    )


def _loss(
    network: torch.nn.Module, batch: dict[str, Tensor], schedule: Schedule, progress: float
) -> Tensor:
    found = network(batch, training=True, compute_stress=True)
    weight = _between(schedule.energy_weights, progress)
    width = _between(schedule.energy_widths, progress)
    per_atom = (found["energy"] - batch["energy"]) / batch["ptr"].diff()
    energy = torch.nn.functional.smooth_l1_loss(per_atom, torch.zeros_like(per_atom), beta=width)
    forces = torch.linalg.vector_norm(found["forces"] - batch["forces"] + 1e-12, dim=-1).mean()
    wrong = (found["stress"] - batch["stress"]).abs().mean(dim=(-1, -2))
    stress = (wrong * batch["has_stress"]).mean()
    return weight * energy + forces + schedule.stress_weight * stress


def _between(ends: tuple[float, float], progress: float) -> float:
    return ends[0] + (ends[1] - ends[0]) * progress


def _save(
    path: Path,
    network: torch.nn.Module,
    optimiser: torch.optim.Optimizer,
    average: ExponentialMovingAverage,
    spent: float,
    steps: int,
) -> None:
    partial = path.with_suffix(".partial")
    torch.save(
        {
            "network": network.state_dict(),
            "optimiser": optimiser.state_dict(),
            "average": average.state_dict(),
            "spent": spent,
            "steps": steps,
        },
        partial,
    )
    partial.rename(path)
