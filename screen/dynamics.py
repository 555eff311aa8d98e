"""The dynamics screen: the best interfaces of the campaign's other screens in motion."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from screen.campaign import Campaign
from screen.campaign_dynamics import DynamicsScreen
from screen.errors import CampaignError
from screen.facet_sections import facet_label

if TYPE_CHECKING:
    from jobflow import Flow

    from results.dynamics_documents import InterfaceDynamicsDocument
    from screen.ranking import Scalar
    from workflows.settings import PotentialSettings, StoreSettings

SOURCES = ("collectors", "seeds", "coatings")
"""Screens whose candidates have interfaces."""
_INTERFACES = (
    "interface_structure",
    "lithium_interface_structure",
    "lithiated_interface_structure",
    "electrolyte_interface_structure",
)


def check(campaign: Campaign, source: str) -> None:
    """Refuse a campaign without a screen whose interfaces could be moved.

    Raises:
        CampaignError: in one line, naming the place in the file and the mend.
    """
    if not set(SOURCES) & set(campaign.screens.asked):
        raise CampaignError(
            f"{source}: screens.dynamics: moves the best of other screens, but there is none; "
            f"add one of {', '.join(SOURCES)}"
        )


def crystals(_campaign: Campaign) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """None of its own."""
    return iter(())


def flow(campaign: Campaign, potential: "PotentialSettings", stores: "StoreSettings") -> "Flow":
    """Runs of the best interfaces that the campaign's screens have found so far."""
    from workflows.dynamics import InterfaceDynamicsMaker, starts_of

    screen = _section(campaign)
    default = InterfaceDynamicsMaker()
    maker = replace(
        default,
        name=campaign.name,
        potential=potential,
        stores=stores,
        temperatures=screen.temperatures,
        normal_stresses=[megapascals / 1000 for megapascals in screen.normal_stresses_mpa],
        dynamics_maker=replace(
            default.dynamics_maker,
            time_ps=screen.time_ps,
            timestep=screen.timestep_fs,
            interval=max(1, round(screen.frame_fs / screen.timestep_fs)),
        ),
    )
    return maker.make(starts_of(_best(campaign, potential, stores.database)))


def facts(document: "InterfaceDynamicsDocument") -> "dict[str, Scalar]":
    """Host, what lies on it, facet and the screen it comes from."""
    return {
        "host": document.host,
        "film": document.film,
        "facet": facet_label(document.miller_index, document.termination),
        "origin": document.origin,
    }


def _best(
    campaign: Campaign, potential: "PotentialSettings", database: str | None
) -> dict[str, list[Any]]:
    """By screen, its best candidates of one potential that have an interface."""
    from results.database import open_database
    from results.documents import Potential
    from screen.candidates import candidate_of, ranked_screen
    from screen.committee import same_potential
    from workflows.places import current_place
    from workflows.settings import engine_for

    found: dict[str, list[Any]] = {}
    if database is None:
        return found
    # The campaign may also hold what earlier weights of the same name gave.
    loaded, _ = engine_for(current_place().settings_here(potential))
    mine = Potential.model_validate(loaded.identity.to_dict())
    for name in campaign.screens.asked:
        if name not in SOURCES:
            continue
        with open_database(database) as opened:
            held = opened.candidates(f'screen={name} campaign="{campaign.name}"')
        documents = [
            document
            for document in held
            if same_potential(document.potential, mine)
            and any(getattr(document, field, None) for field in _INTERFACES)
        ]
        if not documents:
            continue
        ranked = ranked_screen(name, documents, campaign.ranking.criteria(name))
        place = {entry.candidate.identity: entry.rank for entry in ranked.ranking.ranked}
        ordered = sorted(
            documents, key=lambda one: place.get(candidate_of(one).identity, len(place) + 1)
        )
        found[name] = ordered[: _section(campaign).best]
    return found


def _section(campaign: Campaign) -> DynamicsScreen:
    section = campaign.screens.dynamics
    assert section is not None, "the campaign has no dynamics section"
    return section
