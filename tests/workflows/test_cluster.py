"""Stages computed in shards on a real SLURM, which the tests start themselves."""

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from results.database import open_database
from results.errors import ResultsError
from results.spool import Spool
from tests.services.read_only import read_only
from tests.services.slurm import running_slurm
from tests.workflows.shard_runs import ROOT, alive, in_background, reference, wait_for
from tests.workflows.stub_potential import IN_PIECES, STUB, StubSettings, load, systems
from workflows.cluster import Cluster, DetachedError, _remove, _StageOnCluster
from workflows.errors import WorkflowError
from workflows.places import computing_at
from workflows.profiles import Profile
from workflows.scheduler import Scheduler
from workflows.settings import StoreSettings
from workflows.shard_array import Group, ShardArray, arrays_in
from workflows.shard_folder import Beat, Result, ShardOrders
from workflows.stages import run_stage
from workflows.tasks import StageWork

pytest.importorskip("qtoolkit", reason="qtoolkit is not installed (extra hpc)")


@pytest.fixture(scope="module")
def slurm():
    with running_slurm() as service:
        yield service


@pytest.fixture
def site(slurm, tmp_path, monkeypatch):
    """A cluster in a folder of its own; its environment reaches the shards."""
    for name, value in slurm.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHONPATH", ROOT)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    log = tmp_path / "computed"
    log.mkdir()
    monkeypatch.setenv("STUB_LOG", str(log))
    yield Site(slurm, tmp_path)
    for job in slurm.jobs():
        slurm.run("scancel", job)
    slurm.wait_empty()


class Site:
    def __init__(self, slurm, folder):
        self.slurm, self.folder = slurm, folder
        self.stores = StoreSettings(database=str(folder / "r.db"), spool=str(folder / "spool"))

    def cluster(self, detach=False, **changes):
        fields = {
            "time": "00:05:00",
            "atoms_per_shard": 4,
            "poll": 0.2,
            "heartbeat": 0.2,
            "heartbeat_timeout": 4,
            "signal_before": 5,
        }
        profile = Profile(**fields | changes)
        return Cluster(self.folder / "shards", {"cpu": profile}, "cpu", detach)

    def run(self, what, cluster=None, stage="try"):
        with computing_at(cluster or self.cluster()):
            return run_stage(stage, STUB, {}, what, StubSettings(), self.stores)

    @property
    def arrays(self):
        return [array for stage in (self.folder / "shards").glob("*") for array in arrays_in(stage)]

    def computed(self):
        """How often each system was computed."""
        names = [path.name.partition("-")[0] for path in (self.folder / "computed").iterdir()]
        return {name: names.count(name) for name in names}

    def shard_pids(self):
        found = []
        for array in self.arrays:
            for _, folder, _group in array.shards():
                beat = folder.read_beat()
                if beat is not None and alive(beat.pid):
                    found.append(beat.pid)
        return found


def test_shards_give_what_this_process_gives_and_leave_nothing(site):
    found = site.run(systems(10))
    assert [document.energy_ev for document in found] == reference(systems(10))
    assert set(site.computed().values()) == {2}  # once there, once here
    assert not (site.folder / "shards").exists()
    assert list((site.folder / "spool").iterdir()) == []
    assert site.run(systems(10)) == found  # from the database, without a job
    site.slurm.wait_empty()


@pytest.mark.slow  # the short fault drill does the same
def test_a_driver_that_is_killed_adopts_what_runs(site, monkeypatch):
    monkeypatch.setenv("STUB_SECONDS", "0.4")
    script = textwrap.dedent("""
        import sys
        sys.path.insert(0, {root!r})
        from pathlib import Path
        from tests.workflows.test_cluster import Site, systems
        site = Site(None, Path({folder!r}))
        site.run(systems(8))
    """).format(root=ROOT, folder=str(site.folder))
    driver = subprocess.Popen([sys.executable, "-c", script])
    wait_for(lambda: len(site.computed()) >= 2)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    before = {array.path.name for array in site.arrays}
    jobs = set(site.slurm.jobs())
    assert jobs
    found = site.run(systems(8))
    assert len(found) == 8
    assert set(site.computed().values()) == {1}
    assert {array.path.name for array in site.arrays} <= before


