"""MongoDB's criteria and fields as SQL on stored documents, as far as SQL can tell.

MongoDB compares ``{"a.b": 1}`` with the elements of lists too, wherever on the way they stand. SQL
follows objects only. So a condition from here also lets every document through whose path meets a
list or something stored apart: it never loses a match, and whoever asks checks what is left.
"""

import math
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from bson import ObjectId

from results.store_documents import MARK, date_text

_PLAIN_FIELD = re.compile(r"[A-Za-z_@][A-Za-z0-9_@-]*(\.[A-Za-z_@][A-Za-z0-9_@-]*)*")
_WHOLE = {"$expr", "$where", "$text", "$jsonSchema"}
_COMPARISONS = {"$eq": "=", "$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
_INDEXED_LETTERS = 200
"""First letters of a text that an index holds; PostgreSQL's have no room for long ones."""
_UNCLEAR = "\x01"
"""Stands in an index where a list or something stored apart may hold anything."""

Condition = sa.ColumnElement[bool]


def is_plain(name: str) -> bool:
    """Whether SQL can follow a dotted field: names only, no positions in lists."""
    return _PLAIN_FIELD.fullmatch(name) is not None


def plain_part(name: str) -> str | None:
    """The longest beginning of a dotted field that SQL can follow."""
    parts = name.split(".")
    plain = [n for n in range(1, len(parts) + 1) if is_plain(".".join(parts[:n]))]
    return ".".join(parts[: plain[-1]]) if plain else None


def fields_of(criteria: Mapping[str, Any]) -> set[str] | None:
    """The fields that decide about criteria; None where it takes the whole document."""
    found: set[str] = set()
    for key, condition in criteria.items():
        if key in ("$and", "$or", "$nor"):
            for part in condition:
                inner = fields_of(part)
                if inner is None:
                    return None
                found |= inner
        elif key in _WHOLE:
            return None
        elif not key.startswith("$"):
            found.add(key)
    return found


def field_sql(name: str, dialect: str) -> sa.ColumnElement[Any]:
    """The JSON text of a plain field; NULL where it is missing or within a list."""
    return sa.literal_column(_json(name.split("."), dialect), sa.Text)


def unclear_sql(name: str, dialect: str) -> Condition | None:
    """Whether a list or something stored apart stands on the way to a field; None: it cannot."""
    parts = name.split(".")
    above = [parts[:n] for n in range(1, len(parts))]
    return _literal(" OR ".join(_is_unclear(path, dialect) for path in above)) if above else None


def key_sql(name: str, dialect: str) -> sa.ColumnElement[str]:
    """First letters of the text in a plain field, as indexes hold it."""
    parts = name.split(".")
    paths = [parts[:n] for n in range(1, len(parts) + 1)]
    unclear = " OR ".join(_is_unclear(path, dialect) for path in paths)
    text = _scalar(parts, dialect)
    if dialect == "sqlite":
        text = f"CAST({text} AS TEXT)"
    return sa.literal_column(
        f"CASE WHEN {unclear} THEN '{_UNCLEAR}' ELSE substr({text}, 1, {_INDEXED_LETTERS}) END",
        sa.Text,
    )


def prefilter(criteria: Mapping[str, Any], dialect: str) -> Condition | None:
    """A condition that every document meeting the criteria meets; None where SQL cannot help."""
    terms: list[Condition | None] = []
    for key, condition in criteria.items():
        if key == "$and":
            terms += [prefilter(part, dialect) for part in condition]
        elif key == "$or":
            terms.append(_any([prefilter(part, dialect) for part in condition]))
        elif not key.startswith("$") and is_plain(key):
            terms += _field_conditions(key, condition, dialect)
    found = [term for term in terms if term is not None]
    return sa.and_(*found) if found else None


def _field_conditions(name: str, condition: Any, dialect: str) -> list[Condition | None]:
    operators = condition if _is_operators(condition) else {"$eq": condition}
    found = []
    for operator, value in operators.items():
        if operator in _COMPARISONS:
            found.append(_comparison(name, operator, value, dialect))
        elif operator == "$in":
            found.append(_any_of(name, value, dialect))
    return found


def _any(parts: list[Condition | None]) -> Condition | None:
    """Any of the conditions; None if SQL cannot help with one of them, or there is none."""
    known = [part for part in parts if part is not None]
    return sa.or_(*known) if known and len(known) == len(parts) else None


def _any_of(name: str, values: Iterable[Any], dialect: str) -> Condition | None:
    listed = list(values)
    if listed and all(isinstance(value, str) for value in listed):
        starts = {_start(value) for value in listed}
        return key_sql(name, dialect).in_([*sorted(starts), _UNCLEAR])
    return _any([_comparison(name, "$eq", value, dialect) for value in listed])


def _comparison(name: str, operator: str, value: Any, dialect: str) -> Condition | None:
    sign = _COMPARISONS[operator]
    if isinstance(value, str):
        return _any_of(name, [value], dialect) if sign == "=" else None
    if isinstance(value, bool):
        return None
    path = name.split(".")
    above = [path[:n] for n in range(1, len(path) + 1)]
    if isinstance(value, int | float) and math.isfinite(value) and abs(value) < 2**53:
        unclear = _literal(" OR ".join(_is_unclear(part, dialect) for part in above))
        return sa.or_(unclear, _number(path, dialect).op(sign, is_comparison=True)(float(value)))
    if isinstance(value, datetime | ObjectId):
        is_date = isinstance(value, datetime)
        if sign != "=" and not is_date:
            return None
        text = date_text(value) if isinstance(value, datetime) else str(value)
        kind = sa.literal_column(_scalar([*path, MARK], dialect), sa.Text)
        stored = sa.literal_column(_scalar([*path, "value"], dialect), sa.Text)
        met = stored.op(sign, is_comparison=True)(text)
        unclear = _literal(
            " OR ".join(
                [*(_is_unclear(part, dialect) for part in above[:-1]), _is_list(path, dialect)]
            )
        )
        same_kind = kind == ("date" if is_date else "id")
        return sa.or_(unclear, kind.in_(["blob", "object"]), sa.and_(same_kind, met))
    return None


def _is_operators(condition: Any) -> bool:
    return isinstance(condition, Mapping) and any(str(key).startswith("$") for key in condition)


def _start(text: str) -> str:
    return "".join(text[:_INDEXED_LETTERS])


def _number(path: list[str], dialect: str) -> sa.ColumnElement[float]:
    if dialect == "sqlite":
        return sa.literal_column(_scalar(path, dialect), sa.Double)
    json, text = _json(path, dialect, as_text=False), _scalar(path, dialect)
    return sa.literal_column(
        f"CASE json_typeof({json}) WHEN 'number' THEN CAST({text} AS DOUBLE PRECISION) "
        f"WHEN 'boolean' THEN CAST(CAST(CAST({text} AS BOOLEAN) AS INTEGER) AS DOUBLE PRECISION) "
        "END",
        sa.Double,
    )


def _literal(text: str) -> Condition:
    return sa.literal_column(f"({text})", sa.Boolean)


def _is_unclear(path: list[str], dialect: str) -> str:
    marked = _json([*path, MARK], dialect)
    return f"{_is_list(path, dialect)} OR {marked} IS NOT NULL"


def _is_list(path: list[str], dialect: str) -> str:
    if dialect == "sqlite":
        return f"coalesce(json_type(document, '{_sqlite_path(path)}') = 'array', 0)"
    json = _json(path, dialect, as_text=False)
    return f"coalesce(json_typeof({json}) = 'array', false)"


# The paths are part of the SQL, since an index is only used where its expression stands as it does
# in the index. `is_plain` lets nothing through that could end the quotes.


def _json(path: list[str], dialect: str, *, as_text: bool = True) -> str:
    if dialect == "sqlite":
        return f"(document -> '{_sqlite_path(path)}')"
    json = f"(document #> '{_postgresql_path(path)}')"
    return f"CAST({json} AS TEXT)" if as_text else json


def _scalar(path: list[str], dialect: str) -> str:
    if dialect == "sqlite":
        return f"json_extract(document, '{_sqlite_path(path)}')"
    return f"(document #>> '{_postgresql_path(path)}')"


def _sqlite_path(path: list[str]) -> str:
    return "$" + "".join(f'."{part}"' for part in path)


def _postgresql_path(path: list[str]) -> str:
    return "{" + ",".join(f'"{part}"' for part in path) + "}"
