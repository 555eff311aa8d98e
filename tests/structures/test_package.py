"""The names that the package offers, and what importing it costs."""

import subprocess
import sys

import numpy as np
import pytest
from ase.build import bulk, molecule
from pymatgen.core.structure import Structure

import structures
from structures.conversion import as_atoms, as_structure, host_name
from structures.errors import StructureError


def test_every_public_name_is_there() -> None:
    for name in structures.__all__:
        assert getattr(structures, name).__module__.startswith("structures.")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = structures.nothing


def test_functions_keep_their_names_after_their_modules_are_imported() -> None:
    code = (
        "from structures import interfaces, facets\n"
        "import structures.slabs, structures.coherent_interfaces\n"
        "import structures\n"
        "assert callable(structures.facets) and callable(structures.interfaces)\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


def test_import_is_light() -> None:
    code = "import structures, sys; assert not {'pymatgen', 'ase', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_structures_of_all_kinds_are_accepted() -> None:
    copper = structures.crystal("Cu")
    assert as_structure(copper) is copper
    assert as_structure("Cu") == copper
    atoms = bulk("Cu", a=3.6149, cubic=True)
    assert as_structure(atoms).volume == pytest.approx(copper.volume)
    assert host_name(atoms) == host_name("copper") == host_name(copper) == "Cu"


def test_round_trip_keeps_positions_and_frozen_sites() -> None:
    slab = structures.with_frozen_bottom(structures.facet("Cu", (1, 1, 1)).structure, 2.1)
    atoms = as_atoms(slab)
    assert np.allclose(atoms.get_positions(), slab.cart_coords)
    assert sorted(atoms.constraints[0].get_indices()) == [0, 1]
    assert isinstance(as_structure(atoms), Structure)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "NoneType is not a structure"),
        (molecule("H2O"), "no three-dimensional cell"),
        ("Xx9", "'Xx9' is not in the library"),
    ],
)
def test_what_is_no_structure_is_refused(value: object, message: str) -> None:
    with pytest.raises(StructureError, match=message):
        as_structure(value)
