"""A ranking as JSON, as CSV and as a table: the same numbers in all three.

JSON and CSV hold every number unrounded under the same keys; a key ends in its unit (``_ev``,
``_j_m2``, ``_v``, ``_deg``), and ``<key>_error`` is the error estimate in that unit. The table
rounds for reading and has the unit in each heading.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from screen.criteria import Quantity
from screen.ranking import Candidate, Ranking, Unranked

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

_MAIN = 6
"""So many of a screen's quantities, its first, stand in every table for people."""


@dataclass(frozen=True)
class RankedScreen:
    """A ranking with what must stand beside it.

    Attributes:
        screen: name of the screen, ``"collectors"``.
        campaign: name of the campaign.
        potential: identity of the potential that gave the numbers, as plain types.
        quantities: every quantity of the screen, in the order of the columns.
        ranking: the ranking.
    """

    screen: str
    campaign: str
    potential: Mapping[str, Any]
    quantities: tuple[Quantity, ...]
    ranking: Ranking


def as_dict(screen: RankedScreen) -> dict[str, Any]:
    """The ranking as plain JSON types.

    ``candidates`` are the ranked ones from best to worst; ``below_threshold`` and ``unconverged``
    stand apart, each with a ``reason``. ``converged`` of a ranked candidate is false where a
    quantity that is no criterion failed; ``failures`` says which and why.
    """
    ranking = screen.ranking
    return {
        "screen": screen.screen,
        "campaign": screen.campaign,
        "potential": dict(screen.potential),
        "criteria": [
            {
                "quantity": criterion.quantity.name,
                "key": criterion.quantity.key,
                "unit": criterion.quantity.unit,
                "direction": criterion.direction,
                "at_least": criterion.at_least,
                "at_most": criterion.at_most,
            }
            for criterion in ranking.criteria
        ],
        "units": {quantity.key: quantity.unit for quantity in screen.quantities},
        "candidates": [
            {
                "rank": entry.rank,
                "pareto_front": entry.pareto_front,
                "score": entry.score,
                **_row(entry.candidate, screen.quantities),
            }
            for entry in ranking.ranked
        ],
        "below_threshold": _apart(ranking.below_threshold, screen.quantities),
        "unconverged": _apart(ranking.unconverged, screen.quantities),
    }


def as_json(screen: RankedScreen) -> str:
    """`as_dict` as text, ending in a line break."""
    return json.dumps(as_dict(screen), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def as_csv(screen: RankedScreen) -> str:
    """One line per candidate, those listed apart last; ``status`` and ``reason`` tell them."""
    listed = as_dict(screen)
    rows = [
        {"status": status, "reason": ""} | _flat(row)
        for status, group in (
            ("ranked", "candidates"),
            ("below_threshold", "below_threshold"),
            ("unconverged", "unconverged"),
        )
        for row in listed[group]
    ]
    example = Candidate((), {"host": "", "miller_index": [], "termination": ""}, {}, {})
    columns = ["rank", "pareto_front", "score", *_row(example, screen.quantities)]
    columns += ["status", "reason", "potential", "potential_sha256"]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        identity = {
            "potential": screen.potential["name"],
            "potential_sha256": screen.potential["sha256"],
        }
        writer.writerow(row | identity)
    return text.getvalue()


def as_table(screen: RankedScreen) -> Iterator["RenderableType"]:
    """Tables for a terminal: the ranking, then what is listed apart."""
    ranking = screen.ranking
    shown = main_quantities(screen)
    table = _new_table(f"{screen.screen}: {screen.campaign}, potential {screen.potential['name']}")
    table.add_column("Rank", justify="right")
    table.add_column("Host")
    table.add_column("Facet")
    for quantity in shown:
        table.add_column(f"{quantity.label}\n{quantity.unit}", justify="right")
    table.add_column("Front", justify="right")
    for entry in ranking.ranked:
        candidate = entry.candidate
        mark = " *" if candidate.failures else ""
        table.add_row(
            str(entry.rank),
            f"{candidate.facts['host']}{mark}",
            facet_text(candidate),
            *(
                quantity.text(candidate.values[quantity.name], candidate.errors[quantity.name])
                for quantity in shown
            ),
            str(entry.pareto_front),
        )
    yield table
    for entry in ranking.ranked:
        for name, reason in entry.candidate.failures.items():
            yield f"* {candidate_text(entry.candidate)}: {name}: {reason}"
    if ranking.below_threshold:
        yield _apart_table("Below a threshold, not ranked", ranking.below_threshold)
    if ranking.unconverged:
        yield _apart_table("Not converged, not ranked", ranking.unconverged)


def main_quantities(screen: RankedScreen) -> list[Quantity]:
    """The criteria's quantities, then the others that a person looks at first."""
    criteria = [criterion.quantity for criterion in screen.ranking.criteria]
    return criteria + [q for q in screen.quantities[:_MAIN] if q not in criteria]


def facet_text(candidate: Candidate) -> str:
    """``(111)``; with the termination's label where it says more than the host: ``(001) O``."""
    index = candidate.facts["miller_index"]
    indices = [str(i) for i in index] if isinstance(index, list) else []
    separator = "" if all(len(i.lstrip("-")) == 1 for i in indices) else " "
    written = separator.join(i if i[0] != "-" else f"{i[1:]}\u0305" for i in indices)
    termination = candidate.facts["termination"]
    return (
        f"({written})"
        if termination in ("", candidate.facts["host"])
        else f"({written}) {termination}"
    )


def candidate_text(candidate: Candidate) -> str:
    """``Cu (111)``."""
    return f"{candidate.facts['host']} {facet_text(candidate)}"


def _row(candidate: Candidate, quantities: tuple[Quantity, ...]) -> dict[str, Any]:
    numbers: dict[str, Any] = {}
    for quantity in quantities:
        numbers[quantity.key] = candidate.values.get(quantity.name)
        numbers[f"{quantity.key}_error"] = candidate.errors.get(quantity.name)
    return {
        **candidate.facts,
        **numbers,
        "converged": not candidate.failures,
        "failures": dict(candidate.failures),
    }


def _apart(
    unranked: tuple[Unranked, ...], quantities: tuple[Quantity, ...]
) -> list[dict[str, Any]]:
    return [{**_row(u.candidate, quantities), "reason": u.reason} for u in unranked]


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with lists and mappings as text: ``1 1 1`` and ``name: reason; name: reason``."""
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, list):
            flat[key] = " ".join(str(item) for item in value)
        elif isinstance(value, Mapping):
            flat[key] = "; ".join(f"{name}: {text}" for name, text in value.items())
        elif isinstance(value, bool):
            flat[key] = str(value).lower()
        else:
            flat[key] = "" if value is None else value
    return flat


def _apart_table(title: str, unranked: tuple[Unranked, ...]) -> "Table":
    table = _new_table(title)
    table.add_column("Candidate")
    table.add_column("Reason", overflow="fold")
    for entry in unranked:
        table.add_row(candidate_text(entry.candidate), entry.reason)
    return table


def _new_table(title: str) -> "Table":
    from rich import box
    from rich.table import Table

    return Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
