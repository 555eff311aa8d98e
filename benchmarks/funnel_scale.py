"""What the coating screen itself costs: a synthetic campaign through the funnel, with a stub.

Every coating is a crystal of the library under its own label and at its own volume; the stub gives
known energies, at once, and counts what it is asked for. What is left is the program's own work:
fingerprints, stores, jobs, hulls, thresholds, documents, and the building of the few structures
that pass.

    python benchmarks/funnel_scale.py --coatings 10000 --output funnel_scale.json
"""

import argparse
import json
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from pymatgen.core import Structure

import potentials.loading
from potentials.identity import PotentialIdentity
from potentials.protocol import Band, Calculation, MinimumEnergyPath
from results.coating_documents import CoatingDocument
from workflows.coating_funnel import Funnel
from workflows.coatings import CoatingScreenMaker
from workflows.collector_jobs import InterfaceLimits, SlabSize
from workflows.local import run_flow
from workflows.settings import StoreSettings, engine_for
from workflows.teacher_energies import primitive_crystal, teacher_phases

ELECTROLYTE = "Li3PS4"
COATINGS = ("LiF", "Li2O", "Li3N", "Li2S", "LiCl", "Li3P", "Li3PO4")
COMPETING = ("Li", "P", "S", "Cl2", "F2", "O2", "N2", ELECTROLYTE, *COATINGS)


@dataclass
class StubEngine:
    """Known energies, no forces; counts the systems of each kind that it is given.

    A crystal at its library volume has its tabulated energy; at another volume it lies above that
    by up to 1 eV/atom, as if at random. Anything else has the energies of its atoms.
    """

    energies: dict[str, tuple[float, float]]
    counted: Counter[str] = field(default_factory=Counter)

    def _calculation(self, structure: Structure) -> Calculation:
        size = len(structure)
        known = self.energies.get(structure.composition.reduced_formula)
        energy = -3.0 * size
        if known is not None and size <= 40:
            volume = structure.volume / size
            apart = abs(volume / known[1] - 1)
            energy = size * (known[0] + (volume * 997 % 1 if apart > 1e-6 else 0.0))
        return Calculation(
            structure, energy, np.zeros((size, 3)), np.zeros((3, 3)), True, None, 0.0, 0, 1, 0.0
        )

    def evaluate(
        self, structures: Sequence[Structure], *, on_result: Callable[[int, Calculation], None]
    ) -> None:
        """Energies of structures as they stand."""
        self.counted["evaluate"] += len(structures)
        for position, structure in enumerate(structures):
            on_result(position, self._calculation(structure))

    def relax(
        self,
        structures: Sequence[Structure],
        *,
        on_result: Callable[[int, Calculation], None],
        **_parameters: Any,
    ) -> None:
        """The structures as they stand, converged."""
        self.counted["relax"] += len(structures)
        for position, structure in enumerate(structures):
            on_result(position, self._calculation(structure))

    def neb(
        self,
        bands: Sequence[Band],
        *,
        on_result: Callable[[int, MinimumEnergyPath], None],
        **_parameters: Any,
    ) -> None:
        """A barrier of 0.3 eV between any two ends."""
        self.counted["neb"] += len(bands)
        for position, band in enumerate(bands):
            ends = [band.initial, band.initial, band.final]
            energy = self._calculation(band.initial).energy
            energies = np.array([energy, energy + 0.3, energy])
            on_result(
                position,
                MinimumEnergyPath(ends, energies, 0.3, 0.3, 0.0, True, None, 0, 3, 0.0),
            )


@dataclass
class StubPotential:
    """Covers everything and is always the same."""

    made: StubEngine
    identity: PotentialIdentity = field(
        default_factory=lambda: PotentialIdentity(
            name="stub", sha256="0" * 64, head=None, dtype="float64", dispersion=None, versions=()
        )
    )

    def check_elements(self, _symbols: set[str]) -> None:
        """Every element is covered."""

    def engine(self) -> StubEngine:
        """The one engine, which counts."""
        return self.made


@dataclass(frozen=True)
class Outcome:
    """What a synthetic campaign gave, and what it cost.

    Attributes:
        documents: of all candidates.
        counted: systems that the stub was asked for, by kind.
        cpu_s: of this process, from the flow's making to its documents.
        cheap_cpu_s: the part of it until the coatings were judged.
    """

    documents: list[CoatingDocument]
    counted: Counter[str]
    cpu_s: float
    cheap_cpu_s: float


def run_campaign(n_coatings: int, folder: Path, max_energy_above_hull: float) -> Outcome:
    """A campaign of ``n_coatings`` labels on one electrolyte, stores in ``folder``."""
    phases = teacher_phases("mini", COMPETING) or []
    competing = {name: primitive_crystal(name) for name in COMPETING}
    energies = {
        phase.formula: (
            phase.energy_per_atom_ev,
            competing[phase.name].volume / len(competing[phase.name]),
        )
        for phase in phases
    }
    engine = StubEngine(energies)
    maker = CoatingScreenMaker(
        stores=StoreSettings(database=str(folder / "scale.db"), spool=str(folder / "spool")),
        funnel=Funnel(max_energy_above_hull=max_energy_above_hull),
        slab_size=SlabSize(thickness=6.0, vacuum=12.0),
        interface_limits=InterfaceLimits(registries=1, relaxed_registries=1, max_strain=0.05),
    )
    crystals = {ELECTROLYTE: competing[ELECTROLYTE]} | labelled(n_coatings)
    engine_for.cache_clear()
    moments: list[float] = []

    def listener(event: Any) -> None:
        if event.stage == maker.strain_maker.name and not moments:
            moments.append(time.process_time())

    start = time.process_time()
    with patch.object(potentials.loading, "load_potential", lambda *_, **__: StubPotential(engine)):
        names = [name for name in crystals if name != ELECTROLYTE]
        flow = maker.make([ELECTROLYTE], names, crystals, competing)
        documents = run_flow(flow, listener)
    engine_for.cache_clear()
    end = time.process_time()
    return Outcome(documents, engine.counted, end - start, (moments or [end])[0] - start)


def labelled(count: int) -> dict[str, Structure]:
    """The coatings in turn, each under its own label and a little larger than the one before."""
    cells = {name: primitive_crystal(name) for name in COATINGS}
    found = {}
    for number, name in enumerate(islice(cycle(COATINGS), count)):
        cell = cells[name].copy()
        cell.scale_lattice(cell.volume * (1 + 1e-5 * (number // len(COATINGS) + 1)))
        found[f"{name}-{number}"] = cell
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="The coating funnel's own cost per candidate.")
    parser.add_argument("--coatings", type=int, default=10_000)
    parser.add_argument("--max-energy-above-hull", type=float, default=0.0005, help="eV/atom")
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = run_campaign(given.coatings, Path(folder), given.max_energy_above_hull)
    passed = [one for one in outcome.documents if one.coating and not one.rejections]
    assert len(outcome.documents) == given.coatings + 1
    summary = {
        "coatings": given.coatings,
        "passed": len(passed),
        "cpu_ms_per_candidate": 1e3 * outcome.cpu_s / given.coatings,
        "cpu_ms_per_candidate_until_judged": 1e3 * outcome.cheap_cpu_s / given.coatings,
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "systems_computed": dict(outcome.counted),
    }
    if given.output:
        given.output.write_text(json.dumps(summary, indent=2) + "\n")
    print(json.dumps(summary, indent=2))


if __name__ == "__main__":
    main()
