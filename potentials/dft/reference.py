"""The PBE frames that ship with the package."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import ase.io
from ase import Atoms

from potentials.cache import sha256_of
from potentials.dft.gpaw_potential import GpawPotential, setup_files

REFERENCE = "reference"
"""Name of the package's own frames where a file of frames is asked for."""
_FRAMES, _FACTS = "frames.extxyz.xz", "frames.json"
_FOLDER = Path(__file__).with_name("frames")


def reference_frames_file() -> Path:
    """Extended XYZ of the labelled frames, compressed."""
    return _FOLDER / _FRAMES


def write_reference_frames(
    frames: Sequence[Atoms],
    potential: GpawPotential,
    failures: Mapping[str, str],
    seconds: float,
    folder: Path,
) -> None:
    """Write frames, and beside them what made them: settings, versions, hashes of setups and file.

    Args:
        frames: labelled; ``info`` holds name, family and system.
        potential: what labelled them.
        failures: why the others have no label, by name.
        seconds: time that all of them took on one core.
        folder: where the two files go; made if it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / _FRAMES
    ase.io.write(path, list(frames), format="extxyz")
    elements = sorted({symbol for frame in frames for symbol in frame.get_chemical_symbols()})
    setups = setup_files(potential.settings.functional)
    facts = {
        "frames": len(frames),
        "atoms": sum(len(frame) for frame in frames),
        "sha256": sha256_of(path),
        "families": dict(Counter(str(frame.info["family"]) for frame in frames)),
        "systems": dict(Counter(str(frame.info["system"]) for frame in frames)),
        "settings": potential.settings.to_dict(),
        "potential": potential.identity.to_dict(),
        "setups": {symbol: sha256_of(setups[symbol]) for symbol in elements},
        "not_converged": dict(failures),
        "mean_seconds": round(seconds / max(len(frames) + len(failures), 1), 1),
    }
    text = json.dumps(facts, indent=2, ensure_ascii=False) + "\n"
    (folder / _FACTS).write_text(text, encoding="utf-8")
