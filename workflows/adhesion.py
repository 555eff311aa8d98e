"""Surface energies, works of adhesion and contact angles from finished calculations."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from results.documents import CalculationDocument, Evidence, InterfaceAdhesion, as_structure
from results.quantities import (
    contact_angle,
    elastic_energy,
    interface_energy,
    surface_energy,
    work_of_adhesion,
)
from results.uncertainties import (
    SLIDING_FORCE_CONSTANT,
    contact_angle_error,
    in_squares,
    sampled_best_error,
)
from structures import Facet, InterfaceModel
from workflows.evidence import (
    Quantities,
    energy_of,
    energy_per_atom,
    evidence_of,
    failures_text,
    flagged,
    per_area,
    residual_of,
    scaled,
    value_of,
)
from workflows.packing import Built

REACTED = 3.0
"""Å. Where an atom other than lithium goes further than to its neighbour's place, the contact has
reacted, and its energy holds that of the reaction. Between metals, salts and coatings on
electrolytes the farthest goes 0.1 to 2.5 Å, on bare sulfides under lithium 3.4 to 4.3 Å (with
`mini`).
"""


def surface_of(facet: Facet, slab: CalculationDocument, bulk: CalculationDocument) -> Quantities:
    """Surface energy of a relaxed facet, J/m².

    Args:
        facet: as it was cut.
        slab: its relaxation.
        bulk: the relaxation of the crystal that it was cut from.

    Returns:
        Nothing but the reason where a calculation failed, faces differ, or the composition is not
        the bulk's.
    """
    name = "surface_energy_j_m2"
    units = len(facet.structure) / len(bulk.initial_structure["sites"])
    error = in_squares(residual_of(slab), scaled(residual_of(bulk), units))
    evidence = evidence_of(
        [slab, bulk],
        reference_state=f"bulk {facet.host}, same potential",
        error=per_area(error, 2 * facet.area),
    )
    if not facet.symmetric or not facet.stoichiometric:
        problem = "faces differ" if not facet.symmetric else "not of the bulk's composition"
        evidence = Evidence(converged=False, failure=f"slab: {problem}; it has no surface energy")
    if not evidence.converged:
        return Quantities({}, {name: evidence})
    value = surface_energy(energy_of(slab), len(facet.structure), energy_per_atom(bulk), facet.area)
    return Quantities({name: value}, {name: evidence})


def adhesion_of(owner: int, interfaces: Built, joined: list[CalculationDocument]) -> Quantities:
    """The best work of adhesion of an owner's interfaces, with the film's strain beside it.

    Args:
        owner: whose interfaces, as `workflows.packing.Built` numbers them.
        interfaces: those chosen, each with its film and substrate alone and the film unstrained.
        joined: what was relaxed of them.

    Returns:
        W and elastic energies, J/m², and every interface tried; W is flagged where one of them
        failed.
    """
    tried, residuals = [], []
    for position in interfaces.of(owner):
        model = interfaces.models[position]
        both, film, substrate, _ = interfaces.parts(position, joined)
        error = in_squares(
            residual_of(film), residual_of(substrate), residual_of(both, SLIDING_FORCE_CONSTANT)
        )
        evidence = evidence_of([film, substrate, both], error=per_area(error, model.area))
        if evidence.converged:
            evidence = flagged(evidence, reaction_in(both))
        value = None
        if evidence.converged:
            value = work_of_adhesion(
                energy_of(film), energy_of(substrate), energy_of(both), model.area
            )
        tried.append(_interface_adhesion(model, value, evidence))
        residuals.append(evidence.error or 0.0)
    names = ("work_of_adhesion_j_m2", "film_elastic_energy_j_m2", "substrate_elastic_energy_j_m2")
    failure = interfaces.failures.get(owner) or failures_text(
        (
            f"{interfaces.models[position].film_host} {one.film_miller_index} at {one.registry}",
            one.failure,
        )
        for position, one in zip(interfaces.of(owner), tried, strict=True)
    )
    values: dict[str, Any] = {"interfaces": tuple(tried)}
    bound = [one for one in tried if one.work_of_adhesion_j_m2 is not None]
    if not bound:
        missing = Evidence(converged=False, failure=failure or "no interface was found")
        return Quantities(values, dict.fromkeys(names[:1], missing))
    best = max(bound, key=lambda one: value_of(one.work_of_adhesion_j_m2))
    position = interfaces.of(owner)[tried.index(best)]
    both, film, _, free_film = interfaces.parts(position, joined)
    registries = [
        (value_of(one.work_of_adhesion_j_m2), residual)
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
        names[1]: evidence_of(
            [film, free_film],
            reference_state="film in its bulk's cell",
            error=per_area(
                in_squares(residual_of(film), residual_of(free_film)),
                interfaces.models[position].area,
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
            energy_of(film), energy_of(free_film), interfaces.models[position].area
        )
    if not any(best.substrate_strain):
        values[names[2]] = 0.0
        supported[names[2]] = Evidence(
            converged=True, reference_state="the substrate keeps its own cell"
        )
    return Quantities(values, supported)


def reaction_in(contact: CalculationDocument) -> str | None:
    """Why a relaxed contact is none of the two crystals any more; None where it still is.

    Args:
        contact: its relaxation, converged, in a fixed cell.
    """
    assert contact.final_structure is not None  # as it converged
    start, end = as_structure(contact.initial_structure), as_structure(contact.final_structure)
    others = np.array([site.specie.symbol != "Li" for site in start])
    moves = end.frac_coords - start.frac_coords
    moves = (moves - np.round(moves)) @ start.lattice.matrix
    # both sides together may drift, as neither need be held
    lengths = np.linalg.norm(moves - np.median(moves, axis=0), axis=1) * others
    farthest = int(lengths.argmax())
    if lengths[farthest] <= REACTED:
        return None
    return (
        f"the contact reacts: {start[farthest].specie.symbol} moved {lengths[farthest]:.1f} Å; "
        "W would hold the reaction"
    )


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


def wetting_of(
    surface: Quantities, adhesion: Quantities, film_energies: dict[tuple[int, ...], Quantities]
) -> Quantities:
    """Interface energy and contact angle, which follow from W and the surface energies.

    Args:
        surface: what `surface_of` gave of the substrate; empty where it is of no concern.
        adhesion: what `adhesion_of` gave.
        film_energies: what `surface_of` gave of each facet of lithium that was cut.
    """
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
    gammas, lost = {}, []
    for index, one in film_energies.items():
        if one.values.get(key, 0) > 0:
            gammas[index] = one.values[key]
        else:
            reason = one.evidence[key].failure or "its surface energy is not positive"
            lost.append(f"Li {index}: {reason}")
    if w is not None and gammas:
        lowest = min(gammas, key=lambda index: gammas[index])
        gamma = gammas[lowest]
        values[names[1]] = contact_angle(w, gamma)
        of_gamma = film_energies[lowest].evidence[key]
        error = contact_angle_error(w, gamma, adhered.error, of_gamma.error)
        values["gamma_li_j_m2"] = gamma
        facet = "".join(str(i) for i in lowest)
        values["gamma_li_source"] = f"Li ({facet}), lowest facet computed, same potential"
        angle = _derived(adhered, [of_gamma], error)
        # A facet that failed might have been the lowest.
        angle = flagged(angle, "; ".join(lost))
        evidence[names[1]] = angle
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
