"""jobflow's JobStore on a database: SQLite or PostgreSQL, the results database or one of its own.

In a ``jobflow.yaml`` of anyone who runs jobflow::

    JOB_STORE:
      "@module": jobflow.core.store
      "@class": JobStore
      docs_store:
        "@module": results.jobflow_store
        "@class": SQLStore
        database: /data/jobs.db            # or postgresql://user@host/name
        collection_name: jobs
      additional_stores:
        data:
          "@module": results.jobflow_store
          "@class": SQLStore
          database: /data/jobs.db
          collection_name: job_data

`SQLStore` keeps the large lists and texts of its documents apart by itself, and in one transaction
with them. jobflow's own JobStore writes a document before what it sends to additional stores, so
that a job killed in between looks finished and cannot be loaded; `SQLJobStore` writes both in one
transaction. `job_store` gives one on a database.
"""

import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar, cast
from weakref import WeakValueDictionary

import mongomock_ng as mongomock
import sqlalchemy as sa
from bson import ObjectId
from jobflow import JobStore
from maggma.core import Sort, Store, StoreError
from mongomock_ng.filtering import filter_applies, resolve_sort_key
from monty.json import jsanitize
from pydash import get, has, set_

from results.connection import WRITE, connect, database_errors
from results.schema import store_blob_uses, store_blobs, store_documents
from results.store_documents import blobs_in, decode, encode
from results.store_queries import (
    field_sql,
    fields_of,
    is_plain,
    key_sql,
    plain_part,
    prefilter,
    unclear_sql,
)

Document = dict[str, Any]
Item = TypeVar("Item")

_CHUNK = 500
"""Documents read at once."""
_INDEXES = {"sqlite": ("sqlite_master", "name"), "postgresql": ("pg_indexes", "indexname")}
"""Where a database lists its indexes, and the column of their names."""
_WRITERS_LOCK = 7_155_144_842
"""Any number that no other program uses as PostgreSQL advisory lock."""


