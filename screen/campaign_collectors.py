"""The collector screen's section of a campaign file."""

from pydantic import Field, model_validator

from screen.facet_sections import FacetList, Facets, check_hosts_of_facets
from screen.sections import CrystalNames, Section


class CollectorScreen(Section):
    """Li on current collectors: which hosts, cut along which facets.

    ``facets`` is a list for all hosts, ``close_packed``, ``{max_index: n}``, or a mapping from host
    to one of these; a host that the mapping leaves out is cut along its close-packed facet.
    ``film_facets`` are the facets of the Li film, of which the one that adheres best counts.
    """

    hosts: CrystalNames = Field(examples=["[Cu, Ni, Al]"])
    facets: Facets = Field(default="close_packed", examples=["[[1, 1, 1], [1, 0, 0]]"])
    film_facets: FacetList = Field(default=[[1, 1, 0]], examples=["[[1, 1, 0]]"])

    @model_validator(mode="after")
    def _check_hosts_of_facets(self) -> "CollectorScreen":
        check_hosts_of_facets(self.facets, self.hosts)
        return self
