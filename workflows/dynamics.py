"""Relaxed interfaces set in motion, as one jobflow flow."""

import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jobflow import Flow, Maker, job
from monty.json import MSONable
from numpy.typing import NDArray
from pymatgen.core import Composition, Lattice, Structure

from results.documents import DynamicsDocument, Evidence, as_structure
from results.dynamics_documents import InterfaceDynamicsDocument, InterfaceRun
from structures import crystal
from structures.models import in_plane_area
from workflows.dynamics_analysis import arrhenius_line, interface_run
from workflows.dynamics_runs import dynamics_stage
from workflows.errors import WorkflowError
from workflows.evidence import Quantities
from workflows.packing import Documents
from workflows.settings import PotentialSettings, StoreSettings

CLOSED_GAP = 2.4
"""Gap between the film's top and the substrate's image where the vacuum is taken out, Å."""
DEEPEST = 2.5
"""How far the film of a relaxed interface may reach under the substrate's top, Å: about a layer.
Where it reaches deeper the formulas have not told the sides apart, or there is no contact plane."""


@dataclass(frozen=True)
class DynamicsStart(MSONable):
    """One relaxed interface and whose it is.

    Attributes:
        structure: a film on a substrate, the film's sites last, vacuum above.
        origin: the screen that it comes from.
        host: crystal of the substrate.
        elements: of the host.
        miller_index: facet of the substrate; None where the screen names none.
        termination: of the facet.
        film: crystal of the film.
    """

    structure: Structure
    origin: str
    host: str
    elements: list[str]
    miller_index: list[int] | None
    termination: str
    film: str = "Li"


@dataclass
class DynamicsMaker(Maker):
    """Molecular dynamics of a list of structures at one temperature.

    Attributes:
        name: stage shown in the progress.
        time_ps: simulated time.
        timestep: fs.
        interval: time steps between frames.
        friction: of the Langevin thermostat, 1/fs. It slows atoms down, 1/D by mγ/kT over what
            it is without (Einstein): for liquid Li, 0.9e-4 cm²/s at 500 K, D by 1.5 % at 0.001,
            by 13 % at 0.01.
        seed: of all random numbers; each temperature and stress has its own.
    """

    name: str = "dynamics"
    time_ps: float = 20.0
    timestep: float = 1.0
    interval: int = 50
    friction: float = 0.001
    seed: int = 0

    @job
    def make(
        self,
        structures: list[Structure],
        temperature: float,
        normal_stress: float | None,
        potential: PotentialSettings,
        stores: StoreSettings,
    ) -> Documents:
        """One document per structure; NVT where ``normal_stress`` (GPa) is None."""
        return Documents([*self.run(structures, temperature, normal_stress, potential, stores)])

    def run(
        self,
        structures: list[Structure],
        temperature: float,
        normal_stress: float | None,
        potential: PotentialSettings,
        stores: StoreSettings,
    ) -> list[DynamicsDocument]:
        """What `make` does, for a job that does more."""
        parameters: dict[str, Any] = {
            "steps": round(self.time_ps * 1000 / self.timestep),
            "timestep": self.timestep,
            "interval": self.interval,
            "friction": self.friction,
            "seed": self._seed(temperature, normal_stress),
            "temperature": temperature,
            "ensemble": "nvt",
        }
        stage = f"{self.name} {temperature:g} K"
        if normal_stress is not None:
            parameters |= {"ensemble": "normal-stress", "normal_stress": normal_stress}
            stage += f" {normal_stress:g} GPa"
        return dynamics_stage(stage, structures, parameters, potential, stores)

    def _seed(self, temperature: float, normal_stress: float | None) -> int:
        """Seed of the first system at a temperature and stress.

        Runs with the same random numbers fall into step even at different temperatures, and their
        errors are then not independent (Sindhikara et al., J. Chem. Theory Comput. 5, 1624 (2009)).
        """
        pressed = "" if normal_stress is None else f"{normal_stress:g}"
        return zlib.crc32(f"{self.seed} {temperature:g} {pressed}".encode())


@dataclass
class InterfaceDynamicsMaker(Maker):
    """Runs of relaxed interfaces at several temperatures, and under stress where asked.

    The flow's output is a list of `results.dynamics_documents.InterfaceDynamicsDocument`.

    Attributes:
        name: name of the flow, and the campaign's name in its documents.
        potential: what moves the atoms.
        stores: where known runs are found and new ones kept.
        temperatures: K.
        normal_stresses: GPa, positive = compression; each is held at each temperature, in a cell
            without vacuum. NVT runs keep the vacuum.
        dynamics_maker: how long and how fine.
    """

    name: str = "dynamics"
    potential: PotentialSettings = field(default_factory=PotentialSettings)
    stores: StoreSettings = field(default_factory=StoreSettings)
    temperatures: list[float] = field(default_factory=lambda: [273.15, 298.15, 323.15, 500.0])
    normal_stresses: list[float] = field(default_factory=list)
    dynamics_maker: DynamicsMaker = field(default_factory=DynamicsMaker)

    def make(self, starts: list[DynamicsStart]) -> Flow:
        """The flow for relaxed interfaces.

        Args:
            starts: without any, the flow has nothing to do.
        """
        stresses: list[float | None] = [None, *self.normal_stresses] if starts else []
        kinds = [(kelvin, stress) for stress in stresses for kelvin in self.temperatures]
        runs = [
            self.dynamics_maker.make(
                [
                    start.structure if stress is None else _closed(start.structure)
                    for start in starts
                ],
                kelvin,
                stress,
                self.potential,
                self.stores,
            )
            for kelvin, stress in kinds
        ]
        collected = collect_dynamics(
            self.name, starts, [stress for _, stress in kinds], [run.output for run in runs]
        )
        return Flow([*runs, collected], output=collected.output, name=self.name)


