"""The fault drill: a campaign on SLURM, parts killed at random, against an undisturbed one.

    python -m tests.fault_drill --kills 30             a stage of a stub potential, minutes
    python -m tests.fault_drill --kills 30 --campaign  a whole campaign of `mini`, half an hour

``kill -9`` hits the driver, shards, slurmstepds and a client that reads the database. In the end
the results are those of the undisturbed run, no system whose result was on the disk was computed
again, and no process, job, lock or folder is left.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from results.database import open_database
from tests.services.slurm import Slurm, running_slurm

ROOT = Path(__file__).parents[1]
KINDS = ("driver", "shard", "slurmstepd", "client")
CAMPAIGN = """\
name: drill
potential: mini
screens: {collectors: {hosts: [Cu], facets: [[1, 1, 1], [1, 0, 0]]}}
limits: {max_interface_atoms: 60, max_strain: 0.05}
slab: {thickness: 5.0, vacuum: 8.0}
relaxation: {fmax: 0.1, max_steps: 30}
neb: {images: 3, fmax: 0.3, max_steps: 10}
"""
PROFILES = """\
cpu:
  time: "00:30:00"
  atoms_per_shard: {atoms}
  poll: 0.3
  heartbeat: 0.3
  heartbeat_timeout: {silence}
  signal_before: 5
  python: {python}
  environment: {{PYTHONPATH: {root}, DRILL_LOG: {log}, STUB_SECONDS: "{seconds}"}}
"""
SHARD = """\
#!/bin/sh
# Stands where the profile's python stands: a shard that also logs what it has finished.
shift 2
exec {python} -m tests.drill_shard "$@"
"""
CLIENT = "import sys, time\nfrom results.database import open_database\n"
CLIENT += "while True:\n    open_database(sys.argv[1]).sql('SELECT count(*) FROM calculations')\n"
CLIENT += "    time.sleep(0.05)\n"


@dataclass
class Outcome:
    """What a drill found.

    Attributes:
        kills: how many of each kind hit.
        drivers: drivers that were started.
        computed: how often each system was finished on a node.
        differences: what is not as in the undisturbed run.
        left: processes, jobs and files that should not be there.
        seconds: duration.
    """

    kills: Counter[str] = field(default_factory=Counter)
    drivers: int = 0
    computed: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def twice(self) -> list[str]:
        """Systems that were computed although their result was on the disk."""
        return [name for name, times in self.computed.items() if times > 1]


class Drill:
    """A campaign in a folder of its own, run by killable drivers."""

    def __init__(self, slurm: Slurm, folder: Path, *, campaign: bool, n_systems: int) -> None:
        self.slurm, self.folder, self.campaign = slurm, folder, campaign
        self.database = folder / "drill.db"
        self.log = folder / "log"
        self.log.mkdir()
        shard = folder / "shard-python"
        shard.write_text(SHARD.format(python=sys.executable))
        shard.chmod(0o755)
        (folder / "profiles.yaml").write_text(
            PROFILES.format(
                atoms=150 if campaign else 4,
                silence=60 if campaign else 8,
                python=shard,
                root=ROOT,
                log=self.log,
                seconds=0.3,
            )
        )
        (folder / "campaign.yaml").write_text(CAMPAIGN)
        self.environment = (
            os.environ
            | slurm.environment
            | {
                "LITHIOPHILE_PROFILES": str(folder / "profiles.yaml"),
                "PYTHONPATH": str(ROOT),
                "OMP_NUM_THREADS": "1",
            }
        )
        self.n_systems = n_systems

    def command(self, database: Path, *, cluster: bool) -> list[str]:
        """What runs the campaign."""
        if self.campaign:
            on = ["--on", "slurm", "--profile", "cpu"] if cluster else []
            program = "from screen.cli import main; main()"
            file, report = str(self.folder / "campaign.yaml"), str(self.folder / "report.html")
            head = [sys.executable, "-c", program, "run", file]
            return [*head, "--db", str(database), "--output", report, *on]
        where = "slurm" if cluster else "here"
        head = [sys.executable, "-m", "tests.drill_stage", str(database), str(self.n_systems)]
        return [*head, where]

    def undisturbed(self) -> Path:
        """The database of a run on this machine that nothing disturbs."""
        database = self.folder / "reference.db"
        self._run(self.command(database, cluster=False))
        return database

    def disturbed(self, kills: int, pause: tuple[float, float], seed: int) -> Outcome:
        """Run the campaign on SLURM and kill until ``kills`` hit; then let it finish."""
        chance = random.Random(seed)
        outcome = Outcome()
        begun = time.monotonic()
        driver = self._start_driver(outcome)
        client = self._start_client()
        try:
            while True:
                until = time.monotonic() + chance.uniform(*pause)
                while time.monotonic() < until and driver.poll() is None:
                    time.sleep(0.05)
                if driver.poll() is not None:
                    if driver.returncode == 0:
                        break
                    if driver.returncode != -signal.SIGKILL:
                        said = (self.folder / "driver.log").read_text()[-2000:]
                        raise RuntimeError(f"the driver ended with {driver.returncode}: {said}")
                    driver = self._start_driver(outcome)
                    continue
                if sum(outcome.kills.values()) >= kills:
                    continue
                fewest = min(outcome.kills[kind] for kind in KINDS)
                kind = chance.choice([one for one in KINDS if outcome.kills[one] <= fewest + 1])
                pids = self._targets(kind, driver, client)
                if not pids:
                    continue
                with suppress(ProcessLookupError):
                    os.kill(chance.choice(pids), signal.SIGKILL)
                    outcome.kills[kind] += 1
                if kind == "client":
                    client.wait()
                    client = self._start_client()
        finally:
            for process in (driver, client):
                process.kill()
                process.wait()
        outcome.seconds = time.monotonic() - begun
        outcome.computed = Counter(path.name.partition("-")[0] for path in self.log.iterdir())
        outcome.left = list(self._left())
        return outcome

    def _start_driver(self, outcome: Outcome) -> subprocess.Popen[bytes]:
        outcome.drivers += 1
        with (self.folder / "driver.log").open("ab") as log:
            return subprocess.Popen(
                self.command(self.database, cluster=True),
                env=self.environment,
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )

    def _start_client(self) -> subprocess.Popen[bytes]:
        open_database(self.database).close()
        return subprocess.Popen(
            [sys.executable, "-c", CLIENT, str(self.database)],
            env=self.environment,
            stderr=subprocess.DEVNULL,
        )

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(
            command, env=self.environment, cwd=self.folder, capture_output=True, text=True
        )
        if done.returncode != 0:
            raise RuntimeError(done.stderr[-2000:])

    def _targets(
        self, kind: str, driver: subprocess.Popen[bytes], client: subprocess.Popen[bytes]
    ) -> list[int]:
        if kind == "driver":
            return [driver.pid]
        if kind == "client":
            return [client.pid]
        return self.slurm.step_pids() if kind == "slurmstepd" else self.shard_pids()

    def shard_pids(self) -> list[int]:
        """Processes of this drill's shards."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    line = (entry / "cmdline").read_bytes()
                    if b"drill_shard" in line and str(self.folder).encode() in line:
                        found.append(int(entry.name))
        return found

    def _left(self) -> Iterator[str]:
        with suppress(AssertionError):
            self.slurm.wait_empty(60)
        yield from (f"job {job}" for job in self.slurm.jobs())
        yield from (f"process {pid}" for pid in self.shard_pids())
        spool = self.folder / "drill.db-spool"
        if spool.exists():
            yield from (f"file {path}" for path in spool.rglob("*") if path.is_file())

    def differences(self, reference: Path) -> Iterator[str]:
        """Where the drilled results are not those of the undisturbed run.

        Systems are batched differently, so that numbers may differ by rounding.
        """
        if self.campaign:
            yield from _differing_candidates(reference, self.database)
            return
        text = "SELECT fingerprint, energy_ev, converged, failure FROM calculations ORDER BY 1"
        one, other = (open_database(path).sql(text).rows for path in (reference, self.database))
        if one != other:
            yield f"{len(one)} calculations undisturbed, {len(other)} drilled, and not the same"


