"""The results database: SQLite by default, PostgreSQL by URL.

::

    database = open_database("results.db")
    known = database.find(fingerprints)                   # {fingerprint: document}
    database.add_calculations(documents)                  # one transaction, idempotent
    database.add_campaign(name, campaign)                 # the campaign file's content
    database.add_candidates(name, candidate_documents)
    table = database.query("screen=collectors host=Cu converged").to_pandas()
    documents = database.candidates("campaign=quickstart")
    rows = database.sql("SELECT task, count(*) FROM calculations GROUP BY task").rows
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import sqlalchemy as sa
from pydantic import ValidationError

from results import query
from results.blobs import content_hash, hash_and_pack, pack, unpack
from results.candidates import CANDIDATES, kind_of
from results.connection import WRITE, connect, database_errors, explain, read_only_sqlite
from results.documents import (
    AnyCalculation,
    CandidateDocument,
    first_problem,
    parse_calculation,
    quantities,
)
from results.documents import labels as labels_of
from results.errors import ResultsError, nearest
from results.garbage import making_many_objects
from results.schema import (
    calculation_documents,
    calculations,
    campaigns,
    candidate_documents,
    candidate_elements,
    candidates,
    labels,
    properties,
    rankings,
    structures,
)
from results.summaries import CandidateSummary, read_summaries

if TYPE_CHECKING:
    import pandas as pd

_CHUNK = 5000
"""Values bound in one IN list, under the databases' limits of about 32,000 and 65,000."""
_ARRAY_FIELDS = ("forces", "stress", "images", "energies_ev")
_STRUCTURE_FIELDS = ("initial_structure", "final_structure")
_COLUMNS = (
    *("id", "campaign", "screen", "host", "miller_index", "termination", "potential"),
    *("converged", "created"),
)
"""What `Database.query` gives of every candidate."""
_READING = ("SELECT", "WITH", "VALUES", "EXPLAIN")


@dataclass(frozen=True)
class QueryResult:
    """A table that a query gave.

    Attributes:
        columns: names in order.
        units: unit of each column that has one, by name.
        rows: one mapping of column to value per row; None where there is no value.
    """

    columns: tuple[str, ...]
    units: Mapping[str, str]
    rows: list[dict[str, Any]]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def headers(self) -> tuple[str, ...]:
        """The columns' names with their units, such as ``work_of_adhesion (J/m²)``."""
        return tuple(
            f"{name} ({self.units[name]})" if name in self.units else name for name in self.columns
        )

    def to_pandas(self) -> "pd.DataFrame":
        """The table as a data frame, units in the headers."""
        import pandas as pd

        values = [[row[name] for name in self.columns] for row in self.rows]
        return pd.DataFrame(values, columns=list(self.headers))


