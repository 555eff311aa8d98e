"""What is stored of moving interfaces and drops; the frames themselves stay in the side file."""

from typing import Literal

from pydantic import Field

from results.documents import (
    CandidateDocument,
    Document,
    Fingerprint,
    Number,
    Numbers,
    SideFile,
    StructureDictOrNone,
    label_field,
    quantity_field,
)


class Average(Document):
    """A mean over the part of a run that is in equilibrium."""

    value: Number = Field(description="Mean; None where there is none.")
    error: Number = Field(default=None, description="Standard error of blocks; None if unknown.")
    reason: str | None = Field(default=None, description="Why value or error is missing.")


class MeasuredDiffusivity(Document):
    """A self-diffusion coefficient with its interval, or why there is none."""

    value_cm2_s: Number = Field(description="D, cm²/s; None where the run does not show diffusion.")
    low_cm2_s: Number = Field(description="Lower end of the 95 % interval, cm²/s.")
    high_cm2_s: Number = Field(description="Upper end; without value the most the run allows.")
    error_cm2_s: Number = Field(description="Standard error, cm²/s.")
    exponent: Number = Field(description="Of ⟨r²⟩ ~ t^exponent: 1 for diffusion, 0 for rattling.")
    n_atoms: float = Field(ge=0, description="Li atoms behind it, mean over the blocks.")
    reason: str | None = Field(default=None, description="Why there is no value.")


class MeasuredSlab(Document):
    """Li diffusivities in one slab of an interface."""

    low_a: float = Field(description="Lower edge above the contact plane, Å.")
    high_a: float = Field(description="Upper edge above the contact plane, Å.")
    parallel: MeasuredDiffusivity = Field(description="In the plane of the interface.")
    normal: MeasuredDiffusivity = Field(description="Across it.")


class MeasuredBonds(Document):
    """What became of the bonds between two elements."""

    pair: tuple[str, str] = Field(description="The elements.")
    at_start: int = Field(ge=0, description="Bonds in the first frame.")
    at_end: float = Field(ge=0, description="Bonds, mean over the last fifth of the run.")
    error: Number = Field(description="Standard error of blocks of it; None if unknown.")
    broken: int = Field(ge=0, description="Bonds of the first frame that the last has not.")
    formed: int = Field(ge=0, description="Bonds of the last frame that the first had not.")


class InterfaceRun(Document):
    """One run of one interface."""

    temperature_k: float = Field(description="Of the thermostat, K.")
    normal_stress_gpa: float | None = Field(
        default=None, description="Held along the normal, GPa, positive = compression; None: NVT."
    )
    time_ps: float = Field(ge=0, description="Time simulated, ps.")
    failure: str | None = Field(default=None, description="Why the run tells nothing.")
    fingerprints: tuple[Fingerprint, ...] = Field(default=(), description="The run itself.")
    frames: SideFile | None = Field(default=None, description="Where its frames are.")
    equilibrium_from_ps: Number = Field(
        default=None, description="From when on energy and separation are in equilibrium, ps."
    )
    equilibrium_reason: str | None = Field(
        default=None, description="Why the run is not to be called equilibrated; None if it is."
    )
    heights_a: Numbers = Field(default=None, description="Bins of the profiles, Å above contact.")
    densities: dict[str, tuple[float, ...]] = Field(
        default_factory=dict, description="By element, mean in equilibrium, atoms/Å³."
    )
    density_errors: dict[str, tuple[float, ...]] = Field(
        default_factory=dict, description="Their block errors; empty where unknown."
    )
    windows_ps: tuple[float, ...] = Field(default=(), description="Middles of the windows, ps.")
    widths_a: tuple[float, ...] = Field(
        default=(), description="Width of the mixed zone 4∫φ(1−φ)dz in each window, Å."
    )
    width_a: Average | None = Field(
        default=None, description="Of the mixed zone over the last fifth of the run, Å."
    )
    crossed: dict[str, int] = Field(
        default_factory=dict, description="Atoms beyond the contact plane at the end, by kind."
    )
    crossed_in_all: Average | None = Field(
        default=None, description="Those of all kinds, mean over the last fifth of the run."
    )
    separation_a: Average | None = Field(
        default=None, description="Distance between the layers that met at the start, Å."
    )
    energy_ev: Average | None = Field(default=None, description="Potential energy, eV.")
    void_fraction: Average | None = Field(
        default=None, description="Share of the contact plane that no film atom covers, 0 to 1."
    )
    bonds: tuple[MeasuredBonds, ...] = Field(default=(), description="Bonds by pair of elements.")
    slabs: tuple[MeasuredSlab, ...] = Field(default=(), description="Li diffusivity by slab.")
    lithium_parallel: MeasuredDiffusivity | None = Field(
        default=None, description="Of all Li that is free to move, in the plane."
    )
    final_structure: StructureDictOrNone = Field(default=None, description="The last frame.")

    @property
    def is_sound(self) -> bool:
        """Whether it ran to its end and is in equilibrium."""
        return self.failure is None and self.equilibrium_reason is None


