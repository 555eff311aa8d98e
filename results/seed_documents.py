"""What is stored of an alloy-forming seed for lithium."""

from typing import Literal

from pydantic import Field

from results.coating_documents import HopBarrier
from results.documents import (
    CandidateDocument,
    Document,
    Fingerprint,
    InterfaceAdhesion,
    MillerIndex,
    Number,
    StructureDictOrNone,
    quantity_field,
)


class AlloyPhase(Document):
    """A phase of lithium and the seed, with its place against their hull."""

    name: str = Field(description="Name in the crystal library, or of an enumerated decoration.")
    formula: str = Field(description="Reduced formula.")
    li_fraction: float = Field(description="Fraction of its atoms that are Li.")
    li_per_host: float | None = Field(description="Li per seed atom; None for Li itself.")
    formation_energy_ev: float = Field(description="Against bcc Li and the seed, eV/atom.")
    above_hull_ev: float = Field(ge=0, description="Energy above the hull, eV/atom.")
    volume_a3: float | None = Field(description="Volume per atom, Å³.")
    fingerprint: Fingerprint | None = Field(description="The calculation it came from.")


class VoltagePlateau(Document):
    """One step of the lithiation: two stable phases side by side."""

    start: str = Field(description="Phase with less Li.")
    end: str = Field(description="Phase with more Li.")
    li_start: float = Field(description="Li per seed atom in `start`.")
    li_end: float = Field(description="Li per seed atom in `end`.")
    voltage_v: float = Field(description="V vs Li/Li⁺.")
    volume_per_li_a3: float | None = Field(description="Growth of the volume per Li, Å³.")


class PhaseMigration(Document):
    """How a Li vacancy moves through one Li-rich phase."""

    phase: str = Field(description="The phase.")
    li_fraction: float = Field(description="Fraction of its atoms that are Li.")
    barrier_ev: Number = Field(description="Of the easiest percolating path, eV.")
    dimensions: int | None = Field(default=None, description="Directions that it leads along.")
    error_ev: Number = Field(default=None, description="Error from the NEB force left, eV.")
    converged: bool = Field(description="Whether every hop converged.")
    failure: str | None = Field(default=None, description="Why there is no trustworthy value.")
    hops: tuple[HopBarrier, ...] = Field(default=(), description="Every distinct hop.")
    fingerprints: tuple[Fingerprint, ...] = Field(default=(), description="Where it came from.")


class SeedContact(Document):
    """Lithium on one facet of the seed or of its Li-rich phase."""

    host: str = Field(description="The crystal that is cut.")
    miller_index: MillerIndex = Field(description="Facet (h, k, l) of its conventional cell.")
    termination: str = Field(default="", description="Label of the facet's termination.")
    work_of_adhesion_j_m2: Number = Field(default=None, description="Best W of Li on it, J/m².")
    contact_angle_deg: Number = Field(default=None, description="Contact angle of Li on it, °.")
    li_binding_ev: Number = Field(default=None, description="Li on its best site, eV.")
    li_binding_site: str | None = Field(default=None, description="Label of that site.")
    interfaces: tuple[InterfaceAdhesion, ...] = Field(
        default=(), description="Every interface that was tried."
    )
    converged: bool = Field(description="Whether all of these converged.")
    failure: str | None = Field(default=None, description="Why something is missing.")
    fingerprints: tuple[Fingerprint, ...] = Field(default=(), description="Where it came from.")


class SeedDocument(CandidateDocument):
    """An element that alloys with lithium, as seed for its deposition."""

    screen: Literal["seeds"] = "seeds"

    first_lithiation_voltage_v: Number = quantity_field(
        "first_lithiation_voltage",
        "V",
        "Voltage of the first plateau, from the pure seed to its Li-poorest stable phase, vs "
        "Li/Li⁺; 0 where no phase is stable and Li plates",
    )
    lithiation_voltage_v: Number = quantity_field(
        "lithiation_voltage",
        "V",
        "Mean voltage from the pure seed to its Li-richest stable phase, vs Li/Li⁺, "
        "V = −[E(Li_y M) − E(Li_x M) − (y−x) e(Li)]/((y−x) e)",
    )
    lithium_uptake: Number = quantity_field(
        "lithium_uptake", "Li/M", "Li per seed atom in the Li-richest stable phase"
    )
    volume_per_li_a3: Number = quantity_field(
        "volume_per_li",
        "Å³/Li",
        "Growth of the volume per Li taken up, from the pure seed to its Li-richest stable phase",
    )
    substitution_energy_ev: Number = quantity_field(
        "substitution_energy",
        "eV",
        "E(Li_n M) − n e(Li) − e(M), one Li of a bcc cell replaced by M, negative = M dissolves",
    )
    vacancy_barrier_ev: Number = quantity_field(
        "vacancy_barrier",
        "eV",
        "Li vacancy in the Li-richest stable phase: highest saddle of the easiest percolating path "
        "above the lowest image on the way, climbing-image NEB over the distinct hops",
    )
    li_binding_ev: Number = quantity_field(
        "li_binding",
        "eV",
        "E_b = E(slab+Li) − E(slab) − e(Li, bcc bulk), lowest over facets and sites of the seed, "
        "negative = bound more strongly than in Li metal",
    )
    work_of_adhesion_j_m2: Number = quantity_field(
        "work_of_adhesion",
        "J/m²",
        "W = (E_A + E_B − E_AB)/A of Li on the seed, A and B relaxed apart in the interface's "
        "in-plane cell, positive = bound, best over facets, terminations and registries",
    )
    contact_angle_deg: Number = quantity_field(
        "contact_angle", "°", "Of Li on that facet, Young–Dupré, cos θ = W/γ_Li − 1, clipped"
    )
    lithiated_adhesion_j_m2: Number = quantity_field(
        "lithiated_adhesion", "J/m²", "W of Li on the Li-rich phase, likewise"
    )
    lithiated_contact_angle_deg: Number = quantity_field(
        "lithiated_contact_angle", "°", "Contact angle of Li on the Li-rich phase, likewise"
    )

    phases: tuple[AlloyPhase, ...] = Field(
        default=(), description="Every phase on or above the hull, poorest in Li first."
    )
    phases_left_out: tuple[str, ...] = Field(
        default=(), description="Phases that had no energy, each with the reason."
    )
    plateaus: tuple[VoltagePlateau, ...] = Field(
        default=(), description="The voltage curve, poorest in Li first."
    )
    migrations: tuple[PhaseMigration, ...] = Field(
        default=(), description="Li vacancies in the Li-rich phases, richest in Li first."
    )
    contacts: tuple[SeedContact, ...] = Field(
        default=(), description="Li on every facet of the seed, and of the Li-rich phase."
    )
    lithiated_phase: str | None = Field(
        default=None, description="The Li-rich phase on which lithiated_adhesion was computed."
    )
    gamma_li_j_m2: float | None = Field(
        default=None, gt=0, description="γ_Li used for the contact angles, J/m²."
    )
    gamma_li_source: str | None = Field(default=None, description="Where γ_Li is from.")
    site_structure: StructureDictOrNone = Field(
        default=None, description="Li on the best site of the seed, relaxed."
    )
    interface_structure: StructureDictOrNone = Field(
        default=None, description="The best interface of Li with the seed, relaxed."
    )
    lithiated_interface_structure: StructureDictOrNone = Field(
        default=None, description="The best interface of Li with the Li-rich phase, relaxed."
    )
