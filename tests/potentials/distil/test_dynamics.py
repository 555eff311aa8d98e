from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from ase import units
from ase.build import bulk

from potentials.distil.dynamics import trajectories
from potentials.distil.teacher import Label
from tests.potentials.distil.conftest import rattled


class Spring:
    """Every atom on a spring to the origin: energy per degree of freedom is known."""

    stiffness = 2.0
    element_energies: Mapping[int, float] = MappingProxyType({})

    def label(self, frames):
        return [
            Label(
                0.5 * self.stiffness * float((f.positions**2).sum()),
                -self.stiffness * f.positions,
                np.zeros((3, 3)),
            )
            for f in frames
        ]


def test_zero_kelvin_is_a_descent(emt):
    (path,) = trajectories(rattled(1, 0.2), [0.0], emt, 12, np.random.default_rng(0))
    energies = [frame.get_potential_energy() for frame in path]
    assert len(energies) == 12
    assert energies[-1] < energies[0] - 0.3
    assert max(np.diff(energies)) < 0.02


def test_potential_energy_is_half_kt_per_degree_of_freedom():
    atoms = bulk("Cu", cubic=True) * (5, 5, 5)
    atoms.positions[:] = 0.0
    temperature = 400.0
    (path,) = trajectories(
        [atoms], [temperature], Spring(), 600, np.random.default_rng(1), every=10
    )
    found = np.mean([f.get_potential_energy() for f in path[20:]]) / (3 * len(atoms))
    assert abs(found / (0.5 * units.kB * temperature) - 1.0) < 0.06


def test_explosion_ends_one_trajectory_only(emt):
    good, bad = rattled(2)
    bad.positions[1] = bad.positions[0] + 0.4
    kept = trajectories([bad, good], [300.0, 300.0], emt, 4, np.random.default_rng(0))
    assert [len(path) for path in kept] == [0, 4]


def test_frames_carry_the_teachers_results(emt):
    (path,) = trajectories(rattled(1), [500.0], emt, 3, np.random.default_rng(0))
    again = emt.label(path)
    for frame, label in zip(path, again, strict=True):
        assert frame.get_potential_energy() == label.energy
        np.testing.assert_allclose(frame.get_stress(voigt=False), label.stress, atol=1e-12)
