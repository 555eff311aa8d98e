from potentials.distil.frames import read_frames
from potentials.distil.labelling import label_systems, shards
from potentials.distil.systems import System
from tests.potentials.distil.conftest import rattled


def some_systems(count: int) -> list[System]:
    return [
        System(f"test/{i}", "bulk", atoms.repeat((1, 2, 5)), 300.0, 2 + (i > 6))
        for i, atoms in enumerate(rattled(count))
    ]


class Counting:
    """A teacher that counts what it is asked."""

    def __init__(self, teacher):
        self.teacher, self.asked, self.element_energies = teacher, 0, {}

    def label(self, frames):
        self.asked += len(frames)
        return self.teacher.label(frames)


def test_shards_are_of_one_length_and_lose_nothing():
    systems = some_systems(10)
    groups = list(shards(systems))
    assert [s.name for group in groups for s in group] == [s.name for s in systems]
    assert all(len({s.steps for s in group}) == 1 for group in groups)
    assert len(groups) > 2


def test_a_killed_run_goes_on_where_it_was(emt, tmp_path):
    teacher = Counting(emt)
    label_systems(some_systems(10), teacher, tmp_path, "test")
    whole, asked = sorted(tmp_path.glob("*.extxyz")), teacher.asked
    assert asked == 7 * 2 + 3 * 3
    whole[1].unlink()
    (tmp_path / "test-0002.partial").write_text("half a fra")
    label_systems(some_systems(10), teacher, tmp_path, "test")
    assert sorted(tmp_path.glob("*.extxyz")) == whole
    assert 0 < teacher.asked - asked < asked
    before = teacher.asked
    label_systems(some_systems(10), teacher, tmp_path, "test")
    assert teacher.asked == before


def test_two_processes_share_the_work(emt, tmp_path):
    for i in range(2):
        label_systems(some_systems(10), emt, tmp_path / ".", "test", (i, 2))
    frames = read_frames(sorted(tmp_path.glob("*.extxyz")))
    assert {f.info["system"] for f in frames} == {f"test/{i}" for i in range(10)}
    assert {f.info["family"] for f in frames} == {"bulk"}
    assert abs(frames[0].get_forces()).max() > 0.0
