from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from potentials.cache import sha256_of
from potentials.loading import load_potential
from potentials.potential import Potential

pytest.importorskip("chgnet")


@pytest.fixture(scope="module")
def chgnet() -> Potential:
    return load_potential("chgnet", device="cpu", dtype="float64")


def rattled() -> Atoms:
    atoms = bulk("Cu", "fcc", a=3.6)
    return atoms * (2, 1, 1)


def test_identity_is_that_of_the_weights_in_the_wheel(chgnet: Potential) -> None:
    import chgnet as package

    (weights,) = (Path(str(package.__file__)).parent / "pretrained" / "0.3.0").glob("*.pth.tar")
    assert chgnet.identity.sha256 == sha256_of(weights)
    assert (chgnet.identity.name, chgnet.dtype) == ("chgnet", "float64")
    assert {"Li", "Cu", "La"} <= chgnet.elements
    assert "Ra" not in chgnet.elements


def test_is_silent_and_agrees_with_chgnet_itself(
    chgnet: Potential, capfd: pytest.CaptureFixture[str]
) -> None:
    atoms = rattled()
    atoms.positions[0, 0] += 0.1
    (double,) = chgnet.engine().evaluate([atoms])
    (single,) = load_potential("chgnet", dtype="float32").engine().evaluate([atoms])
    assert capfd.readouterr() == ("", "")

    from chgnet.model.dynamics import CHGNetCalculator

    atoms.calc = CHGNetCalculator(use_device="cpu")
    assert double.energy == pytest.approx(atoms.get_potential_energy(), abs=1e-4)
    assert single.energy == pytest.approx(atoms.get_potential_energy(), abs=1e-5)
    assert np.allclose(double.forces, atoms.get_forces(), atol=1e-4)
    assert double.stress is not None
    assert np.allclose(double.stress, atoms.get_stress(voigt=False), atol=1e-5)


def test_float64_is_double_precision(chgnet: Potential) -> None:
    """A slope over 1e-5 Å, which single precision cannot resolve, gives the force."""
    energies, step = [], 1e-5
    for shift in (step, -step, 0.0):
        atoms = rattled()
        atoms.positions[0, 0] += 0.1 + shift
        (found,) = chgnet.engine().evaluate([atoms])
        energies.append(found.energy)
    slope = (energies[0] - energies[1]) / (2 * step)
    assert found.forces[0, 0] == pytest.approx(-slope, abs=1e-4)


def test_lone_atom_is_no_error(chgnet: Potential) -> None:
    far = Atoms("Cu", cell=[20, 20, 20], pbc=True)
    (found,) = chgnet.engine().evaluate([far])
    assert found.failure is None or "\n" not in found.failure
