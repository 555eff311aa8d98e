"""Starting paths."""

import numpy as np
from ase.build import fcc100

from potentials.batched.interpolation import EndStates, interpolate
from potentials.interpolation import way_between
from tests.potentials.batched.systems import hop


def ends_of(first, last) -> EndStates:
    way = way_between(first, last)
    free = np.ones((len(first), 3), dtype=bool)
    free[first.constraints[0].index] = False
    return EndStates(
        first.positions, first.positions + way, first.cell.array, free, (True, True, True)
    )


def test_images_are_spread_evenly_and_frozen_atoms_stay() -> None:
    ends = ends_of(*hop("Cu", "100", "Ag"))
    images = interpolate(ends, 5)
    assert images.shape == (5, *ends.initial.shape)
    frozen = ~ends.free.any(axis=1)
    assert np.allclose(images[:, frozen], ends.initial[frozen])
    way = (ends.final - ends.initial)[-1]
    along = (images[:, -1] - ends.initial[-1]) @ way / (way @ way)
    assert np.allclose(along, np.arange(1, 6) / 6, atol=0.05)


def test_a_clash_on_the_straight_line_is_avoided() -> None:
    """An adatom carried over a top site comes as near as the mean of its distances at the ends."""
    first = fcc100("Cu", (3, 3, 3), vacuum=6.0, periodic=True)
    first.append("Cu")
    last = first.copy()
    top = first.positions[22]  # the middle atom of the top layer
    step = first.cell[0] / 3
    first.positions[-1] = top - step / 2 + [0, 0, 1.2]
    last.positions[-1] = top + step / 2 + [0, 0, 1.2]
    way = last.positions - first.positions
    ends = EndStates(
        first.positions,
        first.positions + way,
        first.cell.array,
        np.ones((len(first), 3), dtype=bool),
        (True, True, True),
    )
    start = np.linalg.norm(first.positions[-1] - top)
    images = interpolate(ends, 3)
    straight = 1.2
    relaxed = np.linalg.norm(images[1, -1] - images[1, 22])
    assert start > 1.7
    assert relaxed > straight + 0.7 * (start - straight)
