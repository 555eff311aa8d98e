"""From a seed flow's calculations to one document per seed."""

from collections.abc import Sequence
from typing import Any

from jobflow import job

from results.documents import CalculationDocument, Evidence, PathDocument, Potential
from results.errors import ResultsError
from results.quantities import substitution_energy
from results.seed_documents import (
    AlloyPhase,
    PhaseMigration,
    SeedContact,
    SeedDocument,
    VoltagePlateau,
)
from results.thermodynamics.voltages import (
    HullPhase,
    Plateau,
    average_voltage,
    voltage_curve,
    volume_per_li,
)
from results.uncertainties import in_squares
from workflows.adhesion import adhesion_of, surface_of, wetting_of
from workflows.collector_documents import BCC_LI, binding_of
from workflows.collector_jobs import FILM
from workflows.evidence import (
    Quantities,
    energy_of,
    energy_per_atom,
    evidence_of,
    failures_text,
    flagged,
    residual_of,
    scaled,
)
from workflows.migration import migration_of
from workflows.packing import Built
from workflows.seed_jobs import MOST_ATOMS, SeedHull, SeedPlan, hull_of, small_rich_phases

_VOLTAGES = (
    "first_lithiation_voltage_v",
    "lithiation_voltage_v",
    "lithium_uptake",
    "volume_per_li_a3",
)
_ADHESION = ("work_of_adhesion_j_m2", "contact_angle_deg")
_LITHIATED = ("lithiated_adhesion_j_m2", "lithiated_contact_angle_deg")


@job
def collect_contacts(
    plan: SeedPlan,
    bulks: list[CalculationDocument],
    facets: Built,
    slabs: list[CalculationDocument],
    on_seeds: Built,
    seeds_joined: list[CalculationDocument],
    sites: Built,
    adatoms: list[CalculationDocument],
    on_rich: Built,
    rich_joined: list[CalculationDocument],
) -> list[SeedDocument]:
    """Lithium on the facets of each seed, and on its lithium-richest phase.

    Args:
        plan: what is computed.
        bulks: the relaxed crystals.
        facets: of lithium (owner 0) and of each seed (owners from 1).
        slabs: the relaxed facets.
        on_seeds: the chosen interfaces of the film with the seeds' facets.
        seeds_joined: these and their sides, relaxed.
        sites: Li on the facets' sites.
        adatoms: these, relaxed.
        on_rich: the chosen interfaces with the Li-rich phases; owners are positions of seeds.
        rich_joined: these and their sides, relaxed.

    Returns:
        For each seed a document with nothing but its contacts.
    """
    lithium = bulks[0]
    gammas = {
        tuple(facets.models[i].miller_index): surface_of(facets.models[i], slabs[i], lithium)
        for i in facets.of(FILM)
    }
    documents = []
    for position, seed in enumerate(plan.seeds):
        found = []
        for i in facets.of(position + 1):
            facet = facets.models[i]
            both = _wetted(i, on_seeds, seeds_joined, gammas)
            both |= binding_of(i, sites, adatoms, lithium)
            facts = (facet.host, facet.miller_index, facet.termination)
            found.append((_contact(facts, both), both))
        best = _best_contacts(found, facets.failures.get(position + 1))
        rich = _lithiated(position, on_rich, _wetted(position, on_rich, rich_joined, gammas))
        rich.values["contacts"] = best.values["contacts"] + rich.values["contacts"]
        documents.append(_document(plan.campaign, seed, lithium.potential, best | rich))
    return documents


def _wetted(
    owner: int,
    interfaces: Built,
    joined: list[CalculationDocument],
    gammas: dict[tuple[int, ...], Quantities],
) -> Quantities:
    """W and contact angle; a substrate's own surface energy is of no concern for them."""
    adhesion = adhesion_of(owner, interfaces, joined)
    return adhesion | wetting_of(Quantities({}, {}), adhesion, gammas)


@job
def collect_seeds(
    plan: SeedPlan,
    bulks: list[CalculationDocument],
    solutes: Built,
    dissolved: list[CalculationDocument],
    hops: Built,
    ends: list[CalculationDocument],
    bands: Built,
    paths: list[PathDocument],
    contacts: list[SeedDocument],
) -> list[SeedDocument]:
    """One document per seed, in the order of the plan.

    Args:
        plan: what is computed.
        bulks: the relaxed crystals.
        solutes: one atom of each seed in bcc lithium.
        dissolved: these, relaxed.
        hops: into a vacancy of the lithium-rich phases, as built.
        ends: their relaxed ends.
        bands: the hops with sound ends.
        paths: of these.
        contacts: for each seed, lithium on its facets and on its lithium-rich phase.
    """
    documents = []
    for position, seed in enumerate(plan.seeds):
        solution = _solution(plan, position, bulks, solutes, dissolved)
        try:
            hull = hull_of(plan, position, bulks)
        except ResultsError as error:
            missing = Evidence(converged=False, failure=str(error))
            alloy = Quantities({}, dict.fromkeys((*_VOLTAGES, "vacancy_barrier_ev"), missing))
        else:
            small = small_rich_phases(plan, position, bulks)
            alloy = _voltages(hull, bulks[0]) | _vacancies(
                plan, hull, small, hops, ends, bands, paths
            )
        found = _of_document(contacts[position]) | solution | alloy
        documents.append(_document(plan.campaign, seed, bulks[0].potential, found))
    return documents


