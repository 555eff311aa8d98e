"""Energies and forces of a batch: the one place where the network is called."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from potentials.batched.batch import GraphBatch, System, read_system
from potentials.batched.fused import fused
from potentials.batched.kernels import with_cuequivariance
from potentials.batched.memory import BatchLimit, keep_freed_memory
from potentials.conversion import to_atoms
from potentials.identity import PotentialIdentity
from potentials.protocol import StructureLike
from potentials.torch_state import products_in

_LEAST_VOLUME = 1e-3
"""Å³ under which a periodic cell is flat; its repeats could not be listed."""


class MaceNetwork(Protocol):
    """What the batched engine needs of a MACE potential."""

    @property
    def model(self) -> torch.nn.Module:
        """The network, in evaluation mode, on `device`; its parameters set its dtype."""

    @property
    def r_max(self) -> float:
        """Cutoff, Å."""

    @property
    def atomic_numbers(self) -> Sequence[int]:
        """Elements in the network's order."""

    @property
    def head_index(self) -> int:
        """Which readout head gives the energy."""

    @property
    def identity(self) -> PotentialIdentity:
        """Who gives the numbers."""

    @property
    def device(self) -> str:
        """Where the network lives."""


@dataclass(frozen=True)
class Evaluation:
    """What the network says of a batch.

    Attributes:
        energies: (n_systems,), float64, eV.
        forces: flat, (n_atoms, 3), float64, eV/Å.
        stresses: (n_systems, 3, 3), float64, eV/Å³, positive under tension; None if not asked for.
        neighbour_counts: flat, (n_atoms,), neighbours within the cutoff.
        failures: why there are no numbers (NaN instead), by position of the system.
    """

    energies: Tensor
    forces: Tensor
    stresses: Tensor | None
    neighbour_counts: Tensor
    failures: dict[int, str]


