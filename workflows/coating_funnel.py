"""The funnel of the coating screen: which numbers a coating must reach before dearer ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from monty.json import MSONable

from results.coating_documents import CoatingDocument, Rejection
from results.documents import quantities

Step = Literal["thermodynamics", "migration"]
"""What is computed before the interfaces, the cheapest first."""


@dataclass(frozen=True)
class Funnel(MSONable):
    """Thresholds; None for none. What misses one is computed no further.

    Attributes:
        max_energy_above_hull: eV/atom.
        max_reduction_limit: lower end of the window, V vs Li/Li⁺.
        min_oxidation_limit: upper end of the window, V; passed by what holds no lithium.
        min_reaction_energy: of every contact, closed and open, eV/atom; negative.
        max_migration_barrier: of the percolating path of lithium, eV.
        min_shear_ratio: G/G_Li.
    """

    max_energy_above_hull: float | None = 0.05
    max_reduction_limit: float | None = 0.1
    min_oxidation_limit: float | None = None
    min_reaction_energy: float | None = -0.1
    max_migration_barrier: float | None = 1.0
    min_shear_ratio: float | None = None


@dataclass(frozen=True)
class _Threshold:
    """One threshold: where it stands in `Funnel`, and what it is compared with."""

    field: str
    step: Step
    value: str
    label: str
    at_least: bool


_THRESHOLDS = (
    _Threshold(
        "max_energy_above_hull",
        "thermodynamics",
        "energy_above_hull_ev",
        "energy above the hull",
        False,
    ),
    _Threshold(
        "max_reduction_limit", "thermodynamics", "reduction_limit_v", "reduction limit", False
    ),
    _Threshold(
        "min_oxidation_limit", "thermodynamics", "oxidation_limit_v", "oxidation limit", True
    ),
    _Threshold(
        "min_reaction_energy",
        "thermodynamics",
        "lithium_reaction_ev",
        "reaction energy with lithium",
        True,
    ),
    _Threshold(
        "min_reaction_energy",
        "thermodynamics",
        "electrolyte_reaction_ev",
        "reaction energy with the electrolyte",
        True,
    ),
    _Threshold(
        "min_reaction_energy",
        "thermodynamics",
        "electrolyte_open_reaction_ev",
        "open reaction energy with the electrolyte",
        True,
    ),
    _Threshold(
        "min_reaction_energy",
        "thermodynamics",
        "cathode_reaction_ev",
        "reaction energy with the cathode",
        True,
    ),
    _Threshold(
        "min_reaction_energy",
        "thermodynamics",
        "cathode_open_reaction_ev",
        "open reaction energy with the cathode",
        True,
    ),
    _Threshold(
        "max_migration_barrier", "migration", "migration_barrier_ev", "migration barrier", False
    ),
    _Threshold("min_shear_ratio", "migration", "shear_ratio", "G/G_Li", True),
)

LABELS = tuple(threshold.label for threshold in _THRESHOLDS)
"""What the thresholds are on, for people, in the order of the funnel."""


def rejections(
    document: CoatingDocument, funnel: Funnel | None, step: Step
) -> tuple[Rejection, ...]:
    """The thresholds that a coating misses after a step; none for a bare electrolyte.

    What has no number misses nothing here, nor does a number behind which something failed.

    Args:
        document: with the numbers of the step.
        funnel: the thresholds; None rejects nothing.
        step: which of the thresholds.
    """
    if funnel is None or document.coating is None:
        return ()
    return tuple(_missed(document, funnel, step))


def _missed(document: CoatingDocument, funnel: Funnel, step: Step) -> Iterator[Rejection]:
    names = quantities(CoatingDocument)
    for each in _THRESHOLDS:
        limit, value = getattr(funnel, each.field), getattr(document, each.value)
        if each.step != step or limit is None or value is None:
            continue
        if not document.evidence[each.value].converged:
            continue
        if (value < limit) if each.at_least else (value > limit):
            name, unit = names[each.value]
            yield Rejection(
                quantity=name,
                label=each.label,
                value=value,
                threshold=limit,
                at_least=each.at_least,
                unit=unit,
                after=step,
            )
