"""What is stored of a coating between an electrolyte and lithium."""

from typing import Literal

from pydantic import Field

from results.documents import (
    BarrierProfile,
    CandidateDocument,
    Document,
    Fingerprint,
    InterfaceAdhesion,
    MillerIndex,
    Number,
    StructureDictOrNone,
    label_field,
    quantity_field,
)

HopKind = Literal["vacancy", "interstitial"]


class ContactReaction(Document):
    """The most favourable reaction of two solids in contact."""

    contact: str = Field(description="Which contact: electrolyte, lithium or cathode.")
    reactants: tuple[str, str] = Field(description="Names of the two solids.")
    potential_v: float | None = Field(
        description="Potential at which lithium is exchanged, V vs Li/Li⁺; None where none is."
    )
    energy_ev: float = Field(
        description="Lowest energy along the mixing line, eV/atom of the reactants, negative = "
        "reactive; what each does alone is not part of it."
    )
    fraction: float = Field(description="Fraction of the reactants' atoms in the first one.")
    products: tuple[str, ...] = Field(description="Reduced formulas, the largest amount first.")


class HopBarrier(Document):
    """One symmetry-distinct hop of lithium in a crystal."""

    kind: HopKind = Field(description="What moves.")
    start: str = Field(description="Site it leaves.")
    end: str = Field(description="Site it reaches.")
    distance: float = Field(description="Between the two sites, Å.")
    barrier_ev: Number = Field(description="Highest image − first end, eV.")
    reverse_barrier_ev: Number = Field(description="Highest image − last end, eV.")
    converged: bool = Field(description="Whether the ends and the path converged.")
    failure: str | None = Field(default=None, description="Why there is no trustworthy value.")
    decisive: bool = Field(
        default=False, description="Whether it is the highest one of the easiest percolating path."
    )
    profile: BarrierProfile | None = Field(
        default=None, description="Energies along its path, where that is sound."
    )
    fingerprints: tuple[Fingerprint, ...] = Field(default=(), description="Where it came from.")


class Rejection(Document):
    """A threshold of the funnel that a candidate missed."""

    quantity: str = Field(description="Name of the quantity, as in queries.")
    label: str = Field(description="What it is, for people.")
    value: float = Field(description="The candidate's number, in `unit`.")
    threshold: float = Field(description="The threshold, in `unit`.")
    at_least: bool = Field(description="Whether the threshold is a lower limit.")
    unit: str = Field(description="Unit of both.")
    after: str = Field(description="Step of the funnel that found it: thermodynamics, migration.")

    @property
    def text(self) -> str:
        """``reduction limit 0.69 V is over the threshold of 0.1 V``."""
        side = "under" if self.at_least else "over"
        return (
            f"{self.label} {self.value:.3f} {self.unit} is {side} "
            f"the threshold of {self.threshold:g} {self.unit}"
        )


