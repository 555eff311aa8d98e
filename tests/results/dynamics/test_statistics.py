"""Equilibration and block errors against series whose memory is known."""

import numpy as np
import pytest
from scipy.signal import lfilter

from results.dynamics.statistics import block_mean, equilibrium, statistical_inefficiency


def remembering(rng: np.random.Generator, phi: float, n: int) -> np.ndarray:
    """AR(1) of unit variance: g = (1 + φ) / (1 − φ)."""
    noise = rng.normal(size=n + 200) * np.sqrt(1 - phi**2)
    return lfilter([1.0], [1.0, -phi], noise)[200:]


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9])
def test_inefficiency_of_a_known_memory(phi):
    rng = np.random.default_rng(2)
    found = np.mean([statistical_inefficiency(remembering(rng, phi, 5000)) for _ in range(20)])
    assert found == pytest.approx((1 + phi) / (1 - phi), rel=0.15)


@pytest.mark.parametrize("phi", [0.0, 0.8])
def test_two_block_errors_hold_the_mean_as_often_as_they_should(phi):
    rng = np.random.default_rng(4)
    held = 0
    for _ in range(500):
        series = remembering(rng, phi, 1500)
        found = block_mean(series, statistical_inefficiency(series))
        # 2.26: 97.5 % of Student's t with nine degrees of freedom.
        held += abs(found.mean) <= 2.26 * found.error
    assert 0.91 < held / 500 < 0.98


def test_block_errors_of_arrays_are_those_of_their_columns():
    rng = np.random.default_rng(4)
    values = rng.normal(size=(400, 3))
    together = block_mean(values, 1.0)
    alone = [block_mean(values[:, i], 1.0).error for i in range(3)]
    assert together.error == pytest.approx(np.array(alone))
    assert together.n_blocks == 10


def test_too_few_samples_have_no_error():
    found = block_mean(np.arange(20.0), 10.0)
    assert found.error is None
    assert found.mean == pytest.approx(9.5)


def test_a_relaxing_start_is_left_out():
    rng = np.random.default_rng(0)
    series = remembering(rng, 0.5, 1000) + 20 * np.exp(-np.arange(1000) / 40)
    found = equilibrium(series, rng.normal(size=1000))
    assert 80 < found.start < 350
    assert found.reason is None


def test_a_drift_to_the_end_is_no_equilibrium():
    rng = np.random.default_rng(0)
    found = equilibrium(np.linspace(0, 20, 500) + rng.normal(size=500))
    assert found.reason is not None


def test_a_constant_is_in_equilibrium_from_the_start():
    assert equilibrium(np.ones(100)).start == 0
