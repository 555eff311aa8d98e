"""What the scheduler's programs say, read right; PBS by recorded output, as there is no server."""

import pytest

from workflows.errors import WorkflowError
from workflows.scheduler import NoAnswerError, Queue, QueuedJob, Scheduler, array_number

pytest.importorskip("qtoolkit", reason="qtoolkit is not installed (extra hpc)")

PBS_LIST = """\
Job Id: 1234[].server
    Job_Name = lithiophile-abc
    Job_Owner = user@login1
    job_state = B
    queue = gpu
    Resource_List.ncpus = 8
    Resource_List.nodect = 1
    Resource_List.walltime = 04:00:00
"""


@pytest.fixture
def says(monkeypatch, tmp_path):
    """Programs that answer what a test wants."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def program(name, output="", error="", status=0):
        path = tmp_path / name
        (tmp_path / f"{name}.out").write_text(output)
        (tmp_path / f"{name}.err").write_text(error)
        path.write_text(
            f'#!/bin/sh\necho "$@" >> {tmp_path}/{name}.args\ncat {tmp_path}/{name}.out\n'
            f"cat {tmp_path}/{name}.err >&2\nexit {status}\n"
        )
        path.chmod(0o755)
        return tmp_path / f"{name}.args"

    return program


def test_elements_of_an_array():
    queue = Queue(
        [
            QueuedJob("12_1", "a", "running"),
            QueuedJob("12_[4-6,9%2]", "a", "queued"),
            QueuedJob("13", "b", "queued"),
        ]
    )
    assert queue.element("12", 1).state == "running"
    assert [queue.element("12", i) is not None for i in range(1, 11)] == [
        *(True, False, False, True, True, True, False, False, True, False),
    ]
    assert queue.element("14", 1) is None
    assert queue.element("13", 3) is not None  # listed as a whole
    assert (queue.named("b"), queue.named("c")) == ("13", None)


def test_a_list_that_was_cut_short_is_no_reason_to_give_up_a_job():
    assert Queue([QueuedJob("12_[1,3,...]", "a", "queued")]).element("12", 77) is not None


def test_pbs(says, tmp_path):
    says("qstat", PBS_LIST)
    says("qsub", "1234[].server\n")
    cancelled = says("qdel")
    scheduler = Scheduler("pbs")
    assert scheduler.submit(tmp_path / "job.sh") == "1234[].server"
    job = scheduler.queue().element("1234[].server", 5)
    assert (job.state, job.time_limit_s, job.name) == ("running", 14400, "lithiophile-abc")
    scheduler.cancel("1234[].server", 5)
    assert cancelled.read_text().strip() == "1234[5].server"
    assert array_number("1234[5].server") == array_number("1234[].server")


@pytest.mark.parametrize(
    "error",
    [
        "slurm_load_jobs error: Unable to contact slurm controller (connect failure)",
        "squeue: error: slurm_receive_msg: Socket timed out on send/recv operation",
    ],
)
def test_silence_is_no_answer(says, tmp_path, error):
    says("squeue", error=error, status=1)
    says("sbatch", error=error, status=1)
    says("scancel", error=error, status=1)
    scheduler = Scheduler("slurm")
    for ask in (
        scheduler.queue,
        lambda: scheduler.submit(tmp_path / "job.sh"),
        lambda: scheduler.cancel("1"),
    ):
        with pytest.raises(NoAnswerError):
            ask()


def test_output_that_cannot_be_read_is_no_answer(says):
    says("squeue", "one<><>two\n")
    with pytest.raises(NoAnswerError):
        Scheduler("slurm").queue()


def test_a_program_that_hangs_is_no_answer(says, monkeypatch, tmp_path):
    monkeypatch.setattr("workflows.scheduler._TIMEOUT_S", 0.3)
    says("squeue")
    (tmp_path / "squeue").write_text("#!/bin/sh\nexec sleep 20\n")
    with pytest.raises(NoAnswerError):
        Scheduler("slurm").queue()


def test_a_refusal_is_told(says, tmp_path):
    says("sbatch", error="sbatch: error: invalid account\n or so", status=1)
    with pytest.raises(WorkflowError, match="refused: sbatch: error: invalid account or so"):
        Scheduler("slurm").submit(tmp_path / "job.sh")


def test_a_machine_without_slurm_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(WorkflowError, match="no program squeue here"):
        Scheduler("slurm").queue()
