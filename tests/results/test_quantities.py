import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import constants

from results import quantities as q
from results.errors import ResultsError

ENERGY = st.floats(-1e4, 1e4)
AREA = st.floats(1, 1e4)


def test_unit_of_energy_per_area_agrees_with_codata():
    expected = constants.electron_volt / constants.angstrom**2
    assert q.ev_per_a2_to_j_per_m2(1) == pytest.approx(expected, rel=1e-12)
    assert q.ev_per_a2_to_j_per_m2(1) == pytest.approx(16.02177, abs=5e-6)


def test_surface_energy_of_a_nearest_neighbour_bond_model():
    """fcc(111): three of twelve bonds of energy eps cut per surface atom, on each face."""
    eps, nearest, layers = 0.3, 2.5, 7
    area_per_atom = math.sqrt(3) / 2 * nearest**2
    bulk = -6 * eps
    slab = layers * bulk + 2 * 3 * eps / 2
    expected = 3 * eps / 2 / area_per_atom * 16.02176634
    assert q.surface_energy(slab, layers, bulk, area_per_atom) == pytest.approx(expected)


def test_surface_energy_of_a_supercell_is_the_same():
    small = q.surface_energy(-20.0, 7, -3.0, 6.0)
    assert q.surface_energy(-80.0, 28, -3.0, 24.0) == pytest.approx(small)


@pytest.mark.parametrize(("slab_with_li", "sign"), [(-12.5, -1), (-11.5, 1)])
def test_li_binding_is_negative_where_bound_more_than_in_the_metal(slab_with_li, sign):
    binding = q.li_binding(slab_with_li, -10.0, -2.0)
    assert binding == pytest.approx(sign * 0.5)
    assert q.nucleation_overpotential(binding) == pytest.approx(max(0, sign * 0.5))


def test_work_of_adhesion_is_positive_where_bound():
    assert q.work_of_adhesion(-10, -20, -31, 16.02176634) == pytest.approx(1.0)


@given(film=st.floats(0, 5), substrate=st.floats(0, 5), bulk=ENERGY, area=AREA)
def test_adhesion_of_separated_slabs_gives_both_surface_energies(film, substrate, bulk, area):
    """W = 0 leaves both surfaces; W = gamma_A + gamma_B leaves no interface energy."""
    assert q.work_of_adhesion(bulk, bulk, 2 * bulk, area) == pytest.approx(0, abs=1e-9)
    assert q.interface_energy(film, substrate, 0) == film + substrate
    assert q.interface_energy(film, substrate, film + substrate) == pytest.approx(0)


@given(adhesion=st.floats(-10, 10), gamma=st.floats(0.01, 5))
def test_contact_angle_satisfies_young_dupre_between_its_limits(adhesion, gamma):
    angle = q.contact_angle(adhesion, gamma)
    if adhesion <= 0:
        assert angle == pytest.approx(180)
    elif adhesion >= 2 * gamma:
        assert angle == 0
    else:
        work = gamma * (1 + math.cos(math.radians(angle)))
        assert work == pytest.approx(adhesion, abs=1e-9)


def test_contact_angle_is_square_where_adhesion_equals_the_surface_energy():
    assert q.contact_angle(0.398, 0.398) == pytest.approx(90)


def test_elastic_energy_of_a_uniform_strain():
    """Half modulus times strain squared times thickness, biaxial modulus 100 GPa, 1 %, 10 Å."""
    area, thickness, modulus, strain = 12.0, 10.0, 100 / 160.2176634, 0.01
    energy = modulus * strain**2 * thickness * area  # two in-plane directions
    expected = 100e9 * 1e-4 * 10e-10
    assert q.elastic_energy(-5 + energy, -5, area) == pytest.approx(expected)


def test_lithiation_voltage_is_positive_where_lithiation_gains_energy():
    assert q.lithiation_voltage(-10.0, -3.0, 2, -2.0) == pytest.approx(1.5)


@pytest.mark.parametrize(
    "call",
    [
        lambda: q.surface_energy(-1, 1, -1, 0),
        lambda: q.surface_energy(-1, 0, -1, 2),
        lambda: q.work_of_adhesion(1, 1, 1, -2),
        lambda: q.elastic_energy(1, 1, math.nan),
        lambda: q.contact_angle(0.5, 0),
        lambda: q.lithiation_voltage(-1, -1, 0, -1),
    ],
)
def test_what_is_not_positive_is_refused(call):
    with pytest.raises(ResultsError, match="is not positive; "):
        call()
