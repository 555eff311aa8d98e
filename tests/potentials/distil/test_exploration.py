import numpy as np
import pytest

from potentials.distil.exploration import EVERY, STEPS, WORST_SHARE, explore
from potentials.distil.frames import read_frames
from potentials.distil.systems import System
from potentials.distil.teacher import Label
from tests.potentials.distil.conftest import rattled


class Wrong:
    """EMT with forces scaled: the more a frame is distorted, the more wrong."""

    def __init__(self, teacher):
        self.teacher, self.element_energies = teacher, {}

    def label(self, frames):
        found = self.teacher.label(frames)
        return [Label(label.energy, 0.7 * label.forces, label.stress) for label in found]


def test_the_worst_frames_are_kept_with_the_teachers_labels(emt, tmp_path):
    starts = [
        System(f"start/{i}", "adatom", atoms, 300.0, 8) for i, atoms in enumerate(rattled(3, 0.02))
    ]
    explore(iter(starts), Wrong(emt), emt, tmp_path, "explore0")
    frames = read_frames(sorted(tmp_path.glob("*.extxyz")))
    met = 3 * (STEPS // EVERY)
    assert len(frames) == round(WORST_SHARE * met)
    assert {f.info["family"] for f in frames} == {"adatom"}
    for frame, label in zip(frames, emt.label(frames), strict=True):
        np.testing.assert_allclose(frame.get_forces(), label.forces, atol=1e-6)
    largest = [float(abs(f.get_forces()).max()) for f in frames]
    assert largest == pytest.approx(sorted(largest, reverse=True), abs=1e-6)
