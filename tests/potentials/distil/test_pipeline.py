"""The one command, from sampling to the card, killed twice on the way."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from potentials import load_potential
from potentials.distil.frames import labelled, read_frames, write_frames
from potentials.distil.pipeline import Workspace, replayed_frames
from tests.potentials.distil.conftest import rattled


def shard(folder: Path, name: str, emt, family: str = "bulk", count: int = 30) -> None:
    frames = rattled(count)
    for i, (frame, label) in enumerate(zip(frames, emt.label(frames), strict=True)):
        frames[i] = labelled(frame, label)
        frames[i].info = {"system": f"{name}/{i}", "family": family}
    write_frames(folder / f"{name}.extxyz", frames)


def test_a_later_round_replays_a_share_of_the_earlier_frames(emt, tmp_path):
    space = Workspace(tmp_path)
    space.frames.mkdir()
    shard(space.frames, "bulk-0000", emt)
    first, held_out = space.frames_of(0, 0.5)
    assert len(first) + len(held_out) == 30
    shard(space.frames, "explore0-0000", emt)
    assert len(space.frames_of(0, 0.5)[0]) == len(first)  # a round that goes on has the same frames
    second, _ = space.frames_of(1, 0.5)
    names = [frame.info["system"].split("-")[0] for frame in second]
    assert names.count("bulk") == round(0.5 * len(first))
    assert names.count("explore0") > 20


def test_frames_to_replay_are_crystals_and_what_dft_lacks(emt, tmp_path):
    space = Workspace(tmp_path)
    space.frames.mkdir()
    shard(space.frames, "bulk-0000", emt)
    shard(space.frames, "slab-0000", emt, "slab")
    aluminium = [frame for frame in rattled(30) if set(frame.symbols) == {"Al"}]
    write_frames(tmp_path / "dft.extxyz", aluminium)
    count = replayed_frames(space, tmp_path / "dft.extxyz", tmp_path / "replay.extxyz")
    frames = read_frames([tmp_path / "replay.extxyz"])
    assert len(frames) == count == 60 - len(aluminium)
    assert all("Cu" in f.symbols for f in frames if f.info["family"] == "slab")


@pytest.mark.slow
def test_one_command_makes_a_potential_and_goes_on_after_kills(tmp_path):
    folder = tmp_path / "small"
    frames, checkpoint = folder / "frames", folder / "checkpoint-0.pt"
    kill_when(lambda: len(list(frames.glob("*.extxyz"))) > 3, folder)
    kept = {path: path.stat().st_mtime_ns for path in frames.glob("*.extxyz")}
    assert not checkpoint.exists()
    kill_when(checkpoint.is_file, folder)
    assert all(path.stat().st_mtime_ns == then for path, then in kept.items())
    spent = torch.load(checkpoint, weights_only=True)["spent"]
    assert 60.0 < spent < 66.0
    done = subprocess.run(command(folder), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert torch.load(checkpoint, weights_only=True)["spent"] < 80.0
    potential = load_potential(folder)
    assert potential.elements == {"Li"}
    errors = json.loads((folder / "errors.json").read_text())["all"]
    assert errors["energy"] < 100.0  # little time, and none to spare on a busy machine
    assert errors["forces"] < 70.0
    assert "surface_energy,Li bcc110" in (folder / "evaluation.csv").read_text()
    assert "distilled from `mini`" in (folder / "card.md").read_text()
    assert list(frames.glob("explore0-*.extxyz"))


def command(folder: Path) -> list[str]:
    options = ["--teacher", "mini", "--elements", "Li", "--minutes", "2.4"]
    return [sys.executable, "-m", "potentials.distil", "--folder", str(folder), *options]


def kill_when(reached, folder: Path) -> None:
    """Run the command until something is there, then kill it without warning."""
    process = subprocess.Popen(
        command(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    deadline = time.monotonic() + 1800.0
    while not reached() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert process.poll() is None, "it ended before it could be killed"
    assert reached()
    process.send_signal(signal.SIGKILL)
    process.wait()
