import re

import numpy as np
import pytest
from ase import units

from potentials.convergence import cell_divergence, divergence, largest_force, stress_tolerance

FORCES = np.array([[3.0, 4.0, 0.0], [0.0, 0.0, 9.0]])


EVERYWHERE = np.ones((2, 3), dtype=bool)


def test_largest_force_counts_what_may_move() -> None:
    free = EVERYWHERE.copy()
    assert largest_force(FORCES, free) == pytest.approx(9.0)
    free[1] = False
    assert largest_force(FORCES, free) == pytest.approx(5.0)
    free[0, 0] = False
    assert largest_force(FORCES, free) == pytest.approx(4.0)
    assert largest_force(FORCES, np.zeros((2, 3), dtype=bool)) == 0.0


def test_stress_tolerance_is_a_few_hundredths_of_a_gpa() -> None:
    assert stress_tolerance(0.03) / units.GPa == pytest.approx(0.048, abs=0.001)


@pytest.mark.parametrize(
    ("energy", "forces", "says"),
    [
        (np.nan, FORCES, "not a number"),
        (np.inf, FORCES, "not a number"),
        (-1.0, FORCES * np.nan, "not a number"),
        (-1.0, FORCES * 1e3, "force of 9e\\+03"),
        (-201.0, FORCES, "energy fell by 100"),
    ],
)
def test_what_went_wrong_is_said(energy: float, forces: np.ndarray, says: str) -> None:
    strongest = largest_force(forces, EVERYWHERE)
    failure = divergence(energy, strongest, 2, start_energy=-1.0, start_force=9.0)
    assert failure is not None
    assert re.search(says, failure)


def test_a_poor_start_is_no_divergence() -> None:
    assert divergence(-1.0, 9e3, 2, start_energy=5.0, start_force=9e3) is None
    assert divergence(-90.0, 9.0, 2, start_energy=-1.0, start_force=9.0) is None


def test_cell_that_runs_away() -> None:
    assert cell_divergence(130.0, 100.0) is None
    for volume in (20.0, 400.0, np.nan):
        assert cell_divergence(volume, 100.0) is not None