class SQLStore(Store):
    """A maggma Store on SQLite or PostgreSQL.

    It answers as maggma's MemoryStore does. What SQL can tell is left to the database: conditions
    that compare fields with texts, numbers and dates, and which fields are read at all. MongoDB's
    finer points (lists, regular expressions, ...) are decided in Python on the fields concerned.

    Args:
        database: a file's path, or ``postgresql://user@host/name``; made where there is none.
        collection_name: tells documents of several stores on one database apart.
        kwargs: of maggma's Store: key, last_updated_field, last_updated_type, validator.
    """

    def __init__(
        self,
        database: str = "lithiophile.db",
        collection_name: str = "documents",
        **kwargs: Any,
    ) -> None:
        self.database = str(database)
        self.collection_name = collection_name
        self.kwargs = kwargs
        self._opened: _Pool | None = None
        super().__init__(**kwargs)

    @property
    def name(self) -> str:
        """Database, without a password, and collection."""
        shown = self.database
        if "://" in shown:
            shown = sa.make_url(shown).render_as_string(hide_password=True)
        return f"sql://{shown}/{self.collection_name}"

    @property
    def _collection(self) -> Any:
        raise StoreError("a SQLStore has no pymongo collection; use its query and update")

    def connect(self, force_reset: bool = False) -> None:
        """Open the database, making it where there is none.

        Raises:
            ResultsError: as `results.database.open_database`.
        """
        if self._opened is None or force_reset:
            self._opened = _pool(self.database)
        self.ensure_index(self.key)

    def close(self) -> None:
        """Close the connections; `connect` opens them again."""
        if self._opened is not None:
            self._opened.engine.dispose()
            self._opened = None

    def count(self, criteria: Mapping[str, Any] | None = None) -> int:
        """How many documents meet the criteria."""
        if criteria:
            return len(self._matching(criteria))
        with self._pool.reading() as connection:
            return connection.execute(self._all(sa.func.count())).scalar_one()

    def query(
        self,
        criteria: Mapping[str, Any] | None = None,
        properties: Mapping[str, Any] | list[str] | None = None,
        sort: Mapping[str, Sort | int] | None = None,
        skip: int = 0,
        limit: int = 0,
    ) -> Iterator[Document]:
        """Documents that meet the criteria, as maggma's MongoStore.

        Args:
            criteria: MongoDB's filter.
            properties: fields read; None for whole documents. A mapping may leave fields out.
            sort: 1 or -1 by field.
            skip: documents left out at the beginning.
            limit: documents at most; 0 for all.
        """
        ids = self._matching(criteria or {}, sort)
        end = skip + limit if limit else None
        wanted = ids[skip:end]
        projection = properties if isinstance(properties, Mapping) else None
        fields = None
        if properties and (projection is None or _only_includes(projection)):
            fields = {name for name in properties if name != "_id"}
            if projection is None or projection.get("_id", 1):
                fields.add("_id")
        for start in range(0, len(wanted), _CHUNK):
            with self._pool.reading() as connection:
                if fields is None and projection:
                    found = self._left_out(connection, wanted[start : start + _CHUNK], projection)
                else:
                    found = self._read(connection, wanted[start : start + _CHUNK], fields)
            for document_id in wanted[start : start + _CHUNK]:
                if document_id in found:  # not removed since
                    yield found[document_id]

    def distinct(
        self, field: str, criteria: Mapping[str, Any] | None = None, all_exist: bool = False
    ) -> list[Any]:
        """The values of a field, each once; of lists, their elements."""
        del all_exist  # of maggma's interface; its own stores ignore it too
        return _in_memory(list(self.query(criteria, {field: 1, "_id": 0}))).distinct(field)

    def groupby(
        self,
        keys: list[str] | str,
        criteria: Mapping[str, Any] | None = None,
        properties: Mapping[str, Any] | list[str] | None = None,
        sort: Mapping[str, Sort | int] | None = None,
        skip: int = 0,
        limit: int = 0,
    ) -> Iterator[tuple[Document, list[Document]]]:
        """Documents that have all keys, grouped by their values.

        Args:
            keys: one or more fields.
            criteria: MongoDB's filter.
            properties: fields read beside the keys; None for whole documents.
            sort: order within a group.
            skip: documents left out at the beginning.
            limit: documents at most; 0 for all.
        """
        keys = [keys] if isinstance(keys, str) else list(keys)
        fields = [*keys, *properties] if properties else None
        found = self.query(criteria, fields, sort, skip, limit)
        documents = [one for one in found if all(has(one, key) for key in keys)]

        def values(document: Document) -> tuple[Any, ...]:
            return tuple(get(document, key) for key in keys)

        for group, members in groupby(sorted(documents, key=values), key=values):
            head: Document = {}
            for key, value in zip(keys, group, strict=True):
                set_(head, key, value)
            yield head, list(members)

    def update(self, docs: list[Document] | Document, key: list[str] | str | None = None) -> None:
        """Replace the documents with the same key, or add them; all or none.

        Args:
            docs: JSON types, arrays, dates or MSONable objects.
            key: the field or fields that tell documents apart; None for the store's.

        Raises:
            ResultsError: a value that cannot be stored.
        """
        keys = [key or self.key] if not isinstance(key, list) else key
        listed = docs if isinstance(docs, list) else [docs]
        sound = [
            one
            for one in (jsanitize(doc, allow_bson=True, recursive_msonable=True) for doc in listed)
            if self._is_valid(one)
        ]
        with self._pool.writing() as connection:
            for document in sound:
                self._write(connection, document, {name: document[name] for name in keys})

    def ensure_index(self, key: str, unique: bool = False) -> bool:
        """Make an index on a field; whether there is one afterwards."""
        if not is_plain(key):
            return False
        digest = sha256(key.encode()).hexdigest()[:16]
        kind = "unique_" if unique else ""
        index = f"store_documents_{kind}{digest}"
        with self._pool.reading() as connection:
            catalogue, name = _INDEXES[self._pool.dialect]
            known: sa.Select = sa.select(sa.literal_column(name)).select_from(sa.text(catalogue))
            if connection.execute(known.where(sa.literal_column(name) == index)).first():
                return True
        if unique and self._has_duplicates(key):
            return False
        expression = key_sql(key, self._pool.dialect)
        with self._pool.writing() as connection:
            connection.exec_driver_sql(
                f"CREATE {'UNIQUE ' if unique else ''}INDEX IF NOT EXISTS {index} "
                f"ON {store_documents.name} (collection, ({expression}))"
            )
        return True

    def remove_docs(self, criteria: Mapping[str, Any]) -> None:
        """Remove the documents that meet the criteria."""
        with self._pool.writing() as connection:
            ids = self._matching(criteria)
            for chunk in _chunks(ids):
                used = store_blob_uses.c.document_id.in_(chunk)
                blobs = connection.execute(sa.select(store_blob_uses.c.sha256).where(used))
                left = set(blobs.scalars())
                connection.execute(store_blob_uses.delete().where(used))
                connection.execute(store_documents.delete().where(store_documents.c.id.in_(chunk)))
                _remove_unused(connection, left)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What this thread writes to any store on the same database until the end, at once."""
        with self._pool.writing():
            yield

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SQLStore):
            return False
        return (self.database, self.collection_name, self.last_updated_field) == (
            *(other.database, other.collection_name, other.last_updated_field),
        )

    def __hash__(self) -> int:
        return hash((self.database, self.collection_name, self.last_updated_field))

    @property
    def _pool(self) -> "_Pool":
        if self._opened is None:
            raise StoreError("connect the store first: store.connect()")
        return self._opened

    def _is_valid(self, document: Document) -> bool:
        if self.validator is None or self.validator.is_valid(document):
            return True
        problems = self.validator.validation_errors(document)
        if getattr(self.validator, "strict", False):
            raise ValueError(problems)
        self.logger.error(problems)
        return False

    def _has_duplicates(self, key: str) -> bool:
        values = [json.dumps(get(one, key), default=str) for one in self.query({}, [key])]
        return len(set(values)) < len(values)

    def _all(self, *columns: Any) -> sa.Select:
        return (
            sa.select(*columns)
            .select_from(store_documents)
            .where(store_documents.c.collection == self.collection_name)
        )

    def _matching(
        self, criteria: Mapping[str, Any], sort: Mapping[str, Sort | int] | None = None
    ) -> list[int]:
        """Numbers of the documents that meet criteria, sorted; by default in the order added."""
        chosen = self._all(store_documents.c.id)
        condition = prefilter(criteria, self._pool.dialect)
        if condition is not None:
            chosen = chosen.where(condition)
        with self._pool.reading() as connection:
            # Sorted here: asked to sort by number, SQLite would walk the table and not the index.
            ids = sorted(connection.execute(chosen).scalars())
            if not (criteria or sort):
                return ids
            fields = fields_of(criteria)
            if fields is not None:
                fields |= set(sort or {})
            found: dict[int, Document] = {}
            for chunk in _chunks(ids):
                found |= self._read(connection, chunk, fields)
        ids = [one for one in ids if one in found and filter_applies(dict(criteria), found[one])]
        for field, direction in reversed(list((sort or {}).items())):
            downwards = Sort(direction) is Sort.Descending
            ids.sort(key=lambda one: resolve_sort_key(field, found[one]), reverse=downwards)
        return ids

    def _read(
        self, connection: sa.Connection, ids: Sequence[int], fields: set[str] | None
    ) -> dict[int, Document]:
        """Documents by their numbers, whole or only these fields of them."""
        of_ids = store_documents.c.id.in_(ids)
        if fields is None:
            rows = connection.execute(
                sa.select(store_documents.c.id, sa.cast(store_documents.c.document, sa.Text)).where(
                    of_ids
                )
            ).all()
            return self._decoded(connection, {row[0]: json.loads(row[1]) for row in rows})
        dialect = self._pool.dialect
        names = sorted({part for name in fields if (part := plain_part(name))})
        if any(plain_part(name) is None for name in fields):
            return self._read(connection, ids, None)
        unclear = [one for name in names if (one := unclear_sql(name, dialect)) is not None]
        columns = [field_sql(name, dialect).label(f"field_{i}") for i, name in enumerate(names)]
        rows = connection.execute(
            sa.select(
                store_documents.c.id, sa.or_(sa.false(), *unclear).label("unclear"), *columns
            ).where(of_ids)
        ).all()
        contents: dict[int, Document] = {}
        whole = [row[0] for row in rows if row[1]]
        for row in rows:
            content: Document = {}
            for name, text in zip(names, row[2:], strict=True):
                if text is not None:
                    _put(content, name.split("."), json.loads(text))
            contents[row[0]] = content
        found = self._decoded(
            connection, {one: content for one, content in contents.items() if one not in whole}
        )
        if whole:
            tree: Document = {}
            for name in names:
                _put(tree, name.split("."), {})
            documents = self._read(connection, whole, None)
            found |= {one: _included(document, tree) for one, document in documents.items()}
        return found

    def _left_out(
        self, connection: sa.Connection, ids: Sequence[int], projection: Mapping[str, Any]
    ) -> dict[int, Document]:
        """Documents without some of their fields, or with MongoDB's operators on them."""
        top = {name for name, kept in projection.items() if not kept and "." not in name}
        if len(top) < len(projection):
            whole = self._read(connection, ids, None)
            return {one: _projected(document, projection) for one, document in whole.items()}
        rows = connection.execute(
            sa.select(store_documents.c.id, store_documents.c.document).where(
                store_documents.c.id.in_(ids)
            )
        ).all()
        contents = {
            row[0]: {name: value for name, value in row[1].items() if name not in top}
            for row in rows
        }
        return self._decoded(connection, contents)

    def _decoded(
        self, connection: sa.Connection, contents: dict[int, Document]
    ) -> dict[int, Document]:
        """Stored contents as documents, with the large parts that they point to."""
        wanted = sorted({one for content in contents.values() for one in blobs_in(content)})
        blobs: dict[str, bytes] = {}
        for chunk in _chunks(wanted):
            rows = connection.execute(
                sa.select(*store_blobs.c["sha256", "data"]).where(store_blobs.c.sha256.in_(chunk))
            )
            blobs |= {row.sha256: row.data for row in rows}
        return {one: decode(content, blobs.__getitem__) for one, content in contents.items()}

    def _write(
        self, connection: sa.Connection, document: Document, same: Mapping[str, Any]
    ) -> None:
        """Replace the document that has the values ``same``, or add it; its blobs go first."""
        known = self._matching({name: {"$eq": value} for name, value in same.items()})[:1]
        content = {name: value for name, value in document.items() if name != "_id"}
        if known:
            content["_id"] = self._read(connection, known, {"_id"})[known[0]]["_id"]
        else:
            content["_id"] = document.get("_id") or ObjectId()
        encoded = encode(content)
        if encoded.blobs:
            rows = [{"sha256": name, "data": data} for name, data in encoded.blobs.items()]
            connection.execute(_insert(connection, store_blobs).on_conflict_do_nothing(), rows)
        row = {"collection": self.collection_name, "document": encoded.content}
        left: set[str] = set()
        if known:
            used = store_blob_uses.c.document_id == known[0]
            left = set(
                connection.execute(sa.select(store_blob_uses.c.sha256).where(used)).scalars()
            )
            connection.execute(store_blob_uses.delete().where(used))
            connection.execute(
                store_documents.update().where(store_documents.c.id == known[0]).values(row)
            )
            document_id = known[0]
        else:
            added = store_documents.insert().values(row).returning(store_documents.c.id)
            document_id = connection.execute(added).scalar_one()
        if encoded.blobs:
            uses = [{"document_id": document_id, "sha256": name} for name in encoded.blobs]
            connection.execute(store_blob_uses.insert(), uses)
        _remove_unused(connection, left - encoded.blobs.keys())


