"""The coating screen: coatings between electrolytes and lithium, as one jobflow flow."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from jobflow import Flow, Job
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
from workflows.lithium_screens import LithiumScreenMaker
from workflows.makers import EvaluateMaker, PathMaker, RelaxMaker
from workflows.migration import join_ends


@dataclass
class CoatingScreenMaker(LithiumScreenMaker):
    """Thermodynamics, migration, moduli and adhesion of coatings, as a funnel.

    The definitions are those of `results.coating_documents.CoatingDocument`. The cheap numbers of
    all candidates come first; what they reject is computed no further, with the reason kept. The
    bare electrolytes are never rejected. The flow's output is the list of documents: for each
    electrolyte the bare one, then its coatings.

    Attributes:
        funnel: thresholds; None computes everything for every candidate.
        strain_maker: relaxes the strained crystals.
        stress_maker: evaluates their stresses.
        end_maker: relaxes crystals with a vacancy or an extra lithium.
    """

    name: str = "coatings"
    funnel: Funnel | None = field(default_factory=Funnel)
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

        lithium = cut_lithium(migrated.output, self.lithium_facets(), self.slab_size)
        slabs = self.slab_maker.make(lithium.output.structures, *common)
        models = join_contacts(
            migrated.output, self.film_facets, self.interface_limits, self.slab_size
        )
        joining, contacts, joined = self.relax_best(models)
        finished = add_contacts(
            migrated.output,
            lithium.output,
            slabs.output.documents,
            contacts,
            joined,
        )
        collected = collect_coatings(plan, finished.output)
        jobs: list[Flow | Job] = [
            *(bulks, judged),
            *(strains, strained, resting, stressed, hops, ends, bands, paths, migrated),
            *(lithium, slabs, *joining, finished),
            collected,
        ]
        return Flow(jobs, output=collected.output.documents, name=self.name)
