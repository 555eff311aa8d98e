"""This machine as a cluster of one: an array's shards as processes, one for each GPU.

For machines with several GPUs and no scheduler. An array is a process of its own, which the driver
may be killed beside::

    python -m workflows.workstation ARRAY SHARDS AT_ONCE GPUS CPUS

It starts ``python -m workflows.shard ARRAY INDEX`` for one element after the other, no more at a
time than there is room for. What runs is read from the command lines in Linux's ``/proc``.
"""

import fcntl
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from workflows.errors import WorkflowError
from workflows.profiles import Profile
from workflows.scheduler import Queue, QueuedJob, Scheduler, commands_of
from workflows.shard_array import ARRAY, JOB_OUTPUT, ShardArray

_PROGRAM, _SHARD = "workflows.workstation", "workflows.shard"


@dataclass(frozen=True)
class Workstation:
    """Submits, lists and ends arrays on this machine, as `Scheduler` does on a cluster."""

    def script(self, profile: Profile, array: Path, _job_name: str, n_elements: int) -> str:
        """The script of an array; as `Scheduler.script`."""
        numbers = (n_elements, profile.max_jobs, profile.gpus, profile.cpus)
        module = f"{_PROGRAM} {shlex.quote(str(array))} {' '.join(map(str, numbers))}"
        return "\n".join(["#!/bin/bash", *commands_of(profile, module), ""])

    def submit(self, script: Path) -> str:
        """Start an array; its number is its folder's name.

        Raises:
            WorkflowError: this machine has no ``/proc`` to see it in.
        """
        if not Path("/proc/self/cmdline").exists():
            raise WorkflowError("--on workstation: needs Linux's /proc; use --on here")
        with (script.parent / JOB_OUTPUT).open("wb") as out:
            # Forked away, it is nobody's child and no zombie when it ends.
            subprocess.run(
                ["setsid", "--fork", "bash", str(script)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                check=True,
            )
        return script.parent.name

    def queue(self) -> Queue:
        """The user's arrays on this machine and their elements."""
        running: dict[Path, set[int]] = {}
        arrays: dict[Path, int | None] = {}
        for process in _processes():
            if process.index is None:
                arrays[process.array] = process.n_elements or arrays.get(process.array)
            else:
                running.setdefault(process.array, set()).add(process.index)
        jobs = []
        for path in arrays.keys() | running.keys():
            array = ShardArray(path)
            n_elements = arrays.get(path)
            if path in arrays and n_elements is None:  # its script still sets the shell up
                jobs.append(QueuedJob(path.name, array.job_name, "queued"))
            for index in range(1, (n_elements or 0) + 1):
                if not array.output_file(index).exists():
                    jobs.append(QueuedJob(f"{path.name}_{index}", array.job_name, "queued"))
            for index in running.get(path, ()):
                jobs.append(QueuedJob(f"{path.name}_{index}", array.job_name, "running"))
        return Queue(jobs)

    def cancel(self, job_id: str, index: int | None = None) -> None:
        """End an array, or one of its elements."""
        for process in _processes():
            if process.array.name == job_id and index in (None, process.index):
                with suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGTERM)


def batch_system(profile: Profile) -> Scheduler | Workstation:
    """What runs the arrays of a profile."""
    kind = profile.scheduler
    return Workstation() if kind == "workstation" else Scheduler(kind)


@dataclass(frozen=True)
class _Process:
    """A process of an array: its script, the one that starts its shards, or a shard.

    Attributes:
        pid: its number.
        array: the array's folder.
        n_elements: elements of the array, of the one that starts them.
        index: element, of a shard.
    """

    pid: int
    array: Path
    n_elements: int | None = None
    index: int | None = None


def _processes() -> Iterator[_Process]:
    """This user's processes that have to do with arrays."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            if folder.stat().st_uid != os.getuid():
                continue
            words = [os.fsdecode(word) for word in (folder / "cmdline").read_bytes().split(b"\0")]
            pid = int(folder.name)
            if _PROGRAM in words:
                array, n_elements, *_ = words[words.index(_PROGRAM) + 1 :]
                yield _Process(pid, Path(array), n_elements=int(n_elements))
            elif _SHARD in words:
                array, index, *_ = words[words.index(_SHARD) + 1 :]
                yield _Process(pid, Path(array), index=int(index))
            elif words[0] == "bash" and Path(words[1]).with_name(ARRAY).is_file():
                yield _Process(pid, Path(words[1]).parent)


def main(arguments: Sequence[str]) -> None:
    """Run every shard of an array.

    Args:
        arguments: the array's folder, its number of elements, how many of them may run at a time,
            and the GPUs and cores of each.
    """
    array = ShardArray(Path(arguments[0]))
    n_elements, at_once, gpus, cpus = map(int, arguments[1:])
    visible = _visible_gpus() if gpus else []
    room = len(visible) // gpus if gpus else len(os.sched_getaffinity(0)) // cpus
    if not room and gpus:
        sys.exit(f"the profile asks for {gpus} GPUs and this machine shows {len(visible)}")
    indices = iter(range(1, n_elements + 1))
    threads = [
        Thread(target=_serve, args=(array, slot, visible[slot * gpus : (slot + 1) * gpus], indices))
        for slot in range(min(at_once, max(1, room), n_elements))
    ]
    for thread in threads:
        thread.start()


def _serve(array: ShardArray, slot: int, gpus: Sequence[str], indices: Iterator[int]) -> None:
    """Run one shard after the other in a slot, which the run's other arrays wait for."""
    environment = dict(os.environ)
    if gpus:
        environment["CUDA_VISIBLE_DEVICES"] = ",".join(gpus)
    with (array.path.parent / f"slot-{slot}").open("w") as lock:
        while True:
            fcntl.flock(lock, fcntl.LOCK_EX)
            index = next(indices, None)
            if index is None:
                return
            with array.output_file(index).open("wb") as out:
                subprocess.run(
                    [sys.executable, "-m", _SHARD, str(array.path), str(index)],
                    env=environment,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    check=False,
                )
            fcntl.flock(lock, fcntl.LOCK_UN)


def _visible_gpus() -> list[str]:
    """Names of the GPUs that this process may use."""
    import torch

    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = [str(i) for i in range(torch.cuda.device_count())]
    return names if chosen is None else chosen.split(",")[: len(names)]


if __name__ == "__main__":
    main(sys.argv[1:])
