"""The seed screen's section of a campaign file."""

from pydantic import Field, model_validator

from screen.facet_sections import FacetList, Facets, check_hosts_of_facets
from screen.sections import CrystalNames, Section


class Decorations(Section):
    """Ordered arrangements of the seed and lithium on bcc and fcc, added to the hull's phases."""

    max_atoms: int = Field(ge=2, le=6, examples=[4])


class SeedScreen(Section):
    """Elements that alloy with lithium, as seeds for its deposition.

    ``facets`` are those of the pure elements, as in the collector screen. ``film_facets`` are the
    facets of the Li film, of which the one that adheres best counts. The hull holds the library's
    phases, and enumerated ``decorations`` where asked for.
    """

    elements: CrystalNames = Field(examples=["[Ag, Au, Zn]"])
    facets: Facets = Field(default="close_packed", examples=["[[1, 1, 1], [1, 0, 0]]"])
    film_facets: FacetList = Field(default=[[1, 1, 0]], examples=["[[1, 1, 0]]"])
    decorations: Decorations | None = Field(default=None, examples=["{max_atoms: 4}"])

    @model_validator(mode="after")
    def _check_elements_of_facets(self) -> "SeedScreen":
        check_hosts_of_facets(self.facets, self.elements)
        return self
