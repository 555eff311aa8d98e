"""What the command line says about potentials: listed, described, fetched and verified."""

from dataclasses import dataclass

from potentials.cache import pinned_hashes
from potentials.download import (
    Announce,
    Progress,
    fetched_weights,
    to_stderr,
    verified_weights,
    weights_path,
)
from potentials.errors import PotentialError
from potentials.registry import RegistryEntry, entry, registry


@dataclass(frozen=True)
class PotentialStatus:
    """A registered potential and whether it can be used on this machine at once.

    Attributes:
        entry: what is known about it.
        available: whether its weights are on this machine.
        path: weights file in the cache, existing or not; None where nothing is downloaded.
        sha256: hash kept at its first use; None before.
    """

    entry: RegistryEntry
    available: bool
    path: str | None
    sha256: str | None


def list_potentials() -> list[PotentialStatus]:
    """All registered potentials, those that need no download first."""
    return [potential_info(name) for name in registry()]


def potential_info(name: str) -> PotentialStatus:
    """One registered potential.

    Raises:
        PotentialError: for an unknown name.
    """
    known = entry(name)
    if known.kind == "mace":
        path = weights_path(known)
        return PotentialStatus(known, path.exists(), str(path), pinned_hashes().get(name))
    return PotentialStatus(known, _installed(known), None, None)


def fetch(
    name: str, *, progress: Progress | None = None, announce: Announce = to_stderr
) -> PotentialStatus:
    """Download a potential's weights unless they are there.

    Raises:
        PotentialError: as `fetched_weights`; for an unknown name, or one whose package is not
            installed, which brings its weights.
    """
    known = entry(name)
    if known.kind == "mace":
        fetched_weights(known, progress=progress, announce=announce)
    elif known.kind == "chgnet":
        from potentials.chgnet_potential import weights_file

        weights_file()
    elif known.kind == "gpaw":
        from potentials.dft.gpaw_potential import GpawPotential

        GpawPotential(name)
    return potential_info(name)


def verify(name: str) -> PotentialStatus:
    """Check a potential's weights against the hash of their first use.

    Raises:
        PotentialError: as `verified_weights`; for an unknown name or one without a download.
    """
    known = entry(name)
    if known.kind != "mace":
        raise PotentialError(
            f"potential: {name!r} comes with a package; there is nothing to verify"
        )
    verified_weights(known)
    return potential_info(name)


def _installed(known: RegistryEntry) -> bool:
    from importlib.util import find_spec
    from pathlib import Path

    if known.kind in ("chgnet", "gpaw"):
        return find_spec(known.kind) is not None
    return (Path(__file__).parent / known.name / "model.safetensors").is_file()
