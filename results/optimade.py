"""Structures as OPTIMADE JSON lines, which an OPTIMADE server serves as they are.

The format: a header, a description of the fields that are not OPTIMADE's own, and one line per
structure (OPTIMADE specification 1.2, https://specification.optimade.org). Own fields carry the
prefix ``_lithiophile_``; a server must be told that prefix as its provider's to search them.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import count
from math import gcd
from typing import Any

from pymatgen.core import Structure

from results.candidates import CANDIDATES
from results.documents import labels

PREFIX = "_lithiophile_"
_API_VERSION = "1.2.0"
_FIELDS = {
    "energy": ("float", "eV", "Potential energy of the cell."),
    "max_force": ("float", "eV/Å", "Largest force left on an atom that may move."),
    "converged": ("boolean", None, "Whether the forces are under the threshold."),
    "task": ("string", None, "What was done: evaluate, relax, neb or dynamics."),
    "fingerprint": ("string", None, "The calculation: structure, task, parameters, potential."),
    "potential": ("string", None, "Name of the potential that gave the numbers."),
    "potential_sha256": ("string", None, "Hash of the potential's weights."),
    "campaign": ("string", None, "The campaign that asked for it, where there is one only."),
    "screen": ("string", None, "The screen that asked for it, where there is one only."),
    "host": ("string", None, "The crystal it was computed for, where there is one only."),
    "miller_index": ("string", None, "The facet it was computed for, where there is one only."),
    "termination": ("string", None, "The facet's termination, where there is one only."),
}
"""Type, unit and description of each own field but the labels of candidates."""


def optimade_lines(
    entries: Iterable[tuple[str, Structure, datetime, Mapping[str, Any]]],
) -> Iterator[str]:
    """The lines of a file.

    Args:
        entries: identifier, structure, when it was made, and own fields without the prefix.
    """
    yield _line({"x-optimade": {"meta": {"api_version": _API_VERSION}}})
    described: dict[str, Any] = {}
    for name, (kind, unit, description) in (_FIELDS | _labels()).items():
        described[PREFIX + name] = {"type": kind, "description": description, "sortable": True}
        if unit is not None:
            described[PREFIX + name]["unit"] = unit
    yield _line({"type": "info", "id": "structures", "properties": described})
    for identifier, structure, made, fields in entries:
        own = {PREFIX + name: value for name, value in fields.items()}
        attributes = {**_attributes(structure), "last_modified": _moment(made), **own}
        yield _line({"id": identifier, "type": "structures", "attributes": attributes})


def _labels() -> dict[str, tuple[str, None, str]]:
    """The labels that some kinds of candidates have, described as their documents do."""
    return {
        name: ("string", None, str(document.model_fields[field].description))
        for document in CANDIDATES.values()
        for field, name in labels(document).items()
    }


def _attributes(structure: Structure) -> dict[str, Any]:
    counts = Counter(site.specie.symbol for site in structure)
    elements = sorted(counts)
    n_sites = len(structure)
    periodic = [int(direction) for direction in structure.lattice.pbc]
    reduced = _reduced(counts)
    return {
        "elements": elements,
        "nelements": len(elements),
        "elements_ratios": [counts[element] / n_sites for element in elements],
        "chemical_formula_descriptive": structure.composition.formula,
        "chemical_formula_reduced": _formula((one, reduced[one]) for one in elements),
        "chemical_formula_anonymous": _formula(
            zip(_anonymous_elements(), sorted(reduced.values(), reverse=True), strict=False)
        ),
        "dimension_types": periodic,
        "nperiodic_dimensions": sum(periodic),
        "lattice_vectors": structure.lattice.matrix.tolist(),
        "cartesian_site_positions": structure.cart_coords.tolist(),
        "nsites": n_sites,
        "species": [
            {"name": one, "chemical_symbols": [one], "concentration": [1.0]} for one in elements
        ],
        "species_at_sites": [site.specie.symbol for site in structure],
        "structure_features": [],
    }


def _reduced(counts: Mapping[str, int]) -> dict[str, int]:
    divisor = gcd(*counts.values())
    return {element: number // divisor for element, number in counts.items()}


def _formula(parts: Iterable[tuple[str, int]]) -> str:
    return "".join(f"{element}{number if number > 1 else ''}" for element, number in parts)


def _anonymous_elements() -> Iterator[str]:
    """A to Z, then Aa, Ba, ..."""
    for round_ in count():
        for letter in range(26):
            yield chr(65 + letter) + (chr(96 + round_) if round_ else "")


def _moment(made: datetime) -> str:
    return made.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _line(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"
