"""Bringing a database made by an older version to today's tables, with a backup."""

import logging
import os
import sqlite3
import uuid
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from results.errors import ResultsError
from results.schema import SCHEMA_REVISION, first_schema, schema_revisions

_log = logging.getLogger(__name__)


def revision_of(connection: sa.Connection, name: str) -> str:
    """The last migration that a database has behind it.

    Raises:
        ResultsError: a database of another program, or one whose number is lost.
    """
    tables = sa.inspect(connection).get_table_names()
    if schema_revisions.name in tables:
        column = schema_revisions.c.version_num
    elif first_schema.name in tables:
        column = first_schema.c.version
    else:
        raise ResultsError(f"database: {name} is not lithiophile's; give another path")
    found = connection.execute(sa.select(column)).scalars().all()
    if len(found) != 1 or not str(found[0]).isdecimal():
        raise ResultsError(f"database: {name} has lost its version; restore a backup")
    return str(found[0])


def is_current(revision: str, name: str) -> bool:
    """Whether a database needs no migration.

    Raises:
        ResultsError: it was made by a newer version.
    """
    if int(revision) > int(SCHEMA_REVISION):
        raise ResultsError(
            f"database: {name} was made by a newer lithiophile (schema {revision}, "
            f"this one reads {SCHEMA_REVISION}); update lithiophile"
        )
    return revision == SCHEMA_REVISION


def migrate_sqlite(path: Path, writing: sa.Engine) -> None:
    """Migrate a file in one transaction, after a backup beside it.

    A process that is killed meanwhile leaves the file as it was. Of several processes that open the
    file at once, one migrates it and the others wait.

    Args:
        path: the file.
        writing: engine on it whose transactions take the write lock at once.

    Raises:
        ResultsError: the file or its folder cannot be written.
    """
    name = str(path)
    if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        raise ResultsError(
            f"database: {name} was made by an older lithiophile and cannot be migrated where it "
            "is; copy it to a folder that can be written, and open the copy"
        )
    with writing.begin() as connection:
        revision = revision_of(connection, name)
        if is_current(revision, name):
            return
        backup = _back_up(path, revision)
        log_migration(name, revision, f"; it stands as it was in {backup}")
        upgrade(connection, revision)


def log_migration(name: str, revision: str, note: str = "") -> None:
    """Say that a migration begins, since it may take a while."""
    _log.warning("Migrating %s from schema %s to %s%s", name, revision, SCHEMA_REVISION, note)


def upgrade(connection: sa.Connection, revision: str | None) -> None:
    """Run the migrations after ``revision`` (None: all), in the connection's transaction."""
    from alembic import command
    from alembic.config import Config

    if revision and not sa.inspect(connection).has_table(schema_revisions.name):
        schema_revisions.create(connection)
        connection.execute(schema_revisions.insert().values(version_num=revision))
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _back_up(path: Path, revision: str) -> Path:
    """Copy what is committed to a file that appears whole."""
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    backup = path.with_name(f"{path.name}.schema-{revision}.{moment}.bak")
    unfinished = path.with_name(f".{backup.name}.{uuid.uuid4().hex}")
    try:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(unfinished)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        unfinished.replace(backup)
    except (OSError, sqlite3.Error) as error:
        raise ResultsError(
            f"database: {path} needs a migration, and its backup cannot be written "
            f"({' '.join(str(error).split())}); free some space"
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return backup
