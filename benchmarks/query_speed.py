"""How long queries take on a million property rows, on SQLite and PostgreSQL.

    python benchmarks/query_speed.py results.db
    python benchmarks/query_speed.py postgresql://user@host/empty_database

The database is filled first (100,000 candidates of ten quantities each; values from a fixed seed).
"""

import sys
import time
from collections.abc import Callable

import numpy as np

from results.database import Database, open_database
from results.documents import CollectorDocument, quantities
from results.schema import campaigns, candidates, properties

N_CANDIDATES = 100_000
HOSTS = ["Cu", "Ni", "Al", "Ag", "Au", "Mg", "Zn", "Ti", "Fe", "Cr"]


def main() -> None:
    """Fill, ask, print."""
    with open_database(sys.argv[1]) as database:
        if not database.campaigns():
            fill(database)
        narrow = "host=Cu miller_index=111 work_of_adhesion>0.99 li_binding<-0.5 converged"
        measure("filtered query, few rows", lambda: database.query(narrow))
        measure(
            "filtered query, best 100 of many",
            lambda: database.query(
                "host=Cu work_of_adhesion>0.5", sort="-work_of_adhesion", limit=100
            ),
        )
        measure("one candidate", lambda: database.query("id=777"))
        measure(
            "all candidates of one campaign of 10,000, every quantity",
            lambda: database.query("campaign=c3"),
        )


def fill(database: Database) -> None:
    """Rows as `add_candidates` writes them, without the documents."""
    rng = np.random.default_rng(0)
    fields = quantities(CollectorDocument)
    values = rng.random((N_CANDIDATES, len(fields))) * 2 - 1
    made = "2026-01-01T00:00:00.000000+00:00"
    with database._writing() as connection:
        connection.execute(
            campaigns.insert(),
            [{"name": f"c{i}", "document": {}, "created_at": made} for i in range(10)],
        )
        connection.execute(
            candidates.insert(),
            [
                {
                    "key": str(i),
                    "campaign_id": i % 10 + 1,
                    "screen": "collectors",
                    "host": HOSTS[i // 10 % 10],
                    "elements": f",{HOSTS[i // 10 % 10]},",
                    "miller_index": ("1,1,1", "1,0,0", "1,1,0")[i % 3],
                    "termination": "",
                    "potential_name": "mini",
                    "potential_sha256": "0" * 64,
                    "converged": i % 7 != 0,
                    "created_at": made,
                    "document": {},
                    "arrays": b"",
                }
                for i in range(N_CANDIDATES)
            ],
        )
        for column, (name, unit) in enumerate(fields.values()):
            connection.execute(
                properties.insert(),
                [
                    {
                        "candidate_id": i + 1,
                        "name": name,
                        "value": float(values[i, column]),
                        "unit": unit,
                        "error": None,
                        "converged": True,
                        "reference_state": None,
                        "failure": None,
                        "fingerprints": [],
                    }
                    for i in range(N_CANDIDATES)
                ],
            )


def measure(what: str, ask: Callable[[], object]) -> None:
    """Print the best and the first of five times."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        found = ask()
        times.append(time.perf_counter() - start)
    print(f"{what}: {len(found)} rows, first {times[0]:.3f} s, best {min(times):.3f} s")  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
