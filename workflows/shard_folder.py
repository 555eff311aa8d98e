"""A shard on the disk: the folder through which the driver and a compute node speak.

::

    input           what is computed: JSON, compressed, with its SHA-256 in the first line
    heartbeat       one record of fixed length, rewritten in place as long as the shard lives
    spool.jsonl     finished systems (results.spool), appended by the shard
    result.json     how the shard ended, renamed into place as its last act
    closed          written by the driver: end yourself, nobody waits for you any more

There is no pickle in it, no database and no clock that another machine would have to share.
"""

import hashlib
import json
import os
import shutil
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from workflows.errors import WorkflowError

if TYPE_CHECKING:
    from results.spool import Spool
    from workflows.tasks import StageWork

# The rest is imported where it is used: a shard beats before it has loaded what it computes with.

INPUT, HEARTBEAT, SPOOL, RESULT, CLOSED = (
    "input",
    "heartbeat",
    "spool.jsonl",
    "result.json",
    "closed",
)
_RECORD = 1024
"""Bytes of a heartbeat: rewritten in place, it needs no new room on a disk that is full."""

Phase = Literal["starting", "computing", "ended"]
Ending = Literal["done", "stopped", "interrupted", "failed"]


@dataclass(frozen=True)
class ShardOrders:
    """How a shard runs, beside what it computes.

    Attributes:
        beat_s: seconds between heartbeats.
        time_limit_s: wall time of its job, s; None where it has none.
        grace_s: seconds before the wall time at which it stops beginning anew.
        one_by_one: compute one system after the other and name the one in flight, to find the one
            that kills the shard.
    """

    beat_s: float = 15.0
    time_limit_s: float | None = None
    grace_s: float = 120.0
    one_by_one: bool = False


@dataclass(frozen=True)
class Beat:
    """One heartbeat.

    Attributes:
        count: beats so far; a shard lives as long as this changes.
        phase: loading, computing, or ended.
        current: fingerprint of the system in flight, with `ShardOrders.one_by_one` only.
        host: the node.
        pid: process on that node.
        message: why it cannot go on; empty otherwise.
        progress: how far systems that take long are, once a part of them is on the disk, from which
            another shard would go on; empty before.
    """

    count: int = 0
    phase: Phase = "starting"
    current: str = ""
    host: str = ""
    pid: int = 0
    message: str = ""
    progress: str = ""


@dataclass(frozen=True)
class Result:
    """How a shard ended.

    Attributes:
        ending: ``done``; ``stopped`` before the wall time; ``interrupted`` by whoever runs the
            node; ``failed``, as a whole.
        message: why, where it failed.
    """

    ending: Ending
    message: str = ""


@dataclass(frozen=True)
class ShardFolder:
    """A shard's folder, as both sides use it."""

    path: Path

    @property
    def spool(self) -> "Spool":
        """Where it puts the systems it has finished."""
        from results.spool import Spool

        return Spool(self.path / SPOOL)

    def write_input(self, work: "StageWork", orders: ShardOrders) -> None:
        """Make the folder with what is to be computed.

        Raises:
            OSError: it cannot be written.
        """
        content = {
            "stage": work.stage,
            "task": work.task.path,
            "parameters": dict(work.parameters),
            "settings": work.settings.as_dict(),
            "identity": dict(work.identity),
            "fingerprints": list(work.fingerprints),
            "systems": [[one.as_dict(verbosity=0) for one in system] for system in work.systems],
            "orders": vars(orders),
        }
        packed = zlib.compress(json.dumps(content, default=_plain).encode(), 1)
        self.path.mkdir(parents=True, exist_ok=True)
        write_whole(self.path / INPUT, hashlib.sha256(packed).hexdigest().encode() + b"\n" + packed)

    def read_input(self) -> "tuple[StageWork, ShardOrders]":
        """What `write_input` wrote.

        Raises:
            WorkflowError: it is missing, cut or damaged.
        """
        from monty.json import MontyDecoder
        from pymatgen.core import Structure

        from workflows.tasks import StageWork, task_at

        path = self.path / INPUT
        try:
            checksum, _, packed = path.read_bytes().partition(b"\n")
        except OSError as error:
            raise WorkflowError(f"shard: cannot read {path} ({error.strerror})") from error
        if hashlib.sha256(packed).hexdigest().encode() != checksum:
            raise WorkflowError(f"shard: {path} is cut or damaged; run `lithiophile resume`")
        data = json.loads(zlib.decompress(packed))
        work = StageWork(
            data["stage"],
            task_at(data["task"]),
            data["parameters"],
            MontyDecoder().process_decoded(data["settings"]),
            data["identity"],
            [[Structure.from_dict(one) for one in system] for system in data["systems"]],
            data["fingerprints"],
        )
        return work, ShardOrders(**data["orders"])

    def write_beat(self, beat: Beat) -> None:
        """Rewrite the heartbeat.

        Raises:
            OSError: the folder is gone or cannot be written.
        """
        record = json.dumps(vars(beat)).encode()
        if len(record) > _RECORD:
            record = json.dumps(vars(beat) | {"message": beat.message[:200]}).encode()
        descriptor = os.open(self.path / HEARTBEAT, os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            os.pwrite(descriptor, record[:_RECORD].ljust(_RECORD), 0)
        finally:
            os.close(descriptor)

    def read_beat(self) -> Beat | None:
        """The last heartbeat; None before the first, or where it is just being rewritten."""
        with suppress(OSError, ValueError, TypeError):
            return Beat(**json.loads((self.path / HEARTBEAT).read_bytes()))
        return None

    def write_result(self, result: Result) -> None:
        """Say how the shard ended, all or nothing.

        Raises:
            OSError: it cannot be written.
        """
        write_whole(self.path / RESULT, json.dumps(vars(result)).encode())

    def read_result(self) -> Result | None:
        """How the shard ended; None as long as it has not said so."""
        with suppress(OSError, ValueError, TypeError):
            return Result(**json.loads((self.path / RESULT).read_bytes()))
        return None

    def close(self) -> None:
        """Tell the shard, should it still live, that nobody waits for it."""
        with suppress(OSError):
            (self.path / CLOSED).touch()

    def remove(self) -> None:
        """Take it away; a driver that follows one killed here finds it closed or without input."""
        self.close()
        with suppress(OSError):
            (self.path / INPUT).unlink()
        shutil.rmtree(self.path, ignore_errors=True)

    @property
    def is_closed(self) -> bool:
        """Whether the driver has given the shard up."""
        return (self.path / CLOSED).exists()

    @property
    def exists(self) -> bool:
        """Whether the folder still has its input; scratch may be wiped under a running job."""
        return (self.path / INPUT).exists()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that whoever sees it sees all of it.

    Raises:
        OSError: it cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        with suppress(OSError):
            partial.unlink()
        raise


def read_json(path: Path) -> Mapping[str, Any] | None:
    """The object in a JSON file; None where there is none or it is damaged."""
    with suppress(OSError, ValueError):
        found = json.loads(path.read_bytes())
        return found if isinstance(found, dict) else None
    return None


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no place in a shard")
