"""Fingerprints: what makes two calculations the same calculation.

A fingerprint is the SHA-256 of a canonical form of the structures, the task, its parameters and
the potential. It does not depend on the process, the platform, the order of dictionaries, lattice
translations of single atoms, or noise of floating-point size.

Rounding. Lattice vectors are rounded to multiples of 2⁻¹⁷ Å (7.6e-6 Å), fractional coordinates to
multiples of 2⁻²⁰ (9.5e-7, about 1e-5 Å in a 10 Å cell), both to the nearest; numbers among the
parameters to 12 significant digits. A number that lies within the noise of the edge between two
bins may fall on either side, as with any hash of rounded numbers: the price is a calculation done
twice, never a wrong one reused. The steps are powers of two because edges then lie at odd multiples
of half a step, where no fraction with a small denominator and no short decimal lies, so that the
special positions crystals are made of stay well away from them. Noise of size d moves a number of
general position over an edge with probability d/step: 1e-7 for coordinates computed on another
platform.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from results.errors import ResultsError

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

LATTICE_STEP = 2.0**-17
"""Rounding of the lattice vectors' components, Å."""
FRACTIONAL_STEPS = 2**20
"""Bins of a fractional coordinate between 0 and 1."""

POTENTIAL_FIELDS = ("name", "sha256", "head", "dtype", "dispersion")
"""What of a potential's identity enters a fingerprint: all that changes its energies."""

_STRUCTURE_FORMAT = b"lithiophile structure 1\n"
_CALCULATION_FORMAT = "lithiophile calculation 1"


def structure_fingerprint(structure: "Structure") -> str:
    """SHA-256 (hex) of a structure as a potential and a relaxation see it.

    What enters: the lattice vectors (their orientation too, since forces depend on it), periodic
    directions, elements and fractional coordinates wrapped into the cell, and which atoms are
    frozen (``selective_dynamics``). Oxidation states, labels and other site properties do not.
    The order of sites does: results per site follow it.

    Raises:
        ResultsError: a site with partial occupancy, or a coordinate that is not a number.
    """
    if not structure.is_ordered:
        raise ResultsError(
            f"structure: {structure.formula} has partial occupancies; order it before computing"
        )
    lattice = np.asarray(structure.lattice.matrix, dtype=np.float64)
    coordinates = np.asarray(structure.frac_coords, dtype=np.float64).reshape(-1, 3)
    if not (np.isfinite(lattice).all() and np.isfinite(coordinates).all()):
        raise ResultsError(
            f"structure: {structure.formula} has coordinates that are not numbers; "
            "compute from the last sound structure"
        )
    digest = hashlib.sha256(_STRUCTURE_FORMAT)
    digest.update(np.rint(lattice / LATTICE_STEP).astype("<i8").tobytes())
    digest.update(np.asarray(structure.lattice.pbc, dtype="u1").tobytes())
    digest.update(np.asarray(structure.atomic_numbers, dtype="<i8").tobytes())
    digest.update(
        (np.rint(coordinates * FRACTIONAL_STEPS) % FRACTIONAL_STEPS).astype("<i8").tobytes()
    )
    digest.update(_mobility(structure).tobytes())
    return digest.hexdigest()


def calculation_fingerprint(
    structures: "Structure | Sequence[Structure]",
    task: str,
    parameters: Mapping[str, Any],
    potential: Mapping[str, Any],
) -> str:
    """SHA-256 (hex) of a calculation: the same for all that would give the same numbers.

    Args:
        structures: the structure it starts from, or a NEB band's two end states in order.
        task: what is done, such as ``"relax"``.
        parameters: the task's parameters; None, booleans, numbers, strings, lists and mappings.
        potential: the potential's identity; of it `POTENTIAL_FIELDS` are read, all required.

    Raises:
        ResultsError: a structure that has no fingerprint, no structure, a parameter of another
            type or not finite, or a missing field of the potential.
    """
    # A Structure is itself a sequence (of sites), so the lattice tells one from a list of them.
    one = hasattr(structures, "lattice")
    listed = (
        [cast("Structure", structures)] if one else list(cast("Sequence[Structure]", structures))
    )
    if not listed:
        raise ResultsError("structures: an empty list; give the structure that is computed")
    missing = [field for field in POTENTIAL_FIELDS if field not in potential]
    if missing:
        raise ResultsError(
            f"potential: {missing[0]!r} is missing; give all of {', '.join(POTENTIAL_FIELDS)}"
        )
    identity = {
        "format": _CALCULATION_FORMAT,
        "structures": [structure_fingerprint(structure) for structure in listed],
        "task": task,
        "parameters": _canonical(parameters, "parameters"),
        "potential": {
            field: _canonical(potential[field], f"potential.{field}") for field in POTENTIAL_FIELDS
        },
    }
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _mobility(structure: "Structure") -> np.ndarray:
    """Shape (n_atoms, 3), 1 where an atom may move along a lattice vector."""
    flags = structure.site_properties.get("selective_dynamics")
    if flags is None:
        return np.ones((len(structure), 3), dtype="u1")
    return np.array([(True,) * 3 if flag is None else flag for flag in flags], dtype="u1").reshape(
        -1, 3
    )


def _canonical(value: Any, path: str) -> Any:
    """Plain JSON types in which equal parameters are equal: 1 and 1.0, tuples and lists."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ResultsError(f"{path}: {value} is not finite; give a number")
        rounded = float(f"{value:.12g}")
        return int(rounded) if rounded.is_integer() else rounded
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise ResultsError(f"{path}: key {key!r} is not a string; name the parameter")
        return {key: _canonical(item, f"{path}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(item, f"{path}[{position}]") for position, item in enumerate(value)]
    raise ResultsError(
        f"{path}: {type(value).__name__} has no canonical form; "
        "give None, booleans, numbers, strings, lists or mappings"
    )
