"""The steps of a distillation on one folder; each goes on where it was killed."""

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ase import Atoms
from ase.data import atomic_numbers

from potentials.distil.crystals import ELEMENTS, relaxed_crystals
from potentials.distil.errors import DistillationError
from potentials.distil.exploration import explore, starting_points
from potentials.distil.frames import read_frames, split
from potentials.distil.labelling import label_systems
from potentials.distil.references import fit_references
from potentials.distil.stages import STAGES
from potentials.distil.teacher import NetworkTeacher, Teacher, named_teacher

if TYPE_CHECKING:
    from potentials.distil.training import Errors, Schedule

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Workspace:
    """Where a distillation keeps what it has.

    Attributes:
        folder: holds everything else.
        teacher: registered name of the teacher.
    """

    folder: Path
    teacher: str = "chgnet"

    @property
    def frames(self) -> Path:
        """Folder of labelled shards."""
        return self.folder / "frames"

    @property
    def model(self) -> Path:
        """Stem of the network's two files."""
        return self.folder / "model"

    def load_teacher(self) -> Teacher:
        """The teacher, loaded."""
        return named_teacher(self.teacher)

    def load_frames(self) -> list[Atoms]:
        """All labelled frames.

        Raises:
            DistillationError: if there are none yet.
        """
        paths = sorted(self.frames.glob("*.extxyz"))
        frames = read_frames(paths)
        if not frames:
            raise DistillationError(f"frames: none in {self.frames}; run `label` first")
        return frames


def label(space: Workspace, stages: list[str], part: tuple[int, int]) -> None:
    """Sample and label stages.

    Raises:
        DistillationError: for an unknown stage.
    """
    for name in stages:
        if name not in STAGES:
            raise DistillationError(f"stage: no {name!r}; choose from {', '.join(STAGES)}")
    space.frames.mkdir(parents=True, exist_ok=True)
    teacher = space.load_teacher()
    crystals = relaxed_crystals(space.folder / "crystals.extxyz", teacher)
    for name in stages or list(STAGES):
        label_systems(STAGES[name](crystals), teacher, space.frames, name, part)


def explore_round(space: Workspace, round_: int, part: tuple[int, int]) -> None:
    """Let the network explore and label where it was worst."""
    from potentials.tensors import load_network

    teacher = space.load_teacher()
    crystals = relaxed_crystals(space.folder / "crystals.extxyz", teacher)
    network = NetworkTeacher(load_network(space.model))
    starts = starting_points(crystals, round_)
    explore(starts, network, teacher, space.frames, f"explore{round_}", part)


def train_network(
    space: Workspace, schedule: "Schedule", frames: Path | None, warm: bool
) -> dict[str, "Errors"]:
    """Train on the folder's frames, or on a file of labelled frames, and write the network.

    Args:
        space: where everything is kept.
        schedule: how long and how hard.
        frames: extended-XYZ file with energies and forces to train on instead of the folder's.
        warm: start from the weights of the network that is already there.

    Returns:
        Errors on held-out trajectories, over all and by family.
    """
    import torch

    from potentials.distil import network as net
    from potentials.distil.graphs import labelled_graphs
    from potentials.distil.training import mean_errors, train
    from potentials.tensors import build_network, load_network, save_network

    training, held_out = split(read_frames([frames]) if frames else space.load_frames())
    if not held_out:
        raise DistillationError(f"frames: only {len(training)}, none held out; give 50 or more")
    if warm:
        arguments = json.loads(space.model.with_suffix(".json").read_text())
    else:
        arguments = _fresh_arguments(space, training, own_elements=frames is not None)
    network = build_network(arguments, torch.float32)
    if warm:
        network.load_state_dict(load_network(space.model, torch.float32).state_dict())
    elements = arguments["atomic_numbers"]
    tested = labelled_graphs(held_out, elements, net.CUTOFF)
    log.info("%d frames to train on, %d held out", len(training), len(held_out))
    train(
        network,
        labelled_graphs(training, elements, net.CUTOFF),
        tested,
        schedule,
        space.folder / "checkpoint.pt",
    )
    exact = build_network(arguments, torch.float64)  # constants in full precision
    with torch.no_grad():
        for target, source in zip(exact.parameters(), network.parameters(), strict=True):
            target.copy_(source)
    save_network(exact, arguments, space.model)
    families = sorted({str(f.info.get("family", "given")) for f in held_out})
    errors = {"all": mean_errors(network, tested)}
    for family in families:
        chosen = [
            g
            for g, f in zip(tested, held_out, strict=True)
            if f.info.get("family", "given") == family
        ]
        errors[family] = mean_errors(network, chosen)
    as_json = {name: asdict(error) for name, error in errors.items()}
    (space.folder / "errors.json").write_text(json.dumps(as_json, indent=1))
    return errors


def _fresh_arguments(space: Workspace, training: list[Atoms], own_elements: bool) -> dict[str, Any]:
    """Constructor's arguments for a network that starts from nothing."""
    from potentials.distil import network as net

    if own_elements:
        elements = sorted({int(z) for frame in training for z in frame.numbers})
        prior = dict.fromkeys(elements, 0.0)
    else:
        elements = sorted(atomic_numbers[symbol] for symbol in ELEMENTS)
        known = space.load_teacher().element_energies
        prior = {z: known.get(z, 0.0) for z in elements}
    return net.architecture(
        elements,
        fit_references(training, elements, prior),
        net.mean_neighbours(training[::10] or training),
        net.force_scale(training),
    )


def evaluate(space: Workspace) -> str:
    """Derived quantities of network and teacher side by side, written to ``evaluation.csv``.

    Returns:
        The table as CSV.
    """
    from mace.calculators import MACECalculator

    from potentials.distil.calculator import TeacherCalculator
    from potentials.distil.evaluation import derived_quantities, write_table
    from potentials.tensors import load_network

    teacher = space.load_teacher()
    crystals = relaxed_crystals(space.folder / "crystals.extxyz", teacher)
    wanted = derived_quantities(
        crystals, TeacherCalculator(teacher), space.folder / "teacher_values.json"
    )
    network = MACECalculator(
        models=[load_network(space.model)], device="cpu", default_dtype="float64"
    )
    found = derived_quantities(crystals, network)
    path = space.folder / "evaluation.csv"
    write_table(wanted, found, path)
    return path.read_text()


def card(space: Workspace) -> None:
    """Write ``card.md`` from what the earlier steps left, and from ``notes.md`` if there."""
    from potentials.distil.card import write_card

    write_card(
        space.load_frames(),
        space.folder / "errors.json",
        space.folder / "evaluation.csv",
        space.folder / "notes.md",
        space.folder / "card.md",
    )
