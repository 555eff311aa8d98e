"""``export`` and ``migrate``: results for other programs, and databases of older versions."""

from pathlib import Path
from typing import Annotated

import typer

from screen.cli.options import DEFAULT_DATABASE, DatabaseOption
from screen.cli.output import console


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog='Example: lithiophile export copper.extxyz "host=Cu converged"')(export)
    app.command(epilog="Example: lithiophile migrate --db postgresql://me@server/results")(migrate)


def export(
    output: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="Tables: .csv, .json, .parquet. Structures: .extxyz and .db (ASE) with energies "
            "and forces, .jsonl (OPTIMADE), .cif.",
        ),
    ],
    text: Annotated[
        str, typer.Argument(metavar="[QUERY]", help="Which candidates, as in `query`; none: all.")
    ] = "",
    db: DatabaseOption = DEFAULT_DATABASE,
) -> None:
    """Write what a query finds to a file, its kind by the file's ending.

    A table has one row per candidate. A file of structures has those of every calculation that the
    candidates came from.
    """
    from results.database import open_database
    from results.exports import export as export_to

    with open_database(db, must_exist=True) as database:
        n_written = export_to(database, text, output)
    console(stderr=True).print(f"Written: {output} ({n_written})")


def migrate(db: DatabaseOption = DEFAULT_DATABASE) -> None:
    """Bring a database of an older version to this one's tables.

    A SQLite file is migrated, after a backup, whenever it is opened. A server's database is
    migrated by this command only: back it up with pg_dump first.
    """
    from results.database import migrate_database

    migrate_database(db)
    console(stderr=True).print(f"Up to date: {db}")
