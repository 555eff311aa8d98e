"""Opening a database: SQLite files and PostgreSQL addresses, and what can be wrong with them."""

import os
import re
import sqlite3
import struct
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError

from results.errors import ResultsError
from results.filesystems import network_filesystem
from results.migration import is_current, log_migration, migrate_sqlite, revision_of, upgrade
from results.schema import SCHEMA_REVISION, first_schema, metadata, schema_revisions

BUSY_TIMEOUT_S = 60
"""How long a SQLite writer waits for another before it gives up."""
WRITE = "lithiophile_write"
"""Execution option of connections that write: their transaction takes the write lock at once."""

_SQLITE_MAGIC = b"SQLite format 3\0"
_RECOVER = "restore a backup, or save what is left with: sqlite3 {path} .recover | sqlite3 new.db"
_LONGEST_NAME = 200
"""Bytes of a file's name that leave room for the names SQLite makes from it."""
_connections: Counter[tuple[int, int]] = Counter()
"""Open connections of this process on each SQLite file."""
_CREATION_LOCK = 7_155_144_841
"""Any number that no other program uses as PostgreSQL advisory lock."""


def connect(
    path_or_url: str | os.PathLike[str], *, must_exist: bool, migrate: bool = False
) -> tuple[sa.Engine, str]:
    """An engine on a database that has this version's tables, and its name for messages.

    Raises:
        ResultsError: as `results.database.open_database`.
    """
    text = os.fspath(path_or_url)
    scheme = re.match(r"([a-z0-9+]+)://", text)
    if scheme is None:
        return _connect_sqlite(Path(text), must_exist=must_exist)
    try:
        url = sa.make_url(text)
    except (SQLAlchemyError, ValueError):
        raise ResultsError(
            "database: the address cannot be read; write postgresql://user@host/name"
        ) from None
    backend = url.get_backend_name()
    if backend == "sqlite":
        if not url.database:
            raise ResultsError(f"database: {text} names no file; write sqlite:///results.db")
        return _connect_sqlite(Path(url.database), must_exist=must_exist)
    if backend == "postgresql":
        return _connect_postgresql(url, must_exist=must_exist, migrate=migrate)
    raise ResultsError(
        f"database: {scheme[1]} is not supported; give a file's path or postgresql://..."
    )


@contextmanager
def database_errors(name: str) -> Iterator[None]:
    """Turn the driver's exceptions into one line that says what to do.

    Raises:
        ResultsError: in their place; ``name`` is the database's.
    """
    try:
        yield
    except DBAPIError as error:
        raise ResultsError(explain(name, str(error.orig))) from error
    except sqlite3.Error as error:
        raise ResultsError(explain(name, str(error))) from error


def read_only_sqlite(path: Path) -> sqlite3.Connection:
    """A connection on which SQLite itself allows nothing but reading this one file."""
    connection = _open_sqlite(path)
    allowed = {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_RECURSIVE,
    }

    def authorize(action: int, *_: Any) -> int:
        return sqlite3.SQLITE_OK if action in allowed else sqlite3.SQLITE_DENY

    connection.execute("PRAGMA query_only = ON")
    connection.set_authorizer(authorize)
    return connection


def explain(name: str, problem: str) -> str:
    """One line on what went wrong with the database called ``name``, with the mend if known."""
    line = " ".join(problem.split())
    mends = {
        "malformed": f"the file is damaged; {_RECOVER.format(path=name)}",
        "not a database": f"the file is damaged or no database; {_RECOVER.format(path=name)}",
        "readonly": "it cannot be written; check its permissions and its folder's",
        "unable to open": "it cannot be opened; check its permissions and its folder's",
        "full": "the disk is full; free some space",
        "disk I/O": "the disk failed or is full; check it",
        "locked": f"another program has held it for {BUSY_TIMEOUT_S} s; wait for it or end it",
    }
    for part, mend in mends.items():
        if part in line:
            return f"database: {name}: {line}: {mend}"
    return f"database: {name}: {line}"


def _connect_sqlite(path: Path, *, must_exist: bool) -> tuple[sa.Engine, str]:
    name = str(path)
    _check_path(path, must_exist=must_exist)
    with database_errors(name):
        if not path.exists():
            _create_sqlite(path)
        _check_sqlite_file(path)
        engine = _sqlite_engine(path)
        with engine.begin() as connection:
            current = is_current(revision_of(connection, name), name)
        if not current:
            migrate_sqlite(path, engine.execution_options(**{WRITE: True}))
    return engine, name


def _check_path(path: Path, *, must_exist: bool) -> None:
    if "\0" in str(path) or len(path.name.encode(errors="replace")) > _LONGEST_NAME:
        raise ResultsError(f"database: {str(path)!r} cannot name a file; give another path")
    if path.is_dir():
        raise ResultsError(f"database: {path} is a directory; name a file in it")
    if (network := network_filesystem(path)) is not None:
        raise ResultsError(
            f"database: {path} is on {network}, where SQLite may lose results; give a path on a "
            "local disk, or a server: postgresql://user@host/name"
        )
    if path.exists():
        if not os.access(path, os.R_OK):
            raise ResultsError(f"database: {path} cannot be read; check its permissions")
        return
    if must_exist:
        raise ResultsError(f"database: {path} does not exist; run a campaign or give another path")
    if not path.parent.is_dir():
        raise ResultsError(f"database: folder {path.parent} does not exist; make it first")
    if not os.access(path.parent, os.W_OK):
        raise ResultsError(f"database: {path.parent} cannot be written; give another path")


