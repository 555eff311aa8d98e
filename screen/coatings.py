"""The coating screen: what is checked of its section, its flow, and what names a candidate."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from screen.campaign import Campaign
from screen.campaign_checks import check_crystal
from screen.campaign_coatings import CoatingScreen
from screen.campaign_file import place
from screen.errors import CampaignError
from screen.maker_settings import with_campaign

if TYPE_CHECKING:
    from jobflow import Flow

    from results.coating_documents import CoatingDocument
    from screen.ranking import Scalar
    from workflows.coatings import CoatingScreenMaker
    from workflows.settings import PotentialSettings, StoreSettings

BARE = "bare"
"""What stands for the coating of a bare electrolyte."""
_PLACE = ("screens", "coatings")
_LITHIUM = "Li"


def check(campaign: Campaign, source: str) -> None:
    """Refuse crystals that the library lacks, pairs that are one, and hulls without a reference.

    Raises:
        CampaignError: in one line, naming the place in the file and the mend.
    """
    screen = _section(campaign)
    for where, name in crystals(campaign):
        check_crystal(name, where, source)
        _check_solid(name, f"{source}: {place(where)} = {name!r}")
    for position, coating in enumerate(screen.coatings):
        for electrolyte in screen.electrolytes:
            if _name(coating) == _name(electrolyte):
                raise CampaignError(
                    f"{source}: {place((*_PLACE, 'coatings', position))} = {coating!r}: is the "
                    f"electrolyte {electrolyte!r}; remove one of them"
                )
    if screen.cathode is not None and _LITHIUM not in _elements(screen.cathode):
        raise CampaignError(
            f"{source}: {place((*_PLACE, 'cathode'))} = {screen.cathode!r}: holds no lithium; "
            "give the lithiated cathode, such as LiCoO2"
        )
    _check_references(campaign, source)


def crystals(campaign: Campaign) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Place in the file and name of each electrolyte and coating, and of the cathode."""
    screen = _section(campaign)
    for key in ("electrolytes", "coatings"):
        for position, name in enumerate(getattr(screen, key)):
            yield (*_PLACE, key, position), name
    if screen.cathode is not None:
        yield (*_PLACE, "cathode"), screen.cathode


def flow(campaign: Campaign, potential: "PotentialSettings", stores: "StoreSettings") -> "Flow":
    """The screen's flow; its output is one document per electrolyte and coating."""
    from workflows.teacher_energies import primitive_crystal, teacher_phases

    screen = _section(campaign)
    electrolytes = [_name(name) for name in screen.electrolytes]
    coatings = [_name(name) for name in screen.coatings]
    cathode = None if screen.cathode is None else _name(screen.cathode)
    named = [*electrolytes, *coatings, *([cathode] if cathode else [])]
    competing = competing_phases(screen)
    final = potential.final_energies
    cells = {name: primitive_crystal(name) for name in dict.fromkeys([*competing, *named])}
    return maker(campaign, potential, stores).make(
        electrolytes,
        coatings,
        {name: cells[name] for name in named},
        {name: cells[name] for name in competing},
        tabulated=teacher_phases(potential.name, cells, None if final is None else final.name),
        cathode=cathode,
        voltage=(screen.voltage[0], screen.voltage[1]),
    )


def maker(
    campaign: Campaign, potential: "PotentialSettings", stores: "StoreSettings"
) -> "CoatingScreenMaker":
    """The Maker with all that the campaign sets."""
    from workflows.coating_funnel import Funnel
    from workflows.coatings import CoatingScreenMaker

    funnel = _section(campaign).funnel
    return with_campaign(
        CoatingScreenMaker(),
        campaign,
        potential,
        stores,
        relaxing=("end_maker", "slab_maker", "interface_maker"),
        funnel=None if funnel is None else Funnel(**funnel.model_dump()),
    )


def competing_phases(screen: CoatingScreen) -> list[str]:
    """The library's crystals in any chemical system that the screen needs, lithium first.

    These are the systems of a coating (or nothing) with an electrolyte or the cathode, and lithium.
    """
    from structures.crystal_library import crystal_names_within

    partners = [*screen.electrolytes, *([screen.cathode] if screen.cathode else [])]
    systems = {
        frozenset({_LITHIUM, *_elements(partner), *(_elements(host) if host else ())})
        for partner in partners
        for host in (*screen.electrolytes, *screen.coatings, None)
        if host is None or host in screen.coatings or partner == screen.cathode
    }
    found = {name for system in systems for name in crystal_names_within(system)}
    # Potentials count from bcc lithium, the metal that the other quantities are measured against.
    return [_LITHIUM, *sorted(found - set(crystal_names_within({_LITHIUM})))]


def facts(document: "CoatingDocument") -> "dict[str, Scalar]":
    """Coating and electrolyte."""
    return {"coating": document.coating or BARE, "electrolyte": document.electrolyte}


def _check_solid(name: str, where: str) -> None:
    from structures.crystal_library import crystal_fact

    if crystal_fact(name).sheet:
        raise CampaignError(f"{where}: is a single sheet, no bulk phase; give a bulk crystal")
    if _elements(name) == {_LITHIUM}:
        raise CampaignError(f"{where}: is lithium itself; give a compound")


def _check_references(campaign: Campaign, source: str) -> None:
    """Refuse a crystal with an element of which the library has no pure phase."""
    from structures.crystal_library import crystal_names_within

    for where, name in crystals(campaign):
        for element in sorted(_elements(name)):
            if not crystal_names_within({element}):
                raise CampaignError(
                    f"{source}: {place(where)} = {name!r}: its hull has no reference for "
                    f"{element}, of which the library has no pure phase; remove it"
                )


def _elements(name: str) -> set[str]:
    from structures.crystal_library import crystal_fact

    return {site.element for site in crystal_fact(name).sites}


def _name(name: str) -> str:
    """The library's own name of a crystal that may be given by another one."""
    from structures.crystal_library import crystal_fact

    return crystal_fact(name).name


def _section(campaign: Campaign) -> CoatingScreen:
    section = campaign.screens.coatings
    assert section is not None, "the campaign has no coating screen"
    return section
