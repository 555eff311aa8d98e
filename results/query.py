"""The query language: ``screen=collectors host=Cu|Ni work_of_adhesion>0.5 converged``.

A query is a list of conditions separated by spaces; a candidate must meet all of them. The empty
query meets every candidate.

============================  ==================================================================
``host=Cu``                   text field equal to; ``!=`` not equal to
``host=Cu|Ni``                any of several values (``!=``: none of them)
``campaign="two words"``      quotes around a value with spaces or ``|``
``miller_index=111``          facet; also ``1-10``, ``1,1,-1``, ``10,1,0`` and four-index ``0001``
``element=O``                 the host contains the element
``potential=mini``            name of the potential, or six or more digits of its SHA-256
``work_of_adhesion>0.5``      quantity compared by ``=  !=  <  <=  >  >=`` in its own unit
``adatom_barrier``            the quantity has a value
``converged``                 every quantity of the candidate converged; ``converged=false``
``created>=2026-01-31``       day it was put together, UTC
============================  ==================================================================

Text fields: screen, host, termination, campaign, and the labels that some kinds of candidates have
(`results.documents.labels`). ``id=12`` is one candidate. Quantities have the names of the documents
(`results.documents.quantities`), with or without the unit's suffix: ``li_binding`` or
``li_binding_ev``. Text is compared as it stands, upper and lower case distinct.

Values only ever reach the database as bound parameters.
"""

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, not_, or_, select

from results.errors import ResultsError, nearest
from results.schema import campaigns, candidate_elements, candidates, labels, properties

_TERM = re.compile(
    r"""(?P<key>[A-Za-z_][A-Za-z0-9_]*)
        (?:(?P<operator>!=|<=|>=|=|<|>)(?P<value>(?:"[^"]*"|[^\s"])+))?
        (?=\s|$)""",
    re.VERBOSE,
)
_ALTERNATIVE = re.compile(r'(?:"[^"]*"|[^|"])+')
_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_LARGEST_ID = 2**31 - 1

_TEXT_COLUMNS = {
    "screen": candidates.c.screen,
    "host": candidates.c.host,
    "termination": candidates.c.termination,
    "campaign": campaigns.c.name,
}
FIELDS = (*_TEXT_COLUMNS, "potential", "id", "miller_index", "element", "converged", "created")
"""The names in queries that are neither quantities nor labels."""


@dataclass(frozen=True)
class Vocabulary:
    """What the kinds of candidates add to the names in queries.

    Attributes:
        quantities: every way a quantity may be written, with its name in the database.
        labels: names of the labels.
    """

    quantities: Mapping[str, str]
    labels: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that a query may hold."""
        return (*FIELDS, *self.labels, *self.quantities)


@dataclass(frozen=True)
class Condition:
    """One condition as written.

    Attributes:
        key: field or quantity.
        operator: comparison; None where the key stands alone.
        values: alternatives, quotes removed; empty where the key stands alone.
    """

    key: str
    operator: str | None
    values: tuple[str, ...]


def parse(text: str) -> list[Condition]:
    """The conditions of a query, their keys not yet checked.

    Raises:
        ResultsError: text that is not made of conditions, with the place.
    """
    if not _storable(text):
        raise ResultsError("query: holds a character no text field can hold; write plain text")
    conditions = []
    position = len(text) - len(text.lstrip())
    while position < len(text):
        term = _TERM.match(text, position)
        if term is None:
            raise ResultsError(
                f"query: cannot read {text[position:].split()[0]!r}; "
                "write conditions such as host=Cu or work_of_adhesion>0.5, separated by spaces"
            )
        values = term["value"]
        alternatives = _ALTERNATIVE.findall(values) if values is not None else []
        conditions.append(
            Condition(
                key=term["key"],
                operator=term["operator"],
                values=tuple(value.replace('"', "") for value in alternatives),
            )
        )
        if values is not None and not alternatives:
            raise ResultsError(f"query: {term[0]!r} has no value; give one after the comparison")
        position = term.end()
        position += len(text[position:]) - len(text[position:].lstrip())
    return conditions


def to_sql(conditions: list[Condition], vocabulary: Vocabulary) -> ColumnElement[bool]:
    """One SQL condition on the candidates joined with their campaigns.

    Args:
        conditions: from `parse`.
        vocabulary: the names that stand for quantities and labels.

    Raises:
        ResultsError: an unknown key (with the nearest valid one), or a value that does not fit.
    """
    return and_(True, *(_condition_to_sql(condition, vocabulary) for condition in conditions))


def parse_miller_index(text: str) -> tuple[int, int, int]:
    """Facet (h, k, l) from ``111``, ``1-10``, ``1,1,-1``, ``1 1 5`` or four-index ``10-10``.

    Raises:
        ResultsError: text that is not three or four integers, all zero, or i ≠ −(h+k).
    """
    compact = text.strip().strip("()")
    separated = re.split(r"[,\s]+", compact) if re.search(r"[,\s]", compact) else None
    parts = separated or re.findall(r"-?\d", compact)
    sound = all(re.fullmatch(r"-?\d{1,3}", part) for part in parts) and len(parts) in (3, 4)
    if not sound or (separated is None and "".join(parts) != compact):
        raise ResultsError(f"miller_index: {text!r} is no facet; write 111, 1-10 or 10,1,0")
    indices = [int(part) for part in parts]
    if len(indices) == 4:
        h, k, i, _ = indices
        if i != -(h + k):
            raise ResultsError(f"miller_index: {text!r} has i = {i}; in (h k i l) i is −(h + k)")
        del indices[2]
    if not any(indices):
        raise ResultsError("miller_index: 0 0 0 is no facet; write 111, 1-10 or 10,1,0")
    return indices[0], indices[1], indices[2]


def miller_text(miller_index: tuple[int, int, int] | None) -> str:
    """How a facet stands in the database: ``1,1,-1``; empty where there is none."""
    return "" if miller_index is None else ",".join(str(index) for index in miller_index)


def _storable(text: str) -> bool:
    """Whether the text is free of what a database refuses: NUL and lone surrogates."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _condition_to_sql(condition: Condition, vocabulary: Vocabulary) -> ColumnElement[bool]:
    key = condition.key
    if key in _TEXT_COLUMNS:
        return _equal(condition, _TEXT_COLUMNS[key], condition.values)
    if key == "miller_index":
        facets = tuple(miller_text(parse_miller_index(value)) for value in condition.values)
        return _equal(condition, candidates.c.miller_index, facets)
    if key == "id":
        return _equal(condition, candidates.c.id, tuple(map(_integer, condition.values)))
    if key == "potential":
        return _potential(condition)
    if key == "element":
        return _element(condition)
    if key == "converged":
        return _converged(condition)
    if key == "created":
        return _created(condition)
    if key in vocabulary.quantities:
        return _quantity(condition, vocabulary.quantities[key])
    if key in vocabulary.labels:
        having = select(labels.c.candidate_id).where(labels.c.name == key)
        met = candidates.c.id.in_(having.where(labels.c.value.in_(condition.values)))
        return _sign(condition, met)
    raise ResultsError(f"query: unknown key {key!r}; {nearest(key, vocabulary.names)}")


