"""The D3 correction (extra ``d3``) against Grimme's own implementation, s-dftd3 1.7.0.

The numbers are those of its Python interface without three-body terms and with the same cutoffs:
``RationalDampingParam(method="pbe", atm=False)``, ``set_realspace_cutoff(40, 40, 40)``.
"""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule

from potentials import load_potential
from potentials.dispersion import d3_calculator

pytest.importorskip("torch_dftd", reason="needs the extra d3")


def rattled(name, **options):
    atoms = bulk(name, cubic=True, **options)
    atoms.rattle(0.05, seed=1)
    return atoms


@pytest.mark.parametrize(
    ("atoms", "energy", "force"),
    [
        (
            rattled("LiF", crystalstructure="rocksalt", a=4.07),
            -1.378250038905,
            [-5.05918e-4, 8.04599e-5, 7.07973e-4],
        ),
        (rattled("Cu"), -2.334932985660, [1.23422e-3, -1.6016e-4, 6.8756e-4]),
        (molecule("C6H6"), -0.298157677217, [0.0, -7.494932e-3, 0.0]),
        (Atoms("Cl2", [[0, 0, 0], [0, 0, 3.8]]), -0.014782510643, [0.0, 0.0, 1.298838e-2]),
    ],
    ids=["LiF", "Cu", "benzene", "chlorine"],
)
def test_energy_and_forces_are_those_of_another_implementation(atoms, energy, force):
    atoms.calc = d3_calculator("d3-bj-pbe", device="cpu", dtype="float64")
    assert atoms.get_potential_energy() == pytest.approx(energy, rel=2e-6)
    assert atoms.get_forces()[0] == pytest.approx(force, abs=1e-7)


def test_r2scan_has_parameters_of_its_own():
    """Published with four digits, which the two implementations round differently."""
    atoms = rattled("LiF", crystalstructure="rocksalt", a=4.07)
    atoms.calc = d3_calculator("d3-bj-r2scan", device="cpu", dtype="float64")
    assert atoms.get_potential_energy() == pytest.approx(-0.651850187547, rel=2e-4)


def test_a_potential_with_dispersion_adds_it_and_relaxes():
    plain, corrected = load_potential("mini"), load_potential("mini", dispersion="d3-bj-pbe")
    assert corrected.identity.dispersion == "d3-bj-pbe"
    cell = rattled("LiF", crystalstructure="rocksalt", a=4.07)
    (without,) = plain.engine().evaluate([cell])
    (with_it,) = corrected.engine().evaluate([cell])
    assert with_it.energy - without.energy == pytest.approx(-1.378250038905, rel=2e-6)
    assert (with_it.forces - without.forces)[0] == pytest.approx(
        [-5.05918e-4, 8.04599e-5, 7.07973e-4], abs=2e-7
    )
    (relaxed,) = corrected.engine().relax([cell], fmax=0.02, cell="full")
    (alone,) = plain.engine().relax([cell], fmax=0.02, cell="full")
    assert relaxed.converged
    assert np.isfinite(relaxed.stress).all()
    assert relaxed.structure.volume < alone.structure.volume
