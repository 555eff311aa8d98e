"""A ranking as JSON, as CSV and as a table: the same numbers in all three.

JSON and CSV hold every number unrounded under the same keys; a key ends in its unit (``_ev``,
``_j_m2``, ``_v``, ``_deg``), and ``<key>_error`` is the error estimate in that unit. The table
rounds for reading and has the unit in each heading. ``rank_low`` to ``rank_high`` is the interval
of places that the errors allow, ``top_k_probability`` (with the number for k) the probability of
being among the k best, and ``undecided`` lists the ranks of those that the errors do not tell from
it; see `screen.rank_uncertainty`.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from screen.criteria import Quantity
from screen.rank_uncertainty import INTERVAL, SEED
from screen.ranking import Candidate, RankedCandidate, Ranking, Unranked

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

_MOST_NAMED = 12
"""So many of the ranks with undecided comparisons are named in a note."""

_MAIN = 6
"""So many of a screen's quantities, its first, stand in every table for people."""


@dataclass(frozen=True)
class RankedScreen:
    """A ranking with what must stand beside it.

    Attributes:
        screen: name of the screen, such as ``"collectors"``.
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
        "uncertainty": {
            "interval": INTERVAL,
            "top": ranking.top,
            "draws": ranking.n_draws,
            "seed": SEED,
            "without_error": list(ranking.without_error),
        },
        "candidates": [
            _place(entry, ranking.top)
            | _row(entry.candidate, screen.quantities)
            | _by_potential(entry.candidate, screen.quantities)
            for entry in ranking.ranked
        ],
        "below_threshold": _apart(ranking.below_threshold, screen.quantities),
        "unconverged": _apart(ranking.unconverged, screen.quantities),
    }


def as_json(screens: Sequence[RankedScreen]) -> str:
    """`as_dict` as text, ending in a line break; a list of them where there are several screens."""
    dicts = [as_dict(screen) for screen in screens]
    content = dicts[0] if len(dicts) == 1 else dicts
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


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
    ranking, some = screen.ranking, all_candidates(screen.ranking)
    nowhere = RankedCandidate(0, 0, 0.0, some[0])
    columns = [*_place(nowhere, ranking.top), *_row(some[0], screen.quantities)]
    columns += ["status", "reason", "potential", "potential_sha256"]
    names = dict.fromkeys(name for candidate in some for name in candidate.by_potential)
    columns += [f"{q.key} ({name})" for name in names for q in screen.quantities]
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
    for heading in fact_headings(screen):
        table.add_column(heading)
    table.add_column(f"{INTERVAL:.0%}\ninterval", justify="right")
    table.add_column(f"Among\nbest {ranking.top}", justify="right")
    for quantity in shown:
        table.add_column(f"{quantity.label}\n{quantity.unit}", justify="right")
    table.add_column("Front", justify="right")
    for entry in ranking.ranked:
        candidate = entry.candidate
        mark = " *" if candidate.failures else ""
        host, *others = shown_facts(candidate).values()
        table.add_row(
            str(entry.rank),
            f"{host}{mark}",
            *others,
            interval_text(entry),
            probability_text(entry.top_probability),
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
    yield from uncertainty_notes(ranking)
    if ranking.below_threshold:
        yield _apart_table("Below a threshold, not ranked", ranking.below_threshold)
    if ranking.unconverged:
        yield _apart_table("Not converged, not ranked", ranking.unconverged)


def all_candidates(ranking: Ranking) -> list[Candidate]:
    """The ranked candidates, best first, then those listed apart."""
    apart = (*ranking.below_threshold, *ranking.unconverged)
    return [entry.candidate for entry in ranking.ranked] + [entry.candidate for entry in apart]


def main_quantities(screen: RankedScreen) -> list[Quantity]:
    """The criteria's quantities, then the others that a person looks at first."""
    criteria = [criterion.quantity for criterion in screen.ranking.criteria]
    return criteria + [q for q in screen.quantities[:_MAIN] if q not in criteria]


