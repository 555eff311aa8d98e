"""Relaxing a queue of structures in one batch: the finished leave, the waiting take their place."""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from ase.units import GPa
from torch import Tensor

from potentials.batched.batch import GraphBatch
from potentials.batched.cells import CellCoordinates
from potentials.batched.evaluator import Evaluation, Evaluator
from potentials.batched.optimisers import UPHILL, Lbfgs
from potentials.convergence import cell_divergence, divergence, stress_tolerance
from potentials.conversion import moved, to_atoms, to_structure
from potentials.protocol import Calculation, CellRelaxation, OnCalculation, StructureLike


@dataclass(frozen=True)
class State:
    """One system after one evaluation: what it is judged by on the host, the rest on the device.

    Attributes:
        positions: (n_atoms, 3), Å.
        cell: (3, 3), Å.
        forces: (n_atoms, 3), eV/Å.
        stress: (3, 3), eV/Å³.
        energy: eV.
        enthalpy: eV; with the work against the normal stress that is held.
        volume: Å³.
        strongest: largest force on any atom, eV/Å; NaN where a force is no number.
        largest_force: of what may move, eV/Å.
        residual_stress: largest component that the cell can still give way to, eV/Å³.
        lonely_atoms: number of atoms without a neighbour within the cutoff.
    """

    positions: Tensor
    cell: Tensor
    forces: Tensor
    stress: Tensor
    energy: float
    enthalpy: float
    volume: float
    strongest: float
    largest_force: float
    residual_stress: float
    lonely_atoms: int

    @property
    def is_number(self) -> bool:
        """Whether energy and forces are."""
        return bool(np.isfinite(self.energy) and np.isfinite(self.strongest))

    def relaxed_to(self, fmax: float) -> bool:
        """Whether forces (eV/Å) and stresses are under their thresholds."""
        return self.largest_force < fmax and self.residual_stress < stress_tolerance(fmax)


@dataclass
class _Member:
    """A system in the batch, and what it has cost so far.

    Attributes:
        index: its place in the list given.
        start: its first evaluation.
        last: its latest evaluation that was sound and did not lead uphill.
        evaluations: how many there were.
        wall_time: its share so far, s.
        failure: why it must be given up.
    """

    index: int
    start: State | None = None
    last: State | None = None
    evaluations: int = 0
    wall_time: float = 0.0
    failure: str | None = None

    def take(self, state: State, failure: str | None) -> None:
        """Note one more evaluation; one that the optimiser takes back is not judged."""
        self.evaluations += 1
        self.start = self.start or state
        uphill = self.last is not None and state.enthalpy > self.last.enthalpy + UPHILL
        self.failure = failure or (None if uphill else _divergence(state, self.start))
        if self.failure is None and not uphill:
            self.last = state


def relax(
    evaluator: Evaluator,
    structures: Sequence[StructureLike],
    *,
    fmax: float,
    max_steps: int,
    cell: CellRelaxation = "fixed",
    normal_stress: float = 0.0,
    on_result: OnCalculation | None = None,
) -> list[Calculation]:
    """Relax every structure.

    Args:
        evaluator: what gives energies and forces.
        structures: finite positions and known elements.
        fmax: eV/Å; infinite for a plain evaluation.
        max_steps: per structure.
        cell: what of the cell may move.
        normal_stress: GPa, positive = compression; held where ``cell`` is ``"normal"``.
        on_result: called the moment a structure is done.

    Returns:
        One result per structure, in the order given.
    """
    results: dict[int, Calculation] = {}
    waiting = deque(range(len(structures)))
    members: list[_Member] = []
    batch = GraphBatch(evaluator.network.r_max, evaluator.device)
    coordinates = CellCoordinates(cell, normal_stress * GPa, evaluator.device)
    optimiser = Lbfgs(evaluator.device)

    def finish(member: _Member, failure: str | None) -> None:
        result = _result(structures[member.index], member, failure)
        results[member.index] = result
        if on_result is not None:
            on_result(member.index, result)

    while waiting or members:
        begun = time.perf_counter()
        joining = []
        n_atoms = batch.n_atoms
        while waiting and evaluator.limit.allows(n_atoms, len(structures[waiting[0]])):
            member = _Member(waiting.popleft())
            system = evaluator.read(structures[member.index])
            if system is None:
                finish(member, "positions or cell are not a number, or the cell has no volume")
                continue
            joining.append(system)
            members.append(member)
            n_atoms += len(system.species)
        batch.add(joining)
        coordinates.join(batch)
        if not members:
            continue

        evaluation = evaluator(batch, stress=True, isolate=False)
        states = _states(batch, evaluation, coordinates)
        if sum(not state.is_number for state in states) > 1:  # one may have spoilt the others
            evaluation = evaluator(batch, stress=True)
            states = _states(batch, evaluation, coordinates)
        share = (time.perf_counter() - begun) / batch.n_atoms
        staying = []
        for i, (member, state) in enumerate(zip(members, states, strict=True)):
            member.take(state, evaluation.failures.get(i))
            member.wall_time += share * len(state.forces)
            if member.failure is not None or (member.last is state and state.relaxed_to(fmax)):
                finish(member, member.failure)
            elif member.evaluations > max_steps:
                finish(member, _out_of_steps(max_steps, member.last, fmax))
            else:
                staying.append(i)

        if staying:
            rows = coordinates.rows(batch)
            enthalpies = coordinates.enthalpies(batch, evaluation)
            moves = optimiser.step(rows, coordinates.forces(batch, evaluation), enthalpies)
            coordinates.move(batch, rows + moves)
        if len(staying) < len(members):
            members = [members[i] for i in staying]
            batch.keep(staying)
            coordinates.keep(staying)
            optimiser.keep(staying)
    return [results[i] for i in range(len(structures))]


