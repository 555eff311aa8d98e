import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms

from tests.workflows.emt_potential import CountingEMT
from workflows.labelling import label_frames, within_limit
from workflows.places import ThisProcess
from workflows.settings import PotentialSettings, StoreSettings

LABELS = PotentialSettings("emt")
pytestmark = pytest.mark.usefixtures("emt")


def _silent(_event):
    pass


def frames():
    made = []
    for number in range(4):
        atoms = bulk("Cu", cubic=True)
        atoms.rattle(0.1, seed=number)
        atoms.info = {"name": f"copper {number}", "system": "Cu"}
        made.append(atoms)
    return made


def test_labels_are_the_potentials_and_what_stood_in_info_is_kept():
    given = frames()
    given[1].set_constraint(FixAtoms([0, 1]))
    done = label_frames(given, LABELS, StoreSettings(), _silent, ThisProcess())
    assert done.failures == {}
    assert done.seconds > 0
    assert [frame.info["name"] for frame in done.frames] == [f"copper {n}" for n in range(4)]
    for before, after in zip(given, done.frames, strict=True):
        before.set_constraint()
        before.calc = EMT()
        assert after.get_potential_energy() == pytest.approx(before.get_potential_energy())
        assert after.get_forces() == pytest.approx(before.get_forces())
        assert after.get_stress() == pytest.approx(before.get_stress())


def test_what_the_spool_holds_is_not_labelled_again(tmp_path):
    stores = StoreSettings(spool=str(tmp_path))
    events = []
    label_frames(frames()[:3], LABELS, stores, events.append, ThisProcess())
    counted = CountingEMT.evaluations
    done = label_frames(frames(), LABELS, stores, events.append, ThisProcess())
    assert len(done.frames) == 4
    assert CountingEMT.evaluations == counted + 1
    assert (events[-1].done, events[-1].total, events[-1].reused) == (4, 4, 3)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_fails_is_told_and_has_no_label():
    given = frames()
    given[2].positions[0] = given[2].positions[1]
    done = label_frames(given, LABELS, StoreSettings(), _silent, ThisProcess())
    assert list(done.failures) == [2]
    assert len(done.frames) == 3
    assert all(np.isfinite(frame.get_forces()).all() for frame in done.frames)


def test_the_limit_counts_the_first_frames_that_fit():
    assert within_limit([1.0, 2.0, 3.0], 3.0) == 2
    assert within_limit([1.0, 2.0, 3.0], 0.5) == 0
    assert within_limit([1.0, 2.0, 3.0], 60.0) == 3
