import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111
from ase.constraints import FixAtoms, FixBondLength, FixCartesian
from pymatgen.core import DummySpecies, Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor

from potentials.conversion import free_directions, to_atoms, to_structure
from potentials.errors import PotentialError


def decorated() -> Structure:
    """Rock salt out of order, one site outside the cell, with charges, labels and frozen sites."""
    return Structure(
        Lattice.cubic(4.0),
        ["F-", "Li+", "F-", "Li+"],
        [[0, 0, 0], [0.5, 0, 1.25], [0, -0.4, 0], [0.1, 0.5, 0.5]],
        site_properties={
            "selective_dynamics": [[True] * 3, [False] * 3, [True, True, False], [True] * 3],
            "layer": [3, 1, 0, 2],
        },
        labels=["F1", "Li1", "F2", "Li2"],
        properties={"source": "here"},
    )


def test_structure_comes_back_with_all_it_had() -> None:
    given = decorated()
    back = to_structure(to_atoms(given), given)
    assert back == given
    assert back.labels == given.labels
    assert back.properties == given.properties
    assert back.site_properties == given.site_properties
    assert [str(site.specie) for site in back] == ["F-", "Li+", "F-", "Li+"]


def test_positions_are_not_wrapped() -> None:
    given = decorated()
    atoms = to_atoms(given)
    assert atoms.positions[1, 2] == pytest.approx(5.0)
    atoms.positions[0] -= 9.0
    assert to_structure(atoms, given).cart_coords[0] == pytest.approx([-9.0] * 3)


def test_atoms_agree_with_pymatgens_own_adaptor() -> None:
    given = decorated()
    ours, theirs = to_atoms(given), AseAtomsAdaptor.get_atoms(given)
    assert np.array_equal(ours.numbers, theirs.numbers)
    assert np.allclose(ours.positions, theirs.positions)
    assert np.allclose(ours.cell.array, theirs.cell.array)


def test_selective_dynamics_become_constraints_and_come_back() -> None:
    atoms = to_atoms(decorated())
    kinds = sorted(type(constraint).__name__ for constraint in atoms.constraints)
    assert kinds == ["FixAtoms", "FixCartesian"]
    assert free_directions(atoms).tolist() == decorated().site_properties["selective_dynamics"]
    moved = atoms.copy()
    moved.set_positions(atoms.positions + 1.0)
    assert np.allclose(
        moved.positions - atoms.positions, np.where(free_directions(atoms), 1.0, 0.0)
    )


def test_site_without_selective_dynamics_is_free() -> None:
    given = decorated()
    given.append("Li+", [0.9, 0.9, 0.9])
    assert free_directions(given)[-1].all()


def test_frozen_atoms_of_ase_reach_the_structure() -> None:
    slab = fcc111("Cu", (1, 1, 3), vacuum=5)
    slab.set_constraint([FixAtoms([0]), FixCartesian([1], mask=[False, True, False])])
    structure = to_structure(to_atoms(slab), slab)
    expected = [[False] * 3, [True, False, True], [True] * 3]
    assert structure.site_properties["selective_dynamics"] == expected
    assert structure.lattice.pbc == (True, True, False)
    assert structure.site_properties["tags"] == [3, 2, 1]
    assert "selective_dynamics" not in to_structure(bulk("Cu"), bulk("Cu")).site_properties


def test_given_atoms_are_left_as_they_are() -> None:
    slab = fcc111("Cu", (1, 1, 2), vacuum=5)
    copied = to_atoms(slab)
    copied.positions += 1.0
    assert np.allclose(slab.positions, fcc111("Cu", (1, 1, 2), vacuum=5).positions)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("Cu", "structure: str given"),
        (Atoms("Cu"), "no three-dimensional cell"),
        (
            Structure(Lattice.cubic(3), [{"Cu": 0.5, "Zn": 0.5}], [[0, 0, 0]]),
            "partly occupied sites",
        ),
        (Structure(Lattice.cubic(3), [DummySpecies("X")], [[0, 0, 0]]), "no chemical element"),
    ],
)
def test_bad_structures_are_refused_in_one_line(given: object, says: str) -> None:
    with pytest.raises(PotentialError, match=says) as raised:
        to_atoms(given)  # type: ignore[arg-type]
    assert "\n" not in str(raised.value)


def test_other_constraints_are_refused() -> None:
    atoms = bulk("Cu", cubic=True)
    atoms.set_constraint(FixBondLength(0, 1))
    with pytest.raises(PotentialError, match="FixBondLength"):
        to_atoms(atoms)
