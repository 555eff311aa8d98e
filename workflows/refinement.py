"""Correct a potential with DFT: choose frames, label them, train further, compare.

Everything stands in one folder and goes on where it was killed: the frames chosen, the labels one
by one, the training's checkpoint.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ase import Atoms

from potentials.dft.cost import estimated_seconds
from potentials.dft.settings import SETTINGS
from potentials.distil.frames import split
from potentials.loading import load_potential
from potentials.potential import Potential
from potentials.torch_state import process_kept
from workflows.errors import WorkflowError
from workflows.frame_choice import choose_frames, disagreements
from workflows.frame_validation import FrameErrors, frame_errors, predicted_frames, read_frames
from workflows.labelling import Labelling, label_frames, write_labelled
from workflows.places import Place
from workflows.progress import Listener
from workflows.settings import PotentialSettings, StoreSettings

if TYPE_CHECKING:
    from potentials.distil.training import Schedule

CHOSEN, LABELLED, FAILED, TRAINING = "chosen.extxyz", "labelled.extxyz", "failed.txt", "all.extxyz"
_PER_ATOM = 0.01
"""Estimate for a label from a potential that is no DFT, s per atom on one core: for 51 atoms in the
mean CHGNet took 0.012, `mini` 0.002."""


@dataclass(frozen=True)
class Plan:
    """What a refinement is going to do, known before it starts.

    Attributes:
        frames: to be labelled.
        candidates: number of frames that they were chosen from.
        seconds: estimated time of the labels on one core, s.
    """

    frames: list[Atoms]
    candidates: int
    seconds: float


@dataclass(frozen=True)
class Comparison:
    """A potential before and after, on held-out frames that neither was trained on here.

    Attributes:
        before: errors of the potential as it came.
        after: errors of the refined one.
        model: file or folder of the refined potential.
    """

    before: list[FrameErrors]
    after: list[FrameErrors]
    model: Path


def label_seconds(frames: Sequence[Atoms], labels: str) -> list[float]:
    """Estimated time of each frame's label on one core, s.

    Args:
        frames: structures.
        labels: name of the potential that labels, such as ``"gpaw-pbe-quick"``.
    """
    settings = SETTINGS.get(labels.removeprefix("gpaw-"))
    if settings is None:
        return [_PER_ATOM * len(frame) for frame in frames]
    return [estimated_seconds(frame, settings) for frame in frames]


def plan_refinement(
    candidates: Sequence[Atoms],
    committee: Sequence[Potential],
    labels: str,
    limit_seconds: float,
    known: Sequence[Atoms],
    folder: Path,
) -> Plan:
    """Choose the frames; a plan that the folder already holds is taken from there.

    Args:
        candidates: frames to choose from.
        committee: potentials whose disagreement chooses, the one to be refined among them.
        labels: name of the potential that labels.
        limit_seconds: longest time for the labels on one core, s.
        known: frames that are labelled already.
        folder: where everything is kept.

    Raises:
        WorkflowError: nothing is left to choose within the limit.
    """
    path = folder / CHOSEN
    if path.is_file():
        frames = read_frames(path)
        return Plan(frames, len(candidates), sum(label_seconds(frames, labels)))
    seconds = label_seconds(candidates, labels)
    chosen = choose_frames(
        candidates, disagreements(candidates, committee), seconds, limit_seconds, known
    )
    if not chosen:
        raise WorkflowError(
            f"candidates: none of {len(candidates)} is new and labelled within "
            f"{limit_seconds / 3600.0:.3g} h; raise --limit-hours or give other candidates"
        )
    frames = []
    for choice in chosen:
        frame = candidates[choice.position].copy()
        frame.info["disagreement"] = round(choice.disagreement, 4)
        frames.append(frame)
    folder.mkdir(parents=True, exist_ok=True)
    write_labelled(frames, path)
    return Plan(frames, len(candidates), sum(seconds[choice.position] for choice in chosen))


def label_plan(
    plan: Plan, labels: PotentialSettings, folder: Path, listener: Listener, place: Place
) -> Labelling:
    """Label what was planned; labels come to stand in the folder."""
    labelling = label_frames(plan.frames, labels, StoreSettings(spool=str(folder)), listener, place)
    if labelling.frames:
        write_labelled(labelling.frames, folder / LABELLED)
    failed = [
        f"{plan.frames[i].info.get('name', i)}: {why}" for i, why in labelling.failures.items()
    ]
    (folder / FAILED).write_text("".join(f"{line}\n" for line in failed))
    return labelling


def refine_on_frames(
    model: str,
    frames: Sequence[Atoms],
    folder: Path,
    schedule: "Schedule",
    replay: Sequence[Path] = (),
) -> Comparison:
    """Train a MACE potential further on labelled frames and compare on those held out.

    Args:
        model: registered name, file or folder of a MACE potential with one head.
        frames: labelled; ``info["system"]`` names what is held out together, about one system in
            sixteen.
        folder: where checkpoint and result go.
        schedule: how long and how hard.
        replay: files of frames labelled with what the potential was trained on or with the
            potential itself, so that it keeps what the new frames do not show.

    Raises:
        WorkflowError: the potential covers no frame.
        DistillationError: no frame is held out, or the potential is no MACE network.
    """
    before = load_potential(model)
    covered = [f for f in frames if set(f.get_chemical_symbols()) <= before.elements]
    if not covered:
        raise WorkflowError(
            f"frames: potential {before.identity.name!r} covers none of them; choose another"
        )
    folder.mkdir(parents=True, exist_ok=True)
    together = folder / TRAINING
    write_labelled(covered, together)
    with process_kept():
        from potentials.distil.finetuning import fine_tune

        tuned = fine_tune(model, together, folder, schedule, replay)
    held_out = split(read_frames(together))[1]
    after = load_potential(tuned.model, trust=True)
    return Comparison(
        frame_errors(predicted_frames(before, held_out)),
        frame_errors(predicted_frames(after, held_out)),
        tuned.model,
    )
