"""Between pymatgen Structures and ASE Atoms, with sites, their order and frozen atoms kept."""

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms, FixCartesian
from numpy.typing import NDArray
from pymatgen.core import DummySpecies, Lattice, Structure

from potentials.errors import PotentialError
from potentials.protocol import StructureLike


def to_atoms(structure: StructureLike) -> Atoms:
    """A new ASE Atoms without calculator, positions as they are (not wrapped into the cell).

    ``selective_dynamics`` becomes FixAtoms (all three directions frozen) or FixCartesian (some).

    Raises:
        PotentialError: for anything else than a Structure or Atoms, a disordered site, an ASE
            constraint other than FixAtoms and FixCartesian, or no cell.
    """
    if isinstance(structure, Structure):
        if not structure.is_ordered:
            raise PotentialError(
                f"structure: {structure.formula} has partly occupied sites;"
                " give an ordered structure (pymatgen's OrderDisorderedStructureTransformation)"
            )
        unknown = [site.specie for site in structure if isinstance(site.specie, DummySpecies)]
        if unknown:
            raise PotentialError(f"structure: {unknown[0]} is no chemical element; replace it")
        atoms = Atoms(
            numbers=[site.specie.Z for site in structure],
            positions=structure.cart_coords,
            cell=structure.lattice.matrix,
            pbc=structure.lattice.pbc,
        )
        atoms.set_constraint(_constraints(free_directions(structure)))
        return atoms
    if not isinstance(structure, Atoms):
        raise PotentialError(
            f"structure: {type(structure).__name__} given;"
            " give a pymatgen Structure or ASE Atoms, or a list of them"
        )
    if structure.cell.rank < 3:
        raise PotentialError(
            f"structure: {structure.get_chemical_formula()} has no three-dimensional cell;"
            " give it one, for example with Atoms.center(vacuum=10)"
        )
    free = free_directions(structure)
    atoms = structure.copy()
    atoms.set_constraint(_constraints(free))
    return atoms


def to_structure(atoms: Atoms, template: StructureLike) -> Structure:
    """The Structure with ``atoms``' cell and positions and all else from ``template``."""
    return moved(template, atoms.cell.array, atoms.positions)


def moved(
    template: StructureLike, cell: NDArray[np.float64], positions: NDArray[np.float64]
) -> Structure:
    """The Structure with this cell and these positions and all else from ``template``.

    Species with their decorations, site properties, labels and the order of the sites are
    ``template``'s; an Atoms template gives its extra arrays and, as ``selective_dynamics``, its
    frozen atoms. Positions are not wrapped into the cell. With a flat cell it is ``template``.

    Args:
        template: a Structure or Atoms.
        cell: shape (3, 3), Å, vectors in rows.
        positions: shape (n_atoms, 3), Å.
    """
    periodic = template.pbc
    lattice = Lattice(cell, pbc=(bool(periodic[0]), bool(periodic[1]), bool(periodic[2])))
    if isinstance(template, Structure):
        if not lattice.volume:
            return template.copy()  # positions in a flat cell have no fractional coordinates
        return Structure(
            lattice,
            template.species_and_occu,
            positions,
            charge=template._charge,
            coords_are_cartesian=True,
            site_properties=template.site_properties,
            labels=template.labels,
            properties=template.properties,
        )
    properties: dict[str, list] = {
        name: values.tolist()
        for name, values in template.arrays.items()
        if name not in ("numbers", "positions")
    }
    if template.constraints:
        properties["selective_dynamics"] = free_directions(template).tolist()
    return Structure(
        lattice,
        template.get_chemical_symbols(),
        positions,
        coords_are_cartesian=True,
        site_properties=properties,
    )


def free_directions(structure: StructureLike) -> NDArray[np.bool_]:
    """Which Cartesian directions each atom may move along, shape (n_atoms, 3).

    Raises:
        PotentialError: if an ASE constraint is neither FixAtoms nor FixCartesian.
    """
    free = np.ones((len(structure), 3), dtype=bool)
    if isinstance(structure, Structure):
        given = structure.site_properties.get("selective_dynamics")
        if given is not None:
            for i, directions in enumerate(given):  # None where a site was added without it
                if directions is not None:
                    free[i] = directions
        return free
    for constraint in structure.constraints:
        if isinstance(constraint, FixAtoms):
            free[constraint.index] = False
        elif isinstance(constraint, FixCartesian):
            free[constraint.index] &= ~np.asarray(constraint.mask, dtype=bool)
        else:
            raise PotentialError(
                f"structure: constraint {type(constraint).__name__} is not supported;"
                " use FixAtoms or FixCartesian"
            )
    return free


def _constraints(free: NDArray[np.bool_]) -> list[FixAtoms | FixCartesian]:
    """The fewest ASE constraints that say the same as ``free``, shape (n_atoms, 3)."""
    constraints: list[FixAtoms | FixCartesian] = []
    frozen = ~free
    whole = frozen.all(axis=1)
    if whole.any():
        constraints.append(FixAtoms(mask=whole))
    for mask in np.unique(frozen[~whole], axis=0):
        if mask.any():
            same = ~whole & (frozen == mask).all(axis=1)
            constraints.append(FixCartesian(np.flatnonzero(same), mask=mask))
    return constraints
