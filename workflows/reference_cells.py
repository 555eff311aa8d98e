"""Small periodic cells that stand for what larger ones cost too much for.

Ordered compounds and other lattices of an element hold neighbours that its crystal lacks; layers of
two elements in turn hold contacts of both without a vacuum.
"""

import numpy as np
from pymatgen.core import Lattice, Structure

_CUBIC: dict[str, list[list[float]]] = {
    "sc": [[0, 0, 0]],
    "bcc": [[0, 0, 0], [0.5, 0.5, 0.5]],
    "fcc": [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]],
}
_BCC_IN_FCC: list[list[float]] = [[x, x, x] for x in (0.0, 0.25, 0.5, 0.75)]
"""The sites of bcc in the primitive cell of a face-centred lattice."""
PROTOTYPES = {
    "B2": ("LM", "bcc"),
    "L1_2-LiM3": ("LMMM", "fcc"),
    "L1_2-Li3M": ("MLLL", "fcc"),
    "L1_0": ("LLMM", "fcc"),
    "B32": ("LLMM", "bcc in fcc"),
    "D0_3-Li3M": ("MLLL", "bcc in fcc"),
}
"""Sites that Li (L) and a metal (M) share, and their lattice."""


def ordered_cell(prototype: str, metal: str, volumes: dict[str, float], strain: float) -> Structure:
    """Li and a metal on the sites of a prototype, at the sum of their volumes.

    Args:
        prototype: of `PROTOTYPES`.
        metal: symbol.
        volumes: per atom of Li and of the metal, Å³.
        strain: linear, of the whole cell.
    """
    pattern, sites = PROTOTYPES[prototype]
    species = ["Li" if letter == "L" else metal for letter in pattern]
    volume = sum(volumes[symbol] for symbol in species)
    if sites == "bcc in fcc":
        half = (4.0 * volume) ** (1 / 3) * (1 + strain) / 2.0
        return Structure(Lattice(half * (1.0 - np.eye(3))), species, _BCC_IN_FCC)
    edge = volume ** (1 / 3) * (1 + strain)
    return Structure(Lattice.cubic(edge), species, _CUBIC[sites])


def other_lattice(symbol: str, lattice: str, volume: float) -> Structure:
    """An element on another cubic lattice: sc, bcc or fcc.

    Args:
        symbol: of the element.
        lattice: its name.
        volume: per atom, Å³.
    """
    sites = _CUBIC[lattice]
    edge = (volume * len(sites)) ** (1 / 3)
    return Structure(Lattice.cubic(edge), [symbol] * len(sites), sites)


def alternating_layers(
    slab: Structure, film: str, volumes: dict[str, float], area: float, numbers: tuple[int, int]
) -> Structure:
    """Layers of a metal and of another element in turn, stacked as the metal's own, no vacuum.

    Both keep their volume per atom; layers of different elements are apart by the mean of the two
    elements' spacings.

    Args:
        slab: of the metal, one atom per layer, with more layers than the cell gets.
        film: symbol of the other element.
        volumes: per atom of both, Å³.
        area: of the cell's base, Å²; the slab's base is stretched to it.
        numbers: layers of the metal and of the film.

    Returns:
        The metal's layers first, then the film's, from the bottom up.
    """
    order = np.argsort(slab.cart_coords[:, 2])[: sum(numbers) + 1]
    places = slab.frac_coords[order, :2]
    species = [slab[0].specie.symbol] * numbers[0] + [film] * numbers[1]
    spacing = np.array([volumes[symbol] for symbol in species]) / area
    steps = (spacing + np.roll(spacing, -1)) / 2.0
    heights = np.concatenate([[0.0], np.cumsum(steps)])
    matrix = slab.lattice.matrix
    across = matrix[:2] * np.sqrt(area / np.linalg.norm(np.cross(*matrix[:2])))
    above = places[-1] - places[0]
    third = (above - np.round(above)) @ across + (0.0, 0.0, heights[-1])
    positions = places[:-1] @ across
    positions[:, 2] = heights[:-1]
    lattice = Lattice(np.vstack([across, third]))
    return Structure(lattice, species, positions, coords_are_cartesian=True)


def opened_layers(layers: Structure, film: str, wider: float) -> Structure:
    """Both gaps between the metal and the film of `alternating_layers` widened by ``wider``, Å."""
    moved = layers.cart_coords.copy()
    of_film = [site.specie.symbol == film for site in layers]
    moved[of_film, 2] += wider
    matrix = layers.lattice.matrix.copy()
    matrix[2, 2] += 2.0 * wider
    return Structure(Lattice(matrix), layers.species, moved, coords_are_cartesian=True)
