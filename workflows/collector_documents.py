"""From a collector flow's calculations to one document per facet.

What the error of each number is:

- energies of relaxed structures: `results.uncertainties.relaxation_residual` of the forces left on
  the atoms that were free, added in squares over the energies that enter a number, each on the
  number's scale (per area for γ and W);
- W: its residual, and the spread over the distinct minima that the relaxed registries of the best
  pair of facets and terminations ended in (`results.uncertainties.sampled_best_error`). Registries
  that fall into one minimum count once, because their tiny spread says nothing of the others;
- barriers: the NEB force left times the mean distance of the images;
- interface energy and contact angle: those of what they follow from.

None of them holds the error of the potential: run several (a committee) for that.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jobflow import job

from results.documents import (
    BarrierProfile,
    CalculationDocument,
    CollectorDocument,
    Evidence,
    PathDocument,
    SiteBinding,
)
from results.quantities import (
    li_binding,
    nucleation_overpotential,
)
from results.uncertainties import in_squares
from structures import Facet, Hop, crystal, facet_set
from structures.hops import site_reached
from structures.percolation import Link, Travel, easiest_travel
from workflows.adhesion import adhesion_of, surface_of, wetting_of
from workflows.collector_jobs import FILM
from workflows.evidence import (
    Quantities,
    energy_of,
    energy_per_atom,
    evidence_of,
    failures_text,
    residual_of,
    scaled,
    value_of,
)
from workflows.hop_profiles import hop_profile
from workflows.packing import Built
from workflows.stages import last_structure

BCC_LI = "bcc Li, bulk, same potential"


@job
def collect_collectors(
    campaign: str,
    hosts: list[str],
    specs: list[Any],
    bulks: list[CalculationDocument],
    facets: Built,
    slabs: list[CalculationDocument],
    sites: Built,
    adatoms: list[CalculationDocument],
    hops: Built,
    paths: list[PathDocument],
    interfaces: Built,
    joined: list[CalculationDocument],
) -> list[CollectorDocument]:
    """One document per facet of every host but the film's, in the order of ``facets``.

    Args:
        campaign: name in the documents.
        hosts: names of the crystals, the film's first.
        specs: for each host, what `structures.facet_set` takes.
        bulks: the relaxation of each host.
        facets: what was cut; owners are positions in ``hosts``.
        slabs: the facets' relaxations.
        sites: Li on the facets' sites; owners are positions in ``facets``, as of what follows.
        adatoms: each site's relaxation, and that of the bare supercell.
        hops: between stable sites.
        paths: of the hops.
        interfaces: those chosen, of Li with each facet.
        joined: the relaxations of each interface and of its parts.
    """
    li_bulk = bulks[FILM]
    film_energies = {
        tuple(facets.models[i].miller_index): surface_of(facets.models[i], slabs[i], li_bulk)
        for i in facets.of(FILM)
    }
    documents = []
    for i, facet in enumerate(facets.models):
        if facets.owners[i] == FILM:
            continue
        bulk = bulks[facets.owners[i]]
        surface = surface_of(facet, slabs[i], bulk)
        binding = binding_of(i, sites, adatoms, li_bulk)
        barrier = _barrier(i, hops, paths)
        adhesion = adhesion_of(i, interfaces, joined)
        wetting = wetting_of(surface, adhesion, film_energies)
        documents.append(
            _document(
                campaign,
                facet,
                bulk,
                surface | binding | barrier | adhesion | wetting,
                slab_structure=slabs[i].final_structure,
            )
        )
    for owner, reason in facets.failures.items():
        if owner == FILM:
            continue
        documents += _failed_host(campaign, hosts[owner], specs[owner], reason, li_bulk)
    return documents


def _document(
    campaign: str,
    facet: Facet,
    bulk: CalculationDocument,
    found: Quantities,
    slab_structure: dict[str, Any] | None,
) -> CollectorDocument:
    return CollectorDocument(
        campaign=campaign,
        host=facet.host,
        elements=tuple(sorted(element.symbol for element in facet.bulk.elements)),
        miller_index=facet.miller_index,
        termination=facet.termination,
        potential=bulk.potential,
        evidence=found.evidence,
        slab_structure=slab_structure,
        **found.values,
    )


def _failed_host(
    campaign: str, host: str, spec: Any, reason: str, li_bulk: CalculationDocument
) -> list[CollectorDocument]:
    """Documents that say why a host has no facets, one for each facet that was asked for."""
    nothing = Quantities({}, {"surface_energy_j_m2": Evidence(converged=False, failure=reason)})
    return [
        _document(campaign, facet, li_bulk, nothing, slab_structure=None)
        for facet in facet_set(crystal(host), spec, host=host)
    ]


def binding_of(
    owner: int,
    sites: Built,
    adatoms: list[CalculationDocument],
    li_bulk: CalculationDocument,
) -> Quantities:
    """Li binding of a facet, eV, lowest over its sites, with every site beside it.

    Args:
        owner: the facet, as `workflows.packing.Built` numbers it.
        sites: Li on its sites, each beside the bare supercell.
        adatoms: what was relaxed of them.
        li_bulk: the relaxation of bcc lithium.

    Returns:
        Binding and overpotential; flagged where one of the sites failed.
    """
    bindings = []
    every = [sites.models[position] for position in sites.of(owner)]
    for position, site in zip(sites.of(owner), every, strict=True):
        adatom, bare = sites.parts(position, adatoms)
        evidence = evidence_of([adatom, bare, li_bulk])
        value, reached = None, site.label
        if evidence.converged:
            value = li_binding(energy_of(adatom), energy_of(bare), energy_per_atom(li_bulk))
            reached = site_reached(site, last_structure(adatom), every)
        bindings.append(
            SiteBinding(
                label=site.label,
                coverage=site.coverage,
                multiplicity=site.multiplicity,
                li_binding_ev=value,
                converged=evidence.converged,
                failure=evidence.failure,
                relaxed_label=None if reached == site.label else reached,
                fingerprints=evidence.fingerprints,
            )
        )
    names = ("li_binding_ev", "nucleation_overpotential_v")
    failure = sites.failures.get(owner) or failures_text(
        (binding.label, binding.failure) for binding in bindings
    )
    bound = [binding for binding in bindings if binding.li_binding_ev is not None]
    values: dict[str, Any] = {"li_binding_sites": tuple(bindings)}
    if not bound:
        missing = Evidence(converged=False, failure=failure or "no adatom site was found")
        return Quantities(values, dict.fromkeys(names, missing))
    best = min(bound, key=lambda one: value_of(one.li_binding_ev))
    position = sites.of(owner)[bindings.index(best)]
    adatom, bare = sites.parts(position, adatoms)
    evidence = Evidence(
        converged=failure is None,
        error=in_squares(residual_of(adatom), residual_of(bare)),
        reference_state=BCC_LI,
        failure=failure,
        fingerprints=best.fingerprints,
    )
    return Quantities(
        values
        | {
            "li_binding_ev": best.li_binding_ev,
            "nucleation_overpotential_v": nucleation_overpotential(value_of(best.li_binding_ev)),
            "li_binding_site": best.relaxed_label or best.label,
            "li_coverage": best.coverage,
            "site_structure": adatom.final_structure,
        },
        # Clipped at zero, it is so whatever the binding's error.
        {
            names[0]: evidence,
            names[1]: evidence
            if value_of(best.li_binding_ev) > 0
            else evidence.model_copy(update={"error": None}),
        },
    )


def _barrier(owner: int, hops: Built, paths: Sequence[PathDocument]) -> Quantities:
    """Barriers of travel across the facet, of which the hops are the steps.

    A single low hop may lead to and fro between two sites only; what counts is the lowest height at
    which the hops and their images join into a way across the cell (`structures.percolation`).
    """
    names = (
        "adatom_barrier_ev",
        "adatom_reverse_barrier_ev",
        "adatom_barrier_across_ev",
        "adatom_anisotropy",
        "adatom_lowest_hop_ev",
    )
    numbers = hops.of(owner)
    found = [number for number in numbers if paths[number].failure is None]
    failure = hops.failures.get(owner) or failures_text(
        (f"{hops.models[i].initial_label} to {hops.models[i].final_label}", paths[i].failure)
        for i in numbers
    )
    if not found:
        missing = Evidence(converged=False, failure=failure or "no hop between stable sites")
        return Quantities({}, dict.fromkeys(names, missing))
    lowest = min(found, key=lambda number: _height(paths[number]))
    values: dict[str, Any] = {names[4]: _height(paths[lowest])}
    evidence = {names[4]: _hop_evidence(hops.models[lowest], paths[lowest], failure)}
    easy, everywhere = _travel(found, hops, paths)
    if easy is None:
        reason = failure or "the hops found lead nowhere across the facet"
        missing = Evidence(converged=False, failure=reason)
        return Quantities(values, evidence | dict.fromkeys(names[:4], missing))
    hop, path = hops.models[easy.hop], paths[easy.hop]
    profile, images = _profile(path, hop.initial_label, hop.final_label)
    values |= {
        names[0]: easy.barrier,
        names[1]: min(value_of(path.barrier_ev), value_of(path.reverse_barrier_ev)),
        "adatom_direction_deg": easy.angle,
        "adatom_profile": profile,
        "path_images": images,
    }
    evidence |= dict.fromkeys(names[:2], _hop_evidence(hop, path, failure))
    if everywhere is None:
        reason = failure or "the hops found lead along one direction only"
        evidence[names[2]] = Evidence(converged=False, failure=reason)
        return Quantities(values, evidence)
    hard = _hop_evidence(hops.models[everywhere.hop], paths[everywhere.hop], failure)
    values[names[2]], evidence[names[2]] = everywhere.barrier, hard
    if easy.barrier > 0:
        ratio = everywhere.barrier / easy.barrier
        relative = in_squares(
            scaled(evidence[names[0]].error, 1 / easy.barrier),
            scaled(hard.error, 1 / everywhere.barrier),
        )
        # One and the same hop: the ratio is 1 whatever its barrier.
        error = 0.0 if easy.hop == everywhere.hop else scaled(relative, ratio)
        values[names[3]] = ratio
        evidence[names[3]] = hard.model_copy(update={"error": error, "reference_state": None})
    return Quantities(values, evidence)


def _travel(
    found: Sequence[int], hops: Built, paths: Sequence[PathDocument]
) -> tuple[Travel | None, Travel | None]:
    """The easiest ways to travel over the hops whose paths are known."""
    links: list[Link] = []
    energies: dict[int, float] = {}
    for number in found:
        ends = np.array(paths[number].energies_ev)[[0, -1]]
        saddle = float(ends[0]) + value_of(paths[number].barrier_ev)
        for first, last, a, b in hops.models[number].images:
            links.append(Link(first, last, (a, b), saddle, number))
            for place, energy in ((first, ends[0]), (last, ends[1])):
                energies[place] = min(float(energy), energies.get(place, np.inf))
    vectors = hops.models[found[0]].initial.lattice.matrix[:2, :2]
    return easiest_travel(links, energies, vectors)


def _height(path: PathDocument) -> float:
    """Barrier of a hop from its more stable end."""
    return max(value_of(path.barrier_ev), value_of(path.reverse_barrier_ev))


def _hop_evidence(hop: Hop, path: PathDocument, failure: str | None) -> Evidence:
    profile, _ = _profile(path, hop.initial_label, hop.final_label)
    return Evidence(
        converged=failure is None,
        error=value_of(path.max_force) * float(np.mean(np.diff(profile.distance))),
        reference_state=f"Li on {profile.initial_label}",
        failure=failure,
        fingerprints=(path.fingerprint,),
    )


def _profile(
    path: PathDocument, initial: str, final: str
) -> tuple[BarrierProfile, tuple[dict[str, Any], ...]]:
    """Energy along a path that starts at its more stable end, and its images in that order."""
    images, energies = path.images or (), path.energies_ev or ()
    if energies[-1] < energies[0]:
        images, energies, (initial, final) = images[::-1], energies[::-1], (final, initial)
    return hop_profile(images, energies, initial, final), images
