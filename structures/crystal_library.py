"""The crystals that a campaign can name: facts with their source, and the cells built from them."""

import difflib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import spglib
import yaml
from numpy.typing import NDArray
from pymatgen.core.composition import Composition
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from structures.errors import StructureError
from structures.outside import is_outside, outside_crystal
from structures.symmetry import symmetry


@dataclass(frozen=True)
class WyckoffSite:
    """One orbit of equivalent atoms.

    Attributes:
        element: chemical symbol.
        wyckoff: multiplicity and letter, such as ``"8c"``.
        position: fractional coordinates of one atom of the orbit.
    """

    element: str
    wyckoff: str
    position: tuple[float, float, float]

    @property
    def multiplicity(self) -> int:
        """Atoms of this orbit per conventional cell."""
        return int(self.wyckoff[:-1])


@dataclass(frozen=True)
class CrystalFact:
    """What the library knows of one crystal.

    Attributes:
        name: unique name; the formula where there is only one phase.
        formula: formula of the ordered cell.
        space_group_number: international number.
        space_group_symbol: Hermann-Mauguin symbol of the setting used.
        cell: a, b, c in Å and alpha, beta, gamma in degrees, conventional cell.
        sites: the Wyckoff orbits.
        source: where cell and positions are published.
        note: what a user must know (phase, ordering, origin), or empty.
        aliases: other names it answers to.
        roles: among li, collector, seed, alloy, conversion, electrolyte, coating, cathode and
            competing (a phase that matters only on a hull).
        tier: 1 where the embedded potential covers it, 2 otherwise; 3 from outside the library.
        sheet: whether it is one two-dimensional sheet, its c being vacuum.
    """

    name: str
    formula: str
    space_group_number: int
    space_group_symbol: str
    cell: tuple[float, float, float, float, float, float]
    sites: tuple[WyckoffSite, ...]
    source: str
    note: str
    aliases: tuple[str, ...]
    roles: tuple[str, ...]
    tier: int
    sheet: bool


def crystal_names(role: str | None = None) -> list[str]:
    """Names in the library, sorted; only those with ``role`` where one is given."""
    return sorted(fact.name for fact in _facts().values() if role is None or role in fact.roles)


def crystal_names_within(elements: Collection[str]) -> list[str]:
    """Names of all crystals made of ``elements`` alone, sorted: the candidates for their hull.

    A single sheet is no phase of the bulk and is left out.
    """
    allowed = set(elements)
    return sorted(
        fact.name
        for fact in _facts().values()
        if not fact.sheet and {site.element for site in fact.sites} <= allowed
    )


def crystal_fact(name: str) -> CrystalFact:
    """The fact behind ``name`` or one of its aliases, or read off a crystal from outside.

    Args:
        name: in the library; else a CIF file, Materials Project id or OPTIMADE address, as
            `structures.outside` takes them.

    Raises:
        StructureError: the library has no such crystal, the message giving the nearest names; or
            as `structures.outside.outside_crystal`.
    """
    facts, names = _facts(), _names()
    if name in names:
        return facts[names[name]]
    if is_outside(name):
        return _outside_fact(name)
    lowered = {known.lower(): known for known in names}
    near = difflib.get_close_matches(str(name).lower(), lowered, n=3, cutoff=0.5)
    mend = (
        f"nearest: {', '.join(lowered[known] for known in near)}"
        if near
        else "`lithiophile structures list` shows the library"
    )
    raise StructureError(f"crystal: '{name}' is not in the library; {mend}")


def crystal(name: str) -> Structure:
    """Conventional cell of a crystal of the library, or from outside it.

    Args:
        name: a name or alias, such as ``"Cu"`` or ``"gamma-Li3PS4"``; a CIF file, Materials Project
            id or OPTIMADE address.

    Returns:
        A new pymatgen Structure in the cell and setting of its source, lengths in Å. One from
        outside carries its source and the hash of what was read in its ``properties``.

    Raises:
        StructureError: as `crystal_fact`.
    """
    if name not in _names() and is_outside(name):
        return _outside_cell(name)
    return _built(crystal_fact(name).name).copy()


def _outside_cell(name: str) -> Structure:
    from structures.conversion import conventional_cell

    found = outside_crystal(name)
    cell = conventional_cell(found.structure)
    cell.properties = {"source": found.source, "sha256": found.sha256}
    return cell


def _outside_fact(name: str) -> CrystalFact:
    cell = _outside_cell(name)
    dataset = symmetry(cell)
    representatives = {orbit: i for i, orbit in reversed(list(enumerate(dataset.equivalent_atoms)))}
    sites = []
    for orbit, first in sorted(representatives.items()):
        count = int((dataset.equivalent_atoms == orbit).sum())
        x, y, z = (float(value) for value in cell[first].frac_coords)
        letter = dataset.wyckoffs[first]
        sites.append(WyckoffSite(cell[first].specie.symbol, f"{count}{letter}", (x, y, z)))
    return CrystalFact(
        name=name,
        formula=cell.composition.reduced_formula,
        space_group_number=int(dataset.number),
        space_group_symbol=dataset.international,
        cell=(*cell.lattice.abc, *cell.lattice.angles),
        sites=tuple(sites),
        source=cell.properties["source"],
        note=f"sha256 {cell.properties['sha256']}",
        aliases=(),
        roles=(),
        tier=3,
        sheet=False,
    )


