"""What a campaign file says: its sections as models, with their defaults and limits.

Nothing here knows the crystal library or the potentials; `screen.campaign_checks` holds the
campaign against them.
"""

import difflib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from screen.criteria import (
    COLLECTOR_QUANTITIES,
    DEFAULT_COLLECTOR_CRITERIA,
    Criterion,
    Direction,
)

LATER_SCREENS = ("seeds", "coatings")
"""Screens that the campaign format has room for and that this version does not run."""


def suggestion(name: object, valid: Sequence[str]) -> str:
    """The mend for a wrong name: the nearest valid one, or all of them."""
    near = difflib.get_close_matches(str(name).lower(), [v.lower() for v in valid], 1, 0.6)
    if near:
        return f"did you mean {next(v for v in valid if v.lower() == near[0])!r}?"
    return f"choose from {', '.join(valid)}"


class Section(BaseModel):
    """A part of the campaign file: strict types, no unknown keys, never changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, data: Any) -> Any:
        """Name the nearest valid key, which pydantic's own message does not."""
        for key in data if isinstance(data, Mapping) else ():
            if key not in cls.model_fields:
                raise PydanticCustomError(
                    "unknown_key",
                    "unknown key; {mend}",
                    {"key": str(key), "mend": suggestion(key, list(cls.model_fields))},
                )
        return data


def _refuse_later_screens(data: Any) -> Any:
    for key in LATER_SCREENS if isinstance(data, Mapping) else ():
        if key in data:
            raise PydanticCustomError(
                "later_screen",
                "this version does not run the {key} screen yet; remove the section",
                {"key": key},
            )
    return data


def _check_miller_index(index: list[int]) -> list[int]:
    if len(index) not in (3, 4):
        raise PydanticCustomError("miller_index", "needs three or four indices, such as [1, 1, 1]")
    if not any(index):
        raise PydanticCustomError("miller_index", "is no plane; give a facet such as [1, 1, 1]")
    if len(index) == 4 and sum(index[:3]) != 0:
        raise PydanticCustomError(
            "miller_index",
            "the third of four indices must be minus the sum of the first two; use {mend}",
            {"mend": str([index[0], index[1], -index[0] - index[1], index[3]])},
        )
    return index


def three_indices(index: Sequence[int]) -> tuple[int, int, int]:
    """Miller-Bravais (h, k, i, l) or Miller (h, k, l) indices as (h, k, l)."""
    return index[0], index[1], index[-1]


def _refuse_repeats(values: list[Any]) -> list[Any]:
    seen = [three_indices(value) if isinstance(value, list) else value for value in values]
    for position, value in enumerate(seen):
        if value in seen[:position]:
            raise PydanticCustomError(
                "repeated",
                "item {position} repeats {value}; remove it",
                {"position": position, "value": repr(values[position])},
            )
    return values


MillerIndices = Annotated[list[int], AfterValidator(_check_miller_index)]
FacetList = Annotated[list[MillerIndices], Field(min_length=1), AfterValidator(_refuse_repeats)]
HostName = Annotated[str, Field(min_length=1)]


class MaxIndex(Section):
    """All symmetry-distinct facets up to a largest Miller index."""

    max_index: int = Field(ge=1, le=5, examples=[1])


def _kind_of_facets(value: Any) -> str:
    if isinstance(value, MaxIndex) or (isinstance(value, Mapping) and "max_index" in value):
        return "<max_index>"
    if isinstance(value, Mapping):
        return "<per_host>"
    return "<name>" if isinstance(value, str) else "<list>"


# The tags stand in angle brackets so that an error's place in the file can be told from them.
HostFacets = Annotated[
    Annotated[FacetList, Tag("<list>")]
    | Annotated[Literal["close_packed"], Tag("<name>")]
    | Annotated[MaxIndex, Tag("<max_index>")],
    Discriminator(_kind_of_facets),
]
Facets = Annotated[
    Annotated[FacetList, Tag("<list>")]
    | Annotated[Literal["close_packed"], Tag("<name>")]
    | Annotated[MaxIndex, Tag("<max_index>")]
    | Annotated[dict[HostName, HostFacets], Field(min_length=1), Tag("<per_host>")],
    Discriminator(_kind_of_facets),
]