class Database:
    """An open results database; `open_database` makes one. Usable from several threads.

    Every method raises ResultsError, on one line, where the database cannot be read or written.
    """

    def __init__(self, engine: sa.Engine, name: str) -> None:
        self._engine = engine
        self._writing_engine = engine.execution_options(**{WRITE: True})
        # All statements of a reading see one moment: what one finds is there for the next. SQLite's
        # transactions are so by themselves.
        one_moment = {"isolation_level": "REPEATABLE READ"}
        is_server = engine.dialect.name == "postgresql"
        self._reading_engine = engine.execution_options(**one_moment) if is_server else engine
        self.name = name

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections; the object connects again when it is used again."""
        self._engine.dispose()

    def find(self, fingerprints: Iterable[str]) -> dict[str, AnyCalculation]:
        """The calculations among ``fingerprints`` that the database holds, by fingerprint."""
        wanted = list(dict.fromkeys(fingerprints))
        found = {}
        with self._reading() as connection:
            for chunk in _chunks(wanted):
                rows = connection.execute(
                    sa.select(
                        *calculations.c["fingerprint", *_STRUCTURE_FIELDS],
                        *calculation_documents.c["document", "arrays"],
                    )
                    .join(calculation_documents)
                    .where(calculations.c.fingerprint.in_(chunk))
                ).all()
                hashes = {row._mapping[field] for row in rows for field in _STRUCTURE_FIELDS}
                hashes.discard(None)
                data = _load_structures(connection, hashes)
                for row in rows:
                    document = dict(row.document)
                    document |= unpack(row.arrays, f"calculation {row.fingerprint}")
                    for field in _STRUCTURE_FIELDS:
                        document[field] = data.get(row._mapping[field])
                    found[row.fingerprint] = parse_calculation(document)
        return found

    def add_calculations(self, documents: Iterable[AnyCalculation]) -> None:
        """Store calculations, all or none of them.

        Storing one again changes nothing, except that a converged result replaces a failed one of
        the same fingerprint.
        """
        rows: dict[str, dict[str, Any]] = {}
        document_rows: dict[str, dict[str, Any]] = {}
        structure_rows: dict[str, dict[str, Any]] = {}
        for document in documents:
            key = document.fingerprint
            if key in rows and (rows[key]["converged"] or not document.converged):
                continue
            rows[key], document_rows[key], its_structures = _calculation_rows(document)
            structure_rows |= its_structures
        if not rows:
            return
        add_structures = self._insert(structures).on_conflict_do_nothing()
        add_documents = self._insert(calculation_documents)
        add_documents = add_documents.on_conflict_do_update(
            index_elements=["fingerprint"],
            set_={name: add_documents.excluded[name] for name in ("document", "arrays")},
        )
        add = self._insert(calculations)
        add = add.on_conflict_do_update(
            index_elements=["fingerprint"],
            set_={
                column.name: add.excluded[column.name]
                for column in calculations.c
                if not column.primary_key
            },
            where=sa.and_(calculations.c.converged.is_(False), add.excluded.converged.is_(True)),
        ).returning(calculations.c.fingerprint)
        with self._writing() as connection:
            # In one order everywhere, so that two writers cannot wait for each other.
            if structure_rows:
                in_order = [structure_rows[sha256] for sha256 in sorted(structure_rows)]
                connection.execute(add_structures, in_order)
            in_order = [rows[fingerprint] for fingerprint in sorted(rows)]
            stored = connection.execute(add, in_order).scalars().all()
            if stored:
                connection.execute(add_documents, [document_rows[one] for one in stored])

    def add_campaign(self, name: str, campaign: Mapping[str, Any]) -> None:
        """Store a campaign's content (JSON types) under its name, replacing what stood there.

        Raises:
            ResultsError: an empty name.
        """
        if not name.strip():
            raise ResultsError("campaign: an empty name; give one")
        row = {"name": name, "document": dict(campaign), "created_at": _now()}
        with self._writing() as connection:
            statement = self._insert(campaigns).values(row)
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["name"], set_={"document": row["document"]}
                )
            )

    def campaigns(self) -> dict[str, dict[str, Any]]:
        """The content of every campaign by its name, oldest first."""
        return {name: self.campaign(name) for name in self.campaign_names()}

    def campaign_names(self) -> list[str]:
        """The names of the campaigns, oldest first."""
        with self._reading() as connection:
            names = sa.select(campaigns.c.name).order_by(campaigns.c.id)
            return list(connection.execute(names).scalars())

    def campaign(self, name: str) -> dict[str, Any]:
        """The content of a campaign.

        Raises:
            ResultsError: an unknown campaign.
        """
        with self._reading() as connection:
            number = _campaign_id(connection, name)
            wanted = sa.select(campaigns.c.document).where(campaigns.c.id == number)
            return connection.execute(wanted).scalar_one()

    def add_candidates(self, campaign: str, documents: Iterable[CandidateDocument]) -> None:
        """Store a campaign's candidates with their properties, all or none of them.

        A candidate of the same campaign, screen, host, facet, termination and potential is
        replaced.

        Raises:
            ResultsError: an unknown campaign, or a document of another one.
        """
        add = self._insert(candidates)
        changing = [column.name for column in candidates.c if column.name not in ("id", "key")]
        add = add.on_conflict_do_update(
            index_elements=["key"], set_={name: add.excluded[name] for name in changing}
        ).returning(candidates.c.id)
        parts = (candidate_documents, candidate_elements, labels, properties)
        with self._writing() as connection:
            campaign_id = _campaign_id(connection, campaign)
            for document in documents:
                if document.campaign != campaign:
                    raise ResultsError(
                        f"campaign: {document.host} belongs to {document.campaign!r}, "
                        f"not to {campaign!r}; add it there"
                    )
                row = _candidate_row(document) | {"campaign_id": campaign_id}
                candidate_id = connection.execute(add, row).scalar_one()
                part_rows = (
                    [_candidate_document_row(document)],
                    [{"symbol": symbol} for symbol in dict.fromkeys(document.elements)],
                    [
                        {"name": name, "value": getattr(document, field)}
                        for field, name in labels_of(type(document)).items()
                        if getattr(document, field) is not None
                    ],
                    [item.model_dump(mode="json") for item in document.properties()],
                )
                for table, its_rows in zip(parts, part_rows, strict=True):
                    connection.execute(table.delete().where(table.c.candidate_id == candidate_id))
                    if its_rows:
                        common = {"candidate_id": candidate_id}
                        connection.execute(table.insert(), [common | row for row in its_rows])

    def candidates(self, text: str = "") -> list[CandidateDocument]:
        """The candidates that meet a query (`results.query`), whole, in the order they were added.

        Raises:
            ResultsError: a query that cannot be read.
        """
        with self._reading() as connection:
            condition = query.to_sql(query.parse(text), _vocabulary())
            rows = connection.execute(
                sa.select(
                    *candidates.c["id", "screen"], *candidate_documents.c["document", "arrays"]
                )
                .join(campaigns)
                .join(candidate_documents)
                .where(condition)
                .order_by(candidates.c.id)
            ).all()
        return [_parse_candidate(row) for row in rows]

    def summaries(self, text: str = "") -> list[CandidateSummary]:
        """The candidates that meet a query without their documents, in the order they were added.

        Raises:
            ResultsError: a query that cannot be read.
        """
        with self._reading() as connection:
            return read_summaries(connection, query.to_sql(query.parse(text), _vocabulary()))

    def candidate(self, candidate_id: int) -> CandidateDocument:
        """One candidate by its number.

        Raises:
            ResultsError: no candidate has this number.
        """
        found = self.candidates(f"id={candidate_id}")
        if not found:
            raise ResultsError(f"id: no candidate {candidate_id}; query lists them with their ids")
        return found[0]

    def calculations(self, text: str = "") -> list[AnyCalculation]:
        """The calculations that the candidates meeting a query came from, each once.

        Raises:
            ResultsError: a query that cannot be read.
        """
        documents = self.candidates(text)
        return list(
            self.find(one for document in documents for one in document.fingerprints()).values()
        )

    def query(
        self,
        text: str = "",
        *,
        columns: Sequence[str] | None = None,
        sort: str | None = None,
        limit: int | None = None,
    ) -> QueryResult:
        """One row per candidate that meets a query (see `results.query` for the language).

        Columns are id, campaign, screen, host, miller_index, termination, potential, converged and
        created, then every label found, then for every quantity found its value and, where there
        are any, its error.

        Args:
            text: the query; empty for every candidate.
            columns: only these, in this order: the names above, those of labels and quantities, and
                for errors ``<quantity>_error``.
            sort: field or quantity to sort by, with a leading ``-`` downwards; rows without a value
                come last. By default the order they were added in.
            limit: rows at most.

        Raises:
            ResultsError: a query that cannot be read, an unknown key or column, a limit under 1.
        """
        if limit is not None and limit < 1:
            raise ResultsError(f"limit: {limit} rows; give 1 or more")
        shown = None if columns is None else [_column_name(name) for name in columns]
        with self._reading() as connection, making_many_objects():
            chosen = (
                sa.select(
                    candidates.c.id,
                    campaigns.c.name.label("campaign"),
                    *candidates.c["screen", "host", "miller_index", "termination"],
                    candidates.c.potential_name.label("potential"),
                    candidates.c.converged,
                    candidates.c.created_at.label("created"),
                )
                .join(campaigns, candidates.c.campaign_id == campaigns.c.id)
                .where(query.to_sql(query.parse(text), _vocabulary()))
            )
            rows = _sorted_rows(connection, chosen, sort, limit)
            found = [row.id for row in rows]
            texts = _parts(connection, labels.c["candidate_id", "name", "value"], found, shown)
            wanted = properties.c["candidate_id", "name", "value", "unit", "error"]
            values = _parts(connection, wanted, found, shown)
        return _pivot(rows, texts, values, shown)

    def sql(self, text: str) -> QueryResult:
        """The rows of one SQL statement that only reads.

        The tables are those of `results.schema`. The database itself refuses anything that would
        write.

        Raises:
            ResultsError: SQL that is wrong or would do more than read.
        """
        if not text.lstrip().upper().startswith(_READING):
            raise ResultsError(f"sql: only reading is allowed; start with {', '.join(_READING)}")
        read = self._read_sqlite if self._engine.dialect.name == "sqlite" else self._read_postgresql
        try:
            columns, rows = read(text)
        except self._engine.dialect.loaded_dbapi.Error as error:
            raise ResultsError(explain(self.name, str(error))) from error
        names = tuple(_unique(columns))
        return QueryResult(names, {}, [dict(zip(names, row, strict=True)) for row in rows])

    def add_ranking(self, campaign: str, screen: str, ranking: Mapping[str, Any]) -> None:
        """Store a ranking (JSON types) of a campaign's screen beside the earlier ones.

        Raises:
            ResultsError: an unknown campaign.
        """
        with self._writing() as connection:
            connection.execute(
                rankings.insert().values(
                    campaign_id=_campaign_id(connection, campaign),
                    screen=screen,
                    created_at=_now(),
                    document=dict(ranking),
                )
            )

    def latest_ranking(self, campaign: str, screen: str) -> dict[str, Any] | None:
        """The last ranking stored for a campaign's screen; None where there is none.

        Raises:
            ResultsError: an unknown campaign.
        """
        with self._reading() as connection:
            return connection.execute(
                sa.select(rankings.c.document)
                .where(
                    rankings.c.campaign_id == _campaign_id(connection, campaign),
                    rankings.c.screen == screen,
                )
                .order_by(rankings.c.id.desc())
                .limit(1)
            ).scalar()

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with database_errors(self.name), self._reading_engine.begin() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with database_errors(self.name), self._writing_engine.begin() as connection:
            yield connection

    def _insert(self, table: sa.Table) -> Any:
        """The dialect's INSERT, which knows ON CONFLICT."""
        if self._engine.dialect.name == "sqlite":
            from sqlalchemy.dialects.sqlite import insert
        else:
            from sqlalchemy.dialects.postgresql import insert  # type: ignore[assignment]
        return insert(table)

    def _read_sqlite(self, text: str) -> tuple[list[str], list[Any]]:
        with closing(read_only_sqlite(Path(str(self._engine.url.database)))) as connection:
            cursor = connection.execute(text)
            return [column[0] for column in cursor.description or ()], cursor.fetchall()

    def _read_postgresql(self, text: str) -> tuple[list[str], list[Any]]:
        with self._engine.connect() as connected:
            connection: Any = connected.execution_options(postgresql_readonly=True).connection
            with connection.cursor() as cursor:
                # Prepared, the server takes one statement only: none can end the transaction.
                cursor.execute(text, prepare=True)
                return [column[0] for column in cursor.description or ()], cursor.fetchall()


