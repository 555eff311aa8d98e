"""Training of a MACE network on labelled frames, resumable, for a given time.

The network, its loss and its averaging are MACE's. The schedule is not: MACE's trainer counts
epochs, where a user without a GPU has an evening to spend and an epoch may take most of it. It
keeps what it has after those that improved, and removes the last checkpoint before it writes the
next, so that a kill may lose everything. And the weight of the energies, which it raises at once
for a second stage, rises here while the learning rate falls.
"""

import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from mace.modules.loss import UniversalLoss
from mace.tools.torch_geometric.data import Data
from torch import Tensor, distributed
from torch_ema import ExponentialMovingAverage

from potentials.distil.graphs import Graph, batches, collate

log = logging.getLogger(__name__)
FORCES_WEIGHT = 10.0
STRESS_WEIGHT = 100.0
"""Weights of MACE's ``universal`` loss (Huber's; eV per atom, eV/Å and eV/Å³) in the training of
its published models; that of the energies is 1 there, and ten times that of the forces in the
second stage.
"""


@dataclass(frozen=True)
class Schedule:
    """How long and how hard to train.

    Attributes:
        minutes: time to train, min.
        learning_rate: at the start; falls to zero as half a cosine.
        batch_atoms: atoms per step.
        energy_weights: of the energy per atom, at the start and at the end; rises by a constant
            factor per minute. That of the forces is `FORCES_WEIGHT`.
        averaging: decay of the moving average of the weights per step.
    """

    minutes: float
    learning_rate: float = 0.01
    batch_atoms: int = 120
    energy_weights: tuple[float, float] = (1.0, 100.0)
    averaging: float = 0.995


def later(minutes: float, learning_rate: float) -> Schedule:
    """The schedule of a network that has been trained before: energies matter from the start.

    Args:
        minutes: time to train, min.
        learning_rate: at the start.
    """
    return Schedule(minutes, learning_rate, energy_weights=(10.0, 100.0))


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
    first, last = schedule.energy_weights
    universal = UniversalLoss(first * (last / first) ** progress, FORCES_WEIGHT, STRESS_WEIGHT)
    every = torch.ones_like(batch["has_stress"])
    weights = {
        "energy_weight": every,
        "forces_weight": every,
        "stress_weight": batch["has_stress"],
    }
    loss: Tensor = universal(ref=Data.from_dict(batch | weights), pred=found)
    return loss


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
