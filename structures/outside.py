"""Crystals that are not in the library: CIF files, Materials Project ids, OPTIMADE addresses.

They are named as a library crystal is: ``"cells/Li3OCl.cif"``, ``"mp-985585"`` or
``"https://optimade.materialsproject.org/v1/structures/mp-985585"``. What comes over the network is
kept in the cache with its hash, so that a name means the same crystal from then on, on machines
without network too.
"""

import hashlib
import json
import os
import re
import warnings
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from pymatgen.core.structure import Structure

from structures.errors import StructureError
from structures.places import cache_folder, one_line

_MATERIALS_PROJECT = re.compile(r"(mp|mvc)-[0-9a-z]+", re.IGNORECASE)
_FAR = 1e3
"""Fractional coordinates beyond which a site is a slip of the pen."""
_LONGEST = 1e3
"""Longest cell vector, Å."""
_LEAST_VOLUME, _LARGEST_VOLUME = 1.0, 1e3
"""Volume per atom, Å³; diamond has 5.7, lithium 22."""
_FLATTEST = 0.01
"""Volume over that of a box with the cell's lengths."""
_OPTIMADE = re.compile(r"https?://\S+/structures/\S+", re.IGNORECASE)


@dataclass(frozen=True)
class OutsideCrystal:
    """A crystal as its source gave it.

    Attributes:
        name: what it is called by.
        source: where it is from: file, or database with its version and the day it was fetched.
        sha256: hash of its cell and atoms, `structure_sha256`.
        structure: the crystal.
    """

    name: str
    source: str
    sha256: str
    structure: Structure


def is_outside(name: str) -> bool:
    """Whether ``name`` has the form of a CIF file, Materials Project id or OPTIMADE address."""
    return (
        _is_file(name)
        or _MATERIALS_PROJECT.fullmatch(name) is not None
        or _OPTIMADE.fullmatch(name) is not None
    )


def outside_crystal(name: str) -> OutsideCrystal:
    """The crystal that ``name`` stands for.

    Raises:
        StructureError: in one line: no such file or id, a file that cannot be read, partly
            occupied sites, no key, no network, or an extra that is not installed.
    """
    if _is_file(name):
        path = Path(name).expanduser()
        try:
            changed = path.stat().st_mtime_ns
        except OSError as error:
            raise StructureError(
                f"crystal: '{name}' cannot be read ({error.strerror}); give the path of a CIF "
                f"file, here from {Path.cwd()}"
            ) from error
        return _from_file(name, path, changed)
    return _kept(name)


def structure_sha256(structure: Structure) -> str:
    """SHA-256 (hex) of a crystal's lattice vectors, elements and positions.

    Lengths are rounded to 1e-5 Å, positions to 1e-6 of the cell; sites are sorted. Of the same
    crystal in another cell or setting it is another hash.
    """
    lattice = np.round(structure.lattice.matrix, 5) + 0.0
    sites = sorted(
        [site.species_string, *(np.round(np.mod(np.round(site.frac_coords, 6), 1.0), 6) + 0.0)]
        for site in structure
    )
    canonical = json.dumps([lattice.tolist(), [[s[0], *map(float, s[1:])] for s in sites]])
    return hashlib.sha256(canonical.encode()).hexdigest()


def _is_file(name: str) -> bool:
    return name.lower().endswith(".cif") and _OPTIMADE.fullmatch(name) is None


@lru_cache(maxsize=256)
def _from_file(name: str, path: Path, changed: int) -> OutsideCrystal:  # noqa: ARG001
    from pymatgen.io.cif import CifParser

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = CifParser(path).parse_structures(primitive=False)
    # The parser raises what its parts do: ValueError, KeyError, AssertionError, ...
    except Exception as error:
        raise StructureError(
            f"crystal: '{name}' is no CIF file that pymatgen can read ({one_line(error)}); "
            "mend the file"
        ) from error
    if len(found) != 1:
        raise StructureError(f"crystal: '{name}' holds {len(found)} crystals; keep one in the file")
    structure = _checked(name, found[0])
    return OutsideCrystal(name, f"CIF file {path}", structure_sha256(structure), structure)


@lru_cache(maxsize=256)
def _kept(name: str) -> OutsideCrystal:
    """From the cache; from the network, into the cache, where it is not there yet."""
    path = cache_folder() / "crystals" / f"{re.sub(r'[^0-9A-Za-z.-]+', '_', name)}.json"
    if path.exists():
        return _read(name, path)
    structure, origin = _fetched(name)
    structure = _checked(name, structure)
    source = f"{origin}, fetched {datetime.now(UTC):%Y-%m-%d}"
    crystal = OutsideCrystal(name, source, structure_sha256(structure), structure)
    _write(crystal, path)
    return crystal


def _fetched(name: str) -> tuple[Structure, str]:
    from structures import materials_project, optimade_address

    if _OPTIMADE.fullmatch(name):
        return optimade_address.fetch(name)
    return materials_project.fetch(name)


def _read(name: str, path: Path) -> OutsideCrystal:
    try:
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        structure = Structure.from_dict(kept["structure"])
        right = structure_sha256(structure) == kept["sha256"] and kept["name"] == name
    except (OSError, ValueError, KeyError, TypeError):
        right = False
    if not right:
        raise StructureError(f"crystal: {path} is not '{name}' as it was kept; delete that file")
    return OutsideCrystal(name, kept["source"], kept["sha256"], structure)


def _write(crystal: OutsideCrystal, path: Path) -> None:
    content = asdict(crystal) | {"structure": crystal.structure.as_dict()}
    part = path.with_name(f".{path.name}.{os.getpid()}.part")  # others may fetch it too
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(content), encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise StructureError(
            f"crystal: {path} cannot be written ({error.strerror}); set LITHIOPHILE_CACHE to a "
            "folder of yours"
        ) from error


def _checked(name: str, structure: Structure) -> Structure:
    """The bare crystal, refused where a calculation could not start from it."""
    if not structure.is_ordered:
        partly = next(site for site in structure if not site.is_ordered)
        raise StructureError(
            f"crystal: '{name}' has partly occupied sites ({partly.species_string}); order it "
            "first (pymatgen's OrderDisorderedStructureTransformation) and give the ordered CIF"
        )
    if not _is_sane(structure):
        raise StructureError(
            f"crystal: '{name}' has a cell or positions that no crystal has; mend its cell lengths "
            "(Å), angles (degrees) and fractional coordinates"
        )
    if not structure.is_valid(tol=0.5):
        raise StructureError(f"crystal: '{name}' has two atoms less than 0.5 Å apart; mend it")
    elements = [site.specie.symbol for site in structure]
    return Structure(structure.lattice, elements, structure.frac_coords)


def _is_sane(structure: Structure) -> bool:
    """Whether cell and positions are such that spglib, which checks neither, can look at them."""
    lengths = np.array(structure.lattice.abc)
    volume = structure.volume / len(structure)
    return (
        bool(np.isfinite(structure.lattice.matrix).all())
        and bool((np.abs(structure.frac_coords) < _FAR).all())
        and bool((lengths < _LONGEST).all())
        and _LEAST_VOLUME < volume < _LARGEST_VOLUME
        and structure.volume > _FLATTEST * lengths.prod()
    )
