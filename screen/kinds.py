"""The kinds of screen: what each is called, which quantities it gives and what it ranks by.

What a screen does stands in the module ``screen.<name>`` (see `screen.kinds.ScreenModule`), which
is imported when it is needed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from screen.criteria import (
    COLLECTOR_QUANTITIES,
    DEFAULT_COLLECTOR_CRITERIA,
    Criterion,
    Quantity,
)
from screen.criteria_coatings import COATING_QUANTITIES, DEFAULT_COATING_CRITERIA
from screen.criteria_dynamics import (
    DEFAULT_DYNAMICS_CRITERIA,
    DEFAULT_WETTING_CRITERIA,
    DYNAMICS_QUANTITIES,
    WETTING_QUANTITIES,
)
from screen.criteria_seeds import DEFAULT_SEED_CRITERIA, SEED_QUANTITIES

if TYPE_CHECKING:
    from jobflow import Flow

    from screen.campaign import Campaign
    from screen.ranking import Scalar
    from workflows.settings import PotentialSettings, StoreSettings


@dataclass(frozen=True)
class ScreenKind:
    """One kind of screen.

    Attributes:
        name: key in the campaign file, ``screen`` of its documents and name of its module.
        title: for people.
        quantities: what it gives, by name, in the order in which tables show them.
        default_criteria: what it ranks by where a campaign names nothing else.
    """

    name: str
    title: str
    quantities: Mapping[str, Quantity]
    default_criteria: tuple[Criterion, ...]

    @property
    def module(self) -> "ScreenModule":
        """What it does."""
        return cast("ScreenModule", import_module(f"screen.{self.name}"))


class ScreenModule(Protocol):
    """The functions of a module ``screen.<name>``."""

    def check(self, campaign: "Campaign", source: str) -> None:
        """Hold the screen's section against the crystal library.

        Raises:
            CampaignError: in one line, naming the place in the file and the mend.
        """

    def crystals(self, campaign: "Campaign") -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Place in the file and name of each crystal that the potential must cover."""

    def flow(
        self, campaign: "Campaign", potential: "PotentialSettings", stores: "StoreSettings"
    ) -> "Flow":
        """The screen's flow; its output is a list of the screen's documents."""

    def facts(self, document: Any) -> "dict[str, Scalar]":
        """What tells a candidate from the others of the screen, ``host`` first."""


KINDS = {
    kind.name: kind
    for kind in (
        ScreenKind(
            "collectors",
            "Current collectors for lithium",
            COLLECTOR_QUANTITIES,
            DEFAULT_COLLECTOR_CRITERIA,
        ),
        ScreenKind(
            "seeds",
            "Alloy-forming seeds for lithium",
            SEED_QUANTITIES,
            DEFAULT_SEED_CRITERIA,
        ),
        ScreenKind(
            "coatings",
            "Coatings between electrolytes and lithium",
            COATING_QUANTITIES,
            DEFAULT_COATING_CRITERIA,
        ),
        ScreenKind(
            "dynamics",
            "The best interfaces in motion",
            DYNAMICS_QUANTITIES,
            DEFAULT_DYNAMICS_CRITERIA,
        ),
        ScreenKind(
            "wetting",
            "Drops of liquid lithium",
            WETTING_QUANTITIES,
            DEFAULT_WETTING_CRITERIA,
        ),
    )
}
"""Every kind of screen by its name, in the order in which a campaign runs them."""
