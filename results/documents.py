"""What is stored: typed, frozen documents with each number's formula and unit beside it.

- `CalculationDocument`: one structure evaluated or relaxed.
- `PathDocument`: one minimum-energy path.
- `DynamicsDocument`: one run of molecular dynamics.
- `CollectorDocument`: one facet of a current collector, with the quantities screened.
- `Property`: one quantity of a candidate, as it stands in the database.

Structures are pymatgen's own dictionaries; a pymatgen ``Structure`` may be given wherever one is
asked for, and `as_structure` turns one back. NumPy arrays may be given for arrays. Numbers that are
not finite (the energy of a diverged relaxation) become None, and such a document needs a
``failure``.
"""

import importlib.metadata
import math
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    TypeAdapter,
    ValidationError,
    computed_field,
    model_serializer,
    model_validator,
)

from results.errors import ResultsError

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure


def as_structure(data: Mapping[str, Any]) -> "Structure":
    """The pymatgen Structure that a document's structure field holds."""
    from pymatgen.core.structure import Structure

    return Structure.from_dict(dict(data))


def _as_utc(moment: datetime) -> datetime:
    """With its zone: stores of jobflow give times back without, and those are UTC."""
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _structure_dict(value: Any) -> Any:
    """Shortest pymatgen dictionary that still holds site properties such as frozen atoms.

    None for a structure blown up to coordinates that are not numbers.
    """
    if not hasattr(value, "as_dict"):
        return value
    if _holds_non_finite(value.lattice.matrix) or _holds_non_finite(value.frac_coords):
        return None
    return _plain(value.as_dict(verbosity=0))


def _structure_dicts(values: Any) -> Any:
    """A path's images; None where one of them blew up."""
    images = values if values is None else [_structure_dict(value) for value in values]
    return None if images is None or None in images else images


def _plain(value: Any) -> Any:
    """JSON types: arrays and tuples as lists, numbers that are not finite as None."""
    # Asked in the order of how often each is met: structures hold floats, lists and dicts.
    kind = type(value)
    if kind is float:
        return value if math.isfinite(value) else None
    if kind is list or kind is tuple:
        return [_plain(item) for item in value]
    if kind is str or kind is int or value is None:
        return value
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _finite_array(value: Any) -> Any:
    """The array as lists; None where it holds a number that is not finite."""
    return None if _holds_non_finite(value) else _plain(value)


def _holds_non_finite(value: Any) -> bool:
    if hasattr(value, "tolist"):
        import numpy as np

        return not bool(np.isfinite(value).all())
    if isinstance(value, list | tuple):
        return any(_holds_non_finite(item) for item in value)
    return isinstance(value, float) and not math.isfinite(value)


StructureDict = Annotated[dict[str, Any], BeforeValidator(_structure_dict)]
StructureDictOrNone = Annotated[dict[str, Any] | None, BeforeValidator(_structure_dict)]
Images = Annotated[tuple[dict[str, Any], ...] | None, BeforeValidator(_structure_dicts)]
Parameters = Annotated[dict[str, Any], BeforeValidator(_plain)]
UtcTime = Annotated[datetime, AfterValidator(_as_utc)]
Number = Annotated[float | None, BeforeValidator(_plain)]
Vector = tuple[float, float, float]
Vectors = Annotated[tuple[Vector, ...] | None, BeforeValidator(_finite_array)]
Numbers = Annotated[tuple[float, ...] | None, BeforeValidator(_finite_array)]
Fingerprint = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
MillerIndex = tuple[int, int, int]


def software_versions() -> dict[str, str]:
    """Versions of what writes the documents; the potential's own stand in its identity."""
    return dict(_software_versions())


@cache
def _software_versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in ("lithiophile", "numpy", "pymatgen"):
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "not installed as a package"
    return versions