def open_database(path_or_url: str | os.PathLike[str], *, must_exist: bool = False) -> Database:
    """Open the results database, making it where there is none.

    Args:
        path_or_url: a SQLite file's path, or ``postgresql://user@host/name``.
        must_exist: refuse to make a new one.

    Raises:
        ResultsError: a path that cannot be read or written, a directory, a folder that does not
            exist, a damaged file or one of another program or version, a server that does not
            answer, or nothing there with ``must_exist``.
    """
    return Database(*connect(path_or_url, must_exist=must_exist))


def migrate_database(path_or_url: str | os.PathLike[str]) -> None:
    """Bring a database of an older version to today's tables, in one transaction.

    A SQLite file is also migrated, after a backup, by opening it. A server's database is not, since
    others may still use it with the older version: back it up first, with ``pg_dump``. Nothing
    changes where the tables are today's.

    Raises:
        ResultsError: as `open_database`, and where there is nothing.
    """
    connect(path_or_url, must_exist=True, migrate=True)[0].dispose()


@cache
def _vocabulary() -> query.Vocabulary:
    """What all kinds of candidates add to the names in queries."""
    written: dict[str, str] = {}
    labelled: dict[str, None] = {}
    for document in CANDIDATES.values():
        for field, (name, _) in quantities(document).items():
            written[field] = written[name] = name
        labelled |= dict.fromkeys(labels_of(document).values())
    return query.Vocabulary(written, tuple(labelled))


