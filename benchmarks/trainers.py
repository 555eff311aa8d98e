"""MACE's own trainer against that of ``potentials.distil``: same frames, network and CPU time.

Both train the network of `mini` from nothing on one thread; the errors are those on the same
frames of other trajectories, by the same engine. The recipe's trainer is given minutes, and MACE's
at least the CPU time that those took, in whole epochs, after a run that says what one costs. MACE's
runs with the loss and weights of its published models (``universal``, 1, 10, 100), EMA, AMSGrad and
a second stage over the last fifth.

    python benchmarks/trainers.py work/distil --elements Li,Cu,F --frames 1500 --minutes 8

takes any folder of `python -m potentials.distil label`. On a busy machine give more minutes: what
is compared is CPU time.
"""

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from ase import Atoms
from ase.io import write

from potentials import load_potential
from potentials.distil.frames import label_of, read_frames, split, write_frames

SECOND_STAGE = 0.8
"""Part of the epochs before MACE's second stage, in which energies weigh more."""
_BATCH_ATOMS = 120


@dataclass(frozen=True)
class Outcome:
    """What a trainer gave.

    Attributes:
        trainer: its name.
        cpu_s: CPU time of its process, from the first import to the written network.
        passes: over the frames.
        energy: mean absolute error, meV/atom.
        forces: mean absolute error of components, meV/Å.
        stress: mean absolute error of components, GPa.
    """

    trainer: str
    cpu_s: float
    passes: str
    energy: float
    forces: float
    stress: float


