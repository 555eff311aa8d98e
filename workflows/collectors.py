"""The collector screen: Li on the facets of current collectors, as one jobflow flow."""

from dataclasses import dataclass, field
from typing import Any

from jobflow import Flow, Job

from structures import crystal
from workflows.collector_documents import collect_collectors
from workflows.collector_jobs import connect_sites, cut_facets, join_interfaces, place_adatoms
from workflows.lithium_screens import LithiumScreenMaker
from workflows.makers import RelaxMaker

LITHIUM = "Li"


@dataclass
class CollectorScreenMaker(LithiumScreenMaker):
    """Surface energy, Li binding, adatom barrier, adhesion and contact angle of facets.

    The definitions are those of `results.documents.CollectorDocument`. The flow's output is the
    list of these documents, one per facet.

    Attributes:
        adatom_maker: relaxes Li on its sites, and the bare supercells.
    """

    name: str = "collectors"
    adatom_maker: RelaxMaker = field(default_factory=lambda: RelaxMaker(name="relax adatoms"))

    def make(self, hosts: dict[str, Any]) -> Flow:
        """The flow for ``hosts``.

        Args:
            hosts: crystal name to its facets, as `structures.facet_set` takes them:
                ``"close_packed"``, ``{"max_index": n}`` or a list of Miller indices.

        Raises:
            StructureError: an unknown crystal.
        """
        names = [LITHIUM, *hosts]
        specs = [self.lithium_facets(), *hosts.values()]
        common = (self.potential, self.stores)
        bulks = self.bulk_maker.make([crystal(name) for name in names], *common)
        facets = cut_facets(names, specs, bulks.output.documents, self.slab_size)
        slabs = self.slab_maker.make(facets.output.structures, *common)

        sites = place_adatoms(facets.output, slabs.output.documents)
        adatoms = self.adatom_maker.make(sites.output.structures, *common)
        hops = connect_sites(sites.output, adatoms.output.documents)
        paths = self.path_maker.make(hops.output.structures, *common)

        models = join_interfaces(
            facets.output,
            slabs.output.documents,
            len(self.film_facets),
            self.interface_limits,
            self.slab_size,
        )
        joining, interfaces, joined = self.relax_best(models)

        collected = collect_collectors(
            self.name,
            names,
            specs,
            bulks.output.documents,
            facets.output,
            slabs.output.documents,
            sites.output,
            adatoms.output.documents,
            hops.output,
            paths.output.documents,
            interfaces,
            joined,
        )
        jobs: list[Flow | Job] = [
            *(bulks, facets, slabs),
            *(sites, adatoms, hops, paths),
            *joining,
            collected,
        ]
        return Flow(jobs, output=collected.output, name=self.name)
