"""The systems being worked on, concatenated into one graph on the device."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
import torch
from ase import Atoms
from torch import Tensor

from potentials.batched.neighbours import SKIN, NeighbourPairs, neighbour_lists
from potentials.conversion import free_directions


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


def read_system(atoms: Atoms, atomic_numbers: Sequence[int], device: torch.device) -> System:
    """``atoms``, with what is frozen, on the device.

    Args:
        atoms: what to read.
        atomic_numbers: the network's elements, in its order.
        device: where the tensors go.

    Raises:
        KeyError: if the network lacks an element.
    """
    place = {number: i for i, number in enumerate(atomic_numbers)}
    return System(
        positions=torch.tensor(atoms.positions, dtype=torch.float64, device=device),
        cell=torch.tensor(atoms.cell.array, dtype=torch.float64, device=device),
        species=torch.tensor([place[number] for number in atoms.numbers], device=device),
        free=torch.tensor(free_directions(atoms), device=device),
        periodic=(bool(atoms.pbc[0]), bool(atoms.pbc[1]), bool(atoms.pbc[2])),
    )


@dataclass(frozen=True)
class _JoinedPairs:
    """The lists of all systems of a batch, one after the other.

    Attributes:
        pairs: (2, n_pairs), sender and receiver, numbered within the batch.
        unit_shifts: (n_pairs, 3), float64, whole numbers, as in `NeighbourPairs`.
        starts: where each system's pairs begin, and the number of all.
    """

    pairs: Tensor
    unit_shifts: Tensor
    starts: list[int]


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
        atom_counts: (n_systems,), the same on the device.
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
        self._joined: _JoinedPairs | None = None
        self._shifted: tuple[Tensor, int, Tensor] | None = None
        self._arrange()

    def __len__(self) -> int:
        return len(self._systems)

    @property
    def n_atoms(self) -> int:
        """Atoms of all systems together."""
        return len(self.positions)

    @property
    def host_waits(self) -> bool:
        """Whether a look at values holds up the device, which is fed ahead of what it does."""
        return self._device.type != "cpu"

    @property
    def periodic(self) -> list[tuple[bool, bool, bool]]:
        """Whether each system repeats along each cell vector."""
        return [system.periodic for system in self._systems]

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
        missing = [i for i, pairs in enumerate(self._lists) if pairs is None]
        if missing:
            self._build_lists(missing)
        kept = self._kept(first, last)
        pairs = self._joined_pairs()
        listed = slice(pairs.starts[first], pairs.starts[last])
        edge_index = torch.stack([end[listed].index_select(0, kept) for end in pairs.pairs])
        return (
            edge_index - self._starts[first],
            pairs.unit_shifts[listed].index_select(0, kept),
            self._shifts()[listed].index_select(0, kept),
        )

    def _kept(self, first: int, last: int) -> Tensor:
        """Where the pairs within the cutoff are among those listed of ``first`` to ``last``."""
        if not self.host_waits:
            self._renew(self._stale().tolist())
            return torch.nonzero(self._near(first, last))[:, 0]
        near = self._near(first, last)
        # The one value that the host waits for: how many edges there are, and whether this holds.
        n_near, *stale = torch.cat([near.sum()[None], self._stale()]).tolist()
        if any(stale):
            self._renew(stale)
            near = self._near(first, last)
            n_near = int(near.sum())
        return torch.nonzero_static(near, size=n_near)[:, 0]

    def _renew(self, stale: Sequence[bool]) -> None:
        """Make the lists of the systems that are ``stale`` anew."""
        if any(stale):
            self._build_lists([i for i, is_stale in enumerate(stale) if is_stale])

    def _near(self, first: int, last: int) -> Tensor:
        """Which of the listed pairs of the systems ``first`` to ``last`` are within the cutoff."""
        pairs = self._joined_pairs()
        listed = slice(pairs.starts[first], pairs.starts[last])
        sender, receiver = pairs.pairs[:, listed]
        vectors = self.positions.index_select(0, receiver) - self.positions.index_select(0, sender)
        vectors = vectors + self._shifts()[listed]
        squares = vectors.square() @ vectors.new_ones(3)  # far faster than a sum over three columns
        return squares < self._cutoff**2

    def _joined_pairs(self) -> _JoinedPairs:
        """The lists of all systems as one, made anew where one of them has changed."""
        if self._joined is None:
            lists = [pairs for pairs in self._lists if pairs is not None]
            starts = [0, *accumulate(len(listed.shifts) for listed in lists)]
            counts = torch.tensor(starts, device=self._device).diff()
            offsets = self._starts_there[:-1].repeat_interleave(counts, output_size=starts[-1])
            self._joined = _JoinedPairs(
                pairs=torch.cat([listed.pairs for listed in lists], dim=1) + offsets,
                unit_shifts=torch.cat([listed.shifts for listed in lists]),
                starts=starts,
            )
            self._shifted = None
        return self._joined

    def _shifts(self) -> Tensor:
        """Shifts of all listed pairs in space, Å; kept while the cells stay as they are."""
        pairs = self._joined_pairs()
        cells, version = self.cells, self.cells._version  # which counts changes in place
        if self._shifted is None or self._shifted[0] is not cells or self._shifted[1] != version:
            by_system = pairs.unit_shifts.split([b - a for a, b in pairwise(pairs.starts)])
            shifts = [each @ cell for each, cell in zip(by_system, cells, strict=True)]
            self._shifted = (cells, version, torch.cat(shifts))
        return self._shifted[2]

    def _arrange(self) -> None:
        """Work out everything that depends only on which systems are there."""
        device = self._device
        self.sizes = [len(system.species) for system in self._systems]
        self._starts = np.concatenate([[0], np.cumsum(self.sizes, dtype=np.int64)]).tolist()
        self.most_atoms = max(self.sizes, default=0)
        self.atom_counts = torch.tensor(self.sizes, dtype=torch.int64, device=device)
        self.system_of_atom = torch.arange(len(self), device=device).repeat_interleave(
            self.atom_counts
        )
        self._starts_there = torch.tensor(self._starts, dtype=torch.int64, device=device)
        within = torch.arange(self._starts[-1], device=device)
        within = within - self._starts_there[self.system_of_atom]
        self._places = self.system_of_atom * self.most_atoms + within
        nothing = torch.zeros(0, dtype=torch.int64, device=device)
        self.species = torch.cat([nothing] + [system.species for system in self._systems])
        no_atoms = torch.zeros((0, 3), dtype=torch.bool, device=device)
        self.free = torch.cat([no_atoms] + [system.free for system in self._systems])
        self._joined = None

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Range of flat atom positions that the systems ``first`` to ``last`` (excluded) take."""
        return self._starts[first], self._starts[last]

    def graph_starts(self, first: int, last: int) -> Tensor:
        """Where each system's atoms begin and the last ones end, among ``first`` to ``last``.

        Returns:
            (last - first + 1,), counted from the first atom of system ``first``.
        """
        return self._starts_there[first : last + 1] - self._starts[first]

    def _stale(self) -> Tensor:
        """Which systems' lists may have come to lack a pair within the cutoff, (n_systems,).

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
        # Not so where positions are NaN: the search for their neighbours might never end.
        return self._cutoff + 2 * moved >= (self._cutoff + SKIN) * (1 - strain)

    def _build_lists(self, chosen: Sequence[int]) -> None:
        """Make the lists of the systems at ``chosen`` anew."""
        positions = self.positions.cpu().numpy()
        cells = self.cells.cpu().numpy()
        systems = [
            (positions[slice(*self.span(i, i + 1))], cells[i], self._systems[i].periodic)
            for i in chosen
        ]
        lists = neighbour_lists(systems, self._cutoff + SKIN, self._device)
        for i, pairs in zip(chosen, lists, strict=True):
            self._lists[i] = pairs
        rebuilt = torch.tensor(chosen, device=self._device)
        atoms = torch.isin(self.system_of_atom, rebuilt)
        self._listed_positions = torch.where(atoms[:, None], self.positions, self._listed_positions)
        self._listed_cells = self._listed_cells.index_copy(0, rebuilt, self.cells[rebuilt])
        self._joined = None
