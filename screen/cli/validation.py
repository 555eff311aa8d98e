"""``validate``: computed values beside published ones, or a potential beside DFT frames."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from screen.cli.options import Format, FormatOption
from screen.cli.output import console, write

if TYPE_CHECKING:
    from rich.table import Table

    from potentials.potential import Potential
    from workflows.frame_validation import FrameErrors
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
    frames: Annotated[
        str | None,
        typer.Option(
            "--frames",
            help="Compare energies and forces with these DFT frames instead: an extended-XYZ file, "
            "or 'reference' for the PBE frames of the package.",
        ),
    ] = None,
    device: Annotated[str, typer.Option("--device", help="cpu, cuda or cuda:N.")] = "cpu",
    dtype: Annotated[
        str | None, typer.Option("--dtype", help="float64, float32 or tf32; none: its default.")
    ] = None,
    head: Annotated[
        str | None, typer.Option("--head", help="Head of a potential with several.")
    ] = None,
    dispersion: Annotated[
        str | None, typer.Option("--dispersion", help="D3 to add: d3, d3-bj-pbe or its like.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", help="Write OUTPUT.csv and a parity plot, OUTPUT.png."),
    ] = None,
    format: FormatOption = Format.table,
) -> None:
    """Hold a potential to published values of whatever it covers, or to DFT frames.

    A value that deviates by more than its tolerance says what the potential is not good for.
    """
    from potentials import load_potential
    from screen.errors import CampaignError
    from workflows.validation import parity_plot, write_validation
    from workflows.validation import validate as compare

    if output is not None and not output.parent.is_dir():
        raise CampaignError(
            f"--output = '{output}': folder {output.parent} does not exist; make it"
        )
    shown = console(stderr=True)
    loaded = load_potential(potential, device=device, dtype=dtype, head=head, dispersion=dispersion)
    if frames is not None:
        if against is not None:
            raise CampaignError("--frames: leave out --against, which is for published values")
        _validate_on_frames(loaded, frames, output, format)
        return
    rows = compare(
        loaded,
        against,
        on_quantity=lambda quantity, n: shown.print(f"{quantity.replace('_', ' ')}: {n} values"),
    )
    if output is not None:
        write_validation(rows, output.with_suffix(".csv"))
        title = f"{loaded.identity.name} against published values"
        parity_plot(rows, output.with_suffix(".png"), title=title)
    _print([row.to_dict() for row in rows], _table(rows), format)


def _validate_on_frames(
    potential: "Potential", frames: str, output: Path | None, format: Format
) -> None:
    """Compare with labelled frames, print and write."""
    import pandas as pd

    from potentials.dft.reference import REFERENCE, reference_frames_file
    from workflows.frame_validation import force_plot, frame_errors, predicted_frames, read_frames

    path = reference_frames_file() if frames == REFERENCE else Path(frames)
    predictions = predicted_frames(potential, read_frames(path))
    errors = frame_errors(predictions)
    rows = [row.to_dict() for row in errors]
    if output is not None:
        pd.DataFrame(rows).to_csv(output.with_suffix(".csv"), index=False)
        title = f"{potential.identity.name} against DFT frames"
        force_plot(predictions, output.with_suffix(".png"), title=title)
    _print(rows, _frames_table(errors), format)


def _print(rows: "list[dict]", table: "Table", format: Format) -> None:
    import json

    import pandas as pd

    if format is Format.table:
        console().print(table)
    elif format is Format.csv:
        write(pd.DataFrame(rows).to_csv(index=False))
    else:
        write(json.dumps(rows, indent=2) + "\n")


def _frames_table(rows: "list[FrameErrors]") -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("Family", "Frames", "Energy MAE", "Force MAE", "Force slope"):
        table.add_column(heading)
    for row in rows:
        table.add_row(
            row.family,
            str(row.frames),
            f"{row.energy_mae_mev:.1f} meV/atom",
            f"{row.force_mae_mev:.0f} meV/Å",
            f"{row.force_slope:.3f} ± {row.force_slope_error:.3f}",
        )
    return table


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
