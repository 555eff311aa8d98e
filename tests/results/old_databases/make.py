"""Make the databases that the migrations are tested on, with the older versions' own code.

    python -m tests.results.old_databases.make 53227f7 1

takes the code of a commit out of git and has it write ``schema-1.sqlite`` and, on a private server,
``schema-1.postgresql.sql`` beside this file.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.services.postgresql import program, running_server

HERE = Path(__file__).parent
FILL = """
import sys
from datetime import UTC, datetime
from results.database import open_database
from tests.results.samples import collector, path, relaxed, sound_evidence

made = datetime(2026, 1, 31, 12, tzinfo=UTC)
with open_database(sys.argv[1]) as database:
    failed = relaxed(2, converged=False, failure="out of steps", created_at=made)
    later = path(3).model_copy(update={"created_at": made})
    database.add_calculations([relaxed(1, created_at=made), failed, later])
    for campaign in ("first", "second"):
        database.add_campaign(campaign, {"campaign": {"name": campaign}, "text": "# a file"})
        database.add_candidates(
            campaign,
            [
                collector("Cu", campaign=campaign, created_at=made),
                collector(
                    "Al2O3",
                    campaign=campaign,
                    elements=("Al", "O"),
                    miller_index=(1, 0, -1),
                    created_at=made,
                    **sound_evidence(li_binding_ev=0.3, work_of_adhesion_j_m2=0.2),
                ),
            ],
        )
    database.add_ranking("first", "collectors", {"order": ["Cu", "Al2O3"]})
"""


def main(commit: str, schema: str) -> None:
    """Write both files."""
    repository = HERE.parents[2]
    with tempfile.TemporaryDirectory() as folder, running_server() as server:
        archive = subprocess.run(
            ["git", "archive", commit, "results", "tests/__init__.py", "tests/results"],
            cwd=repository,
            check=True,
            capture_output=True,
        ).stdout
        subprocess.run(["tar", "x", "-C", folder], input=archive, check=True)
        file = HERE / f"schema-{schema}.sqlite"
        file.unlink(missing_ok=True)
        for place in (str(file), server):
            subprocess.run([sys.executable, "-c", FILL, place], cwd=folder, check=True)
        dump = program("pg_dump")
        options = ["--inserts", "--no-owner", "--no-privileges"]
        text = subprocess.run(
            [str(dump), *options, server], check=True, capture_output=True, text=True
        ).stdout
        sql = [line for line in text.splitlines() if not line.startswith(("--", "\\", "SET "))]
        content = "\n".join(line for line in sql if line and "set_config" not in line)
        (HERE / f"schema-{schema}.postgresql.sql").write_text(content + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