@cache
def _built(name: str) -> Structure:
    fact = _facts()[name]
    species: list[str] = []
    positions: list[NDArray[np.float64]] = []
    for site in fact.sites:
        orbit = _orbit(fact.space_group_number, site.position)
        if len(orbit) != site.multiplicity:
            raise StructureError(
                f"crystal: '{name}' has {len(orbit)} {site.element} atoms on {site.wyckoff}; "
                "correct that position in the library"
            )
        species += [site.element] * len(orbit)
        positions.extend(orbit)
    structure = Structure(Lattice.from_parameters(*fact.cell), species, positions)
    if structure.composition.reduced_formula != Composition(fact.formula).reduced_formula:
        raise StructureError(
            f"crystal: '{name}' is built as {structure.composition.reduced_formula}, not "
            f"{fact.formula}; correct its sites in the library"
        )
    return structure


def _orbit(number: int, position: tuple[float, float, float]) -> NDArray[np.float64]:
    """All fractional positions equivalent to ``position``, shape (multiplicity, 3)."""
    rotations, translations = _operations(number)
    images = np.mod(rotations @ np.array(position) + translations, 1.0)
    kept: list[NDArray[np.float64]] = []
    for image in images:
        apart = np.array(kept).reshape(-1, 3) - image
        if not (np.abs(apart - np.round(apart)) < 1e-4).all(axis=1).any():
            kept.append(image)
    return np.array(kept)


@cache
def _operations(number: int) -> tuple[NDArray[np.int_], NDArray[np.float64]]:
    """Symmetry operations of a space group in its first setting.

    That is origin choice 1, hexagonal axes, unique axis b. They come from spglib's tables, as
    pymatgen's own take a second for a cubic group.
    """
    kinds = (spglib.get_spacegroup_type(hall) for hall in range(1, 531))
    hall = next(kind.hall_number for kind in kinds if kind is not None and kind.number == number)
    operations = spglib.get_symmetry_from_database(hall)
    if operations is None:
        raise StructureError(f"space_group: spglib has no operations of number {number}")
    return operations["rotations"], operations["translations"]


@cache
def _facts() -> dict[str, CrystalFact]:
    facts: dict[str, CrystalFact] = {}
    for name, entry in _entries():
        if name in facts:
            raise StructureError(f"crystal: '{name}' is twice in the library; rename one")
        facts[name] = _fact(name, entry)
    return facts


@cache
def _names() -> dict[str, str]:
    names = {name: name for name in _facts()}
    for fact in _facts().values():
        for alias in fact.aliases:
            if names.setdefault(alias, fact.name) != fact.name:
                raise StructureError(f"crystal: alias '{alias}' is twice in the library")
    return names


def _entries() -> Iterator[tuple[str, dict[str, Any]]]:
    # PyYAML's parser in C reads the library in a tenth of the time of any in Python.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    folder = files("structures") / "crystals"
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if path.name.endswith(".yaml"):
            yield from yaml.load(path.read_text(encoding="utf-8"), Loader=loader).items()


def _fact(name: str, entry: dict[str, Any]) -> CrystalFact:
    number = int(entry["space_group"]["number"])
    return CrystalFact(
        name=name,
        formula=entry["formula"],
        space_group_number=number,
        space_group_symbol=entry["space_group"]["symbol"],
        cell=_cell(entry["cell"], number),
        sites=tuple(
            WyckoffSite(site["element"], site["wyckoff"], _position(site["position"]))
            for site in entry["sites"]
        ),
        source=entry["source"],
        note=entry.get("note", ""),
        aliases=tuple(entry.get("aliases", ())),
        roles=tuple(entry["roles"]),
        tier=int(entry["tier"]),
        sheet=bool(entry.get("sheet", False)),
    )


def _cell(cell: dict[str, float], number: int) -> tuple[float, float, float, float, float, float]:
    a = float(cell["a"])
    hexagonal = 143 <= number <= 194
    return (
        a,
        float(cell.get("b", a)),
        float(cell.get("c", a)),
        float(cell.get("alpha", 90.0)),
        float(cell.get("beta", 90.0)),
        float(cell.get("gamma", 120.0 if hexagonal else 90.0)),
    )


def _position(values: list[Any]) -> tuple[float, float, float]:
    # Fractions are kept as text in the library: 1/3 as 0.3333 would leave its special position.
    x, y, z = (float(Fraction(str(value))) for value in values)
    return (x, y, z)