class Evaluator:
    """Runs the network over a batch, in as many passes as memory asks for.

    Attributes:
        network: the potential.
        limit: atoms that one pass may hold.
        device: where the passes run.
        model: the network as it is run, faster where there is a way.
    """

    def __init__(self, network: MaceNetwork, limit: BatchLimit) -> None:
        """Prepare to call ``network``.

        Args:
            network: the MACE potential.
            limit: how many atoms one pass may hold; learns from every pass.
        """
        self.network = network
        self.limit = limit
        self.device = torch.device(network.device)
        if self.device.type == "cpu":
            keep_freed_memory()
            self.model = fused(network.model)
        else:
            self.model = with_cuequivariance(network.model, self.device)
        self._dtype = next(self.model.parameters()).dtype

    @property
    def identity(self) -> PotentialIdentity:
        """The potential that gives the numbers."""
        return self.network.identity

    @property
    def cutoff(self) -> float:
        """Of the network, Å."""
        return self.network.r_max

    def read(self, structure: StructureLike) -> System | None:
        """``structure`` on the network's device; None if it has no finite positions or volume."""
        atoms = to_atoms(structure)
        if not (np.isfinite(atoms.positions).all() and np.isfinite(atoms.cell.array).all()):
            return None
        if atoms.pbc.all() and atoms.cell.volume < _LEAST_VOLUME:
            return None
        return read_system(atoms, self.network.atomic_numbers, self.device)

    def __call__(
        self, batch: GraphBatch, *, stress: bool = False, isolate: bool = True
    ) -> Evaluation:
        """Energy, forces and, if asked for, stress of every system of ``batch``.

        Args:
            batch: the systems as they stand.
            stress: whether to compute it.
            isolate: where several systems have no numbers, find those that spoilt the others, in
                further passes. The host waits to see whether this is so; a caller that looks at
                the numbers anyway can leave it out and ask again.
        """
        parts: list[Evaluation] = []
        failures: dict[int, str] = {}
        done = 0
        while done < len(batch):
            last = done + self.limit.systems_that_fit(batch.sizes[done:])
            part = self._attempt(batch, done, last, stress)
            if part is None and last - done > 1:
                self.limit.shrink(sum(batch.sizes[done:last]))
                continue
            if part is None:
                failures[done] = f"out of memory with {batch.sizes[done]} atoms"
                part = _unknown(batch, done, stress)
            elif isolate and last - done > 1 and self._spreads(batch, done, last, part):
                part = self._apart(batch, done, last, stress)
            parts.append(part)
            done = last
        return _joined(parts, failures, stress)

    def _spreads(self, batch: GraphBatch, first: int, last: int, part: Evaluation) -> bool:
        """Whether more than one system has no numbers: one of them may have spoilt the others."""
        if bool((part.energies.sum() + part.forces.sum()).isfinite()):
            return False
        start, end = batch.span(first, last)
        spoilt = ~part.energies.isfinite()
        atoms = batch.system_of_atom[start:end][~part.forces.isfinite().all(dim=1)] - first
        spoilt[atoms] = True
        return int(spoilt.sum()) > 1

    def _apart(self, batch: GraphBatch, first: int, last: int, stress: bool) -> Evaluation:
        """Two halves in passes of their own, until what has no numbers stands alone."""
        middle = (first + last) // 2
        halves = []
        for one, other in ((first, middle), (middle, last)):
            half = self._pass(batch, one, other, stress)
            if other - one > 1 and self._spreads(batch, one, other, half):
                half = self._apart(batch, one, other, stress)
            halves.append(half)
        return _joined(halves, {}, stress)

    def _attempt(self, batch: GraphBatch, first: int, last: int, stress: bool) -> Evaluation | None:
        """One pass; None if memory ran out, by then freed (a live exception would hold it)."""
        try:
            return self._pass(batch, first, last, stress)
        except torch.OutOfMemoryError:
            return None

    def _pass(self, batch: GraphBatch, first: int, last: int, stress: bool) -> Evaluation:
        edge_index, unit_shifts, shifts = batch.edges(first, last)
        start, end = batch.span(first, last)
        system_of_atom = batch.system_of_atom[start:end] - first
        cells = batch.cells[first:last]
        one_hot = torch.nn.functional.one_hot(
            batch.species[start:end], len(self.network.atomic_numbers)
        )
        graph = {
            "positions": batch.positions[start:end].to(self._dtype, copy=True),
            "cell": cells.to(self._dtype).view(-1, 3),
            "node_attrs": one_hot.to(self._dtype),
            "edge_index": edge_index,
            "shifts": shifts.to(self._dtype),
            "unit_shifts": unit_shifts.to(self._dtype),
            "batch": system_of_atom,
            "ptr": batch.graph_starts(first, last),
            "head": torch.full((last - first,), self.network.head_index, device=self.device),
        }
        self.limit.watch()
        with products_in(self.network.identity.dtype):
            out = self.model(graph, compute_force=True, compute_stress=stress)
        self.limit.learn(end - start)
        # Where each atom's edges begin among those sorted by receiver; counting them by `bincount`
        # would make the host wait.
        begins = torch.searchsorted(
            edge_index[1], torch.arange(end - start + 1, device=self.device)
        )
        return Evaluation(
            energies=out["energy"].detach().to(torch.float64),
            forces=out["forces"].detach().to(torch.float64),
            stresses=out["stress"].detach().to(torch.float64) if stress else None,
            neighbour_counts=begins.diff(),
            failures={},
        )


def _joined(parts: Sequence[Evaluation], failures: dict[int, str], stress: bool) -> Evaluation:
    """Evaluations of systems in a row as one."""
    stresses = [part.stresses for part in parts if part.stresses is not None]
    return Evaluation(
        energies=torch.cat([part.energies for part in parts]),
        forces=torch.cat([part.forces for part in parts]),
        stresses=torch.cat(stresses) if stress else None,
        neighbour_counts=torch.cat([part.neighbour_counts for part in parts]),
        failures=failures,
    )


def _unknown(batch: GraphBatch, i: int, stress: bool) -> Evaluation:
    """Not-a-number for system ``i``."""
    nan = torch.full((1, 3, 3), torch.nan, dtype=torch.float64, device=batch.positions.device)
    n_atoms = batch.sizes[i]
    return Evaluation(
        energies=nan[:, 0, 0],
        forces=nan[0, :1].expand(n_atoms, 3),
        stresses=nan if stress else None,
        neighbour_counts=torch.zeros(n_atoms, dtype=torch.int64, device=nan.device),
        failures={},
    )
