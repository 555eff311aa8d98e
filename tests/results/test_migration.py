import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import results
from results import schema
from results.database import migrate_database, open_database
from results.errors import ResultsError
from tests.results.samples import collector, path, relaxed, sound_evidence

OLD = Path(__file__).parent / "old_databases"
OLDER = [str(revision) for revision in range(1, int(schema.SCHEMA_REVISION))]
MADE = datetime(2026, 1, 31, 12, tzinfo=UTC)


def a_copy(revision, folder):
    """A copy of the file that an older version made."""
    return Path(shutil.copy(OLD / f"schema-{revision}.sqlite", folder / "results.db"))


@pytest.fixture(params=OLDER)
def old_file(request, tmp_path):
    return a_copy(request.param, tmp_path)


@pytest.fixture
def first_file(tmp_path):
    return a_copy("1", tmp_path)


@pytest.fixture(params=OLDER)
def old_server(request, new_postgresql):
    """URL of a database as an older version made it on PostgreSQL."""
    import psycopg

    url = new_postgresql()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute((OLD / f"schema-{request.param}.postgresql.sql").read_text())
    return url


def what_old_databases_hold():
    """What ``old_databases/make.py`` stored."""
    calculations = [
        relaxed(1, created_at=MADE),
        relaxed(2, converged=False, failure="out of steps", created_at=MADE),
        path(3).model_copy(update={"created_at": MADE}),
    ]
    candidates = [
        document
        for campaign in ("first", "second")
        for document in (
            collector("Cu", campaign=campaign, created_at=MADE),
            collector(
                "Al2O3",
                campaign=campaign,
                elements=("Al", "O"),
                miller_index=(1, 0, -1),
                created_at=MADE,
                **sound_evidence(li_binding_ev=0.3, work_of_adhesion_j_m2=0.2),
            ),
        )
    ]
    return calculations, candidates


def plain(document):
    """A document without the versions of what wrote it."""
    return document.model_dump(mode="json", exclude={"software"})


def assert_holds_everything(database):
    calculations, candidates = what_old_databases_hold()
    found = database.find(document.fingerprint for document in calculations)
    assert [plain(found[one.fingerprint]) for one in calculations] == list(map(plain, calculations))
    assert database.candidates() == candidates
    assert database.latest_ranking("first", "collectors") == {"order": ["Cu", "Al2O3"]}
    assert database.campaigns()["second"]["text"] == "# a file"
    rows = database.query("work_of_adhesion<0.5 element=O created=2026-01-31").rows
    assert [(row["campaign"], row["id"]) for row in rows] == [("first", 2), ("second", 4)]
    assert [one.potential for one in database.summaries()] == [one.potential for one in candidates]
    # And it can be written: the same candidates replace themselves, others are added.
    database.add_calculations([*calculations, relaxed("new")])
    database.add_candidates(
        "first", [collector("Cu", campaign="first"), collector("Ni", campaign="first")]
    )
    assert len(database.query("campaign=first")) == 3


def assert_has_todays_tables(engine):
    """Its tables, columns, keys and indexes are those that a new database gets."""
    with engine.connect() as connection:
        options = {
            "version_table": schema.schema_revisions.name,
            "compare_type": True,
            "compare_server_default": True,
        }
        assert (
            compare_metadata(MigrationContext.configure(connection, opts=options), schema.metadata)
            == []
        )


def test_a_file_of_an_older_version_is_migrated_and_kept_as_backup(old_file, caplog):
    with sqlite3.connect(old_file) as connection:
        before = list(connection.iterdump())
    connection.close()
    with open_database(old_file, must_exist=True) as database:
        assert_has_todays_tables(database._engine)
        assert_holds_everything(database)
    (backup,) = old_file.parent.glob("results.db.schema-*.bak")
    with sqlite3.connect(backup) as connection:
        assert list(connection.iterdump()) == before
    connection.close()
    assert str(backup) in caplog.text
    with open_database(old_file) as database:
        assert len(database.query("campaign=first")) == 3
    assert {entry.name for entry in old_file.parent.iterdir()} == {"results.db", backup.name}


