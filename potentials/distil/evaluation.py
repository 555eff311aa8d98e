"""What the program asks of a potential, from the network and from its teacher, side by side.

Definitions are the program's own: surface energy, Li binding, barrier, work of adhesion, vacancy
and alloy formation energy, each with the potential's own relaxed crystals and references,
contacts in the teacher's cells.
"""

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.constraints import FixAtoms, FixedLine
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS, FIRE

from potentials.distil.crystals import METALS, SALTS, supercell
from potentials.distil.errors import DistillationError
from potentials.distil.interfaces import contact
from potentials.distil.systems import Crystals, known, metal_slab, ordered_alloy

EV_PER_A2 = 16.02177
"""J/m² in one eV/Å²."""
FACETS = (
    ("Cu", "fcc111"),
    ("Cu", "fcc100"),
    ("Cu", "fcc110"),
    ("Ni", "fcc111"),
    ("Al", "fcc111"),
    ("Ag", "fcc111"),
    ("Au", "fcc111"),
    ("Mg", "hcp0001"),
    ("Zn", "hcp0001"),
)
LITHIUM_FACETS = (("Li", "bcc110"), ("Li", "bcc100"))
HOPS = (
    ("Cu", "fcc111"),
    ("Cu", "fcc100"),
    ("Ni", "fcc111"),
    ("Ni", "fcc100"),
    ("Al", "fcc111"),
    ("Al", "fcc100"),
    ("Ag", "fcc111"),
    ("Ag", "fcc100"),
    ("Au", "fcc111"),
    ("Au", "fcc100"),
    ("Mg", "hcp0001"),
    ("Zn", "hcp0001"),
)
CONTACTS = {
    "Cu": (((1, 1, 1), (1, 1, 0)), ((1, 0, 0), (1, 1, 0)), ((1, 1, 0), (1, 1, 0))),
    "Ni": (((1, 1, 1), (1, 1, 0)),),
    "Al": (((1, 1, 1), (1, 1, 0)),),
    "Ag": (((1, 1, 1), (1, 1, 0)),),
    "Au": (((1, 0, 0), (1, 0, 0)),),
    "Mg": (((0, 0, 1), (1, 1, 0)),),
    "LiCl": (((1, 0, 0), (1, 0, 0)),),
    "Li2O": (((1, 0, 0), (1, 0, 0)),),
    "LiF": (((1, 0, 0), (1, 1, 0)),),
    "Zn": (((1, 0, 0), (1, 0, 0)),),
}
"""Facets of the substrate and of Li on it."""
ALLOYS = (
    ("Al", "b32"),
    ("Zn", "b32"),
    ("In", "b32"),
    ("Ag", "b2"),
    ("Au", "b2"),
    ("Mg", "b2"),
    ("Cu", "b2"),
    ("Ag", "d03"),
    ("Au", "d03"),
    ("Mg", "d03"),
    ("Zn", "d03"),
    ("Sn", "b2"),
)
TOLERANCES = {
    "surface_energy": 0.06,
    "li_binding": 0.05,
    "barrier": 0.03,
    "work_of_adhesion": 0.06,
    "vacancy_energy": 0.2,
    "formation_energy": 0.015,
    "volume_per_atom": 0.3,
}
UNITS = {
    "surface_energy": "J/m²",
    "li_binding": "eV",
    "barrier": "eV",
    "work_of_adhesion": "J/m²",
    "vacancy_energy": "eV",
    "formation_energy": "eV/atom",
    "volume_per_atom": "Å³",
}


@dataclass(frozen=True)
class Value:
    """One derived quantity.

    Attributes:
        quantity: name of the quantity, a key of `UNITS`.
        system: what it is of.
        value: in the quantity's unit.
    """

    quantity: str
    system: str
    value: float


def derived_quantities(
    crystals: Crystals, calculator: Calculator, kept: Path | None = None
) -> list[Value]:
    """All derived quantities with one potential.

    Args:
        crystals: starting crystals by name; relaxed anew with the potential, but for contacts: a
            lattice that is longer by a thousandth may give another match, or a layer more.
        calculator: the potential.
        kept: JSON file that values are kept in as they come, and taken from when already there.
    """
    values: dict[str, float] = json.loads(kept.read_text()) if kept and kept.is_file() else {}
    relaxed = _relaxed(crystals, calculator)
    found = []
    for quantity, system, compute in _tasks(relaxed, crystals, calculator):
        key = f"{quantity} {system}"
        if key not in values:
            values[key] = compute()
            if kept:
                kept.write_text(json.dumps(values, indent=1))
        found.append(Value(quantity, system, values[key]))
    return found


