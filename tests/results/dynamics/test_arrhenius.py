"""Arrhenius lines through synthetic rates."""

import numpy as np
import pytest

from results.dynamics.arrhenius import BOLTZMANN_EV_PER_K, arrhenius
from results.errors import ResultsError

TEMPERATURES = (273.15, 298.15, 323.15, 500.0)


def rate(temperature, energy=0.3, prefactor=1e-3):
    return prefactor * np.exp(-energy / (BOLTZMANN_EV_PER_K * np.asarray(temperature)))


def test_an_exact_line_is_found():
    values = rate(TEMPERATURES)
    fit = arrhenius(TEMPERATURES, values, 0.1 * values)
    assert fit.activation_energy == pytest.approx(0.3, rel=1e-9)
    assert np.exp(fit.ln_prefactor) == pytest.approx(1e-3, rel=1e-9)
    assert fit.at([400.0])[0] == pytest.approx(rate([400.0]))


def test_band_and_error_hold_the_truth_19_times_in_20():
    rng = np.random.default_rng(9)
    in_band = in_error = 0
    for _ in range(1000):
        relative = np.array([0.2, 0.15, 0.1, 0.05])
        values = rate(TEMPERATURES) * np.exp(relative * rng.normal(size=4))
        fit = arrhenius(TEMPERATURES, values, relative * values)
        _, low, high = fit.at(400.0)
        in_band += low <= rate(400.0) <= high
        in_error += abs(fit.activation_energy - 0.3) <= 1.96 * fit.activation_energy_error
    # A misfit widens the band and never narrows it, so it may hold a little more.
    assert 0.93 < in_band / 1000 < 0.99
    assert 0.93 < in_error / 1000 < 0.99


def test_a_curve_has_a_wide_band():
    values = rate(TEMPERATURES) * np.array([1, 3, 0.3, 1])
    fit = arrhenius(TEMPERATURES, values, 0.01 * values)
    assert fit.misfit > 100
    assert fit.activation_energy_error > 0.05


def test_two_temperatures_give_a_reason():
    assert "needs 3" in arrhenius([300, 400], [1.0, 2.0], [0.1, 0.1])


def test_rates_must_be_positive():
    with pytest.raises(ResultsError, match="values: 0"):
        arrhenius([300, 400, 500], [0, 1, 2], [1, 1, 1])
