"""Electrolytes and coatings cut, joined and crossed by ions, for the training set."""

from collections.abc import Iterator

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list
from pymatgen.core.surface import Slab, SlabGenerator
from pymatgen.io.ase import AseAtomsAdaptor

from potentials.distil.crystals import POLYANIONIC, SALTS, supercell
from potentials.distil.interfaces import coherent_contact, conventional, with_gap
from potentials.distil.systems import (
    VACUUM,
    Crystals,
    System,
    generator,
    known,
    rattled,
    with_adatoms,
)

ELECTROLYTES = ("Li3PS4", "Li6PS5Cl")
"""What coatings are put on; lithium is put on every polyanionic compound."""
FACETS = ((1, 0, 0), (1, 1, 0), (1, 1, 1))
LARGEST_SLAB = 64
LARGEST_CONTACT = 110
"""Atoms; the cells of the electrolytes are larger than those of metals and salts."""
GAPS = (1.8, 2.2, 2.6, 3.2, 4.5)
HOP_LENGTH = 4.2
"""Å; the longest hop of an ion that is sampled."""


def slab_systems(crystals: Crystals) -> Iterator[System]:
    """Slabs of polyanionic compounds, bare and with Li on top: descents and hot frames."""
    for name in known(crystals, POLYANIONIC):
        for facet in FACETS:
            for number, slab in enumerate(_slabs(crystals[name], facet)[:3]):
                for copy, temperature in enumerate((0.0, 400.0, 800.0)):
                    label = f"compound-slab/{name}/{facet}/{number}/{copy}"
                    rng = generator(label)
                    start = rattled(slab, rng, 0.03)
                    if copy == 1:
                        start = with_adatoms(start, rng, 2)
                    yield System(label, "compound-slab", start, temperature, 6)


def contact_systems(crystals: Crystals) -> Iterator[System]:
    """Lithium and coatings on polyanionic compounds: gaps, halves, descents and hot frames."""
    cells = {name: conventional(crystal) for name, crystal in crystals.items()}
    for substrate in known(crystals, POLYANIONIC):
        films = ("Li", *SALTS, "Li3P", "Li3PO4") if substrate in ELECTROLYTES else ("Li",)
        for film in known(crystals, films):
            for facet in FACETS:
                for film_facet in ((1, 1, 0), (1, 0, 0), (1, 1, 1)):
                    built = coherent_contact(
                        cells[film],
                        film_facet,
                        cells[substrate],
                        facet,
                        max_area=120.0,
                        strain=0.08,
                        largest=LARGEST_CONTACT,
                    )
                    if built is not None:
                        name = f"{film}{film_facet}|{substrate}{facet}".replace(", ", "")
                        yield from _of_contact(name, *built, film == "Li")
                        break


def hop_systems(crystals: Crystals, rounds: range) -> Iterator[System]:
    """Ions between their site and a vacancy beside it, or an extra one anywhere between sites."""
    for copy in rounds:
        for name in known(crystals, (*SALTS, *POLYANIONIC)):
            label = f"hop/{name}/{copy}"
            rng = generator(label)
            cell = supercell(crystals[name], (28, 36, 48)[copy % 3])
            atoms = _with_interstitial(cell, rng) if copy % 4 == 3 else _hopping(cell, rng)
            if atoms is not None:
                start = rattled(atoms, rng, 0.02)
                yield System(label, "hop", start, (0.0, 300.0)[copy % 2], 6)


def _of_contact(name: str, contact: Atoms, film: np.ndarray, lithium: bool) -> Iterator[System]:
    family = "electrolyte-contact"
    for gap in GAPS if lithium else GAPS[1:4]:
        yield System(f"{family}/{name}/gap{gap}", family, with_gap(contact, film, gap), 0.0, 1)
    for half, kept in (("film", film), ("substrate", ~film)):
        yield System(f"{family}/{name}/{half}", family, contact[kept], 0.0, 3)
    for copy, temperature in enumerate((0.0, 500.0)):
        label = f"{family}/{name}/{copy}"
        rng = generator(label)
        start = rattled(with_gap(contact, film, rng.uniform(1.9, 2.6)), rng, 0.03)
        yield System(label, family, start, temperature, 8)


def _slabs(crystal: Atoms, facet: tuple[int, int, int]) -> list[Atoms]:
    """Terminations of a facet that break no bond between P and its anions, smallest first."""
    slabs: list[Slab] = SlabGenerator(
        conventional(crystal), facet, 7.0, VACUUM, primitive=True, lll_reduce=True, center_slab=True
    ).get_slabs(bonds={("P", "S"): 2.4, ("P", "O"): 1.9}, max_broken_bonds=0)
    found = []
    for slab in slabs:
        upright = AseAtomsAdaptor.get_atoms(slab.get_orthogonal_c_slab())
        atoms = Atoms(upright.numbers, upright.positions, cell=upright.cell, pbc=True)
        if len(atoms) <= LARGEST_SLAB:
            found.append(atoms)
    return sorted(found, key=len)


def _hopping(cell: Atoms, rng: np.random.Generator) -> Atoms | None:
    """The cell short of one Li, with a neighbour of it on its way there."""
    origins, targets, vectors = neighbor_list("ijD", cell, HOP_LENGTH)
    lithium = cell.symbols == "Li"
    hops = np.flatnonzero(lithium[origins] & lithium[targets] & (origins != targets))
    if not len(hops):
        return None
    hop = hops[rng.integers(len(hops))]
    atoms = cell.copy()
    atoms.positions[origins[hop]] += rng.uniform(0.15, 0.85) * vectors[hop]
    del atoms[int(targets[hop])]
    return atoms


def _with_interstitial(cell: Atoms, rng: np.random.Generator) -> Atoms | None:
    """The cell with one more Li, at the roomiest of some random places."""
    places = rng.random((60, 3)) @ cell.cell[:]
    room = []
    for place in places:
        tried = cell + Atoms("Li", [place])
        room.append(tried.get_distances(-1, range(len(cell)), mic=True).min())
    if max(room) < 1.5:
        return None
    return cell + Atoms("Li", [places[int(np.argmax(room))]])