@cache
def _units() -> dict[str, str]:
    """The unit of each quantity by its name in the database."""
    return {
        name: unit
        for document in CANDIDATES.values()
        for name, unit in quantities(document).values()
    }


def _column_name(written: str) -> str:
    """The name of a column of `Database.query`, where a quantity may be written with its unit.

    Raises:
        ResultsError: there is no such column.
    """
    known = _vocabulary()
    quantity = written.removesuffix("_error")
    if quantity in known.quantities:
        return known.quantities[quantity] + written[len(quantity) :]
    if written in (*_COLUMNS, *known.labels):
        return written
    valid = [*_COLUMNS, *known.labels, *known.quantities.values()]
    raise ResultsError(f"columns: no {written!r}; {nearest(written, valid)}")


def _calculation_rows(
    document: AnyCalculation,
) -> tuple[dict[str, Any], dict[str, Any], dict[str, dict[str, Any]]]:
    """The row of a calculation, that of its document, and those of its structures by hash."""
    data = document.model_dump(mode="json")
    structure_rows: dict[str, dict[str, Any]] = {}
    hashes: dict[str, str | None] = dict.fromkeys(_STRUCTURE_FIELDS)
    first, last = (data.pop(field) for field in _STRUCTURE_FIELDS)
    # An evaluation ends where it started.
    distinct = [first] if first == last else [first, last]
    for field, structure in zip(_STRUCTURE_FIELDS, distinct, strict=False):
        if structure is not None:
            sha256, packed = hash_and_pack(structure)
            hashes[field] = sha256
            structure_rows[sha256] = {
                "sha256": sha256,
                "formula": _formula(structure),
                "n_atoms": len(structure["sites"]),
                "data": packed,
            }
    if len(distinct) == 1:
        hashes[_STRUCTURE_FIELDS[1]] = hashes[_STRUCTURE_FIELDS[0]]
    arrays = {field: data.pop(field) for field in _ARRAY_FIELDS if field in data}
    row: dict[str, Any] = {
        **hashes,
        "fingerprint": document.fingerprint,
        "kind": document.kind,
        "task": document.task,
        "potential_name": document.potential.name,
        "potential_sha256": document.potential.sha256,
        "energy_ev": data.get("energy_ev"),
        "barrier_ev": data.get("barrier_ev"),
        "max_force": document.max_force,
        "converged": document.converged,
        "failure": document.failure,
        "steps": document.steps,
        "force_evaluations": document.force_evaluations,
        "wall_time_s": document.wall_time_s,
        "created_at": _utc_text(document.created_at),
    }
    document_row = {
        "fingerprint": document.fingerprint,
        "document": data,
        "arrays": pack(arrays),
    }
    return row, document_row, structure_rows


