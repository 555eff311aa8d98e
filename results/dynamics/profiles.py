"""Profiles along the normal of an interface, the zone where its sides mix, and what crossed."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from results.dynamics.trajectory import Floats, Mask, Trajectory
from results.errors import ResultsError

CROSSING_MARGIN = 1.0
"""Å beyond the contact plane from which an atom has crossed; thermal motion stays within it."""
_MIXING_BIN = 0.5
"""Å."""
_VOID_PIXEL = 0.5
"""Å."""
_COVERED = 2.6
"""Distance in the plane within which a film atom covers a point of it, Å: just above the radius of
the largest hole in a layer of bcc lithium, a/√2 = 2.43 Å on (100), so that sound Li shows none."""
_COVERING = 3.0
"""Height above the contact plane within which a film atom covers, Å."""
_LAYER = 1.0
"""Thickness within which atoms belong to one layer at a contact, Å."""


@dataclass(frozen=True)
class Profiles:
    """Number densities along the normal.

    Attributes:
        heights: (n_bins,), middle of each bin in the mean cell, Å.
        densities: by element, (n_frames, n_bins), atoms/Å³.
    """

    heights: Floats
    densities: Mapping[str, Floats]

    @property
    def total(self) -> Floats:
        """(n_frames, n_bins), atoms/Å³."""
        total: Floats = np.sum(list(self.densities.values()), axis=0)
        return total

    def composition(self, element: str) -> Floats:
        """(n_bins,), mean share of ``element`` among the atoms of a bin; NaN in an empty bin."""
        share = self.densities[element].mean(axis=0)
        total = self.total.mean(axis=0)
        return np.divide(share, total, out=np.full_like(share, np.nan), where=total > 0)


@dataclass(frozen=True)
class Contact:
    """Where the two sides of an interface met at the start, seen from the substrate.

    Attributes:
        lower: height of the plane between the substrate's top and the film's bottom, Å.
        upper: height of the plane between the film's top and the substrate's image above, Å.
        film_layer: (n_atoms,), the film's atoms next to the lower plane.
        substrate_layer: (n_atoms,), the substrate's.
        substrate_height: mean height of the substrate at the start, Å.
    """

    lower: float
    upper: float
    substrate_height: float
    film_layer: Mask
    substrate_layer: Mask


def density_profiles(trajectory: Trajectory, bin_width: float = 0.25) -> Profiles:
    """Histogram of each element's heights, over area and thickness of a bin, for every frame.

    Args:
        trajectory: atoms are wrapped along the normal.
        bin_width: Å; the whole number of bins nearest to it is taken.

    Raises:
        ResultsError: a width that is not positive.
    """
    if not bin_width > 0:
        raise ResultsError(f"bin_width: {bin_width} is not positive; give Å")
    cell_heights = trajectory.cell_heights
    n_bins = max(1, round(float(cell_heights.mean()) / bin_width))
    fractions = (trajectory.heights / cell_heights[:, None]) % 1.0
    bins = np.minimum((fractions * n_bins).astype(int), n_bins - 1)
    n_frames = len(trajectory.times)
    volumes = trajectory.areas * cell_heights / n_bins
    densities = {}
    for element in dict.fromkeys(trajectory.symbols):
        where = bins[:, trajectory.of(element)]
        flat = (where + n_bins * np.arange(n_frames)[:, None]).ravel()
        counts = np.bincount(flat, minlength=n_bins * n_frames).reshape(n_frames, n_bins)
        densities[element] = counts / volumes[:, None]
    middles = (np.arange(n_bins) + 0.5) / n_bins * float(cell_heights.mean())
    return Profiles(middles, densities)


def mixed_zone_width(trajectory: Trajectory, film: ArrayLike, contact: Contact) -> float:
    """Width of the zone where atoms of both sides stand, w = 4 ∫ φ (1 − φ) dz, Å.

    φ is the share of atoms that began in the film. A profile φ = ½ (1 + tanh(2z/w)) gives back its
    w; sides that share no bin give 0. Of a cell without vacuum only the half around the lower
    contact counts. Empty bins give nothing.

    Args:
        trajectory: frames that are averaged over.
        film: (n_atoms,), bool, atoms that began in the film.
        contact: where the sides met.
    """
    chosen = np.asarray(film, dtype=bool)
    heights = _from_start(trajectory, chosen, contact)
    middle, period = contact.lower, float(trajectory.cell_heights.mean())
    half = (contact.upper - contact.lower) / 2
    relative = (heights - middle + period / 2) % period - period / 2
    n_bins = max(1, round(period / _MIXING_BIN))
    edges = np.linspace(-period / 2, period / 2, n_bins + 1)
    of_film = np.histogram(relative[:, chosen], edges)[0].astype(float)
    of_all = np.histogram(relative, edges)[0].astype(float)
    # φ (1 − φ) of a bin of n counts comes out too small by 1 − 1/n.
    mixed = of_film * (of_all - of_film) / np.maximum(of_all * (of_all - 1), 1)
    middles = (edges[1:] + edges[:-1]) / 2
    near = (middles < half) & (middles > -(period - 2 * half) / 2)
    return float(4 * mixed[near].sum() * (edges[1] - edges[0]))


def contact_of(trajectory: Trajectory, film: ArrayLike) -> Contact:
    """The contact in the first frame of a film that lies on a substrate.

    Args:
        trajectory: its first frame is looked at.
        film: (n_atoms,), bool, the others are the substrate.

    Raises:
        ResultsError: one side without atoms, or sides that overlap along the normal.
    """
    chosen = np.asarray(film, dtype=bool)
    if chosen.all() or not chosen.any():
        raise ResultsError("film: all atoms or none; name those above the contact")
    heights = trajectory.heights[0]
    top, bottom = float(heights[~chosen].max()), float(heights[chosen].min())
    film_top, substrate_bottom = float(heights[chosen].max()), float(heights[~chosen].min())
    if (np.median(heights[chosen]) <= np.median(heights[~chosen])) or film_top <= top:
        raise ResultsError("film: does not lie above the substrate; give the upper side as film")
    image = substrate_bottom + float(trajectory.cell_heights[0])
    return Contact(
        lower=(top + bottom) / 2,
        upper=(film_top + image) / 2,
        substrate_height=float(heights[~chosen].mean()),
        film_layer=chosen & (heights <= bottom + _LAYER),
        substrate_layer=~chosen & (heights >= top - _LAYER),
    )


def atoms_crossed(
    trajectory: Trajectory, film: ArrayLike, contact: Contact
) -> dict[str, NDArray[np.int_]]:
    """Atoms beyond the plane where they began, by element and direction, in every frame.

    The plane moves with the mean of the substrate, as inert markers in a diffusion couple do.

    Returns:
        ``"Li into substrate"`` and the like to (n_frames,) counts; elements that never cross are
        left out.
    """
    chosen = np.asarray(film, dtype=bool)
    heights = _from_start(trajectory, chosen, contact)
    period = trajectory.cell_heights[:, None]
    middle = (contact.lower + contact.upper) / 2
    distance = np.abs((heights - middle + period / 2) % period - period / 2)
    half = (contact.upper - contact.lower) / 2
    left_film = chosen & (distance > half + CROSSING_MARGIN)
    entered_film = ~chosen & (distance < half - CROSSING_MARGIN)
    counts = {}
    for where, crossed in (("into substrate", left_film), ("into film", entered_film)):
        for element in dict.fromkeys(trajectory.symbols):
            count = crossed[:, trajectory.of(element)].sum(axis=1)
            if count.any():
                counts[f"{element} {where}"] = count
    return counts


def separation(trajectory: Trajectory, contact: Contact) -> Floats:
    """Distance between the two layers that met at the start, mean of each, (n_frames,), Å."""
    heights = trajectory.heights
    apart: Floats = heights[:, contact.film_layer].mean(axis=1) - heights[
        :, contact.substrate_layer
    ].mean(axis=1)
    return apart


def void_fraction(trajectory: Trajectory, film: ArrayLike, contact: Contact) -> Floats:
    """Share of the contact plane that no film atom covers, (n_frames,), from 0 to 1.

    A point of the plane (grid of 0.5 Å) is covered if a film atom up to 3 Å above the plane (or 1 Å
    under it) is within 2.6 Å of it in the plane.

    Args:
        trajectory: frames.
        film: (n_atoms,), bool.
        contact: where the sides met; its plane moves with the substrate.
    """
    chosen = np.asarray(film, dtype=bool)
    heights = _from_start(trajectory, chosen, contact)
    found = np.ones(len(trajectory.times))
    for frame, cell in enumerate(trajectory.cells):
        above = heights[frame] - contact.lower
        near = chosen & (above > -CROSSING_MARGIN) & (above < _COVERING)
        if not near.any():
            continue
        a, b = (float(np.linalg.norm(vector)) for vector in cell[:2])
        grid = np.stack(
            np.meshgrid(
                *((np.arange(n) + 0.5) / n for n in (_pixels(a), _pixels(b))), indexing="ij"
            ),
            axis=-1,
        ).reshape(-1, 2)
        fractions = np.linalg.solve(cell.T, trajectory.positions[frame, near].T).T[:, :2]
        apart = grid[:, None, :] - fractions[None]
        apart -= np.round(apart)
        shortest = np.full(apart.shape[:2], np.inf)
        for i in (-1, 0, 1):
            for j in (-1, 0, 1):
                vectors = (apart + np.array([i, j])) @ cell[:2]
                shortest = np.minimum(shortest, np.einsum("gai,gai->ga", vectors, vectors))
        found[frame] = float((shortest.min(axis=1) > _COVERED**2).mean())
    return found


def _pixels(length: float) -> int:
    return max(1, round(length / _VOID_PIXEL))


def _from_start(trajectory: Trajectory, film: Mask, contact: Contact) -> Floats:
    """Heights with the mean of the substrate where it was at the start of the run."""
    heights = trajectory.heights
    moved = heights[:, ~film].mean(axis=1) - contact.substrate_height
    still: Floats = heights - moved[:, None]
    return still