class SQLJobStore(JobStore):
    """jobflow's JobStore on a `SQLStore`, documents and additional data in one transaction.

    Additional stores on another database or of another kind are written first, so that no document
    ever points to data that is not there.
    """

    docs_store: SQLStore

    def update(self, docs: Any, key: Any = None, save: Any = None) -> None:
        """Update or add documents, as jobflow's own, all or none."""
        with self.docs_store.transaction():
            super().update(docs, key=key, save=save)

    def remove_docs(self, criteria: dict[str, Any]) -> None:
        """Remove documents and their additional data, all or none."""
        with self.docs_store.transaction():
            super().remove_docs(criteria)


def job_store(database: str | os.PathLike[str]) -> SQLJobStore:
    """A JobStore on a database: documents in ``jobs``, additional ``data`` in ``job_data``.

    Args:
        database: a file's path, or ``postgresql://user@host/name``; made where there is none.
    """
    place = os.fspath(database)
    return SQLJobStore(SQLStore(place, "jobs"), {"data": SQLStore(place, "job_data")})


class _Pool:
    """Connections to one database, shared by the stores on it, and each thread's transaction."""

    def __init__(self, engine: sa.Engine, name: str) -> None:
        self.engine, self.name = engine, name
        self._writing = engine.execution_options(**{WRITE: True})
        self._local = threading.local()

    @property
    def dialect(self) -> str:
        return self.engine.dialect.name

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection that sees what this thread's open transaction wrote."""
        if (open_one := self._open) is not None:
            yield open_one
            return
        with database_errors(self.name), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """This thread's transaction; the outermost use begins and commits it."""
        if (open_one := self._open) is not None:
            yield open_one
            return
        with database_errors(self.name), self._writing.begin() as connection:
            if self.dialect == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_WRITERS_LOCK)))
            self._local.connection = connection
            try:
                yield connection
            finally:
                self._local.connection = None

    @property
    def _open(self) -> sa.Connection | None:
        return getattr(self._local, "connection", None)


