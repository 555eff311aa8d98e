"""What the campaigns in a database cost: systems, evaluations and atom-evaluations by task.

An atom-evaluation is one evaluation of energy and forces, per atom of the structure: it depends on
the campaign and the optimisers, not on the machine. Times are those of the machine that computed.

    python benchmarks/campaign_cost.py results.db
"""

import sys

from results.database import open_database

_TABLE = """
SELECT potential_name AS potential, task, count(*) AS systems,
       sum(force_evaluations) AS evaluations,
       sum(force_evaluations * n_atoms) AS atom_evaluations,
       sum(wall_time_s) AS seconds
FROM calculations JOIN structures ON structures.sha256 = calculations.initial_structure
GROUP BY 1, 2 ORDER BY 1, 2
"""


def main() -> None:
    """Print one line per potential and task, and the sum per candidate."""
    with open_database(sys.argv[1], must_exist=True) as database:
        rows = database.sql(_TABLE).rows
        candidates = database.sql("SELECT count(*) AS n FROM candidates").rows[0]["n"]
    for row in rows:
        per_atom = 1e3 * row["seconds"] / max(1, row["atom_evaluations"])
        print(
            "{potential:<24} {task:<10} {systems:>7} systems {evaluations:>9} evaluations "
            "{atom_evaluations:>12} atom-evaluations {seconds:>10.1f} s".format(**row)
            + f" {per_atom:.3f} ms each"
        )
    total = sum(row["atom_evaluations"] for row in rows)
    if candidates:
        print(f"{candidates} candidates: {total / candidates:.0f} atom-evaluations each")


if __name__ == "__main__":
    main()
