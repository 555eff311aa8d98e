"""A private PostgreSQL server for one test session, on a unix socket in a folder of its own."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_DEBIAN_PROGRAMS = "/usr/lib/postgresql/*/bin/{name}"
_PORT = "54330"  # names the socket only; nothing listens on the network


@contextmanager
def running_server() -> Iterator[str]:
    """URL of a fresh server's empty database; the test is skipped where none can be started."""
    pytest.importorskip("psycopg", reason="the PostgreSQL driver is not installed")
    initdb, pg_ctl = program("initdb"), program("pg_ctl")
    if initdb is None or pg_ctl is None:
        pytest.skip("no PostgreSQL server is installed")
    user = _unprivileged_user()
    # Short, because a socket's path may have 107 characters only.
    folder = Path(tempfile.mkdtemp(prefix="lithiophile-pg-", dir="/tmp"))
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)

    def run(*command: str | Path) -> None:
        subprocess.run(
            [str(part) for part in command],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=folder,
            user=None if user is None else user.pw_uid,
            group=None if user is None else user.pw_gid,
        )

    data = folder / "data"
    try:
        run(initdb, "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
        options = f"-c listen_addresses='' -c fsync=off -k {folder} -p {_PORT}"
        run(pg_ctl, "-D", data, "-w", "-s", "-l", folder / "log", "-o", options, "start")
        try:
            yield f"postgresql://tester@/postgres?host={folder}&port={_PORT}"
        finally:
            run(pg_ctl, "-D", data, "-m", "immediate", "-s", "stop")
    finally:
        shutil.rmtree(folder)


def program(name: str) -> Path | None:
    """Where one of PostgreSQL's programs is; None where it is not installed."""
    on_path = shutil.which(name)
    found = (
        [Path(on_path)]
        if on_path
        else sorted(Path("/").glob(_DEBIAN_PROGRAMS[1:].format(name=name)))
    )
    return found[-1] if found else None


def _unprivileged_user() -> pwd.struct_passwd | None:
    """Whom to run the server as, which refuses to run as root; None for whom the tests run as."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    pytest.skip("running as root, and there is no user to run a PostgreSQL server as")
