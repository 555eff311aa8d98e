import ase.io
import pytest

from potentials.distil.errors import DistillationError
from potentials.distil.finetuning import fine_tune
from potentials.distil.frames import labelled
from potentials.distil.network import architecture
from potentials.distil.teacher import Label
from potentials.distil.training import Schedule
from potentials.tensors import save_network
from tests.potentials.distil.conftest import rattled


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
    errors = fine_tune(model, tmp_path / "dft.extxyz", tmp_path / "tuned", Schedule(0.05))
    assert errors["before"].energy < 500.0  # not 400 eV/atom
    assert errors["after"].forces < errors["before"].forces
    assert (tmp_path / "tuned" / "model.model").is_file()


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
