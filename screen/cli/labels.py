"""``label``, ``refine`` and ``dft``: frames with DFT labels, and potentials corrected by them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from screen.cli.options import Where
from screen.cli.output import console

if TYPE_CHECKING:
    from ase import Atoms

    from workflows.places import Place
    from workflows.refinement import Comparison

_QUICK = "gpaw-pbe-quick"

LabelsOption = Annotated[
    str, typer.Option("--with", help="What labels: gpaw-pbe-quick, gpaw-pbe-tight or any other.")
]
OnOption = Annotated[Where, typer.Option("--on", help="Where the labels are computed.")]
ProfileOption = Annotated[
    str | None, typer.Option("--profile", help="Profile of the cluster; see docs/hpc.md.")
]

dft = typer.Typer(
    help="Frames for DFT: the reference list, input sets for other codes, their results.",
    no_args_is_help=True,
)


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: lithiophile label frames.extxyz --output labelled.extxyz")(label)
    app.command(
        epilog="Example: lithiophile refine mini --candidates frames.extxyz --against chgnet "
        "--limit-hours 2 --minutes 30 --folder runs/refine"
    )(refine)
    app.add_typer(dft, name="dft")


def label(
    frames: Annotated[Path, typer.Argument(metavar="FRAMES", help="Extended-XYZ file.")],
    output: Annotated[
        Path, typer.Option("--output", help="Labelled frames; .gz or .xz compresses.")
    ],
    labels: LabelsOption = _QUICK,
    limit_hours: Annotated[
        float | None,
        typer.Option("--limit-hours", help="Label only the first frames that take this long."),
    ] = None,
    on: OnOption = Where.here,
    profile: ProfileOption = None,
) -> None:
    """Compute energies, forces and stresses of frames; what does not converge is left out.

    What is done is kept beside the output: run it again after an interruption, and it goes on.
    """
    from screen.cli.progress import showing_progress
    from screen.errors import CampaignError
    from workflows.frame_validation import read_frames
    from workflows.labelling import label_frames, within_limit, write_labelled
    from workflows.refinement import label_seconds
    from workflows.settings import PotentialSettings, StoreSettings

    if not output.absolute().parent.is_dir():
        raise CampaignError(f"--output = '{output}': its folder does not exist; make it")
    wanted = read_frames(frames)
    seconds = label_seconds(wanted, labels)
    if limit_hours is not None:
        count = within_limit(seconds, 3600.0 * limit_hours)
        if not count:
            raise CampaignError(
                f"--limit-hours = {limit_hours}: the first frame takes "
                f"{seconds[0] / 3600.0:.2g} h; raise it"
            )
        wanted, seconds = wanted[:count], seconds[:count]
    folder = output.absolute().with_name(f"{output.name}.spool")
    place = _place(on, profile, folder)
    shown = console(stderr=True)
    shown.print(f"{len(wanted)} frames, about {_hours(sum(seconds))} on one core")
    with showing_progress(shown) as listener:
        done = label_frames(
            wanted, PotentialSettings(labels), StoreSettings(spool=str(folder)), listener, place
        )
    for position, why in done.failures.items():
        name = wanted[position].info.get("name", f"frame {position}")
        shown.print(f"not converged, left out: {name}: {why}", soft_wrap=True)
    if not done.frames:
        raise typer.Exit(1)
    write_labelled(done.frames, output)
    shown.print(f"{output}: {len(done.frames)} frames labelled in {_hours(done.seconds)}")


def refine(
    potential: Annotated[
        str, typer.Argument(metavar="POTENTIAL", help="Name, file or folder of a MACE potential.")
    ],
    folder: Annotated[
        Path, typer.Option("--folder", help="Where everything is kept; goes on from what is there.")
    ],
    minutes: Annotated[float, typer.Option("--minutes", help="Time to train.")] = 30.0,
    candidates: Annotated[
        Path | None, typer.Option("--candidates", help="Extended-XYZ file to choose frames from.")
    ] = None,
    runs: Annotated[
        str | None,
        typer.Option("--runs", metavar="DB", help="Choose from what runs in this database met."),
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option("--against", help="Potential to disagree with; may be given again."),
    ] = None,
    labelled: Annotated[
        list[Path] | None,
        typer.Option("--frames", help="Frames that are labelled already; may be given again."),
    ] = None,
    reference: Annotated[
        bool, typer.Option(help="Train on the PBE frames of the package as well.")
    ] = True,
    replay: Annotated[
        list[Path] | None,
        typer.Option(
            "--replay",
            help="Frames with labels of the potential's own kind, which it is to keep; "
            "may be given again.",
        ),
    ] = None,
    labels: LabelsOption = _QUICK,
    limit_hours: Annotated[
        float, typer.Option("--limit-hours", help="Most time for labels, on one core.")
    ] = 1.0,
    max_atoms: Annotated[
        int, typer.Option("--max-atoms", help="Larger frames are not candidates.")
    ] = 30,
    learning_rate: Annotated[
        float, typer.Option("--learning-rate", help="At the start; falls to zero.")
    ] = 0.0005,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Choose frames, say the cost, and stop.")
    ] = False,
    on: OnOption = Where.here,
    profile: ProfileOption = None,
) -> None:
    """Correct a potential with DFT: choose frames, label them, train further, compare.

    Frames are chosen where the potential disagrees with those named with --against. The cost is
    said before anything is computed, and --limit-hours bounds it.
    """
    import logging

    from potentials.dft.reference import reference_frames_file
    from potentials.loading import load_potential
    from potentials.torch_state import process_kept
    from screen.cli.progress import showing_progress
    from screen.errors import CampaignError
    from workflows.frame_validation import read_frames
    from workflows.refinement import label_plan, plan_refinement, refine_on_frames
    from workflows.settings import PotentialSettings

    shown = console(stderr=True)
    known = [frame for path in labelled or () for frame in read_frames(path)]
    if reference:
        known += read_frames(reference_frames_file())
    chosen_from = _candidates(candidates, runs, max_atoms)
    if not chosen_from and not known:
        raise CampaignError("--candidates: nothing to train on; give candidates or --frames")
    training = f"training {minutes:g} min"
    if chosen_from:
        if not against:
            raise CampaignError("--against: name a potential to disagree with, such as chgnet")
        load_potential(labels)  # an error at once, not after the choice
        committee = [load_potential(name) for name in (potential, *against)]
        plan = plan_refinement(chosen_from, committee, labels, 3600.0 * limit_hours, known, folder)
        shown.print(
            f"{len(plan.frames)} of {plan.candidates} candidates chosen: labels about "
            f"{_hours(plan.seconds)} on one core (limit {limit_hours:g} h), {training}"
        )
        if dry_run:
            return
        place = _place(on, profile, folder)
        with showing_progress(shown) as listener:
            done = label_plan(plan, PotentialSettings(labels), folder, listener, place)
        if done.failures:
            shown.print(f"{len(done.failures)} did not converge and are left out: failed.txt")
        known = done.frames + known
    else:
        shown.print(f"{len(known)} labelled frames, {training}")
        if dry_run:
            return
    with process_kept():
        from potentials.distil.training import Schedule
    progress = logging.getLogger("potentials.distil")
    progress.setLevel(logging.INFO)
    progress.addHandler(logging.StreamHandler())
    schedule = Schedule(minutes, learning_rate=learning_rate)
    _show(refine_on_frames(potential, known, folder, schedule, replay or ()))


@dft.command("frames", epilog="Example: lithiophile dft frames --output frames.extxyz")
def frames_command(
    output: Annotated[Path, typer.Option("--output", help="Extended-XYZ file.")],
) -> None:
    """Write the list of reference frames: small cells, the most telling per second first."""
    from structures import as_atoms
    from workflows.labelling import write_labelled
    from workflows.reference_frames import reference_frames

    frames = []
    for frame in reference_frames():
        atoms = as_atoms(frame.structure)
        atoms.info |= {"name": frame.name, "family": frame.family, "system": frame.system}
        frames.append(atoms)
    write_labelled(frames, output)
    console(stderr=True).print(f"{output}: {len(frames)} frames")


@dft.command(
    "inputs", epilog="Example: lithiophile dft inputs frames.extxyz --code vasp --folder runs"
)
def inputs_command(
    frames: Annotated[Path, typer.Argument(metavar="FRAMES", help="Extended-XYZ file.")],
    code: Annotated[str, typer.Option("--code", help="vasp, espresso or cp2k.")],
    folder: Annotated[Path, typer.Option("--folder", help="Gets a folder for each frame.")],
    settings: Annotated[
        str, typer.Option("--settings", help="pbe-quick or pbe-tight.")
    ] = "pbe-quick",
) -> None:
    """Write complete input sets for another DFT code, one folder per frame."""
    from potentials.dft.codes import write_inputs
    from potentials.dft.settings import dft_settings
    from workflows.frame_validation import read_frames

    wanted = read_frames(frames)
    shown = console(stderr=True)
    for line in write_inputs(wanted, code, dft_settings(settings), folder):
        shown.print(line, soft_wrap=True)
    shown.print(f"{folder}: {len(wanted)} input sets; then `lithiophile dft collect {folder}`")


@dft.command("collect", epilog="Example: lithiophile dft collect runs --output labelled.extxyz")
def collect_command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="As `dft inputs` wrote it.")],
    output: Annotated[Path, typer.Option("--output", help="Labelled frames, extended XYZ.")],
) -> None:
    """Read back what another DFT code computed; what did not converge is left out."""
    from potentials.dft.codes import read_results
    from workflows.labelling import write_labelled

    frames, failures = read_results(folder)
    shown = console(stderr=True)
    for why in failures.values():
        shown.print(f"left out: {why}", soft_wrap=True)
    if not frames:
        raise typer.Exit(1)
    write_labelled(frames, output)
    shown.print(f"{output}: {len(frames)} labelled frames")


@dft.command(
    "assemble",
    epilog="Example: lithiophile dft assemble frames.extxyz "
    "--spool labelled.extxyz.spool/label.jsonl --folder set",
)
def assemble_command(
    frames: Annotated[
        Path, typer.Argument(metavar="FRAMES", help="As `dft frames` writes them, without labels.")
    ],
    spool: Annotated[Path, typer.Option("--spool", help="What `label` keeps beside its output.")],
    folder: Annotated[
        Path, typer.Option("--folder", help="Gets frames.extxyz.xz and frames.json.")
    ],
    labels: Annotated[
        str, typer.Option("--with", help="What labelled: gpaw-pbe-quick or gpaw-pbe-tight.")
    ] = _QUICK,
) -> None:
    """Make a reference set, such as the package's own, of the frames labelled so far.

    The second file has settings, versions, hashes, and what did not converge.
    """
    from potentials.dft.gpaw_potential import GpawPotential
    from potentials.dft.reference import write_reference_frames
    from screen.errors import CampaignError
    from workflows.frame_validation import read_frames
    from workflows.labelling import labelled, spooled

    wanted = read_frames(frames)
    for key in ("name", "family", "system"):
        if any(key not in frame.info for frame in wanted):
            raise CampaignError(f"frames: one of {frames} has no {key}; give each of them one")
    potential = GpawPotential(labels)
    found, documents = spooled(wanted, potential, spool)
    done = labelled(found, documents)
    failures = {str(found[i].info["name"]): why for i, why in done.failures.items()}
    if not done.frames:
        raise CampaignError(f"--spool: {spool} holds no label of them by {labels}; label them")
    write_reference_frames(done.frames, potential, failures, done.seconds, folder)
    console(stderr=True).print(
        f"{folder}: {len(done.frames)} of {len(wanted)} frames, {len(failures)} did not converge"
    )


def _candidates(file: Path | None, runs: str | None, max_atoms: int) -> "list[Atoms]":
    from results.database import open_database
    from workflows.frame_choice import frames_of_runs
    from workflows.frame_validation import read_frames

    found = [] if file is None else [f for f in read_frames(file) if len(f) <= max_atoms]
    if runs is not None:
        with open_database(runs, must_exist=True) as database:
            found += frames_of_runs(database, max_atoms)
    return found


def _place(on: Where, profile: str | None, folder: Path) -> "Place":
    from screen.errors import CampaignError
    from workflows.cluster import Cluster
    from workflows.places import ThisProcess
    from workflows.profiles import find_profile, profiles_file, read_profiles

    if on is Where.here:
        if profile is not None:
            raise CampaignError("--profile: is for clusters; add --on slurm, pbs or workstation")
        return ThisProcess()
    profiles = read_profiles(str(profiles_file()))
    return Cluster(folder / "shards", profiles, find_profile(profile, profiles), False)


def _show(comparison: "Comparison") -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    headings = ("Held-out frames", "Energy MAE", "Force MAE", "Force slope")
    for heading in headings:
        table.add_column(heading)
    for when, rows in (("before", comparison.before), ("after", comparison.after)):
        row = rows[0]
        table.add_row(
            f"{when} ({row.frames})",
            f"{row.energy_mae_mev:.1f} meV/atom",
            f"{row.force_mae_mev:.0f} meV/Å",
            f"{row.force_slope:.3f} ± {row.force_slope_error:.3f}",
        )
    console().print(table)
    said = str(comparison.model)
    if not comparison.model.is_dir():  # a folder of tensors holds no code
        said += f"; use it after `lithiophile potentials trust {comparison.model}`"
    console(stderr=True).print(said, soft_wrap=True)


def _hours(seconds: float) -> str:
    return f"{seconds / 3600.0:.1f} h" if seconds >= 3600.0 else f"{seconds / 60.0:.1f} min"
