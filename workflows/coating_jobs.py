"""The building steps of the coating screen: from the candidates that passed to the next structures.

Every step takes whole lists and gives a `Built`, as in `workflows.collector_jobs`.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from jobflow import job
from pymatgen.core import Structure

from results.documents import CalculationDocument, as_structure
from structures import Facet, facet_set
from structures.interstitial_hops import interstitial_hops
from structures.strained import strained_cells
from workflows.coating_judging import LITHIUM, Candidates
from workflows.collector_jobs import InterfaceLimits, SlabSize, add_interfaces
from workflows.evidence import failures_text
from workflows.makers import RelaxMaker
from workflows.migration import SHORTEST_SUPERCELL, add_vacancies
from workflows.packing import Built, Documents
from workflows.settings import PotentialSettings, StoreSettings
from workflows.stages import last_structure, relax_stage

TERMINATIONS = 2
"""Terminations of a facet that are tried, those that cut the fewest bonds."""


@job
def relax_crystals(
    cells: str, maker: RelaxMaker, potential: PotentialSettings, stores: StoreSettings
) -> Documents:
    """Relax the crystals that `packed_cells` packed, with the parameters of ``maker``.

    As a plain list jobflow would walk every number of them, several times.
    """
    structures = Built.from_dict(json.loads(cells)).structures
    parameters = {"fmax": maker.fmax, "max_steps": maker.max_steps, "cell": maker.cell}
    return Documents([*relax_stage(maker.name, structures, parameters, potential, stores)])


def packed_cells(cells: Iterable[Structure]) -> str:
    """Crystals as one string."""
    return json.dumps(Built(structures=list(cells)).as_dict())


@job
def strain_crystals(passed: Candidates) -> Built:
    """Each crystal of ``passed``, and lithium last, under the twelve strains of its stiffness."""
    built = Built()
    hosts = passed.hosts()
    for owner, structure in enumerate(_crystals(passed)):
        built.add(owner, hosts[owner], *strained_cells(structure))
    if hosts and passed.lithium.converged:
        built.add(len(hosts), LITHIUM, *strained_cells(last_structure(passed.lithium)))
    return built


@job
def settled(built: Built, relaxed: list[CalculationDocument]) -> Built:
    """What was built, with every structure as its relaxation left it.

    An owner of whose structures one did not converge is among the failures.
    """
    failures = dict(built.failures)
    for position, owner in enumerate(built.owners):
        reasons = dict.fromkeys(part.failure for part in built.parts(position, relaxed))
        if problem := failures_text(("strained", reason) for reason in reasons):
            failures[owner] = problem
    structures = [last_structure(document) for document in relaxed]
    return Built(built.models, structures, built.owners, failures)


@job
def open_hops(passed: Candidates) -> Built:
    """The distinct hops of lithium in each crystal, with both ends as built.

    Owners are the positions in ``passed.hosts()`` for hops into a vacancy, and after them the same
    again for those of an extra ion between voids, where there are any.
    """
    built = Built()
    crystals = _crystals(passed)
    for owner, structure in enumerate(crystals):
        if LITHIUM not in structure.symbol_set:
            built.failures[owner] = "holds no lithium that could move"
            continue
        add_vacancies(built, owner, structure)
        for hop in interstitial_hops(structure, LITHIUM, SHORTEST_SUPERCELL):
            built.add(len(crystals) + owner, hop, hop.initial, hop.final)
    return built


@job
def cut_lithium(passed: Candidates, facets: list[list[int]], size: SlabSize) -> Built:
    """The facets of lithium, for its surface energy; none where nothing passed."""
    built = Built()
    if not passed.documents or not passed.lithium.converged:
        return built
    for facet in _lithium_facets(passed, facets, size):
        built.add(0, facet, facet.structure)
    return built


@job
def join_contacts(
    passed: Candidates, films: list[list[int]], limits: InterfaceLimits, size: SlabSize
) -> Built:
    """Lithium on each crystal, and each coating on its electrolyte.

    Owners are the positions in ``passed.hosts()``, and after them those in ``passed.documents``.
    """
    built = Built()
    hosts = passed.hosts()
    facets = _Facets(dict(zip(hosts, _crystals(passed), strict=True)), size)
    lithium = _lithium_facets(passed, films, size) if passed.lithium.converged else []
    for owner, host in enumerate(hosts):
        _join(built, owner, [lithium], facets.close_packed(host), limits, size)
    for position, document in enumerate(passed.documents):
        if document.coating is None:
            continue
        owner = len(hosts) + position
        if document.electrolyte not in hosts:
            built.failures[owner] = f"{document.electrolyte} has no relaxed crystal"
            continue
        others = facets.each(document.coating)
        _join(built, owner, others, facets.close_packed(document.electrolyte), limits, size)
    return built


@dataclass
class _Facets:
    """Facets of relaxed crystals, each cut once."""

    crystals: dict[str, Structure]
    size: SlabSize

    def __post_init__(self) -> None:
        self._cut: dict[tuple[str, bool], list[list[Facet]]] = {}

    def close_packed(self, name: str) -> list[Facet]:
        """The best terminations of the facet that cuts the fewest bonds."""
        return next(self.each(name))

    def each(self, name: str) -> Iterator[list[Facet]]:
        """That facet first, then the others of low index, which are cut when they are asked for."""
        for first in (True, False):
            key = (name, first)
            if key not in self._cut:
                spec = "close_packed" if first else {"max_index": 1}
                self._cut[key] = _families(name, self.crystals[name], spec, self.size)
            yield from self._cut[key]


def _families(name: str, crystal: Structure, spec: object, size: SlabSize) -> list[list[Facet]]:
    """The terminations of each facet, stoichiometric ones where there are any."""
    found = facet_set(
        crystal, spec, host=name, min_thickness=size.thickness, min_vacuum=size.vacuum
    )
    families: dict[tuple[int, ...], list[Facet]] = {}
    for facet in found:
        families.setdefault(tuple(facet.miller_index), []).append(facet)
    return [
        ([f for f in family if f.stoichiometric] or family)[:TERMINATIONS]
        for family in families.values()
    ]


def _join(
    built: Built,
    owner: int,
    films: Iterator[list[Facet]] | list[list[Facet]],
    substrates: list[Facet],
    limits: InterfaceLimits,
    size: SlabSize,
) -> None:
    """The interfaces of the first film facet that has a common cell with the substrate."""
    problems: list[str] = []
    for family in films:
        for film in family:
            for substrate in substrates:
                problem = add_interfaces(built, owner, film, substrate, limits, size.vacuum)
                if problem:
                    problems.append(problem)
        if built.of(owner):
            return
    built.failures[owner] = problems[0] if problems else "lithium did not converge"


def _crystals(passed: Candidates) -> list[Structure]:
    """The relaxed crystal of each of ``passed.hosts()``."""
    found = {document.host: document.crystal_structure or {} for document in passed.documents}
    return [as_structure(found[host]) for host in passed.hosts()]


def _lithium_facets(passed: Candidates, indices: list[list[int]], size: SlabSize) -> list[Facet]:
    return facet_set(
        last_structure(passed.lithium),
        indices,
        host=LITHIUM,
        min_thickness=size.thickness,
        min_vacuum=size.vacuum,
    )
