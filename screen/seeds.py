"""The seed screen: what is checked of its section, its flow, and what names a candidate."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from screen.campaign import Campaign
from screen.campaign_checks import check_facets
from screen.campaign_file import place, short
from screen.campaign_seeds import SeedScreen
from screen.errors import CampaignError
from screen.facet_sections import plain_facets
from screen.maker_settings import with_campaign

if TYPE_CHECKING:
    from jobflow import Flow
    from pymatgen.core import Structure

    from results.seed_documents import SeedDocument
    from screen.ranking import Scalar
    from workflows.seeds import SeedScreenMaker
    from workflows.settings import PotentialSettings, StoreSettings

_PLACE = ("screens", "seeds")
_LITHIUM = "Li"


def check(campaign: Campaign, source: str) -> None:
    """Refuse seeds that are no element of the library or have no phase with lithium.

    Raises:
        CampaignError: in one line, naming the place in the file and the mend.
    """
    screen = _section(campaign)
    for where, element in crystals(campaign):
        _check_element(element, f"{source}: {place(where)} = {short(element)}")
        if len(_phases(element)) == 1 and screen.decorations is None:
            raise CampaignError(
                f"{source}: {place(where)} = {element!r}: the library has no phase of {element} "
                "with Li; add decorations: {max_atoms: 4}, or screen it as a collector"
            )
    check_facets(screen.facets, screen.elements, _PLACE, source)


def crystals(campaign: Campaign) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Place in the file and name of each element."""
    for position, element in enumerate(_section(campaign).elements):
        yield (*_PLACE, "elements", position), element


def flow(campaign: Campaign, potential: "PotentialSettings", stores: "StoreSettings") -> "Flow":
    """The screen's flow; its output is one document per element."""
    screen = _section(campaign)
    facets = plain_facets(screen.facets, screen.elements)
    return maker(campaign, potential, stores).make(
        facets, {element: _structures(element, screen) for element in screen.elements}
    )


def maker(
    campaign: Campaign, potential: "PotentialSettings", stores: "StoreSettings"
) -> "SeedScreenMaker":
    """The Maker with all that the campaign sets."""
    from workflows.seeds import SeedScreenMaker

    return with_campaign(
        SeedScreenMaker(),
        campaign,
        potential,
        stores,
        relaxing=("solute_maker", "end_maker", "slab_maker", "adatom_maker", "interface_maker"),
        film_facets=_section(campaign).film_facets,
    )


def facts(document: "SeedDocument") -> "dict[str, Scalar]":
    """The element."""
    return {"host": document.host}


def _check_element(name: str, where: str) -> None:
    from pymatgen.core import Composition, Element

    from structures.crystal_library import crystal_names

    if name == _LITHIUM:
        raise CampaignError(f"{where}: is what is deposited; name elements that alloy with it")
    if not Element.is_valid_symbol(name):
        try:
            held = [element.symbol for element in Composition(name).elements]
        except ValueError:
            held = []
        others = [e for e in held if e != _LITHIUM and Element.is_valid_symbol(e)]
        mend = f"name what alloys: {', '.join(others)}" if others else "name one such as Ag"
        raise CampaignError(f"{where}: is no element; {mend}")
    if name not in crystal_names():
        raise CampaignError(
            f"{where}: the library has no crystal of {name}, so that the hull has no reference for "
            f"it; choose from {', '.join(filter(Element.is_valid_symbol, crystal_names('seed')))}"
        )


def _phases(element: str) -> list[str]:
    """Names of the library's crystals of an element and lithium, without lithium's own."""
    from structures.crystal_library import crystal_fact, crystal_names_within

    return [
        name
        for name in crystal_names_within({_LITHIUM, element})
        if {site.element for site in crystal_fact(name).sites} != {_LITHIUM}
    ]


def _cell(name: str) -> "Structure":
    """Conventional cell; the primitive one of a phase too large for more than the hull."""
    from structures import crystal
    from structures.symmetry import primitive_cell
    from workflows.seed_jobs import MOST_ATOMS

    conventional = crystal(name)
    primitive = primitive_cell(conventional)
    return primitive if len(primitive) > MOST_ATOMS else conventional


def _structures(element: str, screen: SeedScreen) -> "dict[str, Structure]":
    """Lithium, the element, their phases and, asked for, decorations, by name.

    Of lithium only the bcc phase, which every energy refers to, stands on the hull.
    """
    from structures.decorations import PARENTS, decorations

    found = {name: _cell(name) for name in (_LITHIUM, *_phases(element))}
    if screen.decorations is not None:
        volumes = [found[name].volume / len(found[name]) for name in (_LITHIUM, element)]
        for parent in PARENTS:
            for one in decorations(
                (_LITHIUM, element),
                (volumes[0], volumes[1]),
                parent,
                screen.decorations.max_atoms,
            ):
                found[one.name] = one.structure
    return found


def _section(campaign: Campaign) -> SeedScreen:
    section = campaign.screens.seeds
    assert section is not None, "the campaign has no seed screen"
    return section
