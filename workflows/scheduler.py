"""SLURM and PBS through qtoolkit: the script of an array, submitting, asking, cancelling."""

import getpass
import importlib.util
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from workflows.errors import WorkflowError
from workflows.profiles import Profile

if TYPE_CHECKING:
    from qtoolkit.core.data_objects import QResources
    from qtoolkit.io.base import BaseSchedulerIO

_TIMEOUT_S = 60
"""A controller that has not answered by then is not answering."""
_INDEX = {"slurm": "$SLURM_ARRAY_TASK_ID", "pbs": "${PBS_ARRAY_INDEX:-1}"}
JobState = Literal["queued", "running", "ended"]
_INHERITED = ("LITHIOPHILE_CACHE", "PYTHONPATH")


class NoAnswerError(Exception):
    """The scheduler did not answer; ask again later."""


@dataclass(frozen=True)
class QueuedJob:
    """One line of the queue.

    Attributes:
        job_id: as the scheduler writes it, such as ``12_3`` or ``12_[4-9%2]``.
        name: of the job.
        state: of the job.
        runtime_s: how long it has run, s; None where the scheduler does not say.
        time_limit_s: its wall time, s; None where the scheduler does not say.
    """

    job_id: str
    name: str
    state: JobState
    runtime_s: int | None = None
    time_limit_s: int | None = None


class Queue:
    """What of a user's jobs is in the queue at one moment."""

    def __init__(self, jobs: list[QueuedJob]) -> None:
        self.jobs = jobs
        self._by_array: dict[str, list[QueuedJob]] = {}
        for job in jobs:
            self._by_array.setdefault(array_number(job.job_id), []).append(job)

    def element(self, job_id: str, index: int) -> QueuedJob | None:
        """The element ``index`` of the array ``job_id``; None where it is no longer there."""
        whole = None
        for job in self._by_array.get(array_number(job_id), []):
            part = _element_part(job.job_id)
            if not part:
                whole = job
            elif _covers(part, index):
                return job
        return whole

    def named(self, name: str) -> str | None:
        """The number of the job called ``name``."""
        for job in self.jobs:
            if job.name == name:
                return array_number(job.job_id)
        return None


@dataclass(frozen=True)
class Scheduler:
    """A cluster's batch system, as its command-line programs show it.

    Attributes:
        kind: which.
    """

    kind: Literal["slurm", "pbs"]

    def script(self, profile: Profile, array: Path, job_name: str, n_elements: int) -> str:
        """The script of an array whose element i computes its shards.

        Args:
            profile: what it asks for.
            array: the array's folder.
            job_name: name of the job.
            n_elements: elements, numbered from 1.
        """
        many = f"1-{n_elements}%{profile.max_jobs}"
        resources = resources_of(profile)
        resources.job_name = job_name
        special = resources.scheduler_kwargs = dict(resources.scheduler_kwargs or {})
        if self.kind == "slurm":
            resources.output_filepath = f"{array}/%a.out"
            lines = [f"--signal=B:USR1@{round(profile.signal_before)}", "--no-requeue"]
            special["array"] = many
            special["qverbatim"] = _directives("#SBATCH", [*lines, *profile.options])
        else:
            resources.output_filepath = f"{array}/^array_index^.out"
            resources.rerunnable = False
            if n_elements > 1:
                special["array"] = many
        # The shell becomes the shard, so that the scheduler's signals reach it.
        commands = commands_of(
            profile, f"workflows.shard {shlex.quote(str(array))} {_INDEX[self.kind]}"
        )
        return str(self._io().get_submission_script(commands, resources))

    def submit(self, script: Path) -> str:
        """Submit a script; the job's number.

        Raises:
            NoAnswerError: the scheduler did not answer; the job may be in the queue nevertheless.
            WorkflowError: it refused the job.
        """
        io = self._io()
        status, out, said = _run(io.get_submit_cmd(script.name), script.parent)
        result = io.parse_submit_output(exit_code=status, stdout=out, stderr=said)
        if status == 0 and result.job_id:
            return str(result.job_id)
        reason = " ".join((said or out).split()) or f"status {status}"
        if status == 0 or _is_silence(reason):
            raise NoAnswerError(reason)
        raise WorkflowError(
            f"{self.kind}: the job was refused: {reason}; mend the profile and run "
            "`lithiophile resume`"
        )

    def queue(self) -> Queue:
        """The user's jobs.

        Raises:
            NoAnswerError: the scheduler did not answer.
        """
        from qtoolkit.core.exceptions import CommandFailedError, OutputParsingError

        io = self._io()
        status, out, said = _run(io.get_jobs_list_cmd(None, getpass.getuser()))
        try:
            jobs = io.parse_jobs_list_output(status, out, said)
        except (CommandFailedError, OutputParsingError) as error:
            raise NoAnswerError(" ".join(str(error).split())) from error
        return Queue(
            [
                QueuedJob(
                    str(job.job_id),
                    str(job.name),
                    _STATES[job.state.value] if job.state else "running",
                    job.runtime,
                    job.info.time_limit if job.info else None,
                )
                for job in jobs
            ]
        )

    def cancel(self, job_id: str, index: int | None = None) -> None:
        """End a job, or one element of an array; one that is gone already is none to end.

        Raises:
            NoAnswerError: the scheduler did not answer.
        """
        number = job_id
        if index is not None:
            number = f"{job_id}_{index}" if self.kind == "slurm" else _pbs_element(job_id, index)
        status, _, said = _run(f"{self._io().CANCEL_CMD} {shlex.quote(number)}")
        if status != 0 and _is_silence(said):
            raise NoAnswerError(" ".join(said.split()))

    def _io(self) -> "BaseSchedulerIO":
        _check_qtoolkit()
        from qtoolkit.io.pbs import PBSIO
        from qtoolkit.io.slurm import SlurmIO

        return SlurmIO() if self.kind == "slurm" else PBSIO()


