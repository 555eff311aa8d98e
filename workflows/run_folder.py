"""A run's folder beside its database: what it is, how far it is, and its shards.

::

    run.json        what was asked for, from which the run is resumed
    progress.json   how far its stages are
    driver.lock     who drives it (workflows.driver_lock)
    *.jsonl         spools of stages
    shards-*/       job arrays (workflows.shard_array), unless a profile says otherwise
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from workflows.driver_lock import CANCEL, driving
from workflows.errors import WorkflowError
from workflows.progress import Listener, StageEvent
from workflows.shard_folder import read_json, write_whole

RUN, PROGRESS = "run.json", "progress.json"
_WRITE_EVERY_S = 1.0


@dataclass(frozen=True)
class RunRequest:
    """What was asked for, enough to ask for it again.

    Attributes:
        name: the campaign's name.
        text: the campaign file's content.
        source: the file's name, for messages.
        database: path or URL of the database.
        on: ``here``, ``slurm``, ``pbs`` or ``workstation``.
        profile: name of the profile; None here.
        profiles: the profiles file; None here.
        output: the report's path; None without one.
    """

    name: str
    text: str
    source: str
    database: str
    on: str = "here"
    profile: str | None = None
    profiles: str | None = None
    output: str | None = None


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run.

    Attributes:
        path: the folder, absolute.
    """

    path: Path

    @classmethod
    def beside(cls, location: str, name: str) -> "RunFolder":
        """The folder of the run ``name`` on the database at ``location``."""
        return cls(_all_runs(location) / name)

    @property
    def shards(self) -> Path:
        """Where its shards live unless the profile says otherwise."""
        # Its name is of this run alone, also in a folder that runs of several databases share.
        number = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:8]
        return self.path / f"shards-{self.path.name}-{number}"

    def request(self) -> RunRequest:
        """What was asked for.

        Raises:
            WorkflowError: nothing is to be resumed here, or its description is damaged.
        """
        found = read_json(self.path / RUN)
        try:
            return RunRequest(**(found or {}))
        except TypeError:
            raise WorkflowError(
                f"run: {self.path / RUN} is missing or damaged; start it with `lithiophile run`"
            ) from None

    def progress(self) -> list[StageEvent]:
        """How far its stages are, as its driver wrote last."""
        found = read_json(self.path / PROGRESS)
        return [] if found is None else [StageEvent(**one) for one in found["stages"]]

    @contextmanager
    def drive(self, request: RunRequest, listener: Listener) -> Iterator[Listener]:
        """Be the run's only driver; the listener that also writes how far it is.

        Raises:
            WorkflowError: another driver is at work, or the folder cannot be written.
        """
        with driving(self.path, request.name):
            with suppress(OSError):
                (self.path / CANCEL).unlink(missing_ok=True)
            try:
                write_whole(self.path / RUN, json.dumps(asdict(request)).encode())
            except OSError as error:
                raise WorkflowError(
                    f"run: {self.path / RUN} cannot be written ({error.strerror}); free the disk "
                    "or its quota, or give another --db"
                ) from error
            yield _WritingListener(self.path / PROGRESS, listener)
        with suppress(OSError):  # unless something is left in it
            self.path.rmdir()
            self.path.parent.rmdir()

    def forget(self) -> None:
        """Take away what a finished run leaves; a spool that is still needed stays.

        By its driver, before the next one may begin.
        """
        shutil.rmtree(self.shards, ignore_errors=True)
        for name in (RUN, PROGRESS):
            with suppress(OSError):
                (self.path / name).unlink(missing_ok=True)


def unfinished_runs(location: str) -> list[RunFolder]:
    """The runs on the database at ``location`` that can be resumed, by their names."""
    found = sorted(_all_runs(location).glob(f"*/{RUN}"))
    return [RunFolder(path.parent) for path in found]


def find_run(location: str, name: str | None) -> RunFolder:
    """The unfinished run called ``name``, or the only one.

    Raises:
        WorkflowError: there is none, or several and no name.
    """
    runs = {run.path.name: run for run in unfinished_runs(location)}
    if not runs:
        raise WorkflowError(
            f"run: none on {location} is unfinished; start one with `lithiophile run`"
        )
    if name is None and len(runs) > 1:
        raise WorkflowError(f"--campaign: there are {', '.join(runs)}; name one")
    if name is not None and name not in runs:
        raise WorkflowError(
            f"--campaign = {name!r}: is not unfinished; there are {', '.join(runs)}"
        )
    return runs[name] if name is not None else next(iter(runs.values()))


def _all_runs(location: str) -> Path:
    beside = Path("lithiophile.db" if "://" in location else location).absolute()
    return beside.with_name(f"{beside.name}-spool")


class _WritingListener:
    """Writes how far the stages are, at most once a second, and passes it on."""

    def __init__(self, path: Path, listener: Listener) -> None:
        self._path = path
        self._listener = listener
        self._stages: dict[str, Mapping[str, Any]] = {}
        self._written_at = 0.0

    def __call__(self, event: StageEvent) -> None:
        self._listener(event)
        self._stages[event.stage] = asdict(event)
        now = time.monotonic()
        if event.done == event.total or now - self._written_at > _WRITE_EVERY_S:
            self._written_at = now
            # It is for `status` only: a full disk is told where it matters.
            with suppress(OSError):
                content = {"stages": list(self._stages.values())}
                write_whole(self._path, json.dumps(content).encode())
