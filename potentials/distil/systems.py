"""What the training set covers: starting structures for the teacher's trajectories, by family.

Each function yields the systems of one family in order of priority. Names are unique and make the
random numbers, so that the same name always gives the same start.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.build import bcc100, bcc110, bcc111, fcc100, fcc110, fcc111, hcp0001, surface
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray

from potentials.distil.crystals import METALS, POLYANIONIC, SALTS, SEEDS, supercell

TEMPERATURES = (0.0, 300.0, 600.0, 1000.0)
VACUUM = 10.0
"""Å between a slab and its image, more than the teacher's 6 Å cutoff."""
PROTOTYPES = {
    "b2": ("LM", "bcc"),
    "b32": ("LLMM", "bcc-fcc"),
    "d03": ("LLLM", "bcc-fcc"),
    "d03-rich": ("MMML", "bcc-fcc"),
    "l12": ("MLLL", "fcc"),
    "l12-rich": ("LMMM", "fcc"),
}
"""Ordered compounds: Li (L) and metal (M) on the sites of a lattice."""
Crystals = Mapping[str, Atoms]


@dataclass(frozen=True)
class System:
    """One trajectory to be made.

    Attributes:
        name: unique; held-out trajectories are chosen by it.
        family: what the system stands for, for the errors by family.
        atoms: starting structure.
        temperature: of the bath, K; 0 for a descent.
        steps: frames to label.
    """

    name: str
    family: str
    atoms: Atoms
    temperature: float
    steps: int


def generator(name: str) -> np.random.Generator:
    """Random numbers that depend on the name only."""
    return np.random.default_rng(zlib.crc32(name.encode()))


def known(crystals: Crystals, names: Iterable[str]) -> list[str]:
    """Those of ``names`` that there is a crystal of, in their order."""
    return [name for name in names if name in crystals]


def bulk_systems(crystals: Crystals) -> Iterator[System]:
    """Volume scans of every crystal and hot, strained, rattled supercells; bulk Li more often."""
    for name, crystal in crystals.items():
        is_lithium = name.startswith("Li") and len(set(crystal.numbers)) == 1
        scans = 3 if name == "Li" else 1
        for scan in range(scans):
            for linear in np.linspace(-0.05, 0.05, 17):
                label = f"scan/{name}/{scan}/{linear:+.4f}"
                cell = supercell(crystal, (1, 2, 8)[scan] * len(crystal))
                atoms = _strained(cell, np.eye(3) * (1.0 + linear))
                atoms.rattle(0.02 * scan, rng=generator(label))
                yield System(label, "bulk", atoms, 0.0, 1)
        complex_ = name in POLYANIONIC
        for copy in range(12 if is_lithium else 8 if complex_ else 4):
            label = f"bulk/{name}/{copy}"
            rng = generator(label)
            cell = supercell(crystal, max(16, len(crystal)))
            atoms = rattled(_strained(cell, random_strain(rng, 0.02)), rng, 0.04)
            yield System(label, "bulk", atoms, TEMPERATURES[copy % 4], 10)


def vacancy_systems(crystals: Crystals, rounds: range) -> Iterator[System]:
    """Crystals short of one atom, relaxing and hot: Li in compounds first."""
    for copy in rounds:
        for name in known(crystals, SALTS):
            yield _vacancy(crystals, name, copy, (17, 24, 32, 36)[copy % 4], 10)
    for copy in rounds[::2]:
        for name in known(crystals, POLYANIONIC):
            yield _vacancy(crystals, name, copy, 26, 10)
    for copy in rounds[:2]:
        for name in known(crystals, ("Li", *METALS, *SEEDS)):
            yield _vacancy(crystals, name, copy, 16, 8)


def slab_systems(crystals: Crystals) -> Iterator[System]:
    """Clean metal slabs: small cells of many thicknesses, and hot larger cells."""
    for name in known(crystals, ("Li", *METALS, *SEEDS)):
        for facet in facets_of(name):
            for layers in (3, 4, 5, 6, 7, 9, 11):
                label = f"slab/{name}/{facet}/1x1x{layers}"
                rng = generator(label)
                atoms = metal_slab(crystals, name, facet, (1, 1, layers))
                atoms = rattled(_strained(atoms, in_plane_strain(rng, 0.01)), rng, 0.02)
                yield System(label, "slab", atoms, 0.0, 5)
            for copy in range(4 if name in ("Li", "Cu") else 2):
                label = f"slab/{name}/{facet}/2x2/{copy}"
                rng = generator(label)
                atoms = metal_slab(crystals, name, facet, (2, 2, 3 + copy % 3))
                atoms = rattled(_strained(atoms, in_plane_strain(rng, 0.01)), rng, 0.05)
                yield System(label, "slab", atoms, TEMPERATURES[1 + copy % 3], 10)