def _document(campaign: str, seed: str, potential: Potential, found: Quantities) -> SeedDocument:
    return SeedDocument(
        campaign=campaign,
        host=seed,
        elements=(seed,),
        potential=potential,
        evidence=found.evidence,
        **found.values,
    )


def _of_document(document: SeedDocument) -> Quantities:
    """What `collect_contacts` put into a document."""
    names = (
        *_ADHESION,
        *_LITHIATED,
        "li_binding_ev",
        "contacts",
        "lithiated_phase",
        "gamma_li_j_m2",
        "gamma_li_source",
        "site_structure",
        "interface_structure",
        "lithiated_interface_structure",
    )
    return Quantities({name: getattr(document, name) for name in names}, dict(document.evidence))


def _lithiated(position: int, interfaces: Built, found: Quantities) -> Quantities:
    """W and angle on a Li-rich phase under the names that they have in the seed's document."""
    pairs = list(zip(_ADHESION, _LITHIATED, strict=True))
    values = {new: found.values[name] for name, new in pairs if name in found.values}
    values["lithiated_interface_structure"] = found.values.get("interface_structure")
    values["contacts"] = ()
    if mine := interfaces.of(position):
        best = interfaces.models[mine[0]]
        facts = (best.substrate_host, best.substrate_miller_index, "")
        values["lithiated_phase"] = best.substrate_host
        values["contacts"] = (_contact(facts, found),)
    return Quantities(values, {new: found.evidence[name] for name, new in pairs})


def _contact(facts: tuple[str, tuple[int, int, int], str], found: Quantities) -> SeedContact:
    """One facet (host, Miller index, termination) with what was found of it."""
    names = [name for name in (*_ADHESION, "li_binding_ev") if name in found.evidence]
    evidence = [found.evidence[name] for name in names]
    host, miller_index, termination = facts
    return SeedContact(
        host=host,
        miller_index=miller_index,
        termination=termination,
        converged=all(one.converged for one in evidence),
        failure="; ".join(dict.fromkeys(one.failure for one in evidence if one.failure)) or None,
        fingerprints=tuple(dict.fromkeys(key for one in evidence for key in one.fingerprints)),
        interfaces=found.values["interfaces"],
        **{name: found.values.get(name) for name in (*names, "li_binding_site")},
    )


def _best_contacts(
    found: Sequence[tuple[SeedContact, Quantities]], failure: str | None
) -> Quantities:
    """The largest W with its angle, and the strongest binding, over the facets."""
    values: dict[str, Any] = {"contacts": tuple(contact for contact, _ in found)}
    evidence: dict[str, Evidence] = {}
    for name in (_ADHESION[0], "li_binding_ev"):
        sign = 1 if name == _ADHESION[0] else -1
        having = [pair for pair in found if name in pair[1].values]
        problems = failure or failures_text(
            (f"{contact.host} {contact.miller_index}", quantities.evidence[name].failure)
            for contact, quantities in found
        )
        together = (*_ADHESION,) if name == _ADHESION[0] else (name,)
        if not having:
            reason = problems or "no facet was cut"
            missing = Evidence(converged=False, failure=reason)
            evidence |= dict.fromkeys(together, missing)
            continue
        best = max(
            (quantities for _, quantities in having), key=lambda one: sign * one.values[name]
        )
        for each in together:
            own = best.evidence[each]
            # A facet that failed might have been the better one.
            evidence[each] = own.model_copy(
                update={
                    "converged": own.converged and not problems,
                    "failure": own.failure or problems,
                }
            )
        kept = (
            (*_ADHESION, "interface_structure", "gamma_li_j_m2", "gamma_li_source")
            if name == _ADHESION[0]
            else (name, "site_structure")
        )
        values |= {key: best.values[key] for key in kept if best.values.get(key) is not None}
    return Quantities(values, evidence)


def _solution(
    plan: SeedPlan,
    position: int,
    bulks: list[CalculationDocument],
    solutes: Built,
    dissolved: list[CalculationDocument],
) -> Quantities:
    """Substitution energy of the seed in bcc Li."""
    name, seed = "substitution_energy_ev", plan.seeds[position]
    found = solutes.of(position)
    if not found:
        reason = solutes.failures.get(position, "no cell was built")
        return Quantities({}, {name: Evidence(converged=False, failure=reason)})
    solution = dissolved[found[0]]
    lithium, bulk = bulks[0], bulks[plan.crystals.index(seed)]
    n_li = len(solution.initial_structure["sites"]) - 1
    error = in_squares(residual_of(solution), scaled(residual_of(lithium), n_li), residual_of(bulk))
    evidence = evidence_of(
        [solution, lithium, bulk], reference_state=f"{BCC_LI}; {seed}, bulk", error=error
    )
    if not evidence.converged:
        return Quantities({}, {name: evidence})
    value = substitution_energy(
        energy_of(solution), n_li, energy_per_atom(lithium), energy_per_atom(bulk)
    )
    return Quantities({name: value}, {name: evidence})


