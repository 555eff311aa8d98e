"""The steps of a distillation on one folder; each goes on where it was killed."""

import json
import logging
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms

from potentials.distil.crystals import check_elements, relaxed_crystals
from potentials.distil.errors import DistillationError
from potentials.distil.exploration import explore, starting_points
from potentials.distil.frames import read_frames, split, write_frames
from potentials.distil.labelling import label_systems
from potentials.distil.references import fit_references
from potentials.distil.stages import STAGES
from potentials.distil.teacher import NetworkTeacher, Teacher, named_teacher

if TYPE_CHECKING:
    from potentials.distil.training import Errors, Schedule

log = logging.getLogger(__name__)
HOT_CONTACTS = {"Cu": (1, 1, 1), "LiF": (1, 0, 0)}
"""Facets that Li(110) lies on in molecular dynamics."""
HOT = 500.0
"""K."""


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

    def checkpoint(self, round_: int) -> Path:
        """What a killed training of this round goes on from."""
        return self.folder / f"checkpoint-{round_}.pt"

    def load_teacher(self) -> Teacher:
        """The teacher, loaded."""
        return named_teacher(self.teacher)

    def crystals(self) -> dict[str, Atoms]:
        """Crystals relaxed with the teacher.

        Raises:
            DistillationError: if there are none yet.
        """
        path = self.folder / "crystals.extxyz"
        if not path.is_file():
            raise DistillationError(f"crystals: no {path}; run `label` first")
        return relaxed_crystals(path, None)

    def shards(self) -> list[Path]:
        """Files of labelled frames.

        Raises:
            DistillationError: if there are none yet.
        """
        paths = sorted(self.frames.glob("*.extxyz"))
        if not paths:
            raise DistillationError(f"frames: none in {self.frames}; run `label` first")
        return paths

    def shards_of(self, round_: int) -> list[Path]:
        """The shards that there were when a round of training began; noted at its first call."""
        note = self.folder / f"round-{round_}.json"
        if not note.is_file():
            names = [path.name for path in self.shards()]
            partial = note.with_suffix(f".{os.getpid()}")  # several processes may train
            partial.write_text(json.dumps(names, indent=0))
            partial.rename(note)
        return [self.frames / name for name in json.loads(note.read_text())]

    def frames_of(self, round_: int, replayed: float) -> tuple[list[Atoms], list[Atoms]]:
        """Frames of a round of training: to train on, and held out.

        Trained on are the frames that are new in this round, and of the earlier ones the share
        ``replayed``, drawn at random, so that they are not forgotten while the new ones are learnt.
        """
        shards = self.shards_of(round_)
        before = set(self.shards_of(round_ - 1)) if round_ else set()
        old, old_held_out = split(read_frames(path for path in shards if path in before))
        new, held_out = split(read_frames(path for path in shards if path not in before))
        share = replayed if new else 1.0
        kept = np.random.default_rng(round_).permutation(len(old))[: round(share * len(old))]
        return [old[i] for i in kept] + new, old_held_out + held_out


def label(
    space: Workspace,
    stages: list[str],
    part: tuple[int, int],
    elements: Sequence[str] | None = None,
) -> None:
    """Sample and label stages.

    Args:
        space: where everything is kept.
        stages: names of stages; none for all.
        part: (i, n): this process's share of n.
        elements: symbols that all structures are to be made of; None takes those that the folder
            was begun with, or all.

    Raises:
        DistillationError: for an unknown stage or element.
    """
    for name in stages:
        if name not in STAGES:
            raise DistillationError(f"stage: no {name!r}; choose from {', '.join(STAGES)}")
    check_elements(elements)
    space.frames.mkdir(parents=True, exist_ok=True)
    teacher = space.load_teacher()
    crystals = relaxed_crystals(space.folder / "crystals.extxyz", teacher, elements)
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


