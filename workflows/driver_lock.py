"""One driver per run: a lock that a dead driver does not hold, on any file system.

The lock is a file made whole by a hard link, and its owner rewrites a counter in it. On the same
machine a lock is stale when its process is gone; seen from another, when the counter stands still
while this process's own clock runs. Clocks of two machines are never compared.
"""

import json
import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from workflows.errors import WorkflowError

LOCK, CANCEL = "driver.lock", "cancel"
_BEAT_S = 5.0
_WATCH_S = 20.0
"""How long another machine's counter may stand still, at least; network file systems show a write
late."""
_RECORD = 512


@contextmanager
def driving(folder: Path, name: str, *, watch_s: float = _WATCH_S) -> Iterator[None]:
    """Be the only driver of the run in ``folder`` inside this block.

    A file ``cancel`` that appears in the folder interrupts the block as Ctrl-C does.

    Args:
        folder: the run's folder; made if it is not there.
        name: the run's name, for the message.
        watch_s: how long a lock of another machine is watched before it counts as stale, s.

    Raises:
        WorkflowError: another driver is at work, or the folder cannot be written.
    """
    token = uuid.uuid4().hex
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _acquire(folder, name, token, watch_s)
    except OSError as error:
        raise WorkflowError(
            f"run: {folder} cannot be written ({error.strerror}); mend its permissions, quota or "
            "disk, or give another --db"
        ) from error
    ended = threading.Event()
    beating = threading.Thread(target=_beat, args=(folder, token, ended), daemon=True)
    beating.start()
    try:
        yield
    finally:
        ended.set()
        beating.join()
        if _token(read_lock(folder)) == token:
            with suppress(OSError):
                (folder / LOCK).unlink()


def read_lock(folder: Path) -> Mapping[str, Any] | None:
    """Who holds the lock: ``host``, ``pid`` and more; None where nobody does."""
    return _read(folder / LOCK)


def lives_here(lock: Mapping[str, Any]) -> bool | None:
    """Whether the owner lives, where this machine can tell; None where it cannot."""
    here = _self("")
    if any(lock.get(key) != here[key] for key in ("host", "boot", "namespace")):
        return None
    if here["started"] is None:  # no /proc, as on macOS: its number may be another process's by now
        return None
    return _start_time(int(lock["pid"])) == lock["started"]


def _acquire(folder: Path, name: str, token: str, watch_s: float) -> None:
    mine = folder / f".{LOCK}.{token}"
    mine.write_bytes(_record(_self(token)))
    try:
        _hold(folder / LOCK, mine, name, token, watch_s)
    finally:
        mine.unlink(missing_ok=True)


def _hold(path: Path, mine: Path, name: str, token: str, watch_s: float) -> None:
    """Make ``path`` a link to ``mine``, in the place of a dead driver's if it must be.

    Only who holds the claim to follow a dead driver replaces its lock, and in one rename, so that
    the lock is never away while a slower one still looks at the dead driver's. A claim is held as
    the lock is, because its owner may die as well.
    """
    while True:
        with suppress(FileExistsError):
            os.link(mine, path)
            return
        lock = _read(path)
        if lock is None:
            continue
        if _token(lock) == token:
            return
        lives = lives_here(lock)
        if lives is None:
            lives = _changes(path, watch_s)
        if lives:
            raise WorkflowError(
                f"run: {name} is being driven by process {lock.get('pid')} on "
                f"{lock.get('host')}; follow it with `lithiophile status`, or end it with "
                "`lithiophile cancel`"
            )
        claim = path.with_name(f".{LOCK}.after-{_token(lock)}")
        _hold(claim, mine, name, token, watch_s)
        with suppress(FileNotFoundError):
            if _token(_read(path)) == _token(lock):
                claim.rename(path)
            else:
                claim.unlink()


def _read(path: Path) -> Mapping[str, Any] | None:
    with suppress(OSError, ValueError):
        found = json.loads(path.read_bytes())
        return found if isinstance(found, dict) else {}
    return {} if path.exists() else None


def _changes(path: Path, seconds: float) -> bool:
    """Whether the file changes within ``seconds`` of this process's clock."""
    first, until = _content(path), time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(min(0.5, seconds / 10))
        if _content(path) != first:
            return True
    return False


def _content(path: Path) -> bytes:
    with suppress(OSError):
        return path.read_bytes()
    return b""


def _beat(folder: Path, token: str, ended: threading.Event) -> None:
    """Count in the lock; interrupt the driver if the lock is lost or it is to be cancelled."""
    record = _self(token)
    while not ended.wait(_BEAT_S):
        lock = read_lock(folder)
        if (folder / CANCEL).exists() or (lock and _token(lock) != token):
            # A signal, because it also ends a sleep.
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            return
        record["beat"] += 1
        with suppress(OSError):
            descriptor = os.open(folder / LOCK, os.O_WRONLY)
            try:
                os.pwrite(descriptor, _record(record), 0)
            finally:
                os.close(descriptor)


def _record(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content).encode().ljust(_RECORD)


def _self(token: str) -> dict[str, Any]:
    pid = os.getpid()
    return {
        "token": token,
        "host": socket.gethostname(),
        "pid": pid,
        "started": _start_time(pid),
        "boot": _content(Path("/proc/sys/kernel/random/boot_id")).decode().strip(),
        "namespace": _namespace(),
        "beat": 0,
    }


def _namespace() -> str:
    """Which process numbers this process sees; a container has its own."""
    with suppress(OSError):
        return str(Path("/proc/self/ns/pid").readlink())
    return ""


def _start_time(pid: int) -> str | None:
    """When a process started, in ticks since boot, so that a number used again is told apart."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] == "Z" else fields[19]
    return None


def _token(lock: Mapping[str, Any] | None) -> str | None:
    return None if not lock else lock.get("token")
