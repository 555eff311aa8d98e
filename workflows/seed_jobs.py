"""The building steps of the seed screen: from relaxed crystals to the next structures.

Every step takes whole lists and gives a `Built`, as in `workflows.collector_jobs`. Which phases are
rich in lithium and stable is read off the hull, so that it need not be known beforehand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from jobflow import job
from monty.json import MSONable
from pymatgen.core import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from results.documents import CalculationDocument
from results.errors import ResultsError
from results.thermodynamics.phases import phase_of
from results.thermodynamics.voltages import HullPhase, binary_hull
from structures import Facet, facet_set
from workflows.collector_jobs import FILM, InterfaceLimits, SlabSize, add_facets, add_interfaces
from workflows.migration import LITHIUM, add_vacancies
from workflows.packing import Built
from workflows.stages import last_structure

RICH = 0.5
"""A phase is rich in lithium with at least this fraction of its atoms."""

MOST_ATOMS = 40
"""Phases with more atoms in their primitive cell get no vacancies and no interfaces: they would
need cells of many hundred atoms."""

SOLVENT_REPEAT = 3
"""Cubic cells of bcc Li along each axis around one solute: 54 sites, images 10 Å apart."""

TERMINATIONS = 2
"""Terminations of a compound's facet that are tried, those that cut the fewest bonds."""


@dataclass(frozen=True)
class SeedPlan(MSONable):
    """What a seed screen computes.

    Attributes:
        campaign: name of the campaign.
        seeds: symbols of the elements.
        facets: for each seed, what `structures.facet_set` takes.
        phases: for each seed, names of its crystals, the pure element and its phases with Li.
    """

    campaign: str
    seeds: list[str]
    facets: list[Any]
    phases: list[list[str]]

    @property
    def crystals(self) -> list[str]:
        """Names of all crystals in the order in which they are relaxed, Li first."""
        return [LITHIUM, *dict.fromkeys(name for names in self.phases for name in names)]


@dataclass(frozen=True)
class SeedHull:
    """The hull of one seed with lithium.

    Attributes:
        phases: every phase that has an energy.
        left_out: those that have none, each with the reason.
    """

    phases: tuple[HullPhase, ...]
    left_out: tuple[str, ...]

    def rich(self) -> list[HullPhase]:
        """The stable phases that are rich in lithium, the richest first."""
        found = [
            one
            for one in self.phases
            if one.stable and one.li_per_host is not None and one.li_fraction >= RICH
        ]
        return sorted(found, key=lambda one: -one.li_fraction)


def hull_of(plan: SeedPlan, position: int, bulks: list[CalculationDocument]) -> SeedHull:
    """The hull of one of the plan's seeds with lithium.

    Args:
        plan: what is computed.
        position: of the seed.
        bulks: the relaxed crystals, as ``plan.crystals`` names them.

    Raises:
        ResultsError: lithium or the seed itself has no energy.
    """
    relaxed = dict(zip(plan.crystals, bulks, strict=True))
    names = [LITHIUM, *plan.phases[position]]
    left_out = tuple(
        f"{name}: {relaxed[name].failure}" for name in names if not relaxed[name].converged
    )
    phases = [phase_of(name, relaxed[name]) for name in names if relaxed[name].converged]
    return SeedHull(binary_hull(phases, plan.seeds[position]), left_out)


def small_rich_phases(
    plan: SeedPlan, position: int, bulks: list[CalculationDocument]
) -> list[HullPhase]:
    """The stable lithium-rich phases of one seed whose cells are small enough, richest first.

    Raises:
        ResultsError: as `hull_of`.
    """
    relaxed = dict(zip(plan.crystals, bulks, strict=True))
    return [
        one
        for one in hull_of(plan, position, bulks).rich()
        if len(relaxed[one.phase.name].initial_structure["sites"]) <= MOST_ATOMS
    ]