class CollectorScreen(Section):
    """Li on current collectors: which hosts, cut along which facets.

    ``facets`` is a list for all hosts, ``close_packed``, ``{max_index: n}``, or a mapping from host
    to one of these; a host that the mapping leaves out is cut along its close-packed facet.
    ``film_facets`` are the facets of the Li film, of which the one that adheres best counts.
    """

    hosts: Annotated[list[HostName], AfterValidator(_refuse_repeats)] = Field(
        min_length=1, examples=["[Cu, Ni, Al]"]
    )
    facets: Facets = Field(default="close_packed", examples=["[[1, 1, 1], [1, 0, 0]]"])
    film_facets: FacetList = Field(default=[[1, 1, 0]], examples=["[[1, 1, 0]]"])

    @model_validator(mode="after")
    def _check_hosts_of_facets(self) -> "CollectorScreen":
        for host in self.facets if isinstance(self.facets, dict) else ():
            if host not in self.hosts:
                raise PydanticCustomError(
                    "unknown_key",
                    "not among the hosts; {mend}",
                    {"key": f"facets.{host}", "mend": suggestion(host, self.hosts)},
                )
        return self

    def facets_of(self, host: str) -> HostFacets:
        """What the campaign asks of one of its hosts."""
        if isinstance(self.facets, dict):
            return self.facets.get(host, "close_packed")
        return self.facets


class Screens(Section):
    """The screens to run."""

    collectors: CollectorScreen

    _later = model_validator(mode="before")(_refuse_later_screens)


class PotentialSettings(Section):
    """Which potential gives the numbers; what is None takes the potential's own default."""

    name: str = Field(min_length=1, examples=["mini"])
    dtype: Literal["float64", "float32"] | None = None
    device: str = Field(default="cpu", min_length=1, examples=["cpu"])
    head: str | None = Field(default=None, min_length=1)
    trust: bool = False
    dispersion: str | None = Field(default=None, min_length=1, examples=["d3"])


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


def _refuse_unknown_quantities(data: Any) -> Any:
    for key in data if isinstance(data, Mapping) else ():
        if key not in COLLECTOR_QUANTITIES:
            raise PydanticCustomError(
                "unknown_key",
                "unknown quantity; {mend}",
                {"key": str(key), "mend": suggestion(key, list(COLLECTOR_QUANTITIES))},
            )
    return data


def _default_criteria() -> dict[str, Direction | CriterionSettings]:
    return {c.quantity.name: c.direction for c in DEFAULT_COLLECTOR_CRITERIA}


CollectorCriteria = Annotated[
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


class Ranking(Section):
    """How candidates of each screen are ranked."""

    collectors: CollectorCriteria = Field(
        default_factory=_default_criteria,
        examples=["{work_of_adhesion: max}"],
    )

    _later = model_validator(mode="before")(_refuse_later_screens)
    _quantities = field_validator("collectors", mode="before")(_refuse_unknown_quantities)

    @property
    def collector_criteria(self) -> tuple[Criterion, ...]:
        """The collector screen's criteria, in the file's order."""
        return tuple(
            Criterion(COLLECTOR_QUANTITIES[name], aim.direction, aim.at_least, aim.at_most)
            if isinstance(aim, CriterionSettings)
            else Criterion(COLLECTOR_QUANTITIES[name], aim)
            for name, aim in self.collectors.items()
        )


class Campaign(Section):
    """A whole campaign: what to screen, with which potential, how exactly, and what counts."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$", examples=["which-collector"])
    potential: PotentialSettings = Field(examples=["mini"])
    screens: Screens = Field(examples=["{collectors: {hosts: [Cu]}}"])
    limits: Limits = Limits()
    slab: SlabSettings = SlabSettings()
    relaxation: RelaxationSettings = RelaxationSettings()
    neb: NebSettings = NebSettings()
    ranking: Ranking = Ranking()

    @field_validator("potential", mode="before")
    @classmethod
    def _accept_a_bare_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value
