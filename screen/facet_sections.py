"""How a campaign file names the facets of its hosts."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

from results.errors import nearest
from screen.sections import CrystalName, Section


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


def _refuse_repeated_facets(facets: list[list[int]]) -> list[list[int]]:
    seen = [three_indices(facet) for facet in facets]
    for position, facet in enumerate(seen):
        if facet in seen[:position]:
            raise PydanticCustomError(
                "repeated",
                "item {position} repeats {value}; remove it",
                {"position": position, "value": repr(facets[position])},
            )
    return facets


MillerIndices = Annotated[list[int], AfterValidator(_check_miller_index)]
FacetList = Annotated[
    list[MillerIndices], Field(min_length=1), AfterValidator(_refuse_repeated_facets)
]


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
    | Annotated[dict[CrystalName, HostFacets], Field(min_length=1), Tag("<per_host>")],
    Discriminator(_kind_of_facets),
]


def check_hosts_of_facets(facets: Facets, hosts: Sequence[str]) -> None:
    """Refuse facets given for what is not among ``hosts``.

    Raises:
        PydanticCustomError: naming the nearest host.
    """
    for host in facets if isinstance(facets, dict) else ():
        if host not in hosts:
            raise PydanticCustomError(
                "unknown_key",
                "not among the hosts; {mend}",
                {"key": f"facets.{host}", "mend": nearest(host, hosts)},
            )


def facets_of(facets: Facets, host: str) -> HostFacets:
    """What is asked of one host; its close-packed facet where a mapping leaves it out."""
    return facets.get(host, "close_packed") if isinstance(facets, dict) else facets


def plain_facets(facets: Facets, hosts: Sequence[str]) -> dict[str, Any]:
    """What is asked of each host, as `structures.facet_set` takes it."""
    asked = {host: facets_of(facets, host) for host in hosts}
    return {
        host: chosen.model_dump() if isinstance(chosen, MaxIndex) else chosen
        for host, chosen in asked.items()
    }


def facet_label(miller_index: Sequence[int] | None, termination: str) -> str:
    """A facet as text, ``"(1 1 1) Cu"``; empty where there is none."""
    index = "" if miller_index is None else f"({' '.join(map(str, miller_index))})"
    return f"{index} {termination}".strip()
