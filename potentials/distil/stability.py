"""Whether a network holds a contact together in molecular dynamics."""

import logging
import math
from dataclasses import dataclass

import numpy as np
from ase import Atoms, units
from ase.calculators.calculator import Calculator
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
from numpy.typing import NDArray

from potentials.distil.systems import shortest_distance

log = logging.getLogger(__name__)
TIME_STEP = 2.0
"""fs."""
SAMPLE = 50
"""Steps between two samples."""
NARROWEST = 8.0
"""Å; in a narrower cell whole rows of atoms move as one, and a lattice melts in it too easily."""
FLOWN_APART = 10.0
"""Times the bath's temperature at which nothing is left to be watched."""


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
    calculator: Calculator,
    temperature: float,
    picoseconds: float,
) -> Stability:
    """Langevin dynamics of a contact at constant volume.

    Args:
        contact: structure to start from, relaxed.
        film: mask of the film's atoms.
        calculator: the potential.
        temperature: K.
        picoseconds: length; a few hundred steps at least. It ends early when the contact flies
            apart.
    """
    atoms = contact.copy()
    atoms.calc = calculator
    rng = np.random.RandomState(0)
    MaxwellBoltzmannDistribution(atoms, temperature_K=temperature, rng=rng)
    dynamics = Langevin(
        atoms, TIME_STEP * units.fs, temperature_K=temperature, friction=0.01 / units.fs, rng=rng
    )
    energies: list[float] = []
    temperatures: list[float] = []
    shortest: list[float] = []
    left: list[int] = []

    def sample() -> None:
        energies.append(atoms.get_potential_energy() / len(atoms))
        temperatures.append(atoms.get_temperature())
        shortest.append(shortest_distance(atoms))
        left.append(_alone(atoms))

    for _ in range(round(1000.0 * picoseconds / TIME_STEP / SAMPLE)):
        dynamics.run(SAMPLE)
        sample()
        reached = len(energies) * SAMPLE * TIME_STEP / 1000.0
        if len(energies) % SAMPLE == 0:
            log.info("%g ps: %.0f K, %.4f eV/atom", reached, temperatures[-1], energies[-1])
        if not temperatures[-1] < FLOWN_APART * temperature:
            break
    moved = atoms.positions[~film] - contact.positions[~film]
    moved -= moved.mean(axis=0)
    quarters = np.array_split(energies, 4)
    half = len(energies) // 2
    return Stability(
        reached,
        float(np.mean(temperatures[half:])),
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
