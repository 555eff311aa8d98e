"""What is checked of a campaign against the crystal library and the potential, before computing."""

import difflib
from collections.abc import Collection

from screen.campaign import Campaign, CollectorScreen
from screen.campaign_file import place, short
from screen.errors import CampaignError

_COLLECTORS = ("screens", "collectors")


def check_crystals(campaign: Campaign, source: str) -> None:
    """Refuse hosts that the library lacks and facets that a host does not have.

    Args:
        campaign: as read.
        source: the file's name, for the message.

    Raises:
        CampaignError: in one line, naming the place in the file and the mend.
    """
    screen = campaign.screens.collectors
    for position, host in enumerate(screen.hosts):
        _check_host(host, f"{source}: {place((*_COLLECTORS, 'hosts', position))}")
    for host in screen.hosts:
        _check_facets(screen, host, source)


def check_elements(campaign: Campaign, source: str, covered: Collection[str]) -> None:
    """Refuse hosts with an element that the potential does not cover.

    Args:
        campaign: as read.
        source: the file's name, for the message.
        covered: chemical symbols that the potential covers.

    Raises:
        CampaignError: as `check_crystals`.
    """
    from structures.crystal_library import crystal_fact

    name = campaign.potential.name
    if "Li" not in covered:
        raise CampaignError(
            f"{source}: potential = {name!r}: does not cover Li, which every screen needs; choose "
            "one that does (`lithiophile potentials list`)"
        )
    for position, host in enumerate(campaign.screens.collectors.hosts):
        held = {site.element for site in crystal_fact(host).sites}
        if missing := sorted(held - set(covered)):
            where = place((*_COLLECTORS, "hosts", position))
            raise CampaignError(
                f"{source}: {where} = {host!r}: potential {name!r} does not cover "
                f"{', '.join(missing)}; remove the host or choose a potential that does "
                "(`lithiophile potentials list`)"
            )


def _check_host(host: str, where: str) -> None:
    from structures.crystal_library import crystal_fact, crystal_names
    from structures.errors import StructureError

    try:
        crystal_fact(host)
    except StructureError as error:
        names = {name.lower(): name for name in crystal_names()}
        near = difflib.get_close_matches(host.lower(), names, 1, 0.6)
        mend = (
            f"did you mean {names[near[0]]!r}?"
            if near
            else "`lithiophile structures list` shows the library"
        )
        raise CampaignError(f"{where} = {short(host)}: unknown crystal; {mend}") from error


def _check_facets(screen: CollectorScreen, host: str, source: str) -> None:
    from structures.crystal_library import crystal, crystal_fact
    from structures.errors import StructureError
    from structures.miller import miller_index

    chosen = screen.facets_of(host)
    if not isinstance(chosen, list):
        return
    inside = ("facets", host) if isinstance(screen.facets, dict) else ("facets",)
    for position, index in enumerate(chosen):
        where = f"{source}: {place((*_COLLECTORS, *inside, position))} = {index}"
        try:
            three = miller_index(index, crystal(host))
        except StructureError as error:
            message = str(error).removeprefix(f"miller_index: {index} ")
            raise CampaignError(f"{where}: {message}") from error
        if crystal_fact(host).sheet and three != (0, 0, 1):
            raise CampaignError(f"{where}: {host} is a single sheet; its one facet is [0, 0, 1]")
