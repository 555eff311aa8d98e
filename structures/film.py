"""A run as an animated picture: atoms as balls, seen from the side."""

import io
from collections.abc import Sequence

import numpy as np
from ase.data import atomic_numbers, covalent_radii
from ase.data.colors import jmol_colors
from numpy.typing import ArrayLike

from structures.errors import StructureError

_MILLISECONDS = 90
_WIDTH = 420
"""Of the picture, pixels."""
_MARGIN = 1.5
_COLOURS = 32


def film_gif(symbols: Sequence[str], frames: ArrayLike, cell: ArrayLike) -> bytes:
    """Frames as an animated GIF, looking along the cell's second vector, the normal upwards.

    Needs no display and no program but Pillow.

    Args:
        symbols: element of each atom.
        frames: (n_frames, n_atoms, 3), Å; atoms are wrapped sideways into the cell.
        cell: (3, 3), Å, the first two vectors in the plane.

    Raises:
        StructureError: no frames, or not as many atoms as symbols.
    """
    from PIL import Image, ImageDraw

    positions, vectors = np.asarray(frames, dtype=float), np.asarray(cell, dtype=float)
    if positions.ndim != 3 or not len(positions) or positions.shape[1] != len(symbols):
        raise StructureError(f"frames: shape {positions.shape} for {len(symbols)} symbols")
    axis = vectors[1] / np.linalg.norm(vectors[1])
    normal = np.cross(vectors[0], vectors[1])
    normal /= np.linalg.norm(normal)
    sideways = np.cross(axis, normal)
    sideways *= np.sign(sideways @ vectors[0])
    period = float(vectors[0] @ sideways)
    x, depth, z = (positions @ sideways) % period, positions @ axis, positions @ normal
    low, high = float(z.min()) - _MARGIN, float(z.max()) + _MARGIN
    scale = _WIDTH / period
    size = (_WIDTH, max(40, round((high - low) * scale)))
    numbers = [atomic_numbers[symbol] for symbol in symbols]
    fills = [tuple(int(255 * part) for part in jmol_colors[number]) for number in numbers]
    radii = [0.75 * float(covalent_radii[number]) * scale for number in numbers]
    pictures = []
    for frame in range(len(positions)):
        picture = Image.new("RGB", size, "white")
        draw = ImageDraw.Draw(picture)
        for atom in np.argsort(depth[frame] % float(np.linalg.norm(vectors[1]))):
            column, row = x[frame, atom] * scale, (high - z[frame, atom]) * scale
            r = radii[atom]
            draw.ellipse(
                (column - r, row - r, column + r, row + r), fill=fills[atom], outline=(90, 90, 90)
            )
        pictures.append(picture.quantize(_COLOURS))
    buffer = io.BytesIO()
    pictures[0].save(
        buffer,
        format="GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=_MILLISECONDS,
        loop=0,
        optimize=True,
    )
    return buffer.getvalue()
