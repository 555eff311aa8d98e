"""The engine's own steps with everything on one device: on a pretended GPU, beside the CPU."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch

from potentials.batched import BatchedEngine
from potentials.batched.trajectory import read_frames
from potentials.protocol import Band, CellRelaxation
from tests.potentials.batched.networks import gupta
from tests.potentials.batched.pretended_gpu import GPU, on_pretended_gpu, pretended_gpu
from tests.potentials.batched.systems import alloy, hop, slab

STRUCTURES = [alloy(0), slab("Cu", adatom="Ag"), alloy(1), slab("Al", "100"), alloy(2)]


@pytest.fixture
def engines():
    """One on the CPU and one on the pretended GPU."""
    with pretended_gpu():
        yield BatchedEngine(gupta()), BatchedEngine(on_pretended_gpu(gupta()))


def test_operations_over_two_devices_are_errors() -> None:
    with pretended_gpu():
        there = torch.arange(3.0, device=GPU)
        assert there.device == GPU
        assert (there + 1.0).sum().tolist() == 6.0
        assert there.cpu().device.type == there.to("cpu").device.type == "cpu"
        assert torch.ones(3).to(GPU).device == torch.tensor([1.0]).to(device=GPU).device == GPU
        with pytest.raises(RuntimeError, match="in one operation"):
            there + torch.ones(3)
        with pytest.raises((RuntimeError, TypeError)):
            there.numpy()


@pytest.mark.parametrize("cell", get_args(CellRelaxation))
def test_relaxes_as_on_the_cpu(engines, cell: CellRelaxation) -> None:
    options = {"cell": cell, "fmax": 0.02, "max_steps": 30}
    if cell == "normal":
        options["normal_stress"] = 0.5
    here, there = (engine.relax(STRUCTURES, **options) for engine in engines)
    for one, other in zip(here, there, strict=True):
        assert one.failure == other.failure
        assert one.steps == other.steps > 0
        assert abs(one.energy - other.energy) < 1e-8
        assert np.abs(one.forces - other.forces).max() < 1e-6


def test_finds_paths_as_on_the_cpu(engines) -> None:
    bands = [Band(*hop("Cu", "111", "Ag")), Band(*hop("Ag", "100", "Cu"))]
    here, there = (engine.neb(bands, max_steps=20) for engine in engines)
    for one, other in zip(here, there, strict=True):
        assert one.failure == other.failure
        assert one.force_evaluations == other.force_evaluations
        assert abs(one.barrier - other.barrier) < 1e-6


@pytest.mark.parametrize("ensemble", ["nve", "nvt", "normal-stress"])
def test_moves_as_on_the_cpu(engines, ensemble: str, tmp_path: Path) -> None:
    systems = [alloy(0), alloy(1), alloy(2)]
    for engine, name in zip(engines, ("here", "there"), strict=True):
        for steps in (20, 40):  # the second time from the last frame on
            results = engine.md(
                systems, tmp_path / name, steps=steps, interval=5, ensemble=ensemble, seed=3
            )
            assert [result.steps for result in results] == [steps] * 3
    for i in range(len(systems)):
        here, there = (read_frames(tmp_path / name, i) for name in ("here", "there"))
        assert np.allclose(here.positions, there.positions, atol=1e-8)
        assert len(here.steps) == 9
