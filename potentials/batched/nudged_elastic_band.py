"""Minimum-energy paths of many bands in one batch.

Method: nudged elastic band with the improved tangent (Henkelman and Jónsson, J. Chem. Phys. 113,
9978 (2000)) and the climbing image (Henkelman, Uberuaga and Jónsson, J. Chem. Phys. 113, 9901
(2000)), all images of a band moved by one L-BFGS state (Sheppard, Terrell and Henkelman, J. Chem.
Phys. 128, 134106 (2008)).
"""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from potentials.batched.batch import GraphBatch
from potentials.batched.evaluator import Evaluation, Evaluator
from potentials.batched.interpolation import EndStates, interpolate
from potentials.batched.optimisers import Lbfgs
from potentials.batched.path_symmetry import Reversal, find_reversal
from potentials.batched.relaxation import relax
from potentials.convergence import divergence
from potentials.conversion import free_directions, moved, to_atoms
from potentials.interpolation import way_between
from potentials.protocol import Band, Calculation, MinimumEnergyPath, OnPath

CLIMB_BELOW = 0.5
"""Largest NEB force, eV/Å, under which the highest image starts to climb: before, it is not yet
the one nearest the saddle."""
SAME_ENERGY = 2e-3
"""eV; end states that differ by less may be each other's mirror images."""


def neb(
    evaluator: Evaluator,
    bands: Sequence[Band],
    *,
    n_images: int,
    fmax: float,
    max_steps: int,
    climb: bool,
    spring_constant: float,
    on_result: OnPath | None = None,
) -> list[MinimumEnergyPath]:
    """Find every band's path; arguments as in `potentials.protocol.Engine.neb`."""
    ends = relax(
        evaluator,
        [end for band in bands for end in (band.initial, band.final)],
        fmax=np.inf,
        max_steps=0,
    )
    results: dict[int, MinimumEnergyPath] = {}
    waiting = deque(range(len(bands)))
    work = _Work(evaluator, n_images)
    optimiser = Lbfgs(evaluator.device)

    def finish(member: _Member, failure: str | None) -> None:
        results[member.index] = result = _result(bands[member.index], member, failure)
        if on_result is not None:
            on_result(member.index, result)

    while waiting or work.members:
        begun = time.perf_counter()
        joining = []
        n_atoms = work.batch.n_atoms
        while waiting and evaluator.limit.allows(
            n_atoms, n_images * len(bands[waiting[0]].initial)
        ):
            index = waiting.popleft()
            member = _start(index, bands[index], ends[2 * index : 2 * index + 2], n_images)
            if member.failure is not None:
                finish(member, member.failure)
                continue
            joining.append(member)
            n_atoms += len(member.computed) * len(member.numbers)
        work.join(joining, bands)
        if not work.members:
            continue

        evaluation = evaluator(work.batch)
        energies, forces = work.spread(evaluation)
        pull = work.pull(energies, forces, spring_constant)
        if climb:
            starting = ~work.climbing & (_largest(pull) < max(CLIMB_BELOW, fmax))
            optimiser.forget(starting)
            work.climbing = work.climbing | starting
            pull = work.pull(energies, forces, spring_constant)
        work.note(evaluation, energies, pull)
        share = (time.perf_counter() - begun) / work.batch.n_atoms
        staying = []
        for i, member in enumerate(work.members):
            member.wall_time += share * len(member.computed) * len(member.numbers)
            if member.failure is not None or (
                member.largest_force < fmax and member.climbs == climb
            ):
                finish(member, member.failure)
            elif member.steps >= max_steps:
                finish(member, _out_of_steps(max_steps, member.largest_force, fmax))
            else:
                member.steps += 1
                staying.append(i)

        rows = _rows(work.images)
        work.move(_images(rows + optimiser.step(rows, _rows(pull)), n_images))
        if len(staying) < len(work.members):
            work.keep(staying)
            optimiser.keep(staying)
    return [results[i] for i in range(len(bands))]


