"""Frames where the network itself leads: it relaxes and moves, and the teacher labels what it met.

What a network has got wrong shows where its own minima and trajectories go, which the teacher's
trajectories never visit.
"""

from collections.abc import Iterator
from pathlib import Path

from ase import Atoms

from potentials.distil import interfaces, systems
from potentials.distil.dynamics import is_sane, trajectories
from potentials.distil.frames import labelled, write_frames
from potentials.distil.labelling import named, shards
from potentials.distil.systems import Crystals, System, generator
from potentials.distil.teacher import Teacher

STEPS = 60
EVERY = 12
WORST_SHARE = 0.6
"""Share of the frames kept, those with the largest force errors: the others it knows."""


def starting_points(crystals: Crystals, round_: int) -> Iterator[System]:
    """Systems that the network is let loose on; others in every round."""
    first = 100 * (round_ + 1)
    yield from systems.adatom_systems(crystals, range(first, first + 4))
    yield from interfaces.interface_systems(crystals, range(2 * first + 1, 2 * first + 2))
    yield from systems.vacancy_systems(crystals, range(first, first + 3))
    yield from systems.alloy_systems(crystals, range(first, first + 2))
    yield from interfaces.hot_contact_systems(crystals, range(first, first + 2))


def explore(
    starts: Iterator[System],
    network: Teacher,
    teacher: Teacher,
    folder: Path,
    stage: str,
    part: tuple[int, int] = (0, 1),
) -> None:
    """Label the worst frames of the network's own trajectories; shards already there are kept."""
    for number, shard in enumerate(shards(starts)):
        path = folder / f"{stage}-{number:04d}.extxyz"
        if number % part[1] != part[0] or path.exists():
            continue
        met = trajectories(
            [s.atoms for s in shard],
            [s.temperature for s in shard],
            network,
            STEPS,
            generator(path.stem),
            every=EVERY,
        )
        frames = named(shard, met)
        write_frames(path, _worst(frames, teacher) if frames else [])


def _worst(frames: list[Atoms], teacher: Teacher) -> list[Atoms]:
    errors = []
    kept = []
    for frame, label in zip(frames, teacher.label(frames), strict=True):
        if is_sane(label):
            errors.append(float(abs(label.forces - frame.get_forces()).max()))
            kept.append(labelled(frame, label))
    order = sorted(range(len(kept)), key=errors.__getitem__, reverse=True)
    return [kept[i] for i in order[: round(WORST_SHARE * len(order)) or 1]]
