"""Where downloaded weights are kept, and the hashes remembered about them."""

import hashlib
import json
import os
from pathlib import Path

from potentials.errors import PotentialError


def cache_folder() -> Path:
    """``LITHIOPHILE_CACHE`` if set, else ``lithiophile`` in the user's cache folder (XDG)."""
    chosen = os.environ.get("LITHIOPHILE_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "lithiophile"


def weights_folder() -> Path:
    """Folder of the downloaded weights."""
    return cache_folder() / "potentials"


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, hex digest.

    Raises:
        PotentialError: if it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise PotentialError(f"file: {path} cannot be read ({error.strerror}); check it") from error


def pinned_hashes() -> dict[str, str]:
    """Name of a potential to the SHA-256 kept at its first use."""
    return _read(_pins())


def pin_hash(name: str, sha256: str) -> None:
    """Keep the SHA-256 of a potential's weights from now on."""
    _write(_pins(), pinned_hashes() | {name: sha256})


def trusted_hashes() -> dict[str, str]:
    """SHA-256 of a trusted file to its path at that time."""
    return _read(_trusted())


def keep_trusted_hash(sha256: str, path: Path) -> None:
    """Remember that the file with this content may be loaded."""
    _write(_trusted(), trusted_hashes() | {sha256: str(path.resolve())})


def check_pin(name: str, sha256: str, path: Path) -> None:
    """Refuse weights that differ from those of the first use; keep the hash if it is the first.

    Raises:
        PotentialError: on a mismatch, with both hashes and what to do.
    """
    kept = pinned_hashes().get(name)
    if kept is None:
        pin_hash(name, sha256)
    elif kept != sha256:
        raise PotentialError(
            f"weights of {name!r}: {path} has SHA-256 {sha256}, at first use it was {kept}; delete"
            f" the file and fetch it again, or, if the publisher says that it changed, delete"
            f" {name!r} from {_pins()}"
        )


def _pins() -> Path:
    return weights_folder() / "sha256.json"


def _trusted() -> Path:
    return cache_folder() / "trusted.json"


def _read(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, json.JSONDecodeError) as error:
        raise PotentialError(
            f"hashes: {path} cannot be read ({error}); mend or delete it"
        ) from None
    return dict(found)


def _write(path: Path, hashes: dict[str, str]) -> None:
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(hashes, indent=2, sort_keys=True) + "\n")
        partial.replace(path)
    except OSError as error:
        raise PotentialError(
            f"cache: {path} cannot be written ({error.strerror}); set LITHIOPHILE_CACHE to a folder"
            " that can"
        ) from error
