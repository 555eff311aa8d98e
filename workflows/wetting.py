"""The virtual wetting experiment: drops of liquid lithium on facets, as one jobflow flow."""

from dataclasses import dataclass, field, replace
from typing import Any

from jobflow import Flow, Job, Maker, job
from monty.json import MSONable

from results.database import open_database
from results.documents import CalculationDocument, DynamicsDocument, Evidence, Potential
from results.dynamics_documents import Average, WettingDocument
from results.quantities import contact_angle
from results.uncertainties import contact_angle_error
from structures import StructureError, crystal, facet_set
from structures.conversion import as_structure
from structures.droplets import LIQUID_DENSITY, drop_on, liquid_film
from workflows.dynamics import DynamicsMaker, facet_of
from workflows.dynamics_analysis import drop_run, liquid_tension
from workflows.makers import RelaxMaker
from workflows.packing import Documents
from workflows.settings import PotentialSettings, StoreSettings
from workflows.stages import last_structure


@dataclass(frozen=True)
class DropSize(MSONable):
    """How large a drop is and what it stands on.

    Attributes:
        n_lithium: atoms of the drop.
        length: least period along its axis, Å.
        width_ratio: period across the axis over the first width of the drop.
        slab_thickness: least thickness of the facet, Å.
    """

    n_lithium: int = 150
    length: float = 10.0
    width_ratio: float = 1.9
    slab_thickness: float = 3.5


@dataclass
class WettingMaker(Maker):
    """Contact angles of liquid Li on facets.

    The flow's output is a list of `results.dynamics_documents.WettingDocument`, one per facet and
    temperature.

    Attributes:
        name: name of the flow, and the campaign's name in its documents.
        potential: what moves the atoms.
        stores: where known runs are found and new ones kept.
        temperatures: K, above the melting point.
        size: of the drops.
        bulk_maker: relaxes the crystals, cell included.
        dynamics_maker: how long and how fine.
    """

    name: str = "wetting"
    potential: PotentialSettings = field(default_factory=PotentialSettings)
    stores: StoreSettings = field(default_factory=StoreSettings)
    temperatures: list[float] = field(default_factory=lambda: [500.0])
    size: DropSize = field(default_factory=DropSize)
    bulk_maker: RelaxMaker = field(
        default_factory=lambda: RelaxMaker(name="relax crystals", fmax=0.005, cell="full")
    )
    dynamics_maker: DynamicsMaker = field(
        default_factory=lambda: DynamicsMaker(name="drops", friction=0.01)
    )

    def make(self, hosts: dict[str, Any]) -> Flow:
        """The flow for ``hosts``: crystal name to its facets, as `structures.facet_set` takes them.

        Raises:
            StructureError: an unknown crystal.
        """
        common = (self.potential, self.stores)
        bulks = self.bulk_maker.make([crystal(name) for name in hosts], *common)
        runs = run_drops(
            self.name,
            list(hosts),
            list(hosts.values()),
            bulks.output,
            self.size,
            self.temperatures,
            self.dynamics_maker,
            *common,
        )
        jobs: list[Flow | Job] = [bulks, runs]
        return Flow(jobs, output=runs.output, name=self.name)


@job
def run_drops(
    campaign: str,
    hosts: list[str],
    facets: list[Any],
    bulks: Documents,
    size: DropSize,
    temperatures: list[float],
    dynamics_maker: DynamicsMaker,
    potential: PotentialSettings,
    stores: StoreSettings,
) -> list[WettingDocument]:
    """Put a drop on every facet and run it at every temperature.

    Args:
        campaign: its name.
        hosts: names of the crystals.
        facets: for each host, what `structures.facet_set` takes.
        bulks: for each host, its relaxation.
        size: of the drops.
        temperatures: K.
        dynamics_maker: how long and how fine.
        potential: what moves the atoms.
        stores: where known runs are found and new ones kept.

    Returns:
        A document per facet and temperature; a host without a facet or room for a drop has one per
        temperature, with the reason.

    Raises:
        PotentialError: the potential cannot be loaded, or lacks lithium or an element of a host.
        ResultsError: a store cannot be read or written.
        WorkflowError: the potential's engine does no molecular dynamics, or the place where it
            computes cannot compute it.
    """
    found: list[WettingDocument] = []
    drops, owners = [], []
    for host, spec, bulk in zip(hosts, facets, bulks.documents, strict=True):
        try:
            if not isinstance(bulk, CalculationDocument) or not bulk.converged:
                raise StructureError(f"bulk {host}: {bulk.failure}")
            cut = facet_set(
                last_structure(bulk), spec, host=host, min_thickness=size.slab_thickness
            )
            # A polar facet that is not the crystal's composition is none that lithium meets.
            kept = [one for one in cut if one.stoichiometric] or cut
            made = [
                drop_on(one, size.n_lithium, min_length=size.length, width_ratio=size.width_ratio)
                for one in kept
            ]
        except StructureError as error:
            found += [_failed(campaign, host, bulk, kelvin, str(error)) for kelvin in temperatures]
            continue
        drops += made
        owners += kept
    film_maker = replace(dynamics_maker, name="liquid film")
    for kelvin in temperatures if drops else []:
        (film,) = film_maker.run([liquid_film()], kelvin, None, potential, stores)
        tension = liquid_tension(film)
        structures = [drop.structure for drop in drops]
        documents = dynamics_maker.run(structures, kelvin, None, potential, stores)
        for drop, facet, document in zip(drops, owners, documents, strict=True):
            compared = _young_dupre(facet, document.potential, stores.database, tension)
            found.append(_document(campaign, facet, drop, document, kelvin, tension, compared))
    return found


