"""``query`` and ``show``: what the database holds."""

import json
import sys
from enum import StrEnum
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from screen.cli.options import DEFAULT_DATABASE, DatabaseOption, Format
from screen.cli.output import console, print_table, write

if TYPE_CHECKING:
    from results.database import QueryResult
    from results.documents import CandidateDocument


class RowsFormat(StrEnum):
    """How rows are printed."""

    table = "table"
    csv = "csv"
    json = "json"
    parquet = "parquet"


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(
        epilog='Example: lithiophile query "host=Cu|Ni work_of_adhesion>0.5 converged" '
        "--columns host,miller_index,work_of_adhesion --sort -work_of_adhesion"
    )(query)
    app.command(epilog="Example: lithiophile show 12 --save cu111")(show)


def query(
    text: Annotated[
        str, typer.Argument(metavar="[QUERY]", help="Conditions, all of which must hold.")
    ] = "",
    db: DatabaseOption = DEFAULT_DATABASE,
    columns: Annotated[
        str | None, typer.Option("--columns", help="Only these, separated by commas.")
    ] = None,
    sort: Annotated[
        str | None, typer.Option("--sort", help="Sort by this column; -NAME downwards.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", help="Rows at most.")] = None,
    sql: Annotated[
        bool, typer.Option("--sql", help="QUERY is one SQL statement that only reads.")
    ] = False,
    format: Annotated[
        RowsFormat,
        typer.Option("--format", help="How rows are printed; parquet into a file: > rows.parquet"),
    ] = RowsFormat.table,
) -> None:
    """Print the candidates that meet a query, one per row.

    Conditions: host=Cu, host=Cu|Ni, miller_index=111, element=O, campaign=NAME, potential=NAME,
    work_of_adhesion>0.5 (any quantity, with = != < <= > >=), converged, created>=2026-01-31, id=12.
    """
    from results.database import open_database
    from screen.errors import CampaignError

    if sql and (columns or sort or limit is not None):
        raise CampaignError("--sql: takes no --columns, --sort or --limit; write them in the SQL")
    if format is RowsFormat.parquet and sys.stdout.isatty():
        raise CampaignError("--format = 'parquet': not for a terminal; add > rows.parquet")
    names = None if columns is None else [name.strip() for name in columns.split(",")]
    with open_database(db, must_exist=True) as database:
        if sql:
            found = database.sql(text)
        else:
            found = database.query(text, columns=names, sort=sort, limit=limit)
    if format is RowsFormat.table:
        _print_rows(found, merge_errors=names is None)
    elif format is RowsFormat.csv:
        write(found.to_pandas().to_csv(index=False))
    elif format is RowsFormat.json:
        content = {"units": dict(found.units), "rows": found.rows}
        write(json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n")
    else:
        from results.exports import write_parquet

        file = BytesIO()
        write_parquet(found, file)
        sys.stdout.buffer.write(file.getvalue())


def show(
    identifier: Annotated[int, typer.Argument(metavar="ID", help="Its id, as `query` lists it.")],
    db: DatabaseOption = DEFAULT_DATABASE,
    save: Annotated[
        Path | None,
        typer.Option("--save", help="New folder for its structures (CIF) and pictures (PNG)."),
    ] = None,
    format: Annotated[
        Format, typer.Option("--format", help="How it is printed: table or json.")
    ] = Format.table,
) -> None:
    """Print one result with what stands behind each number."""
    from results.database import open_database
    from screen.errors import CampaignError

    if format is Format.csv:
        raise CampaignError("--format = 'csv': one result is no table; use table or json")
    with open_database(db, must_exist=True) as database:
        document = database.candidate(identifier)
    if format is Format.json:
        write(document.model_dump_json(indent=2) + "\n")
    else:
        _print_document(document)
    if save is not None:
        from screen.structure_files import save_structures

        for path in save_structures(document, save):
            console(stderr=True).print(f"Saved: {path}")


def _print_rows(found: "QueryResult", *, merge_errors: bool) -> None:
    """Print rows; with ``merge_errors`` a quantity's error stands behind its value."""
    from rich import box
    from rich.table import Table

    header_of = dict(zip(found.columns, found.headers, strict=True))
    merged = {name for name in found.columns if merge_errors and f"{name}_error" in found.columns}
    names = [name for name in found.columns if name.removesuffix("_error") not in merged - {name}]
    table = Table(box=box.SIMPLE_HEAD)
    for name in names:
        table.add_column(
            header_of[name].replace(" (", "\n("),
            justify="right" if name in found.units else "left",
            overflow="fold",
        )
    for row in found.rows:
        if isinstance(row.get("created"), str):  # a column of SQL may be called so
            row = row | {"created": f"{row['created']:.16}".replace("T", " ")}
        table.add_row(
            *(
                _with_error(row[name], row[f"{name}_error"]) if name in merged else _cell(row[name])
                for name in names
            )
        )
    print_table(table)
    console().print(f"{len(found)} found")


def _with_error(value: Any, error: Any) -> str:
    return _cell(value) if value is None or error is None else f"{_cell(value)} ± {_cell(error)}"


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, tuple):
        return f"({', '.join(_cell(part) for part in value)})"
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _print_document(document: "CandidateDocument") -> None:
    from rich import box
    from rich.table import Table

    shown = console()
    facet = "" if document.miller_index is None else f" {document.miller_index}"
    shown.print(
        f"{document.host}{facet} {document.termination}, campaign {document.campaign}, "
        f"put together {document.created_at:%Y-%m-%d %H:%M} UTC"
    )
    potential = document.potential
    shown.print(
        f"Potential {potential.name}, {potential.dtype}"
        + (f", head {potential.head}" if potential.head else "")
        + (f", dispersion {potential.dispersion}" if potential.dispersion else "")
        + (f" ({potential.parts})" if potential.parts else f", weights SHA-256 {potential.sha256}")
    )
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("Quantity", "Value", "Error", "Unit", "Against", "Calculations", "State"):
        table.add_column(heading, justify="right" if heading in ("Value", "Error") else "left")
    for item in document.properties():
        table.add_row(
            item.name,
            _cell(item.value),
            _cell(item.error),
            item.unit,
            item.reference_state or "–",
            str(len(item.fingerprints)),
            "converged" if item.converged else item.failure or "not converged",
        )
    shown.print(table)
    for field, info in type(document).model_fields.items():
        value = getattr(document, field)
        if field in _PLAIN_FIELDS and value is not None:
            shown.print(f"{(info.description or field).rstrip('.')}: {_cell(value)}")


_PLAIN_FIELDS = (
    "li_binding_site",
    "li_coverage",
    "film_miller_index",
    "interface_termination",
    "registry",
    "film_strain",
    "substrate_strain",
    "gamma_li_j_m2",
    "gamma_li_source",
)
