"""Where structures are kept on this machine, and errors of others in one line."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """``LITHIOPHILE_CACHE`` if set, else ``lithiophile`` in the user's cache folder (XDG)."""
    chosen = os.environ.get("LITHIOPHILE_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "lithiophile"


_LONGEST = 160


def one_line(error: BaseException) -> str:
    """The first line of an error's message, shortened; its kind where it has none."""
    lines = str(error).strip().splitlines()
    text = lines[0].strip() if lines else type(error).__name__
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
