"""A private single-node SLURM for one test session: its own daemons, ports, keys and fake GPUs."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

_CONFIGURATION = """\
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=10
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,sched_min_interval=0
JobRequeue=1
KillWait=2
MinJobAge=10
ReturnToService=2
SlurmdTimeout=60
InactiveLimit=0
MpiDefault=none
MailProg=/bin/true
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} Gres=gpu:{gpus} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
"""


@dataclass(frozen=True)
class Slurm:
    """A running SLURM."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What its programs need to find it."""
        return {"SLURM_CONF": str(self.folder / "slurm.conf")}

    def run(self, *command: str) -> str:
        """Output of one of its programs."""
        return subprocess.run(
            command,
            env=os.environ | self.environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def jobs(self) -> list[str]:
        """The numbers of all jobs in the queue."""
        return self.run("squeue", "--noheader", "-o", "%i").split()

    def pid(self, daemon: str) -> int:
        """Process of a daemon."""
        return int((self.folder / f"{daemon}.pid").read_text())

    def step_pids(self) -> list[int]:
        """Processes of the node's slurmstepds, by what they were started from."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    environment = (entry / "environ").read_bytes()
                    name = (entry / "comm").read_text().strip()
                    if name == "slurmstepd" and str(self.folder).encode() in environment:
                        found.append(int(entry.name))
        return found

    def wait_empty(self, seconds: float = 30) -> None:
        """Wait until no job is left."""
        deadline = time.monotonic() + seconds
        while self.jobs():
            assert time.monotonic() < deadline, self.run("squeue")
            time.sleep(0.3)


@contextmanager
def running_slurm(cpus: int = 2, gpus: int = 2) -> Iterator[Slurm]:
    """A fresh SLURM; the test is skipped where none can be started."""
    for program in ("slurmctld", "slurmd", "munged", "sbatch"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (Debian: slurm-wlm, munge)")
    if os.getuid() != 0:
        pytest.skip("a private SLURM needs root, for its node daemon and its fake GPUs")
    folder = Path(tempfile.mkdtemp(prefix="lithiophile-slurm-", dir="/tmp"))
    slurm = Slurm(folder)
    try:
        _start(slurm, cpus, gpus)
        yield slurm
    finally:
        _stop(slurm)


def _start(slurm: Slurm, cpus: int, gpus: int) -> None:
    folder, host = slurm.folder, socket.gethostname().split(".")[0]
    folder.chmod(0o755)
    for name in ("state", "spool", "munge"):
        (folder / name).mkdir()
    (folder / "munge").chmod(0o700)
    key = folder / "munge" / "key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    # SLURM sets CUDA_VISIBLE_DEVICES only for character devices: twins of /dev/null will do.
    for i in range(gpus):
        subprocess.run(["mknod", folder / f"gpu{i}", "c", "1", "3"], check=True)
    controller_port, node_port = _free_port(), _free_port()
    text = _CONFIGURATION.format(
        host=host,
        folder=folder,
        cpus=cpus,
        gpus=gpus,
        memory=int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**20 * 0.9),
        controller_port=controller_port,
        node_port=node_port,
    )
    (folder / "slurm.conf").write_text(text)
    (folder / "gres.conf").write_text(
        f"AutoDetect=off\nNodeName={host} Name=gpu File={folder}/gpu[0-{gpus - 1}]\n"
    )
    (folder / "cgroup.conf").write_text("CgroupPlugin=autodetect\n")
    environment = os.environ | slurm.environment

    def start(*command: str) -> None:
        subprocess.run(
            command,
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    start(
        "munged",
        "--force",
        f"--key-file={key}",
        f"--socket={folder}/munge.socket",
        f"--pid-file={folder}/munged.pid",
        f"--seed-file={folder}/munge/seed",
        f"--log-file={folder}/munged.log",
        "--num-threads=2",
    )
    start("slurmctld", "-f", str(folder / "slurm.conf"))
    start("slurmd", "-f", str(folder / "slurm.conf"), "-N", host)
    deadline = time.monotonic() + 40
    while not any(word in _nodes(slurm) for word in ("idle", "mixed", "allocated")):
        if time.monotonic() > deadline:
            pytest.skip(f"SLURM does not come up: {_last_line(folder / 'slurmctld.log')}")
        time.sleep(0.2)


def _stop(slurm: Slurm) -> None:
    with suppress(subprocess.SubprocessError):
        for job in slurm.jobs():
            slurm.run("scancel", job)
        slurm.wait_empty(10)
    for daemon in ("slurmd", "slurmctld", "munged"):
        with suppress(OSError, ValueError):
            pid = slurm.pid(daemon)
            os.kill(pid, signal.SIGTERM)
            for _ in range(50):
                os.kill(pid, 0)
                time.sleep(0.1)
            os.kill(pid, signal.SIGKILL)
    for pid in slurm.step_pids():
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(slurm.folder, ignore_errors=True)


def _nodes(slurm: Slurm) -> str:
    try:
        return slurm.run("sinfo", "--noheader", "-o", "%T")
    except subprocess.CalledProcessError:
        return ""


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return lines[-1] if lines else "it says nothing"


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
