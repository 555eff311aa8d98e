import numpy as np
import pytest
from ase.build import bulk, fcc111

from potentials import load_potential
from potentials.distil.stability import NARROWEST, stability, wide


@pytest.fixture(scope="module")
def engine():
    return load_potential("mini", device="cpu", dtype="float32").engine()


def test_a_crystal_that_is_stable_is_said_to_be(engine, tmp_path):
    atoms = bulk("Cu", cubic=True) * (2, 2, 2)
    film = np.zeros(len(atoms), dtype=bool)
    found = stability(atoms, film, engine, 300.0, 0.6, tmp_path / "run")
    assert found.picoseconds == pytest.approx(0.6)
    assert found.temperature == pytest.approx(300.0, rel=0.25)
    assert abs(found.drift) < 0.02
    assert found.shortest > 2.0
    assert found.left == 0
    assert found.substrate_moved < 0.4


def test_a_narrow_contact_is_repeated_with_its_film():
    slab = fcc111("Cu", (1, 4, 3), vacuum=6.0)
    film = slab.get_tags() == 1
    repeated, mask = wide(slab, film)
    assert len(repeated) == 4 * len(slab)
    assert min(repeated.cell.lengths()[:2]) >= NARROWEST
    top = repeated.positions[:, 2] > repeated.positions[:, 2].max() - 0.1
    assert np.array_equal(mask, top)


def test_an_atom_that_flew_off_is_counted(engine, tmp_path):
    atoms = bulk("Cu", cubic=True) * (2, 2, 2)
    atoms.center(vacuum=12.0, axis=2)
    atoms.positions[0, 2] = 2.0
    film = np.zeros(len(atoms), dtype=bool)
    found = stability(atoms, film, engine, 100.0, 0.5, tmp_path / "run")
    assert found.left == 1
