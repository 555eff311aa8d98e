"""A committee: several potentials on the same candidates; their mean ranks, their spread errs.

The spread between potentials is what stands in for the error of each; it is the largest of all
errors where they disagree, and it says nothing of what they all get wrong alike (the use of
ensembles: Peterson, Christensen and Khorshidi, Phys. Chem. Chem. Phys. 19, 10978 (2017)).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from results.documents import CandidateDocument, Potential
from results.uncertainties import in_squares
from screen.ranking import Candidate


def committee_names(potentials: Sequence[Potential]) -> list[str]:
    """A name for each potential that tells it from the others: with head or dtype where needed."""
    names = [one.name for one in potentials]
    for extra in ("head", "dispersion", "dtype", "parts"):
        if len(set(names)) < len(names):
            values = [getattr(one, extra) for one in potentials]
            names = [f"{n} {v}" if v is not None else n for n, v in zip(names, values, strict=True)]
    return names


def committee_identity(potentials: Sequence[Potential]) -> dict[str, Any]:
    """The identity shown for the committee as a whole, its members' under ``committee``."""
    members = [one.model_dump() for one in potentials]
    versions = {name: v for one in members for name, v in one["versions"].items()}

    def joined(field: str) -> str | None:
        values = dict.fromkeys(str(one[field]) for one in members if one.get(field) is not None)
        return " + ".join(values) or None

    parts = joined("parts")
    return {
        "name": " + ".join(committee_names(potentials)),
        "sha256": joined("sha256"),
        "head": joined("head"),
        "dtype": joined("dtype"),
        "dispersion": joined("dispersion"),
        "versions": versions,
        "committee": members,
    } | ({"parts": parts} if parts else {})


def potentials_of(documents: Sequence[CandidateDocument]) -> list[Potential]:
    """The distinct potentials behind documents, in the order in which they come."""
    potentials = [document.potential for document in documents]
    found = {one.model_dump_json(exclude={"versions"}): one for one in potentials}
    return list(found.values())


def same_potential(one: Potential, other: Potential) -> bool:
    """Whether two are the same potential, computed with whatever versions."""
    return one.model_copy(update={"versions": other.versions}) == other


def committee_candidates(members: Mapping[str, Sequence[Candidate]]) -> list[Candidate]:
    """One candidate for all members' candidates of one identity.

    A value is the mean over the members; its error is the standard deviation between them (n − 1)
    and what the members' own errors leave on the mean, added in squares. Where a member has no
    value, neither has the committee, and the failure names the member.

    Args:
        members: candidates by the potential's name.
    """
    by_identity: dict[tuple[Any, ...], dict[str, Candidate]] = {}
    for name, candidates in members.items():
        for candidate in candidates:
            by_identity.setdefault(candidate.identity, {})[name] = candidate
    return [_combined(list(members), found) for found in by_identity.values()]


def _combined(names: Sequence[str], found: Mapping[str, Candidate]) -> Candidate:
    first = next(iter(found.values()))
    values: dict[str, float | None] = {}
    errors: dict[str, float | None] = {}
    failures: dict[str, str] = {}
    for quantity in first.values:
        of_each = {name: one.values.get(quantity) for name, one in found.items()}
        known = [value for value in of_each.values() if value is not None]
        reasons = [
            f"{name}: {one.failures[quantity]}"
            for name, one in found.items()
            if quantity in one.failures
        ]
        if known and not reasons:
            reasons = [f"{name}: no value" for name, value in of_each.items() if value is None]
        reasons += [f"{name}: no result" for name in names if name not in found]
        if reasons:
            failures[quantity] = "; ".join(reasons)
        complete = len(known) == len(names)
        values[quantity] = float(np.mean(known)) if complete else None
        errors[quantity] = None
        if complete:
            own = in_squares(*(one.errors.get(quantity) for one in found.values()))
            spread = float(np.std(known, ddof=1))
            # Values that agree to the last digit, such as clipped angles, tell no error.
            if spread > 0 or own is not None:
                errors[quantity] = in_squares(spread, (own or 0.0) / len(known))
    each = {name: dict(one.values) for name, one in found.items()}
    rejected = "; ".join(f"{name}: {one.rejected}" for name, one in found.items() if one.rejected)
    return Candidate(first.identity, first.facts, values, errors, failures, each, rejected)
