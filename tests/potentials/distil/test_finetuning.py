import ase.io
import numpy as np
import pytest
import torch

from potentials.distil.errors import DistillationError
from potentials.distil.finetuning import fine_tune
from potentials.distil.frames import labelled
from potentials.distil.network import architecture
from potentials.distil.teacher import Label
from potentials.distil.training import Schedule
from potentials.loading import load_potential
from potentials.tensors import save_network
from potentials.trust import trust_file
from tests.potentials.distil.conftest import rattled
from tests.potentials.networks import random_network


@pytest.fixture
def model(small_network, tmp_path):
    arguments = architecture([13, 29], [0.1, -0.2], 30.0, 0.5)
    arguments |= {"hidden_irreps": "4x0e", "radial_MLP": [8]}
    (tmp_path / "start").mkdir()
    save_network(small_network, arguments, tmp_path / "start" / "model")
    return str(tmp_path / "start")


def test_another_zero_of_energy_is_shifted_away_and_errors_fall(model, emt, tmp_path):
    frames = rattled(60, 0.1)
    ase.io.write(
        tmp_path / "dft.extxyz",
        [
            labelled(f, Label(label.energy - 400.0 * len(f), label.forces, label.stress))
            for f, label in zip(frames, emt.label(frames), strict=True)
        ],
    )
    tuned = fine_tune(model, tmp_path / "dft.extxyz", tmp_path / "tuned", Schedule(0.05))
    assert tuned.errors["before"].energy < 500.0  # not 400 eV/atom
    assert tuned.errors["after"].forces < tuned.errors["before"].forces
    potential = load_potential(tuned.model)  # tensors, as the start was: no trust is needed
    (found,) = potential.engine().evaluate([frames[0]])
    assert found.energy / len(frames[0]) == pytest.approx(-400.0, abs=10.0)


def test_replayed_frames_keep_the_zero_and_are_not_forgotten(model, emt, tmp_path):
    """New frames of Al alone, in another zero of energy."""
    network = load_potential(model, dtype="float32")
    old = rattled(60, 0.1)
    ase.io.write(
        tmp_path / "old.extxyz",
        [
            labelled(f, Label(found.energy, found.forces, None))
            for f, found in zip(old, network.engine().evaluate(old), strict=True)
        ],
    )
    new = rattled(60, 0.1)
    for frame in new:
        frame.numbers[:] = 13
    ase.io.write(
        tmp_path / "dft.extxyz",
        [
            labelled(f, Label(label.energy - 400.0 * len(f), label.forces, label.stress))
            for f, label in zip(new, emt.label(new), strict=True)
        ],
    )
    tuned = fine_tune(
        model,
        tmp_path / "dft.extxyz",
        tmp_path / "tuned",
        Schedule(0.05),
        replay=[tmp_path / "old.extxyz"],
    )
    assert tuned.errors["after"].forces < tuned.errors["before"].forces
    assert tuned.errors["replayed, before"].energy < 0.1
    shift = [
        (after.energy - before.energy) / len(frame)
        for after, before, frame in zip(
            load_potential(tuned.model).engine().evaluate(old),
            network.engine().evaluate(old),
            old,
            strict=True,
        )
    ]
    assert np.abs(shift).max() < 1.0  # not 400 eV/atom


def test_an_element_that_the_model_lacks_is_named(model, emt, tmp_path):
    frames = rattled(60, 0.1)
    for frame in frames:
        frame.numbers[0] = 79
    ase.io.write(
        tmp_path / "dft.extxyz",
        [labelled(f, label) for f, label in zip(frames, emt.label(frames), strict=True)],
    )
    with pytest.raises(DistillationError, match="lacks Au"):
        fine_tune(model, tmp_path / "dft.extxyz", tmp_path / "tuned", Schedule(0.05))


def test_a_model_with_several_heads_is_refused(tmp_path):
    torch.save(random_network(("Al", "Cu"), heads=("default", "r2scan")), tmp_path / "heads.model")
    trust_file(tmp_path / "heads.model")
    with pytest.raises(DistillationError, match="has several heads"):
        fine_tune(
            str(tmp_path / "heads.model"),
            tmp_path / "dft.extxyz",
            tmp_path / "tuned",
            Schedule(0.05),
        )