class Document(BaseModel):
    """Base of all documents: frozen, and no key that is not a field."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Potential(Document):
    """Identity of the potential that gave a number."""

    name: str = Field(description="Registry name, or the file's name for a local model.")
    sha256: str = Field(description="Hash of the weights file (hex digest).")
    head: str | None = Field(description="Head of a multi-head model; None where there is one.")
    dtype: str = Field(description="float64, float32 or tf32.")
    dispersion: str | None = Field(description="Dispersion correction added; None without.")
    versions: dict[str, str] = Field(
        default_factory=dict, description="Versions of the packages that compute it."
    )
    parts: str | None = Field(
        default=None,
        description="Who gave the energies and who the structures, where these are two; sha256 "
        "is then a hash of both identities.",
    )

    @model_serializer(mode="wrap")
    def _without_parts_where_it_is_one(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """As before there were two, so that what is stored keeps its keys."""
        fields: dict[str, Any] = dump(self)
        if self.parts is None:
            fields.pop("parts", None)
        return fields


class _Calculated(Document):
    """What every calculation carries."""

    fingerprint: Fingerprint = Field(
        description="SHA-256 of structures, task, parameters and potential."
    )
    task: str = Field(description="What was done: evaluate, relax, neb, dynamics.")
    parameters: Parameters = Field(
        description="The task's parameters as they entered the fingerprint (fmax in eV/Å, ...)."
    )
    potential: Potential = Field(description="The potential that gave the numbers.")
    initial_structure: StructureDict = Field(
        description="The structure it started from; a path's first end state."
    )
    final_structure: StructureDictOrNone = Field(
        description="The last structure, sites in the same order; a path's last end state; None "
        "where coordinates were no longer numbers."
    )
    max_force: Number = Field(
        description="Largest force norm left on a free atom, eV/Å; on a path, largest NEB force."
    )
    converged: bool = Field(description="Whether the forces (and stress) are under the threshold.")
    failure: str | None = Field(
        default=None, description="Why there is no trustworthy result; None where nothing failed."
    )
    steps: int = Field(ge=0, description="Optimiser steps taken.")
    force_evaluations: int = Field(ge=0, description="Energy-and-force evaluations spent.")
    wall_time_s: float = Field(ge=0, description="Time it took; in a batch its share by atoms, s.")
    software: dict[str, str] = Field(
        default_factory=software_versions, description="Versions of what wrote the document."
    )
    created_at: UtcTime = Field(
        default_factory=lambda: datetime.now(UTC), description="When it was finished, UTC."
    )

    @model_validator(mode="after")
    def _failure_is_not_converged(self) -> Self:
        if self.converged and self.failure is not None:
            raise ValueError(f"converged: true beside failure {self.failure!r}; give one of both")
        if not self.converged and self.failure is None:
            raise ValueError("failure: None though not converged; say why")
        return self


class CalculationDocument(_Calculated):
    """One structure's energy and forces, after an evaluation or a relaxation."""

    kind: Literal["calculation"] = "calculation"
    energy_ev: Number = Field(
        description="Potential energy of the final structure, eV; None where it failed before."
    )
    forces: Vectors = Field(
        description="Forces on the final structure, shape (n_atoms, 3), eV/Å, frozen atoms' too."
    )
    stress: Vectors = Field(
        default=None,
        description="Stress, shape (3, 3), eV/Å³, positive under tension; None if not computed.",
    )

    @model_validator(mode="after")
    def _converged_has_numbers(self) -> Self:
        if self.converged and None in (self.energy_ev, self.forces, self.final_structure):
            raise ValueError("energy_ev, forces, final_structure: not finite though converged")
        return self