Task = tuple[str, str, Callable[[], float]]


def _tasks(crystals: Crystals, given: Crystals, calculator: Calculator) -> Iterator[Task]:
    lithium = energy_of(crystals["Li"], calculator) / len(crystals["Li"])
    facets = [facet for facet in FACETS if facet[0] in crystals]

    @cache
    def with_lithium(name: str, facet: str, site: str) -> float:
        return adatom_slab_energy(crystals, name, facet, site, calculator)

    for name in known(crystals, ("Li", *METALS, *SALTS)):
        yield "volume_per_atom", name, partial(volume_per_atom, crystals[name])
    for name, facet in (*LITHIUM_FACETS, *facets):
        yield (
            "surface_energy",
            f"{name} {facet}",
            partial(surface_energy, crystals, name, facet, calculator),
        )
    for name, facet in facets:

        def binding(name: str = name, facet: str = facet) -> float:
            bare = adatom_slab_energy(crystals, name, facet, None, calculator)
            return with_lithium(name, facet, stable_site(facet)) - bare - lithium

        yield "li_binding", f"{name} {facet}", binding
    for name, facet in [hop for hop in HOPS if hop[0] in crystals]:

        def barrier(name: str = name, facet: str = facet) -> float:
            stable = with_lithium(name, facet, stable_site(facet))
            return with_lithium(name, facet, "bridge") - stable

        yield "barrier", f"{name} {facet}", barrier
    for name in known(crystals, SALTS):
        yield "vacancy_energy", name, partial(vacancy_energy, crystals[name], lithium, calculator)
    for metal, prototype in [alloy for alloy in ALLOYS if alloy[0] in crystals]:
        yield (
            "formation_energy",
            f"Li-{metal} {prototype}",
            partial(formation_energy, crystals, metal, prototype, calculator),
        )
    for substrate in known(crystals, CONTACTS):
        for ground, film in CONTACTS[substrate]:
            label = f"Li{film}|{substrate}{ground}".replace(", ", "")
            yield (
                "work_of_adhesion",
                label,
                partial(work_of_adhesion, given, substrate, ground, film, calculator),
            )


def volume_per_atom(crystal: Atoms) -> float:
    """Volume per atom of a relaxed crystal, Å³."""
    return float(crystal.get_volume() / len(crystal))


def energy_of(atoms: Atoms, calculator: Calculator) -> float:
    """Energy of a structure as it stands, eV."""
    plain = atoms.copy()
    plain.calc = calculator
    return float(plain.get_potential_energy())


def relaxed_energy(atoms: Atoms, calculator: Calculator, fmax: float = 0.02) -> float:
    """Energy after relaxing positions in the fixed cell, eV."""
    return float(relaxed_atoms(atoms, calculator, fmax).get_potential_energy())


def surface_energy(crystals: Crystals, name: str, facet: str, calculator: Calculator) -> float:
    """(E_slab - N·e_bulk)/(2A) of a relaxed slab of seven layers, J/m²."""
    slab = metal_slab(crystals, name, facet, (1, 1, 7))
    bulk = energy_of(crystals[name], calculator) / len(crystals[name])
    excess = relaxed_energy(slab, calculator) - len(slab) * bulk
    return float(EV_PER_A2 * excess / (2.0 * _area(slab)))


def adatom_slab_energy(
    crystals: Crystals, name: str, facet: str, site: str | None, calculator: Calculator
) -> float:
    """Relaxed energy of a 2×2 slab of four layers with Li on a site, or bare (None), eV.

    The lower two layers are fixed; on a bridge, the saddle of a hop by symmetry, Li may move along
    the normal only.
    """
    slab, lateral = _slab_with_site(crystals, name, facet, site or "bridge")
    lower = FixAtoms(mask=slab.positions[:, 2] < np.median(slab.positions[:, 2]))
    if site is None:
        slab.set_constraint(lower)
        return relaxed_energy(slab, calculator)
    slab += Atoms("Li", [[*lateral, slab.positions[:, 2].max() + 2.0]])
    along_normal = [FixedLine(len(slab) - 1, (0, 0, 1))] if site == "bridge" else []
    slab.set_constraint([lower, *along_normal])
    return relaxed_energy(slab, calculator)


