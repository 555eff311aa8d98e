"""The network that ships, against teacher's labels that it never saw and against physics."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import add_adsorbate, bulk, fcc111

import potentials
from potentials import load_potential
from potentials.distil.crystals import ELEMENTS
from potentials.distil.frames import is_held_out, label_of, read_frames
from potentials.potential import MacePotential

HELD_OUT = Path(__file__).parent / "held_out.extxyz"


@pytest.fixture(scope="module")
def mini() -> MacePotential:
    return load_potential("mini", device="cpu", dtype="float64")


@pytest.fixture
def adatom(mini) -> Atoms:
    atoms = fcc111("Cu", (2, 2, 3), a=3.62, vacuum=6.0)
    add_adsorbate(atoms, "Li", 2.1, "bridge")
    atoms.pbc = True
    atoms.rattle(0.05, seed=2)
    atoms.calc = mini.ase_calculator()
    return atoms


def test_it_covers_the_elements_of_tier_one(mini):
    assert mini.elements == set(ELEMENTS)
    assert mini.identity.name == "mini"
    assert mini.dtype == "float64"


def test_it_is_small_and_holds_no_pickle():
    folder = Path(potentials.__file__).parent / "mini"
    files = {path.name: path.stat().st_size for path in folder.iterdir()}
    assert sum(files.values()) < 5e6
    assert {name for name in files if not name.startswith("__")} == {
        "model.safetensors",
        "model.json",
        "card.md",
    }


def test_errors_on_held_out_trajectories(mini):
    """Frames of CHGNet 0.3.0, one each of forty trajectories that were not trained on."""
    frames = read_frames([HELD_OUT])
    assert all(is_held_out(str(frame.info["system"])) for frame in frames)
    found = mini.engine().evaluate(frames)
    labels = [label_of(frame) for frame in frames]
    energy = [
        abs(f.energy - label.energy) / len(label.forces)
        for f, label in zip(found, labels, strict=True)
    ]
    forces = np.concatenate(
        [(f.forces - label.forces).ravel() for f, label in zip(found, labels, strict=True)]
    )
    assert np.mean(energy) < 0.010
    assert np.abs(forces).mean() < 0.060


def test_forces_are_the_slope_of_the_energy(adatom):
    forces = adatom.get_forces()
    for axis in range(3):
        energies = []
        for shift in (-1e-3, 1e-3):
            moved = adatom.copy()
            moved.positions[-1, axis] += shift
            moved.calc = adatom.calc
            energies.append(moved.get_potential_energy())
        assert forces[-1, axis] == pytest.approx((energies[0] - energies[1]) / 2e-3, abs=1e-5)


def test_energy_does_not_depend_on_the_view(adatom):
    turned = adatom.copy()
    turned.rotate(37.0, (1, 2, 3), rotate_cell=True)
    turned.positions += 0.3
    turned.calc = adatom.calc
    assert turned.get_potential_energy() == pytest.approx(adatom.get_potential_energy(), abs=1e-8)
    assert abs(adatom.get_forces().sum(axis=0)).max() < 1e-8


def test_twice_the_crystal_has_twice_the_energy(mini):
    atoms = bulk("LiF", "rocksalt", a=4.05)
    energies = []
    for cell in (atoms, atoms * (2, 2, 1)):
        cell.calc = mini.ase_calculator()
        energies.append(cell.get_potential_energy() / len(cell))
    assert energies[0] == pytest.approx(energies[1], abs=1e-9)