def main() -> None:
    """Train with both and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--elements", default="Li,Cu,F")
    parser.add_argument("--frames", type=int, default=1500)
    parser.add_argument("--minutes", type=float, default=8.0)
    asked = parser.parse_args()
    frames = _chosen(asked.folder, frozenset(asked.elements.split(",")), asked.frames)
    training, held_out = split(frames)
    atoms = sum(map(len, training))
    print(f"{len(training)} frames ({atoms} atoms) to train on, {len(held_out)} held out")
    with tempfile.TemporaryDirectory() as scratch:
        ours = _distil(Path(scratch), frames, held_out, asked.minutes)
        print(ours, flush=True)
        theirs = _mace(Path(scratch), training, held_out, ours.cpu_s)
    print(f"{'trainer':<24}{'CPU s':>8}{'passes':>8}{'meV/atom':>10}{'meV/Å':>8}{'GPa':>8}")
    for one in (ours, theirs):
        print(
            f"{one.trainer:<24}{one.cpu_s:>8.0f}{one.passes:>8}"
            f"{one.energy:>10.1f}{one.forces:>8.1f}{one.stress:>8.3f}"
        )


def _chosen(folder: Path, elements: frozenset[str], count: int) -> list[Atoms]:
    """Frames of these elements with a stress, at random but always the same ones."""
    frames = [
        frame
        for frame in read_frames(sorted((folder / "frames").glob("*.extxyz")))
        if {*frame.symbols} <= elements and label_of(frame).stress is not None
    ]
    kept = np.random.default_rng(0).permutation(len(frames))[:count]
    return [frames[i] for i in sorted(kept)]


def _distil(scratch: Path, frames: list[Atoms], held_out: list[Atoms], minutes: float) -> Outcome:
    write_frames(scratch / "frames.extxyz", frames)
    folder = scratch / "distil"
    folder.mkdir()
    command = ["-m", "potentials.distil", "train", "--folder", str(folder)]
    command += ["--frames", str(scratch / "frames.extxyz"), "--minutes", str(minutes)]
    spent = _cpu_seconds(command, scratch)
    steps = torch.load(folder / "checkpoint-0.pt", weights_only=True)["steps"]
    passes = steps * _BATCH_ATOMS / sum(map(len, split(frames)[0]))
    return Outcome("potentials.distil", spent, f"{passes:.1f}", *_errors(folder, held_out))


def _mace(scratch: Path, training: list[Atoms], held_out: list[Atoms], seconds: float) -> Outcome:
    marked = [_marked(frame) for frame in training]
    write(scratch / "all.xyz", marked, format="extxyz")
    write(scratch / "few.xyz", marked[:: max(1, len(marked) // 20)], format="extxyz")
    once = _cpu_seconds(_mace_command(scratch, training, 1), scratch)
    epochs = max(3, math.ceil(seconds / once))
    print(f"MACE: {once:.0f} s with one epoch, so {epochs}", flush=True)
    spent = _cpu_seconds(_mace_command(scratch, training, epochs), scratch)
    errors = _errors(scratch / f"{epochs}-epochs_stagetwo.model", held_out)
    return Outcome("mace_run_train", spent, str(epochs), *errors)


def _marked(frame: Atoms) -> Atoms:
    """A copy with the label under the names that MACE reads."""
    label = label_of(frame)
    copy = frame.copy()
    copy.info = {"REF_energy": label.energy, "REF_stress": label.stress}
    copy.arrays["REF_forces"] = label.forces
    return copy


def _mace_command(scratch: Path, training: list[Atoms], epochs: int) -> list[str]:
    network = json.loads((scratch / "distil" / "model.json").read_text())
    references = dict(zip(network["atomic_numbers"], network["atomic_energies"], strict=True))
    options = {
        "name": f"{epochs}-epochs",
        "work_dir": scratch,
        "train_file": scratch / "all.xyz",
        "valid_file": scratch / "few.xyz",
        "E0s": references,
        "model": "ScaleShiftMACE",
        "interaction": network["interaction_cls"],
        "interaction_first": network["interaction_cls_first"],
        "num_interactions": network["num_interactions"],
        "hidden_irreps": network["hidden_irreps"],
        "MLP_irreps": network["MLP_irreps"],
        "radial_MLP": network["radial_MLP"],
        "num_radial_basis": network["num_bessel"],
        "num_cutoff_basis": network["num_polynomial_cutoff"],
        "max_ell": network["max_ell"],
        "correlation": network["correlation"],
        "r_max": network["r_max"],
        "scaling": "rms_forces_scaling",
        "loss": "universal",
        "energy_weight": 1,
        "forces_weight": 10,
        "stress_weight": 100,
        "compute_stress": True,
        "error_table": "PerAtomMAEstressvirials",
        "default_dtype": "float32",
        "batch_size": round(_BATCH_ATOMS * len(training) / sum(map(len, training))),
        "lr": 0.01,
        "max_num_epochs": epochs,
        "device": "cpu",
        "num_workers": 0,
    }
    given = [f"--{name}={value}" for name, value in options.items()]
    given += ["--ema", "--amsgrad"]
    if epochs > 2:
        given += ["--swa", f"--start_swa={round(SECOND_STAGE * epochs)}"]
    return ["-m", "mace.cli.run_train", *given]


def _cpu_seconds(command: list[str], scratch: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, *command],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    (scratch / "output.txt").write_text(done.stdout + done.stderr)
    if done.returncode:
        sys.exit(done.stderr[-3000:])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _errors(model: Path, held_out: list[Atoms]) -> tuple[float, float, float]:
    engine = load_potential(model, trust=True).engine()
    energy, forces, stress = [], [], []
    for frame, found in zip(held_out, engine.evaluate(held_out), strict=True):
        label = label_of(frame)
        energy.append(abs(found.energy - label.energy) / len(frame))
        forces.append(np.abs(found.forces - label.forces).ravel())
        if found.stress is not None and label.stress is not None:
            stress.append(np.abs(found.stress - label.stress).ravel())
    return (
        1e3 * float(np.mean(energy)),
        1e3 * float(np.mean(np.concatenate(forces))),
        160.21766 * float(np.mean(np.concatenate(stress))),
    )


if __name__ == "__main__":
    main()
