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
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from jobflow import job
from pymatgen.core import Structure

from results.documents import (
    BarrierProfile,
    CalculationDocument,
    CollectorDocument,
    Evidence,
    InterfaceAdhesion,
    PathDocument,
    SiteBinding,
    as_structure,
)
from results.quantities import (
    contact_angle,
    elastic_energy,
    ev_per_a2_to_j_per_m2,
    interface_energy,
    li_binding,
    nucleation_overpotential,
    surface_energy,
    work_of_adhesion,
)
from results.uncertainties import in_squares, relaxation_residual, sampled_best_error
from structures import Facet, Hop, InterfaceModel, crystal, facet_set
from structures.percolation import Link, Travel, easiest_travel
from workflows.collector_jobs import FILM
from workflows.packing import Built

BCC_LI = "bcc Li, bulk, same potential"


@dataclass(frozen=True)
class Quantities:
    """Some of a facet's fields: values beside the evidence for them."""

    values: dict[str, Any]
    evidence: dict[str, Evidence]

    def __or__(self, other: "Quantities") -> "Quantities":
        return Quantities(self.values | other.values, self.evidence | other.evidence)


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

    ``hosts``, ``specs`` and ``bulks`` have the film's crystal first. The other lists are what was
    computed of the `Built` before them.
    """
    li_bulk = bulks[FILM]
    film_energies = {
        tuple(facets.models[i].miller_index): _surface(facets.models[i], slabs[i], li_bulk)
        for i in facets.of(FILM)
    }
    documents = []
    for i, facet in enumerate(facets.models):
        if facets.owners[i] == FILM:
            continue
        bulk = bulks[facets.owners[i]]
        surface = _surface(facet, slabs[i], bulk)
        binding = _binding(i, sites, adatoms, li_bulk)
        barrier = _barrier(i, hops, paths)
        adhesion = _adhesion(i, interfaces, joined)
        wetting = _wetting(surface, adhesion, film_energies)
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


def _surface(facet: Facet, slab: CalculationDocument, bulk: CalculationDocument) -> Quantities:
    name = "surface_energy_j_m2"
    units = len(facet.structure) / len(bulk.initial_structure["sites"])
    error = in_squares(_residual(slab), _scaled(_residual(bulk), units))
    evidence = _evidence(
        [slab, bulk],
        reference_state=f"bulk {facet.host}, same potential",
        error=_per_area(error, 2 * facet.area),
    )
    if not facet.symmetric or not facet.stoichiometric:
        problem = "faces differ" if not facet.symmetric else "not of the bulk's composition"
        evidence = Evidence(converged=False, failure=f"slab: {problem}; it has no surface energy")
    if not evidence.converged:
        return Quantities({}, {name: evidence})
    value = surface_energy(_energy(slab), len(facet.structure), _energy_per_atom(bulk), facet.area)
    return Quantities({name: value}, {name: evidence})


def _binding(
    owner: int,
    sites: Built,
    adatoms: list[CalculationDocument],
    li_bulk: CalculationDocument,
) -> Quantities:
    bindings = []
    for position in sites.of(owner):
        site = sites.models[position]
        adatom, bare = sites.parts(position, adatoms)
        evidence = _evidence([adatom, bare, li_bulk])
        value = None
        if evidence.converged:
            value = li_binding(_energy(adatom), _energy(bare), _energy_per_atom(li_bulk))
        bindings.append(
            SiteBinding(
                label=site.label,
                coverage=site.coverage,
                multiplicity=site.multiplicity,
                li_binding_ev=value,
                converged=evidence.converged,
                failure=evidence.failure,
                fingerprints=evidence.fingerprints,
            )
        )
    names = ("li_binding_ev", "nucleation_overpotential_v")
    failure = sites.failures.get(owner) or _failures(
        (binding.label, binding.failure) for binding in bindings
    )
    bound = [binding for binding in bindings if binding.li_binding_ev is not None]
    values: dict[str, Any] = {"li_binding_sites": tuple(bindings)}
    if not bound:
        missing = Evidence(converged=False, failure=failure or "no adatom site was found")
        return Quantities(values, dict.fromkeys(names, missing))
    best = min(bound, key=lambda one: _number(one.li_binding_ev))
    position = sites.of(owner)[bindings.index(best)]
    adatom, bare = sites.parts(position, adatoms)
    evidence = Evidence(
        converged=failure is None,
        error=in_squares(_residual(adatom), _residual(bare)),
        reference_state=BCC_LI,
        failure=failure,
        fingerprints=best.fingerprints,
    )
    return Quantities(
        values
        | {
            "li_binding_ev": best.li_binding_ev,
            "nucleation_overpotential_v": nucleation_overpotential(_number(best.li_binding_ev)),
            "li_binding_site": best.label,
            "li_coverage": best.coverage,
            "site_structure": adatom.final_structure,
        },
        dict.fromkeys(names, evidence),
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
    failure = hops.failures.get(owner) or _failures(
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
        names[1]: min(_number(path.barrier_ev), _number(path.reverse_barrier_ev)),
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
            _scaled(evidence[names[0]].error, 1 / easy.barrier),
            _scaled(hard.error, 1 / everywhere.barrier),
        )
        # One and the same hop: the ratio is 1 whatever its barrier.
        error = 0.0 if easy.hop == everywhere.hop else _scaled(relative, ratio)
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
        saddle = float(ends[0]) + _number(paths[number].barrier_ev)
        for first, last, a, b in hops.models[number].images:
            links.append(Link(first, last, (a, b), saddle, number))
            for place, energy in ((first, ends[0]), (last, ends[1])):
                energies[place] = min(float(energy), energies.get(place, np.inf))
    vectors = hops.models[found[0]].initial.lattice.matrix[:2, :2]
    return easiest_travel(links, energies, vectors)


def _height(path: PathDocument) -> float:
    """Barrier of a hop from its more stable end."""
    return max(_number(path.barrier_ev), _number(path.reverse_barrier_ev))


def _hop_evidence(hop: Hop, path: PathDocument, failure: str | None) -> Evidence:
    profile, _ = _profile(path, hop.initial_label, hop.final_label)
    return Evidence(
        converged=failure is None,
        error=_number(path.max_force) * float(np.mean(np.diff(profile.distance))),
        reference_state=f"Li on {profile.initial_label}",
        failure=failure,
        fingerprints=(path.fingerprint,),
    )


def _profile(
    path: PathDocument, initial: str, final: str
) -> tuple[BarrierProfile, tuple[dict[str, Any], ...]]:
    """Energy along a path that starts at its more stable end, and its images in that order."""
    images, energies = path.images or (), np.array(path.energies_ev)
    if energies[-1] < energies[0]:
        images, energies, (initial, final) = images[::-1], energies[::-1], (final, initial)
    structures = [as_structure(image) for image in images]
    steps = [_separation(one, other) for one, other in pairwise(structures)]
    profile = BarrierProfile(
        initial_label=initial,
        final_label=final,
        distance=tuple(np.concatenate([[0.0], np.cumsum(steps)]).tolist()),
        energies_ev=tuple((energies - energies[0]).tolist()),
    )
    return profile, images


def _separation(one: Structure, other: Structure) -> float:
    """Distance between two images in the space of all coordinates, nearest periodic copies, Å."""
    moved = other.frac_coords - one.frac_coords
    return float(np.linalg.norm(one.lattice.get_cartesian_coords(moved - np.round(moved))))


def _adhesion(owner: int, interfaces: Built, joined: list[CalculationDocument]) -> Quantities:
    """The best work of adhesion of the facet's interfaces, with the film's strain beside it."""
    tried, residuals = [], []
    for position in interfaces.of(owner):
        model = interfaces.models[position]
        both, film, substrate, _ = interfaces.parts(position, joined)
        error = in_squares(*(_residual(part) for part in (film, substrate, both)))
        evidence = _evidence([film, substrate, both], error=_per_area(error, model.area))
        value = None
        if evidence.converged:
            value = work_of_adhesion(_energy(film), _energy(substrate), _energy(both), model.area)
        tried.append(_interface_adhesion(model, value, evidence))
        residuals.append(evidence.error or 0.0)
    names = ("work_of_adhesion_j_m2", "film_elastic_energy_j_m2", "substrate_elastic_energy_j_m2")
    failure = interfaces.failures.get(owner) or _failures(
        (f"Li {one.film_miller_index} at {one.registry}", one.failure) for one in tried
    )
    values: dict[str, Any] = {"interfaces": tuple(tried)}
    bound = [one for one in tried if one.work_of_adhesion_j_m2 is not None]
    if not bound:
        missing = Evidence(converged=False, failure=failure or "no interface was found")
        return Quantities(values, dict.fromkeys(names[:1], missing))
    best = max(bound, key=lambda one: _number(one.work_of_adhesion_j_m2))
    position = interfaces.of(owner)[tried.index(best)]
    both, film, _, free_film = interfaces.parts(position, joined)
    registries = [
        (_number(one.work_of_adhesion_j_m2), residual)
        for one, residual in zip(tried, residuals, strict=True)
        if one.work_of_adhesion_j_m2 is not None
        and (one.film_miller_index, one.termination) == (best.film_miller_index, best.termination)
    ]
    supported = {
        names[0]: Evidence(
            converged=failure is None,
            error=sampled_best_error(*zip(*registries, strict=True)),
            reference_state="both sides relaxed apart in the interface's in-plane cell",
            failure=failure,
            fingerprints=best.fingerprints,
        ),
        names[1]: _evidence(
            [film, free_film],
            reference_state="film in its bulk's cell",
            error=_per_area(
                in_squares(_residual(film), _residual(free_film)), interfaces.models[position].area
            ),
        ),
    }
    values |= {
        "work_of_adhesion_j_m2": best.work_of_adhesion_j_m2,
        "film_miller_index": best.film_miller_index,
        "interface_termination": best.termination,
        "registry": best.registry,
        "film_strain": best.film_strain,
        "substrate_strain": best.substrate_strain,
        "interface_structure": both.final_structure,
    }
    if supported[names[1]].converged:
        values[names[1]] = elastic_energy(
            _energy(film), _energy(free_film), interfaces.models[position].area
        )
    if not any(best.substrate_strain):
        values[names[2]] = 0.0
        supported[names[2]] = Evidence(
            converged=True, reference_state="the substrate keeps its own cell"
        )
    return Quantities(values, supported)


def _interface_adhesion(
    model: InterfaceModel, value: float | None, evidence: Evidence
) -> InterfaceAdhesion:
    return InterfaceAdhesion(
        film_miller_index=model.film_miller_index,
        termination=model.termination,
        registry=model.registry,
        n_atoms=len(model.structure),
        work_of_adhesion_j_m2=value,
        film_strain=model.film_strain,
        substrate_strain=model.substrate_strain,
        converged=evidence.converged,
        failure=evidence.failure,
        fingerprints=evidence.fingerprints,
    )


def _wetting(
    surface: Quantities, adhesion: Quantities, film_energies: dict[tuple[int, ...], Quantities]
) -> Quantities:
    """Interface energy and contact angle, which follow from W and the surface energies."""
    key, names = "surface_energy_j_m2", ("interface_energy_j_m2", "contact_angle_deg")
    values: dict[str, Any] = {}
    evidence: dict[str, Evidence] = {}
    adhered = adhesion.evidence["work_of_adhesion_j_m2"]
    w = adhesion.values.get("work_of_adhesion_j_m2")
    film = film_energies.get(adhesion.values.get("film_miller_index", ()))
    known = [one for one in (film, surface) if one is not None and key in one.values]
    if w is not None and len(known) == 2:
        values[names[0]] = interface_energy(known[0].values[key], known[1].values[key], w)
        surfaces = [one.evidence[key] for one in known]
        error = in_squares(adhered.error, *(one.error for one in surfaces))
        evidence[names[0]] = _derived(adhered, surfaces, error)
    else:
        reason = "needs both surface energies and the work of adhesion"
        evidence[names[0]] = Evidence(converged=False, failure=reason)
    gammas = {
        index: one.values[key] for index, one in film_energies.items() if one.values.get(key, 0) > 0
    }
    if w is not None and gammas:
        lowest = min(gammas, key=lambda index: gammas[index])
        gamma = gammas[lowest]
        values[names[1]] = contact_angle(w, gamma)
        error = None
        if adhered.error is not None:
            spread = [contact_angle(w + sign * adhered.error, gamma) for sign in (-1, 1)]
            # Where both ends are clipped to full wetting, W's error says nothing of the angle's.
            error = (spread[0] - spread[1]) / 2 or None
        values["gamma_li_j_m2"] = gamma
        facet = "".join(str(i) for i in lowest)
        values["gamma_li_source"] = f"Li ({facet}), lowest facet computed, same potential"
        evidence[names[1]] = _derived(adhered, [film_energies[lowest].evidence[key]], error)
    else:
        reason = "needs the work of adhesion and a surface energy of Li"
        evidence[names[1]] = Evidence(converged=False, failure=reason)
    return Quantities(values, evidence)


def _derived(adhesion: Evidence, surfaces: Sequence[Evidence], error: float | None) -> Evidence:
    return Evidence(
        converged=adhesion.converged,
        error=error,
        reference_state=adhesion.reference_state,
        failure=adhesion.failure,
        fingerprints=adhesion.fingerprints
        + tuple(key for one in surfaces for key in one.fingerprints),
    )


def _evidence(
    parts: Sequence[CalculationDocument | PathDocument],
    reference_state: str | None = None,
    error: float | None = None,
) -> Evidence:
    failures = [part.failure for part in parts if part.failure is not None]
    return Evidence(
        converged=not failures,
        error=error,
        reference_state=reference_state,
        failure="; ".join(failures) or None,
        fingerprints=tuple(part.fingerprint for part in parts),
    )


def _failures(problems: Any) -> str | None:
    return "; ".join(f"{label}: {failure}" for label, failure in problems if failure) or None


def _residual(document: CalculationDocument) -> float | None:
    """What the relaxation may still gain, eV; None where it failed."""
    if document.failure is not None or document.forces is None or document.final_structure is None:
        return None
    free = as_structure(document.final_structure).site_properties.get("selective_dynamics")
    return relaxation_residual(document.forces, free)


def _scaled(error: float | None, factor: float) -> float | None:
    return None if error is None else error * factor


def _per_area(error: float | None, area: float) -> float | None:
    """An error of an energy (eV) as one of an energy per area (Å²), J/m²."""
    return None if error is None else ev_per_a2_to_j_per_m2(error / area)


def _energy(document: CalculationDocument) -> float:
    return _number(document.energy_ev)


def _energy_per_atom(document: CalculationDocument) -> float:
    return _number(document.energy_ev) / len(document.initial_structure["sites"])


def _number(value: float | None) -> float:
    if value is None:
        raise ValueError("a converged calculation has no energy")
    return value
