"""Errors for want of convergence and sampling, against springs and by hand."""

import math

import numpy as np
import pytest

from results.errors import ResultsError
from results.uncertainties import (
    FORCE_CONSTANT,
    SLIDING_FORCE_CONSTANT,
    contact_angle_error,
    in_squares,
    relaxation_residual,
    sampled_best_error,
)


def test_residual_is_the_energy_left_in_soft_springs():
    displacements = np.random.default_rng(0).normal(size=(5, 3)) * 0.01
    forces = -FORCE_CONSTANT * displacements
    energy = 0.5 * FORCE_CONSTANT * (displacements**2).sum()
    assert relaxation_residual(forces) == pytest.approx(energy)


def test_residual_bounds_what_stiffer_springs_hold():
    rng = np.random.default_rng(1)
    stiffness = rng.uniform(FORCE_CONSTANT, 3.0, size=(20, 3))
    displacements = rng.normal(size=(20, 3)) * 0.02
    left = 0.5 * (stiffness * displacements**2).sum()
    assert relaxation_residual(stiffness * displacements) >= left


def test_a_film_that_may_slide_is_taken_to_be_softer():
    forces = [[0.02, 0.0, 0.01]]
    sliding = relaxation_residual(forces, force_constant=SLIDING_FORCE_CONSTANT)
    assert sliding == pytest.approx(5 * relaxation_residual(forces))


def test_forces_on_frozen_atoms_do_not_count():
    forces = [[0.01, 0.0, 0.0], [5.0, 5.0, 5.0]]
    free = [[True] * 3, [False] * 3]
    assert relaxation_residual(forces, free) == pytest.approx(relaxation_residual(forces[:1]))


def test_one_minimum_reached_twice_has_the_error_of_its_convergence():
    """The standard deviation of the two would be 0.00007."""
    assert sampled_best_error([0.8000, 0.7999], [0.01, 0.02]) == pytest.approx(0.01)


def test_a_difference_inside_a_minimum_is_its_error_if_it_is_larger():
    assert sampled_best_error([0.80, 0.77], [0.01, 0.025]) == pytest.approx(0.03)


def test_distinct_minima_count_once_each():
    found = sampled_best_error([0.8, 0.8, 0.8, 0.6], [0.01] * 4)
    assert found == pytest.approx(math.hypot(0.1 * math.sqrt(2), 0.01))


def test_the_order_of_the_starts_does_not_matter():
    values, residuals = [0.5, 0.8, 0.79, 0.65], [0.02, 0.01, 0.03, 0.01]
    assert sampled_best_error(values, residuals) == sampled_best_error(
        values[::-1], residuals[::-1]
    )


def test_the_angle_errs_by_its_slopes_in_w_and_gamma():
    # By hand: cos θ = W/γ − 1, so that dθ = d(W/γ)/sin θ; at W = γ, θ is 90°.
    by_w = contact_angle_error(0.5, 0.5, 0.01, None)
    assert by_w == pytest.approx(math.degrees(0.01 / 0.5), rel=1e-3)
    by_gamma = contact_angle_error(0.5, 0.5, 0.0, 0.01)
    assert by_gamma == pytest.approx(math.degrees(0.01 / 0.5), rel=1e-3)
    assert contact_angle_error(0.5, 0.5, 0.01, 0.01) == pytest.approx(
        math.hypot(by_w, by_gamma), rel=1e-3
    )


def test_an_angle_clipped_at_both_ends_has_no_error_nor_has_one_of_unknown_w():
    assert contact_angle_error(2.0, 0.5, 0.1, None) is None
    assert contact_angle_error(0.5, 0.5, None, 0.01) is None


def test_errors_add_in_squares_unless_one_is_unknown():
    assert in_squares(3.0, 4.0) == pytest.approx(5.0)
    assert in_squares(3.0, None) is None


def test_bad_input_is_named():
    with pytest.raises(ResultsError, match="forces"):
        relaxation_residual([1.0, 2.0])
    with pytest.raises(ResultsError, match="forces"):
        relaxation_residual([[math.nan, 0.0, 0.0]])
    with pytest.raises(ResultsError, match="residuals"):
        sampled_best_error([1.0], [])
