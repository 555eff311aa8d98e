"""Hops of an ion into a neighbouring vacancy of a crystal, and the easiest way through it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from monty.json import MSONable
from numpy.typing import ArrayLike, NDArray
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from structures.errors import StructureError
from structures.percolation import PeriodicClusters

SYMMETRY_PRECISION = 0.05
"""Atoms this close to their symmetric positions are on them, Å: relaxed crystals are not exact."""

LONGEST_HOP = 5.0
"""No ion jumps further than this in one go, Å."""

_SAME_LENGTH = 0.05
"""Lengths closer than this are equal, Å."""

_MARGIN = 1.1
"""Hops up to so many times longer than those that must be made are looked at too."""

_LARGEST_REPEAT = 6

Cell = tuple[int, int, int]
Image = tuple[int, int, Cell]
"""A hop between two sites of the primitive cell: start, end, and the cell that the end lies in."""


@dataclass(frozen=True)
class VacancyHop(MSONable):
    """A symmetry-distinct hop of one ion into a neighbouring vacancy.

    Attributes:
        initial: supercell in which the start site is vacant.
        final: the same with the hopping ion on the start site, so that the end site is vacant;
            sites in the same order.
        start: label of the site that is vacant first, such as ``"Li 8c"``.
        end: label of the site that is vacant last.
        distance: between the two sites, Å.
        images: all symmetric copies of the hop in the primitive cell, as `percolating_hops` needs
            them.
        what: what stands on the start site first: a vacancy or, of an interstitial's hop, an extra
            ion.
    """

    initial: Structure
    final: Structure
    start: str
    end: str
    distance: float
    images: tuple[Image, ...]
    what: str = "vacancy"


@dataclass(frozen=True)
class Percolation:
    """The easiest way through a crystal.

    Attributes:
        barrier: highest saddle on the way above the most stable vacancy that is reached without
            crossing more, eV.
        dimensions: directions that it leads along: 1, 2 or 3.
        hop: position of the hop with that saddle.
    """

    barrier: float
    dimensions: int
    hop: int


def vacancy_hops(
    crystal: Structure, element: str = "Li", min_length: float = 8.0
) -> list[VacancyHop]:
    """The symmetry-distinct hops of ``element`` by which a vacancy can travel through a crystal.

    Two sites are neighbours if no third one of the element lies in the sphere whose diameter
    connects them (the Gabriel graph). Of these hops the shortest are taken with which the vacancy
    can travel in as many directions as it can at all, and those up to a tenth longer.

    Args:
        crystal: relaxed, any cell.
        element: symbol of the ion that moves.
        min_length: of the supercell's shortest lattice vector, Å, so that a vacancy is that far
            from its own images.

    Returns:
        The hops, the shortest first; empty where no hops of at most `LONGEST_HOP` lead anywhere.

    Raises:
        StructureError: the crystal does not hold the element.
    """
    if element not in crystal.symbol_set:
        raise StructureError(
            f"crystal: {crystal.composition.reduced_formula} holds no {element}; "
            f"choose from {', '.join(sorted(crystal.symbol_set))}"
        )
    analyzer = SpacegroupAnalyzer(crystal, SYMMETRY_PRECISION)
    sublattice = _sublattice(analyzer.get_primitive_standard_structure(), element)
    orbits = _needed_hops(sublattice)
    if not orbits:
        return []
    longest = max(sublattice.length(orbit[0]) for orbit in orbits)
    cells = (sublattice.primitive, analyzer.get_conventional_standard_structure())
    # The nearest copy of the end site must be the one that is meant.
    supercell = _supercell(cells, max(min_length, 2.2 * longest))
    return [_hop(sublattice, orbit, supercell) for orbit in orbits]


def relaxed_ends(hop: VacancyHop, initial: Structure, final: Structure) -> VacancyHop:
    """The hop between its relaxed ends, each atom of the final one in its copy nearest to before.

    Args:
        hop: as `vacancy_hops` gave it.
        initial: its initial structure, relaxed.
        final: its final structure, relaxed.

    Raises:
        StructureError: an end at which it did not stay, so that there is no such hop.
    """
    ends = ((hop.initial, initial, hop.start), (hop.final, final, hop.end))
    for built, relaxed, label in ends:
        if np.linalg.norm(_moves(built, relaxed), axis=1).max() > hop.distance / 2:
            raise StructureError(f"{hop.what} on {label}: does not stay there")
    moved = initial.lattice.get_fractional_coords(_moves(initial, final))
    final = Structure(initial.lattice, initial.species, initial.frac_coords + moved)
    return replace(hop, initial=initial, final=final)


def percolating_hops(
    hops: Sequence[VacancyHop],
    saddles: Sequence[float | None],
    energies: Mapping[str, float],
) -> tuple[Percolation, ...]:
    """The easiest ways that lead along one direction, and along more.

    Args:
        hops: of one crystal, as `vacancy_hops` gave them.
        saddles: highest energy on the way of each hop, eV; None where it is not known, and the hop
            is not made.
        energies: of the vacancy on each site, by label, eV, on the scale of ``saddles``.

    Returns:
        One entry whenever, as the saddles that may be crossed rise, more directions open; so the
        first one has the lowest barrier. Empty where the hops lead nowhere.

    Raises:
        StructureError: a saddle too few or too many, or a site without an energy.
    """
    if len(saddles) != len(hops):
        raise StructureError(f"saddles: {len(saddles)} values for {len(hops)} hops; give one each")
    labels: dict[int, str] = {}
    for hop in hops:
        for start, end, _ in hop.images:
            labels |= {start: hop.start, end: hop.end}
    if missing := sorted(set(labels.values()) - set(energies)):
        raise StructureError(f"energies: none for the vacancy on {missing[0]}; give one")
    clusters = PeriodicClusters({site: energies[name] for site, name in labels.items()}, 3)
    known = [(saddle, position) for position, saddle in enumerate(saddles) if saddle is not None]
    found: list[Percolation] = []
    for saddle, position in sorted(known):
        images = hops[position].images
        for image in images:
            clusters.join(*image)
        reached = [clusters.of(start) for start, _, _ in images]
        dimensions = max(len(loops) for loops, _ in reached)
        if dimensions > (found[-1].dimensions if found else 0):
            lowest = max(energy for loops, energy in reached if len(loops) == dimensions)
            found.append(Percolation(saddle - lowest, dimensions, position))
    return tuple(found)


@dataclass(frozen=True)
class _Sublattice:
    """The sites of one element in the primitive cell of a crystal, with its symmetry.

    Attributes:
        primitive: standard primitive cell.
        labels: of the element's sites, by their position in the cell's list.
        operations: for each operation of the space group, the site and the cell in which it puts
            each of the element's sites, and its rotation.
    """

    primitive: Structure
    labels: dict[int, str]
    operations: list[tuple[dict[int, tuple[int, NDArray[np.int_]]], NDArray[np.int_]]]

    def length(self, image: Image) -> float:
        """Length of a hop, Å."""
        return float(np.linalg.norm(np.subtract(*self.ends(image))))

    def ends(self, image: Image) -> NDArray[np.float64]:
        """Cartesian positions of a hop's start and end, shape (2, 3), Å."""
        start, end, cell = image
        coords = self.primitive.frac_coords
        ends = [coords[start], coords[end] + cell]
        return np.asarray(self.primitive.lattice.get_cartesian_coords(ends))

    def moved(self, image: Image) -> Iterator[Image]:
        """The hop under every operation of the space group."""
        start, end, cell = image
        for targets, rotation in self.operations:
            new_start, start_cell = targets[start]
            new_end, end_cell = targets[end]
            yield new_start, new_end, _cell(rotation @ cell + end_cell - start_cell)