@dataclass
class _Member:
    """A band being worked on, and what it has cost so far.

    Attributes:
        index: its place in the list given.
        numbers: (n_atoms,), atomic numbers.
        ends: its end states.
        end_energies: of the two, eV.
        images: (n_images, n_atoms, 3), Å, on the device, at the latest evaluation that was sound.
        energies: (n_images,), eV, likewise; NaN before the first.
        reversal: what takes the path to its reverse; None where nothing does.
        largest_force: largest NEB force on a free atom, eV/Å.
        climbs: whether its highest image climbs.
        steps: optimiser steps taken.
        evaluations: single-image evaluations.
        wall_time: its share so far, s.
        failure: why it must be given up.
    """

    index: int
    numbers: NDArray[np.int64]
    ends: EndStates
    end_energies: tuple[float, float]
    images: Tensor
    energies: NDArray[np.float64]
    reversal: Reversal | None
    evaluations: int
    wall_time: float
    failure: str | None
    largest_force: float = np.nan
    climbs: bool = False
    steps: int = 0

    @property
    def computed(self) -> range:
        """Images that are evaluated; the others are their mirror images."""
        n_images = len(self.images)
        return range(n_images if self.reversal is None else (n_images + 1) // 2)


def _start(index: int, band: Band, ends: Sequence[Calculation], n_images: int) -> _Member:
    """A band about to begin, with its starting path."""
    atoms, last = to_atoms(band.initial), to_atoms(band.final)
    failures = [f"end state: {end.failure}" for end in ends if end.failure is not None]
    energies = (ends[0].energy, ends[1].energy)
    periodic = (bool(atoms.pbc[0]), bool(atoms.pbc[1]), bool(atoms.pbc[2]))
    cell = atoms.cell.array
    free = free_directions(band.initial)
    if failures:
        states = EndStates(atoms.positions, last.positions, cell, free, periodic)
        images = np.broadcast_to(atoms.positions, (n_images, len(atoms), 3))
        reversal = None
    else:
        way = way_between(atoms, last)
        states = EndStates(atoms.positions, atoms.positions + way, cell, free, periodic)
        images = interpolate(states, n_images)
        same = abs(energies[0] - energies[1]) < SAME_ENERGY
        reversal = find_reversal(states, atoms.numbers) if same else None
    return _Member(
        index=index,
        numbers=atoms.numbers,
        ends=states,
        end_energies=energies,
        images=torch.tensor(images),
        energies=np.full(n_images, np.nan),
        reversal=reversal,
        evaluations=2,
        wall_time=ends[0].wall_time + ends[1].wall_time,
        failure=failures[0] if failures else None,
    )


class _Work:
    """The bands in the batch, as tensors padded to one number of atoms.

    Attributes:
        members: the bands.
        batch: the images that are evaluated, band after band.
        images: (n_bands, n_images, most_atoms, 3), Å, all moving images.
        climbing: (n_bands,), whether the highest image climbs.
    """

    def __init__(self, evaluator: Evaluator, n_images: int) -> None:
        self._evaluator = evaluator
        self._n_images = n_images
        self.members: list[_Member] = []
        self.batch = GraphBatch(evaluator.network.r_max, evaluator.device)
        self.images = torch.zeros((0, n_images, 0, 3), dtype=torch.float64, device=evaluator.device)
        self.climbing = torch.zeros(0, dtype=torch.bool, device=evaluator.device)

    def join(self, joining: Sequence[_Member], bands: Sequence[Band]) -> None:
        """Let ``joining`` join behind the bands that are there."""
        if not joining:
            return
        systems = []
        for member in joining:
            structure = self._evaluator.read(bands[member.index].initial)
            assert structure is not None  # else its evaluation as an end state had failed
            for i in member.computed:
                positions = member.images[i].to(self._evaluator.device)
                systems.append(replace(structure, positions=positions))
        self.batch.add(systems)
        self.members += joining
        self.climbing = torch.nn.functional.pad(self.climbing, (0, len(joining)))
        self.images = torch.cat(
            [self._with_room(self.images)]
            + [self._with_room(member.images[None]) for member in joining]
        )
        self._arrange()

    def keep(self, staying: Sequence[int]) -> None:
        """Let all bands leave but those at ``staying``."""
        firsts = np.cumsum([0] + [len(member.computed) for member in self.members])
        self.batch.keep([j for i in staying for j in range(firsts[i], firsts[i + 1])])
        self.members = [self.members[i] for i in staying]
        chosen = torch.tensor(staying, dtype=torch.int64, device=self._evaluator.device)
        self.climbing = self.climbing[chosen]
        self.images = self._with_room(self.images[chosen])
        self._arrange()

    def _with_room(self, images: Tensor) -> Tensor:
        """On the device, padded or cut to the batch's largest number of atoms."""
        room = self.batch.most_atoms - images.shape[2]
        return torch.nn.functional.pad(images.to(self._evaluator.device), (0, 0, 0, room))

    def _arrange(self) -> None:
        """Work out everything that depends only on which bands are there."""
        n_images, most_atoms = self._n_images, self.batch.most_atoms
        ends = np.zeros((len(self.members), 2, most_atoms, 3))
        free = np.zeros((len(self.members), 1, most_atoms, 3), dtype=bool)
        system_of = np.zeros((len(self.members), n_images), dtype=np.int64)
        atom_of = np.tile(np.arange(most_atoms), (len(self.members), n_images, 1))
        turns = np.tile(np.eye(3), (len(self.members), n_images, 1, 1))
        evaluated: list[int] = []
        for i, member in enumerate(self.members):
            n_atoms = len(member.numbers)
            ends[i, 0, :n_atoms], ends[i, 1, :n_atoms] = member.ends.initial, member.ends.final
            free[i, 0, :n_atoms] = member.ends.free
            for image in range(n_images):
                original = image if image in member.computed else n_images - 1 - image
                system_of[i, image] = len(evaluated) + original
                if original != image and member.reversal is not None:
                    atom_of[i, image, member.reversal.image_of] = np.arange(n_atoms)
                    turns[i, image] = member.reversal.rotation
            evaluated += [i * n_images + image for image in member.computed]
        device = self._evaluator.device
        self._ends = torch.from_numpy(ends).to(device)
        self._free = torch.from_numpy(free).to(device)
        self._system_of = torch.from_numpy(system_of).to(device)
        self._atom_of = torch.from_numpy(atom_of).to(device)
        self._turns = torch.from_numpy(turns).to(device)
        self._evaluated = torch.tensor(evaluated, dtype=torch.int64, device=device)
        self._end_energies = torch.tensor(
            [member.end_energies for member in self.members], dtype=torch.float64, device=device
        )

    def move(self, images: Tensor) -> None:
        """Bring all images to ``images``."""
        self.images = images
        self.batch.positions = self.batch.flat(images.flatten(0, 1)[self._evaluated])

    def spread(self, evaluation: Evaluation) -> tuple[Tensor, Tensor]:
        """Energies (n_bands, n_images) and forces as `images` of all images, mirrored or not."""
        on_systems = self.batch.padded(evaluation.forces)
        on_images = on_systems[self._system_of[..., None], self._atom_of]
        return evaluation.energies[self._system_of], on_images @ self._turns

    def pull(self, energies: Tensor, forces: Tensor, spring_constant: float) -> Tensor:
        """The NEB force on every image, zero where nothing may move, shaped as `images`."""
        forces = torch.where(self._free, forces, 0.0)
        first, last = self._ends[:, :1], self._ends[:, 1:]
        ways = torch.cat([first, self.images, last], dim=1).diff(dim=1)
        behind, ahead = ways[:, :-1], ways[:, 1:]
        tangents = _tangents(energies, self._end_energies, behind, ahead)
        along = (forces * tangents).sum(dim=(2, 3), keepdim=True)
        stretch = _norm(ahead) - _norm(behind)
        springs = forces + (spring_constant * stretch - along) * tangents
        highest = energies.argmax(dim=1, keepdim=True)
        above_ends = energies.amax(dim=1) > self._end_energies.amax(dim=1)
        is_climber = torch.zeros_like(energies, dtype=torch.bool).scatter(1, highest, True)
        is_climber = is_climber & (self.climbing & above_ends)[:, None]
        climbing = forces - 2 * along * tangents
        return torch.where(is_climber[..., None, None], climbing, springs)

    def note(self, evaluation: Evaluation, energies: Tensor, pull: Tensor) -> None:
        """Write the evaluation into the members; the host waits for one table."""
        norms = torch.linalg.vector_norm(evaluation.forces, dim=1)
        strongest = self.batch.padded(norms).amax(dim=1)
        bands = torch.column_stack([energies, _largest(pull), self.climbing])
        numbers = torch.cat([strongest, bands.flatten()]).cpu().numpy()
        forces, rows = np.split(numbers, [len(self.batch)])
        system = 0
        for i, (member, row) in enumerate(
            zip(self.members, rows.reshape(len(self.members), -1), strict=True)
        ):
            n_atoms, end_energy = len(member.numbers), member.end_energies[0]
            for image in member.computed:
                failure = evaluation.failures.get(system) or divergence(
                    row[image], forces[system], n_atoms, end_energy, 0.0
                )
                member.failure = member.failure or failure
                system += 1
            member.evaluations += len(member.computed)
            member.climbs = bool(row[-1])
            if member.failure is None:
                member.energies, member.largest_force = row[:-2], float(row[-2])
                member.images = self.images[i, :, :n_atoms]


def _tangents(energies: Tensor, end_energies: Tensor, behind: Tensor, ahead: Tensor) -> Tensor:
    """Unit tangents that follow the higher neighbour; eqs. 8 to 11 of the improved-tangent paper.

    Args:
        energies: (n_bands, n_images), eV.
        end_energies: (n_bands, 2), eV.
        behind: from the image before, (n_bands, n_images, n_atoms, 3), Å.
        ahead: to the image after, likewise.
    """
    all_energies = torch.cat([end_energies[:, :1], energies, end_energies[:, 1:]], dim=1)
    rise = (all_energies[:, 2:] - energies)[..., None, None]
    drop = (all_energies[:, :-2] - energies)[..., None, None]
    larger, smaller = torch.maximum(rise.abs(), drop.abs()), torch.minimum(rise.abs(), drop.abs())
    upward = rise > drop
    mixed = (
        torch.where(upward, larger, smaller) * ahead + torch.where(upward, smaller, larger) * behind
    )
    climbing, falling = (rise > 0) & (drop < 0), (rise < 0) & (drop > 0)
    tangents = torch.where(climbing, ahead, torch.where(falling, behind, mixed))
    return tangents / _norm(tangents).clamp(min=1e-12)


def _norm(ways: Tensor) -> Tensor:
    return torch.linalg.vector_norm(ways, dim=(2, 3), keepdim=True)


def _largest(pull: Tensor) -> Tensor:
    """Largest force on an atom of each band, (n_bands,), eV/Å."""
    return torch.linalg.vector_norm(pull, dim=3).amax(dim=(1, 2))


def _rows(images: Tensor) -> Tensor:
    """Images as the optimiser's rows; atoms outermost, so that padding stays behind the last."""
    return images.transpose(1, 2).flatten(1, 2)


def _images(rows: Tensor, n_images: int) -> Tensor:
    return rows.unflatten(1, (-1, n_images)).transpose(1, 2)


def _result(band: Band, member: _Member, failure: str | None) -> MinimumEnergyPath:
    ends = member.ends
    images = [
        moved(band.initial, ends.cell, positions)
        for positions in (ends.initial, *member.images.cpu().numpy(), ends.final)
    ]
    first, last = member.end_energies
    energies = np.array([first, *member.energies, last])
    return MinimumEnergyPath(
        images=images,
        energies=energies,
        barrier=float(energies.max() - first),
        reverse_barrier=float(energies.max() - last),
        max_force=member.largest_force,
        converged=failure is None,
        failure=failure,
        steps=member.steps,
        force_evaluations=member.evaluations,
        wall_time=member.wall_time,
    )


def _out_of_steps(max_steps: int, force: float, fmax: float) -> str:
    return (
        f"not converged in {max_steps} steps: largest force {force:.3g} eV/Å of {fmax:g} asked for"
    )
