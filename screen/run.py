"""Running a campaign: checks first, then its screens, then what they found into the database."""

from contextlib import suppress
from pathlib import Path

from potentials.registry import registry
from results.database import Database
from results.documents import CandidateDocument
from screen.campaign import Campaign
from screen.campaign_checks import check_crystals, check_elements
from screen.errors import CampaignError
from screen.kinds import KINDS
from screen.stored import store_campaign
from workflows.local import run_flow
from workflows.progress import Listener
from workflows.settings import PotentialSettings, StoreSettings, engine_for


def check_campaign(campaign: Campaign, source: str) -> None:
    """Everything that can be wrong before anything is computed or written.

    Args:
        campaign: as read.
        source: the file's name, for messages.

    Raises:
        CampaignError: in one line.
    """
    check_crystals(campaign, source)
    if known := registry().get(campaign.potential.name):
        check_elements(campaign, source, known.elements)  # before any download of weights
    try:
        potential, _ = engine_for(potential_settings(campaign))
    except ValueError as error:
        raise CampaignError(f"{source}: {error}") from error
    check_elements(campaign, source, potential.elements)


def run_campaign(
    campaign: Campaign, text: str, database: Database, location: str, listener: Listener
) -> list[CandidateDocument]:
    """Run every screen of a checked campaign on this machine and store what it found.

    Args:
        campaign: as read.
        text: its file, kept with the results.
        database: where the results go; calculations that it holds already are not repeated.
        location: path or URL of the database, which the flows' jobs open themselves.
        listener: called as systems finish.

    Returns:
        The documents of all screens, those that failed included.
    """
    store_campaign(database, campaign, text)
    potential, stores = potential_settings(campaign), store_settings(campaign, location)
    documents: list[CandidateDocument] = []
    for screen in campaign.screens.asked:
        flow = KINDS[screen].module.flow(campaign, potential, stores)
        found = run_flow(flow, listener)
        database.add_candidates(campaign.name, found)
        documents += found
    _remove_if_empty(_spool(campaign, location))
    store_campaign(database, campaign, text, documents)
    return documents


def potential_settings(campaign: Campaign) -> PotentialSettings:
    """The campaign's potential, as jobs take it."""
    return PotentialSettings(**campaign.potential.model_dump())


def store_settings(campaign: Campaign, location: str) -> StoreSettings:
    """Where the campaign's jobs keep results: the database at ``location``, a spool beside it."""
    return StoreSettings(database=location, spool=str(_spool(campaign, location)))


def _spool(campaign: Campaign, location: str) -> Path:
    """Where a stage keeps what it has finished until it ends, for a run that is killed."""
    beside = Path("lithiophile.db" if "://" in location else location)
    return beside.with_name(f"{beside.name}-spool") / campaign.name


def _remove_if_empty(spool: Path) -> None:
    """Take the spool's folders away; one that another run or campaign uses stays."""
    with suppress(OSError):
        spool.rmdir()
        spool.parent.rmdir()
