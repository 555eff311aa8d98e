"""``run``, ``rank`` and ``report``."""

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from screen.cli.options import (
    DEFAULT_DATABASE,
    CampaignOption,
    DatabaseOption,
    DetachOption,
    Format,
    FormatOption,
    PotentialOption,
    ScreenOption,
    Where,
)
from screen.cli.output import console, write

if TYPE_CHECKING:
    from results.database import Database
    from screen.stored import StoredCampaign
    from workflows.run_folder import RunRequest


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: lithiophile run examples/quickstart.yaml --db results.db")(run)
    app.command(epilog="Example: lithiophile rank --format json > ranking.json")(rank)
    app.command(epilog="Example: lithiophile report --output quickstart.html")(report)


def run(
    campaign: Annotated[
        Path | None,
        typer.Argument(metavar="[CAMPAIGN.yaml]", help="Campaign file; none: the quickstart."),
    ] = None,
    db: DatabaseOption = DEFAULT_DATABASE,
    output: Annotated[
        Path | None,
        typer.Option("--output", help="The report; by default CAMPAIGN-report.html here."),
    ] = None,
    on: Annotated[Where, typer.Option("--on", help="Where it computes.")] = Where.here,
    profile: Annotated[
        str | None, typer.Option("--profile", help="Profile of the cluster; see docs/hpc.md.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the job scripts and submit nothing.")
    ] = False,
    detach: DetachOption = False,
    no_funnel: Annotated[
        bool,
        typer.Option("--no-funnel", help="Compute every number of every coating, none rejected."),
    ] = False,
) -> None:
    """Run a campaign to its ranking and its report.

    What the database already holds is not computed again: run it again after an interruption, and
    it goes on where it stopped.
    """
    from screen.campaign_file import parse_campaign, quickstart_file, read_text, without_funnel
    from workflows.profiles import profiles_file
    from workflows.run_folder import RunRequest

    source = campaign or quickstart_file()
    text = read_text(source)
    wanted = parse_campaign(text, str(source))
    if no_funnel:
        text = without_funnel(text, str(source))
    target = _checked_output(output or Path(f"{wanted.name}-report.html"))
    request = RunRequest(
        name=wanted.name,
        text=text,
        source=str(source),
        database=db,
        on=on.value,
        profile=profile,
        profiles=None if on is Where.here else str(profiles_file().absolute()),
        output=str(target.absolute()),
    )
    run_requested(request, dry_run=dry_run, detach=detach)


def run_requested(request: "RunRequest", *, dry_run: bool = False, detach: bool = False) -> None:
    """Run what was asked for, to its ranking and its report."""
    from results.database import open_database
    from screen.campaign_file import parse_campaign
    from screen.cli.progress import showing_progress
    from screen.places import place_of, scripts_of
    from screen.run import check_campaign, run_campaign
    from screen.stored import load_campaign, store_rankings
    from workflows.cluster import DetachedError

    wanted = parse_campaign(request.text, request.source)
    place = place_of(request, detach=detach)
    check_campaign(wanted, request.source, place)
    if dry_run:
        write(scripts_of(request, place))
        return
    with open_database(request.database) as database:
        with showing_progress(console(stderr=True)) as listener:
            try:
                run_campaign(
                    wanted, request.text, database, request.database, listener, place, request
                )
            except DetachedError:
                console(stderr=True).print(
                    "Submitted; go on with: lithiophile resume "
                    f"--db {request.database} --campaign {request.name}",
                    soft_wrap=True,
                )
                return
        stored = load_campaign(database, wanted.name)
        ranked = _print_ranking(stored, Format.table)
        store_rankings(database, stored)
        if request.output is not None:
            _write_report(stored, database, Path(request.output))
    if not ranked:
        raise typer.Exit(1)


