"""What candidates are ranked by: the quantities a criterion may name, and the criterion itself."""

from dataclasses import dataclass
from typing import Literal

Direction = Literal["max", "min"]


@dataclass(frozen=True)
class Quantity:
    """One number of a candidate and how it is shown.

    Attributes:
        name: name in the campaign file, without unit (``"li_binding"``).
        key: field of the result document and key in JSON and CSV (``"li_binding_ev"``).
        label: heading for people (``"Li binding"``).
        unit: unit as shown in tables (``"eV"``).
        digits: digits after the point in tables for people; JSON and CSV are never rounded.
    """

    name: str
    key: str
    label: str
    unit: str
    digits: int

    def text(self, value: float | None, error: float | None = None) -> str:
        """``value`` (with its error) rounded for people; a dash where there is none."""
        if value is None:
            return "–"
        shown = f"{value:.{self.digits}f}"
        if error is None:
            return shown
        small = error < 0.5 * 10**-self.digits
        return f"{shown} ± {error:.1g}" if small else f"{shown} ± {error:.{self.digits}f}"

    @property
    def heading(self) -> str:
        """Label with its unit, as a column's heading."""
        return f"{self.label} ({self.unit})"


COLLECTOR_QUANTITIES = {
    quantity.name: quantity
    for quantity in (
        Quantity("work_of_adhesion", "work_of_adhesion_j_m2", "Work of adhesion", "J/m²", 3),
        Quantity("li_binding", "li_binding_ev", "Li binding", "eV", 3),
        Quantity("adatom_barrier", "adatom_barrier_ev", "Adatom barrier", "eV", 3),
        Quantity("contact_angle", "contact_angle_deg", "Contact angle", "°", 1),
        Quantity("surface_energy", "surface_energy_j_m2", "Surface energy", "J/m²", 3),
        Quantity("interface_energy", "interface_energy_j_m2", "Interface energy", "J/m²", 3),
        Quantity("nucleation_overpotential", "nucleation_overpotential_v", "Overpotential", "V", 3),
        Quantity(
            "adatom_barrier_across",
            "adatom_barrier_across_ev",
            "Barrier across",
            "eV",
            3,
        ),
        Quantity("adatom_anisotropy", "adatom_anisotropy", "Barrier anisotropy", "1", 2),
        Quantity("adatom_lowest_hop", "adatom_lowest_hop_ev", "Lowest hop", "eV", 3),
        Quantity("adatom_reverse_barrier", "adatom_reverse_barrier_ev", "Reverse barrier", "eV", 3),
        Quantity("film_elastic_energy", "film_elastic_energy_j_m2", "Li elastic energy", "J/m²", 3),
        Quantity(
            "substrate_elastic_energy",
            "substrate_elastic_energy_j_m2",
            "Host elastic energy",
            "J/m²",
            3,
        ),
    )
}
"""The quantities of the collector screen by name, in the order in which tables show them."""


@dataclass(frozen=True)
class Criterion:
    """One aim of a ranking.

    Attributes:
        quantity: what is compared.
        direction: ``"max"`` if more is better, ``"min"`` if less is.
        at_least: smallest value a candidate may have, in the quantity's unit; None for no limit.
        at_most: largest value a candidate may have; None for no limit.
    """

    quantity: Quantity
    direction: Direction
    at_least: float | None = None
    at_most: float | None = None

    def cost(self, value: float) -> float:
        """``value`` turned so that less is better."""
        return -value if self.direction == "max" else value

    def missed(self, value: float) -> str | None:
        """Which threshold ``value`` misses, with both numbers and the unit; None if none."""
        quantity = self.quantity
        if self.at_least is not None and value < self.at_least:
            return (
                f"{quantity.label} {value:.{quantity.digits}f} {quantity.unit}"
                f" is under the threshold of {self.at_least:g} {quantity.unit}"
            )
        if self.at_most is not None and value > self.at_most:
            return (
                f"{quantity.label} {value:.{quantity.digits}f} {quantity.unit}"
                f" is over the threshold of {self.at_most:g} {quantity.unit}"
            )
        return None


DEFAULT_COLLECTOR_CRITERIA = (
    Criterion(COLLECTOR_QUANTITIES["work_of_adhesion"], "max"),
    Criterion(COLLECTOR_QUANTITIES["li_binding"], "min"),
    Criterion(COLLECTOR_QUANTITIES["adatom_barrier"], "min"),
)
"""What collectors are ranked by where a campaign names nothing else: they should hold Li, bind the
first Li atom and let it move."""
