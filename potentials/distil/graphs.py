"""MACE's input from labelled frames, built once and put together into batches.

MACE's own data class carries some thirty fields per frame (dipoles, charges, weights), most of them
empty here; for small cells putting them together costs more than it should, so only the fields that
the network reads are kept.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from ase import Atoms
from ase.data import chemical_symbols
from mace.data import get_neighborhood
from torch import Tensor

from potentials.distil.errors import DistillationError
from potentials.distil.frames import label_of
from potentials.distil.teacher import Label


@dataclass(frozen=True)
class Graph:
    """One frame as tensors; energies in eV, lengths in Å.

    Attributes:
        species: shape (n_atoms,), positions of the elements in the network's list.
        positions: shape (n_atoms, 3).
        cell: shape (3, 3).
        edge_index: shape (2, n_edges), sender and receiver.
        unit_shifts: shape (n_edges, 3), in lattice vectors.
        energy: shape ().
        forces: shape (n_atoms, 3), eV/Å.
        stress: shape (3, 3), eV/Å³; zero where the label has none.
        has_stress: shape (), 1 or 0.

    Without a label energy, forces and stress are zero.
    """

    species: Tensor
    positions: Tensor
    cell: Tensor
    edge_index: Tensor
    unit_shifts: Tensor
    energy: Tensor
    forces: Tensor
    stress: Tensor
    has_stress: Tensor


def graph_of(
    frame: Atoms, elements: Sequence[int], cutoff: float, label: Label | None = None
) -> Graph:
    """The graph of a frame.

    Args:
        frame: structure, periodic.
        elements: atomic numbers that the network knows, sorted.
        cutoff: Å.
        label: what the network is to learn of it.

    Raises:
        DistillationError: an element that the network does not know.
    """
    unknown = sorted(set(frame.numbers.tolist()) - set(elements))
    if unknown:
        raise DistillationError(
            f"frames: the network has no {', '.join(chemical_symbols[z] for z in unknown)}; leave "
            "out frames with it, or train on more systems that have it"
        )
    edge_index, _, unit_shifts, cell = get_neighborhood(
        positions=frame.positions, cutoff=cutoff, pbc=tuple(frame.pbc), cell=frame.cell[:].copy()
    )
    stress = label.stress if label else None
    return Graph(
        torch.tensor(np.searchsorted(elements, frame.numbers)),
        _tensor(frame.positions),
        _tensor(cell),
        torch.tensor(edge_index, dtype=torch.long),
        _tensor(unit_shifts),
        _tensor(label.energy if label else 0.0),
        _tensor(label.forces if label else np.zeros_like(frame.positions)),
        _tensor(np.zeros((3, 3)) if stress is None else stress),
        _tensor(0.0 if stress is None else 1.0),
    )


def labelled_graphs(frames: Sequence[Atoms], elements: Sequence[int], cutoff: float) -> list[Graph]:
    """The graphs of labelled frames.

    Raises:
        DistillationError: a frame without a label, or with an element that is not in ``elements``.
    """
    return [graph_of(frame, elements, cutoff, label_of(frame)) for frame in frames]


def collate(graphs: Sequence[Graph], n_elements: int) -> dict[str, Tensor]:
    """One batch in the form that MACE's forward pass reads, labels included."""
    sizes = torch.tensor([len(g.species) for g in graphs])
    starts = torch.cat([torch.zeros(1, dtype=torch.long), sizes.cumsum(0)])
    unit_shifts = torch.cat([g.unit_shifts for g in graphs])
    return {
        "node_attrs": torch.nn.functional.one_hot(
            torch.cat([g.species for g in graphs]), n_elements
        ).to(unit_shifts.dtype),
        "positions": torch.cat([g.positions for g in graphs]),
        "cell": torch.cat([g.cell for g in graphs]),
        "edge_index": torch.cat(
            [g.edge_index + s for g, s in zip(graphs, starts[:-1], strict=True)], dim=1
        ),
        "unit_shifts": unit_shifts,
        "shifts": torch.cat([g.unit_shifts @ g.cell for g in graphs]),
        "batch": torch.repeat_interleave(torch.arange(len(graphs)), sizes),
        "ptr": starts,
        "head": torch.zeros(len(graphs), dtype=torch.long),
        "energy": torch.stack([g.energy for g in graphs]),
        "forces": torch.cat([g.forces for g in graphs]),
        "stress": torch.stack([g.stress for g in graphs]),
        "has_stress": torch.stack([g.has_stress for g in graphs]),
    }


def batches(
    graphs: Sequence[Graph], n_atoms: int, rng: np.random.Generator
) -> Iterator[list[Graph]]:
    """Every graph once, in random order, in groups of about ``n_atoms`` atoms."""
    group: list[Graph] = []
    size = 0
    for i in rng.permutation(len(graphs)):
        if group and size + len(graphs[i].species) > n_atoms:
            yield group
            group, size = [], 0
        group.append(graphs[i])
        size += len(graphs[i].species)
    if group:
        yield group


def _tensor(values: object) -> Tensor:
    return torch.tensor(np.asarray(values), dtype=torch.float32)