class CoatingDocument(CandidateDocument):
    """One coating on one electrolyte; or the bare electrolyte, as the baseline.

    Of the bare electrolyte the quantities are those of the electrolyte itself: its window, its
    reactions, lithium on it, its hops and moduli.
    """

    screen: Literal["coatings"] = "coatings"
    electrolyte: str = label_field(
        "electrolyte", "The electrolyte that is coated; its own name where it is bare."
    )
    coating: str | None = label_field("coating", "The coating; None for the bare electrolyte.")
    cathode: str | None = Field(default=None, description="Cathode on the other side; None: none.")
    voltage: tuple[float, float] = Field(
        description="Potentials of the two sides: open reactions with the electrolyte are at the "
        "lower one, those with the cathode at the upper one, V vs Li/Li⁺."
    )

    energy_above_hull_ev: Number = quantity_field(
        "energy_above_hull", "eV/atom", "Energy above the hull of the competing phases"
    )
    reduction_limit_v: Number = quantity_field(
        "reduction_limit", "V", "Lower end of the electrochemical window, vs Li/Li⁺"
    )
    oxidation_limit_v: Number = quantity_field(
        "oxidation_limit", "V", "Upper end of the electrochemical window, vs Li/Li⁺"
    )
    decomposition_energy_ev: Number = quantity_field(
        "decomposition_energy",
        "eV/atom",
        "Energy of the decomposition at 0 V vs Li/Li⁺, per atom of the compound, 0 = stable",
    )
    reaction_energy_ev: Number = quantity_field(
        "reaction_energy",
        "eV/atom",
        "Lowest mutual reaction energy over all contacts, closed and open, negative = reactive",
    )
    electrolyte_reaction_ev: Number = quantity_field(
        "electrolyte_reaction", "eV/atom", "Lowest mutual reaction energy with the electrolyte"
    )
    electrolyte_open_reaction_ev: Number = quantity_field(
        "electrolyte_open_reaction",
        "eV/atom",
        "The same, open to lithium at the lower end of the voltage range, the lithium side",
    )
    lithium_reaction_ev: Number = quantity_field(
        "lithium_reaction", "eV/atom", "Lowest mutual reaction energy with lithium metal"
    )
    cathode_reaction_ev: Number = quantity_field(
        "cathode_reaction", "eV/atom", "Lowest mutual reaction energy with the cathode"
    )
    cathode_open_reaction_ev: Number = quantity_field(
        "cathode_open_reaction",
        "eV/atom",
        "The same, open to lithium at the upper end of the voltage range",
    )
    migration_barrier_ev: Number = quantity_field(
        "migration_barrier",
        "eV",
        "Lower of the two barriers that follow: by vacancies, or by extra ions",
    )
    vacancy_barrier_ev: Number = quantity_field(
        "vacancy_barrier",
        "eV",
        "Highest saddle of the easiest percolating path of a lithium vacancy above the lowest "
        "image on the way, climbing-image NEB over the distinct hops",
    )
    interstitial_barrier_ev: Number = quantity_field(
        "interstitial_barrier",
        "eV",
        "The same of one extra lithium ion between the widest voids, where there are any",
    )
    bulk_modulus_gpa: Number = quantity_field(
        "bulk_modulus", "GPa", "Voigt–Reuss–Hill bulk modulus"
    )
    shear_modulus_gpa: Number = quantity_field(
        "shear_modulus", "GPa", "Voigt–Reuss–Hill shear modulus"
    )
    shear_ratio: Number = quantity_field(
        "shear_ratio", "1", "G/G_Li; linear theory (Monroe and Newman) wants at least about 2"
    )
    work_of_adhesion_j_m2: Number = quantity_field(
        "work_of_adhesion",
        "J/m²",
        "W = (E_A + E_B − E_AB)/A of lithium on the solid, positive = bound, best over "
        "terminations and registries",
    )
    contact_angle_deg: Number = quantity_field(
        "contact_angle", "°", "Young–Dupré, cos θ = W/γ_Li − 1, clipped"
    )
    electrolyte_adhesion_j_m2: Number = quantity_field(
        "electrolyte_adhesion", "J/m²", "W of the coating on the electrolyte, likewise"
    )

    hull_phases: tuple[str, ...] = Field(
        default=(), description="The competing phases on whose hull the candidate was judged."
    )
    hull_left_out: tuple[str, ...] = Field(
        default=(), description="Phases that had no energy, each with the reason."
    )
    hull_energies: str = Field(default="", description="What gave the energies of the hull.")
    reduction_products: tuple[str, ...] = Field(
        default=(), description="What it becomes just below the window."
    )
    oxidation_products: tuple[str, ...] = Field(
        default=(), description="What it becomes just above the window."
    )
    decomposition_products: tuple[str, ...] = Field(
        default=(), description="What it becomes at 0 V."
    )
    reactions: tuple[ContactReaction, ...] = Field(
        default=(), description="Every contact, closed and open."
    )
    rejections: tuple[Rejection, ...] = Field(
        default=(), description="Why the funnel went no further; empty where it passed."
    )
    hops: tuple[HopBarrier, ...] = Field(default=(), description="Every distinct hop tried.")
    migration_dimensions: int | None = Field(
        default=None, description="Directions that the percolating path leads along."
    )
    lithium_interfaces: tuple[InterfaceAdhesion, ...] = Field(
        default=(), description="Every interface with lithium that was tried."
    )
    electrolyte_interfaces: tuple[InterfaceAdhesion, ...] = Field(
        default=(), description="Every interface with the electrolyte that was tried."
    )
    lithium_miller_index: MillerIndex | None = Field(
        default=None, description="Facet of the solid under lithium."
    )
    gamma_li_j_m2: float | None = Field(
        default=None, gt=0, description="γ_Li used for the contact angle, J/m²."
    )
    gamma_li_source: str | None = Field(default=None, description="Where γ_Li is from.")
    crystal_structure: StructureDictOrNone = Field(
        default=None, description="The relaxed crystal of the coating (of a bare electrolyte: it)."
    )
    lithium_interface_structure: StructureDictOrNone = Field(
        default=None, description="The best interface with lithium, relaxed."
    )
    electrolyte_interface_structure: StructureDictOrNone = Field(
        default=None, description="The best interface with the electrolyte, relaxed."
    )

    @property
    def rejected(self) -> str:
        """The thresholds that it missed, with the numbers; empty where it passed."""
        return "; ".join(rejection.text for rejection in self.rejections)