def adatom_systems(crystals: Crystals, rounds: range) -> Iterator[System]:
    """Li anywhere over metal facets: random lateral places, bond lengths, coverages and heat."""
    for copy in rounds:
        for name in known(crystals, (*METALS, "Li", *SEEDS)):
            for facet in facets_of(name):
                times = 3 if name == "Cu" else 1
                for again in range(times):
                    label = f"adatom/{name}/{facet}/{copy}/{again}"
                    rng = generator(label)
                    size = (2, 2, 3 + copy % 2) if rng.random() < 0.7 else (3, 3, 2 + copy % 2)
                    slab = metal_slab(crystals, name, facet, size)
                    slab = rattled(_strained(slab, in_plane_strain(rng, 0.01)), rng, 0.02)
                    atoms = with_adatoms(slab, rng, 1 if rng.random() < 0.8 else 2)
                    yield System(label, "adatom", atoms, (0.0, 200.0, 500.0, 0.0)[copy % 4], 8)


def hop_path_systems(crystals: Crystals, rounds: range) -> Iterator[System]:
    """Li on the way from one site of a metal facet over the bridge to the next, at bonding height.

    Descents from random places end in the sites, so that the saddles are hardly seen otherwise.
    """
    for copy in rounds:
        for name in known(crystals, METALS):
            for facet in facets_of(name):
                label = f"hop-path/{name}/{facet}/{copy}"
                rng = generator(label)
                slab = metal_slab(crystals, name, facet, (2, 2, 3 + copy % 2))
                slab = rattled(_strained(slab, in_plane_strain(rng, 0.005)), rng, 0.015)
                top = slab.positions[slab.positions[:, 2].argmax(), :2]
                along, across = slab.cell[:2, :2] / 2.0
                # over the middle of a bond of two top atoms, and on either side of it
                lateral = (
                    top + 0.5 * along + rng.choice([0.0, 0.0, *rng.uniform(-0.5, 0.5, 3)]) * across
                )
                height = _height_over(slab, lateral, rng.uniform(2.3, 2.9))
                atoms = slab + Atoms("Li", [[*lateral, height]])
                yield System(label, "adatom", atoms, 0.0, 6)


def salt_slab_systems(crystals: Crystals) -> Iterator[System]:
    """Stoichiometric slabs of ionic compounds, bare and with Li on top."""
    for name in known(crystals, SALTS):
        for facet in salt_facets(name):
            for layers in (2, 3, 4):
                label = f"salt-slab/{name}/{facet}/1x1x{layers}"
                atoms = salt_slab(crystals, name, facet, layers)
                rng = generator(label)
                yield System(label, "salt-slab", rattled(atoms, rng, 0.02), 0.0, 8)
            wide = salt_slab(crystals, name, facet, 2)
            wide = wide.repeat((2, 2, 1) if len(wide) <= 9 else (2, 1, 1) if len(wide) < 20 else 1)
            for copy in range(4):
                label = f"salt-slab/{name}/{facet}/wide/{copy}"
                rng = generator(label)
                yield System(label, "salt-slab", rattled(wide, rng, 0.04), TEMPERATURES[copy], 8)
                label = f"salt-adatom/{name}/{facet}/{copy}"
                rng = generator(label)
                atoms = with_adatoms(rattled(wide, rng, 0.02), rng, 1)
                yield System(label, "salt-slab", atoms, TEMPERATURES[copy % 3], 8)


def melt_systems(crystals: Crystals, rounds: range) -> Iterator[System]:
    """Liquid Li at several densities: random places pushed apart, descending and hot."""
    for copy in rounds:
        label = f"melt/Li/{copy}"
        rng = generator(label)
        atoms = supercell(crystals["Li"], (16, 32, 54)[copy % 3])
        atoms = _strained(atoms, np.eye(3) * rng.uniform(0.97, 1.06))
        atoms = rattled(atoms, rng, rng.uniform(0.3, 0.8))
        yield System(label, "melt", atoms, (600.0, 900.0, 0.0)[copy % 3], 10)


def alloy_systems(crystals: Crystals, rounds: range) -> Iterator[System]:
    """Li with every metal over composition: fcc, bcc and hcp lattices decorated at random."""
    for copy in rounds:
        for name in known(crystals, (*METALS, *SEEDS)):
            for lattice in ("Li", "Li-fcc", "Li-hcp"):
                label = f"alloy/{name}/{lattice}/{copy}"
                rng = generator(label)
                atoms = supercell(crystals[lattice], int(rng.choice([2, 4, 8, 16])))
                count = max(1, round(rng.uniform(0.1, 0.9) * len(atoms)))
                chosen = rng.permutation(len(atoms))[:count]
                numbers = atoms.numbers.copy()
                numbers[chosen] = crystals[name].numbers[0]
                atoms.numbers = numbers
                atoms = _at_volume(atoms, _mixed_volume(crystals, atoms) * rng.uniform(0.85, 1.1))
                atoms = rattled(_strained(atoms, random_strain(rng, 0.02)), rng, 0.05)
                yield System(label, "alloy", atoms, TEMPERATURES[copy % 4], 8)


