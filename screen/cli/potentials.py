"""``potentials``: what gives energies and forces, and its weights on this machine."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from screen.cli.output import console

if TYPE_CHECKING:
    from potentials.catalogue import PotentialStatus

app = typer.Typer(
    help="List, describe, fetch, verify and trust potentials.",
    no_args_is_help=True,
    epilog="Example: lithiophile potentials list",
)

NameArgument = Annotated[str, typer.Argument(help="Name of the potential, as `list` shows it.")]


@app.command(name="list", epilog="Example: lithiophile potentials list")
def list_() -> None:
    """List the potentials known by name."""
    from rich import box
    from rich.table import Table

    from potentials.catalogue import list_potentials

    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("Name", "Here", "Licence", "Functional", "Elements", "What it is"):
        table.add_column(heading, overflow="fold")
    for status in list_potentials():
        entry = status.entry
        table.add_row(
            entry.name,
            "yes" if status.available else "no",
            entry.licence,
            entry.functional,
            str(len(entry.elements)),
            entry.summary,
        )
    console().print(table)


@app.command(epilog="Example: lithiophile potentials info mace-mpa-0-medium")
def info(name: NameArgument) -> None:
    """Print what is known about a potential."""
    from potentials.catalogue import potential_info

    _print(potential_info(name))


@app.command(epilog="Example: lithiophile potentials fetch mace-mpa-0-medium")
def fetch(name: NameArgument) -> None:
    """Download a potential's weights, so that a machine without a network can use them."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

    from potentials.catalogue import fetch as fetch_weights

    bar = Progress(
        BarColumn(), DownloadColumn(), TransferSpeedColumn(), console=console(stderr=True)
    )
    task = bar.add_task(name)
    with ExitStack() as shown:

        def show(done: int, total: int | None) -> None:
            if not bar.live.is_started:  # else there is an empty line where no bytes come in
                shown.enter_context(bar)
            bar.update(task, completed=done, total=total)

        status = fetch_weights(name, progress=show, announce=bar.console.print)
    _print(status)


@app.command(epilog="Example: lithiophile potentials verify mace-mpa-0-medium")
def verify(name: NameArgument) -> None:
    """Check a potential's weights against the hash of their first use."""
    from potentials.catalogue import verify as verify_weights

    status = verify_weights(name)
    console().print(f"{name}: as at first use, SHA-256 {status.sha256}")


@app.command(epilog="Example: lithiophile potentials trust my.model")
def trust(
    file: Annotated[Path, typer.Argument(help="A MACE checkpoint whose source you trust.")],
) -> None:
    """Allow a local checkpoint to be loaded; loading one runs code in it."""
    from potentials.trust import trust_file

    console().print(f"{file}: trusted, SHA-256 {trust_file(file)}")


def _print(status: "PotentialStatus") -> None:
    entry = status.entry
    shown = console()
    heads = ", ".join(f"{head} ({data})" for head, data in entry.heads.items())
    for label, value in (
        ("Name", entry.name),
        ("What it is", entry.summary),
        ("Licence", entry.licence + (", academic use only" if entry.academic_only else "")),
        ("Training", entry.training),
        ("Functional", entry.functional),
        ("Elements", " ".join(entry.elements)),
        ("Heads", heads or "one"),
        ("Default head", entry.default_head),
        ("Default dtype", entry.default_dtype),
        ("Materials Project corrections", entry.mp_corrections),
        ("Dispersion that fits", entry.dispersion),
        ("Cite", entry.citation),
        ("Download", entry.url),
        ("Here", "yes" if status.available else "no"),
        ("Weights", status.path),
        ("SHA-256", status.sha256),
    ):
        if value:
            shown.print(f"{label}: {value}", soft_wrap=True)