def _sublattice(primitive: Structure, element: str) -> _Sublattice:
    dataset = SpacegroupAnalyzer(primitive, SYMMETRY_PRECISION).get_symmetry_dataset()
    sites = [i for i, site in enumerate(primitive) if site.specie.symbol == element]
    operations = []
    for rotation, translation in zip(dataset.rotations, dataset.translations, strict=True):
        targets = {}
        for i in sites:
            image = rotation @ primitive.frac_coords[i] + translation
            apart = image - primitive.frac_coords[sites]
            nearest = np.argmin(
                np.linalg.norm((apart - np.round(apart)) @ primitive.lattice.matrix, axis=1)
            )
            targets[i] = (sites[int(nearest)], np.rint(apart[nearest]).astype(int))
        operations.append((targets, rotation))
    return _Sublattice(primitive, _labels(primitive, sites, dataset), operations)


def _labels(primitive: Structure, sites: Sequence[int], dataset: Any) -> dict[int, str]:
    """Element, multiplicity in the conventional cell and Wyckoff letter, numbered where shared."""
    n_primitive = len(dataset.std_types) / len(primitive)
    orbits = [int(orbit) for orbit in dataset.equivalent_atoms]
    names: dict[int, str] = {}
    for i in sites:
        multiplicity = round(orbits.count(orbits[i]) * n_primitive)
        name = f"{primitive[i].specie.symbol} {multiplicity}{dataset.wyckoffs[i]}"
        twins = sum(other.partition(" (")[0] == name for other in names.values())
        names.setdefault(orbits[i], f"{name} ({twins + 1})" if twins else name)
    return {i: names[orbits[i]] for i in sites}


