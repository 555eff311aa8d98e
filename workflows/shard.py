"""What runs on a compute node: ``python -m workflows.shard ARRAY INDEX``.

It needs no network and no database. Its only way out is its folder (`workflows.shard_folder`):
every finished system goes to the spool at once, a heartbeat says that it lives, and its last act is
a result renamed into place. A signal before the wall time (or its own clock, where the scheduler
sends none) lets it finish what is in flight as far as the time allows.
"""

import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from workflows.errors import WorkflowError
from workflows.progress import StageEvent, listening
from workflows.shard_array import ShardArray
from workflows.shard_folder import Beat, Ending, Result, ShardFolder, ShardOrders

if TYPE_CHECKING:
    from results.documents import AnyCalculation
    from workflows.tasks import StageWork

SOON, NOW = signal.SIGUSR1, signal.SIGTERM
"""What the scheduler sends some time before the wall time, and what it sends at the end."""
_MARGIN = 0.2
"""Part of the grace that is kept for writing the result and ending."""
_FOLDER = "--folder"


def main(arguments: Sequence[str]) -> int:
    """Run the shards of one element of an array; the exit status, 0 for done or stopped.

    Args:
        arguments: the array's folder and the element's index from 1; or ``--folder`` and a shard's
            folder.
    """
    if arguments[0] == _FOLDER:
        return run_shard(ShardFolder(Path(arguments[1])))
    array = ShardArray(Path(arguments[0]))
    folders = array.element(int(arguments[1]))
    if len(folders) == 1:
        return run_shard(folders[0])
    return _share_node([folder.path for folder in folders])


def run_shard(folder: ShardFolder) -> int:
    """Compute one shard in this process; the exit status."""
    watch = _Watch(folder)
    if not folder.exists or folder.is_closed or folder.read_result() is not None:
        return 0
    watch.start()
    try:
        _compute(folder, watch)
    except Exception as error:
        # First the result: a disk that is full may not take the traceback either.
        watch.end(Result("failed", f"{type(error).__name__}: {' '.join(str(error).split())}"))
        with suppress(OSError):
            traceback.print_exc()
        return 1
    watch.end(Result("done"))
    return 0


def _compute(folder: ShardFolder, watch: "_Watch") -> None:
    work, orders = folder.read_input()
    watch.follow(orders)
    spool = folder.spool
    known = spool.load()  # of a job that the scheduler itself started a second time
    potential, engine = work.task.load(work.settings)
    _check_identity(potential.identity.to_dict(), work.identity)
    left = [i for i, fingerprint in enumerate(work.fingerprints) if fingerprint not in known]

    def keep(document: "AnyCalculation") -> None:
        with watch.writing:
            spool.append(document)

    with listening(watch.note):
        if not orders.one_by_one:
            watch.say("computing")
            _part(work, left).compute(engine, keep)
            return
        for i in left:
            watch.say("computing", work.fingerprints[i])
            _part(work, [i]).compute(engine, keep)
            watch.stop_if_asked()


def _check_identity(here: Any, wanted: Any) -> None:
    for part in ("name", "sha256", "head", "dtype", "dispersion"):
        if here[part] != wanted[part]:
            raise WorkflowError(
                f"potential: {part} is {here[part]} on {socket.gethostname()} and {wanted[part]} "
                "for the driver; give both the same weights"
            )


def _part(work: "StageWork", positions: Sequence[int]) -> "StageWork":
    return replace(
        work,
        systems=[work.systems[i] for i in positions],
        fingerprints=[work.fingerprints[i] for i in positions],
    )


