"""A job array on the disk: its shards, and the job that it was submitted as.

::

    array.json     name of the job, profile, and for each element its shards with their history
    job.json       the job's number, once it is submitted
    shard-001/     a shard (workflows.shard_folder)
    1.out          what element 1 printed
    job.out        what the job printed that starts the elements, on a workstation

``array.json`` is written before the job is submitted and names it uniquely: a driver killed between
submitting and noting the number finds the job by its name.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from workflows.errors import WorkflowError
from workflows.shard_folder import ShardFolder, read_json, write_whole

ARRAY, JOB, JOB_OUTPUT = "array.json", "job.json", "job.out"
JOB_PREFIX = "lithiophile"


@dataclass(frozen=True)
class Group:
    """Systems that are computed together, and what happened to them before.

    Attributes:
        fingerprints: the systems.
        deaths: shards of this group that died without finishing anything.
        stops: shards of it that came to their wall time without finishing anything.
        false_starts: shards of it that ended before they began to compute.
        one_by_one: computed one after the other, to find the one that kills.
        kills: deaths of a shard while this system was alone in flight.
        time: wall time of its next shard where it needs more than the profile's, else empty.
    """

    fingerprints: tuple[str, ...]
    deaths: int = 0
    stops: int = 0
    false_starts: int = 0
    one_by_one: bool = False
    kills: Mapping[str, int] = field(default_factory=dict)
    time: str = ""


@dataclass(frozen=True)
class ShardArray:
    """An array's folder.

    Attributes:
        path: the folder.
    """

    path: Path

    @classmethod
    def create(
        cls, folder: Path, profile: str, elements: Sequence[Sequence[tuple[str, Group]]]
    ) -> "ShardArray":
        """Note an array that is about to be submitted, in a new folder of ``folder``.

        Args:
            folder: where the stage keeps its arrays.
            profile: name of the profile it is submitted with.
            elements: for each element the names of its shards with their groups.

        Raises:
            OSError: it cannot be written.
        """
        array = cls(folder / uuid.uuid4().hex[:12])
        array.path.mkdir(parents=True)
        content = {
            "profile": profile,
            "elements": [
                [{"shard": name, "group": asdict(group)} for name, group in element]
                for element in elements
            ],
        }
        write_whole(array.path / ARRAY, json.dumps(content).encode())
        return array

    @property
    def job_name(self) -> str:
        """Name of its job, of no other job."""
        return f"{JOB_PREFIX}-{self.path.name}"

    @property
    def profile(self) -> str:
        """Name of the profile it was submitted with.

        Raises:
            WorkflowError: its description is missing or damaged.
        """
        return str(self._content()["profile"])

    @property
    def job_id(self) -> str | None:
        """Number of its job; None if it was never noted."""
        noted = read_json(self.path / JOB)
        return None if noted is None else str(noted["job_id"])

    def note_job(self, job_id: str) -> None:
        """Keep the number of its job.

        Raises:
            OSError: it cannot be written.
        """
        write_whole(self.path / JOB, json.dumps({"job_id": job_id}).encode())

    def shards(self) -> list[tuple[int, ShardFolder, Group]]:
        """For every shard the index of its element (from 1), its folder and its group.

        Raises:
            WorkflowError: its description is missing or damaged.
        """
        found = []
        for index, element in enumerate(self._content()["elements"], start=1):
            for one in element:
                group = dict(one["group"])
                group["fingerprints"] = tuple(group["fingerprints"])
                found.append((index, ShardFolder(self.path / one["shard"]), Group(**group)))
        return found

    def element(self, index: int) -> list[ShardFolder]:
        """The shards of the element ``index``, from 1.

        Raises:
            WorkflowError: as `shards`; or there is no such element.
        """
        folders = [folder for number, folder, _ in self.shards() if number == index]
        if not folders:
            raise WorkflowError(f"array: {self.path} has no element {index}")
        return folders

    def output_file(self, index: int) -> Path:
        """Where an element's output goes."""
        return self.path / f"{index}.out"

    def output(self, index: int) -> str:
        """The last lines of what an element, or else its job, printed; empty if nothing."""
        for path in (self.output_file(index), self.path / JOB_OUTPUT):
            with suppress(OSError):
                if text := path.read_bytes()[-4000:].decode(errors="replace").strip():
                    return "\n".join(text.splitlines()[-8:])
        return ""

    def _content(self) -> Mapping[str, Any]:
        content = read_json(self.path / ARRAY)
        if content is None:
            raise WorkflowError(f"array: {self.path / ARRAY} is missing or damaged")
        return content


def arrays_in(folder: Path) -> list[ShardArray]:
    """The arrays that a stage keeps in its folder, in the order of their names."""
    if not folder.is_dir():
        return []
    return [ShardArray(path.parent) for path in sorted(folder.glob(f"*/{ARRAY}"))]