def _needed_hops(sublattice: _Sublattice) -> list[tuple[Image, ...]]:
    """The distinct hops to look at, each with all its copies, the shortest first."""
    orbits = _orbits(sublattice)
    clusters = PeriodicClusters(dict.fromkeys(sublattice.labels, 0.0), 3)
    directions, needed = 0, 0.0
    for orbit in orbits:
        for image in orbit:
            clusters.join(*image)
        reached = max(len(clusters.of(start)[0]) for start, _, _ in orbit)
        if reached > directions:
            directions, needed = reached, sublattice.length(orbit[0])
    return [orbit for orbit in orbits if sublattice.length(orbit[0]) <= _MARGIN * needed]


def _orbits(sublattice: _Sublattice) -> list[tuple[Image, ...]]:
    """Neighbours in the Gabriel graph of the element's sites, symmetric ones together."""
    orbits: list[tuple[Image, ...]] = []
    known: set[Image] = set()
    for image in sorted(_neighbours(sublattice), key=sublattice.length):
        if image in known:
            continue
        orbit: dict[Image, None] = {}
        for moved in sublattice.moved(image):
            if _reversed(moved) not in orbit:
                orbit[moved] = None
        known.update(orbit, map(_reversed, orbit))
        orbits.append(tuple(orbit))
    return orbits


def _neighbours(sublattice: _Sublattice) -> list[Image]:
    """All pairs of the element's sites without a third one between them."""
    cell = sublattice.primitive
    found = []
    for start in sublattice.labels:
        around = [
            (site.coords - cell[start].coords, site.index, _cell(site.image))
            for site in cell.get_neighbors(cell[start], LONGEST_HOP)
            if site.index in sublattice.labels
        ]
        vectors = np.array([vector for vector, _, _ in around]).reshape(-1, 3)
        for position, (vector, end, image) in enumerate(around):
            radii = np.linalg.norm(vectors - vector / 2, axis=1)
            radii[position] = np.inf
            if radii.min(initial=np.inf) > np.linalg.norm(vector) / 2 + _SAME_LENGTH:
                found.append((start, end, image))
    return found


def _supercell(cells: Sequence[Structure], min_length: float) -> Structure:
    """The smallest repeat of one of the cells whose shortest lattice vector is long enough."""
    repeats = sorted(
        (
            (len(cell) * int(np.prod(repeat)), position, repeat)
            for position, cell in enumerate(cells)
            for repeat in product(range(1, _LARGEST_REPEAT + 1), repeat=3)
        )
    )
    for _, position, repeat in repeats:
        lattice = cells[position].lattice.matrix * np.array(repeat)[:, None]
        if min(Lattice(lattice).get_lll_reduced_lattice().abc) >= min_length:
            return cells[position] * repeat
    return cells[0] * ((_LARGEST_REPEAT,) * 3)


def _hop(sublattice: _Sublattice, orbit: tuple[Image, ...], supercell: Structure) -> VacancyHop:
    start, end = sublattice.ends(orbit[0])
    vacant, mover = (_site_at(supercell, position) for position in (start, end))
    coords = supercell.frac_coords.copy()
    coords[mover] += supercell.lattice.get_fractional_coords(start - end)
    kept = [i for i in range(len(supercell)) if i != vacant]
    species = [supercell[i].specie for i in kept]
    return VacancyHop(
        initial=Structure(supercell.lattice, species, supercell.frac_coords[kept]),
        final=Structure(supercell.lattice, species, coords[kept]),
        start=sublattice.labels[orbit[0][0]],
        end=sublattice.labels[orbit[0][1]],
        distance=float(np.linalg.norm(end - start)),
        images=orbit,
    )


def _site_at(structure: Structure, position: NDArray[np.float64]) -> int:
    """Position in the list of the site at a Cartesian position or a copy of it."""
    frac = structure.lattice.get_fractional_coords(position)
    distances = structure.lattice.get_all_distances(frac, structure.frac_coords)
    return int(distances.argmin())


def _moves(one: Structure, other: Structure) -> NDArray[np.float64]:
    """How far each site moved, to its nearest copy, shape (n_sites, 3), Å."""
    moved = other.frac_coords - one.frac_coords
    return np.asarray(one.lattice.get_cartesian_coords(moved - np.round(moved)))


def _reversed(image: Image) -> Image:
    start, end, (a, b, c) = image
    return end, start, (-a, -b, -c)


def _cell(values: ArrayLike) -> Cell:
    a, b, c = (int(value) for value in np.asarray(values))
    return a, b, c
