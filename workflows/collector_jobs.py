"""The building steps of the collector screen: from relaxed structures to the next ones.

Every step takes whole lists and gives a `Built`: what it made, for which facet, and why a facet got
nothing, so that one facet that cannot be built never stops the others.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jobflow import job
from monty.json import MSONable

from results.documents import CalculationDocument
from structures import (
    Facet,
    InterfaceModel,
    StructureError,
    adatom_hops,
    adsorption_sites,
    facet_set,
    interfaces,
)
from workflows.packing import Built
from workflows.stages import last_structure

FILM = 0
"""Position of the film's crystal (Li) among a flow's hosts; its facets are cut with the others."""


@dataclass(frozen=True)
class SlabSize(MSONable):
    """How thick slabs are and how far apart their images, Å."""

    thickness: float = 10.0
    vacuum: float = 15.0


@dataclass(frozen=True)
class InterfaceLimits(MSONable):
    """What an interface may cost.

    Attributes:
        max_atoms: atoms in the cell.
        max_strain: largest relative change of any length in the film's plane.
        registries: in-plane shifts tried along each lattice vector.
        relaxed_registries: how many of them, lowest in energy as built, are relaxed.
    """

    max_atoms: int = 200
    max_strain: float = 0.04
    registries: int = 3
    relaxed_registries: int = 2


@job
def cut_facets(
    hosts: list[str],
    facets: list[Any],
    bulks: list[CalculationDocument],
    size: SlabSize,
) -> Built:
    """Cut every host's facets from its relaxed crystal.

    Args:
        hosts: names of the crystals.
        facets: for each host, what `structures.facet_set` takes.
        bulks: for each host, its relaxation.
        size: thickness and vacuum.
    """
    built = Built()
    for owner, (host, spec, bulk) in enumerate(zip(hosts, facets, bulks, strict=True)):
        add_facets(built, owner, host, bulk, spec, size)
    return built


def add_facets(
    built: Built, owner: int, host: str, bulk: CalculationDocument, spec: Any, size: SlabSize
) -> None:
    """Add the facets of one relaxed crystal, or why there are none.

    Args:
        built: what they are added to.
        owner: whose they are.
        host: name of the crystal.
        bulk: its relaxation.
        spec: what `structures.facet_set` takes.
        size: thickness and vacuum.
    """
    if not bulk.converged:
        built.failures[owner] = f"bulk {host}: {bulk.failure}"
        return
    try:
        found = facet_set(
            last_structure(bulk),
            spec,
            host=host,
            min_thickness=size.thickness,
            min_vacuum=size.vacuum,
        )
    except StructureError as error:
        built.failures[owner] = str(error)
        return
    for facet in found:
        built.add(owner, facet, facet.structure)


def add_interfaces(
    built: Built,
    owner: int,
    film: Facet,
    substrate: Facet,
    limits: InterfaceLimits,
    vacuum: float,
) -> str | None:
    """Add all registries of one film facet on one substrate facet.

    Args:
        built: what they are added to.
        owner: whose they are.
        film: facet that takes the strain.
        substrate: facet that keeps its cell.
        limits: of strain, atoms and registries.
        vacuum: above the film, Å.

    Returns:
        Why there are none; None if there are some.
    """
    try:
        models = interfaces(
            film,
            substrate,
            max_strain=limits.max_strain,
            max_atoms=limits.max_atoms,
            registries=limits.registries,
            vacuum=vacuum,
        )
    except StructureError as error:
        return str(error)
    for model in models:
        built.add(owner, model, model.structure)
    return None


def _substrates(
    facets: Built, slabs: list[CalculationDocument]
) -> list[tuple[int, tuple[Facet, CalculationDocument]]]:
    """Position, facet and relaxation of every facet but the film's."""
    pairs = enumerate(zip(facets.models, slabs, strict=True))
    return [(position, pair) for position, pair in pairs if facets.owners[position] != FILM]


