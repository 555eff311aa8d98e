"""Energies, forces and stresses of batches against MACE's own calculator, one by one."""

import functools
import logging

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mace.calculators import MACECalculator

from potentials.batched import BatchedEngine
from potentials.protocol import Calculation
from tests.potentials.batched.networks import PlainPotential, gupta, random_mace
from tests.potentials.batched.systems import alloy, slab

STRUCTURES = [
    slab("Cu", "111", "Li"),
    slab("Al", "100"),
    alloy(0, ("Cu", "Au")),
    slab("Au", "110", "Cu"),
    alloy(1, ("Li", "Al")),
]


@pytest.fixture(scope="module")
def engine() -> BatchedEngine:
    return BatchedEngine(random_mace())


def test_numbers_of_mace_calculator(engine: BatchedEngine) -> None:
    calculator = MACECalculator(models=[random_mace().model], device="cpu", default_dtype="float64")
    for atoms, result in zip(STRUCTURES, engine.evaluate(STRUCTURES), strict=True):
        alone = atoms.copy()
        alone.set_constraint()
        alone.calc = calculator
        assert abs(result.energy - alone.get_potential_energy()) < 1e-6 * len(alone)
        assert np.abs(result.forces).max() > 0.1
        assert np.abs(result.forces - alone.get_forces()).max() < 1e-5
        assert np.abs(result.stress - alone.get_stress(voigt=False)).max() < 1e-7
        assert result.converged
        assert result.failure is None
        assert result.force_evaluations == 1
        assert result.steps == 0


def test_open_boundaries_as_mace_calculator(engine: BatchedEngine) -> None:
    atoms = slab("Cu", "111", "Li")
    atoms.pbc = (True, True, False)
    atoms.positions += 3.7
    atoms.positions[:, 0] += 20.0
    cluster = slab("Cu")
    cluster.pbc = False
    calculator = MACECalculator(models=[random_mace().model], device="cpu", default_dtype="float64")
    for system, result in zip([atoms, cluster], engine.evaluate([atoms, cluster]), strict=True):
        alone = system.copy()
        alone.calc = calculator
        alone.set_constraint()
        assert abs(result.energy - alone.get_potential_energy()) < 1e-6 * len(alone)
        assert np.abs(result.forces - alone.get_forces()).max() < 1e-5


@functools.cache
def _alone() -> list[Calculation]:
    engine = BatchedEngine(random_mace())
    return [engine.evaluate([atoms])[0] for atoms in STRUCTURES]


@functools.cache
def _small_batches() -> BatchedEngine:
    return BatchedEngine(random_mace(), max_atoms_per_batch=60)


@settings(max_examples=8, deadline=None)
@given(st.lists(st.sampled_from(range(len(STRUCTURES))), min_size=1, max_size=6))
def test_a_batch_is_its_members_alone_in_any_order(order: list[int]) -> None:
    alone = _alone()
    together = _small_batches().evaluate([STRUCTURES[i] for i in order])
    for i, result in zip(order, together, strict=True):
        assert abs(result.energy - alone[i].energy) < 1e-9
        assert np.abs(result.forces - alone[i].forces).max() < 1e-9
        assert np.abs(result.stress - alone[i].stress).max() < 1e-11


def test_single_precision_is_near_double() -> None:
    double = BatchedEngine(random_mace()).evaluate(STRUCTURES)
    single = BatchedEngine(random_mace("float32")).evaluate(STRUCTURES)
    for one, two in zip(double, single, strict=True):
        assert abs(one.energy - two.energy) < 2e-5 * len(one.structure)
        assert np.abs(one.forces - two.forces).max() < 1e-3


class _LimitedModel(torch.nn.Module):
    """Runs out of memory above a number of atoms, as a GPU does."""

    def __init__(self, model: torch.nn.Module, most_atoms: int) -> None:
        super().__init__()
        self.model, self.most_atoms, self.sizes = model, most_atoms, []

    def forward(self, data, **options):
        self.sizes.append(len(data["positions"]))
        if self.sizes[-1] > self.most_atoms:
            raise torch.OutOfMemoryError("out of memory")
        return self.model(data, **options)


def test_goes_on_with_half_the_batch_when_memory_runs_out(caplog) -> None:
    structures = [alloy(seed) for seed in range(16)]
    expected = BatchedEngine(gupta()).evaluate(structures)
    limited = _LimitedModel(gupta().model, 40)
    with caplog.at_level(logging.WARNING):
        results = BatchedEngine(PlainPotential(limited, gupta().symbols, 5.0)).evaluate(structures)
    assert [result.energy for result in results] == pytest.approx([r.energy for r in expected])
    assert max(limited.sizes[-3:]) <= 40
    assert "out of memory" in caplog.text


def test_a_system_too_large_alone_fails_alone() -> None:
    structures = [alloy(0), slab("Cu", "110"), alloy(1)]
    limited = _LimitedModel(gupta().model, 10)
    results = BatchedEngine(PlainPotential(limited, gupta().symbols, 5.0)).evaluate(structures)
    assert [result.failure for result in results] == [None, "out of memory with 20 atoms", None]
    assert np.isnan(results[1].energy)
    assert not results[1].converged


def test_torch_settings_are_left_as_found() -> None:
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    BatchedEngine(random_mace("float32")).evaluate(STRUCTURES[:1])
    assert (torch.get_default_dtype(), torch.get_num_threads()) == (dtype, threads)


@pytest.mark.gpu
def test_a_gpu_gives_the_numbers_of_the_cpu() -> None:
    cpu = BatchedEngine(random_mace()).evaluate(STRUCTURES)
    gpu = BatchedEngine(random_mace.__wrapped__(device="cuda")).evaluate(STRUCTURES)
    for one, two in zip(cpu, gpu, strict=True):
        assert abs(one.energy - two.energy) < 1e-6 * len(one.structure)
        assert np.abs(one.forces - two.forces).max() < 1e-5
