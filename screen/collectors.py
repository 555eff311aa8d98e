"""The collector screen: what is checked of its section, its flow, and what names a candidate."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from screen.campaign import Campaign
from screen.campaign_checks import check_crystal, check_facets
from screen.campaign_collectors import CollectorScreen
from screen.facet_sections import plain_facets
from screen.maker_settings import with_campaign

if TYPE_CHECKING:
    from jobflow import Flow

    from results.documents import CollectorDocument
    from screen.ranking import Scalar
    from workflows.collectors import CollectorScreenMaker
    from workflows.settings import PotentialSettings, StoreSettings

_PLACE = ("screens", "collectors")


def check(campaign: Campaign, source: str) -> None:
    """Refuse hosts that the library lacks and facets that a host does not have.

    Raises:
        CampaignError: in one line, naming the place in the file and the mend.
    """
    screen = _section(campaign)
    for place, host in crystals(campaign):
        check_crystal(host, place, source)
    check_facets(screen.facets, screen.hosts, _PLACE, source)


def crystals(campaign: Campaign) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Place in the file and name of each host."""
    for position, host in enumerate(_section(campaign).hosts):
        yield (*_PLACE, "hosts", position), host


def flow(campaign: Campaign, potential: "PotentialSettings", stores: "StoreSettings") -> "Flow":
    """The screen's flow; its output is one document per facet."""
    return maker(campaign, potential, stores).make(hosts(campaign))


def maker(
    campaign: Campaign, potential: "PotentialSettings", stores: "StoreSettings"
) -> "CollectorScreenMaker":
    """The Maker with all that the campaign sets."""
    from workflows.collectors import CollectorScreenMaker

    return with_campaign(
        CollectorScreenMaker(),
        campaign,
        potential,
        stores,
        relaxing=("slab_maker", "adatom_maker", "interface_maker"),
        film_facets=_section(campaign).film_facets,
    )


def hosts(campaign: Campaign) -> dict[str, Any]:
    """Each host with its facets, as `CollectorScreenMaker.make` takes them."""
    screen = _section(campaign)
    return plain_facets(screen.facets, screen.hosts)


def facts(document: "CollectorDocument") -> "dict[str, Scalar]":
    """Host and facet."""
    return {
        "host": document.host,
        "miller_index": list(document.miller_index),
        "termination": document.termination,
    }


def _section(campaign: Campaign) -> CollectorScreen:
    section = campaign.screens.collectors
    assert section is not None, "the campaign has no collector screen"
    return section
