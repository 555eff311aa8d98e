"""What is running: the driver, the stages and the shards of a run; and how to end it."""

import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from workflows.cluster import shards_folder
from workflows.driver_lock import CANCEL, lives_here, read_lock
from workflows.errors import WorkflowError
from workflows.profiles import Profile, read_profiles
from workflows.progress import StageEvent
from workflows.run_folder import RunFolder, RunRequest
from workflows.scheduler import NoAnswerError, Queue
from workflows.shard_array import ShardArray, arrays_in
from workflows.shard_folder import ShardFolder
from workflows.workstation import batch_system

_DRIVER_ENDS_S = 30.0


@dataclass(frozen=True)
class ShardStatus:
    """One shard that is out.

    Attributes:
        stage: name of its stage's folder.
        shard: array and number.
        job: the scheduler's number of its job.
        state: ``queued``, ``running``, ``ended`` (to be collected), ``gone``, or ``unknown`` where
            the scheduler does not answer.
        done: systems in its spool.
        total: systems it was given.
        host: its node, once it has started.
        silent_s: time since its last heartbeat, s, by the file server's clock; None before.
        left_s: wall time left, s; None where the scheduler does not say.
        progress: how far systems that take long are, such as ``500 K, ps 12/20``; else empty.
    """

    stage: str
    shard: str
    job: str
    state: str
    done: int
    total: int
    host: str
    silent_s: float | None
    left_s: int | None
    progress: str


@dataclass(frozen=True)
class RunStatus:
    """How far a run is.

    Attributes:
        name: of the campaign.
        on: ``here``, ``slurm``, ``pbs`` or ``workstation``.
        driver: who drives it; None where nobody does.
        stages: how far its stages are.
        shards: those that are out.
    """

    name: str
    on: str
    driver: str | None
    stages: list[StageEvent]
    shards: list[ShardStatus]


def run_status(run: RunFolder) -> RunStatus:
    """How far a run is, read from the disk and the queue without disturbing it.

    Raises:
        WorkflowError: its description is damaged, or its profile is gone.
    """
    request = run.request()
    queues: dict[str, Queue | None] = {}
    shards = []
    for stage, array, profile in _arrays(run, request):
        if profile.scheduler not in queues:
            queues[profile.scheduler] = _queue(profile)
        queue = queues[profile.scheduler]
        with suppress(WorkflowError):
            shards += [
                _shard_status(stage, array, index, folder, len(group.fingerprints), queue)
                for index, folder, group in array.shards()
                if folder.exists and not folder.is_closed
            ]
    return RunStatus(request.name, request.on, _driver(run), run.progress(), shards)


def cancel_run(run: RunFolder) -> int:
    """End a run's driver and its jobs; what is finished stays. The number of jobs ended.

    Raises:
        WorkflowError: its driver does not end, or the scheduler does not answer.
    """
    request = run.request()
    _end_driver(run)
    ended = 0
    for _, array, profile in _arrays(run, request):
        with suppress(WorkflowError):
            for _, folder, _group in array.shards():
                folder.close()
        scheduler = batch_system(profile)
        try:
            job_id = array.job_id or scheduler.queue().named(array.job_name)
            if job_id is not None:
                scheduler.cancel(job_id)
                ended += 1
        except NoAnswerError as error:
            raise WorkflowError(
                f"cancel: the scheduler does not answer ({error}); its shards end by themselves "
                "at their next heartbeat, or cancel again later"
            ) from error
    (run.path / CANCEL).unlink(missing_ok=True)
    return ended


def _end_driver(run: RunFolder) -> None:
    """Ask the driver to end, wherever it is, and wait until it has."""
    lock = read_lock(run.path)
    if not lock or lives_here(lock) is False:
        return
    (run.path / CANCEL).touch()
    if lives_here(lock):
        with suppress(ProcessLookupError):
            os.kill(int(lock["pid"]), signal.SIGINT)
    until = time.monotonic() + _DRIVER_ENDS_S
    last, changed_at = lock, time.monotonic()
    while time.monotonic() < until:
        now = read_lock(run.path)
        if now is None or lives_here(now) is False:
            return
        if now != last:
            last, changed_at = now, time.monotonic()
        time.sleep(0.2)
    if lives_here(last) is None and time.monotonic() - changed_at > _DRIVER_ENDS_S / 2:
        return  # another machine's driver that no longer counts
    raise WorkflowError(
        f"cancel: process {lock.get('pid')} on {lock.get('host')} does not end; end it there"
    )


def _arrays(run: RunFolder, request: RunRequest) -> Iterator[tuple[str, ShardArray, Profile]]:
    """Every array of a run with the name of its stage's folder and its profile."""
    if request.on == "here":
        return
    profiles = read_profiles(request.profiles)
    for folder in _stage_folders(run, profiles):
        for array in arrays_in(folder):
            with suppress(WorkflowError):
                if array.profile in profiles:
                    yield folder.name, array, profiles[array.profile]


def _stage_folders(run: RunFolder, profiles: Mapping[str, Profile]) -> list[Path]:
    base = run.shards
    roots = dict.fromkeys(shards_folder(base, profile) for profile in profiles.values())
    return [folder for root in roots if root.is_dir() for folder in sorted(root.iterdir())]


def _queue(profile: Profile) -> Queue | None:
    try:
        return batch_system(profile).queue()
    except NoAnswerError:
        return None


def _driver(run: RunFolder) -> str | None:
    lock = read_lock(run.path)
    if not lock or lives_here(lock) is False:
        return None
    return f"process {lock.get('pid')} on {lock.get('host')}"


def _shard_status(
    stage: str, array: ShardArray, index: int, folder: ShardFolder, total: int, queue: Queue | None
) -> ShardStatus:
    beat = folder.read_beat()
    job_id = array.job_id
    job = None if queue is None or job_id is None else queue.element(job_id, index)
    if folder.read_result() is not None:
        state = "ended"
    elif queue is None:
        state = "unknown"
    else:
        state = "gone" if job is None else job.state
    left = None
    if job is not None and job.time_limit_s is not None and job.runtime_s is not None:
        left = max(0, job.time_limit_s - job.runtime_s)
    return ShardStatus(
        stage,
        f"{array.path.name}/{folder.path.name}",
        f"{job_id or '?'}_{index}",
        state,
        _lines(folder.spool.path),
        total,
        "" if beat is None else beat.host,
        _age(folder),
        left,
        "" if beat is None else beat.progress,
    )


def _age(folder: ShardFolder) -> float | None:
    """Time since the last heartbeat; both times are those that the file server gave."""
    probe = folder.path / f".now-{os.getpid()}"
    try:
        beat_at = (folder.path / "heartbeat").stat().st_mtime
        probe.touch()
        now = probe.stat().st_mtime
        probe.unlink()
    except OSError:
        return None
    return max(0.0, now - beat_at)


def _lines(path: Path) -> int:
    try:
        with path.open("rb") as file:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
    except OSError:
        return 0
