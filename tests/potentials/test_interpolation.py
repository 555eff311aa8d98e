import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.constraints import FixAtoms

from potentials.errors import PotentialError
from potentials.interpolation import interpolated
from potentials.protocol import Band


def at(x: float) -> Atoms:
    atoms = Atoms("Li2", positions=[[0, 0, 0], [x, 1, 1]], cell=[4, 4, 4], pbc=True)
    atoms.set_constraint(FixAtoms([0]))
    return atoms


@pytest.mark.parametrize(
    ("end", "reached"),
    [(1.0, 1.0), (3.5, -0.5), (-7.0, 1.0), (2.0, 2.0), (-2.0, -2.0)],
)
def test_atoms_take_the_given_way_unless_another_is_shorter(end: float, reached: float) -> None:
    images = interpolated(Band(at(0.0), at(end)), 3)
    assert len(images) == 5
    assert [image.positions[1, 0] for image in images] == pytest.approx(
        list(np.linspace(0.0, reached, 5))
    )
    assert all(image.constraints for image in images)


def test_cells_count_as_the_same_within_rounding() -> None:
    final = bulk("Cu")
    final.set_cell(final.cell.array + 1e-8)
    assert len(interpolated(Band(bulk("Cu"), final), 1)) == 3
    final.set_cell(final.cell.array * 1.01)
    with pytest.raises(PotentialError, match="cells differ"):
        interpolated(Band(bulk("Cu"), final), 1)
