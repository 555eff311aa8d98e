"""The batch: shapes, systems that come and go, and edges that never lack a near pair."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from potentials.batched.batch import GraphBatch, read_system
from potentials.batched.neighbours import neighbour_pairs
from tests.potentials.batched.systems import alloy, slab

CPU = torch.device("cpu")
CUTOFF = 4.0
NUMBERS = (29, 47, 79)


def batch_of(*atoms) -> GraphBatch:
    batch = GraphBatch(CUTOFF, CPU)
    batch.add([read_system(each, NUMBERS, CPU) for each in atoms])
    return batch


def edge_set(
    edge_index: torch.Tensor, shifts: torch.Tensor, *_: torch.Tensor
) -> set[tuple[int, ...]]:
    return {
        (*pair, *(round(x) for x in shift))
        for pair, shift in zip(edge_index.T.tolist(), shifts.tolist(), strict=True)
    }


def fresh_edges(batch: GraphBatch) -> set[tuple[int, ...]]:
    """Edges of all systems without any history."""
    found = set()
    for i in range(len(batch)):
        first, last = batch.span(i, i + 1)
        near = neighbour_pairs(
            batch.positions[first:last].numpy(), batch.cells[i].numpy(), (True,) * 3, CUTOFF
        )
        found |= edge_set(near.pairs + first, near.shifts)
    return found


def test_reads_elements_positions_and_frozen_atoms() -> None:
    atoms = slab("Cu", adatom="Ag")
    system = read_system(atoms, NUMBERS, CPU)
    assert [NUMBERS[i] for i in system.species.tolist()] == atoms.numbers.tolist()
    assert np.array_equal(system.positions.numpy(), atoms.positions)
    assert (~system.free).all(dim=1).sum() == 4


def test_padded_and_flat_are_each_other_s_inverse() -> None:
    batch = batch_of(slab("Cu"), alloy(0), slab("Ag", "110"))
    padded = batch.padded(batch.positions)
    assert padded.shape == (3, batch.most_atoms, 3)
    assert torch.equal(batch.flat(padded), batch.positions)
    assert padded[1, batch.sizes[1] :].abs().max() == 0
    forces = torch.randn(batch.n_atoms, 3, dtype=torch.float64)
    first, last = batch.span(1, 2)
    assert torch.allclose(batch.padded(forces).sum(dim=1)[1], forces[first:last].sum(dim=0))


def test_systems_leave_and_join() -> None:
    batch = batch_of(slab("Cu"), alloy(0), slab("Ag", "110"))
    batch.edges(0, 3)
    moved = batch.positions + 0.1
    batch.positions = moved
    first, last = batch.span(1, 2)
    batch.keep([1])
    assert torch.equal(batch.positions, moved[first:last])
    batch.add([read_system(slab("Au"), NUMBERS, CPU)])
    assert batch.sizes == [8, 16]
    assert edge_set(*batch.edges(0, 2)) == fresh_edges(batch)
    batch.keep([])
    assert len(batch) == batch.n_atoms == 0


def test_edges_of_a_part_are_numbered_from_its_first_atom() -> None:
    batch = batch_of(slab("Cu"), alloy(0), slab("Ag"))
    whole = edge_set(*batch.edges(0, 3))
    start, end = batch.span(1, 2)
    shifted = {(a + start, b + start, *s) for a, b, *s in edge_set(*batch.edges(1, 2))}
    assert shifted == {edge for edge in whole if start <= edge[0] < end}


@pytest.mark.parametrize("host_waits", [False, True])
@settings(max_examples=25, deadline=None)
@given(
    moves=st.lists(
        st.tuples(st.floats(0.0, 0.5), st.floats(-0.06, 0.06), st.integers(0, 9)),
        min_size=1,
        max_size=4,
    )
)
def test_no_near_pair_is_missed_while_atoms_move_and_cells_stretch(moves, host_waits) -> None:
    batch = batch_of(alloy(1), alloy(2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GraphBatch, "host_waits", host_waits)
        move_and_compare(batch, moves)


def move_and_compare(batch: GraphBatch, moves: list[tuple[float, float, int]]) -> None:
    """Edges of two systems against fresh ones, after each of ``moves``: size, strain and seed."""
    for size, strain, seed in moves:
        generator = torch.Generator().manual_seed(seed)
        random = torch.randn((2, 3, 3), generator=generator, dtype=torch.float64)
        stretch = torch.eye(3, dtype=torch.float64) + strain * random
        batch.cells = batch.cells @ stretch
        batch.positions = torch.einsum(
            "ai,aij->aj", batch.positions, stretch[batch.system_of_atom]
        ) + size * torch.nn.functional.normalize(
            torch.randn(batch.positions.shape, generator=generator, dtype=torch.float64), dim=1
        )
        assert edge_set(*batch.edges(0, 2)) == fresh_edges(batch)


def test_lists_are_kept_while_atoms_stay_within_the_skin(monkeypatch) -> None:
    made = []
    monkeypatch.setattr(
        "potentials.batched.neighbours.neighbour_pairs",
        lambda *arguments: made.append(1) or neighbour_pairs(*arguments),
    )
    batch = batch_of(alloy(1), alloy(2))
    batch.edges(0, 2)
    batch.positions = batch.positions + 0.2
    batch.edges(0, 2)
    assert len(made) == 2
    batch.positions[0] += 1.0
    batch.edges(0, 2)
    assert len(made) == 3
