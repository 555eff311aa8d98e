"""What the page's script works on: every candidate with its numbers, structures and curves."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from screen.ranking import Candidate, RankedCandidate
from screen.ranking_output import RankedScreen, candidate_text, main_quantities, shown_facts
from screen.report_parts import CandidateDetail, Section, StructureView

_DIGITS = 6
"""Digits that numbers for drawing keep."""


def screen_data(title: str, ranked: RankedScreen, section: Section) -> dict[str, Any]:
    """One screen's candidates as plain JSON types, the ranked ones first, best first."""
    ranking = ranked.ranking
    details = {detail.identity: detail for detail in section.details}
    main = main_quantities(ranked)
    entries: list[tuple[Candidate, RankedCandidate | None, str, str]] = [
        (entry.candidate, entry, "ranked", "") for entry in ranking.ranked
    ]
    for status, group in (
        ("below a threshold", ranking.below_threshold),
        ("not converged", ranking.unconverged),
    ):
        entries += [(entry.candidate, None, status, entry.reason) for entry in group]
    return {
        "name": ranked.screen,
        "title": title,
        "top": ranking.top,
        "criteria": {c.quantity.name: c.direction for c in ranking.criteria},
        "quantities": [
            {
                "name": quantity.name,
                "label": quantity.label,
                "unit": quantity.unit,
                "digits": quantity.digits,
                "main": quantity in main,
            }
            for quantity in ranked.quantities
        ],
        # Percent, because pairs are many.
        "ahead": [[round(100 * value) for value in row] for row in ranking.ahead],
        "candidates": [
            _candidate(number, *entry, details.get(entry[0].identity))
            for number, entry in enumerate(entries)
        ],
    }


def _candidate(
    number: int,
    candidate: Candidate,
    entry: RankedCandidate | None,
    status: str,
    reason: str,
    detail: CandidateDetail | None,
) -> dict[str, Any]:
    return {
        "id": number,
        "name": candidate_text(candidate),
        "facts": list(shown_facts(candidate).values()),
        "status": status,
        "reason": reason,
        "rank": entry.rank if entry else None,
        "interval": entry.rank_interval if entry else None,
        "top": entry.top_probability if entry else None,
        "front": entry.pareto_front if entry else None,
        "values": {name: _short(value) for name, value in candidate.values.items()},
        "errors": {name: _short(value) for name, value in candidate.errors.items()},
        "failures": dict(candidate.failures),
        "structures": [_structure(view) for view in detail.structures] if detail else [],
        "curves": [
            {
                **asdict(curve),
                **{name: _shortened(getattr(curve, name)) for name in ("x", "y", "errors")},
            }
            for curve in (detail.curves if detail else ())
        ],
    }


def elements_data(screens: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Colour and radius (Å) of each element in the structures, in Jmol's colours."""
    from ase.data import atomic_numbers, covalent_radii
    from ase.data.colors import jmol_colors

    symbols = {
        symbol
        for screen in screens
        for candidate in screen["candidates"]
        for structure in candidate["structures"]
        for symbol in structure["symbols"]
    }
    return {
        symbol: {
            "colour": [round(255 * float(part)) for part in jmol_colors[atomic_numbers[symbol]]],
            "radius": round(float(covalent_radii[atomic_numbers[symbol]]), 2),
        }
        for symbol in sorted(symbols)
    }


def _structure(view: StructureView) -> dict[str, Any]:
    """A structure as element list, indices into it, lattice and flat fractional coordinates."""
    species = [site["species"][0]["element"] for site in view.structure["sites"]]
    symbols = list(dict.fromkeys(species))
    lattice = view.structure["lattice"]["matrix"]
    return {
        "label": view.label,
        "symbols": symbols,
        "kinds": [symbols.index(one) for one in species],
        "lattice": [[round(part, 3) for part in vector] for vector in lattice],
        "coords": [round(part, 4) for site in view.structure["sites"] for part in site["abc"]],
    }


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{_DIGITS}g}")


def _shortened(values: Iterable[float]) -> list[float]:
    return [float(f"{value:.{_DIGITS}g}") for value in values]