class PathDocument(_Calculated):
    """One minimum-energy path from a climbing-image NEB."""

    kind: Literal["path"] = "path"
    images: Images = Field(
        description="Structures along the path, both end states included; None where coordinates "
        "were no longer numbers."
    )
    energies_ev: Numbers = Field(
        description="Energies of the images, eV, both end states included."
    )
    barrier_ev: Number = Field(
        description="Forward barrier, max(energies) − energies[0], eV; error from max_force."
    )
    reverse_barrier_ev: Number = Field(
        description="Reverse barrier, max(energies) − energies[-1], eV."
    )

    @model_validator(mode="after")
    def _converged_has_numbers(self) -> Self:
        if self.converged and None in (self.energies_ev, self.barrier_ev, self.images):
            raise ValueError("energies_ev, barrier_ev, images: not finite though converged")
        n_energies, n_images = len(self.energies_ev or ()), len(self.images or ())
        if n_energies and n_images and n_energies != n_images:
            raise ValueError(f"energies_ev: {n_energies} for {n_images} images; give one each")
        return self


class SideFile(Document):
    """Frames of molecular dynamics, too many for a document."""

    path: str = Field(description="Folder of the run, as `read_frames` takes it.")
    index: int = Field(ge=0, description="Position of the system in that run.")
    sha256: str = Field(description="Hash of the frames' steps, positions and cells (hex digest).")
    n_frames: int = Field(ge=1, description="Number of frames.")


class DynamicsDocument(_Calculated):
    """One system's molecular dynamics; ``converged`` says that it ran to its end."""

    kind: Literal["dynamics"] = "dynamics"
    time_ps: float = Field(ge=0, description="Time simulated, ps.")
    frames: SideFile | None = Field(description="Where its frames are; None where it has none.")

    @model_validator(mode="after")
    def _converged_has_frames(self) -> Self:
        if self.converged and None in (self.frames, self.final_structure):
            raise ValueError("frames, final_structure: missing though the run came to its end")
        return self


AnyCalculation = CalculationDocument | PathDocument | DynamicsDocument
_ANY_CALCULATION: TypeAdapter[AnyCalculation] = TypeAdapter(
    Annotated[AnyCalculation, Field(discriminator="kind")]
)


def parse_calculation(data: Any) -> AnyCalculation:
    """The calculation document in ``data`` (JSON types), by its ``kind``.

    Raises:
        ResultsError: data that is not such a document.
    """
    try:
        return _ANY_CALCULATION.validate_python(data)
    except ValidationError as error:
        raise ResultsError(f"document: {first_problem(error)}") from error


def first_problem(error: ValidationError) -> str:
    """The first problem of a validation, on one line."""
    problem = error.errors()[0]
    place = ".".join(str(part) for part in problem["loc"]) or "whole"
    return f"{place}: {problem['msg']}"


class Evidence(Document):
    """What stands behind one quantity of a candidate."""

    converged: bool = Field(description="Whether every calculation behind the value converged.")
    error: Annotated[float, Field(ge=0)] | None = Field(
        default=None, description="Error estimate in the quantity's unit; None without one."
    )
    reference_state: str | None = Field(
        default=None, description="What the value is measured against, for example 'bcc Li, bulk'."
    )
    failure: str | None = Field(
        default=None, description="Why the value is missing or not to be trusted."
    )
    fingerprints: tuple[Fingerprint, ...] = Field(
        default=(), description="The calculations it came from."
    )


class Property(Evidence):
    """One quantity of one candidate."""

    name: str = Field(description="Name in queries, for example work_of_adhesion.")
    value: Number = Field(description="The value in `unit`; None where there is none.")
    unit: str = Field(description="Unit of value and error, for example J/m².")


def quantity_field(name: str, unit: str, description: str) -> Any:
    """A field that is a quantity, with its name in queries and its unit; None unless computed."""
    return Field(
        default=None,
        description=f"{description}; {unit}.",
        json_schema_extra={"quantity": name, "unit": unit},
    )


def label_field(name: str, description: str, **options: Any) -> Any:
    """A text field (or None) that tells candidates of one kind apart, with its name in queries.

    Such as the electrolyte that a coating is put on. ``options`` are those of pydantic's Field;
    without a default the field is required.
    """
    return Field(description=description, json_schema_extra={"label": name}, **options)


