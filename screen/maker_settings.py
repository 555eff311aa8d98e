"""What a campaign sets of the Maker of any screen that lays lithium on slabs."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from screen.campaign import Campaign

if TYPE_CHECKING:
    from workflows.lithium_screens import LithiumScreenMaker
    from workflows.settings import PotentialSettings, StoreSettings

ScreenMaker = TypeVar("ScreenMaker", bound="LithiumScreenMaker")


def with_campaign(
    default: ScreenMaker,
    campaign: Campaign,
    potential: "PotentialSettings",
    stores: "StoreSettings",
    relaxing: Sequence[str],
    **own: Any,
) -> ScreenMaker:
    """``default`` with its name, potential, stores, sizes, limits and stages from the campaign.

    Args:
        default: the screen's Maker as it is without a campaign.
        campaign: as read.
        potential: what gives the numbers.
        stores: where results are looked for and kept.
        relaxing: fields that hold the Makers of relaxations which ``relaxation`` sets.
        **own: the screen's own fields.
    """
    from workflows.collector_jobs import InterfaceLimits, SlabSize

    relaxation = campaign.relaxation.model_dump()
    settings: dict[str, Any] = {
        "name": campaign.name,
        "potential": potential,
        "stores": stores,
        "slab_size": SlabSize(**campaign.slab.model_dump()),
        "interface_limits": InterfaceLimits(
            max_atoms=campaign.limits.max_interface_atoms, max_strain=campaign.limits.max_strain
        ),
        "path_maker": replace(
            default.path_maker,
            n_images=campaign.neb.images,
            fmax=campaign.neb.fmax,
            max_steps=campaign.neb.max_steps,
        ),
    }
    settings |= {name: replace(getattr(default, name), **relaxation) for name in relaxing}
    return replace(default, **settings, **own)