def _states(batch: GraphBatch, evaluation: Evaluation, coordinates: CellCoordinates) -> list[State]:
    """Every system's state; the host waits for one table."""
    assert evaluation.stresses is not None
    norms = torch.linalg.vector_norm(evaluation.forces, dim=1)
    free_norms = torch.linalg.vector_norm(torch.where(batch.free, evaluation.forces, 0.0), dim=1)
    residual = torch.zeros_like(evaluation.energies)
    if coordinates.moves_cell:
        stresses = coordinates.residual_stress(batch, evaluation.stresses)
        residual = stresses.abs().amax(dim=(1, 2))
    lonely = batch.padded((evaluation.neighbour_counts == 0).to(torch.float64))
    table = torch.stack(
        [
            evaluation.energies,
            coordinates.enthalpies(batch, evaluation),
            torch.linalg.det(batch.cells).abs(),
            batch.padded(norms).amax(dim=1),
            batch.padded(free_norms).amax(dim=1),
            residual,
            lonely.sum(dim=1),
        ],
        dim=1,
    ).tolist()
    states = []
    for i, (energy, enthalpy, volume, strongest, largest, stress, alone) in enumerate(table):
        atoms = slice(*batch.span(i, i + 1))
        states.append(
            State(
                positions=batch.positions[atoms],
                cell=batch.cells[i],
                forces=evaluation.forces[atoms],
                stress=evaluation.stresses[i],
                energy=energy,
                enthalpy=enthalpy,
                volume=volume,
                strongest=strongest,
                largest_force=largest,
                residual_stress=stress,
                lonely_atoms=int(alone),
            )
        )
    return states


def _divergence(state: State, start: State) -> str | None:
    n_atoms = len(state.forces)
    failure = divergence(state.energy, state.strongest, n_atoms, start.energy, start.strongest)
    if failure is None:
        failure = cell_divergence(state.volume, start.volume)
    if failure is None and state.lonely_atoms > start.lonely_atoms:
        failure = f"diverged: {state.lonely_atoms - start.lonely_atoms} atoms left the others"
    return failure


def _result(structure: StructureLike, member: _Member, failure: str | None) -> Calculation:
    state = member.last
    return Calculation(
        structure=(
            moved(structure, state.cell.cpu().numpy(), state.positions.cpu().numpy())
            if state
            else to_structure(to_atoms(structure), structure)
        ),
        energy=state.energy if state else np.nan,
        # Copies: what a state holds are parts of the whole batch's arrays.
        forces=state.forces.cpu().numpy().copy() if state else np.full((len(structure), 3), np.nan),
        stress=state.stress.cpu().numpy().copy() if state else None,
        converged=failure is None,
        failure=failure,
        max_force=state.largest_force if state else np.nan,
        steps=max(member.evaluations - 1, 0),
        force_evaluations=member.evaluations,
        wall_time=member.wall_time,
    )


def _out_of_steps(max_steps: int, state: State | None, fmax: float) -> str:
    assert state is not None  # else there had been a failure before
    reached = f"largest force {state.largest_force:.3g} eV/Å of {fmax:g} asked for"
    if state.residual_stress >= stress_tolerance(fmax):
        reached += f", largest stress {state.residual_stress / GPa:.3g} GPa"
    return f"not converged in {max_steps} steps: {reached}"