class CandidateDocument(Document):
    """Base of a screen's candidates: who it is, its quantities, and the evidence for each.

    A kind of candidate adds its quantities (`quantity_field`), the texts that tell its candidates
    apart beside host, facet, termination and potential (`label_field`), and what else it keeps.

    A quantity that was asked for has an entry in ``evidence`` under its field's name, with a value
    in the field or a ``failure`` in the entry. ``converged`` and ``failures`` follow from these.
    """

    screen: str = Field(description="The screen it belongs to, for example collectors.")
    campaign: str = Field(description="Name of the campaign.")
    host: str = Field(description="Crystal screened, by name or reduced formula.")
    elements: tuple[str, ...] = Field(min_length=1, description="Elements of the host.")
    miller_index: MillerIndex | None = Field(
        default=None, description="Facet (h, k, l) of the conventional cell; None for a crystal."
    )
    termination: str = Field(default="", description="Label of the facet's termination.")
    potential: Potential = Field(description="The potential that gave the numbers.")
    evidence: dict[str, Evidence] = Field(
        description="For each quantity asked for, what stands behind it, by the field's name."
    )
    created_at: UtcTime = Field(
        default_factory=lambda: datetime.now(UTC), description="When it was put together, UTC."
    )

    @model_validator(mode="before")
    @classmethod
    def _drop_computed(cls, data: Any) -> Any:
        """Computed fields are in the JSON for its readers; read back they are computed again."""
        if isinstance(data, dict):
            return {key: data[key] for key in data if key not in cls.model_computed_fields}
        return data

    @model_validator(mode="after")
    def _evidence_matches_values(self) -> Self:
        for field in quantities(type(self)):
            value = getattr(self, field)
            evidence = self.evidence.get(field)
            if value is not None and evidence is None:
                raise ValueError(f"evidence: {field} has a value but no entry; add one")
            if value is None and evidence is not None and evidence.failure is None:
                raise ValueError(f"evidence: {field} has neither value nor failure; give one")
            if evidence is not None and evidence.converged and evidence.failure is not None:
                raise ValueError(f"evidence: {field} is converged beside a failure; give one")
        unknown = sorted(set(self.evidence) - set(quantities(type(self))))
        if unknown:
            raise ValueError(
                f"evidence: {unknown[0]!r} is no quantity; use {', '.join(quantities(type(self)))}"
            )
        return self

    @computed_field(description="Whether every quantity asked for converged.")  # type: ignore[prop-decorator]
    @property
    def converged(self) -> bool:
        """Whether every quantity asked for converged."""
        return all(evidence.converged for evidence in self.evidence.values())

    @computed_field(description="What failed or did not converge, as 'quantity: reason'.")  # type: ignore[prop-decorator]
    @property
    def failures(self) -> tuple[str, ...]:
        """What failed or did not converge, as ``quantity: reason``."""
        return tuple(
            f"{field}: {evidence.failure or 'not converged'}"
            for field, evidence in self.evidence.items()
            if not evidence.converged
        )

    @property
    def rejected(self) -> str:
        """Why a funnel computed it no further, with the numbers; empty where none did."""
        return ""

    def properties(self) -> tuple[Property, ...]:
        """The quantities asked for, in the order of the fields."""
        return tuple(
            Property(
                name=name,
                value=getattr(self, field),
                unit=unit,
                **dict(self.evidence[field]),
            )
            for field, (name, unit) in quantities(type(self)).items()
            if field in self.evidence
        )

    def fingerprints(self) -> tuple[str, ...]:
        """Every calculation it came from, those of its parts (sites, interfaces) included."""
        fields = [getattr(self, field) for field in type(self).model_fields]
        parts = [part for value in fields if isinstance(value, tuple) for part in value]
        supporting = [*self.evidence.values(), *parts]
        found = [one for item in supporting for one in getattr(item, "fingerprints", ())]
        return tuple(dict.fromkeys(found))