def test_a_migrated_file_is_sound_and_laid_out_as_a_new_one(old_file, tmp_path):
    open_database(old_file).close()
    open_database(tmp_path / "new.db").close()

    def layout(file):
        with sqlite3.connect(file) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
            rows = connection.execute(
                "SELECT m.name, m.type, m.sql LIKE '%WITHOUT ROWID%' FROM sqlite_master m "
                "WHERE m.name NOT LIKE 'sqlite_autoindex%' ORDER BY 1"
            ).fetchall()
        connection.close()
        return rows

    assert layout(old_file) == layout(tmp_path / "new.db")


def test_a_server_of_an_older_version_says_what_to_run(old_server):
    with pytest.raises(
        ResultsError, match="pg_dump, then run: lithiophile migrate --db"
    ) as refusal:
        open_database(old_server)
    assert "\n" not in str(refusal.value)
    for _ in range(2):
        migrate_database(old_server)
    with open_database(old_server, must_exist=True) as database:
        assert_has_todays_tables(database._engine)
        assert_holds_everything(database)


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_migrations_from_nothing_give_todays_tables(new_place, backend):
    """The migrations alone, without `metadata.create_all`."""
    from results.migration import upgrade

    place = new_place(backend)
    url = f"sqlite:///{place}" if backend == "sqlite" else place.replace("://", "+psycopg://")
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        schema.schema_revisions.create(connection)
        upgrade(connection, None)
    assert_has_todays_tables(engine)
    engine.dispose()
    open_database(place, must_exist=True).close()


def test_the_last_migration_is_the_schemas():
    config = Config()
    config.set_main_option("script_location", str(Path(results.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [schema.SCHEMA_REVISION]


KILLED = """
import os, signal, sys
from sqlalchemy import Engine, event
from results.database import open_database

count = 0

@event.listens_for(Engine, "before_cursor_execute")
def kill(connection, cursor, statement, *rest):
    global count
    if statement.lstrip().startswith(("CREATE", "INSERT", "ALTER", "UPDATE", "DROP")):
        count += 1
        if count == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)

open_database(sys.argv[1])
"""


def migrate_until(file, statement):
    """Start to migrate and be killed before this statement; the exit status."""
    command = [sys.executable, "-c", KILLED, str(file), str(statement)]
    return subprocess.run(command, check=False, cwd=Path(__file__).parents[2]).returncode


@pytest.mark.parametrize("statement", [4, 20])
def test_a_migration_that_is_killed_changes_nothing(first_file, statement):
    with sqlite3.connect(first_file) as connection:
        before = list(connection.iterdump())
    connection.close()
    assert migrate_until(first_file, statement) == -signal.SIGKILL
    with sqlite3.connect(first_file) as connection:
        assert list(connection.iterdump()) == before
    connection.close()
    with open_database(first_file) as database:
        assert_holds_everything(database)


OPENER = """
import sys
from results.database import open_database
with open_database(sys.argv[1]) as database:
    print(len(database.query()))
"""


def test_several_processes_open_an_first_file_at_once(first_file):
    openers = [
        subprocess.Popen(
            [sys.executable, "-c", OPENER, str(first_file)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for _ in range(2)
    ]
    assert [opener.communicate()[0].strip() for opener in openers] == ["4", "4"]
    assert len(list(first_file.parent.glob("*.bak"))) == 1


def test_a_file_that_cannot_be_written_says_so(first_file, monkeypatch):
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK and real(path, mode))
    with pytest.raises(ResultsError, match="copy it to a folder that can be written"):
        open_database(first_file)


def test_a_backup_that_cannot_be_written_stops_the_migration(first_file, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(ResultsError, match=r"backup cannot be written .*No space left.*free some"):
        open_database(first_file)
    with sqlite3.connect(first_file) as connection:
        assert connection.execute("SELECT version FROM lithiophile_schema").fetchall() == [(1,)]
    connection.close()
    assert [entry.name for entry in first_file.parent.glob("*.bak*")] == []
