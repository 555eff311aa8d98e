"""The PBE frames that ship with the package."""

from pathlib import Path

REFERENCE = "reference"
"""Name of the package's own frames where a file of frames is asked for."""


def reference_frames_file() -> Path:
    """Extended XYZ of the labelled frames, compressed; settings and versions in frames.json."""
    return Path(__file__).with_name("frames") / "frames.extxyz.xz"
