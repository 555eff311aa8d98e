"""Neighbour lists against matscipy's."""

import numpy as np
import pytest
import torch
from ase import Atoms
from matscipy.neighbours import neighbour_list

from potentials.batched.neighbours import neighbour_lists, neighbour_pairs


@pytest.mark.parametrize("periodic", [(True, True, True), (True, True, False), (False,) * 3])
@pytest.mark.parametrize("seed", [0, 1])
def test_pairs_are_those_of_matscipy(periodic: tuple[bool, bool, bool], seed: int) -> None:
    random = np.random.default_rng(seed)
    cell = 4.0 * np.eye(3) + random.normal(scale=0.6, size=(3, 3))
    positions = random.uniform(-0.3, 1.3, size=(9, 3)) @ cell  # some outside of the cell
    found = neighbour_pairs(positions, cell, periodic, 4.5)
    atoms = Atoms("H9", positions=positions, cell=cell, pbc=periodic)
    i, j, shifts = neighbour_list("ijS", atoms, 4.5)
    expected = {(*pair, *shift) for *pair, shift in zip(i, j, map(tuple, shifts), strict=True)}
    sender, receiver = found.pairs.tolist()
    got = {
        (a, b, *map(int, shift))
        for a, b, shift in zip(sender, receiver, found.shifts.tolist(), strict=True)
    }
    assert len(found.shifts) == len(expected) > 0
    assert got == {(int(a), int(b), *map(int, s)) for a, b, *s in expected}


def test_vectors_point_from_sender_to_receiver_within_the_cutoff() -> None:
    cell, positions = np.diag([3.0, 4.0, 5.0]), np.array([[0.1, 0.2, 0.3], [2.8, 3.7, 4.6]])
    found = neighbour_pairs(positions, cell, (True, True, True), 3.5)
    sender, receiver = found.pairs.numpy()
    vectors = positions[receiver] - positions[sender] + found.shifts.numpy() @ cell
    assert len(vectors) > 0
    assert np.linalg.norm(vectors, axis=1).max() < 3.5


def test_order_does_not_depend_on_where_atoms_were() -> None:
    cell = np.diag([4.0, 4.0, 4.0])
    positions = np.random.default_rng(2).uniform(0, 4, size=(12, 3))
    nearby = positions + 1e-9
    first, second = (
        neighbour_pairs(each, cell, (True, True, True), 4.0) for each in (positions, nearby)
    )
    assert torch.equal(first.pairs, second.pairs)
    assert torch.equal(first.shifts, second.shifts)
    assert (first.pairs[1].diff() >= 0).all()


def test_order_is_that_of_receiver_sender_and_shift_however_far_an_atom_has_gone() -> None:
    cell = np.diag([2.0, 2.0, 2.0])
    positions = np.random.default_rng(4).uniform(0, 2, size=(3, 3))
    positions[1] += 2.0 * np.array([300_000, -70_000, 129])
    found = neighbour_pairs(positions, cell, (True, True, True), 4.0)
    sender, receiver = found.pairs.numpy()
    vectors = positions[receiver] - positions[sender] + found.shifts.numpy() @ cell
    assert np.linalg.norm(vectors, axis=1).max() < 4.0
    edges = list(zip(receiver, sender, map(tuple, found.shifts.tolist()), strict=True))
    assert len(set(edges)) == len(edges) > 200
    assert [edge[:2] for edge in edges] == sorted(edge[:2] for edge in edges)
    again = neighbour_pairs(positions + 1e-7, cell, (True, True, True), 4.0)
    assert torch.equal(found.shifts, again.shifts)


def test_a_lonely_atom_has_no_pairs() -> None:
    found = neighbour_pairs(np.zeros((1, 3)), np.eye(3), (False,) * 3, 5.0)
    assert found.pairs.shape == (2, 0)
    assert found.shifts.shape == (0, 3)


def test_lists_of_many_systems_are_those_of_each() -> None:
    random = np.random.default_rng(3)
    systems = [
        (random.uniform(0, 4, size=(n, 3)), np.eye(3) * (3.0 + n), (True, True, n % 2 == 0))
        for n in (1, 5, 2, 7)
    ]
    together = neighbour_lists(systems, 3.5, torch.device("cpu"))
    alone = [neighbour_pairs(*system, 3.5) for system in systems]
    for one, other in zip(together, alone, strict=True):
        assert torch.equal(one.pairs, other.pairs)
        assert torch.equal(one.shifts, other.shifts)
    assert len({len(each.shifts) for each in alone}) > 2
