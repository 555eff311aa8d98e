"""Short trajectories of many systems at once, every step labelled by the teacher."""

from collections.abc import Sequence

import numpy as np
from ase import Atoms, units
from numpy.typing import NDArray

from potentials.distil.frames import labelled
from potentials.distil.teacher import Label, Teacher

MASS = 30.0
"""One mass for every element (u): configurations are wanted, not times, so light atoms need not
set the time step."""
TIME_STEP = 14.0 * units.fs
FRICTION = 0.02 / units.fs
LARGEST_FORCE = 15.0
"""eV/Å; a frame beyond it is nowhere near what the program meets, and its trajectory ends."""
LARGEST_STEP = 0.25
"""Å; how far an atom may go in one step, so that a bad start relaxes instead of exploding."""


def trajectories(
    systems: Sequence[Atoms],
    temperatures: Sequence[float],
    teacher: Teacher,
    steps: int,
    rng: np.random.Generator,
    every: int = 1,
) -> list[list[Atoms]]:
    """Langevin trajectories with equal masses, one per system, every step labelled.

    The integrator is that of Leimkuhler and Matthews (Appl. Math. Res. Express 2013, 34): one force
    evaluation per step, the bath acting between two half drifts. At 0 K it is a damped descent, so
    that frames close to minima are sampled by the same code.

    Args:
        systems: starting structures.
        temperatures: K, one per system.
        teacher: what labels the frames.
        steps: frames per trajectory.
        rng: source of the velocities and of the bath.
        every: only every so-many-th frame is kept.

    Returns:
        One list of labelled frames (results in a single-point calculator) per system; a trajectory
        that meets a force over `LARGEST_FORCE` ends before that frame.
    """
    running = [atoms.copy() for atoms in systems]
    velocities = [
        rng.normal(scale=np.sqrt(units.kB * t / MASS), size=(len(atoms), 3))
        for atoms, t in zip(running, temperatures, strict=True)
    ]
    frames: list[list[Atoms]] = [[] for _ in running]
    alive = list(range(len(running)))
    for step in range(steps):
        labels = teacher.label([running[i] for i in alive])
        still = []
        for i, label in zip(alive, labels, strict=True):
            if not is_sane(label):
                continue
            if (step + 1) % every == 0:
                frames[i].append(labelled(running[i], label))
            velocities[i], move = _langevin_step(velocities[i], label, temperatures[i], rng)
            running[i].positions += move
            still.append(i)
        alive = still
        if not alive:
            break
    return frames


def is_sane(label: Label) -> bool:
    """Whether a label is finite and its largest force under `LARGEST_FORCE`."""
    largest = float(np.abs(label.forces).max(initial=0.0))
    return bool(np.isfinite(label.energy) and np.isfinite(largest) and largest < LARGEST_FORCE)


def _langevin_step(
    velocity: NDArray[np.float64], label: Label, temperature: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """New velocities and the positions' move over one step."""
    kicked = velocity + TIME_STEP * label.forces / MASS
    keep = np.exp(-FRICTION * TIME_STEP)
    noise = np.sqrt((1.0 - keep**2) * units.kB * temperature / MASS)
    after = keep * kicked + noise * rng.normal(size=kicked.shape)
    move = 0.5 * TIME_STEP * (kicked + after)
    lengths = np.linalg.norm(move, axis=1, keepdims=True)
    factor = np.minimum(1.0, LARGEST_STEP / np.maximum(lengths, 1e-12))
    return after * factor, move * factor
