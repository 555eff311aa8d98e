"""cuEquivariance's kernels beside e3nn's, where they are installed (they run on a CPU too)."""

import importlib.util
import logging
import sys
import types

import numpy as np
import pytest
import torch

from potentials import load_potential
from potentials.batched.kernels import with_cuequivariance
from potentials.potential import MacePotential
from tests.potentials.batched.networks import random_mace
from tests.potentials.batched.systems import slab

needs_cuequivariance = pytest.mark.skipif(
    importlib.util.find_spec("cuequivariance_torch") is None,
    reason="cuEquivariance is not installed (the extra cuda brings it)",
)
CPU = torch.device("cpu")


@needs_cuequivariance
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ["mini", "random"])
def test_gives_the_numbers_of_the_network(name: str, dtype: str) -> None:
    potential = load_potential("mini", dtype=dtype) if name == "mini" else random_mace(dtype)
    assert isinstance(potential, MacePotential)
    converted = with_cuequivariance(potential.model, CPU)
    assert converted is not potential.model
    other = MacePotential(converted, name="cueq", sha256="0" * 64, device="cpu", dtype=dtype)
    structures = [slab("Cu", "111", "Li"), slab("Al", "100")]
    step = 1e-9 if dtype == "float64" else 1e-4
    calculators = [each.ase_calculator() for each in (potential, other)]
    for atoms in structures:
        energies, forces = [], []
        for calculator in calculators:
            copy = atoms.copy()
            copy.set_constraint()
            copy.calc = calculator
            energies.append(copy.get_potential_energy())
            forces.append(copy.get_forces())
        assert abs(energies[0] - energies[1]) < step * len(atoms)
        assert np.abs(forces[0] - forces[1]).max() < step


def test_what_is_no_mace_is_left_as_it_is() -> None:
    model = torch.nn.Linear(1, 1)
    assert with_cuequivariance(model, CPU) is model


def test_without_the_kernels_of_a_gpu_the_network_is_left_as_it_is(monkeypatch, caplog) -> None:
    monkeypatch.setitem(sys.modules, "cuequivariance_torch", types.ModuleType("without_kernels"))
    monkeypatch.setitem(sys.modules, "cuequivariance_ops_torch", None)
    model = random_mace().model
    with caplog.at_level(logging.WARNING):
        assert with_cuequivariance(model, torch.device("cuda")) is model
    assert "cuequivariance-ops-torch-cu13" in caplog.text
