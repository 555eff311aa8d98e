import numpy as np
import pytest
from ase.build import add_adsorbate, bulk, fcc100

from potentials.dft.cost import estimated_seconds
from potentials.dft.settings import (
    dft_settings,
    is_slab,
    kpoint_mesh,
    needs_dipole_correction,
    pulay_stress,
    starting_moments,
)
from potentials.errors import PotentialError

QUICK = dft_settings("pbe-quick")


def clean_slab():
    slab = fcc100("Al", (1, 1, 3), vacuum=5.0)
    slab.pbc = True
    return slab


def slab_with_lithium():
    slab = clean_slab()
    add_adsorbate(slab, "Li", 2.0, "hollow")
    return slab


def test_unknown_settings_get_their_neighbour():
    with pytest.raises(PotentialError, match="'pbe-quik' is unknown; did you mean pbe-quick"):
        dft_settings("pbe-quik")


def test_mesh_is_no_coarser_than_asked_for_and_holds_one_point_across_vacuum():
    for atoms in (bulk("Cu"), bulk("Zn"), bulk("LiF", "rocksalt", a=4.06)):
        mesh = np.array(kpoint_mesh(atoms, 0.35))
        lengths = 2 * np.pi * np.linalg.norm(atoms.cell.reciprocal(), axis=1)
        assert (lengths / mesh <= 0.35 + 1e-6).all()
        assert (lengths / (mesh - 1) > 0.35).all()
    assert kpoint_mesh(clean_slab(), 0.35)[2] == 1


def test_a_slab_is_a_cell_with_a_gap_wherever_it_lies():
    assert not is_slab(bulk("Li", "bcc", a=3.44, cubic=True))
    for shift in (0.0, 0.3, 0.5, 0.9):
        slab = clean_slab()
        slab.positions[:, 2] += shift * slab.cell[2, 2]
        slab.wrap()
        assert is_slab(slab)


def test_only_a_slab_whose_faces_differ_needs_the_dipole_correction():
    assert not needs_dipole_correction(bulk("LiF", "rocksalt", a=4.06))
    assert not needs_dipole_correction(clean_slab())
    assert needs_dipole_correction(slab_with_lithium())


def test_only_magnetic_metals_start_with_moments_and_chromium_alternates():
    assert starting_moments(bulk("Cu")) is None
    assert starting_moments(bulk("Ni")).tolist() == [1.0]
    chromium = starting_moments(bulk("Cr", "bcc", a=2.9, cubic=True))
    assert chromium.sum() == 0.0
    assert (np.abs(chromium) > 0).all()


def test_pulay_stress_is_the_slopes_over_the_volume():
    cell = bulk("LiF", "rocksalt", a=4.06)
    slopes = QUICK.cutoff_slopes
    expected = 2 / 3 * 500.0 * (slopes["Li"] + slopes["F"]) / cell.get_volume()
    assert pulay_stress(cell, QUICK) == pytest.approx(expected)
    assert pulay_stress(cell * (2, 1, 1), QUICK) == pytest.approx(expected)
    assert pulay_stress(bulk("Pt"), QUICK) is None


def test_cost_grows_with_the_cell_and_with_lost_symmetry():
    cell = bulk("Cu", cubic=True)
    shaken = cell.copy()
    shaken.rattle(0.1, seed=0)
    assert estimated_seconds(cell, QUICK) < estimated_seconds(shaken, QUICK)
    assert estimated_seconds(shaken, QUICK) < estimated_seconds(shaken, dft_settings("pbe-tight"))
    assert estimated_seconds(bulk("Ni"), QUICK) > estimated_seconds(bulk("Cu"), QUICK)
