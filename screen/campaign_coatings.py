"""The coating screen's section of a campaign file."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from screen.sections import CrystalName, CrystalNames, Section


def _check_voltage(voltage: list[float]) -> list[float]:
    low, high = voltage
    if low > high:
        raise PydanticCustomError(
            "voltage", "is upside down; give [low, high]: {mend}", {"mend": str([high, low])}
        )
    return voltage


Potential = Annotated[float, Field(ge=-1.0, le=10.0)]
Voltage = Annotated[
    list[Potential], Field(min_length=2, max_length=2), AfterValidator(_check_voltage)
]


class FunnelSettings(Section):
    """What a coating must reach before dearer numbers are computed; null for no threshold.

    Energies in eV/atom, potentials in V vs Li/Li⁺, barriers in eV.
    """

    max_energy_above_hull: float | None = Field(default=0.05, ge=0, examples=[0.05])
    max_reduction_limit: float | None = Field(default=0.1, examples=[0.1])
    min_oxidation_limit: float | None = Field(default=None, examples=[1.7])
    min_reaction_energy: float | None = Field(default=-0.1, le=0, examples=[-0.1])
    max_migration_barrier: float | None = Field(default=1.0, ge=0, examples=[1.0])
    min_shear_ratio: float | None = Field(default=None, ge=0, examples=[2.0])


class CoatingScreen(Section):
    """Coatings between electrolytes and lithium: each coating on each electrolyte, and each bare.

    ``voltage`` holds the potentials of the two electrodes, V vs Li/Li⁺: reactions open to lithium
    are computed at the lower one with the electrolyte, at the upper one with the cathode.
    ``funnel: null`` computes everything for every coating.
    """

    electrolytes: CrystalNames = Field(examples=["[Li6PS5Cl, Li3PS4]"])
    coatings: CrystalNames = Field(examples=["[LiF, Li2O, Li3N]"])
    cathode: CrystalName | None = Field(default=None, examples=["LiCoO2"])
    voltage: Voltage = Field(default=[0.0, 4.3], examples=["[0.0, 4.3]"])
    funnel: FunnelSettings | None = FunnelSettings()