class _Watch(threading.Thread):
    """Beats, hears signals, minds the wall time, and ends the process when it has to."""

    def __init__(self, folder: ShardFolder) -> None:
        super().__init__(name="watch", daemon=True)
        self.writing = threading.Lock()
        """Held while a system is written: the process does not end in between."""
        self._folder = folder
        self._orders = ShardOrders()
        self._beat = Beat(host=socket.gethostname(), pid=os.getpid())
        self._beating = threading.Lock()
        self._begun = time.monotonic()
        self._parent = os.getppid()
        self._asked_at: float | None = None
        self._signals, self._bell = _hear((SOON, NOW))

    def follow(self, orders: ShardOrders) -> None:
        """Beat and stop as ordered."""
        self._orders = orders
        os.write(self._bell, b"\0")  # it may be waiting for a beat of the usual length

    def say(self, phase: str, current: str = "") -> None:
        """Beat at once, with what is being done."""
        self._pulse(phase=phase, current=current)

    def note(self, event: StageEvent) -> None:
        """Beat with what a task says of systems that take long (`Beat.progress`)."""
        self._pulse(progress=f"{event.stage} {event.done}/{event.total}")

    def end(self, result: Result) -> None:
        """Write the result; where the disk takes none, the heartbeat at least says why."""
        self._pulse(phase="ended", message=result.message)
        with suppress(OSError):
            self._folder.write_result(result)

    def stop_if_asked(self) -> None:
        """End here, between two systems, if the wall time is near."""
        if self._asked_at is not None:
            self._stop()

    def run(self) -> None:
        """Watch until the process ends."""
        while True:
            self._pulse()
            heard = self._wait()
            # Without its parent it is out of the scheduler's control and soon in another's way.
            if NOW in heard or os.getppid() != self._parent:
                self._stop("interrupted" if self._asked_at is None else "stopped")
            now = time.monotonic()
            if self._asked_at is None and (SOON in heard or self._is_late(now)):
                self._asked_at = now
            if (
                self._asked_at is not None
                and now - self._asked_at > (1 - _MARGIN) * self._orders.grace_s
            ):
                self._stop()
            if not self._folder.exists or self._folder.is_closed:
                os._exit(3)

    def _wait(self) -> bytes:
        pause = self._orders.beat_s
        if self._asked_at is not None:
            pause = min(pause, max(0.05, self._orders.grace_s * _MARGIN / 2))
        if not select.select([self._signals], [], [], pause)[0]:
            return b""
        return os.read(self._signals, 64)

    def _is_late(self, now: float) -> bool:
        limit = self._orders.time_limit_s
        return limit is not None and now - self._begun > limit - self._orders.grace_s

    def _pulse(self, **changes: Any) -> None:
        with self._beating:
            self._beat = replace(self._beat, count=self._beat.count + 1, **changes)
            # A disk that fails for a moment costs a beat; the driver allows for many.
            with suppress(OSError):
                self._folder.write_beat(self._beat)

    def _stop(self, ending: Ending = "stopped") -> None:
        """End between two writes; what is finished is on the disk."""
        with self.writing:
            self.end(Result(ending))
            os._exit(0)


def _hear(signals: Sequence[signal.Signals]) -> tuple[int, int]:
    """Two ends of a pipe: from the first the numbers of ``signals`` can be read as they come.

    Python's own handlers wait for the main thread, which may be inside a long computation.
    """

    def nothing(_number: int, _frame: FrameType | None) -> None:
        pass

    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in signals:
        signal.signal(number, nothing)
    return reader, writer


def _share_node(paths: Sequence[Path]) -> int:
    """One process per shard, the job's GPUs dealt out among them; the worst exit status."""
    program = [sys.executable, *sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1]]
    gpus = [gpu for gpu in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if gpu]
    children: list[subprocess.Popen[bytes]] = []

    def forward(number: int, _frame: FrameType | None) -> None:
        for child in children:
            if child.poll() is None:
                child.send_signal(number)

    for number in (SOON, NOW):
        signal.signal(number, forward)
    for position, path in enumerate(paths):
        environment = dict(os.environ)
        if gpus:
            environment["CUDA_VISIBLE_DEVICES"] = gpus[position % len(gpus)]
        children.append(subprocess.Popen([*program, _FOLDER, str(path)], env=environment))
    return max(abs(child.wait()) for child in children)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
