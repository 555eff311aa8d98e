"""What a campaign file says: its sections as models, with their defaults and limits.

Each screen's own section stands in a module of its own (`screen.campaign_collectors`, ...). Nothing
here knows the crystal library or the potentials; `screen.campaign_checks` holds the campaign
against them.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from results.errors import nearest
from screen.campaign_coatings import CoatingScreen
from screen.campaign_collectors import CollectorScreen
from screen.campaign_dynamics import DynamicsScreen, WettingScreen
from screen.campaign_seeds import SeedScreen
from screen.criteria import Criterion, Direction
from screen.kinds import KINDS
from screen.sections import Section


class Screens(Section):
    """The screens to run, each optional, at least one."""

    collectors: CollectorScreen | None = None
    seeds: SeedScreen | None = None
    coatings: CoatingScreen | None = None
    dynamics: DynamicsScreen | None = None
    wetting: WettingScreen | None = None

    @model_validator(mode="after")
    def _check_that_there_is_one(self) -> "Screens":
        if not self.asked:
            raise PydanticCustomError(
                "no_screen", "names no screen; choose from {names}", {"names": ", ".join(KINDS)}
            )
        return self

    @property
    def asked(self) -> tuple[str, ...]:
        """Names of the screens that the file has a section for."""
        return tuple(name for name in type(self).model_fields if getattr(self, name) is not None)


class FinalEnergies(Section):
    """Which potential gives the energies; what is None takes the potential's own default."""

    name: str = Field(min_length=1, examples=["mini"])
    dtype: Literal["float64", "float32", "tf32"] | None = None
    head: str | None = Field(default=None, min_length=1)
    trust: bool = False
    dispersion: str | None = Field(default=None, min_length=1, examples=["d3"])

    @property
    def numbers(self) -> tuple[str | None, ...]:
        """What its numbers depend on: not whether it is trusted, nor where it computes."""
        return self.name, self.dtype, self.head, self.dispersion


class PotentialSettings(FinalEnergies):
    """Which potential gives the numbers, and where it computes."""

    device: str = Field(default="cpu", min_length=1, examples=["cpu"])


def _refuse_repeated_potentials(potentials: list[PotentialSettings]) -> list[PotentialSettings]:
    for position, one in enumerate(potentials):
        if one.numbers in [other.numbers for other in potentials[:position]]:
            raise PydanticCustomError(
                "repeated",
                "item {position} repeats {value}; remove it",
                {"position": position, "value": one.name},
            )
    return potentials


# The tags stand in angle brackets so that an error's place in the file can be told from them.
OneOrMorePotentials = Annotated[
    Annotated[PotentialSettings, Tag("<potential>")]
    | Annotated[
        list[PotentialSettings],
        Field(min_length=2),
        AfterValidator(_refuse_repeated_potentials),
        Tag("<committee>"),
    ],
    Discriminator(lambda value: "<committee>" if isinstance(value, list) else "<potential>"),
]


class Limits(Section):
    """What an interface may cost and how much its sides may be strained."""

    max_interface_atoms: int = Field(default=200, ge=2, examples=[200])
    max_strain: float = Field(default=0.04, gt=0, lt=0.5, examples=[0.04])


class SlabSettings(Section):
    """Thickness of slabs and of the vacuum above them, Å."""

    thickness: float = Field(default=10.0, gt=0, le=200, examples=[10.0])
    vacuum: float = Field(default=15.0, gt=0, le=200, examples=[15.0])


class RelaxationSettings(Section):
    """When a relaxation has converged (largest force, eV/Å) and when it is given up."""

    fmax: float = Field(default=0.03, gt=0, examples=[0.03])
    max_steps: int = Field(default=500, ge=1, examples=[500])


class NebSettings(Section):
    """The same for the climbing-image NEB, with its number of moving images."""

    images: int = Field(default=5, ge=1, le=50, examples=[5])
    fmax: float = Field(default=0.05, gt=0, examples=[0.05])
    max_steps: int = Field(default=300, ge=1, examples=[300])


class CriterionSettings(Section):
    """A criterion with thresholds; what misses one is listed apart from the ranking."""

    direction: Direction
    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _check_thresholds(self) -> "CriterionSettings":
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise PydanticCustomError(
                "thresholds",
                "nothing is at_least {low} and at_most {high}; swap them",
                {"low": self.at_least, "high": self.at_most},
            )
        return self


def _kind_of_criterion(value: Any) -> str:
    return "<mapping>" if isinstance(value, Mapping | CriterionSettings) else "<direction>"


Criteria = Annotated[
    dict[
        str,
        Annotated[
            Annotated[Direction, Tag("<direction>")]
            | Annotated[CriterionSettings, Tag("<mapping>")],
            Discriminator(_kind_of_criterion),
        ],
    ],
    Field(min_length=1),
]


def _default_criteria(screen: str) -> dict[str, Direction | CriterionSettings]:
    return {c.quantity.name: c.direction for c in KINDS[screen].default_criteria}


class Ranking(Section):
    """How candidates of each screen are ranked."""

    collectors: Criteria = Field(
        default_factory=lambda: _default_criteria("collectors"),
        examples=["{work_of_adhesion: max}"],
    )
    seeds: Criteria = Field(
        default_factory=lambda: _default_criteria("seeds"),
        examples=["{li_binding: min}"],
    )
    coatings: Criteria = Field(
        default_factory=lambda: _default_criteria("coatings"),
        examples=["{reaction_energy: max}"],
    )
    dynamics: Criteria = Field(
        default_factory=lambda: _default_criteria("dynamics"),
        examples=["{void_fraction: min}"],
    )
    wetting: Criteria = Field(
        default_factory=lambda: _default_criteria("wetting"),
        examples=["{drop_angle: min}"],
    )

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_unknown_quantities(cls, data: Any, info: ValidationInfo) -> Any:
        known = KINDS[str(info.field_name)].quantities
        for key in data if isinstance(data, Mapping) else ():
            if key not in known:
                raise PydanticCustomError(
                    "unknown_key",
                    "unknown quantity; {mend}",
                    {"key": str(key), "mend": nearest(key, known)},
                )
        return data

    def criteria(self, screen: str) -> tuple[Criterion, ...]:
        """The criteria of one screen, in the file's order."""
        known = KINDS[screen].quantities
        return tuple(
            Criterion(known[name], aim.direction, aim.at_least, aim.at_most)
            if isinstance(aim, CriterionSettings)
            else Criterion(known[name], aim)
            for name, aim in getattr(self, screen).items()
        )


class Campaign(Section):
    """A whole campaign: what to screen, with which potential, how exactly, and what counts."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$", examples=["which-collector"])
    potential: OneOrMorePotentials = Field(examples=["mini", "[mini, chgnet]"])
    final_energies: FinalEnergies | None = Field(default=None, examples=["chgnet"])
    screens: Screens = Field(examples=["{collectors: {hosts: [Cu]}}"])
    limits: Limits = Limits()
    slab: SlabSettings = SlabSettings()
    relaxation: RelaxationSettings = RelaxationSettings()
    neb: NebSettings = NebSettings()
    ranking: Ranking = Ranking()

    @field_validator("potential", "final_energies", mode="before")
    @classmethod
    def _accept_bare_names(cls, value: Any) -> Any:
        if isinstance(value, list):
            return [{"name": one} if isinstance(one, str) else one for one in value]
        return {"name": value} if isinstance(value, str) else value

    @property
    def potentials(self) -> tuple[PotentialSettings, ...]:
        """The potential, or those of a committee, in the file's order."""
        one = self.potential
        return tuple(one) if isinstance(one, list) else (one,)
