"""Paths that lead across a periodic surface: how high the barriers are that travel must cross.

Places of an adatom and the hops between them form a graph that repeats with the cell. Walking a
closed loop in it may end in another copy of the cell; such a loop is a way to travel. As the height
that can be crossed rises, hops open one after another, and the copies that can be reached grow from
none to a line to the whole plane (the bottleneck of a path in a periodic graph; the union-find that
carries lattice shifts is that of Newman and Ziff's test for wrapping clusters, Phys. Rev. E 64,
016706 (2001)).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

Shift = tuple[int, int]


@dataclass(frozen=True)
class Link:
    """One hop in the periodic graph.

    Attributes:
        start: place that it leaves, in the cell.
        end: place that it reaches, up to a lattice shift.
        shift: how many cells along a and b the end is away from its own image in the cell.
        saddle: highest energy on the way, eV.
        hop: which distinct hop it is an image of.
    """

    start: int
    end: int
    shift: Shift
    saddle: float
    hop: int


@dataclass(frozen=True)
class Travel:
    """One way to travel along the surface.

    Attributes:
        barrier: highest saddle on the way above the most stable place that is reached without
            crossing more, eV.
        hop: the distinct hop with that saddle.
        angle: direction of travel against a, 0 to 180 degrees; None where it leads everywhere.
    """

    barrier: float
    hop: int
    angle: float | None


def easiest_travel(
    links: Sequence[Link], energies: Mapping[int, float], vectors: ArrayLike
) -> tuple[Travel | None, Travel | None]:
    """The lowest barriers of travel in some direction, and in every direction.

    Args:
        links: all hops in one cell, with all their symmetric images; each is walked both ways.
        energies: of the places, eV, on the scale of the links' saddles.
        vectors: in-plane lattice vectors of the cell, rows, shape (2, 2), Å.

    Returns:
        The easiest direction, and everywhere (the direction hardest to travel, by the easiest way
        that there is). Both are the same barrier where a surface is equally easy along two
        directions. None where no path leads across the cell.
    """
    clusters = PeriodicClusters(energies, n_dimensions=2)
    along: Travel | None = None
    for same_height in _by_height(links):
        for link in same_height:
            clusters.join(link.start, link.end, link.shift)
        found = sorted(
            (
                Travel(link.saddle - lowest, link.hop, _angle(loops[0], vectors))
                if len(loops) == 1
                else Travel(link.saddle - lowest, link.hop, None)
                for link in same_height
                for loops, lowest in [clusters.of(link.start)]
                if loops
            ),
            key=lambda travel: (travel.angle is not None, travel.barrier),
        )
        along = along or next(iter(found), None)
        if found and found[0].angle is None:
            return along, found[0]
    return along, None


def _by_height(links: Sequence[Link]) -> list[list[Link]]:
    """Links in groups of one saddle, lowest first: the images of a hop open together."""
    groups: list[list[Link]] = []
    for link in sorted(links, key=lambda one: one.saddle):
        if groups and link.saddle - groups[-1][0].saddle < _SAME_ENERGY:
            groups[-1].append(link)
        else:
            groups.append([link])
    return groups


_SAME_ENERGY = 1e-9
"""Rounding of an energy, eV."""


class PeriodicClusters:
    """Places joined so far: for each cluster, the shifts of its places and the loops it holds.

    The graph may repeat along any number of lattice vectors; all shifts have one integer for each.

    Args:
        energies: of the places, eV.
        n_dimensions: lattice vectors that the graph repeats along.
    """

    def __init__(self, energies: Mapping[int, float], n_dimensions: int) -> None:
        self._parent = {place: place for place in energies}
        self._shift = dict.fromkeys(energies, (0,) * n_dimensions)
        self._lowest = dict(energies)
        self._loops: dict[int, list[tuple[int, ...]]] = {place: [] for place in energies}

    def join(self, start: int, end: int, shift: Sequence[int]) -> None:
        """Join two places.

        Args:
            start: place in the cell.
            end: place whose image is reached.
            shift: how many cells along each vector that image is away from the place in the cell.
        """
        root, of_start = self._find(start)
        other, of_end = self._find(end)
        step = tuple(s + d - e for s, d, e in zip(of_start, shift, of_end, strict=True))
        if root != other:
            self._parent[other], self._shift[other] = root, step
            self._lowest[root] = min(self._lowest[root], self._lowest[other])
            for loop in self._loops[other]:
                self._add(root, loop)
        elif any(step):
            self._add(root, step)

    def of(self, place: int) -> tuple[list[tuple[int, ...]], float]:
        """Independent loops of the place's cluster, one per direction, and its lowest energy."""
        root, _ = self._find(place)
        return self._loops[root], self._lowest[root]

    def _find(self, place: int) -> tuple[int, tuple[int, ...]]:
        """Root of the place's cluster, and the place's shift against it."""
        shift = self._shift[place]
        while (parent := self._parent[place]) != place:
            place = parent
            shift = tuple(s + t for s, t in zip(shift, self._shift[place], strict=True))
        return place, shift

    def _add(self, root: int, loop: tuple[int, ...]) -> None:
        """Keep a loop if it leads in a new direction."""
        loops = self._loops[root]
        if np.linalg.matrix_rank(np.array([*loops, loop])) > len(loops):
            loops.append(loop)


def _angle(loop: Sequence[int], vectors: ArrayLike) -> float:
    x, y = np.asarray(loop) @ np.asarray(vectors, dtype=float)
    return float(np.degrees(np.arctan2(y, x)) % 180.0)