@job
def collect_dynamics(
    campaign: str,
    starts: list[DynamicsStart],
    stresses: list[float | None],
    runs: list[Documents],
) -> list[InterfaceDynamicsDocument]:
    """One document per interface; ``stresses`` and ``runs`` have one entry per kind of run."""
    return [
        _interface_document(
            campaign,
            start,
            stresses,
            [_run(documents.documents[position]) for documents in runs],
        )
        for position, start in enumerate(starts)
    ]


def film_of(structure: Structure, host: str, film: str = "Li") -> NDArray[np.bool_]:
    """Which sites are the film's: the last ones, as many as the two formulas say.

    Args:
        structure: the interface, the substrate's sites first.
        host: crystal of the substrate, of its composition.
        film: crystal of the film, likewise.

    Raises:
        StructureError: an unknown crystal.
        WorkflowError: if the sites are not in that order, or the formulas tell nothing.
    """
    sides = [crystal(name).composition for name in (host, film)]
    elements = list(structure.composition)
    columns = np.array([[side[element] for side in sides] for element in elements])
    amounts = np.array([structure.composition[element] for element in elements])
    units, _, rank, _ = np.linalg.lstsq(columns, amounts, rcond=None)
    n_film = round(float(units[1]) * sides[1].num_atoms)
    last = structure.species[len(structure) - max(0, n_film) :]
    in_order = Composition(Counter(map(str, last))).reduced_formula == sides[1].reduced_formula
    # What the host has in common with the film must be as its formula says.
    shared = columns[:, 1] > 0
    made_up = np.allclose((columns @ units)[shared], amounts[shared], atol=1e-3)
    if rank < 2 or not 0 < n_film < len(structure) or not (in_order and made_up):
        raise WorkflowError(
            f"interface: cannot tell the {film} film from {host} in {structure.formula}; "
            "give stoichiometric sides with the film's sites last"
        )
    heights = structure.cart_coords[:, 2]
    deep = float(heights[:-n_film].max() - heights[-n_film:].min())
    if deep > DEEPEST:
        raise WorkflowError(
            f"interface: the {film} film would begin {deep:.1f} Å under the top of {host} in "
            f"{structure.formula}; give stoichiometric sides, not yet mixed"
        )
    return np.arange(len(structure)) >= len(structure) - n_film


def _run(document: Any) -> DynamicsDocument:
    if not isinstance(document, DynamicsDocument):
        raise WorkflowError(f"run: {type(document).__name__} is no molecular dynamics")
    return document


def _interface_document(
    campaign: str,
    start: DynamicsStart,
    stresses: list[float | None],
    documents: list[DynamicsDocument],
) -> InterfaceDynamicsDocument:
    problem: str | None = None
    runs: list[InterfaceRun] = []
    try:
        film = film_of(start.structure, start.host, start.film)
        runs = [
            interface_run(document, film, stress)
            for document, stress in zip(documents, stresses, strict=True)
        ]
    except ValueError as error:
        problem = str(error)
    area = in_plane_area(start.structure) / 100  # nm²
    free = [run for run in runs if run.normal_stress_gpa is None]
    hottest = max(free, key=lambda run: run.temperature_k) if free else None
    found = _quantities(hottest, area, problem)
    line = arrhenius_line(runs)
    if hottest is not None and hottest.failure is None:
        prints = tuple(one for run in free for one in run.fingerprints)
        if isinstance(line, str):
            found |= Quantities(
                {}, {"li_activation_energy_ev": Evidence(converged=False, failure=line)}
            )
        else:
            found |= Quantities(
                {"li_activation_energy_ev": line.activation_energy_ev},
                {
                    "li_activation_energy_ev": Evidence(
                        converged=True, error=line.error_ev, fingerprints=prints
                    )
                },
            )
    return InterfaceDynamicsDocument.model_validate(
        {
            **found.values,
            "campaign": campaign,
            "host": start.host,
            "elements": start.elements,
            "miller_index": start.miller_index,
            "termination": start.termination,
            "origin": start.origin,
            "film": start.film,
            "potential": documents[0].potential,
            "runs": runs,
            "arrhenius": None if isinstance(line, str) else line,
            "initial_structure": start.structure,
            "evidence": found.evidence,
        }
    )


