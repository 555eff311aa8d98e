"""What every engine takes and gives: the protocol that the batched and the ASE engine share.

Frozen atoms travel with the structure, as pymatgen's ``selective_dynamics`` site property or as an
ASE ``FixAtoms`` constraint; there is no second way to say it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from pymatgen.core import Structure

from potentials.identity import PotentialIdentity

StructureLike = Structure | Atoms
CellRelaxation = Literal["fixed", "volume", "full", "normal"]
"""What of the cell may move: nothing, its volume, everything, or only its height along the normal
of the a-b plane (in-plane cell fixed, for interfaces under a normal stress)."""
Ensemble = Literal["nve", "nvt", "normal-stress"]
"""Energy conserved; Langevin; or Langevin with the in-plane cell fixed and its height free under a
normal stress, for interfaces without vacuum."""


@dataclass(frozen=True)
class Calculation:
    """One structure's energy and forces, after an evaluation or a relaxation.

    Attributes:
        structure: final structure, sites in the order given.
        energy: potential energy, eV; NaN where the calculation failed before it had one.
        forces: shape (n_atoms, 3), eV/Å, frozen atoms' forces included as computed.
        stress: shape (3, 3), eV/Å³, ASE's sign (positive under tension); None if not computed.
        converged: whether the largest force on a free atom (and, where the cell moves, the largest
            stress) is under the threshold asked for; True for an evaluation that succeeded.
        failure: why there is no trustworthy result (diverged, not a number, out of steps); None
            where nothing failed. An unconverged relaxation is a failure too, its last state kept.
        max_force: largest force norm on a free atom, eV/Å.
        steps: optimiser steps taken.
        force_evaluations: energy-and-force evaluations spent on this system.
        wall_time: seconds this system took; in a batch its share by number of atoms.
    """

    structure: Structure
    energy: float
    forces: NDArray[np.float64]
    stress: NDArray[np.float64] | None
    converged: bool
    failure: str | None
    max_force: float
    steps: int
    force_evaluations: int
    wall_time: float


@dataclass(frozen=True)
class Band:
    """A minimum-energy path to be found between two relaxed end states.

    Attributes:
        initial: first end state; its frozen atoms stay frozen along the path.
        final: last end state, same cell and same order of sites as ``initial``.
    """

    initial: StructureLike
    final: StructureLike


@dataclass(frozen=True)
class MinimumEnergyPath:
    """A climbing-image NEB's result.

    Attributes:
        images: structures along the path, both end states included.
        energies: shape (n_images,), eV, both end states included.
        barrier: forward barrier, highest image minus initial state, eV.
        reverse_barrier: highest image minus final state, eV.
        max_force: largest NEB force norm left on a free atom of a moving image, eV/Å; the barrier's
            error estimate is read from it.
        converged: whether ``max_force`` is under the threshold asked for.
        failure: as in `Calculation`.
        steps: optimiser steps taken.
        force_evaluations: single-image evaluations spent on this band.
        wall_time: seconds, as in `Calculation`.
    """

    images: list[Structure]
    energies: NDArray[np.float64]
    barrier: float
    reverse_barrier: float
    max_force: float
    converged: bool
    failure: str | None
    steps: int
    force_evaluations: int
    wall_time: float


@dataclass(frozen=True)
class DynamicsResult:
    """How one system's run ended; `potentials.batched.trajectory.read_frames` reads its frames.

    Attributes:
        structure: last structure, atoms not wrapped into the cell; of a run that was given up the
            last one whose energy and forces were sound.
        velocities: (n_atoms, 3), Å/fs.
        energy: potential energy of ``structure``, eV; NaN where the run failed before it had one.
        forces: shape (n_atoms, 3), eV/Å, frozen atoms' forces included as computed.
        stress: shape (3, 3), eV/Å³, of the potential energy alone, positive under tension; None if
            not computed.
        converged: whether all steps were done.
        failure: why the run was given up (exploded, not a number); None where nothing failed.
        steps: time steps done.
        force_evaluations: energy-and-force evaluations that these steps took; what a killed process
            did after its last file is not in it.
        wall_time: seconds since this process took it up, its share by number of atoms.
    """

    structure: Structure
    velocities: NDArray[np.float64]
    energy: float
    forces: NDArray[np.float64]
    stress: NDArray[np.float64] | None
    converged: bool
    failure: str | None
    steps: int
    force_evaluations: int
    wall_time: float


@dataclass(frozen=True)
class DynamicsProgress:
    """Where a run stands.

    Attributes:
        systems: systems being moved together.
        step: time steps done.
        steps: time steps asked for.
        ps_per_day: simulated time per day of wall time, of each of these systems.
    """

    systems: int
    step: int
    steps: int
    ps_per_day: float


OnCalculation = Callable[[int, Calculation], None]
"""Called with (position in the list given, result) the moment a system is done."""
OnPath = Callable[[int, MinimumEnergyPath], None]
"""Called with (position in the list given, path) the moment a band is done."""
OnDynamics = Callable[[int, DynamicsResult], None]
"""Called with (position in the list given, result) the moment a system's run is done."""
OnProgress = Callable[[DynamicsProgress], None]
"""Called with every file of frames."""


