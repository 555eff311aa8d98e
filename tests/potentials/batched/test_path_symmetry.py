"""Which paths are their own reverse."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from potentials.batched.interpolation import EndStates
from potentials.batched.path_symmetry import find_reversal
from potentials.interpolation import way_between
from tests.potentials.batched.systems import hop

PERIODIC = (True, True, True)


def ends_of(first: Atoms, last: Atoms) -> EndStates:
    way = way_between(first, last)
    free = np.ones((len(first), 3), dtype=bool)
    for constraint in first.constraints:
        free[constraint.index] = False
    return EndStates(first.positions, first.positions + way, first.cell.array, free, PERIODIC)


def vacancy_hop() -> tuple[Atoms, Atoms]:
    atoms = bulk("Cu", cubic=True) * (2, 2, 2)
    hole = atoms.positions[0].copy()
    del atoms[0]
    last = atoms.copy()
    neighbour = int(np.linalg.norm(atoms.positions - hole, axis=1).argmin())
    last.positions[neighbour] = hole
    return atoms, last


@pytest.mark.parametrize("pair", [hop("Cu", "100", "Ag"), hop("Cu", "110", "Cu"), vacancy_hop()])
def test_a_hop_between_equal_sites_is_its_own_reverse(pair: tuple[Atoms, Atoms]) -> None:
    ends = ends_of(*pair)
    found = find_reversal(ends, pair[0].numbers)
    assert found is not None
    assert np.allclose(found.rotation @ found.rotation.T, np.eye(3), atol=1e-9)
    assert sorted(found.image_of) == list(range(len(pair[0])))
    # The operation turns each atom's way into the way back of the atom it takes its place of.
    way = ends.final - ends.initial
    assert np.allclose((way @ found.rotation), -way[found.image_of], atol=0.05)


def test_a_hop_between_different_sites_is_not() -> None:
    first, last = hop("Cu", "111", "Ag")
    assert find_reversal(ends_of(first, last), first.numbers) is None


def test_frozen_atoms_must_match() -> None:
    first, last = hop("Cu", "100", "Ag")
    ends = ends_of(first, last)
    ends.free[20] = False
    assert find_reversal(ends, first.numbers) is None


def test_elements_must_match() -> None:
    first, last = hop("Cu", "100", "Ag")
    numbers = first.numbers.copy()
    numbers[18] = 79  # one side of the mirror plane only
    assert find_reversal(ends_of(first, last), numbers) is None


def test_end_states_that_relaxed_differently_are_not_equal() -> None:
    first, last = hop("Cu", "100", "Ag")
    last.positions[19] += [0.0, 0.0, 0.2]
    assert find_reversal(ends_of(first, last), first.numbers) is None


def test_half_a_cell_onwards_is_not_the_way_back() -> None:
    # A ground without symmetry, twice: moving on by its period exchanges the ends of this hop.
    scattered = np.random.default_rng(3).uniform(size=(4, 3)) * [3.0, 4.0, 2.0]
    ground = Atoms("Cu4", scattered, cell=[3.0, 4.0, 12.0], pbc=True) * (2, 1, 1)
    first = ground + Atoms("Li", [[0.7, 1.1, 4.0]])
    last = ground + Atoms("Li", [[3.7, 1.1, 4.0]])
    assert find_reversal(ends_of(first, last), first.numbers) is None
