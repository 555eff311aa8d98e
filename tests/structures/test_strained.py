import numpy as np
from pymatgen.core import Lattice, Structure

from structures.strained import STRAIN, VOIGT, strained_cells


def test_each_cell_is_under_one_strain_and_not_turned():
    lattice = Lattice.from_parameters(4.0, 5.0, 6.0, 80, 95, 105)
    crystal = Structure(lattice, ["Li", "F"], [[0, 0, 0], [0.4, 0.5, 0.6]])
    cells = strained_cells(crystal)
    assert len(cells) == 12
    for position, cell in enumerate(cells):
        change = np.linalg.inv(lattice.matrix) @ cell.lattice.matrix - np.eye(3)
        i, j = VOIGT[position // 2]
        sign = (1, -1)[position % 2]
        wanted = np.zeros((3, 3))
        # Engineering shears: twice the tensor's component.
        wanted[i, j] = wanted[j, i] = sign * STRAIN / (1 if i == j else 2)
        np.testing.assert_allclose(change, wanted, atol=1e-12)
        np.testing.assert_allclose(cell.frac_coords, crystal.frac_coords)