_pools: WeakValueDictionary[str, _Pool] = WeakValueDictionary()
_pools_lock = threading.Lock()


def _pool(database: str) -> _Pool:
    place = database if "://" in database else str(Path(database).expanduser().absolute())
    with _pools_lock:
        pool = _pools.get(place)
        if pool is None:
            pool = _pools[place] = _Pool(*connect(place, must_exist=False))
        return pool


def _forget_connections() -> None:
    """In a forked child: its parent's connections are not to be used nor closed."""
    for pool in list(_pools.values()):
        pool.engine.dispose(close=False)


os.register_at_fork(after_in_child=_forget_connections)


def _insert(connection: sa.Connection, table: sa.Table) -> Any:
    """The dialect's INSERT, which knows ON CONFLICT."""
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert
    else:
        from sqlalchemy.dialects.postgresql import insert  # type: ignore[assignment]
    return insert(table)


def _remove_unused(connection: sa.Connection, blobs: set[str]) -> None:
    """Remove those of ``blobs`` that no document points to any more."""
    for chunk in _chunks(sorted(blobs)):
        uses = sa.select(store_blob_uses.c.sha256)
        connection.execute(
            store_blobs.delete().where(
                store_blobs.c.sha256.in_(chunk), store_blobs.c.sha256.not_in(uses)
            )
        )


