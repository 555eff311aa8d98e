import numpy as np
import pytest

from results.elasticity import EV_PER_A3_IN_GPA, moduli, shear_ratio, stiffness
from results.errors import ResultsError

STRAIN = 0.004
PAIRS = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


def stresses_of(voigt: np.ndarray, residual: float = 0.0) -> list[np.ndarray]:
    """Linear stresses (eV/Å³) under the twelve strains, on top of a pressure left in the cell."""
    found = []
    for column in voigt.T:
        for sign in (1, -1):
            stress = np.eye(3) * residual
            for value, (i, j) in zip(column, PAIRS, strict=True):
                stress[i, j] += sign * value * STRAIN
                stress[j, i] = stress[i, j]
            found.append(stress / EV_PER_A3_IN_GPA)
    return found


def isotropic(bulk: float, shear: float) -> np.ndarray:
    voigt = np.zeros((6, 6))
    voigt[:3, :3] = bulk - 2 * shear / 3
    voigt += np.diag([2 * shear] * 3 + [shear] * 3)
    return voigt


def test_stiffness_comes_back_whatever_stress_is_left_in_the_cell():
    generator = np.random.default_rng(0)
    wanted = generator.uniform(-5, 5, (6, 6)) + 60 * np.eye(6)
    wanted = (wanted + wanted.T) / 2
    found = stiffness(stresses_of(wanted, residual=0.7), STRAIN)
    np.testing.assert_allclose(found.voigt, wanted, atol=1e-9)


def test_moduli_of_an_isotropic_solid_are_its_own():
    found = moduli(stiffness(stresses_of(isotropic(67.0, 49.0)), STRAIN))
    assert found.bulk == pytest.approx(67.0)
    assert found.shear == pytest.approx(49.0)


def test_moduli_of_a_cubic_crystal_are_hills_average():
    # LiF, GPa: C11 112, C12 46, C44 63.3.
    c11, c12, c44 = 112.0, 46.0, 63.3
    voigt = np.zeros((6, 6))
    voigt[:3, :3] = c12
    voigt += np.diag([c11 - c12] * 3 + [c44] * 3)
    found = moduli(stiffness(stresses_of(voigt), STRAIN))
    upper = (c11 - c12 + 3 * c44) / 5
    lower = 5 * (c11 - c12) * c44 / (4 * c44 + 3 * (c11 - c12))
    assert found.bulk == pytest.approx((c11 + 2 * c12) / 3)
    assert found.shear == pytest.approx((upper + lower) / 2)


def test_a_crystal_that_gives_way_has_no_moduli():
    soft = isotropic(30.0, 10.0)
    soft[4, 4] = -2.0
    with pytest.raises(ResultsError, match=r"lowest eigenvalue is -2\.0 GPa"):
        moduli(stiffness(stresses_of(soft), STRAIN))


def test_shear_ratio():
    assert shear_ratio(8.0, 4.0) == 2.0
    with pytest.raises(ResultsError, match="lithium_shear"):
        shear_ratio(8.0, 0.0)


@pytest.mark.parametrize(("count", "strain"), [(11, STRAIN), (12, 0.0)])
def test_wrong_input_is_refused(count, strain):
    with pytest.raises(ResultsError, match="stresses: 11" if count == 11 else "strain: 0"):
        stiffness(stresses_of(isotropic(1, 1))[:count], strain)
