"""``validate``: computed values beside published ones."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from screen.cli.options import Format, FormatOption
from screen.cli.output import console, write

if TYPE_CHECKING:
    from rich.table import Table

    from workflows.validation import ValidationRow


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: lithiophile validate --potential mini --output mini-validation")(
        validate
    )


def validate(
    potential: Annotated[str, typer.Option("--potential", help="Name or file of a potential.")],
    against: Annotated[
        Path | None,
        typer.Option("--against", help="CSV of published values; none: those of the package."),
    ] = None,
    device: Annotated[str, typer.Option("--device", help="cpu, cuda or cuda:N.")] = "cpu",
    output: Annotated[
        Path | None,
        typer.Option("--output", help="Write OUTPUT.csv and the parity plot OUTPUT.png."),
    ] = None,
    format: FormatOption = Format.table,
) -> None:
    """Hold a potential to published values of whatever it covers.

    A value that deviates by more than its tolerance says what the potential is not good for.
    """
    import json

    from potentials import load_potential
    from screen.errors import CampaignError
    from workflows.validation import parity_plot, write_validation
    from workflows.validation import validate as compare

    if output is not None and not output.parent.is_dir():
        raise CampaignError(
            f"--output = '{output}': folder {output.parent} does not exist; make it"
        )
    shown = console(stderr=True)
    loaded = load_potential(potential, device=device)
    rows = compare(
        loaded,
        against,
        on_quantity=lambda quantity, n: shown.print(f"{quantity.replace('_', ' ')}: {n} values"),
    )
    if output is not None:
        write_validation(rows, output.with_suffix(".csv"))
        title = f"{loaded.identity.name} against published values"
        parity_plot(rows, output.with_suffix(".png"), title=title)
    if format is Format.table:
        console().print(_table(rows))
    elif format is Format.csv:
        import pandas as pd

        write(pd.DataFrame([row.to_dict() for row in rows]).to_csv(index=False))
    else:
        write(json.dumps([row.to_dict() for row in rows], indent=2) + "\n")


def _table(rows: "list[ValidationRow]") -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("Quantity", "System", "Computed", "Published", "Tolerance", "Unit", "Verdict"):
        table.add_column(heading)
    for row in rows:
        case, reference = row.reference.case, row.reference
        facet = f" ({''.join(map(str, case.facet))})" if case.facet else ""
        species = f", {case.species}" if case.species else ""
        table.add_row(
            case.quantity.replace("_", " "),
            f"{case.system}{facet}{species}",
            "" if row.computed is None else f"{row.computed:.4g}",
            f"{reference.value:.4g}",
            f"{reference.tolerance:.3g}",
            reference.unit,
            row.verdict if row.failure is None else f"{row.verdict}: {row.failure}",
        )
    return table