@cache
def labels(document: type[CandidateDocument]) -> dict[str, str]:
    """Each field of a kind of candidate that is a label, with its name in queries."""
    found = {}
    for field, info in document.model_fields.items():
        extra = info.json_schema_extra
        if isinstance(extra, dict) and "label" in extra:
            found[field] = str(extra["label"])
    return found


@cache
def quantities(document: type[CandidateDocument]) -> dict[str, tuple[str, str]]:
    """Each quantity field of a kind of candidate with its (name in queries, unit)."""
    found = {}
    for field, info in document.model_fields.items():
        extra = info.json_schema_extra
        if isinstance(extra, dict) and "quantity" in extra:
            found[field] = (str(extra["quantity"]), str(extra["unit"]))
    return found


class SiteBinding(Document):
    """Li on one symmetry-distinct site of a facet."""

    label: str = Field(description="Site, for example hollow-fcc.")
    coverage: float = Field(description="Adatoms per surface atom of the top layer.")
    multiplicity: int = Field(description="Equivalent sites per primitive surface cell.")
    li_binding_ev: Number = Field(description="E(slab+Li) − E(slab) − e(Li, bcc bulk), eV.")
    converged: bool = Field(description="Whether the relaxation converged.")
    failure: str | None = Field(default=None, description="Why there is no trustworthy value.")
    relaxed_label: str | None = Field(
        default=None, description="Where the adatom ended, if it left the site it started from."
    )
    fingerprints: tuple[Fingerprint, ...] = Field(default=(), description="Where it came from.")


class BarrierProfile(Document):
    """Energy along the path of one hop."""

    initial_label: str = Field(description="Site it leaves.")
    final_label: str = Field(description="Site it reaches.")
    distance: tuple[float, ...] = Field(description="Path length up to each image, Å.")
    energies_ev: tuple[float, ...] = Field(description="Energy above the initial state, eV.")


class InterfaceAdhesion(Document):
    """One interface that was tried: a film facet, termination and in-plane registry."""

    film_miller_index: MillerIndex = Field(description="Facet of the Li film.")
    termination: str = Field(description="Label of the pair of terminations.")
    registry: tuple[float, float] = Field(
        description="In-plane shift of the film, fractions of the substrate's primitive cell."
    )
    n_atoms: int = Field(description="Atoms in the cell.")
    work_of_adhesion_j_m2: Number = Field(description="(E_A + E_B − E_AB)/A, J/m².")
    film_strain: Vector = Field(description="Green–Lagrange strain (xx, yy, xy) of the film.")
    substrate_strain: Vector = Field(description="The same of the substrate.")
    converged: bool = Field(description="Whether all three relaxations converged.")
    failure: str | None = Field(default=None, description="Why there is no trustworthy value.")
    fingerprints: tuple[Fingerprint, ...] = Field(default=(), description="Where it came from.")