def rank(
    db: DatabaseOption = DEFAULT_DATABASE,
    campaign: CampaignOption = None,
    screen: ScreenOption = None,
    potential: PotentialOption = None,
    top: Annotated[
        int, typer.Option("--top", help="Give the probability of being among so many best.")
    ] = 3,
    format: FormatOption = Format.table,
) -> None:
    """Print the ranking of a campaign: Pareto fronts first, then the distance from the best.

    One table for each screen; as JSON a list of rankings where there are several. What did not
    converge or misses a threshold is listed apart, with the reason. Intervals and probabilities
    say how sure each place is, given the errors of the numbers.
    """
    from results.database import open_database
    from screen.stored import load_campaign

    with open_database(db, must_exist=True) as database:
        stored = load_campaign(database, campaign, potential, screen, whole=False)
    _print_ranking(stored, format, top)


def report(
    db: DatabaseOption = DEFAULT_DATABASE,
    campaign: CampaignOption = None,
    potential: PotentialOption = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", help="The file; by default CAMPAIGN-report.html here."),
    ] = None,
    serve: Annotated[
        bool,
        typer.Option("--serve", help="Serve it to browsers on this machine instead, ever current."),
    ] = False,
    port: Annotated[
        int, typer.Option("--port", help="Port of --serve; 0 takes any that is free.")
    ] = 8642,
) -> None:
    """Write the report of a campaign: one HTML file that opens without a network.

    With --serve, the reports of the database's campaigns are given out on 127.0.0.1 and follow the
    database while a campaign runs; Ctrl-C ends it.
    """
    from results.database import open_database
    from screen.stored import load_campaign

    if serve:
        _serve(db, port, campaign, potential)
        return
    with open_database(db, must_exist=True) as database:
        stored = load_campaign(database, campaign, potential)
        target = _checked_output(output or Path(f"{stored.name}-report.html"))
        _write_report(stored, database, target)


def _serve(db: str, port: int, campaign: str | None, potential: str | None) -> None:
    from results.database import open_database
    from screen.report_server import ReportServer
    from screen.stored import load_campaign

    with open_database(db, must_exist=True) as database:
        if campaign is not None:
            load_campaign(database, campaign, potential)  # what is wrong with it is said at once
    with ReportServer(db, port, campaign, potential) as server:
        console(stderr=True).print(f"Serving {server.url} (Ctrl-C ends it)", soft_wrap=True)
        with suppress(KeyboardInterrupt):
            server.serve_forever()


def _print_ranking(stored: "StoredCampaign", format: Format, top: int = 3) -> int:
    """Print the rankings of all screens; the number of candidates ranked."""
    from screen.errors import CampaignError
    from screen.ranking_output import as_csv, as_json, as_table

    screens = [stored.ranked(name, top=top) for name in stored.screens]
    if format is Format.csv and len(screens) > 1:
        names = " or ".join(stored.screens)
        raise CampaignError(
            f"--format = 'csv': the screens have different columns; name one with --screen {names}"
        )
    if format is Format.table:
        shown = console()
        for screen in screens:
            for part in as_table(screen):
                shown.print(part)
    else:
        write(as_csv(screens[0]) if format is Format.csv else as_json(screens))
    return sum(len(screen.ranking.ranked) for screen in screens)


def _checked_output(path: Path) -> Path:
    """The report's path, refused before anything is computed if it cannot be written."""
    from screen.errors import CampaignError

    if path.is_dir():
        raise CampaignError(f"--output = '{path}': is a folder; name a file in it")
    if not path.parent.is_dir():
        raise CampaignError(f"--output = '{path}': folder {path.parent} does not exist; make it")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise CampaignError(f"--output = '{path}': cannot be written; give another path")
    return path


def _write_report(stored: "StoredCampaign", database: "Database", target: Path) -> None:
    """Write the report beside its name first, so that a killed run leaves no half of it."""
    from screen.report import report_html

    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        partial.write_text(report_html(stored, database), encoding="utf-8")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    console(stderr=True).print(f"Report: {target}")
