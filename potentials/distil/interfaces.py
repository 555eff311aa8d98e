"""Small coherent interfaces of Li with metals and compounds, for the training set."""

import warnings
from collections.abc import Iterator, Sequence

import numpy as np
from ase import Atoms
from pymatgen.analysis.interfaces.coherent_interfaces import CoherentInterfaceBuilder
from pymatgen.analysis.interfaces.zsl import ZSLGenerator
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from potentials.distil.crystals import METALS, SALTS, SEEDS
from potentials.distil.systems import (
    VACUUM,
    Crystals,
    System,
    generator,
    in_plane_strain,
    known,
)

Miller = tuple[int, int, int]
LARGEST = 44
"""Atoms in a contact; what a contact teaches is local, and a step costs by the atom."""
GAPS = (1.8, 2.1, 2.4, 2.7, 3.0, 3.5, 4.2, 5.0, 6.0)


def interface_systems(
    crystals: Crystals, rounds: range, substrates: Sequence[str] = (*METALS, *SALTS, *SEEDS)
) -> Iterator[System]:
    """Contacts of Li: gap scans, both halves alone in the same cell, descents and hot frames."""
    contacts = list(_contacts(crystals, substrates))
    for copy in rounds:
        for name, contact, film in contacts:
            label = f"interface/{name}/{copy}"
            rng = generator(label)
            strained = _in_another_registry(contact, film, rng, 0.015)
            strained.positions += rng.normal(scale=0.02, size=strained.positions.shape)
            family = "salt-interface" if name.split("|")[1].split("(")[0] in SALTS else "interface"
            if copy % 2 == 0:
                for gap in GAPS:
                    apart = with_gap(strained, film, gap)
                    yield System(f"{label}/gap{gap}", family, apart, 0.0, 1)
                for half, kept in (("film", film), ("substrate", ~film)):
                    yield System(f"{label}/{half}", family, strained[kept], 0.0, 1)
            start = with_gap(strained, film, rng.uniform(2.0, 2.8))
            yield System(f"{label}/relax", family, start, 0.0, 6)
            yield System(f"{label}/hot", family, start, float(rng.choice([300, 600])), 6)
            for half, kept in (("film", film), ("substrate", ~film)):
                yield System(f"{label}/{half}/relax", family, strained[kept], 0.0, 3)


def melt_contact_systems(crystals: Crystals) -> Iterator[System]:
    """Every contact with its film of Li melted, and the molten film alone."""
    for name, built, film in _contacts(crystals, (*METALS, *SALTS, *SEEDS)):
        for half, kept in (("whole", np.full(len(built), True)), ("film", film)):
            if half == "film" and "|Cu" not in name:
                continue
            label = f"melt-contact/{name}/{half}"
            rng = generator(label)
            atoms = with_gap(built, film, rng.uniform(2.3, 3.2))
            atoms.positions[film] += rng.normal(scale=0.4, size=(int(film.sum()), 3))
            yield System(label, "melt", atoms[kept], 800.0, 7)


def hot_contact_systems(crystals: Crystals, rounds: range) -> Iterator[System]:
    """Li on salts, hot for longer than any other stage: whether a salt's top layer stays in place.

    Both sides are at rest at first; the salt is far under its melting point, lithium over its own.
    """
    for copy in rounds:
        for name, built, film in _contacts(crystals, SALTS):
            label = f"hot-contact/{name}/{copy}"
            rng = generator(label)
            strained = _in_another_registry(built, film, rng, 0.01)
            start = with_gap(strained, film, rng.uniform(1.9, 2.4))
            yield System(label, "hot-contact", start, (500.0, 800.0)[copy % 2], 30)


def _in_another_registry(
    contact: Atoms, film: np.ndarray, rng: np.random.Generator, strain: float
) -> Atoms:
    """A strained copy with the film moved along the contact, since the builder gives one place."""
    strained = contact.copy()
    strained.set_cell(contact.cell[:] @ in_plane_strain(rng, strain), scale_atoms=True)
    strained.positions[film, :2] += rng.random(2) @ strained.cell[:2, :2]
    return strained


def _contacts(
    crystals: Crystals, substrates: Sequence[str]
) -> Iterator[tuple[str, Atoms, np.ndarray]]:
    """Name, contact and mask of the film's atoms, Li on every substrate's facets."""
    for substrate in known(crystals, substrates):
        facets = ((0, 0, 1), (1, 0, 0)) if substrate in ("Mg", "Zn", "Li3N") else None
        for facet in facets or ((1, 1, 1), (1, 0, 0), (1, 1, 0)):
            for film_facet in ((1, 1, 0), (1, 0, 0)):
                built = contact(crystals, film_facet, substrate, facet)
                if built is not None:
                    name = f"Li{film_facet}|{substrate}{facet}".replace(", ", "")
                    yield name, *built


def contact(
    crystals: Crystals, film_facet: Miller, substrate: str, facet: Miller
) -> tuple[Atoms, np.ndarray] | None:
    """The smallest contact of Li with a substrate, and the mask of its Li film.

    None where even the smallest match within 8 % strain (15 % for metals) has too many atoms.
    """
    sides = (conventional(crystals["Li"]), film_facet, conventional(crystals[substrate]), facet)
    built = coherent_contact(*sides, max_area=45.0, strain=0.08, largest=LARGEST)
    if built is None and substrate in METALS:
        built = coherent_contact(*sides, max_area=45.0, strain=0.15, largest=LARGEST)
    return built


def coherent_contact(
    film: Structure,
    film_facet: Miller,
    substrate: Structure,
    facet: Miller,
    max_area: float,
    strain: float,
    largest: int,
) -> tuple[Atoms, np.ndarray] | None:
    """The contact with the smallest common cell, and the mask of its film.

    Args:
        film: conventional cell.
        film_facet: its Miller indices.
        substrate: conventional cell.
        facet: its Miller indices.
        max_area: of the common cell, Å².
        strain: largest mismatch of lengths and angles.
        largest: number of atoms that it may have.

    Returns:
        None where there is no contact within these limits.
    """
    zsl = ZSLGenerator(
        max_area=max_area,
        max_length_tol=strain,
        max_angle_tol=strain,
        max_area_ratio_tol=2 * strain,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        builder = CoherentInterfaceBuilder(substrate, film, film_facet, facet, zslgen=zsl)
        if not builder.zsl_matches or not builder.terminations:
            return None
        # the first match is the smallest; building only it saves minutes
        builder.zsl_matches = sorted(builder.zsl_matches, key=lambda m: m.match_area)[:1]
        interface = next(
            builder.get_interfaces(
                builder.terminations[0],
                gap=2.4,
                vacuum_over_film=VACUUM,
                film_thickness=6.0,
                substrate_thickness=7.0,
                in_layers=False,
            ),
            None,
        )
    if interface is None or len(interface) > largest:
        return None
    film_mask = np.array(
        [label == "film" for label in interface.site_properties["interface_label"]]
    )
    atoms = AseAtomsAdaptor.get_atoms(interface)
    return Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=True), film_mask


def with_gap(contact: Atoms, film: np.ndarray, gap: float) -> Atoms:
    """The contact with the film's lowest atom ``gap`` (Å) over the substrate's highest."""
    moved = contact.copy()
    top = contact.positions[~film, 2].max()
    moved.positions[film, 2] += top + gap - contact.positions[film, 2].min()
    return moved


def conventional(crystal: Atoms) -> Structure:
    """The conventional standard cell of a crystal."""
    structure = AseAtomsAdaptor.get_structure(crystal)
    return SpacegroupAnalyzer(structure, 0.05).get_conventional_standard_structure()
