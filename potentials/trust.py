"""Which checkpoint files may be loaded: unpickling one runs whatever code is in it."""

from pathlib import Path

from potentials.cache import keep_trusted_hash, sha256_of, trusted_hashes
from potentials.checkpoint import check_checkpoint
from potentials.errors import PotentialError


def trust_file(path: str | Path) -> str:
    """Allow a local checkpoint to be loaded from now on, by its content; nothing of it is run.

    Args:
        path: the checkpoint.

    Returns:
        Its SHA-256.

    Raises:
        PotentialError: if it cannot be read or is no checkpoint.
    """
    path = Path(path)
    sha256 = sha256_of(path)
    check_checkpoint(path)
    keep_trusted_hash(sha256, path)
    return sha256


def check_trusted(path: Path, sha256: str) -> None:
    """Refuse a checkpoint that nobody vouched for.

    Raises:
        PotentialError: unless its content was trusted.
    """
    if sha256 not in trusted_hashes():
        raise PotentialError(
            f"potential: {path} (SHA-256 {sha256[:16]}…) is not trusted, and loading it would run"
            f" code in it; if you trust its source: `lithiophile potentials trust {path}`,"
            " or trust: true"
        )