def ordered_alloy_systems(crystals: Crystals) -> Iterator[System]:
    """Ordered cubic compounds of Li with every metal: volume scans and rattled small supercells."""
    for name in known(crystals, (*METALS, *SEEDS)):
        for prototype in PROTOTYPES:
            compound = ordered_alloy(crystals, name, prototype)
            for linear in np.linspace(-0.06, 0.04, 9):
                label = f"ordered/{name}/{prototype}/{linear:+.4f}"
                atoms = _strained(compound, np.eye(3) * (1.0 + linear))
                yield System(label, "alloy", atoms, 0.0, 1)
            for copy in range(2):
                label = f"ordered/{name}/{prototype}/{copy}"
                rng = generator(label)
                cell = _strained(supercell(compound, 8), np.eye(3) * rng.uniform(0.95, 1.0))
                atoms = rattled(_strained(cell, random_strain(rng, 0.02)), rng, 0.04)
                yield System(label, "alloy", atoms, (0.0, 500.0)[copy], 6)


def ordered_alloy(crystals: Crystals, metal: str, prototype: str) -> Atoms:
    """A primitive cubic compound of Li and a metal at Vegard's volume, by Strukturbericht symbol.

    B2 and B32 (LiM), D0_3 (Li3M and LiM3) and L1_2 (Li3M and LiM3).
    """
    symbols, lattice = PROTOTYPES[prototype]
    species = [metal if symbol == "M" else "Li" for symbol in symbols]
    cells = {
        "bcc": (np.eye(3), [(0, 0, 0), (0.5, 0.5, 0.5)]),
        "bcc-fcc": (np.ones((3, 3)) - np.eye(3), np.arange(4)[:, None] * np.full(3, 0.25)),
        "fcc": (np.eye(3), [(0, 0, 0), (0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5)]),
    }
    cell, fractions = cells[lattice]
    atoms = Atoms(species, scaled_positions=fractions, cell=cell, pbc=True)
    return _at_volume(atoms, _mixed_volume(crystals, atoms))


def facets_of(name: str) -> tuple[str, ...]:
    """Facets that a metal's slabs are cut along."""
    if name == "Li":
        return ("bcc110", "bcc100", "bcc111")
    if name in ("Mg", "Zn"):
        return ("hcp0001", "10-10")
    if name in ("In", "Sn", "Si"):
        return ("100", "110")
    return ("fcc111", "fcc100", "fcc110")