class Engine(Protocol):
    """Evaluates, relaxes, finds paths of and moves lists of structures; results in the order given.

    A system that diverges or gives NaN never raises: it comes back with ``failure`` set while the
    others go on.
    """

    @property
    def identity(self) -> PotentialIdentity:
        """The potential that gives the numbers."""

    def evaluate(
        self, structures: Sequence[StructureLike], *, on_result: OnCalculation | None = None
    ) -> list[Calculation]:
        """Energy, forces and stress of each structure as it stands."""

    def relax(
        self,
        structures: Sequence[StructureLike],
        *,
        fmax: float = 0.03,
        max_steps: int = 500,
        cell: CellRelaxation = "fixed",
        normal_stress: float = 0.0,
        on_result: OnCalculation | None = None,
    ) -> list[Calculation]:
        """Relax each structure until no free atom feels more than ``fmax`` (eV/Å).

        ``normal_stress`` (GPa, positive = compression) is the stress held along the normal when
        ``cell`` is ``"normal"``.
        """

    def neb(
        self,
        bands: Sequence[Band],
        *,
        n_images: int = 5,
        fmax: float = 0.05,
        max_steps: int = 300,
        climb: bool = True,
        spring_constant: float = 0.1,
        on_result: OnPath | None = None,
    ) -> list[MinimumEnergyPath]:
        """Climbing-image NEB with ``n_images`` moving images per band, from an IDPP start.

        ``spring_constant`` in eV/Å². End states are taken as relaxed.
        """

    def md(
        self,
        structures: Sequence[StructureLike],
        folder: Path | str,
        *,
        steps: int,
        ensemble: Ensemble = "nvt",
        timestep: float = 1.0,
        temperature: float | Sequence[float] = 300.0,
        normal_stress: float | Sequence[float] = 0.0,
        seed: int | Sequence[int] = 0,
        friction: float = 0.01,
        interval: int = 50,
        fixed_centre_of_mass: bool = True,
        on_result: OnDynamics | None = None,
        on_progress: OnProgress | None = None,
    ) -> list[DynamicsResult]:
        """Molecular dynamics, from velocities drawn at ``temperature``.

        Frames go to ``folder`` as they come; a run that was killed goes on from the newest of them
        bit for bit (on a GPU as far as `potentials.torch_state.same_bits_on` reaches, and while
        memory does not run out), and one that is done there is not computed again, unless ``steps``
        is more.

        Args:
            structures: starting points; frozen atoms do not move.
            folder: of this run alone; read it with `potentials.batched.trajectory.read_frames`.
            steps: time steps in all.
            ensemble: see `Ensemble`.
            timestep: fs.
            temperature: K; one for all, or one per structure.
            normal_stress: GPa, positive = compression; likewise.
            seed: likewise; a single one is counted up from structure to structure.
            friction: of the thermostat, 1/fs.
            interval: time steps between frames.
            fixed_centre_of_mass: keep systems without frozen atoms from drifting as a whole.
            on_result: called with (position in the list, result) the moment a system is done.
            on_progress: called with every file of frames.
        """
