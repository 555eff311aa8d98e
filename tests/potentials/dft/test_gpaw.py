from dataclasses import replace
from importlib import util

import numpy as np
import pytest
from ase.build import add_adsorbate, bulk, fcc100

from potentials import load_potential
from potentials.dft import gpaw_potential
from potentials.dft.settings import SETTINGS, dft_settings
from potentials.errors import PotentialError

ROUGH = replace(dft_settings("pbe-quick"), cutoff=200.0, kpoint_spacing=1.1)


def test_absent_gpaw_is_one_line_with_the_command(monkeypatch):
    found = util.find_spec
    monkeypatch.setattr(
        gpaw_potential, "find_spec", lambda name: None if name == "gpaw" else found(name)
    )
    with pytest.raises(PotentialError, match=r"not installed; `pip install 'lithiophile\[dft\]'`"):
        load_potential("gpaw-pbe-quick")


@pytest.mark.parametrize(
    ("option", "value"), [("device", "cuda"), ("dtype", "float32"), ("dispersion", "d3")]
)
def test_options_it_does_not_have_are_refused(option, value):
    pytest.importorskip("gpaw")
    with pytest.raises(PotentialError, match=option):
        load_potential("gpaw-pbe-quick", **{option: value})


def test_identity_is_that_of_settings_and_setups():
    pytest.importorskip("gpaw")
    quick, tight = load_potential("gpaw-pbe-quick"), load_potential("gpaw-pbe-tight")
    assert quick.identity.sha256 != tight.identity.sha256
    assert load_potential("gpaw-pbe-quick").identity == quick.identity
    assert "gpaw" in dict(quick.identity.versions)
    assert {"Li", "Cu", "F", "Cr"} <= quick.elements


@pytest.fixture
def rough(monkeypatch):
    pytest.importorskip("gpaw")
    monkeypatch.setitem(SETTINGS, "pbe-quick", ROUGH)
    return load_potential("gpaw-pbe-quick").engine()


@pytest.mark.slow
def test_forces_and_stress_are_derivatives_of_the_energy(rough):
    # aluminium's cutoff is converged here, so that the stress holds no Pulay term
    crystal = bulk("Al", a=4.0)
    crystal *= (2, 1, 1)
    crystal.positions[1] += (0.1, 0.05, 0.0)
    step = 0.01
    frames = [crystal]
    for sign in (-1, 1):
        moved = crystal.copy()
        moved.positions[1, 0] += sign * step
        frames.append(moved)
    for sign in (-1, 1):
        strained = crystal.copy()
        strained.set_cell(crystal.cell.array @ np.diag([1, 1, 1 + sign * step]), scale_atoms=True)
        frames.append(strained)
    done = rough.evaluate(frames)
    assert all(each.converged for each in done)
    energies = [each.energy for each in done]
    assert done[0].forces[1, 0] == pytest.approx(
        -(energies[2] - energies[1]) / (2 * step), abs=0.02
    )
    slope = (energies[4] - energies[3]) / (2 * step) / crystal.get_volume()
    assert done[0].stress[2, 2] == pytest.approx(slope, abs=0.004)


@pytest.mark.usefixtures("rough")
def test_what_does_not_become_self_consistent_is_flagged(monkeypatch):
    monkeypatch.setitem(SETTINGS, "pbe-quick", replace(ROUGH, max_iterations=3))
    (result,) = load_potential("gpaw-pbe-quick").engine().evaluate([bulk("Al", a=4.0)])
    assert not result.converged
    assert "converge" in result.failure.lower()


def test_an_asymmetric_slab_has_forces_that_balance_but_no_stress(rough):
    slab = fcc100("Al", (1, 1, 2), a=4.04, vacuum=4.0)
    add_adsorbate(slab, "Li", 1.6, "hollow")
    slab.pbc = True
    (result,) = rough.evaluate([slab])
    assert result.converged
    assert result.stress is None
    assert result.forces[-1, 2] > 0.1  # too near: pushed away
    # near the cell's edge, where the dipole layer would cut through its density
    slab.positions[:, 2] += 3.5
    slab.wrap()
    (shifted,) = rough.evaluate([slab])
    assert shifted.energy == pytest.approx(result.energy, abs=1e-3)
    for each in (result, shifted):
        assert each.forces.sum(axis=0) == pytest.approx(np.zeros(3), abs=0.02)