def resources_of(profile: Profile) -> "QResources":
    """What a job of a profile asks for, in qtoolkit's terms.

    qtoolkit writes what `QResources` knows; the rest goes in by its names of the directives.

    Raises:
        WorkflowError: qtoolkit is not installed, or the profile is a workstation's.
    """
    _check_qtoolkit()
    if profile.scheduler == "workstation":
        raise WorkflowError("profile: a workstation has no scheduler; give one for slurm or pbs")
    from qtoolkit.core.data_objects import ProcessPlacement, QResources

    slurm = profile.scheduler == "slurm"
    special: dict[str, str] = {}
    if slurm and profile.memory:
        special["mem"] = profile.memory
    if not slurm:
        special["select"] = _pbs_select(profile)
    if profile.options:
        special["qverbatim"] = _directives("#SBATCH" if slurm else "#PBS", profile.options)
    return QResources(
        queue_name=profile.partition,
        account=profile.account,
        qos=profile.qos if slurm else None,
        time_limit=profile.time_s,
        nodes=1,
        processes_per_node=1,
        threads_per_process=profile.cpus,
        process_placement=cast("ProcessPlacement", ProcessPlacement.EVENLY_DISTRIBUTED),
        gpus_per_job=(profile.gpus or None) if slurm else None,
        scheduler_kwargs=special,
    )


_STATES: dict[str, JobState] = {
    "UNDETERMINED": "running",
    "QUEUED": "queued",
    "QUEUED_HELD": "queued",
    "REQUEUED": "queued",
    "REQUEUED_HELD": "queued",
    "RUNNING": "running",
    "SUSPENDED": "queued",  # no heartbeat is to be expected of it
    "DONE": "ended",
    "FAILED": "ended",
}


def array_number(job_id: str) -> str:
    """A job's number without the element, the same for all of an array."""
    return re.sub(r"_.*$|\[.*?\]", "", job_id)


def _element_part(job_id: str) -> str:
    found = re.search(r"_(.+)$|\[(.+)\]", job_id)
    return "" if found is None else str(found[1] or found[2]).strip("[]")


def _covers(part: str, index: int) -> bool:
    """Whether ``7`` or ``4-9,12%2`` has ``index``; a list that was cut short (...) may have it."""
    for piece in part.partition("%")[0].split(","):
        first, _, last = piece.partition("-")
        if not first.isdigit():
            return True
        if int(first) <= index <= int(last.partition(":")[0] or first):
            return True
    return False


def _pbs_element(job_id: str, index: int) -> str:
    return job_id.replace("[]", f"[{index}]")


def _pbs_select(profile: Profile) -> str:
    select = f"select=1:ncpus={profile.cpus}"
    if profile.gpus:
        select += f":ngpus={profile.gpus}"
    if profile.memory:
        select += f":mem={profile.memory.lower()}b"
    return select


def _directives(mark: str, lines: Iterable[str]) -> str:
    return "\n".join(f"{mark} {line}" for line in lines)


def _check_qtoolkit() -> None:
    if importlib.util.find_spec("qtoolkit") is None:
        raise WorkflowError("--on: needs qtoolkit; install it with: pip install 'lithiophile[hpc]'")


def commands_of(profile: Profile, module: str) -> list[str]:
    """What a job's script runs: modules, variables, the user's own lines, and a module at last.

    Args:
        profile: of the job.
        module: the module's name and arguments, for the shell; it takes the shell's place.
    """
    lines = ["module purge", *(f"module load {one}" for one in profile.modules)]
    commands = lines if profile.modules else []
    threads = max(1, profile.cpus // profile.shards_per_job)
    inherited = {name: os.environ[name] for name in _INHERITED if os.environ.get(name)}
    variables = {"OMP_NUM_THREADS": str(threads)} | inherited | profile.environment
    commands += [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    if profile.preamble.strip():
        commands.append(profile.preamble.strip())
    python = profile.python or shlex.quote(sys.executable)
    return [*commands, f"cd {shlex.quote(str(Path.cwd()))}", f"exec {python} -m {module}"]


def _run(command: str, folder: Path | None = None) -> tuple[int, str, str]:
    """Exit status, output and errors of one of the scheduler's programs."""
    try:
        done = subprocess.run(
            command,
            shell=True,
            cwd=folder,
            capture_output=True,
            timeout=_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NoAnswerError(f"no answer in {_TIMEOUT_S} s") from error
    if done.returncode == 127:
        program = next(word for word in command.split() if "=" not in word)
        raise WorkflowError(f"--on: there is no program {program} here; run it on a login node")
    out, said = (part.decode(errors="replace") for part in (done.stdout, done.stderr))
    return done.returncode, out, said


def _is_silence(said: str) -> bool:
    """Whether an error is the controller's absence rather than its answer."""
    words = (
        "unable to contact",
        "timed out",
        "timeout",
        "connection",
        "communication",
        "try again",
    )
    return any(word in said.lower() for word in words)