def _create_sqlite(path: Path) -> None:
    """Make the whole database apart and give it its name at once.

    Whoever sees the file sees all tables, also when two processes create it or one is killed.
    """
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        engine = sa.create_engine(sa.URL.create("sqlite", database=str(unfinished)))
        with engine.begin() as connection:
            _create_tables(connection)
        engine.dispose()
        with suppress(FileExistsError):  # another process was first, with the same tables
            os.link(unfinished, path)
    except OSError as error:
        raise ResultsError(
            f"database: {path} cannot be made ({error.strerror}); give another path"
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)


def _check_sqlite_file(path: Path) -> None:
    """Find damage that SQLite would take for an empty database, or meet much later.

    Not of a file on which this process has a connection: closing any descriptor of a file gives up
    all locks that the process holds on it, SQLite's among them. Another process would then take
    itself for the last one and remove the log, with what is committed into it from then on.
    """
    if _connections[_inode(path)]:
        return
    with path.open("rb") as file:
        header = file.read(100)
    mend = _RECOVER.format(path=path)
    if not header:
        raise ResultsError(f"database: {path} is empty (0 bytes), damaged; {mend}, or remove it")
    if not header.startswith(_SQLITE_MAGIC) or len(header) < 100:
        raise ResultsError(f"database: {path} is not a SQLite database, or damaged; {mend}")
    page_size, n_pages = (
        struct.unpack(">H", header[16:18])[0],
        struct.unpack(">I", header[28:32])[0],
    )
    page_size = 65536 if page_size == 1 else page_size
    size = path.stat().st_size
    log = path.with_name(path.name + "-wal")
    # A checkpoint that was interrupted leaves a short file too, but then the log still has it all.
    if size < page_size * n_pages and not (log.exists() and log.stat().st_size):
        raise ResultsError(
            f"database: {path} is cut short ({size} of {page_size * n_pages} bytes); {mend}"
        )


def _inode(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _open_sqlite(path: Path) -> sqlite3.Connection:
    """A connection to the file at an absolute path, also in a folder that cannot be written.

    SQLite reads a database only with its log beside it, and cannot make one there. Where there is
    none, nobody is writing, and the file is read as one that does not change.
    """
    log = path.with_name(path.name + "-wal")
    as_it_is = "" if os.access(path.parent, os.W_OK) or log.exists() else "?immutable=1"
    return sqlite3.connect(
        path.as_uri() + as_it_is, uri=True, timeout=BUSY_TIMEOUT_S, check_same_thread=False
    )


def _sqlite_engine(path: Path) -> sa.Engine:
    inode, path = _inode(path), path.absolute()
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)), creator=lambda: _open_sqlite(path)
    )

    @event.listens_for(engine, "connect")
    def _set_up(connection: sqlite3.Connection, _: Any) -> None:
        _connections[inode] += 1
        # Python's own transaction handling would start them late and not for every statement.
        connection.isolation_level = None
        if os.access(path, os.W_OK):
            connection.execute("PRAGMA journal_mode = WAL")
        # FULL flushes the log at each commit: what was acknowledged outlives a power cut, where
        # NORMAL may lose the last commits. One commit stores a whole batch, so it costs little.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "close")
    def _count_out(*_: Any) -> None:
        _connections[inode] -= 1

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        # A writer takes the lock before it reads: upgrading later fails at once, without waiting.
        writes = connection.get_execution_options().get(WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _connect_postgresql(url: sa.URL, *, must_exist: bool, migrate: bool) -> tuple[sa.Engine, str]:
    name = url.render_as_string(hide_password=True)
    if "+" not in url.drivername:
        url = url.set(drivername="postgresql+psycopg")
    try:
        engine = sa.create_engine(url, pool_pre_ping=True)
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise ResultsError(
            f"database: {name} needs a driver; install it with: pip install 'lithiophile[postgres]'"
        ) from error
    with database_errors(name), engine.begin() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_CREATION_LOCK)))
        tables = sa.inspect(connection).get_table_names()
        if schema_revisions.name not in tables and first_schema.name not in tables:
            if must_exist:
                raise ResultsError(
                    f"database: {name} holds no results yet; run a campaign on it first"
                )
            _create_tables(connection)
        revision = revision_of(connection, name)
        if not is_current(revision, name):
            # Others may still be using it with the older version, and it has no backup.
            if not migrate:
                raise ResultsError(
                    f"database: {name} was made by an older lithiophile (schema {revision}, this "
                    f"one reads {SCHEMA_REVISION}); back it up with pg_dump, then run: "
                    f"lithiophile migrate --db {name}"
                )
            log_migration(name, revision)
            upgrade(connection, revision)
    return engine, name


def _create_tables(connection: sa.Connection) -> None:
    metadata.create_all(connection)
    connection.execute(schema_revisions.insert().values(version_num=SCHEMA_REVISION))
    connection.execute(first_schema.insert().values(version=int(SCHEMA_REVISION)))