def metal_slab(crystals: Crystals, name: str, facet: str, size: tuple[int, int, int]) -> Atoms:
    """A slab of an element: ``size`` is the in-plane repetition and the number of layers."""
    crystal = crystals[name]
    symbol = crystal.get_chemical_symbols()[0]
    lengths = crystal.cell.lengths()
    if facet.startswith("fcc"):
        build = {"fcc111": fcc111, "fcc100": fcc100, "fcc110": fcc110}[facet]
        slab = build(symbol, size, a=lengths[0] * np.sqrt(2.0), vacuum=VACUUM / 2)
    elif facet.startswith("bcc"):
        build = {"bcc110": bcc110, "bcc100": bcc100, "bcc111": bcc111}[facet]
        slab = build(symbol, size, a=lengths[0] * 2.0 / np.sqrt(3.0), vacuum=VACUUM / 2)
    elif facet == "hcp0001":
        a, c = np.sort(lengths)[[0, 2]]
        slab = hcp0001(symbol, size, a=a, c=c, vacuum=VACUUM / 2)
    else:
        miller = {"10-10": (1, 0, 0), "100": (1, 0, 0), "110": (1, 1, 0)}[facet]
        layers = max(2, size[2] // (2 if name in ("Si", "Sn", "Mg", "Zn") else 1))
        slab = surface(crystal, miller, layers, vacuum=VACUUM / 2).repeat((size[0], size[1], 1))
    slab.pbc = True
    return Atoms(slab.numbers, slab.positions, cell=slab.cell, pbc=True)


def salt_facets(name: str) -> tuple[tuple[int, int, int], ...]:
    """Non-polar facets of an ionic compound, with respect to its conventional cell."""
    if name in ("LiF", "LiCl"):
        return ((1, 0, 0), (1, 1, 0))
    if name == "Li3N":
        return ((1, 0, 0), (0, 0, 1))
    return ((1, 1, 1), (1, 1, 0))


def salt_slab(crystals: Crystals, name: str, miller: tuple[int, int, int], layers: int) -> Atoms:
    """A stoichiometric slab of a compound, cut so that no Li2X trilayer is split."""
    from pymatgen.core.surface import SlabGenerator
    from pymatgen.io.ase import AseAtomsAdaptor
    from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

    structure = AseAtomsAdaptor.get_structure(crystals[name])
    conventional = SpacegroupAnalyzer(structure, 0.05).get_conventional_standard_structure()
    slabs = SlabGenerator(
        conventional,
        miller,
        layers,
        VACUUM / 2.5,
        in_unit_planes=True,
        primitive=True,
        lll_reduce=True,
        center_slab=True,
    ).get_slabs(symmetrize=False)
    slab = min(slabs, key=lambda s: (s.is_polar(tol_dipole_per_unit_area=0.01), len(s)))
    cut = AseAtomsAdaptor.get_atoms(slab.get_orthogonal_c_slab())
    atoms = Atoms(cut.numbers, cut.positions, cell=cut.cell, pbc=True)
    atoms.center(vacuum=VACUUM / 2, axis=2)
    return atoms


def with_adatoms(slab: Atoms, rng: np.random.Generator, count: int) -> Atoms:
    """The slab with Li at random lateral places, its nearest neighbour at 2.1 to 3.6 Å."""
    atoms = slab.copy()
    for _ in range(count):
        bond = rng.uniform(2.1, 3.0) if rng.random() < 0.75 else rng.uniform(3.0, 5.0)
        lateral = rng.random(2) @ slab.cell[:2, :2]
        height = _height_over(atoms, lateral, bond)
        atoms += Atoms("Li", [[*lateral, height]])
    return atoms


def random_strain(rng: np.random.Generator, size: float) -> NDArray[np.float64]:
    """A symmetric deformation gradient with normal-distributed strains of the given size."""
    strain = rng.normal(scale=size, size=(3, 3))
    return np.eye(3) + 0.5 * (strain + strain.T)


def in_plane_strain(rng: np.random.Generator, size: float) -> NDArray[np.float64]:
    """As `random_strain`, the z axis left alone."""
    gradient = random_strain(rng, size)
    gradient[2] = gradient[:, 2] = (0.0, 0.0, 1.0)
    return gradient


def _vacancy(crystals: Crystals, name: str, copy: int, n_atoms: int, steps: int) -> System:
    label = f"vacancy/{name}/{copy}"
    rng = generator(label)
    atoms = supercell(crystals[name], n_atoms)
    lithium = [i for i, symbol in enumerate(atoms.get_chemical_symbols()) if symbol == "Li"]
    victim = int(rng.choice(lithium)) if lithium else int(rng.integers(len(atoms)))
    del atoms[victim]
    atoms = rattled(_strained(atoms, random_strain(rng, 0.01)), rng, 0.03)
    return System(label, "vacancy", atoms, (0.0, 300.0, 700.0)[copy % 3], steps)


def _height_over(atoms: Atoms, lateral: NDArray[np.float64], bond: float) -> float:
    """Lowest z over the slab at which nothing is nearer than ``bond`` to the lateral place."""
    shifts = np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]) @ atoms.cell[:2, :2]
    offsets = atoms.positions[:, None, :2] + shifts - lateral
    squared = np.maximum(bond**2 - (offsets**2).sum(-1), 0.0)
    tops = np.where(squared > 0.0, atoms.positions[:, None, 2] + np.sqrt(squared), -np.inf)
    return float(max(tops.max(), atoms.positions[:, 2].max() + 0.5))


def _strained(atoms: Atoms, gradient: NDArray[np.float64]) -> Atoms:
    strained = atoms.copy()
    strained.set_cell(atoms.cell[:] @ gradient, scale_atoms=True)
    return strained


def rattled(atoms: Atoms, rng: np.random.Generator, size: float) -> Atoms:
    """A copy with every coordinate moved by a normal deviate of the given size, Å."""
    moved = atoms.copy()
    moved.positions += rng.normal(scale=size, size=moved.positions.shape)
    return moved


def _at_volume(atoms: Atoms, volume: float) -> Atoms:
    return _strained(atoms, np.eye(3) * (volume / atoms.get_volume()) ** (1.0 / 3.0))


def _mixed_volume(crystals: Crystals, atoms: Atoms) -> float:
    """Vegard's volume of a decorated cell, Å³."""
    per_atom = {
        int(c.numbers[0]): c.get_volume() / len(c)
        for name, c in crystals.items()
        if len(set(c.numbers)) == 1 and "-" not in name
    }
    return float(sum(per_atom[int(z)] for z in atoms.numbers))


def shortest_distance(atoms: Atoms) -> float:
    """Shortest distance between two atoms, periodic images included, Å; 9 where over 3 Å."""
    distances = neighbor_list("d", atoms, 3.0)
    return float(distances.min()) if len(distances) else 9.0
