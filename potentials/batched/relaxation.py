"""Relaxing a queue of structures in one batch: the finished leave, the waiting take their place."""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase.units import GPa
from numpy.typing import NDArray

from potentials.batched.batch import GraphBatch
from potentials.batched.cells import CellCoordinates
from potentials.batched.evaluator import Evaluation, Evaluator
from potentials.batched.optimisers import UPHILL, Lbfgs
from potentials.convergence import cell_divergence, divergence, largest_force, stress_tolerance
from potentials.conversion import moved, to_atoms, to_structure
from potentials.protocol import Calculation, CellRelaxation, OnCalculation, StructureLike


@dataclass(frozen=True)
class State:
    """One system after one evaluation, on the host.

    Attributes:
        positions: (n_atoms, 3), Å.
        cell: (3, 3), Å.
        energy: eV.
        enthalpy: eV; with the work against the normal stress that is held.
        forces: (n_atoms, 3), eV/Å.
        stress: (3, 3), eV/Å³.
        lonely_atoms: number of atoms without a neighbour within the cutoff.
        largest_force: of what may move, eV/Å.
        residual_stress: largest component that the cell can still give way to, eV/Å³.
    """

    positions: NDArray[np.float64]
    cell: NDArray[np.float64]
    energy: float
    enthalpy: float
    forces: NDArray[np.float64]
    stress: NDArray[np.float64]
    lonely_atoms: int
    largest_force: float
    residual_stress: float

    def relaxed_to(self, fmax: float) -> bool:
        """Whether forces (eV/Å) and stresses are under their thresholds."""
        return self.largest_force < fmax and self.residual_stress < stress_tolerance(fmax)


@dataclass
class _Member:
    """A system in the batch, and what it has cost so far.

    Attributes:
        index: its place in the list given.
        start: its first evaluation.
        start_force: largest force then, of all atoms, eV/Å.
        last: its latest evaluation that was sound and did not lead uphill.
        evaluations: how many there were.
        wall_time: its share so far, s.
        failure: why it must be given up.
    """

    index: int
    start: State | None = None
    start_force: float = 0.0
    last: State | None = None
    evaluations: int = 0
    wall_time: float = 0.0
    failure: str | None = None

    def take(self, state: State, failure: str | None) -> None:
        """Note one more evaluation; one that the optimiser takes back is not judged."""
        self.evaluations += 1
        if self.start is None:
            everywhere = np.ones_like(state.forces, dtype=bool)
            self.start, self.start_force = state, largest_force(state.forces, everywhere)
        uphill = self.last is not None and state.enthalpy > self.last.enthalpy + UPHILL
        self.failure = failure or (
            None if uphill else _divergence(state, self.start, self.start_force)
        )
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
    """Every system's state, brought to the host in one go."""
    forces = evaluation.forces.cpu().numpy()
    positions = batch.positions.cpu().numpy()
    energies = evaluation.energies.tolist()
    enthalpies = coordinates.enthalpies(batch, evaluation).tolist()
    cells = batch.cells.cpu().numpy()
    free = batch.free.cpu().numpy()
    lonely = (evaluation.neighbour_counts == 0).cpu().numpy()
    assert evaluation.stresses is not None
    stresses, residuals = evaluation.stresses.cpu().numpy(), np.zeros(len(batch))
    if coordinates.moves_cell:
        residual = coordinates.residual_stress(batch, evaluation.stresses)
        residuals = residual.abs().amax(dim=(1, 2)).cpu().numpy()
    states = []
    for i in range(len(batch)):
        atoms = slice(*batch.span(i, i + 1))
        states.append(
            State(
                positions=positions[atoms],
                cell=cells[i],
                energy=energies[i],
                enthalpy=enthalpies[i],
                forces=forces[atoms],
                stress=stresses[i],
                lonely_atoms=int(lonely[atoms].sum()),
                largest_force=largest_force(forces[atoms], free[atoms]),
                residual_stress=float(residuals[i]),
            )
        )
    return states


def _divergence(state: State, start: State, start_force: float) -> str | None:
    failure = divergence(state.energy, state.forces, start.energy, start_force)
    if failure is None:
        failure = cell_divergence(
            abs(float(np.linalg.det(state.cell))), abs(float(np.linalg.det(start.cell)))
        )
    if failure is None and state.lonely_atoms > start.lonely_atoms:
        failure = f"diverged: {state.lonely_atoms - start.lonely_atoms} atoms left the others"
    return failure


def _result(structure: StructureLike, member: _Member, failure: str | None) -> Calculation:
    state = member.last
    return Calculation(
        structure=(
            moved(structure, state.cell, state.positions)
            if state
            else to_structure(to_atoms(structure), structure)
        ),
        energy=state.energy if state else np.nan,
        # Copies: what a state holds are parts of the whole batch's arrays.
        forces=state.forces.copy() if state else np.full((len(structure), 3), np.nan),
        stress=state.stress.copy() if state else None,
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
