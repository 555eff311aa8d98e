"""``python -m potentials.distil``: make a small MACE network from a teacher or from DFT frames."""

import logging
import os
from pathlib import Path
from typing import Annotated

import typer

from potentials.distil.errors import DistillationError

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
Folder = Annotated[Path, typer.Option(help="Where everything is kept; goes on from what is there.")]
Teacher = Annotated[str, typer.Option(help="Registered potential that gives the labels.")]
Part = Annotated[str, typer.Option(help="i/n: this process's share, for n processes side by side.")]
Minutes = Annotated[float, typer.Option(help="Time to train.")]


@app.callback(invoke_without_command=True)
def everything(
    context: typer.Context,
    folder: Folder = Path("work/distil"),
    teacher: Teacher = "chgnet",
    minutes: Minutes = 60.0,
    rounds: Annotated[int, typer.Option(help="Rounds of exploration.")] = 1,
) -> None:
    """Label, train, explore, train on, evaluate and write the card; or one step by its name."""
    if context.invoked_subcommand is not None:
        return
    label([], folder, teacher, "0/1")
    train(folder, teacher, minutes / (rounds + 1))
    for round_ in range(rounds):
        explore(round_, folder, teacher, "0/1")
        (folder / "checkpoint.pt").unlink(missing_ok=True)
        train(folder, teacher, minutes / (rounds + 1), learning_rate=0.005, warm=True)
    evaluate(folder, teacher)
    card(folder, teacher)


@app.command()
def label(
    stages: Annotated[list[str] | None, typer.Argument(help="All if none is named.")] = None,
    folder: Folder = Path("work/distil"),
    teacher: Teacher = "chgnet",
    part: Part = "0/1",
) -> None:
    """Sample structures and label them with the teacher."""
    from potentials.distil import pipeline

    pipeline.label(pipeline.Workspace(folder, teacher), stages or [], _part(part))


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
def train(
    folder: Folder = Path("work/distil"),
    teacher: Teacher = "chgnet",
    minutes: Minutes = 60.0,
    learning_rate: Annotated[float, typer.Option(help="At the start.")] = 0.01,
    frames: Annotated[
        Path | None, typer.Option(help="Extended XYZ with energies and forces to train on instead.")
    ] = None,
    warm: Annotated[bool, typer.Option(help="Start from the folder's network.")] = False,
    fine_tune: Annotated[
        str | None, typer.Option(help="MACE model to train further, with --frames.")
    ] = None,
) -> None:
    """Train on the labelled frames; under torchrun on several processes."""
    from torch import distributed

    from potentials.distil import finetuning, pipeline
    from potentials.distil.training import Schedule

    if "RANK" in os.environ:
        distributed.init_process_group("gloo")
    schedule = Schedule(minutes, learning_rate=learning_rate)
    if fine_tune is not None:
        if frames is None:
            raise DistillationError("frames: a fine-tuning needs a file; give --frames FILE")
        errors = finetuning.fine_tune(fine_tune, frames, folder, schedule)
    else:
        space = pipeline.Workspace(folder, teacher)
        errors = pipeline.train_network(space, schedule, frames, warm)
    for name, error in errors.items():
        typer.echo(f"{name}: {error} ({error.frames} frames)")


@app.command()
def evaluate(folder: Folder = Path("work/distil"), teacher: Teacher = "chgnet") -> None:
    """Compare derived quantities with the teacher's; writes evaluation.csv."""
    from potentials.distil import pipeline

    typer.echo(pipeline.evaluate(pipeline.Workspace(folder, teacher)))


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
    except DistillationError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