@pytest.mark.slow
def test_a_driver_killed_between_submitting_and_noting_finds_its_job(site, monkeypatch):
    monkeypatch.setenv("STUB_SECONDS", "0.5")
    with pytest.raises(DetachedError):
        site.run(systems(4), site.cluster(detach=True))
    (array,) = site.arrays
    (array.path / "job.json").unlink()
    site.run(systems(4))
    assert set(site.computed().values()) == {1}


@pytest.mark.slow
def test_the_rest_of_a_shard_that_stopped_is_not_taken_twice_by_the_next_driver(site, monkeypatch):
    """The settled shard and the one with its rest stand in the folder beside each other."""
    monkeypatch.setenv("STUB_SECONDS", "0.5")
    with pytest.raises(DetachedError):
        site.run(systems(6), site.cluster(detach=True))  # two arrays' worth: 4 and 2
    (array,) = site.arrays
    (_, first, _group), _second = array.shards()
    wait_for(lambda: len(first.spool.load()) >= 1)
    os.kill(first.read_beat().pid, signal.SIGTERM)  # as the scheduler does
    wait_for(first.read_result)
    for _ in range(3):  # each collects, submits the rest and ends
        with suppress(DetachedError):
            site.run(systems(6), site.cluster(detach=True))
    site.run(systems(6))
    assert set(site.computed().values()) == {1}


@pytest.mark.slow
def test_a_killed_shard_is_submitted_again_and_keeps_what_it_finished(site, monkeypatch):
    monkeypatch.setenv("STUB_SECONDS", "0.4")
    with in_background(site.run, systems(4)) as kept:
        wait_for(lambda: len(site.computed()) >= 2)
        os.kill(wait_for(site.shard_pids)[0], signal.SIGKILL)
    assert len(kept["result"]) == 4
    assert sum(site.computed().values()) <= 5  # the one in flight, at most, twice


def test_a_silent_shard_that_slurm_calls_running_is_ended(site, monkeypatch):
    """What a killed slurmstepd leaves behind: RUNNING for ever, and nobody there."""
    monkeypatch.setenv("STUB_SECONDS", "0.4")
    with in_background(site.run, systems(4)) as kept:
        wait_for(lambda: len(site.computed()) >= 1)
        pid = wait_for(site.shard_pids)[0]
        steps = site.slurm.step_pids()
        assert steps
        for step in steps:
            os.kill(step, signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)
        assert site.slurm.jobs()
    assert len(kept["result"]) == 4
    site.slurm.wait_empty()


@pytest.mark.slow
def test_a_shard_ends_with_its_slurmstepd_and_says_so(site, monkeypatch):
    monkeypatch.setenv("STUB_SECONDS", "0.4")
    with in_background(site.run, systems(4)) as kept:
        wait_for(lambda: len(site.computed()) >= 1)
        pid = wait_for(site.shard_pids)[0]
        for step in site.slurm.step_pids():
            os.kill(step, signal.SIGKILL)
        wait_for(lambda: not alive(pid))
    assert len(kept["result"]) == 4


@pytest.mark.slow
def test_before_its_wall_time_a_shard_stops_and_the_rest_is_submitted(site, monkeypatch):
    monkeypatch.setenv("STUB_SECONDS", "1")
    # SLURM counts minutes and signals up to a minute early: the shard's own clock comes first.
    found = site.run(systems(4), site.cluster(time="00:00:04", signal_before=2))
    assert len(found) == 4
    assert all(document.converged for document in found)
    assert sum(site.computed().values()) <= 6


@pytest.mark.slow
def test_a_system_longer_than_the_wall_time_is_found_by_halving(site, monkeypatch):
    monkeypatch.setenv("STUB_ENDLESS", "2")
    endless, sound = systems(1, n_atoms=2), systems(2)
    found = site.run([*endless, *sound], site.cluster(time="00:00:08", signal_before=2))
    assert [document.converged for document in found] == [False, True, True]
    assert "not done within the wall time of 00:00:08, 2 times" in found[0].failure
    assert max(site.computed().values()) == 1


