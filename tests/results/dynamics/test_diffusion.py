"""Diffusivities of random walks whose D is known."""

import numpy as np
import pytest

from results.dynamics.diffusion import A2_PER_PS_IN_CM2_PER_S, diffusivity, slab_diffusivities
from results.dynamics.trajectory import without_drift
from results.errors import ResultsError

D = 0.4  # Å²/ps
KNOWN = D * A2_PER_PS_IN_CM2_PER_S


def walk(rng: np.random.Generator, n_frames: int, n_atoms: int, n: int, spacing: float = 0.5):
    steps = rng.normal(scale=np.sqrt(2 * D * spacing), size=(n_frames - 1, n_atoms, n))
    positions = np.concatenate([np.zeros((1, n_atoms, n)), np.cumsum(steps, axis=0)])
    return positions, np.arange(n_frames) * spacing


@pytest.mark.parametrize(("n_frames", "n_atoms", "dimensions"), [(201, 20, 3), (121, 40, 2)])
def test_the_interval_holds_the_known_value_19_times_in_20(n_frames, n_atoms, dimensions):
    rng = np.random.default_rng(7)
    n_runs, held, values = 400, 0, []
    for _ in range(n_runs):
        found = diffusivity(*walk(rng, n_frames, n_atoms, dimensions))
        assert found.reason is None
        held += found.low <= KNOWN <= found.high
        values.append(found.value)
    # Three standard deviations of a binomial with 400 draws are 3.3 %.
    assert held / n_runs == pytest.approx(0.95, abs=0.033)
    assert np.mean(values) == pytest.approx(KNOWN, rel=0.02)


def test_atoms_that_rattle_have_no_diffusivity():
    rng = np.random.default_rng(1)
    positions = rng.normal(scale=0.3, size=(400, 50, 3))
    found = diffusivity(positions, np.arange(400) * 0.1)
    assert found.value is None
    assert found.reason.startswith("too short to tell")


def test_large_vibrations_are_no_diffusion_either():
    rng = np.random.default_rng(1)
    found = diffusivity(rng.normal(scale=1.0, size=(400, 50, 3)), np.arange(400) * 0.1)
    assert found.value is None
    assert found.exponent == pytest.approx(0, abs=0.1)
    assert "caged" in found.reason


def test_too_few_frames_say_so():
    found = diffusivity(*walk(np.random.default_rng(0), 20, 5, 3))
    assert found.value is None
    assert "20 frames" in found.reason


def test_one_wandering_atom_is_not_enough():
    reasons = [
        diffusivity(*walk(np.random.default_rng(seed), 60, 1, 1)).reason for seed in range(40)
    ]
    assert sum(reason is not None for reason in reasons) > 5


def test_drift_of_the_lattice_is_taken_off():
    rng = np.random.default_rng(3)
    positions, times = walk(rng, 401, 40, 3)
    lattice = rng.normal(scale=0.1, size=(401, 60, 3))
    everything = np.concatenate([positions, lattice], axis=1)
    everything += (times[:, None] * np.array([0.0, 0.5, 0.2]))[:, None, :]
    still = without_drift(everything, np.arange(100) >= 40, np.ones(100))
    assert still[:, 40:].mean(axis=1) == pytest.approx(np.tile(still[0, 40:].mean(0), (401, 1)))
    found = diffusivity(still[:, :40], times)
    assert found.low < KNOWN < found.high
    assert diffusivity(everything[:, :40], times).value > 1.5 * KNOWN


def test_slabs_find_the_fast_one_and_its_direction():
    rng = np.random.default_rng(5)
    positions, times = walk(rng, 601, 120, 3)
    positions[:, :60] *= np.array([1.0, 1.0, 0.1])  # below: fast along the plane only
    positions[:, 60:] *= 0.02  # above: a solid
    heights = np.concatenate([np.full(60, 5.0), np.full(60, 15.0)]) + 0.0 * positions[..., 2]
    below, above = slab_diffusivities(positions, heights, times, [0.0, 10.0, 20.0])
    assert below.parallel.low < KNOWN < below.parallel.high
    assert below.parallel.n_atoms == 60
    assert below.normal.value == pytest.approx(0.01 * KNOWN, rel=0.5) or below.normal.reason
    assert above.parallel.value is None
    assert "too short" in above.parallel.reason


def test_no_value_across_a_slab_that_atoms_leave():
    rng = np.random.default_rng(6)
    positions, times = walk(rng, 601, 100, 3)
    (found,) = slab_diffusivities(positions, positions[..., 2], times, [-1.5, 1.5])
    assert found.normal.value is None
    assert "too thin" in found.normal.reason or "too short" in found.normal.reason


def test_shapes_are_checked():
    with pytest.raises(ResultsError, match="positions"):
        diffusivity(np.zeros((5, 3)), np.arange(5))
    with pytest.raises(ResultsError, match="reference"):
        without_drift(np.zeros((2, 1, 3)), [False], [1.0])
