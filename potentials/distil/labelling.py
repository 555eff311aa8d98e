"""Making labelled frames out of systems, shard by shard, so that a kill loses a minute."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from ase import Atoms

from potentials.distil.dynamics import trajectories
from potentials.distil.frames import write_frames
from potentials.distil.systems import System, generator, shortest_distance
from potentials.distil.teacher import Teacher

SHARD_ATOMS = 320
SHORTEST_DISTANCE = 1.0


def shards(systems: Iterable[System]) -> Iterator[list[System]]:
    """Groups of consecutive systems of one number of steps and about `SHARD_ATOMS` atoms."""
    shard: list[System] = []
    for system in systems:
        size = sum(len(s.atoms) for s in shard)
        if shard and (size + len(system.atoms) > SHARD_ATOMS or system.steps != shard[0].steps):
            yield shard
            shard = []
        shard.append(system)
    if shard:
        yield shard


def label_systems(
    systems: Iterable[System],
    teacher: Teacher,
    folder: Path,
    stage: str,
    part: tuple[int, int] = (0, 1),
) -> None:
    """Label the trajectories of ``systems`` into ``folder``; shards already there are kept.

    Args:
        systems: what to label; the same list in the same order when resumed.
        teacher: what labels.
        folder: where the shards go, as ``<stage>-<number>.extxyz``.
        stage: name of this list of systems.
        part: (i, n): only every n-th shard, from the i-th; for n processes side by side.
    """
    for number, shard in enumerate(shards(systems)):
        path = folder / f"{stage}-{number:04d}.extxyz"
        if number % part[1] != part[0] or path.exists():
            continue
        sane = [s for s in shard if shortest_distance(s.atoms) > SHORTEST_DISTANCE]
        found = trajectories(
            [s.atoms for s in sane],
            [s.temperature for s in sane],
            teacher,
            shard[0].steps,
            generator(path.stem),
        )
        write_frames(path, named(sane, found))


def named(systems: list[System], found: list[list[Atoms]]) -> list[Atoms]:
    """The frames of all trajectories, each with its system's name and family."""
    frames = []
    for system, trajectory in zip(systems, found, strict=True):
        for frame in trajectory:
            frame.info = {"system": system.name, "family": system.family}
            frames.append(frame)
    return frames
