"""The dear half of the coating screen: from finished calculations to the candidates' numbers."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from jobflow import job

from results.coating_documents import CoatingDocument
from results.documents import CalculationDocument, Evidence, PathDocument
from results.elasticity import Moduli, moduli, shear_ratio, stiffness
from results.errors import ResultsError
from structures.strained import STRAIN
from workflows.adhesion import adhesion_of, surface_of, wetting_of
from workflows.coating_funnel import Funnel, rejections
from workflows.coating_judging import Candidates, CoatingPlan, Collected
from workflows.evidence import Quantities, failures_text, flagged, value_of
from workflows.migration import migration_of
from workflows.packing import Built

_MODULI = ("bulk_modulus_gpa", "shear_modulus_gpa")
_MIGRATION = "migration_barrier_ev"


@job
def add_migration(
    passed: Candidates,
    funnel: Funnel | None,
    strained: Built,
    stressed: list[CalculationDocument],
    hops: Built,
    ends: list[CalculationDocument],
    joined: Built,
    paths: list[PathDocument],
) -> Candidates:
    """The candidates with moduli and barriers, and what the funnel says of them.

    Args:
        passed: the candidates.
        funnel: the thresholds; None rejects nothing.
        strained: crystals under strain, relaxed (`workflows.coating_jobs.settled`), lithium last.
        stressed: their stresses.
        hops: of each crystal by vacancies, then by extra ions, both ends as built.
        ends: the relaxed ends.
        joined: the hops whose ends converged.
        paths: their paths.
    """
    hosts = passed.hosts()
    lithium = _moduli(len(hosts), strained, stressed)
    found = {
        host: _elasticity(owner, strained, stressed, lithium)
        | _migration(owner, len(hosts), hops, ends, joined, paths)
        for owner, host in enumerate(hosts)
    }
    documents = []
    for document in passed.documents:
        updated = _with(document, found[document.host])
        missed = rejections(updated, funnel, "migration")
        documents.append(updated.model_copy(update={"rejections": missed}))
    return passed.sieved(documents)


@job
def add_contacts(
    passed: Candidates,
    lithium_facets: Built,
    lithium_slabs: list[CalculationDocument],
    contacts: Built,
    joined: list[CalculationDocument],
) -> Candidates:
    """The candidates with adhesion and contact angle.

    Args:
        passed: the candidates.
        lithium_facets: facets of lithium.
        lithium_slabs: their relaxations.
        contacts: interfaces chosen: of lithium with each crystal, of each coating with its
            electrolyte.
        joined: what was relaxed of them.
    """
    gammas = {
        tuple(facet.miller_index): surface_of(facet, slab, passed.lithium)
        for facet, slab in zip(lithium_facets.models, lithium_slabs, strict=True)
    }
    hosts = passed.hosts()
    wetted = {host: _wetted(owner, contacts, joined, gammas) for owner, host in enumerate(hosts)}
    documents = []
    for position, document in enumerate(passed.documents):
        found = wetted[document.host]
        if document.coating is not None:
            found |= _adhered(len(hosts) + position, contacts, joined)
        documents.append(_with(document, found))
    return passed.sieved(documents)


@job
def collect_coatings(plan: CoatingPlan, candidates: Candidates) -> Collected:
    """All candidates: of each electrolyte the bare one, then its coatings in the plan's order."""
    return candidates.collected(plan.electrolytes, plan.coatings)


def _with(document: CoatingDocument, found: Quantities) -> CoatingDocument:
    """The document with more of its fields; checked as a new one is."""
    fields = {name: getattr(document, name) for name in CoatingDocument.model_fields}
    evidence = {**document.evidence, **found.evidence}
    return CoatingDocument.model_validate(fields | found.values | {"evidence": evidence})


def _moduli(owner: int, strained: Built, stressed: list[CalculationDocument]) -> Moduli | str:
    """Of one crystal, or why it has none."""
    if owner in strained.failures:
        return strained.failures[owner]
    for position in strained.of(owner):
        parts = strained.parts(position, stressed)
        if problem := failures_text(("strained", part.failure) for part in parts):
            return problem
        stresses = [part.stress for part in parts if part.stress is not None]
        if len(stresses) < len(parts):
            return "the potential gives no stress"
        try:
            return moduli(stiffness(stresses, STRAIN))
        except ResultsError as error:
            return str(error)
    return "lithium did not converge"


