"""Small coherent interfaces of Li with metals and compounds, for the training set."""

import warnings
from collections.abc import Iterator

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


def interface_systems(crystals: Crystals, rounds: range) -> Iterator[System]:
    """Contacts of Li: gap scans, both halves alone in the same cell, descents and hot frames."""
    contacts = list(_contacts(crystals))
    for copy in rounds:
        for name, contact, film in contacts:
            label = f"interface/{name}/{copy}"
            rng = generator(label)
            strained = contact.copy()
            strained.set_cell(contact.cell[:] @ in_plane_strain(rng, 0.015), scale_atoms=True)
            # a random registry, since the builder gives one only
            strained.positions[film, :2] += rng.random(2) @ strained.cell[:2, :2]
            strained.positions += rng.normal(scale=0.02, size=strained.positions.shape)
            family = "salt-interface" if name.split("|")[1].split("(")[0] in SALTS else "interface"
            if copy % 2 == 0:
                for gap in GAPS:
                    apart = _with_gap(strained, film, gap)
                    yield System(f"{label}/gap{gap}", family, apart, 0.0, 1)
                for half, kept in (("film", film), ("substrate", ~film)):
                    yield System(f"{label}/{half}", family, strained[kept], 0.0, 1)
            start = _with_gap(strained, film, rng.uniform(2.0, 2.8))
            yield System(f"{label}/relax", family, start, 0.0, 6)
            yield System(f"{label}/hot", family, start, float(rng.choice([300, 600])), 6)
            for half, kept in (("film", film), ("substrate", ~film)):
                yield System(f"{label}/{half}/relax", family, strained[kept], 0.0, 3)


def _contacts(crystals: Crystals) -> Iterator[tuple[str, Atoms, np.ndarray]]:
    """Name, contact and mask of the film's atoms, Li on every substrate's facets."""
    for substrate in known(crystals, (*METALS, *SALTS, *SEEDS)):
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
    sides = (_conventional(crystals["Li"]), film_facet, _conventional(crystals[substrate]), facet)
    built = _smallest_contact(*sides, 45.0, 0.08)
    if built is None and substrate in METALS:
        built = _smallest_contact(*sides, 45.0, 0.15)
    return built


def _smallest_contact(
    film: Structure,
    film_facet: Miller,
    substrate: Structure,
    facet: Miller,
    area: float,
    strain: float,
) -> tuple[Atoms, np.ndarray] | None:
    """The contact with the smallest area (Å²) within a strain, or None where all are too large."""
    zsl = ZSLGenerator(
        max_area=area, max_length_tol=strain, max_angle_tol=strain, max_area_ratio_tol=2 * strain
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
    if interface is None or len(interface) > LARGEST:
        return None
    film_mask = np.array(
        [label == "film" for label in interface.site_properties["interface_label"]]
    )
    atoms = AseAtomsAdaptor.get_atoms(interface)
    return Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=True), film_mask


def _with_gap(contact: Atoms, film: np.ndarray, gap: float) -> Atoms:
    """The contact with the film's lowest atom ``gap`` (Å) over the substrate's highest."""
    moved = contact.copy()
    top = contact.positions[~film, 2].max()
    moved.positions[film, 2] += top + gap - contact.positions[film, 2].min()
    return moved


def _conventional(crystal: Atoms) -> Structure:
    structure = AseAtomsAdaptor.get_structure(crystal)
    return SpacegroupAnalyzer(structure, 0.05).get_conventional_standard_structure()
