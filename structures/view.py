"""Pictures of slabs and interfaces, seen from the side and from above."""

import io
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from ase.data import atomic_numbers, covalent_radii
from ase.data.colors import jmol_colors
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from pymatgen.core.structure import Structure

from structures.conversion import as_structure

WIDTH = 14.0
"""Least width and depth of the piece that is shown, Å; smaller cells are repeated."""
FADE = 0.55
"""How far the atoms at the back fade to white."""


def picture(structure: Any, target: str | Path | tuple[Axes, Axes]) -> None:
    """Draw a slab or interface from the side (left) and from above (right), in Jmol's colours.

    Atoms further away are paler; a dashed line in the view from above is the cell.

    Args:
        structure: pymatgen Structure or ASE Atoms with a along x, b in the x-y plane, c along z.
        target: file to write (its ending gives the format), or a pair of matplotlib Axes.
    """
    slab = as_structure(structure)
    if isinstance(target, tuple):
        _draw(slab, *target)
        return
    _figure(slab).savefig(target, dpi=200, bbox_inches="tight", pad_inches=0.05)


def picture_png(structure: Any, *, dpi: int = 150) -> bytes:
    """The picture of `picture` as the bytes of a PNG file, on white."""
    buffer = io.BytesIO()
    _figure(as_structure(structure)).savefig(
        buffer, format="png", dpi=dpi, bbox_inches="tight", pad_inches=0.05
    )
    return buffer.getvalue()


def _figure(slab: Structure) -> Figure:
    width, depth, height = _extent(slab)
    inches = 0.22
    figure = Figure(
        figsize=((2 * width + 3) * inches, (max(depth, height) + 3.5) * inches), facecolor="white"
    )
    grid = figure.add_gridspec(1, 2, left=0.01, right=0.99, bottom=0.1, top=0.99, wspace=0.03)
    _draw(slab, figure.add_subplot(grid[0]), figure.add_subplot(grid[1]))
    return figure


def _extent(slab: Structure) -> tuple[float, float, float]:
    """Width and depth of the piece shown, and height of the slab with its balls, Å."""
    a, b = slab.lattice.matrix[0], slab.lattice.matrix[1]
    width = max(WIDTH, float(np.linalg.norm(a)))
    depth = max(WIDTH, float(b[1]))
    return width, depth, float(np.ptp(slab.cart_coords[:, 2])) + 4.0


def _draw(slab: Structure, side: Axes, above: Axes) -> None:
    width, depth, _ = _extent(slab)
    positions, numbers = _filled(slab, width, depth)
    x, y, z = positions.T
    _balls(side, x, z, y, numbers)
    _balls(above, x, y, -z, numbers)
    a, b, _ = slab.lattice.matrix
    corner = np.array([(width - a[0] - b[0]) / 2, (depth - b[1]) / 2])
    outline = corner + np.array([[0, 0], a[:2], a[:2] + b[:2], b[:2], [0, 0]])
    above.plot(*outline.T, color="#222222", linewidth=1.0, linestyle=(0, (4, 3)), zorder=4)
    margin = 1.6
    side.set_xlim(-margin, width + margin)
    side.set_ylim(z.min() - margin, z.max() + margin)
    above.set_xlim(-margin, width + margin)
    above.set_ylim(-margin, depth + margin)
    for axes, name in ((side, "side"), (above, "top")):
        axes.set_aspect("equal", anchor="S")
        axes.set_axis_off()
        axes.text(
            0.02,
            1.0,
            name,
            transform=axes.transAxes,
            ha="left",
            va="bottom",
            fontsize=8,
            color="#555555",
        )
    symbols = list(dict.fromkeys(site.specie.symbol for site in slab))
    handles = [
        Line2D(
            [],
            [],
            marker="o",
            linestyle="",
            markersize=8,
            markeredgecolor="#333333",
            markeredgewidth=0.6,
            markerfacecolor=jmol_colors[atomic_numbers[symbol]],
            label=symbol,
        )
        for symbol in symbols
    ]
    side.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(0.0, 0.0),
        ncols=len(handles),
        frameon=False,
        fontsize=9,
        handletextpad=0.1,
        columnspacing=1.0,
        borderaxespad=0.2,
    )
    start = width - 5.0
    above.plot([start, width], [-margin - 0.6] * 2, color="#222222", linewidth=2, clip_on=False)
    above.text(start + 2.5, -margin - 1.0, "5 Å", ha="center", va="top", fontsize=8, clip_on=False)


def _filled(
    slab: Structure, width: float, depth: float
) -> tuple[NDArray[np.float64], NDArray[np.int_]]:
    """Positions and atomic numbers of the atoms of a periodic slab in a rectangular piece."""
    lattice = slab.lattice.matrix
    corners = np.array([[0, 0], [width, 0], [0, depth], [width, depth]])
    reach = np.linalg.solve(lattice[:2, :2].T, corners.T).T
    low, high = np.floor(reach.min(axis=0)) - 1, np.ceil(reach.max(axis=0)) + 1
    shifts = np.array(list(product(np.arange(low[0], high[0]), np.arange(low[1], high[1]))))
    base = slab.frac_coords.copy()
    base[:, :2] %= 1.0
    fractional = np.repeat(base[None], len(shifts), axis=0)
    fractional[:, :, :2] += shifts[:, None, :]
    positions = fractional.reshape(-1, 3) @ lattice
    numbers = np.tile(np.array(slab.atomic_numbers), len(shifts))
    inside = (
        (positions[:, 0] > -0.1)
        & (positions[:, 0] < width + 0.1)
        & (positions[:, 1] > -0.1)
        & (positions[:, 1] < depth + 0.1)
    )
    return positions[inside], numbers[inside]


def _balls(
    axes: Axes,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    distance: NDArray[np.float64],
    numbers: NDArray[np.int_],
) -> None:
    order = np.argsort(-distance)
    # Flatter than covalent radii, so that oxygen stays visible between lithium atoms.
    diameters = 1.2 + 0.66 * covalent_radii[numbers[order]]
    behind = (distance[order] - distance.min()) / max(float(np.ptp(distance)), 1e-9)
    fade = FADE * behind[:, None]
    axes.add_collection(
        EllipseCollection(
            diameters,
            diameters,
            np.zeros(len(order)),
            units="xy",
            offsets=np.column_stack([x[order], y[order]]),
            offset_transform=axes.transData,
            facecolors=jmol_colors[numbers[order]] * (1 - fade) + fade,
            edgecolors=np.full((len(order), 3), 0.2) * (1 - fade) + fade,
            linewidths=0.6,
            zorder=2,
        )
    )
