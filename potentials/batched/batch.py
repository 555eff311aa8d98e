"""The systems being worked on, concatenated into one graph on the device."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from potentials.batched.neighbours import SKIN, NeighbourPairs, neighbour_pairs
from potentials.conversion import free_directions, to_atoms
from potentials.protocol import StructureLike


@dataclass(frozen=True)
class System:
    """One structure as tensors on the device.

    Attributes:
        positions: shape (n_atoms, 3), float64, Å.
        cell: shape (3, 3), float64, Å, vectors in rows.
        species: shape (n_atoms,), position of each atom's element in the network's list.
        free: shape (n_atoms, 3), which Cartesian directions each atom may move along.
        periodic: whether the system repeats along each cell vector.
    """

    positions: Tensor
    cell: Tensor
    species: Tensor
    free: Tensor
    periodic: tuple[bool, bool, bool]


def read_system(
    structure: StructureLike, atomic_numbers: Sequence[int], device: torch.device
) -> System:
    """``structure`` on the device.

    Args:
        structure: what to read.
        atomic_numbers: the network's elements, in its order.
        device: where the tensors go.

    Raises:
        PotentialError: as `to_atoms`.
        KeyError: if the network lacks an element.
    """
    atoms = to_atoms(structure)
    place = {number: i for i, number in enumerate(atomic_numbers)}
    return System(
        positions=torch.tensor(atoms.positions, dtype=torch.float64, device=device),
        cell=torch.tensor(atoms.cell.array, dtype=torch.float64, device=device),
        species=torch.tensor([place[number] for number in atoms.numbers], device=device),
        free=torch.tensor(free_directions(atoms), device=device),
        periodic=(bool(atoms.pbc[0]), bool(atoms.pbc[1]), bool(atoms.pbc[2])),
    )


class GraphBatch:
    """Systems of different sizes as one graph; systems can leave and join.

    Two shapes are in use: *flat*, (n_atoms, ...) with all systems' atoms in a row, which the
    network takes, and *padded*, (n_systems, most_atoms, ...) with zeros after each system's last
    atom, which makes sums over a system plain sums.

    Attributes:
        positions: flat, (n_atoms, 3), float64, Å; written freely between evaluations.
        cells: (n_systems, 3, 3), float64, Å; likewise.
        species: flat, (n_atoms,).
        free: flat, (n_atoms, 3).
        system_of_atom: flat, (n_atoms,), position of each atom's system.
        sizes: number of atoms of each system.
    """

    def __init__(self, cutoff: float, device: torch.device) -> None:
        """An empty batch.

        Args:
            cutoff: the network's cutoff, Å.
            device: where it lives.
        """
        self._cutoff = cutoff
        self._device = device
        self._systems: list[System] = []
        self._lists: list[NeighbourPairs | None] = []
        self.positions = torch.zeros((0, 3), dtype=torch.float64, device=device)
        self.cells = torch.zeros((0, 3, 3), dtype=torch.float64, device=device)
        self._listed_positions = self.positions
        self._listed_cells = self.cells
        self._arrange()

    def __len__(self) -> int:
        return len(self._systems)

    @property
    def n_atoms(self) -> int:
        """Atoms of all systems together."""
        return len(self.positions)

    def add(self, systems: Sequence[System]) -> None:
        """Let ``systems`` join behind those that are there."""
        if not systems:
            return
        self._systems += systems
        self._lists += [None] * len(systems)
        positions = torch.cat([system.positions for system in systems])
        cells = torch.stack([system.cell for system in systems])
        self.positions = torch.cat([self.positions, positions])
        self.cells = torch.cat([self.cells, cells])
        self._listed_positions = torch.cat([self._listed_positions, positions])
        self._listed_cells = torch.cat([self._listed_cells, cells])
        self._arrange()

    def keep(self, staying: Sequence[int]) -> None:
        """Let all systems leave but those at ``staying``, which keep their order."""
        systems = torch.tensor(staying, dtype=torch.int64, device=self._device)
        atoms = torch.isin(self.system_of_atom, systems)
        self._systems = [self._systems[i] for i in staying]
        self._lists = [self._lists[i] for i in staying]
        self.positions = self.positions[atoms]
        self._listed_positions = self._listed_positions[atoms]
        self.cells = self.cells[systems]
        self._listed_cells = self._listed_cells[systems]
        self._arrange()

    def padded(self, flat: Tensor) -> Tensor:
        """(n_atoms, ...) as (n_systems, most_atoms, ...)."""
        room = flat.new_zeros((len(self) * self.most_atoms, *flat.shape[1:]))
        room[self._places] = flat
        return room.view(len(self), self.most_atoms, *flat.shape[1:])

    def flat(self, padded: Tensor) -> Tensor:
        """(n_systems, most_atoms, ...) as (n_atoms, ...)."""
        return padded.reshape(-1, *padded.shape[2:])[self._places]

    def edges(self, first: int, last: int) -> tuple[Tensor, Tensor, Tensor]:
        """Edges within the cutoff of the systems ``first`` to ``last`` (excluded).

        Returns:
            edge_index: (2, n_edges), sender and receiver, numbered from the first atom of system
                ``first``, sorted by receiver.
            unit_shifts: (n_edges, 3), float64, whole numbers: cell vectors to add to receiver
                minus sender.
            shifts: (n_edges, 3), float64, Å, the same in space.
        """
        self._refresh()
        lists = [self._pairs(i) for i in range(first, last)]
        start = self._starts[first]
        sender, receiver = torch.cat(
            [listed.pairs + (self._starts[first + i] - start) for i, listed in enumerate(lists)],
            dim=1,
        )
        shifts = torch.cat(
            [listed.shifts @ self.cells[first + i] for i, listed in enumerate(lists)]
        )
        positions = self.positions[start : self._starts[last]]
        vectors = positions.index_select(0, receiver) - positions.index_select(0, sender) + shifts
        squares = vectors.square() @ vectors.new_ones(3)  # far faster than a sum over three columns
        near = (squares < self._cutoff**2).nonzero()[:, 0]
        edge_index = torch.stack([sender.index_select(0, near), receiver.index_select(0, near)])
        unit_shifts = torch.cat([listed.shifts for listed in lists]).index_select(0, near)
        return edge_index, unit_shifts, shifts.index_select(0, near)

    def _pairs(self, i: int) -> NeighbourPairs:
        pairs = self._lists[i]
        assert pairs is not None
        return pairs

    def _arrange(self) -> None:
        """Work out everything that depends only on which systems are there."""
        device = self._device
        self.sizes = [len(system.species) for system in self._systems]
        self._starts = np.concatenate([[0], np.cumsum(self.sizes, dtype=np.int64)]).tolist()
        self.most_atoms = max(self.sizes, default=0)
        sizes = torch.tensor(self.sizes, dtype=torch.int64, device=device)
        self.system_of_atom = torch.arange(len(self), device=device).repeat_interleave(sizes)
        starts = torch.tensor(self._starts, dtype=torch.int64, device=device)
        within = torch.arange(self._starts[-1], device=device) - starts[self.system_of_atom]
        self._places = self.system_of_atom * self.most_atoms + within
        nothing = torch.zeros(0, dtype=torch.int64, device=device)
        self.species = torch.cat([nothing] + [system.species for system in self._systems])
        no_atoms = torch.zeros((0, 3), dtype=torch.bool, device=device)
        self.free = torch.cat([no_atoms] + [system.free for system in self._systems])

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Range of flat atom positions that the systems ``first`` to ``last`` (excluded) take."""
        return self._starts[first], self._starts[last]

    def _refresh(self) -> None:
        """Build the lists that are missing or that may have come to lack a pair within the cutoff.

        With the cell deformed by F since the list was made and no atom further than u from where F
        carried it, pairs now within the cutoff were within (cutoff + 2u)/(1 - |F - 1|).
        """
        deformation = torch.linalg.solve_ex(self._listed_cells, self.cells).result
        carried = torch.einsum(
            "ai,aij->aj", self._listed_positions, deformation[self.system_of_atom]
        )
        moved = self.padded((self.positions - carried).square().sum(dim=1)).amax(dim=1).sqrt()
        unity = torch.eye(3, dtype=torch.float64, device=self._device)
        strain = torch.linalg.matrix_norm(deformation - unity)
        reach = self._cutoff + SKIN
        # Not so where positions are NaN: the search for their neighbours might never end.
        stale = self._cutoff + 2 * moved >= reach * (1 - strain)
        missing = [i for i, pairs in enumerate(self._lists) if pairs is None]
        chosen = sorted({*missing, *stale.nonzero()[:, 0].tolist()})
        if not chosen:
            return
        positions = self.positions.cpu().numpy()
        cells = self.cells.cpu().numpy()
        for i in chosen:
            first, last = self.span(i, i + 1)
            self._lists[i] = neighbour_pairs(
                positions[first:last], cells[i], self._systems[i].periodic, reach, self._device
            )
        rebuilt = torch.tensor(chosen, device=self._device)
        atoms = torch.isin(self.system_of_atom, rebuilt)
        self._listed_positions = torch.where(atoms[:, None], self.positions, self._listed_positions)
        self._listed_cells = self._listed_cells.index_copy(0, rebuilt, self.cells[rebuilt])
