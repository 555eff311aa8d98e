"""Molecular dynamics of many systems in one batch.

Methods: velocity Verlet; Langevin dynamics in the splitting BAOAB (Leimkuhler and Matthews, J.
Chem. Phys. 138, 174102 (2013)); stochastic cell rescaling (Bernetti and Bussi, J. Chem. Phys. 153,
114107 (2020)) of the cell's height alone, with the pressure across the a-b plane for the mean one.
"""

import hashlib
import logging
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar, get_args

import numpy as np
import torch
from ase.units import GPa, fs, kB
from numpy.typing import NDArray
from torch import Tensor

from potentials.batched.batch import GraphBatch, System
from potentials.batched.evaluator import Evaluation
from potentials.batched.memory import BatchLimit
from potentials.batched.noise import Noise
from potentials.batched.trajectory import (
    Frames,
    Segment,
    Snapshot,
    open_folder,
    read_segments,
    stack,
    write_segment,
)
from potentials.choices import check_choice, check_positive, check_whole
from potentials.conversion import free_directions, moved, to_atoms
from potentials.errors import PotentialError
from potentials.identity import PotentialIdentity
from potentials.protocol import (
    DynamicsProgress,
    DynamicsResult,
    Ensemble,
    OnDynamics,
    OnProgress,
    StructureLike,
)

logger = logging.getLogger(__name__)

Number = TypeVar("Number", int, float)

RESCALE_STEPS = 5
"""Steps between two changes of the cell's height, each of which needs a stress."""
COMPRESSIBILITY = 0.02
"""GPa⁻¹; with `PRESSURE_TIME` only sets how fast the height follows."""
PRESSURE_TIME = 500.0
"""fs."""
FRAMES_PER_FILE = 20
SECONDS_PER_FILE = 60.0
LARGEST_FORCE = 1e3
"""eV/Å; beyond, a system has exploded."""
LARGEST_MOVE = 1.0
"""Å that an atom may move in a step; beyond, a system has exploded. A network may have no core, so
that atoms fall into each other and fly apart without a large force at any step."""


@dataclass(frozen=True)
class DynamicsSettings:
    """How a list of systems is moved; the lists have one value per system.

    Attributes:
        ensemble: ``"nve"``, ``"nvt"`` (Langevin), or ``"normal-stress"`` (Langevin, in-plane cell
            fixed, its height free under a normal stress).
        steps: time steps to do.
        timestep: fs.
        temperatures: K, of the start and of the thermostat.
        normal_stresses: GPa, positive = compression.
        seeds: of the starting velocities and the thermostat's noise.
        friction: of the thermostat, 1/fs.
        interval: time steps between frames.
        fixed_centre_of_mass: whether systems without frozen atoms are kept from drifting.
    """

    ensemble: Ensemble
    steps: int
    timestep: float
    temperatures: tuple[float, ...]
    normal_stresses: tuple[float, ...]
    seeds: tuple[int, ...]
    friction: float
    interval: int
    fixed_centre_of_mass: bool


class Mover(Protocol):
    """What gives the forces on a batch: `Evaluator`, or ASE's calculators one by one.

    Attributes:
        limit: atoms that move together.
        device: where they are kept.
    """

    limit: BatchLimit
    device: torch.device

    @property
    def identity(self) -> PotentialIdentity:
        """The potential."""

    @property
    def cutoff(self) -> float:
        """Distance within which the batch lists pairs, Å."""

    def read(self, structure: StructureLike) -> System | None:
        """``structure`` on the device; None where it cannot be evaluated."""

    def __call__(
        self, batch: GraphBatch, *, stress: bool = False, isolate: bool = True
    ) -> Evaluation:
        """As `Evaluator.__call__`."""


