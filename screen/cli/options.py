"""Options that several commands share."""

from enum import StrEnum
from typing import Annotated

import typer

DatabaseOption = Annotated[
    str,
    typer.Option(
        "--db",
        envvar="LITHIOPHILE_DB",
        metavar="PATH|URL",
        help="Results database: a SQLite file, or postgresql://user@host/name.",
    ),
]
DEFAULT_DATABASE = "lithiophile.db"

CampaignOption = Annotated[
    str | None,
    typer.Option("--campaign", help="Which campaign, where the database holds several."),
]
ScreenOption = Annotated[
    str | None,
    typer.Option("--screen", help="Which screen of the campaign; none: all it has results of."),
]
PotentialOption = Annotated[
    str | None,
    typer.Option(
        "--potential",
        help="Results of this potential (name, or first digits of its SHA-256) instead of those "
        "of the last run.",
    ),
]


class Format(StrEnum):
    """How a table is printed."""

    table = "table"
    csv = "csv"
    json = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="How it is printed.")]


class Where(StrEnum):
    """Where a campaign computes."""

    here = "here"
    slurm = "slurm"
    pbs = "pbs"
    workstation = "workstation"


DetachOption = Annotated[
    bool,
    typer.Option(
        "--detach", help="Submit what can run now and end; go on later with `lithiophile resume`."
    ),
]
