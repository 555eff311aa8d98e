"""Stages computed in shards by processes of this machine, without a scheduler."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.workflows.shard_runs import ROOT, alive, in_background, reference, wait_for
from tests.workflows.stub_potential import STUB, StubSettings, systems
from workflows.cluster import Cluster, DetachedError
from workflows.errors import WorkflowError
from workflows.places import computing_at
from workflows.profiles import Profile, read_profiles
from workflows.settings import StoreSettings
from workflows.shard_array import arrays_in
from workflows.stages import run_stage
from workflows.workstation import Workstation, _processes


class Site:
    """A run's folder, and what its shards note there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stores = StoreSettings(database=str(folder / "r.db"), spool=str(folder / "spool"))

    def cluster(self, detach: bool = False, **changes) -> Cluster:
        fields = {"scheduler": "workstation", "atoms_per_shard": 2, "poll": 0.2, "heartbeat": 0.2}
        profile = Profile(**fields | changes)
        return Cluster(self.folder / "shards", {"cpu": profile}, "cpu", detach)

    def run(self, what, cluster: Cluster | None = None):
        with computing_at(cluster or self.cluster()):
            return run_stage("try", STUB, {}, what, StubSettings(), self.stores)

    @property
    def computed(self) -> list[str]:
        """The systems, each as often as it was computed."""
        return [path.name.partition("-")[0] for path in (self.folder / "computed").iterdir()]

    @property
    def processes(self):
        return [one for one in _processes() if self.folder in one.array.parents]


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", ROOT)
    monkeypatch.setenv("STUB_LOG", str(tmp_path / "computed"))
    (tmp_path / "computed").mkdir()
    site = Site(tmp_path)
    yield site
    for process in site.processes:
        os.kill(process.pid, signal.SIGKILL)


def test_shards_give_what_this_process_gives_and_leave_nothing(site) -> None:
    found = site.run(systems(7))
    assert len(set(site.computed)) == len(site.computed) == 7
    assert [document.energy_ev for document in found] == reference(systems(7))
    assert not (site.folder / "shards").exists()
    wait_for(lambda: not site.processes)


def test_no_more_run_at_a_time_than_asked_for_in_all_arrays_of_a_stage(site, monkeypatch) -> None:
    monkeypatch.setenv("STUB_SECONDS", "0.3")
    most = 0

    def look() -> bool:
        nonlocal most
        most = max(most, sum(one.index is not None for one in site.processes))
        return len(site.computed) == 6

    with pytest.raises(DetachedError):
        site.run(systems(3), site.cluster(detach=True, max_jobs=1))
    with in_background(site.run, systems(6), site.cluster(max_jobs=1)) as kept:
        wait_for(look)
    assert len(kept["result"]) == 6
    assert most == 1


def test_a_killed_shard_is_started_again_and_keeps_what_it_finished(site, monkeypatch) -> None:
    monkeypatch.setenv("STUB_SECONDS", "0.5")
    with in_background(site.run, systems(4)) as kept:
        wait_for(lambda: len(site.computed) >= 1)
        shard = next(one for one in site.processes if one.index is not None)
        os.kill(shard.pid, signal.SIGKILL)
    assert len(kept["result"]) == 4
    assert len(site.computed) <= 5  # the one in flight twice


def test_a_driver_that_is_killed_adopts_what_runs(site, monkeypatch) -> None:
    monkeypatch.setenv("STUB_SECONDS", "0.4")
    script = textwrap.dedent(f"""
        from pathlib import Path
        from tests.workflows.test_workstation import Site, systems
        Site(Path({str(site.folder)!r})).run(systems(6))
    """)
    driver = subprocess.Popen([sys.executable, "-c", script])
    wait_for(lambda: site.computed)
    driver.kill()
    driver.wait()
    assert site.processes
    assert len(site.run(systems(6))) == 6
    assert len(set(site.computed)) == len(site.computed) == 6


def test_one_element_or_all_of_an_array_can_be_ended(site, monkeypatch) -> None:
    monkeypatch.setenv("STUB_SECONDS", "60")
    with pytest.raises(DetachedError):
        site.run(systems(6), site.cluster(detach=True, max_jobs=1))
    (array,) = arrays_in(site.folder / "shards" / "try")
    here = Workstation()
    assert here.queue().named(array.job_name) == array.job_id == array.path.name

    def states() -> list[str | None]:
        jobs = [here.queue().element(array.job_id, index) for index in (1, 2, 3)]
        return [None if job is None else job.state for job in jobs]

    wait_for(lambda: states() == ["running", "queued", "queued"])
    here.cancel(array.job_id, 1)
    wait_for(lambda: states() == [None, "running", "queued"])
    pids = [one.pid for one in site.processes]
    here.cancel(array.job_id)
    wait_for(lambda: not any(map(alive, pids)))
    assert states() == [None] * 3


def test_each_shard_gets_gpus_of_its_own(site, monkeypatch, tmp_path) -> None:
    """With GPUs that are only counted: what matters is what each shard is told."""
    folder = tmp_path / "torch"
    folder.mkdir()
    counted = "class cuda:\n    device_count = staticmethod(lambda: 4)\n"
    (folder / "torch.py").write_text(counted)
    monkeypatch.setenv("PYTHONPATH", f"{folder}:{ROOT}")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5,6,8")
    monkeypatch.setenv("STUB_SECONDS", "1")
    seen = set()

    def look() -> bool:
        for one in site.processes:
            if one.index is not None:
                words = Path(f"/proc/{one.pid}/environ").read_bytes().split(b"\0")
                seen.update(word for word in words if word.startswith(b"CUDA_VISIBLE_DEVICES="))
        return len(site.computed) == 4

    with in_background(site.run, systems(4), site.cluster(gpus=2)):
        wait_for(look)
    assert seen == {b"CUDA_VISIBLE_DEVICES=3,5", b"CUDA_VISIBLE_DEVICES=6,8"}


def test_what_keeps_an_array_from_starting_is_told(site) -> None:
    with pytest.raises(WorkflowError, match=r"failed 6 times .* no-such-module"):
        site.run(systems(1), site.cluster(preamble="no-such-module || exit 1"))


def test_fields_of_schedulers_are_refused(tmp_path) -> None:
    path = tmp_path / "profiles.yaml"
    path.write_text("gpus: {scheduler: workstation, gpus: 1, partition: long}\n")
    with pytest.raises(WorkflowError) as caught:
        read_profiles(path)
    assert "gpus.partition = 'long': is for slurm and pbs; leave it out" in str(caught.value)