def checked_settings(
    structures: Sequence[StructureLike],
    *,
    steps: int,
    ensemble: Ensemble,
    timestep: float,
    temperature: float | Sequence[float],
    normal_stress: float | Sequence[float],
    seed: int | Sequence[int],
    friction: float,
    interval: int,
    fixed_centre_of_mass: bool,
) -> DynamicsSettings:
    """The arguments of `potentials.protocol.Engine.md`, one value per system.

    Raises:
        PotentialError: for a number out of range, or frozen atoms under ``"normal-stress"``.
    """
    check_choice("ensemble", ensemble, get_args(Ensemble))
    check_whole("steps", steps, 0)
    check_whole("interval", interval, 1)
    check_positive("timestep", timestep, "fs")
    check_positive("friction", friction, "1/fs")
    n_systems = len(structures)
    temperatures = _for_each("temperature", temperature, n_systems)
    stresses = _for_each("normal_stress", normal_stress, n_systems)
    for value in temperatures:
        check_positive("temperature", value, "K")
    if any(stresses) and ensemble != "normal-stress":
        raise PotentialError(
            f"normal_stress: has no effect in ensemble {ensemble!r}; use 'normal-stress'"
        )
    seeds = range(seed, seed + n_systems) if isinstance(seed, int) else seed
    seeds = _for_each("seed", tuple(seeds), n_systems)
    for value in seeds:
        check_whole("seed", value, 0)
    if ensemble == "normal-stress" and not all(
        free_directions(structure).all() for structure in structures
    ):
        raise PotentialError(
            "ensemble: 'normal-stress' stretches all atoms' positions, but some are frozen;"
            " free them or use 'nvt'"
        )
    return DynamicsSettings(
        ensemble=ensemble,
        steps=steps,
        timestep=timestep,
        temperatures=temperatures,
        normal_stresses=stresses,
        seeds=seeds,
        friction=friction,
        interval=interval,
        fixed_centre_of_mass=fixed_centre_of_mass,
    )


def _for_each(field: str, value: Number | Sequence[Number], n_systems: int) -> tuple[Number, ...]:
    """One value per system."""
    values = (value,) * n_systems if isinstance(value, int | float) else tuple(value)
    if len(values) != n_systems:
        raise PotentialError(
            f"{field}: {len(values)} values for {n_systems} structures; give one, or one for each"
        )
    return values


def run_dynamics(
    evaluator: Mover,
    structures: Sequence[StructureLike],
    settings: DynamicsSettings,
    folder: Path,
    on_result: OnDynamics | None = None,
    on_progress: OnProgress | None = None,
) -> list[DynamicsResult]:
    """Move every structure, as many together as the memory holds.

    What ``folder`` already holds of the same run is not computed again.

    Raises:
        PotentialError: if ``folder`` holds another run or cannot be written.
    """
    _open(folder, evaluator, structures, settings)
    results: dict[int, DynamicsResult] = {}

    def finish(index: int, snapshot: Snapshot, wall_time: float) -> None:
        results[index] = _result(structures[index], snapshot, wall_time)
        if on_result is not None:
            on_result(index, results[index])

    segments = deque(read_segments(folder))
    begun = {index for segment in segments for index in segment.snapshots}
    waiting = deque(i for i in range(len(structures)) if i not in begun)
    while segments or waiting:
        if not segments:
            together: list[int] = []
            n_atoms = 0
            while waiting and evaluator.limit.allows(n_atoms, len(structures[waiting[0]])):
                n_atoms += len(structures[waiting[0]])
                together.append(waiting.popleft())
            segments.append(_first_segment(structures, settings, together))
        run = _Run(evaluator, structures, settings, segments.popleft())
        with evaluator.limit.held_at(run.n_atoms):
            run.advance(folder, on_progress)
        for index, snapshot in run.snapshots().items():
            finish(index, snapshot, run.wall_times[index])
    return [results[i] for i in range(len(structures))]


def _open(
    folder: Path,
    evaluator: Mover,
    structures: Sequence[StructureLike],
    settings: DynamicsSettings,
) -> None:
    """Claim ``folder`` for this run; its length may differ from what is there."""
    contents = hashlib.sha256()
    for structure in structures:
        atoms = to_atoms(structure)
        for values in (atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc):
            contents.update(np.ascontiguousarray(values).tobytes())
        contents.update(free_directions(structure).tobytes())
    parameters = asdict(settings)
    del parameters["steps"]
    parameters["potential"] = evaluator.identity.fingerprint_fields
    parameters["structures"] = contents.hexdigest()
    open_folder(folder, parameters)