class CollectorDocument(CandidateDocument):
    """One facet of a current collector against lithium metal."""

    screen: Literal["collectors"] = "collectors"
    miller_index: MillerIndex = Field(description="Facet (h, k, l) of the conventional cell.")

    surface_energy_j_m2: Number = quantity_field(
        "surface_energy", "J/m²", "γ = (E_slab − N e_bulk)/(2A), symmetric slab"
    )
    li_binding_ev: Number = quantity_field(
        "li_binding",
        "eV",
        "E_b = E(slab+Li) − E(slab) − e(Li, bcc bulk), lowest over the distinct sites, "
        "negative = bound more strongly than in Li metal",
    )
    nucleation_overpotential_v: Number = quantity_field(
        "nucleation_overpotential", "V", "η = max(0, E_b)/e at the stated coverage"
    )
    adatom_barrier_ev: Number = quantity_field(
        "adatom_barrier",
        "eV",
        "Climbing-image NEB; lowest over the paths of hops that lead across the facet in some "
        "direction: highest saddle − most stable site reached",
    )
    adatom_reverse_barrier_ev: Number = quantity_field(
        "adatom_reverse_barrier",
        "eV",
        "The hop with that saddle, highest image − less stable end",
    )
    adatom_barrier_across_ev: Number = quantity_field(
        "adatom_barrier_across", "eV", "The same for travel in every direction of the facet"
    )
    adatom_anisotropy: Number = quantity_field(
        "adatom_anisotropy",
        "1",
        "adatom_barrier_across over adatom_barrier, 1 = alike in every direction",
    )
    adatom_lowest_hop_ev: Number = quantity_field(
        "adatom_lowest_hop",
        "eV",
        "Lowest barrier of a single hop from its more stable end, wherever it leads",
    )
    work_of_adhesion_j_m2: Number = quantity_field(
        "work_of_adhesion",
        "J/m²",
        "W = (E_A + E_B − E_AB)/A, A and B relaxed apart in the interface's in-plane cell, "
        "positive = bound, best over film facets, terminations and registries",
    )
    film_elastic_energy_j_m2: Number = quantity_field(
        "film_elastic_energy",
        "J/m²",
        "Elastic energy of the film's strain per contact area, not part of W",
    )
    substrate_elastic_energy_j_m2: Number = quantity_field(
        "substrate_elastic_energy", "J/m²", "The same of the substrate"
    )
    interface_energy_j_m2: Number = quantity_field(
        "interface_energy", "J/m²", "γ_AB = γ_A + γ_B − W"
    )
    contact_angle_deg: Number = quantity_field(
        "contact_angle", "°", "Young–Dupré, cos θ = W/γ_Li − 1, clipped"
    )

    li_binding_site: str | None = Field(
        default=None, description="Label of the best site, on which the adatom ended."
    )
    li_coverage: float | None = Field(
        default=None, description="Adatoms per surface atom of the top layer at the best site."
    )
    li_binding_sites: tuple[SiteBinding, ...] = Field(
        default=(), description="Every distinct site that was tried."
    )
    adatom_profile: BarrierProfile | None = Field(
        default=None, description="Energy along the hop that adatom_barrier_ev is read from."
    )
    adatom_direction_deg: float | None = Field(
        default=None,
        description="Direction of travel over adatom_barrier_ev against the slab's a, degrees; "
        "None where it leads in every direction.",
    )
    film_miller_index: MillerIndex | None = Field(
        default=None, description="Facet of the Li film in the best interface."
    )
    interface_termination: str | None = Field(
        default=None, description="Pair of terminations in the best interface."
    )
    registry: tuple[float, float] | None = Field(
        default=None, description="Registry of the best interface."
    )
    film_strain: Vector | None = Field(
        default=None, description="Green–Lagrange strain (xx, yy, xy) of the film, best interface."
    )
    substrate_strain: Vector | None = Field(default=None, description="The same of the substrate.")
    interfaces: tuple[InterfaceAdhesion, ...] = Field(
        default=(), description="Every interface that was tried."
    )
    gamma_li_j_m2: float | None = Field(
        default=None, gt=0, description="γ_Li used for the contact angle, J/m²."
    )
    gamma_li_source: str | None = Field(
        default=None, description="Where γ_Li is from, for example 'Li (100), same potential'."
    )
    slab_structure: StructureDictOrNone = Field(default=None, description="The relaxed facet.")
    site_structure: StructureDictOrNone = Field(
        default=None, description="Li on the best site, relaxed."
    )
    interface_structure: StructureDictOrNone = Field(
        default=None, description="The best interface, relaxed."
    )
    path_images: tuple[StructureDict, ...] = Field(
        default=(), description="Images of the hop that adatom_barrier_ev is read from."
    )

    @model_validator(mode="after")
    def _angle_has_its_reference(self) -> Self:
        if self.contact_angle_deg is not None and self.gamma_li_j_m2 is None:
            raise ValueError("gamma_li_j_m2: missing beside contact_angle_deg; give the γ_Li used")
        return self