@job
def place_adatoms(facets: Built, slabs: list[CalculationDocument]) -> Built:
    """Li on every symmetry-distinct site of every relaxed facet, beside the bare supercell."""
    built = Built()
    for owner, (facet, slab) in _substrates(facets, slabs):
        if not slab.converged:
            built.failures[owner] = f"slab: {slab.failure}"
            continue
        try:
            sites = adsorption_sites(replace(facet, structure=last_structure(slab)), "Li")
        except StructureError as error:
            built.failures[owner] = str(error)
            continue
        for site in sites:
            built.add(owner, site, site.structure, site.slab)
    return built


@job
def connect_sites(sites: Built, adatoms: list[CalculationDocument]) -> Built:
    """The distinct hops between neighbouring stable sites of every facet, with both their ends."""
    built = Built()
    for owner in sorted(set(sites.owners)):
        relaxed, energies = [], []
        for position in sites.of(owner):
            adatom = sites.parts(position, adatoms)[0]
            if adatom.converged and adatom.energy_ev is not None:
                relaxed.append(replace(sites.models[position], structure=last_structure(adatom)))
                energies.append(adatom.energy_ev)
        if not relaxed:
            built.failures[owner] = "no adatom site converged"
            continue
        try:
            hops = adatom_hops(relaxed, energies)
        except StructureError as error:
            built.failures[owner] = str(error)
            continue
        for hop in hops:
            built.add(owner, hop, hop.initial, hop.final)
    return built


@job
def join_interfaces(
    facets: Built,
    slabs: list[CalculationDocument],
    n_films: int,
    limits: InterfaceLimits,
    size: SlabSize,
) -> Built:
    """Li films on every facet: all terminations and registries; owners are the facets.

    The films are the first ``n_films`` facets of the film's crystal. One that did not converge is a
    failure of every facet, even where others were laid on it: it might have adhered best.

    Args:
        facets: of all hosts, the film's among them (owner `FILM`).
        slabs: their relaxations.
        n_films: facets of the film that are laid on the others.
        limits: what an interface may cost.
        size: of the slabs; its vacuum is left above the film.
    """
    built = Built()
    films = [(facets.models[i], slabs[i]) for i in facets.of(FILM)[:n_films]]
    lost = [f"Li {film.miller_index}: {slab.failure}" for film, slab in films if not slab.converged]
    if not films:
        lost = [facets.failures.get(FILM, "no facet of Li was cut")]
    for owner, (facet, slab) in _substrates(facets, slabs):
        if not slab.converged:
            built.failures[owner] = f"slab: {slab.failure}"
            continue
        tried = [
            add_interfaces(built, owner, film, facet, limits, size.vacuum)
            for film, film_slab in films
            if film_slab.converged
        ]
        misfits = [] if built.of(owner) else [problem for problem in tried if problem]
        if reasons := [*lost, *misfits]:
            built.failures[owner] = "; ".join(reasons)
    return built


@job
def choose_registries(
    models: Built, energies: list[CalculationDocument], limits: InterfaceLimits
) -> Built:
    """Keep, of each pair of facets and terminations, the registries lowest in energy as built.

    Computed next of each: the interface, the film and the substrate alone in the same cell, and the
    film in its own bulk's in-plane cell.

    Args:
        models: interfaces with all their registries.
        energies: of each as it was built.
        limits: how many registries are kept.
    """
    groups: dict[tuple[Any, ...], list[int]] = {}
    for position, (owner, model) in enumerate(zip(models.owners, models.models, strict=True)):
        if energies[position].converged:
            key = (owner, tuple(model.film_miller_index), model.termination)
            groups.setdefault(key, []).append(position)
    built = Built(failures=dict(models.failures))
    for (owner, *_), positions in groups.items():
        totals = np.array([energies[position].energy_ev for position in positions])
        for choice in np.argsort(totals, kind="stable")[: limits.relaxed_registries]:
            kept: InterfaceModel = models.models[positions[int(choice)]]
            built.add(owner, kept, kept.structure, kept.film, kept.substrate, kept.free_film)
    for owner in set(models.owners) - set(built.owners):
        built.failures[owner] = "no interface could be evaluated"
    return built
