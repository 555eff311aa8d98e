"""Forces on cells and atoms together against finite differences of the energy."""

import numpy as np
import pytest
import torch
from ase.units import GPa

from potentials.batched.batch import GraphBatch, read_system
from potentials.batched.cells import CellCoordinates
from potentials.batched.evaluator import Evaluator
from potentials.batched.memory import BatchLimit
from tests.potentials.batched.networks import gupta
from tests.potentials.batched.systems import alloy

CPU = torch.device("cpu")


@pytest.mark.parametrize("mode", ["full", "volume", "normal"])
def test_forces_are_the_slope_of_the_enthalpy(mode: str) -> None:
    network = gupta()
    evaluator = Evaluator(network, BatchLimit(CPU, None))
    batch = GraphBatch(network.r_max, CPU)
    batch.add([read_system(alloy(seed), network.atomic_numbers, CPU) for seed in (0, 1)])
    pressure = 2 * GPa if mode == "normal" else 0.0
    coordinates = CellCoordinates(mode, pressure, CPU)
    coordinates.join(batch)
    start = coordinates.rows(batch)
    generator = torch.Generator().manual_seed(0)
    directions = torch.randn(start.shape, generator=generator, dtype=torch.float64)
    directions[:, :3] = allowed(directions[:, :3], batch, mode)
    coordinates.move(batch, start + 0.02 * directions)  # away from where F = 1
    rows = coordinates.rows(batch)
    assert torch.allclose(rows, start + 0.02 * directions)
    forces = coordinates.forces(batch, evaluator(batch, stress=True))
    step, enthalpies = 1e-5, []
    for sign in (1, -1):
        coordinates.move(batch, rows + sign * step * directions)
        volumes = torch.linalg.det(batch.cells).abs()
        enthalpies.append(evaluator(batch).energies + pressure * volumes)
    slope = (enthalpies[0] - enthalpies[1]) / (2 * step)
    assert torch.allclose(slope, -(forces * directions).sum(dim=(1, 2)), rtol=1e-5)


def allowed(change: torch.Tensor, batch: GraphBatch, mode: str) -> torch.Tensor:
    """The part of a change of F that a mode may make."""
    if mode == "full":
        return (change + change.mT) / 2
    if mode == "volume":
        return change.diagonal(dim1=1, dim2=2).mean(dim=1)[:, None, None] * torch.eye(3)
    normals = np.cross(batch.cells[:, 0], batch.cells[:, 1])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return change[:, :1, :1] * torch.from_numpy(np.einsum("si,sj->sij", normals, normals))