class ArrheniusLine(Document):
    """D = D₀ exp(−E_a / k_B T), with its band of confidence."""

    activation_energy_ev: float = Field(description="E_a, eV.")
    error_ev: float = Field(ge=0, description="Its standard error, eV.")
    misfit: float = Field(ge=0, description="χ² per degree of freedom.")
    temperatures_k: tuple[float, ...] = Field(description="Abscissae of the band, K.")
    values_cm2_s: tuple[float, ...] = Field(description="The line, cm²/s.")
    low_cm2_s: tuple[float, ...] = Field(description="Lower edge of the 95 % band, cm²/s.")
    high_cm2_s: tuple[float, ...] = Field(description="Upper edge, cm²/s.")


class InterfaceDynamicsDocument(CandidateDocument):
    """An interface in motion; its quantities are those of its hottest run without stress."""

    screen: Literal["dynamics"] = "dynamics"
    origin: str = label_field("origin", "The screen that the interface comes from.")
    film: str = label_field("film", "What lies on the host: Li, or a coating.", default="Li")
    mixed_zone_width_a: Number = quantity_field(
        "mixed_zone_width", "Å", "Width 4∫φ(1−φ)dz of the mixed zone at the end of the run"
    )
    crossed_per_nm2: Number = quantity_field(
        "crossed_atoms", "1/nm²", "Atoms beyond the first contact plane at the end, per area"
    )
    bonds_broken_per_nm2: Number = quantity_field(
        "bonds_broken",
        "1/nm²",
        "Bonds of the substrate, none of them with Li, that broke in the run, per area",
    )
    void_fraction: Number = quantity_field(
        "void_fraction", "1", "Share of the contact plane that no film atom covers"
    )
    li_diffusivity: Number = quantity_field(
        "li_diffusivity", "10⁻⁶ cm²/s", "Self-diffusion coefficient of Li along the interface"
    )
    li_activation_energy_ev: Number = quantity_field(
        "li_activation_energy", "eV", "Activation energy of Li diffusion along the interface"
    )
    runs: tuple[InterfaceRun, ...] = Field(default=(), description="One per temperature, stress.")
    arrhenius: ArrheniusLine | None = Field(default=None, description="Li along the interface.")
    initial_structure: StructureDictOrNone = Field(
        default=None, description="The relaxed interface that the runs start from."
    )


class WettingDocument(CandidateDocument):
    """A drop of liquid lithium on a facet at one temperature."""

    screen: Literal["wetting"] = "wetting"
    temperature: str = label_field("temperature", "Of the thermostat, such as '500 K'.")
    drop_angle_deg: Number = quantity_field(
        "drop_angle",
        "°",
        "Contact angle of the cylindrical drop, from the circle through its half-density line, "
        "mean after equilibration; 0 for a film, 180 for a drop that does not wet. Where a layer "
        "of Li covers the facet beside the drop, it counts from the layer's top. A straight "
        "contact line has no line tension, but a drop of nanometres is not yet a large one",
    )
    height_angle_deg: Number = quantity_field(
        "height_angle", "°", "The same angle from the mean height of the drop's atoms"
    )
    state: Literal["drop", "film", "non-wetting"] | None = Field(
        default=None, description="What it came to; None where the run failed."
    )
    state_reason: str | None = Field(default=None, description="What a limit rests on.")
    n_lithium: int = Field(default=0, ge=0, description="Atoms of the drop.")
    time_ps: float = Field(default=0.0, ge=0, description="Time simulated, ps.")
    equilibrium_from_ps: Number = Field(
        default=None, description="From when on the angle is in equilibrium, ps; None if unknown."
    )
    windows_ps: tuple[float, ...] = Field(default=(), description="Middles of the windows, ps.")
    angles_deg: tuple[Number, ...] = Field(default=(), description="Angle in each window, °.")
    angle_errors_deg: tuple[Number, ...] = Field(default=(), description="Its error there, °.")
    states: tuple[str, ...] = Field(default=(), description="What it was in each window.")
    layer_beside: Number = Field(
        default=None,
        description="Li in the first layer on the facet beside the drop in the last window, in "
        "monolayers of Li(110); None where nothing is beside it.",
    )
    floor_a: float = Field(
        default=0.0,
        description="Height of the drop's base over the facet's in the last window, Å: the layer "
        "of Li that it stands on, or 0.",
    )
    outline: tuple[tuple[float, float], ...] = Field(
        default=(), description="Surface in the last window: across, height over its base, Å."
    )
    circle: tuple[float, float] | None = Field(
        default=None, description="Height of the centre above its base and radius there, Å."
    )
    heights_a: Numbers = Field(default=None, description="Bins of the profiles, Å over the base.")
    densities: dict[str, tuple[float, ...]] = Field(
        default_factory=dict, description="By element, mean over the last half, atoms/Å³."
    )
    liquid_tension_j_m2: Average | None = Field(
        default=None,
        description="Surface tension of the potential's liquid Li at this temperature, J/m².",
    )
    young_dupre_angle_deg: Number = quantity_field(
        "young_dupre_angle",
        "°",
        "Young–Dupré's angle of the facet's relaxed interface with Li, where the database has one",
    )
    young_dupre_source: str | None = Field(
        default=None, description="W and γ that Young–Dupré's angle rests on."
    )
    frames: SideFile | None = Field(default=None, description="Where the frames are.")
    initial_structure: StructureDictOrNone = Field(
        default=None, description="The drop as it was put down."
    )
    final_structure: StructureDictOrNone = Field(default=None, description="The last frame.")
