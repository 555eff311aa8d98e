"""What the screens that lay lithium on slabs have in common."""

from dataclasses import dataclass, field
from typing import Any

from jobflow import Flow, Job, Maker

from workflows.collector_jobs import InterfaceLimits, SlabSize, choose_registries
from workflows.makers import EvaluateMaker, PathMaker, RelaxMaker
from workflows.settings import PotentialSettings, StoreSettings


@dataclass
class LithiumScreenMaker(Maker):
    """Settings of any such screen; each adds the Makers of its own stages, and `make`.

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
        path_maker: finds the hops' minimum-energy paths.
        registry_maker: evaluates interfaces as built, to choose their registry.
        interface_maker: relaxes interfaces and their two sides apart.
    """

    name: str = "lithium on slabs"
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
    path_maker: PathMaker = field(default_factory=lambda: PathMaker(name="find hops"))
    registry_maker: EvaluateMaker = field(
        default_factory=lambda: EvaluateMaker(name="try registries")
    )
    interface_maker: RelaxMaker = field(default_factory=lambda: RelaxMaker(name="relax interfaces"))

    def lithium_facets(self) -> list[list[int]]:
        """Facets of Li that are cut: the film's, then the others of reference."""
        others = [facet for facet in self.reference_facets if facet not in self.film_facets]
        return [*self.film_facets, *others]

    def relax_best(self, joined: Job) -> tuple[list[Flow | Job], Any, Any]:
        """Jobs that relax the best registries of the interfaces that ``joined`` gives.

        Returns:
            The jobs, ``joined`` first; the interfaces relaxed; and their relaxations.
        """
        common = (self.potential, self.stores)
        trials = self.registry_maker.make(joined.output.structures, *common)
        chosen = choose_registries(joined.output, trials.output.documents, self.interface_limits)
        relaxed = self.interface_maker.make(chosen.output.structures, *common)
        return [joined, trials, chosen, relaxed], chosen.output, relaxed.output.documents
