"""Running a campaign: checks first, then the screen, then what it found into the database."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from potentials.registry import registry
from results.database import Database
from results.documents import CollectorDocument
from screen.campaign import Campaign, MaxIndex
from screen.campaign_checks import check_crystals, check_elements
from screen.errors import CampaignError
from screen.stored import store_campaign
from workflows.collector_jobs import InterfaceLimits, SlabSize
from workflows.collectors import CollectorScreenMaker
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
        potential, _ = engine_for(_potential(campaign))
    except ValueError as error:
        raise CampaignError(f"{source}: {error}") from error
    check_elements(campaign, source, potential.elements)


def run_campaign(
    campaign: Campaign, text: str, database: Database, location: str, listener: Listener
) -> list[CollectorDocument]:
    """Run a checked campaign on this machine and store what it found.

    Args:
        campaign: as read.
        text: its file, kept with the results.
        database: where the results go; calculations that it holds already are not repeated.
        location: path or URL of the database, which the flow's jobs open themselves.
        listener: called as systems finish.

    Returns:
        One document per facet, those that failed included.
    """
    store_campaign(database, campaign, text)
    flow = collector_maker(campaign, location).make(collector_hosts(campaign))
    documents = run_flow(flow, listener)
    database.add_candidates(campaign.name, documents)
    _remove_if_empty(_spool(campaign, location))
    store_campaign(database, campaign, text, documents)
    return list(documents)


def collector_maker(campaign: Campaign, location: str) -> CollectorScreenMaker:
    """The Maker of a campaign's collector screen, on the database at ``location``."""
    maker = CollectorScreenMaker()
    relaxation = campaign.relaxation.model_dump()
    return replace(
        maker,
        name=campaign.name,
        potential=_potential(campaign),
        stores=StoreSettings(database=location, spool=str(_spool(campaign, location))),
        slab_size=SlabSize(**campaign.slab.model_dump()),
        film_facets=campaign.screens.collectors.film_facets,
        interface_limits=InterfaceLimits(
            max_atoms=campaign.limits.max_interface_atoms, max_strain=campaign.limits.max_strain
        ),
        slab_maker=replace(maker.slab_maker, **relaxation),
        adatom_maker=replace(maker.adatom_maker, **relaxation),
        interface_maker=replace(maker.interface_maker, **relaxation),
        path_maker=replace(
            maker.path_maker,
            n_images=campaign.neb.images,
            fmax=campaign.neb.fmax,
            max_steps=campaign.neb.max_steps,
        ),
    )


def collector_hosts(campaign: Campaign) -> dict[str, Any]:
    """Each host with its facets, as `CollectorScreenMaker.make` takes them."""
    screen = campaign.screens.collectors
    facets = {host: screen.facets_of(host) for host in screen.hosts}
    return {
        host: chosen.model_dump() if isinstance(chosen, MaxIndex) else chosen
        for host, chosen in facets.items()
    }


def _potential(campaign: Campaign) -> PotentialSettings:
    return PotentialSettings(**campaign.potential.model_dump())


def _spool(campaign: Campaign, location: str) -> Path:
    """Where a stage keeps what it has finished until it ends, for a run that is killed."""
    beside = Path("lithiophile.db" if "://" in location else location)
    return beside.with_name(f"{beside.name}-spool") / campaign.name


def _remove_if_empty(spool: Path) -> None:
    """Take the spool's folders away; one that another run or campaign uses stays."""
    with suppress(OSError):
        spool.rmdir()
        spool.parent.rmdir()
