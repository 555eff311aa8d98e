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
    clusters = _Clusters(energies)
    along: Travel | None = None
    for same_height in _by_height(links):
        for link in same_height:
            clusters.join(link)
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


class _Clusters:
    """Places joined so far: for each cluster, the shifts of its places and the loops it holds."""

    def __init__(self, energies: Mapping[int, float]) -> None:
        self._parent = {place: place for place in energies}
        self._shift: dict[int, Shift] = dict.fromkeys(energies, (0, 0))
        self._lowest = dict(energies)
        self._loops: dict[int, list[Shift]] = {place: [] for place in energies}

    def join(self, link: Link) -> None:
        """Add a link."""
        root, start = self._find(link.start)
        other, end = self._find(link.end)
        step = (start[0] + link.shift[0] - end[0], start[1] + link.shift[1] - end[1])
        if root != other:
            self._parent[other], self._shift[other] = root, step
            self._lowest[root] = min(self._lowest[root], self._lowest[other])
            for loop in self._loops[other]:
                self._add(root, loop)
        elif step != (0, 0):
            self._add(root, step)

    def of(self, place: int) -> tuple[list[Shift], float]:
        """Independent loops of the place's cluster, two at most, and its lowest energy."""
        root, _ = self._find(place)
        return self._loops[root], self._lowest[root]

    def _find(self, place: int) -> tuple[int, Shift]:
        """Root of the place's cluster, and the place's shift against it."""
        first, second = self._shift[place]
        while (parent := self._parent[place]) != place:
            place = parent
            first, second = first + self._shift[place][0], second + self._shift[place][1]
        return place, (first, second)

    def _add(self, root: int, loop: Shift) -> None:
        """Keep a loop if it leads in a new direction."""
        loops = self._loops[root]
        if not loops or (len(loops) == 1 and _cross(loops[0], loop) != 0):
            loops.append(loop)


def _cross(one: Shift, other: Shift) -> int:
    return one[0] * other[1] - one[1] * other[0]


def _angle(loop: Shift, vectors: ArrayLike) -> float:
    x, y = np.asarray(loop) @ np.asarray(vectors, dtype=float)
    return float(np.degrees(np.arctan2(y, x)) % 180.0)