def _first_segment(
    structures: Sequence[StructureLike], settings: DynamicsSettings, together: Sequence[int]
) -> Segment:
    """Starting states, with velocities from Maxwell and Boltzmann."""
    snapshots = {}
    for index in together:
        atoms = to_atoms(structures[index])
        sound = np.isfinite(atoms.positions).all() and np.isfinite(atoms.cell.array).all()
        masses = atoms.get_masses()[:, None]
        noise = np.random.default_rng([settings.seeds[index], 0]).normal(size=(len(atoms), 3))
        free = free_directions(atoms)
        velocities = np.where(
            free, noise * np.sqrt(kB * settings.temperatures[index] / masses), 0.0
        )
        if settings.fixed_centre_of_mass and free.all():
            velocities -= (masses * velocities).sum(axis=0) / masses.sum()
        snapshots[index] = Snapshot(
            positions=atoms.positions,
            velocities=velocities,
            cell=atoms.cell.array,
            energy=np.nan,
            forces=np.full((len(atoms), 3), np.nan),
            stress=None,
            steps=0,
            force_evaluations=0,
            failure=None if sound else "positions or cell are not a number",
        )
    return Segment(0, snapshots)


class _Run:
    """Systems that are moved together, from one segment on.

    Attributes:
        step: time steps done.
        wall_times: by position of the system in the list given, s.
    """

    def __init__(
        self,
        evaluator: Mover,
        structures: Sequence[StructureLike],
        settings: DynamicsSettings,
        segment: Segment,
    ) -> None:
        self.step = segment.step
        self.wall_times = dict.fromkeys(segment.snapshots, 0.0)
        self._evaluator, self._settings = evaluator, settings
        self._given_up = {i: each for i, each in segment.snapshots.items() if each.failure}
        self._indices = [i for i in segment.snapshots if i not in self._given_up]
        self._frames: dict[int, list[Frames]] = {i: [] for i in self._indices}
        self._batch = GraphBatch(evaluator.cutoff, evaluator.device)
        systems, masses, velocities = [], [np.zeros(0)], [np.zeros((0, 3))]
        for index in self._indices:
            snapshot = segment.snapshots[index]
            system = evaluator.read(structures[index])
            assert system is not None  # else it would have been given up
            positions, cell = self._tensor(snapshot.positions), self._tensor(snapshot.cell)
            systems.append(replace(system, positions=positions, cell=cell))
            masses.append(to_atoms(structures[index]).get_masses())
            velocities.append(snapshot.velocities)
        self._batch.add(systems)
        self._masses = self._tensor(np.concatenate(masses))[:, None]
        self._velocities = self._tensor(np.concatenate(velocities))
        states = [segment.snapshots[index] for index in self._indices]
        self._evaluations = {
            index: state.force_evaluations
            for index, state in zip(self._indices, states, strict=True)
        }
        self._evaluation = self._known(states)
        self._arrange()

    @property
    def n_atoms(self) -> int:
        """Atoms that move together."""
        return self._batch.n_atoms

    def advance(self, folder: Path, on_progress: OnProgress | None) -> None:
        """Run to the end, with a file of frames and state every so often."""
        settings = self._settings
        if not self._indices:
            return
        begun = self._clock = file_written = time.perf_counter()
        first_step = self.step
        evaluation = self._evaluation or self._first_evaluation()
        if self.step >= settings.steps:
            self._complete()
            self._share_time()
            return
        if self.step == 0 and evaluation is not None:
            self._record(evaluation)
        while evaluation is not None and self.step < settings.steps:
            before = self._batch.positions, self._velocities, self._batch.cells
            self._drift(evaluation)
            self.step += 1
            evaluation = self._evaluate(isolate=False)
            exploded = self._exploded(evaluation)
            if len(exploded) > 1:  # one of them without numbers may have spoilt the others
                evaluation = self._evaluate()
                exploded = self._exploded(evaluation)
            if exploded:
                self._batch.positions, self._velocities, self._batch.cells = before
                self.step -= 1
                evaluation = self._give_up(exploded, self.step + 1)
                continue
            self._evaluation = evaluation
            self._kick(evaluation)
            if self._recorded:
                self._record(evaluation)
            if self.step == settings.steps:
                self._complete()
            now = time.perf_counter()
            waiting = max(len(frames) for frames in self._frames.values())
            if (
                self.step == settings.steps
                or waiting >= FRAMES_PER_FILE
                or (waiting and now - file_written > SECONDS_PER_FILE)
            ):
                self._write(folder)
                file_written = now
                days = (now - begun) / 86400
                progress = DynamicsProgress(
                    systems=len(self._indices),
                    step=self.step,
                    steps=settings.steps,
                    ps_per_day=(self.step - first_step) * settings.timestep / 1000 / days,
                )
                logger.info("%d systems at step %d of %d, %.3g ps/day", *asdict(progress).values())
                if on_progress is not None:
                    on_progress(progress)
        if not self._indices:
            self._write(folder)

    def snapshots(self) -> dict[int, Snapshot]:
        """Where every system stands, those given up included."""
        positions = self._batch.positions.cpu().numpy()
        velocities = self._velocities.cpu().numpy()
        cells = self._batch.cells.cpu().numpy()
        energies = np.full(len(self._indices), np.nan)
        forces = np.full(positions.shape, np.nan)
        stresses = None
        if self._evaluation is not None:
            energies = self._evaluation.energies.cpu().numpy()
            forces = self._evaluation.forces.cpu().numpy()
            if self._evaluation.stresses is not None:
                stresses = self._evaluation.stresses.cpu().numpy()
        found = dict(self._given_up)
        for i, index in enumerate(self._indices):
            atoms = slice(*self._batch.span(i, i + 1))
            found[index] = Snapshot(
                positions=positions[atoms],
                velocities=velocities[atoms],
                cell=cells[i],
                energy=float(energies[i]),
                forces=forces[atoms],
                stress=None if stresses is None else stresses[i],
                steps=self.step,
                force_evaluations=self._evaluations[index],
                failure=None,
            )
        return dict(sorted(found.items()))

    def _known(self, states: Sequence[Snapshot]) -> Evaluation | None:
        """What a file says of the systems that move; None where it is not of all of them.

        A run that goes on from it is that of one process: the steps that follow start from the same
        forces, and not from another evaluation's, which may differ in the last bit.
        """
        if not states or not all(np.isfinite(state.energy) for state in states):
            return None
        stresses = [state.stress for state in states if state.stress is not None]
        return Evaluation(
            energies=self._tensor([state.energy for state in states]),
            forces=self._tensor(np.concatenate([state.forces for state in states])),
            stresses=self._tensor(np.stack(stresses)) if len(stresses) == len(states) else None,
            neighbour_counts=torch.zeros(
                self._batch.n_atoms, dtype=torch.int64, device=self._evaluator.device
            ),
            failures={},
        )

    def _first_evaluation(self) -> Evaluation | None:
        """Of systems of which no file says energies and forces; None where none is sound."""
        evaluation = self._evaluate()
        if unsound := self._exploded(evaluation):
            self._give_up(unsound, self.step)
            if not self._indices:
                return None
            evaluation = self._evaluate()
        self._evaluation = evaluation
        return evaluation

    def _complete(self) -> None:
        """Add the stresses at the last step, which no step asked for.

        By an evaluation of their own: with stresses the forces may differ in the last bit, and so
        would a run that is made longer from one that had this length at once.
        """
        if self._evaluation is not None and self._evaluation.stresses is None:
            stresses = self._evaluate(stress=True).stresses
            self._evaluation = replace(self._evaluation, stresses=stresses)

    def _tensor(self, values: Sequence[float] | NDArray) -> Tensor:
        return torch.as_tensor(
            np.asarray(values), dtype=torch.float64, device=self._evaluator.device
        )

    def _arrange(self) -> None:
        """Work out everything that depends only on which systems are there."""
        batch, settings = self._batch, self._settings
        free = batch.padded(batch.free)
        wholly_free = free.sum(dim=(1, 2)) == 3 * batch.atom_counts
        self._stays = wholly_free & settings.fixed_centre_of_mass
        self._degrees = (free.sum(dim=(1, 2)) - 3 * self._stays.long()).clamp(min=1)
        self._total_masses = batch.padded(self._masses).sum(dim=1)
        thermal = [kB * settings.temperatures[i] for i in self._indices]
        self._thermal = self._tensor(thermal)
        self._stresses_held = self._tensor(
            [settings.normal_stresses[i] * GPa for i in self._indices]
        )
        self._noise = Noise(
            [settings.seeds[i] for i in self._indices], batch.sizes, self._evaluator.device
        )

    @property
    def _rescales(self) -> bool:
        """Whether the coming step changes the cell."""
        return self._settings.ensemble == "normal-stress" and (self.step + 1) % RESCALE_STEPS == 0

    @property
    def _recorded(self) -> bool:
        """Whether this step is kept as a frame."""
        return self.step % self._settings.interval == 0

    def _evaluate(self, *, stress: bool = False, isolate: bool = True) -> Evaluation:
        """Evaluate the batch; with stresses where the step needs them, or ``stress`` asks."""
        for index in self._indices:
            self._evaluations[index] += 1
        stress = stress or self._rescales or self._recorded
        return self._evaluator(self._batch, stress=stress, isolate=isolate)

    def _kick(self, evaluation: Evaluation) -> None:
        """Half a step's change of the velocities."""
        kick = evaluation.forces / self._masses * (self._settings.timestep * fs / 2)
        self._velocities = torch.where(self._batch.free, self._velocities + kick, 0.0)

    def _drift(self, evaluation: Evaluation) -> None:
        """From the end of one step to where the next step's forces are needed."""
        batch, timestep = self._batch, self._settings.timestep * fs
        self._kick(evaluation)
        if self._settings.ensemble == "nve":
            batch.positions = batch.positions + self._velocities * timestep
            return
        batch.positions = batch.positions + self._velocities * (timestep / 2)
        on_atoms, on_cells = self._noise.at(self.step)
        kept = float(np.exp(-self._settings.friction * self._settings.timestep))
        spread = ((1 - kept**2) * self._thermal[batch.system_of_atom, None] / self._masses).sqrt()
        self._velocities = torch.where(batch.free, kept * self._velocities + spread * on_atoms, 0.0)
        momentum = batch.padded(self._masses * self._velocities).sum(dim=1)
        drift = torch.where(self._stays[:, None], momentum / self._total_masses, 0.0)
        self._velocities = self._velocities - drift[batch.system_of_atom]
        batch.positions = batch.positions + self._velocities * (timestep / 2)
        if self._rescales and evaluation.stresses is not None:
            self._rescale(evaluation.stresses, on_cells)

    def _rescale(self, stresses: Tensor, noise: Tensor) -> None:
        """Stretch the cells along their normals, with everything in them."""
        batch = self._batch
        normals = torch.linalg.cross(batch.cells[:, 0], batch.cells[:, 1])
        normals = normals / torch.linalg.vector_norm(normals, dim=1, keepdim=True)
        volumes = torch.linalg.det(batch.cells).abs()
        across = (self._velocities * normals[batch.system_of_atom]).sum(dim=1)
        kinetic = batch.padded(self._masses[:, 0] * across**2).sum(dim=1) / volumes
        pressure = kinetic - torch.einsum("si,sij,sj->s", normals, stresses, normals)
        rate = COMPRESSIBILITY / GPa / (PRESSURE_TIME * fs)
        interval = RESCALE_STEPS * self._settings.timestep * fs
        # For the logarithm of the height, Itô's term cancels the kT/V of the volume's equation.
        stretch = rate * interval * (pressure - self._stresses_held)
        stretch = stretch + (2 * self._thermal * rate * interval / volumes).sqrt() * noise
        outer = torch.einsum("si,sj->sij", normals, normals)
        longer, shorter = torch.expm1(stretch), torch.expm1(-stretch)
        stretching = longer[:, None, None] * outer
        batch.cells = batch.cells + batch.cells @ stretching
        batch.positions = batch.positions + torch.einsum(
            "ai,aij->aj", batch.positions, stretching[batch.system_of_atom]
        )
        self._velocities = self._velocities + torch.einsum(
            "ai,aij->aj",
            self._velocities,
            (shorter[:, None, None] * outer)[batch.system_of_atom],
        )

    def _exploded(self, evaluation: Evaluation) -> dict[int, str]:
        """Why systems must be given up, by their position in the batch."""
        strength = torch.linalg.vector_norm(evaluation.forces, dim=1)
        strongest = self._batch.padded(strength).amax(dim=1) + 0 * evaluation.energies
        moves = torch.linalg.vector_norm(self._velocities, dim=1) * self._settings.timestep * fs
        farthest = self._batch.padded(moves).amax(dim=1)
        failures = dict(evaluation.failures)
        for i, (force, move) in enumerate(torch.stack([strongest, farthest], dim=1).tolist()):
            if not np.isfinite(force):
                failures.setdefault(i, "energy or forces are not a number")
            elif force > LARGEST_FORCE:
                failures.setdefault(i, f"exploded: force of {force:.3g} eV/Å")
            elif move > LARGEST_MOVE:
                failures.setdefault(i, f"exploded: an atom moved {move:.3g} Å in a step")
        return failures

    def _give_up(self, failures: dict[int, str], step: int) -> Evaluation | None:
        """Let systems go, as they were before ``step``; what is known of those that stay."""
        self._share_time()
        last = self.snapshots()
        for i, failure in failures.items():
            index = self._indices[i]
            said = f"{failure} at step {step}"
            self._given_up[index] = replace(last[index], failure=said)
            logger.warning("system %d given up: %s", index, said)
        staying = [i for i in range(len(self._indices)) if i not in failures]
        atoms = torch.isin(
            self._batch.system_of_atom,
            torch.tensor(staying, dtype=torch.int64, device=self._evaluator.device),
        )
        self._velocities, self._masses = self._velocities[atoms], self._masses[atoms]
        known, self._evaluation = self._evaluation, None
        if known is not None and staying:
            self._evaluation = Evaluation(
                energies=known.energies[staying],
                forces=known.forces[atoms],
                stresses=None if known.stresses is None else known.stresses[staying],
                neighbour_counts=known.neighbour_counts[atoms],
                failures={},
            )
        self._batch.keep(staying)
        self._indices = [self._indices[i] for i in staying]
        self._arrange()
        return self._evaluation

    def _record(self, evaluation: Evaluation) -> None:
        """Keep a frame of every system until the next file."""
        batch = self._batch
        moving = (self._masses * self._velocities**2).sum(dim=1) / 2
        kinetic = batch.padded(moving).sum(dim=1)
        temperatures = (2 * kinetic / (self._degrees * kB)).cpu().numpy()
        energies, kinetics = evaluation.energies.cpu().numpy(), kinetic.cpu().numpy()
        positions = batch.positions.to(torch.float32).cpu().numpy()
        cells = batch.cells.cpu().numpy()
        assert evaluation.stresses is not None  # `_evaluate` asks for them at every frame
        stresses = evaluation.stresses.cpu().numpy()
        for i, index in enumerate(self._indices):
            self._frames[index].append(
                Frames(
                    steps=np.array([self.step]),
                    positions=positions[slice(*batch.span(i, i + 1))][None],
                    cells=cells[i : i + 1],
                    energies=energies[i : i + 1],
                    kinetic_energies=kinetics[i : i + 1],
                    temperatures=temperatures[i : i + 1],
                    stresses=stresses[i : i + 1],
                )
            )

    def _write(self, folder: Path) -> None:
        """Put the frames since the last file and the present state into a file."""
        self._share_time()
        frames = {index: stack(each) for index, each in self._frames.items() if each}
        # Where the last system failed, the file of the step before may be there, with its frames.
        step = self.step if self._indices else self.step + 1
        write_segment(folder, step, frames, self.snapshots())
        self._frames = {i: [] for i in self._indices}

    def _share_time(self) -> None:
        now = time.perf_counter()
        share = (now - self._clock) / self._batch.n_atoms if self._batch.n_atoms else 0.0
        for index, size in zip(self._indices, self._batch.sizes, strict=True):
            self.wall_times[index] += share * size
        self._clock = now


def _result(structure: StructureLike, snapshot: Snapshot, wall_time: float) -> DynamicsResult:
    stress = snapshot.stress
    return DynamicsResult(
        structure=moved(structure, snapshot.cell, snapshot.positions),
        velocities=snapshot.velocities * fs,
        energy=snapshot.energy,
        # Copies: what a snapshot holds are parts of the whole batch's arrays.
        forces=snapshot.forces.copy(),
        stress=None if stress is None or np.isnan(stress).all() else stress.copy(),
        converged=snapshot.failure is None,
        failure=snapshot.failure,
        steps=snapshot.steps,
        force_evaluations=snapshot.force_evaluations,
        wall_time=wall_time,
    )
