import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT

from potentials.distil.network import architecture
from potentials.distil.teacher import AseTeacher
from potentials.tensors import build_network


@pytest.fixture
def emt() -> AseTeacher:
    return AseTeacher(EMT())


@pytest.fixture(scope="session")
def small_network() -> torch.nn.Module:
    """Random weights for Al and Cu, narrow, so that it is built in a second."""
    with torch.random.fork_rng():
        torch.manual_seed(4)
        arguments = architecture([13, 29], [0.1, -0.2], 30.0, 0.5)
        return build_network(
            arguments | {"hidden_irreps": "4x0e", "radial_MLP": [8]}, torch.float64
        )


def rattled(count: int, size: float = 0.08) -> list[Atoms]:
    """Al-Cu cells off their sites, all different."""
    frames = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        atoms = bulk("Al", cubic=True) * (1, 1, 1 + seed % 2)
        atoms.numbers[rng.random(len(atoms)) < 0.5] = 29
        atoms.set_cell(atoms.cell[:] * rng.uniform(0.95, 1.05), scale_atoms=True)
        atoms.positions += rng.normal(scale=size, size=atoms.positions.shape)
        frames.append(atoms)
    return frames
