"""What the driver itself costs: a simulated campaign of many candidates with a stub potential.

Every candidate is one small structure. Each block of them is a stage computed at a cluster whose
scheduler is this machine (one process per shard): fingerprints, look-up in the database, shards
written, collected and removed, documents checked, spooled and stored. The stub costs nothing, so
that what is left is bookkeeping.

    python benchmarks/driver_scale.py --candidates 100000 --output driver_scale.json
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from monty.json import MSONable
from pymatgen.core import Lattice, Structure

import workflows.cluster
from potentials.identity import PotentialIdentity
from potentials.protocol import Calculation
from results.database import open_database
from workflows.cluster import Cluster
from workflows.places import computing_at
from workflows.profiles import Profile
from workflows.scheduler import Queue, QueuedJob
from workflows.settings import StoreSettings
from workflows.stages import run_stage
from workflows.tasks import EVALUATE, Done, System, Task


@dataclass(frozen=True)
class StubSettings(MSONable):
    """The stub has no settings."""

    name: str = "stub"


class StubPotential:
    """Covers everything and is always the same."""

    identity = PotentialIdentity(
        name="stub", sha256="0" * 64, head=None, dtype="float64", dispersion=None, versions={}
    )

    def check_elements(self, _symbols: set[str]) -> None:
        """Every element is covered."""


def load(_settings: StubSettings) -> tuple[StubPotential, None]:
    return StubPotential(), None


def compute(
    _engine: None, systems: Sequence[System], _parameters: Mapping[str, Any], done: Done
) -> None:
    for position, (structure,) in enumerate(systems):
        forces = np.zeros((len(structure), 3))
        energy = -3.0 * len(structure) + structure.lattice.a
        done(
            position,
            Calculation(structure, energy, forces, None, True, None, 0.0, 0, 1, 0.0),
        )


STUB = Task("stub", "benchmarks.driver_scale:STUB", compute, EVALUATE.document, load)


class ThisMachine:
    """Stands where `workflows.scheduler.Scheduler` stands: a job is a process here."""

    jobs: dict[str, subprocess.Popen[bytes]] = {}  # noqa: RUF012
    arrays: dict[str, str] = {}  # noqa: RUF012

    def __init__(self, _kind: str) -> None:
        pass

    def script(self, _profile: Profile, array: Path, _name: str, n_elements: int) -> str:
        """One line per element."""
        run = f"{sys.executable} -m workflows.shard {array}"
        return "\n".join(f"{run} {index}" for index in range(1, n_elements + 1))

    def submit(self, script: Path) -> str:
        """Run the elements one after the other, apart."""
        number = str(len(self.jobs) + 1)
        self.jobs[number] = subprocess.Popen(["bash", str(script)])
        return number

    def queue(self) -> Queue:
        """The processes that live."""
        alive = [number for number, job in self.jobs.items() if job.poll() is None]
        return Queue([QueuedJob(number, number, "running") for number in alive])

    def cancel(self, _job_id: str, _index: int | None = None) -> None:
        """They end by themselves."""


def candidates(first: int, last: int) -> list[list[Structure]]:
    """Different cells of eight atoms, as `run_stage` takes them."""
    elements = ["Li"] * 4 + ["Cu"] * 4
    generator = np.random.default_rng(first)
    positions = generator.random((last - first, 8, 3))
    return [
        [Structure(Lattice.cubic(6.0 + 1e-4 * number), elements, sites)]
        for number, sites in zip(range(first, last), positions, strict=True)
    ]


def resident_mib() -> float:
    """Memory of this process now, MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description="Bookkeeping cost of the driver per candidate.")
    parser.add_argument("--candidates", type=int, default=10_000)
    parser.add_argument("--block", type=int, default=2_000, help="candidates of one stage")
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    workflows.cluster.Scheduler = ThisMachine  # type: ignore[assignment,misc]
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[1])
    profile = Profile(atoms_per_shard=8 * given.block, poll=0.2, heartbeat=1.0)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        database = f"{folder}/scale.db"
        stores = StoreSettings(database=database, spool=f"{folder}/spool")
        place = Cluster(Path(folder) / "shards", {"local": profile}, "local")
        for first in range(0, given.candidates, given.block):
            last = min(first + given.block, given.candidates)
            systems = candidates(first, last)
            cpu, wall = time.process_time(), time.monotonic()
            with computing_at(place):
                found = run_stage("stub", STUB, {}, systems, StubSettings(), stores)
            rows.append(
                {
                    "candidates": last,
                    "driver_cpu_ms": 1e3 * (time.process_time() - cpu) / (last - first),
                    "wall_ms": 1e3 * (time.monotonic() - wall) / (last - first),
                    "resident_mib": resident_mib(),
                    "database_mib": Path(database).stat().st_size / 2**20,
                }
            )
            assert all(document.converged for document in found)
            print(
                "{candidates:>8} candidates: driver {driver_cpu_ms:.2f} ms CPU each, "
                "{resident_mib:.0f} MiB, database {database_mib:.0f} MiB".format(**rows[-1]),
                flush=True,
            )
        with open_database(database) as opened:
            stored = opened.sql("SELECT count(*) AS n FROM calculations").rows[0]["n"]
    assert stored == given.candidates, stored
    summary = {
        "candidates": given.candidates,
        "driver_cpu_ms_per_candidate": sum(row["driver_cpu_ms"] for row in rows) / len(rows),
        "resident_mib_first": rows[0]["resident_mib"],
        "resident_mib_last": rows[-1]["resident_mib"],
        "blocks": rows,
    }
    if given.output:
        given.output.write_text(json.dumps(summary, indent=2) + "\n")
    print(json.dumps({key: value for key, value in summary.items() if key != "blocks"}, indent=2))


if __name__ == "__main__":
    # The shards import this file under its name as a module.
    sys.modules["benchmarks.driver_scale"] = sys.modules["__main__"]
    main()
