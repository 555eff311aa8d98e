"""Who gave a number: the potential's identity, carried by every result."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class PotentialIdentity:
    """Everything that must be the same for two energies to be the same.

    Attributes:
        name: registry name, or the file's name for a local model.
        sha256: hash of the weights file (hex digest).
        head: head of a multi-head model; None where there is one only.
        dtype: ``"float64"``, ``"float32"`` or ``"tf32"``.
        dispersion: dispersion correction added, for example ``"d3-bj-pbe"``; None without.
        versions: (package, version) pairs of what computes it, sorted by package.
        parts: who gave the energies and who the structures, where these are two potentials
            (`potentials.final_energies`); ``sha256`` is then a hash of both identities.
    """

    name: str
    sha256: str
    head: str | None
    dtype: str
    dispersion: str | None
    versions: tuple[tuple[str, str], ...]
    parts: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types, ``versions`` as a mapping."""
        return asdict(self) | {"versions": dict(self.versions)}

    @property
    def fingerprint_fields(self) -> dict[str, str | None]:
        """The fields that enter a calculation's fingerprint: all but versions and parts."""
        return {
            "name": self.name,
            "sha256": self.sha256,
            "head": self.head,
            "dtype": self.dtype,
            "dispersion": self.dispersion,
        }
