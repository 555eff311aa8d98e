"""The collector screen: Li on the facets of current collectors, as one jobflow flow."""

from dataclasses import dataclass, field
from typing import Any

from jobflow import Flow, Job, Maker

from structures import crystal
from workflows.collector_documents import collect_collectors
from workflows.collector_jobs import (
    InterfaceLimits,
    SlabSize,
    choose_registries,
    connect_sites,
    cut_facets,
    join_interfaces,
    place_adatoms,
)
from workflows.makers import EvaluateMaker, PathMaker, RelaxMaker
from workflows.settings import PotentialSettings, StoreSettings

LITHIUM = "Li"


@dataclass
class CollectorScreenMaker(Maker):
    """Surface energy, Li binding, adatom barrier, adhesion and contact angle of facets.

    The definitions are those of `results.documents.CollectorDocument`. The flow's output is the
    list of these documents, one per facet.

    Attributes:
        name: name of the flow, and the campaign's name in its documents.
        potential: what computes throughout.
        stores: where known results are found and new ones kept.
        slab_size: thickness and vacuum of slabs.
        interface_limits: size and strain of interfaces, and how many registries are tried.
        film_facets: facets of the Li film; the best W is taken over them.
        reference_facets: facets of Li from which the lowest surface energy is taken for the
            contact angle, besides those of the film.
        bulk_maker: relaxes the crystals, cell included.
        slab_maker: relaxes the facets.
        adatom_maker: relaxes Li on its sites, and the bare supercells.
        path_maker: finds the hops' minimum-energy paths.
        registry_maker: evaluates interfaces as built, to choose their registry.
        interface_maker: relaxes interfaces and their two sides apart.
    """

    name: str = "collectors"
    potential: PotentialSettings = field(default_factory=PotentialSettings)
    stores: StoreSettings = field(default_factory=StoreSettings)
    slab_size: SlabSize = field(default_factory=SlabSize)
    interface_limits: InterfaceLimits = field(default_factory=InterfaceLimits)
    film_facets: list[list[int]] = field(default_factory=lambda: [[1, 1, 0]])
    reference_facets: list[list[int]] = field(
        default_factory=lambda: [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    )
    bulk_maker: RelaxMaker = field(
        default_factory=lambda: RelaxMaker(name="relax crystals", fmax=0.005, cell="full")
    )
    slab_maker: RelaxMaker = field(default_factory=lambda: RelaxMaker(name="relax slabs"))
    adatom_maker: RelaxMaker = field(default_factory=lambda: RelaxMaker(name="relax adatoms"))
    path_maker: PathMaker = field(default_factory=lambda: PathMaker(name="find hops"))
    registry_maker: EvaluateMaker = field(
        default_factory=lambda: EvaluateMaker(name="try registries")
    )
    interface_maker: RelaxMaker = field(default_factory=lambda: RelaxMaker(name="relax interfaces"))

    def make(self, hosts: dict[str, Any]) -> Flow:
        """The flow for ``hosts``.

        Args:
            hosts: crystal name to its facets, as `structures.facet_set` takes them:
                ``"close_packed"``, ``{"max_index": n}`` or a list of Miller indices.

        Raises:
            StructureError: an unknown crystal.
        """
        names = [LITHIUM, *hosts]
        lithium = self.film_facets + [f for f in self.reference_facets if f not in self.film_facets]
        specs = [lithium, *hosts.values()]
        common = (self.potential, self.stores)
        bulks = self.bulk_maker.make([crystal(name) for name in names], *common)
        facets = cut_facets(names, specs, bulks.output.documents, self.slab_size)
        slabs = self.slab_maker.make(facets.output.structures, *common)

        sites = place_adatoms(facets.output, slabs.output.documents)
        adatoms = self.adatom_maker.make(sites.output.structures, *common)
        hops = connect_sites(sites.output, adatoms.output.documents)
        paths = self.path_maker.make(hops.output.structures, *common)

        limits = self.interface_limits
        models = join_interfaces(
            facets.output, slabs.output.documents, len(self.film_facets), limits, self.slab_size
        )
        trials = self.registry_maker.make(models.output.structures, *common)
        chosen = choose_registries(models.output, trials.output.documents, limits)
        joined = self.interface_maker.make(chosen.output.structures, *common)

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
            chosen.output,
            joined.output.documents,
        )
        jobs: list[Flow | Job] = [
            *(bulks, facets, slabs),
            *(sites, adatoms, hops, paths),
            *(models, trials, chosen, joined),
            collected,
        ]
        return Flow(jobs, output=collected.output, name=self.name)
