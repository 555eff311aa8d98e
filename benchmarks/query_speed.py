"""How long queries and a ranking take on a million property rows, on SQLite and on PostgreSQL.

    python benchmarks/query_speed.py [--repeats 9] [--backend sqlite] [--keep FOLDER]

The databases (100,000 candidates of ten quantities each, in ten campaigns; values from a fixed
seed) are made in a temporary folder, PostgreSQL's on a private server. Each line gives the median
over the repeats, of the time that passed and of the time that this process computed: on a machine
that others use the first is longer than it would be alone. The load is printed with them.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

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
            load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
            print(f"{backend}: load {load} on {os.cpu_count()} cores")
            for what, ask in questions(database):
                measure(what, ask, options.repeats)


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


def questions(database: Database) -> Iterator[tuple[str, Callable[[], Sequence | object]]]:
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
    padding = rng.bytes(2000)
    with database._writing() as connection:
        connection.execute(
            campaigns.insert(),
            [{"name": f"c{i}", "document": {}, "created_at": made(0)} for i in range(N_CAMPAIGNS)],
        )
        for numbers in np.array_split(np.arange(N_CANDIDATES), 20):
            chosen = [int(i) for i in numbers]
            connection.execute(candidates.insert(), [candidate(i) for i in chosen])
            connection.execute(
                candidate_documents.insert(),
                [
                    {
                        "candidate_id": i + 1,
                        "document": {"text": "x" * 1000, "potential": POTENTIAL},
                        "arrays": padding,
                    }
                    for i in chosen
                ],
            )
            connection.execute(
                candidate_elements.insert(),
                [
                    {"candidate_id": i + 1, "symbol": symbol}
                    for i in chosen
                    for symbol in (["Al", "O"] if host_of(i) == "Al2O3" else [host_of(i)])
                ],
            )
            connection.execute(
                properties.insert(),
                [
                    {
                        "candidate_id": i + 1,
                        "name": name,
                        "value": float(values[i, column]),
                        "unit": unit,
                        "error": 0.01,
                        "converged": True,
                        "reference_state": None,
                        "failure": None,
                        "fingerprints": [],
                    }
                    for i in chosen
                    for column, (name, unit) in enumerate(names)
                ],
            )
    with database._engine.connect() as connection:
        connection.exec_driver_sql(
            "COMMIT" if database._engine.name == "postgresql" else "ROLLBACK"
        )
        connection.exec_driver_sql("ANALYZE")


def candidate(i: int) -> dict[str, object]:
    """The row of candidate i + 1."""
    return {
        "key": str(i),
        "campaign_id": i % N_CAMPAIGNS + 1,
        "screen": "collectors",
        "host": host_of(i),
        "miller_index": ("1,1,1", "1,0,0", "1,1,0")[i % 3],
        "termination": str(i),
        "potential_name": "mini",
        "potential_sha256": "0" * 64,
        "potential_dtype": "float64",
        "converged": i % 7 != 0,
        "created_at": made(i % 9),
    }


def host_of(i: int) -> str:
    """The host of candidate i + 1."""
    return HOSTS[i // N_CAMPAIGNS % len(HOSTS)]


def made(day: int) -> str:
    """When a row was made."""
    return f"2026-01-{day + 1:02d}T00:00:00.000000+00:00"


def measure(what: str, ask: Callable[[], object], repeats: int) -> None:
    """Print the medians over the repeats."""
    passed, computed = [], []
    for _ in range(repeats):
        start, start_computing = time.perf_counter(), time.process_time()
        found = ask()
        passed.append(time.perf_counter() - start)
        computed.append(time.process_time() - start_computing)
    print(
        f"  {what}: {len(found)} rows, {1000 * statistics.median(passed):.0f} ms passed, "  # type: ignore[arg-type]
        f"{1000 * statistics.median(computed):.0f} ms computed here"
    )


if __name__ == "__main__":
    main()