def _quantities(run: InterfaceRun | None, area: float, problem: str | None) -> Quantities:
    """The quantities of the hottest run; ``area`` in nm²."""
    names = (
        "mixed_zone_width_a",
        "crossed_per_nm2",
        "bonds_broken_per_nm2",
        "void_fraction",
        "li_diffusivity",
    )
    if run is None or run.failure is not None:
        reason = problem or (run.failure if run else None) or "no run"
        return Quantities({}, dict.fromkeys(names, Evidence(converged=False, failure=reason)))
    reference = f"{run.temperature_k:g} K after {run.time_ps:g} ps"
    broken = sum(bonds.broken for bonds in run.bonds if "Li" not in bonds.pair)
    # Bonds are counted in the first and in the last frame, which has no block error.
    values: dict[str, float | None] = {"bonds_broken_per_nm2": broken / area}
    state = Evidence(
        converged=run.equilibrium_reason is None,
        failure=run.equilibrium_reason,
        reference_state=reference,
        fingerprints=run.fingerprints,
    )
    evidence = dict.fromkeys(values, state)
    for name, mean, per in (
        ("mixed_zone_width_a", run.width_a, 1.0),
        ("crossed_per_nm2", run.crossed_in_all, area),
        ("void_fraction", run.void_fraction, 1.0),
    ):
        if mean is not None:
            values[name] = None if mean.value is None else mean.value / per
            error = None if mean.error is None else mean.error / per
            evidence[name] = state.model_copy(update={"error": error})
    along = run.lithium_parallel
    if along is not None:
        value, error = along.value_cm2_s, along.error_cm2_s
        failure = along.reason or run.equilibrium_reason
        values["li_diffusivity"] = None if value is None else value * 1e6
        evidence["li_diffusivity"] = Evidence(
            converged=failure is None,
            error=None if error is None else error * 1e6,
            failure=failure,
            reference_state=reference,
            fingerprints=run.fingerprints,
        )
    return Quantities(values, evidence)


def _closed(structure: Structure) -> Structure:
    """The interface without its vacuum and with no frozen atom, to be pressed along the normal."""
    positions = structure.cart_coords
    matrix = structure.lattice.matrix.copy()
    # The image of a tilted cell stays where the tilt puts it; only the height changes.
    height = positions[:, 2].max() - positions[:, 2].min() + CLOSED_GAP
    matrix[2] *= height / matrix[2, 2]
    return Structure(Lattice(matrix), structure.species, positions, coords_are_cartesian=True)


def starts_of(documents: Mapping[str, list[Any]]) -> list[DynamicsStart]:
    """The relaxed interfaces of screens' candidates, best first, as `DynamicsStart`.

    Of a coating these are lithium on it, and it on its electrolyte; of a seed, lithium on it and on
    its phase richest in lithium.

    Args:
        documents: by screen, its best candidates; those without an interface are left out.
    """
    found: dict[tuple[Any, ...], DynamicsStart] = {}
    for origin, candidates in documents.items():
        for document in candidates:
            alloy = getattr(document, "lithiated_phase", None) or ""
            lithium = getattr(document, "interface_structure", None) or getattr(
                document, "lithium_interface_structure", None
            )
            coated = getattr(document, "electrolyte_interface_structure", None)
            alloyed = getattr(document, "lithiated_interface_structure", None)
            for host, film, where, structure in (
                (document.host, "Li", facet_of(document, document.host), lithium),
                (alloy, "Li", facet_of(document, alloy), alloyed),
                (getattr(document, "electrolyte", ""), document.host, (None, ""), coated),
            ):
                whose = (origin, film, host, *where)
                # A coating has one interface with Li, whatever electrolyte it stands on.
                if structure is None or whose in found:
                    continue
                both = as_structure(structure)
                found[whose] = DynamicsStart(
                    both,
                    origin,
                    host,
                    list(document.elements) if host == document.host else sorted(both.symbol_set),
                    None if where[0] is None else list(where[0]),
                    where[1],
                    film,
                )
    return list(found.values())


def facet_of(document: Any, host: str) -> tuple[tuple[int, int, int] | None, str]:
    """Miller index and termination of the facet of ``host`` whose contact with lithium was kept.

    A seed's are those of its contact with the largest W; a coating names no termination.

    Args:
        document: of a screen with interfaces.
        host: the seed, or its phase richest in lithium; else the document's.
    """
    index = document.miller_index or getattr(document, "lithium_miller_index", None)
    if index is not None:
        return tuple(index), document.termination
    bound = [
        contact
        for contact in getattr(document, "contacts", ())
        if contact.host == host and contact.work_of_adhesion_j_m2 is not None
    ]
    if not bound:
        return None, ""
    best = max(bound, key=lambda contact: contact.work_of_adhesion_j_m2)
    return tuple(best.miller_index), best.termination
