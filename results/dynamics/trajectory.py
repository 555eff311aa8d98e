"""Frames of one run, as every analysis takes them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from results.errors import ResultsError

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Trajectory:
    """Frames at equal distances in time, atoms not wrapped into the cell.

    Attributes:
        symbols: element of each atom.
        times: (n_frames,), ps.
        positions: (n_frames, n_atoms, 3), Å.
        cells: (n_frames, 3, 3), Å, one vector per row.
        energies: (n_frames,), potential energy, eV.
        temperatures: (n_frames,), kinetic, K.
        stresses: (n_frames, 3, 3), of the potential energy, eV/Å³, positive under tension; None
            where they were not kept.
    """

    symbols: tuple[str, ...]
    times: Floats
    positions: Floats
    cells: Floats
    energies: Floats
    temperatures: Floats
    stresses: Floats | None = None

    def __post_init__(self) -> None:
        """Check that the arrays belong together.

        Raises:
            ResultsError: no frames, or arrays of other lengths than positions.
        """
        n_frames = len(self.times)
        shapes = {
            "positions": (n_frames, len(self.symbols), 3),
            "cells": (n_frames, 3, 3),
            "energies": (n_frames,),
            "temperatures": (n_frames,),
        }
        if self.stresses is not None:
            shapes["stresses"] = (n_frames, 3, 3)
        if not n_frames:
            raise ResultsError("times: no frames; give at least one")
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise ResultsError(f"{name}: shape {getattr(self, name).shape}; give {shape}")

    @property
    def normals(self) -> Floats:
        """(n_frames, 3), unit vector across the a-b plane."""
        across = np.cross(self.cells[:, 0], self.cells[:, 1])
        unit: Floats = across / np.linalg.norm(across, axis=1, keepdims=True)
        return unit

    @property
    def areas(self) -> Floats:
        """(n_frames,), of the a-b plane, Å²."""
        areas: Floats = np.linalg.norm(np.cross(self.cells[:, 0], self.cells[:, 1]), axis=1)
        return areas

    @property
    def cell_heights(self) -> Floats:
        """(n_frames,), distance between an a-b plane and its image, Å."""
        heights: Floats = np.einsum("fi,fi->f", self.cells[:, 2], self.normals)
        return heights

    @property
    def heights(self) -> Floats:
        """(n_frames, n_atoms), height of each atom above the origin along the normal, Å."""
        heights: Floats = np.einsum("fai,fi->fa", self.positions, self.normals)
        return heights

    def of(self, *elements: str) -> Mask:
        """(n_atoms,), which atoms are of these elements."""
        return np.isin(self.symbols, elements)

    def part(self, frames: slice) -> "Trajectory":
        """Some of the frames."""
        return replace(
            self,
            times=self.times[frames],
            positions=self.positions[frames],
            cells=self.cells[frames],
            energies=self.energies[frames],
            temperatures=self.temperatures[frames],
            stresses=None if self.stresses is None else self.stresses[frames],
        )


def without_drift(positions: ArrayLike, reference: ArrayLike, masses: Sequence[float]) -> Floats:
    """Positions in the frame in which the reference atoms' centre of mass stands still.

    Args:
        positions: (n_frames, n_atoms, 3), Å, not wrapped.
        reference: (n_atoms,), bool, the atoms that make up the lattice.
        masses: (n_atoms,), any unit.

    Raises:
        ResultsError: no reference atom.
    """
    where = np.asarray(positions, dtype=float)
    chosen = np.asarray(reference, dtype=bool)
    if not chosen.any():
        raise ResultsError("reference: no atom; choose those of the lattice")
    centre = np.average(where[:, chosen], axis=1, weights=np.asarray(masses)[chosen])
    still: Floats = where - (centre - centre[0])[:, None, :]
    return still
