"""``status``, ``cancel`` and ``resume``: runs that are not finished."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from screen.cli.options import (
    DEFAULT_DATABASE,
    CampaignOption,
    DatabaseOption,
    DetachOption,
    Format,
    FormatOption,
)
from screen.cli.output import console, write

if TYPE_CHECKING:
    from rich.table import Table

    from workflows.run_status import RunStatus, ShardStatus


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: lithiophile status --db results.db")(status)
    app.command(epilog="Example: lithiophile cancel --campaign which-seed-on-copper")(cancel)
    app.command(epilog="Example: lithiophile resume --db results.db")(resume)


def status(
    db: DatabaseOption = DEFAULT_DATABASE,
    campaign: CampaignOption = None,
    format: FormatOption = Format.table,
) -> None:
    """Show what is running: drivers, stages, and the shards on a cluster with their time left."""
    from workflows.run_folder import find_run, unfinished_runs
    from workflows.run_status import run_status

    runs = unfinished_runs(db) if campaign is None else [find_run(db, campaign)]
    found = [run_status(run) for run in runs]
    if format is Format.json:
        write(json.dumps([asdict(one) for one in found], indent=2) + "\n")
    elif format is Format.csv:
        write(_csv(found))
    elif not found:
        console().print(f"No run on {db} is unfinished.", soft_wrap=True)
    else:
        for one in found:
            _print(one)


def cancel(db: DatabaseOption = DEFAULT_DATABASE, campaign: CampaignOption = None) -> None:
    """End a run: its driver and its jobs. What is finished is kept; `resume` goes on."""
    from workflows.run_folder import find_run
    from workflows.run_status import cancel_run

    run = find_run(db, campaign)
    jobs = cancel_run(run)
    console().print(f"{run.path.name}: ended, {jobs} job arrays cancelled", soft_wrap=True)


def resume(
    db: DatabaseOption = DEFAULT_DATABASE,
    campaign: CampaignOption = None,
    detach: DetachOption = False,
) -> None:
    """Go on with a run whose driver has ended, where and how it was started."""
    from screen.cli.campaigns import run_requested
    from workflows.run_folder import find_run

    run_requested(find_run(db, campaign).request(), detach=detach)


def _print(one: "RunStatus") -> None:
    from rich import box
    from rich.table import Table

    shown = console()
    driver = one.driver or "none; go on with `lithiophile resume`"
    shown.print(f"{one.name}, on {one.on}; driver: {driver}", soft_wrap=True)
    stages = Table(box=box.SIMPLE_HEAD)
    for heading in ("Stage", "Done", "Failed", "Known before"):
        stages.add_column(heading, justify="left" if heading == "Stage" else "right")
    for stage in one.stages:
        stages.add_row(
            stage.stage, f"{stage.done}/{stage.total}", str(stage.failed), str(stage.reused)
        )
    shown.print(stages)
    if one.shards:
        shown.print(_shards_table(one.shards))


def _shards_table(shards: "list[ShardStatus]") -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("Stage", "Shard", "Job", "State", "Systems", "Node", "Last beat", "Time left"):
        table.add_column(heading)
    for shard in shards:
        table.add_row(
            shard.stage,
            shard.shard,
            shard.job,
            shard.state,
            ", ".join(filter(None, (f"{shard.done}/{shard.total}", shard.progress))),
            shard.host,
            "" if shard.silent_s is None else f"{shard.silent_s:.0f} s ago",
            _duration(shard.left_s),
        )
    return table


def _csv(runs: "list[RunStatus]") -> str:
    """One line per shard; the stages are in the JSON."""
    import csv
    import io

    from workflows.run_status import ShardStatus

    columns = list(ShardStatus.__dataclass_fields__)
    text = io.StringIO()
    writer = csv.DictWriter(text, ["campaign", *columns], lineterminator="\n")
    writer.writeheader()
    for one in runs:
        writer.writerows({"campaign": one.name, **asdict(shard)} for shard in one.shards)
    return text.getvalue()


def _duration(seconds: int | None) -> str:
    if seconds is None:
        return ""
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"