@pytest.mark.parametrize(("progress", "stops"), [("", 1), ("500 K, ps 3/20", 0)])
def test_a_stop_that_left_a_part_on_the_disk_counts_not_against_its_systems(
    tmp_path, progress, stops
):
    (one,) = systems(1)
    work = StageWork("md", STUB, {}, StubSettings(), {}, [one], ["key"])
    stage = _StageOnCluster(work, print, "cpu", Profile(), tmp_path, False)
    array = ShardArray.create(tmp_path, "cpu", [[("shard-0001", Group(("key",)))]])
    ((_, folder, group),) = array.shards()
    stage._write_shard(folder, group)
    folder.write_beat(Beat(phase="computing", progress=progress))
    folder.write_result(Result("stopped"))
    stage._take(array, array.shards())
    stage._look_at(stage._out[0], None)
    (waiting,) = stage._waiting
    assert (waiting.fingerprints, waiting.stops) == (("key",), stops)


def test_a_folder_goes_though_a_shard_still_writes_into_it(tmp_path):
    folder = tmp_path / "stage"
    (folder / "shard").mkdir(parents=True)
    until = time.monotonic() + 0.3

    def beat():
        while time.monotonic() < until:
            with suppress(OSError):
                (folder / "shard" / "heartbeat").touch()

    beating = threading.Thread(target=beat)
    beating.start()
    _remove(folder)
    beating.join()
    assert not folder.exists()


A, B, C = ("a" * 64, "b" * 64, "c" * 64)


def _stage(folder, profile, kept):
    settings = StubSettings()
    identity = load(settings)[0].identity.to_dict()
    work = StageWork("try", STUB, {}, settings, identity, systems(3), [A, B, C])
    return _StageOnCluster(work, kept.append, "cpu", profile, folder, False)


def _stop(stage):
    """Stop the only shard that is out, as its wall time does; how long that was, s."""
    (shard,) = stage._out
    orders = shard.folder.read_input()[1]
    asked = (shard.array.path / "job.sh").read_text()
    days, hours, minutes, seconds = map(
        int, re.search(r"--time=(.+)", asked)[1].replace("-", ":").split(":")
    )
    assert ((days * 24 + hours) * 60 + minutes) * 60 + seconds == orders.time_limit_s
    shard.folder.write_beat(Beat(phase="computing"))
    shard.folder.write_result(Result("stopped"))
    stage._look_at(shard, None)
    return orders.time_limit_s


def test_a_system_alone_gets_longer_wall_times_as_far_as_the_profile_allows(tmp_path, monkeypatch):
    monkeypatch.setattr(Scheduler, "submit", lambda *_: "1")
    kept = []
    stage = _stage(tmp_path, Profile(time="00:10:00", max_time="00:35:00"), kept)
    stage._waiting = [Group((A,))]
    limits = []
    while stage._waiting:
        stage._submit()
        limits.append(_stop(stage))
    assert limits == [600, 600, 1200, 2100]
    assert [document.failure for document in kept] == ["not done within the wall time of 00:35:00"]


def test_without_a_longer_wall_time_a_system_fails_at_the_second_stop(tmp_path, monkeypatch):
    monkeypatch.setattr(Scheduler, "submit", lambda *_: "1")
    kept = []
    stage = _stage(tmp_path, Profile(time="00:10:00"), kept)
    stage._waiting = [Group((A,), stops=1)]
    stage._submit()
    _stop(stage)
    assert stage._waiting == []
    assert "within the wall time of 00:10:00, 2 times" in kept[0].failure


def test_shards_of_another_wall_time_are_another_job(tmp_path, monkeypatch):
    monkeypatch.setattr(Scheduler, "submit", lambda *_: "1")
    stage = _stage(tmp_path, Profile(time="00:10:00", max_time="01:00:00"), [])
    stage._waiting = [Group((A,)), Group((B,), time="00:20:00", stops=1), Group((C,))]
    stage._submit()
    assert stage._waiting == []
    by_array = {}
    for shard in stage._out:
        limit = shard.folder.read_input()[1].time_limit_s
        by_array.setdefault(shard.array.path, []).append((shard.group.fingerprints, limit))
    assert sorted(by_array.values()) == [[((A,), 600), ((C,), 600)], [((B,), 1200)]]


