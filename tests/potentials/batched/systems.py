"""Structures that the engine's tests share."""

import numpy as np
from ase import Atoms
from ase.build import add_adsorbate, bulk, fcc100, fcc110, fcc111
from ase.constraints import FixAtoms


def slab(metal: str, facet: str = "111", adatom: str | None = None, seed: int = 0) -> Atoms:
    """A rattled slab with its lowest layer frozen, with an adatom near a hollow site."""
    build, size = {
        "111": (fcc111, (2, 2, 4)),
        "100": (fcc100, (2, 2, 4)),
        "110": (fcc110, (2, 2, 5)),
    }[facet]
    atoms = build(metal, size, vacuum=7.0, periodic=True)
    heights = atoms.positions[:, 2]
    atoms.set_constraint(FixAtoms(mask=heights < heights.min() + 0.5))
    if adatom is not None:
        add_adsorbate(atoms, adatom, 2.0, "fcc" if facet == "111" else "hollow")
    atoms.rattle(0.06, seed=seed)
    return atoms


def alloy(seed: int, metals: tuple[str, ...] = ("Cu", "Ag", "Au")) -> Atoms:
    """A rattled, slightly strained fcc cell of 8 atoms in random order."""
    random = np.random.default_rng(seed)
    atoms = bulk("Cu", "fcc", a=3.9, cubic=True) * (2, 1, 1)
    atoms.symbols[:] = random.choice(metals, len(atoms))
    atoms.set_cell(
        atoms.cell.array @ (np.eye(3) + random.normal(scale=0.02, size=(3, 3))), scale_atoms=True
    )
    atoms.rattle(0.08, seed=seed)
    return atoms


def hop(metal: str, facet: str, adatom: str) -> tuple[Atoms, Atoms]:
    """An adatom on two neighbouring stable sites, not yet relaxed."""
    build, size, height = {
        "111": (fcc111, (3, 2, 3), 2.0),
        "100": (fcc100, (3, 3, 3), 1.7),
        "110": (fcc110, (2, 3, 4), 1.4),
    }[facet]
    first = build(metal, size, vacuum=6.0, periodic=True)
    heights = first.positions[:, 2]
    first.set_constraint(FixAtoms(mask=heights < heights.min() + 0.5))
    last = first.copy()
    if facet == "111":
        add_adsorbate(first, adatom, height, "fcc")
        add_adsorbate(last, adatom, height, "hcp")
    else:
        along = 1 if facet == "110" else 0
        add_adsorbate(first, adatom, height, "hollow")
        add_adsorbate(last, adatom, height, "hollow")
        last.positions[-1] += last.cell[along] / size[along]
    return first, last
