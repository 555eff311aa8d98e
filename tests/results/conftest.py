import uuid

import pytest

from tests.services.postgresql import running_server


@pytest.fixture(scope="session")
def postgresql_server():
    """URL of a PostgreSQL server's first database."""
    with running_server() as url:
        yield url


@pytest.fixture(scope="session")
def new_postgresql(postgresql_server):
    """Makes an empty database and gives its URL."""
    import psycopg

    def make():
        name = f"t{uuid.uuid4().hex}"
        with psycopg.connect(postgresql_server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return postgresql_server.replace("/postgres?", f"/{name}?")

    return make


@pytest.fixture(scope="session")
def new_place(request, tmp_path_factory):
    """Gives a place for a new database: a file's path, or an empty PostgreSQL database's URL."""

    def make(backend):
        if backend == "sqlite":
            return tmp_path_factory.mktemp("sqlite") / "results.db"
        return request.getfixturevalue("new_postgresql")()

    return make
