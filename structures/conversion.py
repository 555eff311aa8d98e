"""Accept a structure in any of the forms a user holds it in."""

from typing import Any

import numpy as np
from ase import Atoms
from pymatgen.core.structure import Structure
from pymatgen.io.ase import AseAtomsAdaptor
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from structures.crystal_library import crystal, crystal_fact
from structures.errors import StructureError

SYMPREC = 0.01
"""Distance within which atoms count as symmetry-equivalent, Å; relaxed cells are that noisy."""


def as_structure(value: Any) -> Structure:
    """A pymatgen Structure from a Structure, ASE Atoms or the name of a library crystal.

    Raises:
        StructureError: ``value`` is none of these, or Atoms that are not periodic in 3D.
    """
    if isinstance(value, Structure):
        return value
    if isinstance(value, Atoms):
        if not value.cell.rank == 3:
            raise StructureError(
                "structure: these Atoms have no three-dimensional cell; give them one with "
                "atoms.center(vacuum=...)"
            )
        return Structure(
            value.cell.array,
            value.get_chemical_symbols(),
            value.get_positions(),
            coords_are_cartesian=True,
        )
    if isinstance(value, str):
        return crystal(value)
    raise StructureError(
        f"structure: {type(value).__name__} is not a structure; give a pymatgen Structure, ASE "
        "Atoms or the name of a library crystal"
    )


def as_atoms(structure: Structure) -> Atoms:
    """ASE Atoms of a Structure, frozen sites as a FixAtoms constraint."""
    return AseAtomsAdaptor.get_atoms(structure, msonable=False)


def host_name(value: Any) -> str:
    """Name of the library crystal, or the reduced formula of a structure."""
    if isinstance(value, str):
        return crystal_fact(value).name
    return str(as_structure(value).composition.reduced_formula)


def conventional_cell(value: Any) -> Structure:
    """Conventional cell that Miller indices of ``value`` refer to.

    A cell that already has the volume of the conventional one keeps its own setting and
    orientation; a primitive cell or a supercell becomes spglib's standard conventional cell.

    Raises:
        StructureError: ``value`` is no structure, has disordered sites, or sites that are nowhere.
    """
    structure = as_structure(value)
    if not np.isfinite(structure.frac_coords).all():  # spglib would crash
        raise StructureError("structure: has coordinates that are no numbers; mend them")
    if not structure.is_ordered:
        raise StructureError(
            f"structure: {structure.composition.reduced_formula} has partly occupied sites; order "
            "it first (pymatgen's OrderDisorderedStructureTransformation)"
        )
    analyzer = SpacegroupAnalyzer(structure, symprec=SYMPREC)
    standard_volume = abs(np.linalg.det(analyzer.get_symmetry_dataset().std_lattice))
    if abs(standard_volume / structure.volume - 1) > 0.01:
        structure = analyzer.get_conventional_standard_structure()
    return Structure(structure.lattice, [site.species for site in structure], structure.frac_coords)
