"""``python -m potentials.distil``: make a small MACE network from a teacher or from DFT frames."""

import logging
import os
from pathlib import Path
from typing import Annotated

import typer

from potentials.distil.errors import DistillationError
from potentials.errors import PotentialError

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
Folder = Annotated[Path, typer.Option(help="Where everything is kept; goes on from what is there.")]
Teacher = Annotated[str, typer.Option(help="Registered potential that gives the labels.")]
Part = Annotated[str, typer.Option(help="i/n: this process's share, for n processes side by side.")]
Elements = Annotated[
    str | None,
    typer.Option(help="Only structures of these, as Li,Cu,F: a smaller network in less time."),
]
Minutes = Annotated[float, typer.Option(help="Time to train.")]


@app.callback(invoke_without_command=True)
def everything(
    context: typer.Context,
    folder: Folder = Path("work/distil"),
    teacher: Teacher = "chgnet",
    minutes: Minutes = 60.0,
    rounds: Annotated[int, typer.Option(help="Rounds of exploration.")] = 1,
    elements: Elements = None,
) -> None:
    """Label, train, explore, train on, evaluate and write the card; or one step by its name."""
    if context.invoked_subcommand is not None:
        return
    label([], folder, teacher, "0/1", elements)
    for round_ in range(rounds + 1):
        if round_:
            explore(round_ - 1, folder, teacher, "0/1")
        train(folder, teacher, minutes / (rounds + 1), round_)
    evaluate(folder, teacher)
    card(folder, teacher)


@app.command()
def label(
    stages: Annotated[list[str] | None, typer.Argument(help="All if none is named.")] = None,
    folder: Folder = Path("work/distil"),
    teacher: Teacher = "chgnet",
    part: Part = "0/1",
    elements: Elements = None,
) -> None:
    """Sample structures and label them with the teacher."""
    from potentials.distil import pipeline

    chosen = None if elements is None else elements.replace(",", " ").split()
    pipeline.label(pipeline.Workspace(folder, teacher), stages or [], _part(part), chosen)


@app.command()
def explore(
    round_: Annotated[int, typer.Argument(metavar="ROUND", help="0, 1, 2 …")],
    folder: Folder = Path("work/distil"),
    teacher: Teacher = "chgnet",
    part: Part = "0/1",
) -> None:
    """Let the network relax and move systems; label the frames where it was worst."""
    from potentials.distil import pipeline

    pipeline.explore_round(pipeline.Workspace(folder, teacher), round_, _part(part))


@app.command()
def replay(
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="Extended XYZ to write.")],
    folder: Folder = Path("work/distil"),
    frames: Annotated[
        Path | None, typer.Option(help="The DFT frames; none: those of the package.")
    ] = None,
) -> None:
    """Write what a fine-tuning on DFT frames is to be shown again, so that it is not forgotten."""
    from potentials.dft.reference import reference_frames_file
    from potentials.distil import pipeline

    dft = frames or reference_frames_file()
    count = pipeline.replayed_frames(pipeline.Workspace(folder), dft, output)
    typer.echo(f"{output}: {count} frames")


@app.command()
def train(
    folder: Folder = Path("work/distil"),
    teacher: Teacher = "chgnet",
    minutes: Minutes = 60.0,
    round_: Annotated[
        int,
        typer.Option("--round", help="0: a fresh network; later ones go on from the folder's."),
    ] = 0,
    replayed: Annotated[
        float, typer.Option(help="Share of earlier rounds' frames that a later one is shown again.")
    ] = 1.0 / 3.0,
    learning_rate: Annotated[
        float | None,
        typer.Option(help="At the start; 0.01, in later rounds 0.003, for a fine-tuning 0.0005."),
    ] = None,
    frames: Annotated[
        Path | None, typer.Option(help="Extended XYZ with energies and forces to train on instead.")
    ] = None,
    fine_tune: Annotated[
        str | None, typer.Option(help="MACE model to train further, with --frames.")
    ] = None,
    replay: Annotated[
        list[Path] | None,
        typer.Option(help="Frames with the labels that the model to fine-tune is to keep."),
    ] = None,
) -> None:
    """Train on the labelled frames; under torchrun on several processes."""
    from torch import distributed

    from potentials.distil import finetuning, pipeline
    from potentials.distil.training import Schedule, later

    if "RANK" in os.environ:
        distributed.init_process_group("gloo")
    rate = learning_rate or (0.003 if round_ else 0.01 if fine_tune is None else 0.0005)
    schedule = later(minutes, rate) if round_ else Schedule(minutes, rate)
    if fine_tune is not None:
        if frames is None:
            raise DistillationError("frames: a fine-tuning needs a file; give --frames FILE")
        errors = finetuning.fine_tune(fine_tune, frames, folder, schedule, replay or []).errors
    else:
        space = pipeline.Workspace(folder, teacher)
        errors = pipeline.train_network(space, schedule, frames, round_, replayed)
    for name, error in errors.items():
        typer.echo(f"{name}: {error} ({error.frames} frames)")


@app.command()
def core(folder: Folder = Path("work/distil")) -> None:
    """Add a repulsive core, for molecular dynamics of melts; energies of bonds stay as they are."""
    from potentials.distil.core import add_core

    add_core(folder)


@app.command()
def evaluate(folder: Folder = Path("work/distil"), teacher: Teacher = "chgnet") -> None:
    """Compare derived quantities with the teacher's; writes evaluation.csv."""
    from potentials.distil import pipeline

    typer.echo(pipeline.evaluate(pipeline.Workspace(folder, teacher)))


@app.command()
def dynamics(
    folder: Folder = Path("work/distil"),
    picoseconds: Annotated[float, typer.Option(help="Length of each trajectory.")] = 20.0,
) -> None:
    """Let contacts of Li move at 500 K with the network; writes dynamics.json for the card."""
    from potentials.distil import pipeline

    for contact, run in pipeline.dynamics(pipeline.Workspace(folder), picoseconds).items():
        typer.echo(f"{contact}: {run}")


@app.command()
def card(folder: Folder = Path("work/distil"), teacher: Teacher = "chgnet") -> None:
    """Write the model card, card.md."""
    from potentials.distil import pipeline

    pipeline.card(pipeline.Workspace(folder, teacher))


def _part(text: str) -> tuple[int, int]:
    try:
        i, n = map(int, text.split("/"))
    except ValueError:
        i, n = -1, 0
    if not 0 <= i < n:
        raise DistillationError(f"part: {text!r} is no i/n with 0 <= i < n; give 0/1 for all")
    return i, n


def main() -> None:
    """Run the command; bad input is one line and exit code 2."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        app()
    except (PotentialError, OSError) as error:
        typer.echo(str(error), err=True)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
