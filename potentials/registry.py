"""The potentials known by name, as data: `registry.yaml` beside this module."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from potentials.choices import nearest
from potentials.errors import PotentialError

Kind = Literal["mace", "chgnet", "network", "gpaw"]
Corrections = Literal["apply", "included", "incompatible"]


@dataclass(frozen=True)
class RegistryEntry:
    """What is known about a published potential before it is loaded.

    Attributes:
        name: the name it is asked for by.
        kind: a MACE checkpoint to be downloaded, CHGNet, a network inside this package, or GPAW.
        summary: one line on what it is for.
        url: download address; None where nothing is downloaded.
        licence: short name of the licence of the weights.
        academic_only: whether the licence forbids commercial use.
        elements: chemical symbols covered, by atomic number.
        training: data it is trained on.
        functional: level of theory of the data.
        heads: head to what it was trained on; empty for one head.
        default_head: head used where none is asked for.
        mp_corrections: ``"apply"`` Materials Project corrections before energies are mixed with its
            entries on a hull, ``"included"`` in the energies already, or ``"incompatible"``.
        default_dtype: ``"float64"`` or ``"float32"``.
        dispersion: D3 correction that fits its functional; None where it has none.
        citation: what to cite.
    """

    name: str
    kind: Kind
    summary: str
    url: str | None
    licence: str
    academic_only: bool
    elements: tuple[str, ...]
    training: str
    functional: str
    heads: dict[str, str]
    default_head: str | None
    mp_corrections: Corrections
    default_dtype: str
    dispersion: str | None
    citation: str

    @property
    def filename(self) -> str:
        """Name of the weights file in the cache."""
        return f"{self.name}{Path(urlsplit(self.url or '').path).suffix}"


@cache
def registry() -> dict[str, RegistryEntry]:
    """All entries by name, in the order of the file."""
    from ruamel.yaml import YAML

    data: dict[str, Any] = YAML(typ="safe").load(Path(__file__).with_name("registry.yaml"))
    sets = data["element_sets"]
    return {
        name: RegistryEntry(name=name, **fields | {"elements": tuple(sets[fields["elements"]])})
        for name, fields in data["potentials"].items()
    }


def entry(name: str) -> RegistryEntry:
    """The entry called ``name``.

    Raises:
        PotentialError: for an unknown name, with the nearest known ones.
    """
    known = registry()
    if name not in known:
        raise PotentialError(f"potential: {name!r} is unknown; {nearest(name, known)}")
    return known[name]