@pytest.mark.slow
def test_a_run_longer_than_three_wall_times_goes_on_where_it_was(site, monkeypatch):
    """Each shard leaves some seconds of the run on the disk before it is stopped."""
    pieces = site.folder / "pieces"
    pieces.mkdir()
    monkeypatch.setenv("STUB_PIECES", str(pieces))
    with computing_at(site.cluster(time="00:00:05", signal_before=2)):
        (found,) = run_stage(
            "md", IN_PIECES, {"pieces": 12}, systems(1), StubSettings(), site.stores
        )
    assert found.converged, found.failure
    written = sorted(path.name for path in pieces.iterdir())
    assert [name.partition("-")[0] for name in written] == [f"{i:02}" for i in range(12)]
    assert len({name.partition("-")[2] for name in written}) > 3  # processes


@pytest.mark.slow
def test_slurms_signal_before_the_wall_time_reaches_the_shard(site, monkeypatch):
    """SLURM looks every half minute and signals half a minute early, so 20 to 50 s after the start.

    The shard's own clock is off; a signal at the wall time itself would end it as interrupted.
    """
    monkeypatch.setattr(
        "workflows.cluster.ShardOrders",
        lambda **fields: ShardOrders(**fields | {"time_limit_s": None}),
    )
    monkeypatch.setenv("STUB_SECONDS", "1")
    limits = {"time": "00:01:00", "signal_before": 10, "atoms_per_shard": 65}
    with pytest.raises(DetachedError):
        site.run(systems(65), site.cluster(detach=True, **limits))
    (array,) = site.arrays
    ((_, folder, _group),) = array.shards()
    ending = wait_for(folder.read_result, 120)
    assert ending.ending == "stopped"
    finished = len(site.computed())
    assert 10 < finished < 60
    assert len(folder.spool.load()) == finished
    monkeypatch.setenv("STUB_SECONDS", "0")
    found = site.run(systems(65), site.cluster(**limits))
    assert all(document.converged for document in found)
    assert sorted(site.computed().values())[-2:] in ([1, 1], [1, 2])  # one may have been in flight


@pytest.mark.slow
def test_stages_for_cpus_and_gpus_are_jobs_of_different_profiles(site, monkeypatch):
    monkeypatch.setenv("STUB_SECONDS", "2")
    plain = site.cluster().profiles["cpu"]
    profiles = {
        "cpu": plain,
        "gpu": plain.model_copy(update={"gpus": 1, "stages": {"relax crystals": "cpu"}}),
    }
    cluster = Cluster(site.folder / "shards", profiles, "gpu")
    seen = {}
    for n_atoms, stage in enumerate(("relax crystals", "relax slabs"), start=1):
        with in_background(site.run, systems(2, n_atoms), cluster, stage) as kept:
            (pid,) = wait_for(site.shard_pids)
            environment = Path(f"/proc/{pid}/environ").read_bytes()
            ((_, folder, _group),) = site.arrays[0].shards()
            asked = "gpu:1" in site.slurm.run("squeue", "--noheader", "-o", "%b")
            seen[stage] = (
                asked,
                b"CUDA_VISIBLE_DEVICES=0" in environment,
                folder.read_input()[0].settings.device,
            )
        assert all(document.converged for document in kept["result"])
    assert seen == {
        "relax crystals": (False, False, "cpu"),
        "relax slabs": (True, True, "cuda"),
    }


@pytest.mark.slow
def test_a_system_that_kills_its_shard_is_found_and_recorded(site, monkeypatch):
    monkeypatch.setenv("STUB_KILLER", "3")
    good, killer = systems(3), systems(1, n_atoms=3)
    found = site.run([*good, *killer], site.cluster(atoms_per_shard=100))
    assert [document.converged for document in found] == [True, True, True, False]
    assert "killed its shard 2 times" in found[3].failure
    again = site.run([*good, *killer])
    assert again[3].failure == found[3].failure


