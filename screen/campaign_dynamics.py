"""The sections of a campaign file for what moves: interfaces, and drops of liquid lithium."""

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from screen.facet_sections import Facets, check_hosts_of_facets
from screen.sections import CrystalNames, Section, refuse_repeats

MELTING_POINT = 453.65
"""Of lithium, K (CRC Handbook of Chemistry and Physics, 97th ed.)."""

Kelvin = Annotated[float, Field(gt=0, le=3000)]
Kelvins = Annotated[list[Kelvin], Field(min_length=1), AfterValidator(refuse_repeats)]
LiquidKelvin = Annotated[float, Field(gt=MELTING_POINT, le=3000)]
LiquidKelvins = Annotated[list[LiquidKelvin], Field(min_length=1), AfterValidator(refuse_repeats)]
Megapascals = Annotated[
    list[Annotated[float, Field(ge=0.1, le=1000)]], AfterValidator(refuse_repeats)
]


class DynamicsScreen(Section):
    """The best interfaces of the campaign's other screens in motion.

    ``best`` candidates of each screen run at ``temperatures`` (K), for ``time_ps`` with steps of
    ``timestep_fs`` and a frame every ``frame_fs``; at each temperature also under each of
    ``normal_stresses_mpa``, in a cell without vacuum.
    """

    best: int = Field(default=3, ge=1, le=100, examples=[3])
    temperatures: Kelvins = Field(
        default=[273.15, 298.15, 323.15, 500.0], examples=["[273.15, 298.15, 323.15, 500.0]"]
    )
    normal_stresses_mpa: Megapascals = Field(default=[], examples=["[0.1, 10.0, 1000.0]"])
    time_ps: float = Field(default=20.0, gt=0, le=1e6, examples=[20.0])
    timestep_fs: float = Field(default=1.0, gt=0, le=5, examples=[1.0])
    frame_fs: float = Field(default=50.0, gt=0, examples=[50.0])


class WettingScreen(Section):
    """Cylindrical drops of liquid lithium on facets: the virtual wetting experiment.

    A drop of ``drop_atoms`` Li, periodic along its axis over at least ``length`` Å, stands on a
    facet at least ``slab_thickness`` Å thick in a cell ``width_ratio`` times as wide as the drop.
    """

    hosts: CrystalNames = Field(examples=["[Cu, Ag, LiF]"])
    facets: Facets = Field(default="close_packed", examples=["[[1, 1, 1]]"])
    temperatures: LiquidKelvins = Field(default=[500.0], examples=["[500.0]"])
    drop_atoms: int = Field(default=150, ge=20, le=100_000, examples=[150])
    length: float = Field(default=10.0, gt=0, le=500, examples=[10.0])
    width_ratio: float = Field(default=1.9, gt=1, le=10, examples=[1.9])
    slab_thickness: float = Field(default=3.5, gt=0, le=100, examples=[3.5])
    time_ps: float = Field(default=20.0, gt=0, le=1e6, examples=[20.0])
    timestep_fs: float = Field(default=2.0, gt=0, le=5, examples=[2.0])
    frame_fs: float = Field(default=50.0, gt=0, examples=[50.0])

    @model_validator(mode="after")
    def _check_hosts_of_facets(self) -> "WettingScreen":
        check_hosts_of_facets(self.facets, self.hosts)
        return self