def work_of_adhesion(
    crystals: Crystals,
    substrate: str,
    facet: tuple[int, int, int],
    film_facet: tuple[int, int, int],
    calculator: Calculator,
) -> float:
    """(E_A + E_B - E_AB)/A, both sides relaxed alone in the contact's cell, J/m².

    Raises:
        DistillationError: the two have no small common cell.
    """
    built = contact(crystals, film_facet, substrate, facet)
    if built is None:
        raise DistillationError(
            f"contact: no small one of Li with {substrate}{facet}; take another"
        )
    atoms, film = built
    parts = [relaxed_energy(part, calculator, 0.03) for part in (atoms[film], atoms[~film], atoms)]
    return float(EV_PER_A2 * (parts[0] + parts[1] - parts[2]) / _area(atoms))


def vacancy_energy(crystal: Atoms, lithium: float, calculator: Calculator) -> float:
    """E(N-1) + e(Li) - E(N) of a Li vacancy in a supercell of about 36 atoms, fixed cell, eV."""
    whole = supercell(crystal, 36)
    short = whole.copy()
    del short[whole.get_chemical_symbols().index("Li")]
    return relaxed_energy(short, calculator) + lithium - energy_of(whole, calculator)


def formation_energy(
    crystals: Crystals, metal: str, prototype: str, calculator: Calculator
) -> float:
    """Energy of a relaxed Li alloy over that of its elements, eV/atom."""
    alloy = ordered_alloy(crystals, metal, prototype)
    alloy.calc = calculator
    FIRE(FrechetCellFilter(alloy), logfile=None).run(fmax=0.01, steps=200)
    total = float(alloy.get_potential_energy())
    for symbol in alloy.get_chemical_symbols():
        total -= energy_of(crystals[symbol], calculator) / len(crystals[symbol])
    return total / len(alloy)


def write_table(teacher: list[Value], student: list[Value], path: Path) -> None:
    """CSV of both potentials' values with the tolerance asked for."""
    with path.open("w", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(["quantity", "system", "unit", "teacher", "network", "tolerance"])
        for a, b in zip(teacher, student, strict=True):
            values = (f"{a.value:.4f}", f"{b.value:.4f}", TOLERANCES[a.quantity])
            writer.writerow([a.quantity, a.system, UNITS[a.quantity], *values])


def _relaxed(crystals: Crystals, calculator: Calculator) -> dict[str, Atoms]:
    relaxed = {}
    for name in known(crystals, ("Li", *METALS, "In", "Sn", *SALTS)):
        atoms = crystals[name].copy()
        atoms.calc = calculator
        FIRE(FrechetCellFilter(atoms), logfile=None).run(fmax=0.005, steps=200)
        relaxed[name] = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=True)
    return relaxed


def relaxed_atoms(atoms: Atoms, calculator: Calculator, fmax: float) -> Atoms:
    """A copy with relaxed positions in the fixed cell, the calculator attached."""
    moved = atoms.copy()
    moved.calc = calculator
    BFGS(moved, logfile=None, maxstep=0.1).run(fmax=fmax, steps=80)
    return moved


def stable_site(facet: str) -> str:
    """The site of a facet that Li prefers."""
    return {"fcc111": "fcc", "fcc100": "hollow", "fcc110": "hollow", "hcp0001": "fcc"}[facet]


def _slab_with_site(
    crystals: Crystals, name: str, facet: str, site: str
) -> tuple[Atoms, np.ndarray]:
    """A 2×2 slab of four layers and the lateral position of a site on it, Å."""
    slab = metal_slab(crystals, name, facet, (2, 2, 4))
    surface_cell = slab.cell[:2, :2] / 2.0
    top = slab.positions[slab.positions[:, 2].argmax(), :2]
    below = slab.positions[:, 2] < slab.positions[:, 2].max() - 0.5
    if site == "bridge":
        return slab, top + 0.5 * surface_cell[0]
    if facet == "fcc111":
        third = np.sort(np.unique(slab.positions[:, 2].round(3)))[-3]
        return slab, slab.positions[np.isclose(slab.positions[:, 2], third, atol=0.01)][0, :2]
    if facet == "hcp0001":
        second = slab.positions[below][:, 2].max()
        hcp = slab.positions[np.isclose(slab.positions[:, 2], second, atol=0.01)][0, :2]
        return slab, 2.0 * top - hcp
    return slab, top + 0.5 * surface_cell.sum(axis=0)


def _area(atoms: Atoms) -> float:
    return float(np.linalg.norm(np.cross(atoms.cell[0], atoms.cell[1])))
