"""The coating screen: coatings between electrolytes and lithium, as one jobflow flow."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from jobflow import Flow, Job, Maker
from pymatgen.core import Structure

from results.thermodynamics.phases import Phase
from workflows.coating_documents import add_contacts, add_migration, collect_coatings
from workflows.coating_funnel import Funnel
from workflows.coating_jobs import (
    cut_lithium,
    join_contacts,
    open_hops,
    packed_cells,
    relax_crystals,
    settled,
    strain_crystals,
)
from workflows.coating_judging import CoatingPlan, judge_by_hull
from workflows.collector_jobs import InterfaceLimits, SlabSize, choose_registries
from workflows.makers import EvaluateMaker, PathMaker, RelaxMaker
from workflows.migration import join_ends
from workflows.settings import PotentialSettings, StoreSettings


@dataclass
class CoatingScreenMaker(Maker):
    """Thermodynamics, migration, moduli and adhesion of coatings, as a funnel.

    The definitions are those of `results.coating_documents.CoatingDocument`. The cheap numbers of
    all candidates come first; what they reject is computed no further, with the reason kept. The
    bare electrolytes are never rejected. The flow's output is the list of documents: for each
    electrolyte the bare one, then its coatings.

    Attributes:
        name: name of the flow, and the campaign's name in its documents.
        potential: what computes throughout.
        stores: where known results are found and new ones kept.
        funnel: thresholds; None computes everything for every candidate.
        slab_size: thickness and vacuum of slabs.
        interface_limits: size and strain of interfaces, and how many registries are tried.
        film_facets: facets of the Li film; the best W is taken over them.
        reference_facets: facets of Li from which the lowest surface energy is taken for the
            contact angle.
        bulk_maker: relaxes the crystals, cell included.
        strain_maker: relaxes the strained crystals.
        stress_maker: evaluates their stresses.
        end_maker: relaxes crystals with a vacancy or an extra lithium.
        path_maker: finds the hops' minimum-energy paths.
        slab_maker: relaxes the facets of lithium.
        registry_maker: evaluates interfaces as built, to choose their registry.
        interface_maker: relaxes interfaces and their two sides apart.
    """

    name: str = "coatings"
    potential: PotentialSettings = field(default_factory=PotentialSettings)
    stores: StoreSettings = field(default_factory=StoreSettings)
    funnel: Funnel | None = field(default_factory=Funnel)
    slab_size: SlabSize = field(default_factory=SlabSize)
    interface_limits: InterfaceLimits = field(default_factory=InterfaceLimits)
    film_facets: list[list[int]] = field(default_factory=lambda: [[1, 1, 0]])
    reference_facets: list[list[int]] = field(
        default_factory=lambda: [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    )
    bulk_maker: RelaxMaker = field(
        default_factory=lambda: RelaxMaker(name="relax phases", fmax=0.02, cell="full")
    )
    strain_maker: RelaxMaker = field(
        default_factory=lambda: RelaxMaker(name="relax strained crystals", fmax=0.01)
    )
    stress_maker: EvaluateMaker = field(
        default_factory=lambda: EvaluateMaker(name="evaluate stresses")
    )
    end_maker: RelaxMaker = field(default_factory=lambda: RelaxMaker(name="relax hop ends"))
    path_maker: PathMaker = field(default_factory=lambda: PathMaker(name="find lithium hops"))
    slab_maker: RelaxMaker = field(default_factory=lambda: RelaxMaker(name="relax lithium slabs"))
    registry_maker: EvaluateMaker = field(
        default_factory=lambda: EvaluateMaker(name="try contacts")
    )
    interface_maker: RelaxMaker = field(default_factory=lambda: RelaxMaker(name="relax contacts"))

    def make(
        self,
        electrolytes: list[str],
        coatings: list[str],
        crystals: Mapping[str, Structure],
        competing: Mapping[str, Structure],
        *,
        tabulated: list[Phase] | None = None,
        cathode: str | None = None,
        voltage: tuple[float, float] = (0.0, 4.3),
    ) -> Flow:
        """The flow for every coating on every electrolyte.

        Args:
            electrolytes: names of crystals.
            coatings: names of crystals.
            crystals: the electrolytes, the coatings and the cathode, by name.
            competing: the phases whose hull counts, by name: lithium (``"Li"``) and the other
                elements among them, and those of ``crystals`` that are known phases.
            tabulated: phases with energies from the teacher of a distilled potential
                (`workflows.teacher_energies`); None for the potential's own.
            cathode: name of the crystal on the other side; None without.
            voltage: lower and upper potential at which open reactions are computed, V vs Li/Li⁺.
        """
        plan = CoatingPlan(
            campaign=self.name,
            electrolytes=electrolytes,
            coatings=coatings,
            cathode=cathode,
            voltage=voltage,
            competing=list(competing),
            tabulated=tabulated,
            funnel=self.funnel,
        )
        common = (self.potential, self.stores)
        every = {**competing, **crystals}
        cells = packed_cells(every[name] for name in plan.crystals)
        bulks = relax_crystals(cells, self.bulk_maker, *common)
        judged = judge_by_hull(plan, bulks.output.documents)

        strains = strain_crystals(judged.output)
        strained = self.strain_maker.make(strains.output.structures, *common)
        resting = settled(strains.output, strained.output.documents)
        stressed = self.stress_maker.make(resting.output.structures, *common)
        hops = open_hops(judged.output)
        ends = self.end_maker.make(hops.output.structures, *common)
        bands = join_ends(hops.output, ends.output.documents)
        paths = self.path_maker.make(bands.output.structures, *common)
        migrated = add_migration(
            judged.output,
            self.funnel,
            resting.output,
            stressed.output.documents,
            hops.output,
            ends.output.documents,
            bands.output,
            paths.output.documents,
        )

        lithium = cut_lithium(migrated.output, self._lithium_facets(), self.slab_size)
        slabs = self.slab_maker.make(lithium.output.structures, *common)
        limits = self.interface_limits
        models = join_contacts(migrated.output, self.film_facets, limits, self.slab_size)
        trials = self.registry_maker.make(models.output.structures, *common)
        contacts = choose_registries(models.output, trials.output.documents, limits)
        joined = self.interface_maker.make(contacts.output.structures, *common)
        finished = add_contacts(
            migrated.output,
            lithium.output,
            slabs.output.documents,
            contacts.output,
            joined.output.documents,
        )
        collected = collect_coatings(plan, finished.output)
        jobs: list[Flow | Job] = [
            *(bulks, judged),
            *(strains, strained, resting, stressed, hops, ends, bands, paths, migrated),
            *(lithium, slabs, models, trials, contacts, joined, finished),
            collected,
        ]
        return Flow(jobs, output=collected.output.documents, name=self.name)

    def _lithium_facets(self) -> list[list[int]]:
        others = [facet for facet in self.reference_facets if facet not in self.film_facets]
        return [*self.film_facets, *others]
