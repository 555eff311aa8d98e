"""The seed screen: elements that alloy with lithium, as one jobflow flow."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jobflow import Flow, Job
from pymatgen.core import Structure

from workflows.collector_jobs import join_interfaces, place_adatoms
from workflows.lithium_screens import LithiumScreenMaker
from workflows.makers import PathMaker, RelaxMaker
from workflows.migration import join_ends
from workflows.seed_documents import collect_contacts, collect_seeds
from workflows.seed_jobs import (
    SeedPlan,
    cut_seeds,
    join_rich_phases,
    open_vacancies,
    place_solutes,
)


@dataclass
class SeedScreenMaker(LithiumScreenMaker):
    """Hull, voltages, solution, vacancies, adhesion and binding of alloy-forming seeds.

    The definitions are those of `results.seed_documents.SeedDocument`. The flow's output is the
    list of these documents, one per seed. On a Li-rich phase the film's facet is the first of the
    film's and the reference ones that has a common cell.

    Attributes:
        solute_maker: relaxes bcc Li around one foreign atom.
        end_maker: relaxes crystals with a vacancy.
        adatom_maker: relaxes Li on its sites, and the bare supercells.
    """

    name: str = "seeds"
    solute_maker: RelaxMaker = field(default_factory=lambda: RelaxMaker(name="relax solutes"))
    end_maker: RelaxMaker = field(default_factory=lambda: RelaxMaker(name="relax vacancies"))
    path_maker: PathMaker = field(default_factory=lambda: PathMaker(name="find vacancy hops"))
    adatom_maker: RelaxMaker = field(default_factory=lambda: RelaxMaker(name="relax adatoms"))

    def make(
        self, seeds: Mapping[str, Any], crystals: Mapping[str, Mapping[str, Structure]]
    ) -> Flow:
        """The flow for ``seeds``.

        Args:
            seeds: symbol of each element to its facets, as `structures.facet_set` takes them.
            crystals: for each seed its crystals by name: the pure element under its own symbol, its
                phases with lithium, and lithium under ``"Li"``.
        """
        plan = SeedPlan(
            campaign=self.name,
            seeds=[*seeds],
            facets=[*seeds.values()],
            phases=[[name for name in crystals[seed] if name != "Li"] for seed in seeds],
        )
        known = {name: cell for one in crystals.values() for name, cell in one.items()}
        common = (self.potential, self.stores)
        # Elements as the collector screen relaxes them, so that both share what is cut from them.
        pure = {"Li", *plan.seeds}
        cells = [
            known[name] if name in pure else known[name].get_primitive_structure()
            for name in plan.crystals
        ]
        bulks = self.bulk_maker.make(cells, *common)
        relaxed = bulks.output.documents
        solutes = place_solutes(plan, relaxed)
        dissolved = self.solute_maker.make(solutes.output.structures, *common)
        hops = open_vacancies(plan, relaxed)
        ends = self.end_maker.make(hops.output.structures, *common)
        bands = join_ends(hops.output, ends.output.documents)
        paths = self.path_maker.make(bands.output.structures, *common)
        cut = cut_seeds(plan, relaxed, self.lithium_facets(), self.slab_size)
        slabs = self.slab_maker.make(cut.output.structures, *common)
        facets, relaxed_slabs = cut.output, slabs.output.documents
        limits, size = self.interface_limits, self.slab_size
        sites = place_adatoms(facets, relaxed_slabs)
        adatoms = self.adatom_maker.make(sites.output.structures, *common)
        on_seeds = join_interfaces(facets, relaxed_slabs, len(self.film_facets), limits, size)
        seed_jobs, seed_interfaces, seed_joined = self.relax_best(on_seeds)
        on_rich = join_rich_phases(plan, relaxed, facets, relaxed_slabs, limits, size)
        rich_jobs, rich_interfaces, rich_joined = self.relax_best(on_rich)
        contacts = collect_contacts(
            plan,
            relaxed,
            facets,
            relaxed_slabs,
            seed_interfaces,
            seed_joined,
            sites.output,
            adatoms.output.documents,
            rich_interfaces,
            rich_joined,
        )
        collected = collect_seeds(
            plan,
            relaxed,
            solutes.output,
            dissolved.output.documents,
            hops.output,
            ends.output.documents,
            bands.output,
            paths.output.documents,
            contacts.output,
        )
        jobs: list[Flow | Job] = [
            *(bulks, solutes, dissolved, hops, ends, bands, paths),
            *(cut, slabs, sites, adatoms, *seed_jobs, *rich_jobs, contacts),
            collected,
        ]
        return Flow(jobs, output=collected.output, name=self.name)