def _elasticity(
    owner: int,
    strained: Built,
    stressed: list[CalculationDocument],
    lithium: Moduli | str,
) -> Quantities:
    found = _moduli(owner, strained, stressed)
    if isinstance(found, str):
        return Quantities({}, dict.fromkeys((*_MODULI, "shear_ratio"), _failed(found)))
    fingerprints = _fingerprints(owner, strained, stressed)
    evidence = Evidence(converged=True, fingerprints=fingerprints)
    values: dict[str, Any] = {_MODULI[0]: found.bulk, _MODULI[1]: found.shear}
    supported = dict.fromkeys(_MODULI, evidence)
    if isinstance(lithium, str):
        return Quantities(values, supported | {"shear_ratio": _failed(f"lithium: {lithium}")})
    values["shear_ratio"] = shear_ratio(found.shear, lithium.shear)
    supported["shear_ratio"] = evidence.model_copy(
        update={"reference_state": f"G of Li {lithium.shear:.2f} GPa, same potential"}
    )
    return Quantities(values, supported)


def _fingerprints(
    owner: int, built: Built, documents: list[CalculationDocument]
) -> tuple[str, ...]:
    parts = [part for i in built.of(owner) for part in built.parts(i, documents)]
    return tuple(part.fingerprint for part in parts)


def _migration(
    owner: int,
    n_hosts: int,
    hops: Built,
    ends: list[CalculationDocument],
    joined: Built,
    paths: Sequence[PathDocument],
) -> Quantities:
    """Barriers of the easiest percolating paths, and every hop that was tried."""
    found = {"vacancy_barrier_ev": migration_of(owner, hops, ends, joined, paths)}
    if hops.of(n_hosts + owner):
        extra = migration_of(n_hosts + owner, hops, ends, joined, paths)
        moved = tuple(hop.model_copy(update={"kind": "interstitial"}) for hop in extra.hops)
        state = (extra.evidence.reference_state or "").replace("vacancy", "interstitial")
        evidence = extra.evidence.model_copy(update={"reference_state": state or None})
        found["interstitial_barrier_ev"] = replace(extra, evidence=evidence, hops=moved)
    ways = list(found.values())
    known = [one for one in ways if one.barrier_ev is not None]
    easiest = min(known, key=lambda one: value_of(one.barrier_ev), default=ways[0])
    failure = failures_text(
        (f"{hop.kind} {hop.start} to {hop.end}", hop.failure)
        for one in ways
        if one is not easiest
        for hop in one.hops
    )
    # What failed might have been the easier way.
    evidence = flagged(easiest.evidence, failure)
    values: dict[str, Any] = {name: one.barrier_ev for name, one in found.items()}
    values |= {
        _MIGRATION: easiest.barrier_ev,
        "migration_dimensions": easiest.dimensions,
        "hops": tuple(hop for one in ways for hop in one.hops),
    }
    supported = {name: one.evidence for name, one in found.items()}
    return Quantities(values, supported | {_MIGRATION: evidence})


def _wetted(
    owner: int,
    contacts: Built,
    joined: list[CalculationDocument],
    gammas: dict[tuple[int, ...], Quantities],
) -> Quantities:
    """W and contact angle of lithium on one crystal."""
    adhesion = adhesion_of(owner, contacts, joined)
    wetting = wetting_of(Quantities({}, {}), adhesion, gammas)
    kept = ("work_of_adhesion_j_m2", "contact_angle_deg")
    both = adhesion | wetting
    values = {name: both.values[name] for name in kept if name in both.values}
    values["lithium_interfaces"] = adhesion.values["interfaces"]
    values["lithium_interface_structure"] = adhesion.values.get("interface_structure")
    for name in ("gamma_li_j_m2", "gamma_li_source"):
        values[name] = wetting.values.get(name)
    for position in contacts.of(owner)[:1]:
        values["lithium_miller_index"] = tuple(contacts.models[position].substrate_miller_index)
    return Quantities(values, {name: both.evidence[name] for name in kept})


def _adhered(owner: int, contacts: Built, joined: list[CalculationDocument]) -> Quantities:
    """W of one coating on its electrolyte."""
    adhesion = adhesion_of(owner, contacts, joined)
    name, own = "electrolyte_adhesion_j_m2", "work_of_adhesion_j_m2"
    values = {
        "electrolyte_interfaces": adhesion.values["interfaces"],
        "electrolyte_interface_structure": adhesion.values.get("interface_structure"),
    }
    if own in adhesion.values:
        values[name] = adhesion.values[own]
    return Quantities(values, {name: adhesion.evidence[own]})


def _failed(reason: str) -> Evidence:
    return Evidence(converged=False, failure=reason)