@pytest.mark.slow
def test_gpus_are_shared_by_the_shards_of_a_job_one_each(site, monkeypatch):
    monkeypatch.setenv("STUB_SECONDS", "2")
    cluster = site.cluster(gpus=2, shards_per_job=2, atoms_per_shard=2)
    seen = {}
    with in_background(site.run, systems(4), cluster) as kept:
        wait_for(lambda: len(site.shard_pids()) == 2)
        for pid in site.shard_pids():
            variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            seen[pid] = [one for one in variables if one.startswith(b"CUDA_VISIBLE_DEVICES=")]
        assert len(site.arrays) == 1
    assert sorted(seen.values()) == [
        [b"CUDA_VISIBLE_DEVICES=0"],
        [b"CUDA_VISIBLE_DEVICES=1"],
    ]
    assert len(kept["result"]) == 4


@pytest.mark.slow
def test_a_shard_that_never_starts_says_why(site):
    with pytest.raises(WorkflowError, match="no-such-module") as caught:
        site.run(systems(2), site.cluster(preamble="echo no-such-module >&2; exit 1"))
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_weights_that_differ_on_the_node_are_refused(site):
    cluster = site.cluster(environment={"STUB_SHA256": "1" * 64})
    with pytest.raises(WorkflowError, match=r"sha256 is 1111.* and 0000.*same weights"):
        site.run(systems(2), cluster)
    assert site.computed() == {}


def test_a_job_that_slurm_refuses_is_told_in_its_words(site):
    with pytest.raises(WorkflowError, match="invalid partition"):
        site.run(systems(2), site.cluster(partition="nowhere"))
    assert site.arrays == []


@pytest.mark.slow
def test_scratch_that_vanishes_is_written_again(site, monkeypatch):
    monkeypatch.setenv("STUB_SECONDS", "0.5")
    with in_background(site.run, systems(4)) as kept:
        wait_for(lambda: len(site.computed()) >= 1)
        (site.folder / "shards").rename(site.folder / "gone")  # the shard still writes into it
    assert len(kept["result"]) == 4


@pytest.mark.slow
def test_a_controller_that_is_away_for_a_while_is_waited_for(site, monkeypatch):
    monkeypatch.setenv("STUB_SECONDS", "0.4")
    controller = site.slurm.pid("slurmctld")
    with in_background(site.run, systems(4)) as kept:
        wait_for(lambda: len(site.computed()) >= 1)
        os.kill(controller, signal.SIGKILL)
        time.sleep(6)
        assert "error" not in kept
        subprocess.run(
            ["slurmctld", "-f", str(site.slurm.folder / "slurm.conf")],
            env=os.environ | site.slurm.environment,
            check=True,
            capture_output=True,
        )
    # A controller that forgot that a job runs starts it again, and drains the node that refuses it.
    subprocess.run(
        ["scontrol", "update", "NodeName=ALL", "State=RESUME"],
        env=os.environ | site.slurm.environment,
        capture_output=True,
    )
    assert len(kept["result"]) == 4
    assert max(site.computed().values()) == 1


@pytest.mark.slow
def test_a_damaged_spool_line_costs_its_system_only(site, monkeypatch):
    monkeypatch.setenv("STUB_SECONDS", "0.5")
    with pytest.raises(DetachedError):
        site.run(systems(4), site.cluster(detach=True))
    (array,) = site.arrays
    (shard,) = [folder for _, folder, _group in array.shards()]
    wait_for(lambda: shard.read_result() is not None)
    lines = shard.spool.path.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1][:50] + b"X" + lines[1][51:]
    shard.spool.path.write_bytes(b"".join(lines))
    with pytest.warns(UserWarning, match="damaged; skipped"):
        found = site.run(systems(4))
    assert all(document.converged for document in found)
    assert sorted(site.computed().values()) == [1, 1, 1, 2]


@pytest.mark.slow
def test_a_disk_that_is_full_on_the_node_is_said(site):
    # The spool's first line is longer than what the shard may write to any file.
    cluster = site.cluster(preamble="ulimit -f 1")
    with pytest.raises(WorkflowError, match=r"cannot write .*spool.jsonl.*free the disk"):
        site.run(systems(2, n_atoms=8), cluster)