@job
def place_solutes(plan: SeedPlan, bulks: list[CalculationDocument]) -> Built:
    """For each seed, a cell of bcc lithium with one atom of it in the place of a lithium atom."""
    built = Built()
    lithium = bulks[0]
    for owner, seed in enumerate(plan.seeds):
        if not lithium.converged:
            built.failures[owner] = f"bulk Li: {lithium.failure}"
            continue
        cell = SpacegroupAnalyzer(last_structure(lithium)).get_conventional_standard_structure()
        solution = cell * ((SOLVENT_REPEAT,) * 3)
        solution.replace(0, seed)
        built.add(owner, seed, solution)
    return built


@job
def open_vacancies(plan: SeedPlan, bulks: list[CalculationDocument]) -> Built:
    """Hops into a vacancy of the lithium-rich phases; owners are positions in ``plan.crystals``."""
    built = Built()
    for position in range(len(plan.seeds)):
        try:
            rich = small_rich_phases(plan, position, bulks)
        except ResultsError:
            continue  # the seed's document says so
        for one in rich:
            owner = plan.crystals.index(one.phase.name)
            add_vacancies(built, owner, last_structure(bulks[owner]))
    return built


@job
def cut_seeds(
    plan: SeedPlan,
    bulks: list[CalculationDocument],
    lithium_facets: list[list[int]],
    size: SlabSize,
) -> Built:
    """The facets of lithium (owner 0) and of each seed (owners from 1)."""
    built = Built()
    add_facets(built, FILM, LITHIUM, bulks[0], lithium_facets, size)
    for owner, (seed, spec) in enumerate(zip(plan.seeds, plan.facets, strict=True), start=1):
        add_facets(built, owner, seed, bulks[plan.crystals.index(seed)], spec, size)
    return built


@job
def join_rich_phases(
    plan: SeedPlan,
    bulks: list[CalculationDocument],
    facets: Built,
    slabs: list[CalculationDocument],
    limits: InterfaceLimits,
    size: SlabSize,
) -> Built:
    """Lithium on each seed's lithium-richest phase; owners are positions of seeds.

    Of the phase the close-packed facet is tried first, then the others of low index; with each, the
    facets of lithium in turn. The first pair with a common cell is taken, with all registries.

    Args:
        plan: what is computed.
        bulks: the relaxed crystals.
        facets: of lithium (owner 0), in the order in which they are tried, among others.
        slabs: these, relaxed.
        limits: what an interface may cost.
        size: thickness and vacuum.
    """
    built = Built()
    films = [facets.models[i] for i in facets.of(FILM) if slabs[i].converged]
    for owner in range(len(plan.seeds)):
        try:
            rich = small_rich_phases(plan, owner, bulks)
        except ResultsError as error:
            built.failures[owner] = str(error)
            continue
        if not rich:
            built.failures[owner] = (
                f"no stable phase with at least {RICH:.0%} Li and at most {MOST_ATOMS} atoms"
            )
        elif not films:
            built.failures[owner] = "no facet of Li converged"
        else:
            name = rich[0].phase.name
            crystal = last_structure(bulks[plan.crystals.index(name)])
            _join_first_match(built, owner, name, crystal, films, limits, size)
    return built


def _join_first_match(
    built: Built,
    owner: int,
    name: str,
    crystal: Structure,
    films: Sequence[Facet],
    limits: InterfaceLimits,
    size: SlabSize,
) -> None:
    problem = ""
    for spec in ("close_packed", {"max_index": 1}):
        families: dict[Any, list[Facet]] = {}
        for facet in facet_set(
            crystal, spec, host=name, min_thickness=size.thickness, min_vacuum=size.vacuum
        ):
            families.setdefault(tuple(facet.miller_index), []).append(facet)
        for family, film in product(families.values(), films):
            stoichiometric = [facet for facet in family if facet.stoichiometric]
            for facet in (stoichiometric or family)[:TERMINATIONS]:
                failure = add_interfaces(built, owner, film, facet, limits, size.vacuum)
                problem = problem or failure or ""
            if built.of(owner):
                return
    built.failures[owner] = f"{problem}; nor on any other facet of low index"