def _equal(
    condition: Condition, column: ColumnElement, values: tuple[str, ...] | tuple[int, ...]
) -> ColumnElement[bool]:
    return _sign(condition, column.in_(values))


def _potential(condition: Condition) -> ColumnElement[bool]:
    digits = [value for value in condition.values if re.fullmatch("[0-9a-f]{6,64}", value)]
    hashed = [candidates.c.potential_sha256.like(f"{start}%") for start in digits]
    return _sign(condition, or_(candidates.c.potential_name.in_(condition.values), *hashed))


def _element(condition: Condition) -> ColumnElement[bool]:
    for symbol in condition.values:
        if not re.fullmatch("[A-Z][a-z]?", symbol):
            raise ResultsError(f"query: element={symbol!r} is no symbol; write element=O")
    having = select(candidate_elements.c.candidate_id).where(
        candidate_elements.c.symbol.in_(condition.values)
    )
    return _sign(condition, candidates.c.id.in_(having))


def _sign(condition: Condition, met: ColumnElement[bool]) -> ColumnElement[bool]:
    if condition.operator == "=":
        return met
    if condition.operator == "!=":
        return not_(met)
    raise ResultsError(
        f"query: {condition.key}{condition.operator or ''} cannot be ordered; "
        f"write {condition.key}=... or {condition.key}!=..."
    )


def _converged(condition: Condition) -> ColumnElement[bool]:
    if condition.operator is None:
        return candidates.c.converged.is_(True)
    value = _BOOLEANS.get(_single(condition).lower())
    if value is None:
        raise ResultsError(f"query: converged={condition.values[0]!r}; write true or false")
    return _sign(condition, candidates.c.converged.is_(value))


def _created(condition: Condition) -> ColumnElement[bool]:
    text = _single(condition) if condition.operator else ""
    try:
        day = date.fromisoformat(text)
        next_day = (day + timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        raise ResultsError(
            f"query: created: {text!r} is no day; write created>=2026-01-31"
        ) from None
    first = day.isoformat()
    column = candidates.c.created_at
    on_day = and_(column >= first, column < next_day)
    choices = {
        "=": on_day,
        "!=": not_(on_day),
        "<": column < first,
        "<=": column < next_day,
        ">": column >= next_day,
        ">=": column >= first,
    }
    return choices[str(condition.operator)]


def _quantity(condition: Condition, name: str) -> ColumnElement[bool]:
    having = select(properties.c.candidate_id).where(properties.c.name == name)
    value = properties.c.value
    if condition.operator is None:
        return candidates.c.id.in_(having.where(value.is_not(None)))
    number = _number(condition)
    return candidates.c.id.in_(having.where(_COMPARISONS[condition.operator](value, number)))


def _number(condition: Condition) -> float:
    text = _single(condition)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ResultsError(f"query: {condition.key}: {text!r} is no number; write 0.5 or -1e-3")
    return number


def _integer(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,10}", text) or int(text) > _LARGEST_ID:
        raise ResultsError(f"query: id={text!r} is no candidate's number; write id=12")
    return int(text)


def _single(condition: Condition) -> str:
    if len(condition.values) != 1:
        raise ResultsError(
            f"query: {condition.key} with several values; compare it with one at a time"
        )
    return condition.values[0]