def _voltages(hull: SeedHull, lithium: CalculationDocument) -> Quantities:
    """The voltage curve and what is read off it."""
    curve = voltage_curve(hull.phases, energy_per_atom(lithium))
    known = [one for one in hull.phases if one.stable and one.li_per_host is not None]
    values: dict[str, Any] = {
        "phases": tuple(_phase(one) for one in hull.phases),
        "phases_left_out": hull.left_out,
        "plateaus": tuple(_plateau(plateau) for plateau in curve),
        _VOLTAGES[0]: curve[0].voltage_v if curve else 0.0,
        _VOLTAGES[1]: average_voltage(curve) if curve else 0.0,
        _VOLTAGES[2]: curve[-1].li_end if curve else 0.0,
    }
    behind = tuple(one.phase.fingerprint for one in known if one.phase.fingerprint)
    nothing = None if curve else "no phase with Li is stable: Li plates at 0 V"
    first, last = known[0], known[-1]
    evidence = {
        name: Evidence(
            converged=True,
            reference_state=nothing or f"{BCC_LI}; {first.phase.name} to {end.phase.name}",
            fingerprints=(*behind, lithium.fingerprint),
        )
        for name, end in zip(
            _VOLTAGES, (known[min(1, len(known) - 1)], last, last, last), strict=True
        )
    }
    grown = volume_per_li(_volume(first), _volume(last), values[_VOLTAGES[2]]) if curve else None
    if grown is None:
        reason = nothing or "a phase has no volume"
        evidence[_VOLTAGES[3]] = Evidence(converged=False, failure=reason)
    else:
        values[_VOLTAGES[3]] = grown
    if hull.left_out:
        # A phase that is missing might have been on the hull.
        reason = f"hull without {'; '.join(hull.left_out)}"
        for name in _VOLTAGES:
            evidence[name] = flagged(evidence[name], reason)
    return Quantities(values, evidence)


def _n_host(one: HullPhase) -> float:
    """Seed atoms per formula unit."""
    return float(one.phase.composition.num_atoms * (1 - one.li_fraction))


def _volume(one: HullPhase) -> float | None:
    """Volume per seed atom, Å³."""
    return None if one.phase.volume_a3 is None else one.phase.volume_a3 / _n_host(one)


def _vacancies(
    plan: SeedPlan,
    hull: SeedHull,
    small: Sequence[HullPhase],
    hops: Built,
    ends: list[CalculationDocument],
    bands: Built,
    paths: list[PathDocument],
) -> Quantities:
    """Barriers of a vacancy in every lithium-rich phase; that of the richest one counts."""
    name = "vacancy_barrier_ev"
    migrations = []
    evidence = []
    for one in small:
        found = migration_of(plan.crystals.index(one.phase.name), hops, ends, bands, paths)
        evidence.append(found.evidence)
        migrations.append(
            PhaseMigration(
                phase=one.phase.name,
                li_fraction=one.li_fraction,
                barrier_ev=found.barrier_ev,
                dimensions=found.dimensions,
                error_ev=found.evidence.error,
                converged=found.evidence.converged,
                failure=found.evidence.failure,
                hops=found.hops,
                fingerprints=found.evidence.fingerprints,
            )
        )
    values: dict[str, Any] = {"migrations": tuple(migrations)}
    if not migrations:
        rich = [one.phase.name for one in hull.rich()]
        reason = (
            f"{', '.join(rich)}: more than {MOST_ATOMS} atoms in the cell"
            if rich
            else "no stable phase is rich in Li"
        )
        return Quantities(values, {name: Evidence(converged=False, failure=reason)})
    first = migrations[0]
    if first.barrier_ev is not None:
        values[name] = first.barrier_ev
    against = f"{first.phase}, {evidence[0].reference_state}"
    return Quantities(values, {name: evidence[0].model_copy(update={"reference_state": against})})


def _phase(one: HullPhase) -> AlloyPhase:
    phase = one.phase
    return AlloyPhase(
        name=phase.name,
        formula=phase.formula,
        li_fraction=one.li_fraction,
        li_per_host=one.li_per_host,
        formation_energy_ev=one.formation_energy_ev,
        above_hull_ev=one.above_hull_ev,
        volume_a3=None
        if phase.volume_a3 is None
        else phase.volume_a3 / phase.composition.num_atoms,
        fingerprint=phase.fingerprint,
    )


def _plateau(plateau: Plateau) -> VoltagePlateau:
    return VoltagePlateau(
        start=plateau.start,
        end=plateau.end,
        li_start=plateau.li_start,
        li_end=plateau.li_end,
        voltage_v=plateau.voltage_v,
        volume_per_li_a3=plateau.volume_per_li_a3,
    )