@pytest.mark.slow
def test_no_driver_needs_a_clock_that_agrees(site, monkeypatch):
    """Files an hour ahead or behind change nothing: only that the heartbeat changes counts."""
    monkeypatch.setenv("STUB_SECONDS", "0.5")
    stop = threading.Event()

    def shift():
        while not stop.wait(0.05):
            for path in (site.folder / "shards").glob("*/*/*/heartbeat"):
                with suppress(OSError):
                    os.utime(path, (time.time() - 3600,) * 2)

    shifting = threading.Thread(target=shift)
    shifting.start()
    try:
        site.run(systems(3))
    finally:
        stop.set()
        shifting.join()
    assert set(site.computed().values()) == {1}


@pytest.mark.slow
def test_what_another_campaign_left_in_the_folder_is_ended(site, monkeypatch):
    monkeypatch.setenv("STUB_SECONDS", "30")
    with pytest.raises(DetachedError):
        site.run(systems(2), site.cluster(detach=True))
    wait_for(site.shard_pids)
    (pid,) = site.shard_pids()
    monkeypatch.setenv("STUB_SECONDS", "0")
    assert len(site.run(systems(3, n_atoms=2))) == 3
    wait_for(lambda: not alive(pid))


@pytest.mark.slow
def test_the_shard_folder_holds_no_pickle(site):
    with pytest.raises(DetachedError):
        site.run(systems(2), site.cluster(detach=True))
    (array,) = site.arrays
    (folder,) = [folder for _, folder, _group in array.shards()]
    wait_for(lambda: folder.read_result() is not None)
    assert json.loads((array.path / "array.json").read_text())["profile"] == "cpu"
    assert len(Spool(folder.path / "spool.jsonl").load()) == 2
    assert {path.name for path in folder.path.iterdir()} == {
        "heartbeat",
        "input",
        "result.json",
        "spool.jsonl",
    }


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 KiB, which `grow` makes larger."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.slow
def test_a_quota_that_is_full_is_told_and_then_gone_on_from(site, small_disk):
    (small_disk / "other").write_bytes(bytes(60_000))
    cluster = site.cluster(folder=small_disk)
    with pytest.raises(WorkflowError, match=r"cannot write .*No space left.*free the disk"):
        site.run(systems(40, n_atoms=8), cluster)
    assert site.slurm.jobs() == []
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    assert len(site.run(systems(4, n_atoms=8), cluster)) == 4


@pytest.mark.slow
def test_a_disk_that_fills_under_the_driver_loses_nothing(site, small_disk):
    """The spool and the database of the driver are on it; what the shards finished is not."""
    site.stores = StoreSettings(database=str(small_disk / "r.db"), spool=str(small_disk / "spool"))
    subprocess.run(["mount", "-o", "remount,size=400k", str(small_disk)], check=True)
    open_database(small_disk / "r.db").close()
    free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
    (small_disk / "other").write_bytes(bytes(free - 8192))
    with pytest.raises(ResultsError, match=r"No space|only part|is full"):
        site.run(systems(8, n_atoms=8), site.cluster(atoms_per_shard=100))
    (small_disk / "other").unlink()
    found = site.run(systems(8, n_atoms=8), site.cluster(atoms_per_shard=100))
    assert all(document.converged for document in found)
    assert set(site.computed().values()) == {1}


@pytest.mark.slow
def test_results_that_become_read_only_under_the_driver_lose_nothing(site, monkeypatch):
    monkeypatch.setenv("STUB_SECONDS", "0.5")
    results = site.folder / "results"
    results.mkdir()
    site.stores = StoreSettings(database=str(results / "r.db"), spool=str(results / "spool"))
    open_database(results / "r.db").close()
    with in_background(site.run, systems(6)) as kept:
        wait_for(lambda: len(site.computed()) >= 1)
        with read_only(results):
            wait_for(lambda: "error" in kept)
    assert isinstance(kept["error"], ResultsError)
    assert "cannot write" in str(kept["error"])
    assert "\n" not in str(kept["error"])
    found = site.run(systems(6))
    assert all(document.converged for document in found)
    assert set(site.computed().values()) == {1}