def _candidate_row(document: CandidateDocument) -> dict[str, Any]:
    """The row of a candidate, but for its campaign."""
    identity = {
        "campaign": document.campaign,
        "screen": document.screen,
        "host": document.host,
        "miller_index": query.miller_text(document.miller_index),
        "termination": document.termination,
        "potential": document.potential.model_dump(exclude={"versions"}),
        **{name: getattr(document, field) for field, name in labels_of(type(document)).items()},
    }
    return {
        "key": content_hash(identity),
        "screen": document.screen,
        "host": document.host,
        "miller_index": identity["miller_index"],
        "termination": document.termination,
        "potential_name": document.potential.name,
        "potential_sha256": document.potential.sha256,
        "potential_head": document.potential.head,
        "potential_dtype": document.potential.dtype,
        "potential_dispersion": document.potential.dispersion,
        "converged": document.converged,
        "rejected": document.rejected or None,
        "created_at": _utc_text(document.created_at),
    }


def _candidate_document_row(document: CandidateDocument) -> dict[str, Any]:
    data = document.model_dump(mode="json")
    fields = [field for field in data if _holds_structures(data[field])]
    return {"document": data, "arrays": pack({field: data.pop(field) for field in fields})}


def _holds_structures(value: Any) -> bool:
    if isinstance(value, dict):
        return {"lattice", "sites"} <= value.keys() or any(map(_holds_structures, value.values()))
    return isinstance(value, list) and any(map(_holds_structures, value))


def _parse_candidate(row: Any) -> CandidateDocument:
    document = kind_of(row.screen)
    data = row.document | unpack(row.arrays, f"candidate {row.id}")
    try:
        return document.model_validate(data)
    except ValidationError as error:
        raise ResultsError(
            f"database: candidate {row.id} cannot be read: {first_problem(error)}; "
            "run its campaign again"
        ) from error