def _document(
    campaign: str,
    facet: Any,
    drop: Any,
    document: DynamicsDocument,
    kelvin: float,
    tension: Average,
    compared: "_Compared | None",
) -> WettingDocument:
    told: dict[str, Any] = {}
    failure = document.failure
    angle = by_height = Average(value=None, reason=failure)
    try:
        told = drop_run(document, drop.n_lithium, drop.width, drop.length, LIQUID_DENSITY)
        angle, by_height = told.pop("angle"), told.pop("height_angle")
    except ValueError as error:
        failure = failure or str(error)
    prints = (document.fingerprint,)
    reference = f"{kelvin:g} K, {drop.n_lithium} Li"
    evidence = {}
    for name, one in (("drop_angle_deg", angle), ("height_angle_deg", by_height)):
        problem = failure or (None if one.value is not None else one.reason or "no angle")
        if name == "drop_angle_deg":
            problem = problem or one.reason
        elif told.get("equilibrium_from_ps") is None:
            problem = problem or f"not in equilibrium: {angle.reason or 'run longer'}"
        evidence[name] = Evidence(
            converged=problem is None,
            error=one.error,
            reference_state=reference,
            failure=problem,
            fingerprints=prints,
        )
    if compared is not None:
        evidence["young_dupre_angle_deg"] = compared.evidence
    return WettingDocument.model_validate(
        {
            **told,
            "campaign": campaign,
            "host": facet.host,
            "elements": tuple(sorted(facet.structure.symbol_set)),
            "miller_index": tuple(facet.miller_index),
            "termination": facet.termination,
            "temperature": f"{kelvin:g} K",
            "potential": document.potential,
            "n_lithium": drop.n_lithium,
            "drop_angle_deg": angle.value,
            "height_angle_deg": by_height.value,
            "liquid_tension_j_m2": tension,
            "young_dupre_angle_deg": compared and compared.angle,
            "young_dupre_source": compared and compared.source,
            "evidence": evidence,
            "frames": document.frames,
            "initial_structure": document.initial_structure,
            "final_structure": document.final_structure,
        }
    )


@dataclass(frozen=True)
class _Compared:
    """Young–Dupré's angle beside a drop's, degrees, its W and γ in words, and how sure it is."""

    angle: float
    source: str
    evidence: Evidence


def _young_dupre(
    facet: Any, potential: Potential, database: str | None, tension: Average
) -> _Compared | None:
    """Young–Dupré's angle of the facet's relaxed interface with Li, if the database has one.

    Args:
        facet: under the drop.
        potential: that the drop ran with; the interface's has the same weights, and may have
            another precision.
        database: where interfaces are looked for.
        tension: of the potential's liquid; where it is not to be relied on, the γ of its lowest
            solid facet takes its place, and the source says so.
    """
    if database is None:
        return None
    # A name with a quote in it cannot stand in a query.
    of_host = "" if '"' in facet.host else f'host="{facet.host}" '
    with open_database(database) as opened:
        held = opened.candidates(f"{of_host}contact_angle>=0")
    for document in held:
        index, termination = facet_of(document, document.host)
        # A coating's document names the facet alone, of which it has the best termination.
        same_facet = index == tuple(facet.miller_index) and termination in ("", facet.termination)
        known = document.potential.sha256 == potential.sha256 and document.host == facet.host
        adhesion = getattr(document, "work_of_adhesion_j_m2", None)
        solid = getattr(document, "gamma_li_j_m2", None)
        if not (same_facet and known) or adhesion is None or solid is None:
            continue
        behind = document.evidence.get("work_of_adhesion_j_m2")
        failure = behind.failure or "W not converged" if behind and not behind.converged else None
        gamma, gamma_error = solid, None
        of = f"γ of solid Li {solid:.2f} J/m² (its liquid: {tension.reason})"
        if tension.reason is None and tension.value is not None and tension.value > 0:
            gamma, gamma_error = tension.value, tension.error
            of = f"γ of liquid Li {gamma:.2f} ± {tension.error or 0:.2f} J/m²"
        errors = (behind.error if behind else None, gamma_error)
        return _Compared(
            contact_angle(adhesion, gamma),
            f"W {adhesion:.2f} J/m² of the {document.screen} screen and {of}",
            Evidence(
                converged=failure is None,
                error=contact_angle_error(adhesion, gamma, *errors),
                reference_state=of,
                failure=failure,
                fingerprints=behind.fingerprints if behind else (),
            ),
        )
    return None


def _failed(campaign: str, host: str, bulk: Any, kelvin: float, reason: str) -> WettingDocument:
    evidence = Evidence(converged=False, failure=reason)
    potential: Potential = bulk.potential
    return WettingDocument(
        campaign=campaign,
        host=host,
        elements=tuple(sorted(as_structure(crystal(host)).symbol_set)),
        temperature=f"{kelvin:g} K",
        potential=potential,
        evidence={"drop_angle_deg": evidence, "height_angle_deg": evidence},
    )
