"""Whether a network holds a contact together in molecular dynamics."""

import logging
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from potentials.batched.trajectory import read_frames
from potentials.distil.systems import shortest_distance
from potentials.protocol import Engine
from structures import as_atoms

log = logging.getLogger(__name__)
TIME_STEP = 2.0
"""fs."""
SAMPLE = 50
"""Steps between two samples."""
NARROWEST = 8.0
"""Å; in a narrower cell whole rows of atoms move as one, and a lattice melts in it too easily."""


@dataclass(frozen=True)
class Stability:
    """What a trajectory did.

    Attributes:
        picoseconds: length; less than asked for where the contact flew apart.
        temperature: mean over the second half, K.
        drift: mean potential energy of the last quarter minus that of the second, eV/atom.
        spread: standard deviation of the potential energy over the second half, eV/atom.
        shortest: shortest distance between two atoms at any sample, Å.
        left: atoms that at any sample were over 4 Å from every other.
        substrate_moved: root mean square displacement of the substrate at the end, Å.
    """

    picoseconds: float
    temperature: float
    drift: float
    spread: float
    shortest: float
    left: int
    substrate_moved: float


def wide(contact: Atoms, film: NDArray[np.bool_]) -> tuple[Atoms, NDArray[np.bool_]]:
    """A contact and the mask of its film, repeated until both sides are at least `NARROWEST`."""
    a, b = (math.ceil(NARROWEST / length) for length in contact.cell.lengths()[:2])
    return contact.repeat((a, b, 1)), np.tile(film, a * b)


def stability(
    contact: Atoms,
    film: NDArray[np.bool_],
    engine: Engine,
    temperature: float,
    picoseconds: float,
    folder: Path,
) -> Stability:
    """Relax a contact in its cell and let it move there (Langevin); kept in pieces, resumable.

    Args:
        contact: structure to start from.
        film: mask of the film's atoms.
        engine: of the potential.
        temperature: K.
        picoseconds: length; half a picosecond at least. It ends early when the contact flies apart.
        folder: of this run alone.

    Raises:
        PotentialError: the potential lacks an element, or the folder holds another run.
    """
    (start,) = engine.relax([contact], fmax=0.05, max_steps=200)
    engine.md(
        [start.structure],
        folder,
        steps=round(1000.0 * picoseconds / TIME_STEP),
        timestep=TIME_STEP,
        temperature=temperature,
        interval=SAMPLE,
        on_progress=lambda now: log.info("%g of %g ps", now.step * TIME_STEP / 1e3, picoseconds),
    )
    frames = read_frames(folder, 0)
    atoms = as_atoms(start.structure)
    shortest, left = [], []
    for positions in frames.positions:
        atoms.positions = positions
        shortest.append(shortest_distance(atoms))
        left.append(_alone(atoms))
    moved = frames.positions[-1, ~film] - start.structure.cart_coords[~film]
    moved -= moved.mean(axis=0)
    energies = frames.energies / len(contact)
    quarters = np.array_split(energies, 4)
    half = len(energies) // 2
    return Stability(
        float(frames.steps[-1]) * TIME_STEP / 1e3,
        float(frames.temperatures[half:].mean()),
        float(quarters[3].mean() - quarters[1].mean()),
        float(np.std(energies[half:])),
        min(shortest),
        max(left),
        float(np.sqrt((moved**2).sum(axis=1).mean())),
    )


def _alone(atoms: Atoms) -> int:
    distances = atoms.get_all_distances(mic=True)
    np.fill_diagonal(distances, np.inf)
    return int((distances.min(axis=1) > 4.0).sum())
