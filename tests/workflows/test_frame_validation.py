import json

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator

from tests.workflows.emt_potential import load_emt
from workflows.errors import WorkflowError
from workflows.frame_validation import (
    aligned_residuals,
    force_plot,
    force_slope,
    frame_errors,
    predicted_frames,
    read_frames,
)
from workflows.labelling import write_labelled

ZEROS = {29: -3.7, 79: 12.0}


def labelled(softening: float = 1.0, noise: float = 0.0, n: int = 12):
    """Cu-Au cells whose "DFT" is EMT with other zeros, and forces that EMT is ``softening`` of."""
    rng = np.random.default_rng(1)
    frames = []
    for i in range(n):
        atoms = bulk("Cu", cubic=True, a=3.6 + 0.05 * rng.random())
        atoms.numbers[: i % 4] = 79
        atoms.rattle(0.1, rng=rng)
        atoms.calc = EMT()
        energy = atoms.get_potential_energy() + sum(ZEROS[z] for z in atoms.numbers)
        energy += noise * rng.normal() * len(atoms)
        forces = atoms.get_forces() / softening
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=forces)
        atoms.info = {"family": "copper" if i % 4 == 0 else "alloy", "name": f"frame {i}"}
        frames.append(atoms)
    return frames


def test_other_zeros_of_energy_are_aligned_away_and_the_slope_is_the_softening():
    predictions = predicted_frames(load_emt("emt"), labelled(softening=0.8))
    (everything, copper, alloy) = frame_errors(predictions)
    assert [row.family for row in (everything, copper, alloy)] == ["all", "copper", "alloy"]
    assert (everything.frames, copper.frames, alloy.frames) == (12, 3, 9)
    assert everything.energy_mae_mev == pytest.approx(0.0, abs=1e-6)
    for row in (everything, copper, alloy):
        assert row.force_slope == pytest.approx(0.8)
        assert row.force_slope_error == pytest.approx(0.0, abs=1e-9)
    rmse = [np.sqrt((p.frame.get_forces() ** 2).mean()) for p in predictions]
    assert everything.force_rmse_mev == pytest.approx(
        1e3 * 0.2 * np.sqrt((np.array(rmse) ** 2).mean())
    )


def test_errors_of_energy_are_not_aligned_away():
    predictions = predicted_frames(load_emt("emt"), labelled(noise=0.05, n=200))
    rest = aligned_residuals(predictions)
    assert rest.std() == pytest.approx(0.05, rel=0.15)
    assert frame_errors(predictions)[0].energy_rmse_mev == pytest.approx(1e3 * rest.std(), rel=0.02)


def test_the_slopes_error_is_that_of_independent_frames():
    # slopes that scatter by 0.1 from frame to frame
    rng = np.random.default_rng(0)
    frames = labelled(n=100)
    for frame in frames:
        forces = frame.get_forces() / rng.normal(1.0, 0.1)
        frame.calc = SinglePointCalculator(frame, energy=0.0, forces=forces)
    slope, error = force_slope(predicted_frames(load_emt("emt"), frames))
    assert 0.005 < error < 0.03
    assert abs(slope - 1.0) < 4 * error


def test_forces_that_vanish_by_symmetry_have_no_slope():
    frame = bulk("Cu", cubic=True)
    frame.calc = SinglePointCalculator(frame, energy=1.0, forces=np.zeros((4, 3)))
    predictions = predicted_frames(load_emt("emt"), [frame, frame])
    assert all(np.isnan(force_slope(predictions)))
    (row,) = (row.to_dict() for row in frame_errors(predictions))
    assert json.loads(json.dumps(row, allow_nan=False))["force_slope"] is None


def test_frames_of_other_elements_are_left_out_and_none_at_all_is_an_error():
    lithium = bulk("Li")
    lithium.calc = SinglePointCalculator(lithium, energy=0.0, forces=np.zeros((1, 3)))
    frames = labelled(n=2)
    assert len(predicted_frames(load_emt("emt"), [lithium, *frames])) == 2
    with pytest.raises(WorkflowError, match="'emt' covers none of them"):
        predicted_frames(load_emt("emt"), [lithium])


def test_a_frame_without_label_is_refused():
    with pytest.raises(WorkflowError, match="frame 0 has no energy and forces; label it"):
        predicted_frames(load_emt("emt"), [bulk("Cu")])


def test_frames_are_kept_by_a_compressed_file(tmp_path):
    path = tmp_path / "frames.extxyz.xz"
    frames = labelled(n=3)
    write_labelled(frames, path)
    back = read_frames(path)
    assert [frame.info["name"] for frame in back] == ["frame 0", "frame 1", "frame 2"]
    for one, other in zip(frames, back, strict=True):
        assert other.get_potential_energy() == pytest.approx(one.get_potential_energy(), abs=1e-6)
        assert other.get_forces() == pytest.approx(one.get_forces(), abs=1e-6)
    assert [p.name for p in tmp_path.iterdir()] == ["frames.extxyz.xz"]


def test_a_file_that_is_missing_or_no_frames_is_one_line(tmp_path):
    with pytest.raises(WorkflowError, match="there is no file"):
        read_frames(tmp_path / "none.extxyz")
    (tmp_path / "text.extxyz").write_text("not frames\n")
    with pytest.raises(WorkflowError, match="cannot be read"):
        read_frames(tmp_path / "text.extxyz")


def test_the_plot_is_written_and_a_wrong_ending_said(tmp_path):
    predictions = predicted_frames(load_emt("emt"), labelled(n=4))
    force_plot(predictions, tmp_path / "plot.png", title="EMT")
    assert (tmp_path / "plot.png").stat().st_size > 1000
    with pytest.raises(WorkflowError, match=r"use a \.png"):
        force_plot(predictions, tmp_path / "plot.xyz", title="EMT")
