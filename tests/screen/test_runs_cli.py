"""``run --on``, ``status``, ``cancel`` and ``resume``, on a SLURM of the tests' own."""

import json
import os
from pathlib import Path

import pytest

from results.database import open_database
from screen.cli import main
from tests.services.read_only import read_only
from tests.services.slurm import running_slurm
from tests.workflows.stub_potential import STUB, StubSettings, systems
from workflows.cluster import Cluster, DetachedError
from workflows.driver_lock import LOCK, driving
from workflows.places import computing_at
from workflows.profiles import read_profiles
from workflows.progress import listening
from workflows.run_folder import RunFolder, RunRequest
from workflows.settings import StoreSettings
from workflows.stages import run_stage

pytest.importorskip("qtoolkit", reason="qtoolkit is not installed (extra hpc)")

PROFILES = """\
gpu: {partition: main, gpus: 1, time: "00:05:00", poll: 0.2, heartbeat: 0.2, stages: {relax: cpu}}
cpu: {partition: main, account: ab1234, cpus: 2}
plain: {poll: 0.2, heartbeat: 0.2, atoms_per_shard: 2}
other: {scheduler: pbs}
"""
CAMPAIGN = """\
name: drilled
potential: mini
screens: {collectors: {hosts: [Cu], facets: [[1, 1, 1]]}}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "profiles.yaml").write_text(PROFILES)
    (tmp_path / "campaign.yaml").write_text(CAMPAIGN)
    monkeypatch.setenv("LITHIOPHILE_PROFILES", str(tmp_path / "profiles.yaml"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def program(capsys, *arguments):
    with pytest.raises(SystemExit) as caught:
        main(list(arguments))
    printed = capsys.readouterr()
    return caught.value.code, printed.out, printed.err


def request(folder, **changes):
    fields = {"on": "slurm", "profile": "plain", "profiles": str(folder / "profiles.yaml")}
    return RunRequest("drilled", CAMPAIGN, "campaign.yaml", "r.db", **fields | changes)


@pytest.fixture
def submitted(folder, monkeypatch):
    """A run of which two shards are out and whose driver has detached."""
    with running_slurm() as slurm:
        for name, value in slurm.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
        monkeypatch.setenv("STUB_SECONDS", "30")
        run = RunFolder.beside("r.db", "drilled")
        place = Cluster(run.shards, read_profiles(), "plain", detach=True)
        stores = StoreSettings(database="r.db", spool=str(run.path))
        with (
            pytest.raises(DetachedError),
            run.drive(request(folder), lambda _event: None) as heard,
            listening(heard),
            computing_at(place),
        ):
            run_stage("stub stage", STUB, {}, systems(4), StubSettings(), stores)
        yield slurm


def test_status_and_cancel(submitted, capsys):
    status, out, _ = program(capsys, "status", "--db", "r.db", "--format", "json")
    assert status == 0
    (run,) = json.loads(out)
    assert (run["name"], run["on"], run["driver"]) == ("drilled", "slurm", None)
    assert run["stages"][0]["stage"] == "stub stage"
    assert [shard["total"] for shard in run["shards"]] == [2, 2]
    assert {shard["state"] for shard in run["shards"]} <= {"queued", "running"}
    assert all(shard["left_s"] > 0 for shard in run["shards"])
    status, out, _ = program(capsys, "status", "--db", "r.db")
    assert "none; go on with `lithiophile resume`" in out
    assert "0/4" in out
    status, out, _ = program(capsys, "status", "--db", "r.db", "--format", "csv")
    assert len(out.splitlines()) == 3
    status, out, _ = program(capsys, "cancel", "--db", "r.db")
    assert (status, out) == (0, "drilled: ended, 1 job arrays cancelled\n")
    submitted.wait_empty()


def test_dry_run_prints_the_script_of_every_profile_and_submits_nothing(
    folder, capsys, monkeypatch
):
    monkeypatch.setattr("screen.run.check_campaign", lambda *_: None)
    arguments = ("run", "campaign.yaml", "--on", "slurm", "--profile", "gpu", "--dry-run")
    status, out, _ = program(capsys, *arguments)
    assert status == 0
    assert out.index("# profile gpu: every other stage") < out.index("# profile cpu: relax")
    assert "#SBATCH --gres=gpu:1" in out
    assert "#SBATCH --account=ab1234" in out
    assert sorted(path.name for path in folder.iterdir()) == ["campaign.yaml", "profiles.yaml"]


def test_resume_asks_for_what_was_asked_before(folder, capsys, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "screen.cli.campaigns.run_requested", lambda one, detach: asked.append((one, detach))
    )
    wanted = request(folder, output="report.html")
    with RunFolder.beside("r.db", "drilled").drive(wanted, lambda _event: None):
        pass
    assert program(capsys, "resume", "--db", "r.db", "--detach")[0] == 0
    assert asked == [(wanted, True)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "campaign.yaml", "--on", "slurm"), "--profile: name one of gpu, cpu"),
        (("run", "campaign.yaml", "--on", "slurm", "--profile", "gpuu"), "did you mean 'gpu'?"),
        (("run", "campaign.yaml", "--on", "slurm", "--profile", "other"), "--on pbs"),
        (("run", "campaign.yaml", "--profile", "gpu"), "--profile: is for clusters"),
        (("run", "campaign.yaml", "--detach"), "--detach: is for clusters"),
        (("run", "campaign.yaml", "--dry-run"), "--dry-run: prints job scripts"),
        (("resume", "--db", "r.db"), "none on r.db is unfinished"),
        (("cancel", "--db", "r.db"), "none on r.db is unfinished"),
        (("status", "--db", "r.db", "--campaign", "x"), "none on r.db is unfinished"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_does_not_go_is_one_line_and_writes_nothing(
    arguments, message, capsys, monkeypatch, tmp_path
):
    monkeypatch.setattr("screen.run.check_campaign", lambda *_: None)
    before = sorted(tmp_path.rglob("*"))
    status, _, err = program(capsys, *arguments)
    assert status == 2
    assert message in err
    assert err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.usefixtures("folder")
def test_no_run_is_told(capsys):
    assert program(capsys, "status", "--db", "r.db") == (0, "No run on r.db is unfinished.\n", "")


def test_a_second_driver_is_refused(folder, capsys, monkeypatch):
    monkeypatch.setattr("screen.run.check_campaign", lambda *_: None)
    with driving(RunFolder.beside("r.db", "drilled").path, "drilled"):
        status, _, err = program(capsys, "run", "campaign.yaml", "--db", "r.db")
    assert status == 2
    assert f"driven by process {os.getpid()}" in err
    assert not list(folder.rglob(LOCK))


def test_a_run_on_results_that_cannot_be_written_is_refused(
    folder, capsys, monkeypatch, tmp_path_factory
):
    monkeypatch.setattr("screen.run.check_campaign", lambda *_: None)
    report = tmp_path_factory.mktemp("elsewhere") / "report.html"
    open_database("r.db").close()
    before = sorted(folder.rglob("*"))
    with read_only(folder):
        arguments = ("run", "campaign.yaml", "--db", "r.db", "--output", str(report))
        status, _, err = program(capsys, *arguments)
    assert status == 2
    assert "cannot be written" in err
    assert err.count("\n") == 1
    assert sorted(folder.rglob("*")) == before
