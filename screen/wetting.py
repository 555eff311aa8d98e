"""The wetting screen: drops of liquid lithium on facets."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from screen.campaign import Campaign
from screen.campaign_checks import check_crystal, check_facets
from screen.campaign_dynamics import WettingScreen
from screen.facet_sections import facet_label, plain_facets

if TYPE_CHECKING:
    from jobflow import Flow

    from results.dynamics_documents import WettingDocument
    from screen.ranking import Scalar
    from workflows.settings import PotentialSettings, StoreSettings

_PLACE = ("screens", "wetting")


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
    """The screen's flow; its output is one document per facet and temperature."""
    from workflows.wetting import DropSize, WettingMaker

    screen = _section(campaign)
    default = WettingMaker()
    maker = replace(
        default,
        name=campaign.name,
        potential=potential,
        stores=stores,
        temperatures=screen.temperatures,
        size=DropSize(
            n_lithium=screen.drop_atoms,
            length=screen.length,
            width_ratio=screen.width_ratio,
            slab_thickness=screen.slab_thickness,
        ),
        dynamics_maker=replace(
            default.dynamics_maker,
            time_ps=screen.time_ps,
            timestep=screen.timestep_fs,
            interval=max(1, round(screen.frame_fs / screen.timestep_fs)),
        ),
    )
    return maker.make(plain_facets(screen.facets, screen.hosts))


def facts(document: "WettingDocument") -> "dict[str, Scalar]":
    """Host, facet and temperature."""
    return {
        "host": document.host,
        "facet": facet_label(document.miller_index, document.termination),
        "temperature": document.temperature,
    }


def _section(campaign: Campaign) -> WettingScreen:
    section = campaign.screens.wetting
    assert section is not None, "the campaign has no wetting section"
    return section
