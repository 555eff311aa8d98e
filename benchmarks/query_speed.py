"""How long queries and a ranking take on a million property rows, on SQLite and on PostgreSQL.

    python -m benchmarks.query_speed [--repeats 9] [--backend sqlite] [--keep FOLDER]

The databases (100,000 candidates of ten quantities each, in ten campaigns; values from a fixed
seed) are made in a temporary folder, PostgreSQL's on a private server. Each line gives the median
over the repeats, of the time that passed and of the time that was computed (here and on the
server): on a machine that others use the first is longer than it would be alone, and the second is
the nearest to it. The load is printed with them.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from results.database import Database, open_database
from results.documents import CollectorDocument, quantities
from results.schema import (
    campaigns,
    candidate_documents,
    candidate_elements,
    candidates,
    properties,
)
from screen.stored import load_campaign
from tests.services.postgresql import running_server

N_CANDIDATES = 100_000
N_QUANTITIES = 10
N_CAMPAIGNS = 10
HOSTS = ["Cu", "Ni", "Al", "Ag", "Au", "Mg", "Zn", "Ti", "Fe", "Al2O3"]
POTENTIAL = {
    "name": "mini",
    "sha256": "0" * 64,
    "head": None,
    "dtype": "float64",
    "dispersion": None,
}


def main() -> None:
    """Fill, ask, print."""
    parser = argparse.ArgumentParser(description="Time queries on a million property rows.")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--backend", choices=["sqlite", "postgresql"], action="append")
    parser.add_argument("--keep", type=Path, help="folder of the SQLite file, to use it again")
    options = parser.parse_args()
    for backend in options.backend or ["sqlite", "postgresql"]:
        with place(backend, options.keep) as where, open_database(where) as database:
            if not database.campaigns():
                start = time.perf_counter()
                fill(database)
                print(f"{backend}: filled in {time.perf_counter() - start:.0f} s")
            database.query("id=1")  # connects
            load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
            print(f"{backend}: load {load} on {os.cpu_count()} cores", flush=True)
            for what, ask in questions(database):
                measure(what, ask, options.repeats, server_process(database))


@contextmanager
def place(backend: str, keep: Path | None) -> Iterator[str]:
    """Path or URL of the database."""
    if backend == "postgresql":
        with running_server() as url:
            yield url
    elif keep is not None:
        yield str(keep / "query_speed.db")
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield str(Path(folder) / "query_speed.db")


def questions(database: Database) -> Iterator[tuple[str, Callable[[], Any]]]:
    """What is asked, in words and to be called."""
    narrow = "host=Cu miller_index=111 work_of_adhesion>0.99 li_binding<-0.5 converged"
    yield "filtered, few rows", lambda: database.query(narrow)
    best = {"sort": "-work_of_adhesion", "limit": 100}
    yield (
        "filtered, best 100 of many",
        lambda: database.query("host=Cu work_of_adhesion>0.5", **best),
    )
    yield "by element, best 100", lambda: database.query("element=O converged", **best)
    yield (
        "by campaign, potential and day, best 100",
        lambda: database.query("campaign=c3 potential=mini created>=2026-01-05", **best),
    )
    yield "one candidate", lambda: database.query("id=777")
    yield "a campaign of 10,000, every quantity", lambda: database.query("campaign=c3")
    yield (
        "full ranking of a campaign of 10,000",
        lambda: load_campaign(database, "c3", whole=False).ranked("collectors").ranking.ranked,
    )


def fill(database: Database) -> None:
    """Rows as `add_candidates` writes them; the documents are stand-ins of usual size."""
    rng = np.random.default_rng(0)
    names = list(quantities(CollectorDocument).values())[:N_QUANTITIES]
    values = rng.random((N_CANDIDATES, len(names))) * 2 - 1
    document, arrays = json.dumps({"text": "x" * 1000, "potential": POTENTIAL}), rng.bytes(2000)
    numbers = range(N_CANDIDATES)
    with database._writing() as connection:
        insert(
            connection,
            campaigns.c["name", "document", "created_at"],
            ((f"c{i}", json.dumps({"last_run": last_run(i)}), made(0)) for i in range(N_CAMPAIGNS)),
        )
        identity = ("id", "key", "campaign_id", "screen", "host", "miller_index", "termination")
        potential = ("potential_name", "potential_sha256", "potential_dtype")
        insert(
            connection,
            candidates.c[*identity, *potential, "converged", "created_at"],
            (
                (
                    *(i + 1, str(i), i % N_CAMPAIGNS + 1, "collectors", host_of(i)),
                    *(",".join(map(str, facet_of(i))), str(i)),
                    *(POTENTIAL["name"], POTENTIAL["sha256"], POTENTIAL["dtype"]),
                    *(i % 7 != 0, made(i % 9)),
                )
                for i in numbers
            ),
        )
        insert(
            connection,
            candidate_elements.c["candidate_id", "symbol"],
            (
                (i + 1, symbol)
                for i in numbers
                for symbol in (["Al", "O"] if host_of(i) == "Al2O3" else [host_of(i)])
            ),
        )
        insert(
            connection,
            candidate_documents.c["candidate_id", "document", "arrays"],
            ((i + 1, document, arrays) for i in numbers),
        )
        insert(
            connection,
            properties.c[
                "candidate_id", "name", "value", "unit", "error", "converged", "fingerprints"
            ],
            (
                (i + 1, name, float(values[i, column]), unit, 0.01, True, "[]")
                for i in numbers
                for column, (name, unit) in enumerate(names)
            ),
        )
    if database._engine.name == "postgresql":  # what its autovacuum does a minute later
        with database._engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(
                "VACUUM ANALYZE"
            )
    else:
        with database._writing() as connection:
            connection.exec_driver_sql("ANALYZE")


def insert(connection: sa.Connection, columns: Any, rows: Iterable[tuple[Any, ...]]) -> None:
    """Insert as fast as the driver can."""
    table, names = columns[0].table.name, ", ".join(column.name for column in columns)
    cursor = connection.connection.cursor()
    if connection.dialect.name == "postgresql":
        with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:  # type: ignore[attr-defined]
            for row in rows:
                copy.write_row(row)
    else:
        marks = ", ".join("?" * len(columns))
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)  # type: ignore[arg-type]


def host_of(i: int) -> str:
    """The host of candidate i + 1."""
    return HOSTS[i // N_CAMPAIGNS % len(HOSTS)]


def facet_of(i: int) -> tuple[int, int, int]:
    """The facet of candidate i + 1."""
    return ((1, 1, 1), (1, 0, 0), (1, 1, 0))[i % 3]


def last_run(campaign: int) -> list[Any]:
    """What a campaign keeps of its last run: who its candidates are."""
    numbers = range(campaign, N_CANDIDATES, N_CAMPAIGNS)
    return [["collectors", host_of(i), facet_of(i), str(i), POTENTIAL] for i in numbers]


def made(day: int) -> str:
    """When a row was made."""
    return f"2026-01-{day + 1:02d}T00:00:00.000000+00:00"


def measure(what: str, ask: Callable[[], Any], repeats: int, server: int | None) -> None:
    """Print the medians over the repeats.

    Args:
        what: in words.
        ask: gives something with a length.
        repeats: how often it is asked.
        server: process of the PostgreSQL server, whose computing counts too.
    """
    passed, computed = [], []
    for _ in range(repeats):
        start, start_computing = time.perf_counter(), computing(server)
        found = ask()
        passed.append(time.perf_counter() - start)
        computed.append(computing(server) - start_computing)
    print(
        f"  {what}: {len(found)} rows, {1000 * statistics.median(passed):.0f} ms passed, "
        f"{1000 * statistics.median(computed):.0f} ms computed",
        flush=True,
    )


def computing(server: int | None) -> float:
    """Seconds that this process has computed, and the server with all its processes (Linux)."""
    total = time.process_time()
    if server is not None:
        for entry in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                fields = entry.read_text().rpartition(")")[2].split()
                if int(fields[1]) == server or entry.parent.name == str(server):
                    total += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return total


def server_process(database: Database) -> int | None:
    """The PostgreSQL server's first process; None on SQLite."""
    if database._engine.name == "sqlite":
        return None
    with database._engine.connect() as connection:
        folder = connection.exec_driver_sql("SHOW data_directory").scalar_one()
    return int((Path(folder) / "postmaster.pid").read_text().split()[0])


if __name__ == "__main__":
    main()