def _differing_candidates(reference: Path, drilled: Path) -> Iterator[str]:
    with open_database(reference) as one, open_database(drilled) as other:
        documents = [
            {(c.host, c.miller_index, c.termination): c for c in database.candidates()}
            for database in (one, other)
        ]
    if documents[0].keys() != documents[1].keys():
        yield f"candidates {sorted(documents[0])} undisturbed, {sorted(documents[1])} drilled"
        return
    for key, candidate in documents[0].items():
        for wanted, got in zip(candidate.properties(), documents[1][key].properties(), strict=True):
            if wanted.converged != got.converged or wanted.failure != got.failure:
                yield f"{key} {wanted.name}: {wanted.failure} undisturbed, {got.failure} drilled"
            elif (wanted.value is None) != (got.value is None) or (
                wanted.value is not None
                and got.value is not None
                and abs(wanted.value - got.value) > 1e-5 * max(1.0, abs(wanted.value))
            ):
                yield f"{key} {wanted.name}: {wanted.value} undisturbed, {got.value} drilled"


def drill(
    kills: int,
    *,
    campaign: bool = False,
    n_systems: int = 40,
    pause: tuple[float, float] = (1.0, 4.0),
    seed: int = 1,
    tell: Callable[[str], None] = print,
) -> Outcome:
    """Run a drill in a temporary folder and say what came of it."""
    folder = Path(tempfile.mkdtemp(prefix="lithiophile-drill-"))
    try:
        with running_slurm() as slurm:
            one = Drill(slurm, folder, campaign=campaign, n_systems=n_systems)
            reference = one.undisturbed()
            tell("undisturbed run done")
            outcome = one.disturbed(kills, pause, seed)
            outcome.differences = list(one.differences(reference))
            return outcome
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """Run the drill from the command line; 0 if nothing was lost, left or done twice."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--campaign", action="store_true", help="a whole campaign with mini")
    parser.add_argument("--systems", type=int, default=40, help="of the stub's stage")
    parser.add_argument("--pause", type=float, nargs=2, default=(1.0, 4.0), metavar=("MIN", "MAX"))
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # leaves no daemon behind
    outcome = drill(
        given.kills,
        campaign=given.campaign,
        n_systems=given.systems,
        pause=tuple(given.pause),
        seed=given.seed,
    )
    print(
        json.dumps(
            {
                "kills": dict(outcome.kills),
                "drivers": outcome.drivers,
                "finished": len(outcome.computed),
                "computed_twice": outcome.twice,
                "differences": outcome.differences,
                "left": outcome.left,
                "seconds": round(outcome.seconds, 1),
            },
            indent=2,
        )
    )
    hit = sum(outcome.kills.values()) >= given.kills
    return 0 if hit and not (outcome.differences or outcome.left or outcome.twice) else 1


if __name__ == "__main__":
    sys.exit(main())
