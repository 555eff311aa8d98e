"""What is checked of a campaign against the crystal library and the potential, before computing."""

from collections.abc import Collection, Sequence

from screen.campaign import Campaign
from screen.campaign_file import place, short
from screen.errors import CampaignError
from screen.facet_sections import Facets, HostFacets, facets_of
from screen.kinds import KINDS


def check_crystals(campaign: Campaign, source: str) -> None:
    """Hold every screen of the campaign against the crystal library.

    Args:
        campaign: as read.
        source: the file's name, for the message.

    Raises:
        CampaignError: in one line, naming the place in the file and the mend.
    """
    for name in campaign.screens.asked:
        KINDS[name].module.check(campaign, source)


def check_final_energies(campaign: Campaign, source: str) -> None:
    """Refuse final energies that would do nothing.

    Args:
        campaign: as read.
        source: the file's name, for the message.

    Raises:
        CampaignError: they are the potential's own, or of a screen in which the atoms move on.
    """
    final = campaign.final_energies
    if final is None:
        return
    named = f"{source}: final_energies = {final.name!r}"
    for one in campaign.potentials:
        if one.numbers == final.numbers:
            raise CampaignError(f"{named}: is the potential itself; remove it or name another one")
    for screen in campaign.screens.asked:
        if screen in ("dynamics", "wetting"):
            raise CampaignError(
                f"{named}: molecular dynamics has none; put screens.{screen} into a campaign "
                "without final_energies"
            )


def check_elements(
    campaign: Campaign,
    name: str,
    source: str,
    covered: Collection[str],
    field: str = "potential",
) -> None:
    """Refuse crystals with an element that the potential does not cover.

    Args:
        campaign: as read.
        name: of the potential, one of the campaign's.
        source: the file's name, for the message.
        covered: chemical symbols that the potential covers.
        field: the field of the file that names the potential.

    Raises:
        CampaignError: as `check_crystals`.
    """
    from structures.crystal_library import crystal_fact

    if "Li" not in covered:
        raise CampaignError(
            f"{source}: {field} = {name!r}: does not cover Li, which every screen needs; choose "
            "one that does (`lithiophile potentials list`)"
        )
    for screen in campaign.screens.asked:
        for where, crystal in KINDS[screen].module.crystals(campaign):
            held = {site.element for site in crystal_fact(crystal).sites}
            if missing := sorted(held - set(covered)):
                raise CampaignError(
                    f"{source}: {place(where)} = {crystal!r}: {field} {name!r} does not cover "
                    f"{', '.join(missing)}; remove it or choose a potential that does "
                    "(`lithiophile potentials list`)"
                )


def check_crystal(name: str, where: tuple[str | int, ...], source: str) -> None:
    """Refuse a crystal that the library lacks and that is not to be had from outside it.

    Args:
        name: as the file says it.
        where: its place in the file.
        source: the file's name.

    Raises:
        CampaignError: with the nearest names that the library has.
    """
    from structures.crystal_library import crystal_fact
    from structures.errors import StructureError

    try:
        crystal_fact(name)
    except StructureError as error:
        message = str(error).removeprefix(f"crystal: '{name}'").removeprefix(":").strip()
        raise CampaignError(f"{source}: {place(where)} = {short(name)}: {message}") from error


def check_facets(
    facets: Facets, hosts: Sequence[str], where: tuple[str | int, ...], source: str
) -> None:
    """Refuse facets that a host does not have.

    Args:
        facets: as the file says them.
        hosts: crystals of the library.
        where: place of the section in the file.
        source: the file's name.

    Raises:
        CampaignError: for indices that the host's lattice does not take, or a sheet's side.
    """
    for host in hosts:
        inside = ("facets", host) if isinstance(facets, dict) else ("facets",)
        _check_facets_of(host, facets_of(facets, host), (*where, *inside), source)


def _check_facets_of(
    host: str, chosen: HostFacets, where: tuple[str | int, ...], source: str
) -> None:
    from structures.crystal_library import crystal, crystal_fact
    from structures.errors import StructureError
    from structures.miller import miller_index

    for position, index in enumerate(chosen) if isinstance(chosen, list) else ():
        named = f"{source}: {place((*where, position))} = {index}"
        try:
            three = miller_index(index, crystal(host))
        except StructureError as error:
            message = str(error).removeprefix(f"miller_index: {index} ")
            raise CampaignError(f"{named}: {message}") from error
        if crystal_fact(host).sheet and three != (0, 0, 1):
            raise CampaignError(f"{named}: {host} is a single sheet; its one facet is [0, 0, 1]")
