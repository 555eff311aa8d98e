"""The network that ships, against teacher's labels that it never saw and against physics."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import add_adsorbate, bulk, fcc111

import potentials
from potentials import load_potential
from potentials.dft.reference import reference_frames_file
from potentials.distil.crystals import ELEMENTS
from potentials.distil.frames import is_held_out, label_of, read_frames
from potentials.potential import MacePotential
from workflows.frame_validation import frame_errors, predicted_frames

HELD_OUT = Path(__file__).parent / "held_out.extxyz"
HELD_OUT_SYSTEMS = (
    *("Li2S", "Li on Li2S", "LiAg", "LiAl", "LiAu"),
    *("Li3Mg", "Li on Al", "Li|Al", "Li-Cu", "Li-hcp"),
)
"""Of the PBE frames, kept from the training of `mini-pbe`."""


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


@pytest.mark.parametrize("name", ["mini", "mini-pbe"])
def test_it_is_small_and_holds_no_pickle(name):
    folder = Path(potentials.__file__).parent / name
    files = {path.name: path.stat().st_size for path in folder.iterdir()}
    assert sum(files.values()) < 5e6
    assert {name for name in files if not name.startswith("__")} == {
        "model.safetensors",
        "model.json",
        "card.md",
    }


def test_errors_on_held_out_trajectories(mini):
    """Frames of CHGNet 0.3.0, one each of 43 trajectories that were not trained on."""
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


def test_salts_disordered_by_hot_lithium_are_not_favoured(mini):
    """Weights that put them 0.1 eV/atom too low let lithium dissolve LiF."""
    hot = [f for f in read_frames([HELD_OUT]) if f.info["family"] == "hot-contact"]
    assert len(hot) == 3
    for frame, found in zip(hot, mini.engine().evaluate(hot), strict=True):
        assert found.energy / len(frame) == pytest.approx(
            label_of(frame).energy / len(frame), abs=0.025
        )


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


def test_the_corrected_network_is_nearer_to_pbe_on_systems_that_it_was_not_trained_on(mini):
    frames = [
        frame
        for frame in read_frames([reference_frames_file()])
        if frame.info["system"] in HELD_OUT_SYSTEMS
    ]
    assert len(frames) > 25
    corrected = load_potential("mini-pbe")
    assert corrected.elements == mini.elements
    before, after = (frame_errors(predicted_frames(each, frames))[0] for each in (mini, corrected))
    assert after.energy_mae_mev < 0.8 * before.energy_mae_mev
    assert 0.95 < after.force_slope < 1.05


def test_the_corrected_network_has_not_forgotten_its_teacher():
    """Crystals and alloys, many of elements that PBE's frames lack; its zero is the teacher's."""
    frames = [f for f in read_frames([HELD_OUT]) if f.info["family"] in ("bulk", "alloy")]
    found = load_potential("mini-pbe").engine().evaluate(frames)
    energy = [
        abs(f.energy - label_of(frame).energy) / len(frame)
        for f, frame in zip(found, frames, strict=True)
    ]
    assert np.mean(energy) < 0.025