def replayed_frames(space: Workspace, dft: Path, path: Path) -> int:
    """Write the labelled frames that a fine-tuning on DFT frames is to be shown again.

    Those are bulk crystals, alloys and ionic vacancies, which a teacher trained near equilibrium
    knows well, and all frames with an element that DFT has none of. Frames of surfaces and contacts
    of the others are left out, since they are what DFT is to correct.

    Args:
        space: where the teacher's frames are.
        dft: extended-XYZ file of the DFT frames.
        path: extended-XYZ file to write.

    Returns:
        Number of frames written.
    """
    corrected = {symbol for frame in read_frames([dft]) for symbol in frame.symbols}
    kept = [
        frame
        for frame in read_frames(space.shards())
        if frame.info.get("family") in ("bulk", "alloy")
        or not {*frame.symbols} <= corrected
        or (frame.info.get("family") == "vacancy" and len({*frame.symbols}) > 1)
    ]
    write_frames(path, kept)
    return len(kept)


def train_network(
    space: Workspace, schedule: "Schedule", frames: Path | None, round_: int, replayed: float
) -> dict[str, "Errors"]:
    """Train on the folder's frames, or on a file of labelled frames, and write the network.

    Args:
        space: where everything is kept.
        schedule: how long and how hard.
        frames: extended-XYZ file with energies and forces to train on instead of the folder's.
        round_: 0 for a fresh network; later ones start from the network that is there.
        replayed: share of the folder's earlier frames that a later round is shown again.

    Returns:
        Errors on held-out trajectories, over all and by family.

    Raises:
        DistillationError: no frames, none held out, a file that cannot be read, a frame without a
            label, or one with an element that the network does not know.
        PotentialError: the teacher of a fresh network, or a later round's network, cannot be
            loaded.
    """
    import torch

    from potentials.distil import network as net
    from potentials.distil.graphs import labelled_graphs
    from potentials.distil.training import mean_errors, train
    from potentials.tensors import build_network, load_network

    training, held_out = (
        split(read_frames([frames])) if frames else space.frames_of(round_, replayed)
    )
    if not held_out:
        raise DistillationError(f"frames: only {len(training)}, none held out; give 50 or more")
    if round_:
        network = load_network(space.model, torch.float32)
        arguments = json.loads(space.model.with_suffix(".json").read_text())
    else:
        arguments = _fresh_arguments(space, training, own_elements=frames is not None)
        network = build_network(arguments, torch.float32)
    elements = arguments["atomic_numbers"]
    tested = labelled_graphs(held_out, elements, net.CUTOFF)
    log.info("%d frames to train on, %d held out", len(training), len(held_out))
    train(
        network,
        labelled_graphs(training, elements, net.CUTOFF),
        tested,
        schedule,
        space.checkpoint(round_),
    )
    net.save_trained(network, arguments, space.model)
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

    elements = sorted({int(z) for frame in training for z in frame.numbers})
    known = {} if own_elements else space.load_teacher().element_energies
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


def dynamics(space: Workspace, picoseconds: float) -> dict[str, Any]:
    """Molecular dynamics of contacts with Li at 500 K, kept one by one in ``dynamics.json``.

    Args:
        space: where crystals and network are.
        picoseconds: length of each trajectory.

    Returns:
        What each trajectory did (`Stability`), by contact, with its number of atoms.
    """
    from potentials.distil.interfaces import contact
    from potentials.distil.stability import stability, wide
    from potentials.loading import load_potential

    crystals = space.crystals()
    engine = load_potential(space.folder, dtype="float32").engine()
    path = space.folder / "dynamics.json"
    done: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    for substrate, facet in HOT_CONTACTS.items():
        built = contact(crystals, (1, 1, 0), substrate, facet) if substrate in crystals else None
        name = f"Li(110) on {substrate}({''.join(map(str, facet))})"
        if built is None or name in done:
            continue
        atoms, film = wide(*built)
        frames = space.folder / f"dynamics-{substrate}"
        found = stability(atoms, film, engine, HOT, picoseconds, frames)
        done[name] = asdict(found) | {"atoms": len(atoms)}
        path.write_text(json.dumps(done, indent=1))
    return done


def card(space: Workspace) -> None:
    """Write ``card.md`` from what the earlier steps left, and ``notes.md`` if there is one."""
    from potentials.distil.card import write_card

    write_card(
        space.teacher,
        read_frames(space.shards()),
        space.folder / "errors.json",
        space.folder / "evaluation.csv",
        space.folder / "dynamics.json",
        space.folder / "notes.md",
        space.folder / "card.md",
    )
