"""Running a campaign: checks first, then its screens, then what they found into the database."""

from dataclasses import replace
from itertools import product

from potentials.registry import registry
from results.database import Database
from results.documents import CandidateDocument
from screen.campaign import Campaign, FinalEnergies
from screen.campaign_checks import check_crystals, check_elements, check_final_energies
from screen.errors import CampaignError
from screen.kinds import KINDS
from screen.stored import store_campaign
from workflows.local import run_flow
from workflows.places import Place, ThisProcess, computing_at
from workflows.progress import Listener
from workflows.run_folder import RunFolder, RunRequest
from workflows.settings import PotentialSettings, StoreSettings, engine_for


def check_campaign(campaign: Campaign, source: str, place: Place | None = None) -> None:
    """Everything that can be wrong before anything is computed or written.

    Args:
        campaign: as read.
        source: the file's name, for messages.
        place: where it will compute; None for this process.

    Raises:
        CampaignError: in one line.
    """
    check_crystals(campaign, source)
    check_final_energies(campaign, source)
    asked: list[tuple[str, FinalEnergies]] = [("potential", one) for one in campaign.potentials]
    if campaign.final_energies is not None:
        asked.append(("final_energies", campaign.final_energies))
    for field, one in asked:
        if known := registry().get(one.name):
            check_elements(campaign, one.name, source, known.elements, field)  # before any download
    for settings in potential_settings(campaign):
        here = settings if place is None else place.settings_here(settings)
        _check_loading(campaign, source, "potential", replace(here, final_energies=None))
        if here.final_energies:
            energies = replace(here.final_energies, device=here.device)
            _check_loading(campaign, source, "final_energies", energies)


def _check_loading(
    campaign: Campaign, source: str, field: str, settings: PotentialSettings
) -> None:
    try:
        potential, _ = engine_for(settings)
    except ValueError as error:
        named = "" if field == "potential" else f"{field} = {settings.name!r}: "
        raise CampaignError(f"{source}: {named}{error}") from error
    check_elements(campaign, settings.name, source, potential.elements, field)


def run_campaign(
    campaign: Campaign,
    text: str,
    database: Database,
    location: str,
    listener: Listener,
    place: Place | None = None,
    request: RunRequest | None = None,
) -> list[CandidateDocument]:
    """Run every screen of a checked campaign and store what it found.

    Args:
        campaign: as read.
        text: its file, kept with the results.
        database: where the results go; calculations that it holds already are not repeated.
        location: path or URL of the database, which the flows' jobs open themselves.
        listener: called as systems finish.
        place: where its stages compute; None for this process.
        request: what is kept for `lithiophile resume`; None keeps that it runs here.

    Returns:
        The documents of all screens, those that failed included.

    Raises:
        WorkflowError: another driver runs this campaign on this database.
    """
    request = request or RunRequest(campaign.name, text, campaign.name, location)
    folder = RunFolder.beside(location, campaign.name)
    with folder.drive(request, listener) as heard, computing_at(place or ThisProcess()):
        documents = _run_screens(campaign, text, database, location, heard)
        folder.forget()
    return documents


def _run_screens(
    campaign: Campaign, text: str, database: Database, location: str, listener: Listener
) -> list[CandidateDocument]:
    store_campaign(database, campaign, text)
    stores = store_settings(campaign, location)
    documents: list[CandidateDocument] = []
    for screen, potential in product(campaign.screens.asked, potential_settings(campaign)):
        flow = KINDS[screen].module.flow(campaign, potential, stores)
        found = run_flow(flow, listener, location)
        database.add_candidates(campaign.name, found)
        documents += found
    store_campaign(database, campaign, text, documents)
    return documents


def potential_settings(campaign: Campaign) -> list[PotentialSettings]:
    """The campaign's potential, or those of its committee, as jobs take them."""
    final = campaign.final_energies
    energies = None if final is None else PotentialSettings(**final.model_dump())
    return [
        PotentialSettings(**one.model_dump(), final_energies=energies)
        for one in campaign.potentials
    ]


def store_settings(campaign: Campaign, location: str) -> StoreSettings:
    """Where the campaign's jobs keep results: the database at ``location``, a spool beside it."""
    return StoreSettings(
        database=location, spool=str(RunFolder.beside(location, campaign.name).path)
    )