def _only_includes(projection: Mapping[str, Any]) -> bool:
    """Whether a projection only names fields to read, maybe without ``_id``."""
    kept = {name: value for name, value in projection.items() if name != "_id"}
    return bool(kept) and all(value in (1, True) for value in kept.values())


def _included(value: Any, tree: Document) -> Any:
    """The fields of a nested value that stand in the tree, through lists as MongoDB goes."""
    if isinstance(value, list):
        return [_included(item, tree) for item in value if isinstance(item, dict | list)]
    return {
        name: _included(item, tree[name]) if tree[name] else item
        for name, item in value.items()
        if name in tree and (not tree[name] or isinstance(item, dict | list))
    }


def _projected(document: Document, projection: Mapping[str, Any]) -> Document:
    """A document as MongoDB projects it."""
    return cast(Document, _in_memory([document]).find_one({}, dict(projection)))


def _in_memory(documents: list[Document]) -> Any:
    collection: Any = mongomock.MongoClient().db.documents
    if documents:
        collection.insert_many(documents)
    return collection


def _put(content: Document, path: list[str], value: Any) -> None:
    """Set a nested value, as MongoDB gives back a dotted field."""
    for part in path[:-1]:
        inner = content.setdefault(part, {})
        if not isinstance(inner, dict):
            return
        content = inner
    content[path[-1]] = value


def _chunks(values: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
