"""Which frames are worth labelling: where potentials disagree, spread over systems, no doubles."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray

from potentials.potential import Potential
from results.database import Database
from results.documents import AnyCalculation, PathDocument, as_structure
from structures import as_atoms
from structures import as_structure as structure_of
from workflows.errors import WorkflowError

_CUTOFF = 5.0
_WIDTH = 0.05
_BINS = np.linspace(0.5, _CUTOFF, 91)
SAME = 0.05
"""Distance between the descriptors of two frames below which one is as good as the other: about
what a random move of every atom by 0.02 Å gives."""


@dataclass(frozen=True)
class Choice:
    """One frame that was chosen.

    Attributes:
        position: in the list of candidates.
        disagreement: largest disagreement on the force on one of its atoms, eV/Å.
    """

    position: int
    disagreement: float


def disagreements(frames: Sequence[Atoms], committee: Sequence[Potential]) -> NDArray[np.float64]:
    """How much a committee disagrees on each frame, shape (n_frames,), eV/Å.

    The largest over the atoms of the root mean square distance of the members' forces from their
    mean (query by committee: Seung, Opper and Sompolinsky, COLT 1992; for forces: Podryabinkin and
    Shapeev, Comput. Mater. Sci. 140, 171 (2017)). Energies are left out: their zeros differ.
    NaN where a member fails.

    Raises:
        WorkflowError: fewer than two members, or a member that lacks an element.
    """
    if len(committee) < 2:
        raise WorkflowError("committee: one potential cannot disagree; name another one")
    structures = [structure_of(frame) for frame in frames]
    forces: list[list[NDArray[np.float64]]] = [[] for _ in frames]
    failed = np.zeros(len(frames), dtype=bool)
    for member in committee:
        member.check_elements({s for frame in frames for s in frame.get_chemical_symbols()})
        for i, result in enumerate(member.engine().evaluate(structures)):
            forces[i].append(np.asarray(result.forces))
            failed[i] |= result.failure is not None
    found = np.full(len(frames), np.nan)
    for i in np.flatnonzero(~failed).tolist():
        members = np.array(forces[i])
        spread = ((members - members.mean(axis=0)) ** 2).sum(axis=-1).mean(axis=0)
        found[i] = float(np.sqrt(spread.max()))
    return found


def choose_frames(
    frames: Sequence[Atoms],
    disagreement: NDArray[np.float64],
    seconds: Sequence[float],
    limit: float,
    known: Iterable[Atoms] = (),
) -> list[Choice]:
    """The frames most worth their labels, within a limit of time.

    Systems (``info["system"]``, else the chemical formula) take turns, the one with the fewest
    choices so far first; each gives the frame it is most disagreed on that fits and is no double of
    a chosen or known one.

    Args:
        frames: candidates.
        disagreement: of each, eV/Å, as from `disagreements`; NaN is never chosen.
        seconds: estimated time of each label, s.
        limit: total time, s.
        known: frames that are labelled already.

    Returns:
        Choices in the order they were made.
    """
    queues: dict[str, list[int]] = defaultdict(list)
    for i in np.argsort(-np.nan_to_num(disagreement, nan=-1.0), kind="stable").tolist():
        if np.isfinite(disagreement[i]):
            queues[system_of(frames[i])].append(i)
    seen: dict[tuple, list[NDArray[np.float64]]] = defaultdict(list)
    for frame in known:
        seen[_composition(frame)].append(descriptor(frame))
    chosen: list[Choice] = []
    taken: Counter[str] = Counter()
    left = limit
    while queues:
        system = min(queues, key=lambda name: (taken[name], -disagreement[queues[name][0]]))
        position = queues[system].pop(0)
        if not queues[system]:
            del queues[system]
        if seconds[position] > left:
            continue
        frame = frames[position]
        likes = seen[_composition(frame)]
        own = descriptor(frame)
        if any(float(np.linalg.norm(own - other)) < SAME for other in likes):
            continue
        likes.append(own)
        left -= seconds[position]
        taken[system] += 1
        chosen.append(Choice(position, float(disagreement[position])))
    return chosen


def descriptor(frame: Atoms) -> NDArray[np.float64]:
    """Radial distribution of each pair of elements, smoothed, per atom: unchanged by symmetry.

    Shape (n_pairs * 91,), pairs in the order of the elements.
    """
    elements = sorted(set(frame.numbers))
    first, second, distance = neighbor_list("ijd", frame, _CUTOFF)
    parts = []
    for i, a in enumerate(elements):
        for b in elements[i:]:
            here = distance[(frame.numbers[first] == a) & (frame.numbers[second] == b)]
            # Far shells move more and matter less; the weight goes to zero at the cutoff.
            weight = 0.5 * (1.0 + np.cos(np.pi * here / _CUTOFF)) / len(frame)
            apart = (_BINS[:, None] - here[None, :]) / (2.0 * _WIDTH)
            parts.append((weight * np.exp(-(apart**2))).sum(axis=1))
    return np.concatenate(parts)


def system_of(frame: Atoms) -> str:
    """What a frame counts as when choices are spread: its ``info["system"]`` or its elements."""
    return str(frame.info.get("system") or "-".join(sorted(set(frame.get_chemical_symbols()))))


def frames_of_runs(database: Database, max_atoms: int) -> list[Atoms]:
    """Structures that the program's own runs met: starts and ends of relaxations, images of paths.

    Args:
        database: of the runs.
        max_atoms: larger ones are left out, since DFT could not label them.
    """
    return [
        atoms
        for document in database.calculations()
        for atoms in _structures(document)
        if len(atoms) <= max_atoms
    ]


def _structures(document: AnyCalculation) -> Iterator[Atoms]:
    if not isinstance(document, PathDocument):
        held = [document.initial_structure, document.final_structure]
    else:
        held = list(document.images or ())
    for one in held:
        if one is None:
            continue
        atoms = as_atoms(as_structure(one))
        atoms.set_constraint()
        atoms.info["task"] = document.task
        yield atoms


def _composition(frame: Atoms) -> tuple:
    counts = Counter(frame.numbers.tolist())
    smallest = np.gcd.reduce(list(counts.values()))
    return tuple(sorted((z, int(n // smallest)) for z, n in counts.items()))