def interval_text(entry: RankedCandidate) -> str:
    """``2–4``, or ``2`` where no other place is likely."""
    if entry.rank_interval is None:
        return "–"
    low, high = entry.rank_interval
    return str(low) if low == high else f"{low}–{high}"


def probability_text(value: float | None) -> str:
    """A probability as a percentage that is never rounded to certainty."""
    if value is None:
        return "–"
    if 0.995 <= value < 1:
        return "> 99 %"
    if 0 < value < 0.005:
        return "< 1 %"
    return f"{100 * value:.0f} %"


def uncertainty_notes(ranking: Ranking) -> Iterator[str]:
    """What the errors leave open, in a line or two; nothing where nothing can be compared."""
    label_of = {criterion.quantity.name: criterion.quantity.label for criterion in ranking.criteria}
    drawn = len(ranking.ahead)
    if drawn < 2:
        return
    undecided = sum(len(entry.undecided) for entry in ranking.ranked) // 2
    note = f"The errors leave {undecided} of {drawn * (drawn - 1) // 2} comparisons undecided"
    worse = {entry.rank: [r for r in entry.undecided if r > entry.rank] for entry in ranking.ranked}
    pairs = [f"{rank} against {_spans(ranks)}" for rank, ranks in worse.items() if ranks]
    more = ["..."] if len(pairs) > _MOST_NAMED else []
    yield f"{note}: {'; '.join(pairs[:_MOST_NAMED] + more)}." if pairs else f"{note}."
    if ranking.without_error:
        named = ", ".join(label_of[name] for name in ranking.without_error)
        yield f"Taken as exact where no error is known: {named}."


def _spans(ranks: Sequence[int]) -> str:
    """Ascending ranks with runs drawn together: ``3–5, 8``."""
    runs: list[list[int]] = []
    for rank in ranks:
        if runs and rank == runs[-1][-1] + 1:
            runs[-1].append(rank)
        else:
            runs.append([rank])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)


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


def shown_facts(candidate: Candidate) -> dict[str, str]:
    """What tells the candidate from others, as heading and text: ``{"Host": "Cu", ...}``."""
    shown = {
        name.replace("_", " ").capitalize(): str(value)
        for name, value in candidate.facts.items()
        if name not in ("miller_index", "termination")
    }
    return shown | ({"Facet": facet_text(candidate)} if "miller_index" in candidate.facts else {})


def fact_headings(screen: RankedScreen) -> list[str]:
    """Headings of `shown_facts`; none where nothing is ranked."""
    return [*shown_facts(screen.ranking.ranked[0].candidate)] if screen.ranking.ranked else []


def candidate_text(candidate: Candidate) -> str:
    """``Cu (111)``."""
    return " ".join(shown_facts(candidate).values())


def _place(entry: RankedCandidate, top: int) -> dict[str, Any]:
    low, high = entry.rank_interval or (None, None)
    return {
        "rank": entry.rank,
        "rank_low": low,
        "rank_high": high,
        f"top_{top}_probability": entry.top_probability,
        "undecided": list(entry.undecided),
        "pareto_front": entry.pareto_front,
        "score": entry.score,
    }


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


def _by_potential(candidate: Candidate, quantities: tuple[Quantity, ...]) -> dict[str, Any]:
    """What each potential of a committee says; nothing where there was one."""
    each = {
        name: {quantity.key: values.get(quantity.name) for quantity in quantities}
        for name, values in candidate.by_potential.items()
    }
    return {"by_potential": each} if each else {}


def _apart(
    unranked: tuple[Unranked, ...], quantities: tuple[Quantity, ...]
) -> list[dict[str, Any]]:
    return [
        _row(u.candidate, quantities)
        | _by_potential(u.candidate, quantities)
        | {"reason": u.reason}
        for u in unranked
    ]


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with lists and mappings as text: ``1 1 1`` and ``name: reason; name: reason``."""
    flat: dict[str, Any] = {
        f"{key} ({name})": "" if value is None else value
        for name, values in row.get("by_potential", {}).items()
        for key, value in values.items()
    }
    for key, value in row.items():
        if key == "by_potential":
            continue
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
