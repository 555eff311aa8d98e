"""Downloads of published weights: resumed, checked, and put in place in one step."""

import sys
from collections.abc import Callable
from pathlib import Path

import requests

from potentials.cache import check_pin, sha256_of, weights_folder
from potentials.checkpoint import check_checkpoint
from potentials.errors import PotentialError
from potentials.registry import RegistryEntry

Progress = Callable[[int, int | None], None]
"""Called with (bytes so far, bytes in all or None where the server does not say)."""
Announce = Callable[[str], None]
"""Called with one line that the user is to read."""

_TIMEOUT = (10.0, 60.0)
_BLOCK = 1 << 18
_ATTEMPTS = 3


class _InterruptedError(Exception):
    """The connection ended before the file did; what came is kept."""


def to_stderr(line: str) -> None:
    """Print a line for the user."""
    print(line, file=sys.stderr)


def weights_path(entry: RegistryEntry) -> Path:
    """Where the weights of a published potential lie, or are to be placed by hand."""
    return weights_folder() / entry.filename


def fetched_weights(
    entry: RegistryEntry, *, progress: Progress | None = None, announce: Announce = to_stderr
) -> Path:
    """The weights file of a published potential, downloaded unless it is in the cache.

    The content is checked and its SHA-256 kept at first use.

    Args:
        entry: the potential.
        progress: called while bytes come in.
        announce: is told the licence before the first download, where it is for academic use only.

    Raises:
        PotentialError: if it cannot be had, is no checkpoint, or differs from that of first use.
    """
    path = weights_path(entry)
    if not path.exists():
        if entry.academic_only:
            announce(
                f"{entry.name}: licence {entry.licence}, academic use only, no commercial use"
                " (https://github.com/gabor1/ASL); by downloading you accept it"
            )
        partial = path.with_name(path.name + ".part")
        _download(entry, partial, path, progress)
        try:
            check_checkpoint(partial)
            check_pin(entry.name, sha256_of(partial), partial)
        except PotentialError:
            partial.unlink()
            raise
        partial.replace(path)
    return path


def verified_weights(entry: RegistryEntry) -> str:
    """Check the weights in the cache against the hash of first use, without any download.

    Returns:
        Their SHA-256.

    Raises:
        PotentialError: if they are not in the cache, are no checkpoint, or differ.
    """
    path = weights_path(entry)
    if not path.exists():
        raise PotentialError(
            f"weights of {entry.name!r}: not in the cache ({path});"
            f" `lithiophile potentials fetch {entry.name}`"
        )
    check_checkpoint(path)
    sha256 = sha256_of(path)
    check_pin(entry.name, sha256, path)
    return sha256


def _download(entry: RegistryEntry, partial: Path, final: Path, progress: Progress | None) -> None:
    """Fill ``partial``, going on from where an earlier attempt ended.

    Raises:
        PotentialError: if the server cannot be reached, refuses, or sends something else.
    """
    assert entry.url is not None
    by_hand = f"place the file from {entry.url} at {final}"
    try:
        partial.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(_ATTEMPTS):
            try:
                return _receive(entry, partial, progress, by_hand)
            except _InterruptedError:
                continue
    except requests.RequestException as error:
        raise PotentialError(
            f"weights of {entry.name!r}: not in the cache and {entry.url} cannot be reached"
            f" ({type(error).__name__}); {by_hand}"
        ) from error
    except OSError as error:
        raise PotentialError(
            f"cache: {partial.parent} cannot be written ({error.strerror});"
            " set LITHIOPHILE_CACHE to a folder that can"
        ) from error
    raise PotentialError(
        f"weights of {entry.name!r}: the download broke off {_ATTEMPTS} times;"
        " run it again, it goes on from where it ended"
    )


def _receive(entry: RegistryEntry, partial: Path, progress: Progress | None, by_hand: str) -> None:
    """One request; appends to ``partial``.

    Raises:
        _InterruptedError: if the connection ends early.
    """
    assert entry.url is not None
    done = partial.stat().st_size if partial.exists() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={done}-"} if done else {})
    with requests.get(entry.url, headers=headers, stream=True, timeout=_TIMEOUT) as response:
        if response.status_code == requests.codes.requested_range_not_satisfiable:
            partial.unlink()  # longer than the file, or whole: the check after a new start tells
            raise _InterruptedError
        if not response.ok:
            raise PotentialError(
                f"weights of {entry.name!r}: {entry.url} answered {response.status_code}"
                f" {response.reason}; {by_hand}"
            )
        kind = response.headers.get("Content-Type", "").split(";")[0].strip()
        if kind.startswith("text/"):
            raise PotentialError(
                f"weights of {entry.name!r}: {entry.url} sent {kind}, not a checkpoint; {by_hand}"
            )
        resumed = response.status_code == requests.codes.partial_content
        done = done if resumed else 0
        length = response.headers.get("Content-Length")
        total = done + int(length) if length else None
        try:
            with partial.open("ab" if resumed else "wb") as file:
                for block in response.iter_content(_BLOCK):
                    file.write(block)
                    done += len(block)
                    if progress is not None:
                        progress(done, total)
        except (
            requests.exceptions.ChunkedEncodingError,
            requests.exceptions.ConnectionError,
        ) as error:
            raise _InterruptedError from error
    if total is not None and done < total:
        raise _InterruptedError