def _sorted_rows(
    connection: sa.Connection, chosen: sa.Select, sort: str | None, limit: int | None
) -> Sequence[Any]:
    """The rows of `Database.query` in order."""
    if sort is None:
        return connection.execute(chosen.order_by(candidates.c.id).limit(limit)).all()
    key, known = sort.removeprefix("-"), _vocabulary()
    fields = {column.name: column for column in chosen.selected_columns}

    def ordered(rows: sa.Select, column: sa.ColumnElement) -> sa.Select:
        order = column.desc() if sort.startswith("-") else column.asc()
        return rows.order_by(order.nulls_last(), candidates.c.id).limit(limit)

    if key in fields:
        return connection.execute(ordered(chosen, fields[key])).all()
    if key not in known.quantities and key not in known.labels:
        valid = [*fields, *known.labels, *known.quantities]
        raise ResultsError(f"sort: unknown key {key!r}; {nearest(key, valid)}")
    part = (properties if key in known.quantities else labels).alias("sort_value")
    name, value = known.quantities.get(key, key), part.c.value
    its_value = sa.and_(part.c.candidate_id == candidates.c.id, part.c.name == name)
    if limit is not None and connection.dialect.name == "postgresql":
        # Most often enough rows have a value: then an index gives them in order, and the rest,
        # which would come last, need not be looked for. SQLite is as quick without.
        having = chosen.join(part, its_value).where(value.is_not(None))
        order = value.desc() if sort.startswith("-") else value.asc()
        rows = connection.execute(having.order_by(order, candidates.c.id).limit(limit)).all()
        if len(rows) == limit:
            return rows
    return connection.execute(ordered(chosen.outerjoin(part, its_value), value)).all()


def _parts(
    connection: sa.Connection,
    columns: Any,
    candidate_ids: list[int],
    shown: Sequence[str] | None,
) -> list[Any]:
    """Labels or properties of candidates, by their numbers; of ``shown`` columns only."""
    table = columns[0].table
    wanted = sa.select(*columns)
    if shown is not None:
        wanted = wanted.where(table.c.name.in_({name.removesuffix("_error") for name in shown}))
    return [
        row
        for chunk in _chunks(candidate_ids)
        for row in connection.execute(wanted.where(table.c.candidate_id.in_(chunk))).all()
    ]


def _pivot(
    rows: Sequence[Any],
    texts: Sequence[Any],
    values: Sequence[Any],
    shown: Sequence[str] | None,
) -> QueryResult:
    """Put each candidate's labels and quantities into its row."""
    units = {name: unit for _, name, _, unit, _ in values}
    with_error = {name for _, name, _, _, error in values if error is not None}
    if shown is None:
        known = _vocabulary()
        with_label = {name for _, name, _ in texts}
        columns = [*_COLUMNS, *(name for name in known.labels if name in with_label)]
        order = dict.fromkeys(known.quantities.values())
        for name in [*(name for name in order if name in units), *sorted(units.keys() - order)]:
            columns += [name, f"{name}_error"] if name in with_error else [name]
    else:
        columns = list(shown)
        units = _units() | units
    empty: dict[str, Any] = dict.fromkeys(columns)
    by_id = {row.id: empty | row._asdict() for row in rows}
    for candidate_id, name, value in texts:
        by_id[candidate_id][name] = value
    for candidate_id, name, value, _, error in values:
        row = by_id[candidate_id]
        row[name] = value
        if error is not None:
            row[f"{name}_error"] = error
    found = list(by_id.values())
    if shown is not None:
        found = [{name: row[name] for name in columns} for row in found]
    units |= {f"{name}_error": unit for name, unit in units.items()}
    return QueryResult(tuple(columns), {n: units[n] for n in columns if n in units}, found)


def _load_structures(connection: sa.Connection, hashes: Iterable[str]) -> dict[str, Any]:
    found = {}
    for chunk in _chunks(list(hashes)):
        rows = connection.execute(
            sa.select(*structures.c["sha256", "data"]).where(structures.c.sha256.in_(chunk))
        )
        for row in rows:
            found[row.sha256] = unpack(row.data, f"structure {row.sha256}")
    return found


def _campaign_id(connection: sa.Connection, name: str) -> int:
    found = connection.execute(sa.select(campaigns.c.id).where(campaigns.c.name == name)).scalar()
    if found is None:
        known = connection.execute(sa.select(campaigns.c.name)).scalars()
        raise ResultsError(f"campaign: no {name!r} here; {nearest(name, known)}")
    return found


def _formula(structure: Mapping[str, Any]) -> str:
    """Elements in alphabetical order with their numbers, such as ``Cu36 Li1``."""
    counts = Counter(site["species"][0]["element"] for site in structure["sites"])
    return " ".join(f"{element}{counts[element]}" for element in sorted(counts))


def _unique(names: Iterable[str]) -> Iterator[str]:
    """The names, a repeated one with a number, since rows are kept by name."""
    seen: Counter[str] = Counter()
    for name in names:
        seen[name] += 1
        yield name if seen[name] == 1 else f"{name}_{seen[name]}"


def _chunks(values: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def _now() -> str:
    return _utc_text(datetime.now(UTC))


def _utc_text(moment: datetime) -> str:
    """ISO 8601 in UTC with microseconds, so that texts sort as times do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
