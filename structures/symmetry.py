"""Space group and primitive cell, by spglib."""

import spglib
from pymatgen.core.lattice import Lattice
from pymatgen.core.periodic_table import Element
from pymatgen.core.structure import Structure

from structures.errors import StructureError

_SYMPREC = 0.01


def symmetry(structure: Structure, symprec: float = _SYMPREC) -> spglib.SpglibDataset:
    """Spglib's account of a crystal's symmetry.

    Args:
        structure: an ordered crystal.
        symprec: distance within which atoms count as equivalent, Å.

    Raises:
        StructureError: spglib finds no symmetry, as where two atoms sit on one place.
    """
    dataset = spglib.get_symmetry_dataset(_cell(structure), symprec=symprec)
    if dataset is None:
        raise StructureError(
            f"structure: no symmetry is found in {structure.composition.reduced_formula}; "
            "check that no two atoms are on one place"
        )
    return dataset


def space_group_number(structure: Structure, symprec: float = _SYMPREC) -> int:
    """International number of the space group, else as `symmetry`."""
    return int(symmetry(structure, symprec).number)


def primitive_cell(structure: Structure) -> Structure:
    """The smallest cell of the same crystal, in the same orientation, with its ``properties``.

    Hulls and relaxations of bulk need no more: the conventional cell of a face-centred crystal is
    four times as large.

    Args:
        structure: an ordered crystal; atoms within 0.01 Å of equivalent places are equivalent.

    Raises:
        StructureError: as `symmetry`.
    """
    found = spglib.standardize_cell(
        _cell(structure), to_primitive=True, no_idealize=True, symprec=_SYMPREC
    )
    if found is None:
        raise StructureError(
            f"structure: {structure.composition.reduced_formula} has no primitive cell; check that "
            "no two atoms are on one place"
        )
    lattice, positions, numbers = found
    elements = [Element.from_Z(number) for number in numbers]
    return Structure(Lattice(lattice), elements, positions, properties=structure.properties)


def _cell(structure: Structure) -> tuple:
    return (structure.lattice.matrix, structure.frac_coords, structure.atomic_numbers)
