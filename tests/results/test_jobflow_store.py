import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from bson import ObjectId
from jobflow import Flow, JobStore, job, run_locally
from jobflow.settings import JobflowSettings
from maggma.core import Sort, StoreError
from maggma.stores import MemoryStore
from monty.json import MontyDecoder
from pymatgen.core import Lattice

from results.database import open_database
from results.errors import ResultsError
from results.jobflow_store import SQLJobStore, SQLStore, job_store
from results.store_documents import BLOB_SIZE

NOON = datetime(2026, 1, 31, 12)
DOCUMENTS = [
    {"k": "a", "n": 1, "x": {"y": 0.5, "z": [1, 2, 3]}, "tags": ["red", "blue"], "when": NOON},
    {"k": "b", "n": 2, "x": {"y": -1.5, "z": []}, "tags": [], "when": NOON + timedelta(hours=1)},
    {"k": "c", "n": 2, "x": {"y": 4}, "tags": ["red"], "when": NOON + timedelta(days=1), "f": None},
    {"k": "d", "n": 10, "x": [{"y": 0.5}, {"y": 7, "w": "deep"}], "tags": "red", "b": True},
    {"k": "e", "n": "2", "x": {"y": None}, "b": False, "o": {"p": "q", "r": 1}},
    {"k": "f", "n": 2.5, "long": "l" * 3 * BLOB_SIZE, "many": list(range(BLOB_SIZE)), "b": 1},
]


@pytest.fixture(scope="module", params=["memory", "sqlite", "postgresql"])
def make_store(request, tmp_path_factory):
    """Makes empty stores of one kind, those with a name on the same collection."""
    kind = request.param
    if kind == "memory":
        return lambda name="documents", **kwargs: MemoryStore(name, **kwargs)
    if kind == "sqlite":
        place = str(tmp_path_factory.mktemp("store") / "jobs.db")
    else:
        place = request.getfixturevalue("new_postgresql")()
    return lambda name="documents", **kwargs: SQLStore(place, name, **kwargs)


@pytest.fixture
def store(make_store):
    with make_store(key="k") as opened:
        opened.remove_docs({})
        yield opened
        opened.remove_docs({})


@pytest.fixture
def filled(store):
    store.update(DOCUMENTS)
    return store


@pytest.fixture(scope="module")
def asked(make_store):
    """The documents, for tests that only read."""
    with make_store("asked", key="k") as opened:
        opened.update(DOCUMENTS)
        yield opened


def keys(documents):
    return "".join(document["k"] for document in documents)


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        (None, "abcdef"),
        ({}, "abcdef"),
        ({"k": "b"}, "b"),
        ({"k": {"$eq": "b"}}, "b"),
        ({"k": {"$ne": "b"}}, "acdef"),
        ({"k": {"$in": ["a", "f", "nothing"]}}, "af"),
        ({"k": {"$nin": ["a", "f"]}}, "bcde"),
        ({"n": 2}, "bc"),
        ({"n": "2"}, "e"),
        ({"n": {"$gt": 2}}, "df"),
        ({"n": {"$gte": 2, "$lt": 10}}, "bcf"),
        ({"n": {"$lte": 2}}, "abc"),
        ({"n": {"$in": [1, 10]}}, "ad"),
        ({"n": {"$in": [1, "2"]}}, "ae"),
        ({"n": {"$type": "string"}}, "e"),
        ({"x.y": 0.5}, "ad"),
        ({"x.y": {"$lt": 1}}, "abd"),
        ({"x.y": {"$gt": 5}}, "d"),
        ({"x.w": "deep"}, "d"),
        ({"x.1.w": "deep"}, "d"),
        ({"x.y": None}, "ef"),
        ({"x.y": {"$exists": True}}, "abcde"),
        ({"x.z": 2}, "a"),
        ({"x.z": [1, 2, 3]}, "a"),
        ({"x.z": {"$size": 0}}, "b"),
        ({"x.z.0": 1}, "a"),
        ({"x.z": {"$gt": 2}}, "a"),
        ({"x.z": {"$elemMatch": {"$gt": 1, "$lt": 3}}}, "a"),
        ({"x": {"$elemMatch": {"y": 7, "w": "deep"}}}, "d"),
        ({"tags": "red"}, "acd"),
        ({"tags": ["red"]}, "c"),
        ({"tags": {"$all": ["red", "blue"]}}, "a"),
        ({"tags": {"$in": ["blue", "green"]}}, "a"),
        ({"tags": {"$exists": False}}, "ef"),
        ({"k": {"$regex": "^[ab]"}}, "ab"),
        ({"f": None}, "abcdef"),
        ({"f": {"$exists": True}}, "c"),
        ({"b": False}, "e"),
        ({"o": {"p": "q", "r": 1}}, "e"),
        ({"o": {"p": "q"}}, ""),
        ({"when": NOON}, "a"),
        ({"when": {"$gt": NOON}}, "bc"),
        ({"when": {"$gte": NOON, "$lt": NOON + timedelta(hours=2)}}, "ab"),
        ({"when": {"$in": [NOON]}}, "a"),
        ({"long": "l" * 3 * BLOB_SIZE}, "f"),
        ({"long": "l" * (3 * BLOB_SIZE - 1)}, ""),
        ({"long": {"$regex": "^l+$"}}, "f"),
        ({"many": BLOB_SIZE - 1}, "f"),
        ({"many": {"$gt": BLOB_SIZE}}, ""),
        ({"$and": [{"n": 2}, {"x.y": {"$gt": 0}}]}, "c"),
        ({"$or": [{"k": "a"}, {"n": 10}]}, "ad"),
        ({"$or": [{"k": "a"}, {"n": {"$exists": False}}]}, "a"),
        ({"$nor": [{"k": "a"}, {"n": 2}]}, "def"),
        ({"n": {"$not": {"$gt": 1}}}, "ae"),
        ({"n": 2, "k": "c"}, "c"),
        ({"$expr": {"$gt": ["$n", 2]}}, None),
        ({"k'; DROP TABLE store_documents; --": 1}, ""),
        ({"k": "'; DROP TABLE store_documents; --"}, ""),
        ({'k"."n': 2}, ""),
        ({"k') OR ('1'='1": "x"}, ""),
        ({"a%b:c": "x%y:z"}, ""),
    ],
)
def test_criteria(asked, criteria, expected):
    found = list(asked.query(criteria))
    if expected is not None:
        assert keys(found) == expected
    assert asked.count(criteria) == len(found)
    by_key = {one["k"]: one for one in DOCUMENTS}
    for one in found:
        assert isinstance(one.pop("_id"), ObjectId)
        assert one == by_key[one["k"]]
    assert asked.count() == 6


def test_the_same_criteria_in_memory(asked):
    """Where this test has no expectation of its own, maggma's MemoryStore is right."""
    with MemoryStore(key="k") as reference:
        reference.update(DOCUMENTS)
        for criteria in (
            {"$expr": {"$gt": ["$n", 2]}},
            {"x.y": {"$ne": 0.5}},
            {"x.z": {"$ne": 2}},
            {"b": 1},
            {"b": True},
            {"b": {"$in": [1, False]}},
            {"n": {"$gt": "1"}},
            {"n": {"$lt": 3.5}},
            {"x": {"$gt": 0}},
            {"when": {"$lt": 5}},
            {"x.y": {"$in": [None, 7]}},
            {"tags": {"$elemMatch": {"$eq": "blue"}}},
        ):
            assert keys(asked.query(criteria)) == keys(reference.query(criteria)), criteria


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ({"k": -1}, "fedcba"),
        ({"k": Sort.Descending}, "fedcba"),
        ({"k": Sort.Ascending}, "abcdef"),
        ({"n": -1, "k": 1}, "edfbca"),
        ({"n": 1, "k": -1}, "acbfde"),
        ({"when": -1, "k": 1}, "cbadef"),
        ({"missing": 1}, "abcdef"),
    ],
)
def test_sorting(asked, sort, expected):
    assert keys(asked.query(sort=sort)) == expected
    assert keys(asked.query(sort=sort, skip=1, limit=2)) == expected[1:3]
    assert keys(asked.query(sort=sort, skip=4)) == expected[4:]
    assert asked.query_one(sort=sort)["k"] == expected[0]


def test_limits(asked):
    assert keys(asked.query(limit=2)) == "ab"
    assert keys(asked.query({"n": 2}, limit=1)) == "b"
    assert keys(asked.query({"n": 2}, skip=1)) == "c"
    assert keys(asked.query(skip=10)) == ""
    assert asked.query_one({"k": "nothing"}) is None


@pytest.mark.parametrize(
    ("criteria", "properties", "expected"),
    [
        ({"k": "a"}, ["n"], {"n": 1}),
        ({"k": "a"}, ["x.y"], {"x": {"y": 0.5}}),
        ({"k": "a"}, ["x.y", "x.z", "k"], {"x": {"y": 0.5, "z": [1, 2, 3]}, "k": "a"}),
        ({"k": "d"}, ["x.y"], {"x": [{"y": 0.5}, {"y": 7}]}),
        ({"k": "a"}, ["missing", "x.missing"], {"x": {}}),
        ({"k": "a"}, {"n": 1, "when": True}, {"n": 1, "when": NOON}),
        ({"k": "b"}, {"x": 0, "when": 0, "tags": 0}, {"k": "b", "n": 2}),
        ({"k": "b"}, {"x.y": 0, "when": 0, "tags": 0}, {"k": "b", "n": 2, "x": {"z": []}}),
        ({"k": "f"}, {"long": 0, "many": 0}, {"k": "f", "n": 2.5, "b": 1}),
        ({"k": "f"}, ["many"], {"many": list(range(BLOB_SIZE))}),
        ({"k": "f"}, {"many": {"$slice": 2}, "long": 0}, None),
    ],
)
def test_projections(asked, criteria, properties, expected):
    (found,) = asked.query(criteria, properties)
    if expected is None:
        assert found["many"] == [0, 1]
        return
    assert isinstance(found.pop("_id"), ObjectId)
    if "missing" in properties:  # MongoDB gives the empty object, maggma's MemoryStore nothing
        assert found in (expected, {})
    else:
        assert found == expected


def test_the_id_is_left_out_on_request(asked):
    assert list(asked.query({"k": "a"}, {"n": 1, "_id": 0})) == [{"n": 1}]
    assert "_id" not in asked.query_one({"k": "a"}, {"_id": 0})


@pytest.mark.parametrize(
    ("field", "criteria", "expected"),
    [
        ("k", None, list("abcdef")),
        ("n", {"k": {"$in": ["a", "b", "c"]}}, [1, 2]),
        ("tags", None, ["red", "blue"]),
        ("x.y", {"n": {"$lt": 20}}, [0.5, -1.5, 4, 7]),
        ("x.z", None, [1, 2, 3]),
        ("when", {"k": "a"}, [NOON]),
        ("missing", None, []),
    ],
)
def test_distinct(asked, field, criteria, expected):
    found = asked.distinct(field, criteria)
    assert sorted(found, key=str) == sorted(expected, key=str)


def test_groups(asked):
    groups = {
        head["n"]: keys(members) for head, members in asked.groupby("n", {"k": {"$ne": "e"}}, ["k"])
    }
    assert groups == {1: "a", 2: "bc", 10: "d", 2.5: "f"}
    groups = list(asked.groupby(["n", "x.y"], {"k": {"$in": ["b", "c"]}}, properties=["k"]))
    assert [(head, keys(members)) for head, members in groups] == [
        ({"n": 2, "x": {"y": -1.5}}, "b"),
        ({"n": 2, "x": {"y": 4}}, "c"),
    ]


def test_update_replaces_by_key(filled):
    before = filled.query_one({"k": "b"})["_id"]
    filled.update({"k": "b", "n": 99})
    filled.update([{"k": "g", "n": 2}])
    assert keys(filled.query()) == "abcdefg"
    replaced = filled.query_one({"k": "b"})
    assert replaced == {"k": "b", "n": 99, "_id": before}


def test_update_replaces_by_several_keys(filled):
    filled.update([{"k": "new", "n": 2.5, "b": 1}, {"k": "x", "n": 2.5, "b": 2}], key=["n", "b"])
    assert [one["k"] for one in filled.query({"n": 2.5})] == ["new", "x"]
    filled.update({"k": "new", "only": 1}, key="k")
    assert filled.query_one({"k": "new"}, {"_id": 0}) == {"k": "new", "only": 1}


def test_update_needs_its_keys(store):
    with pytest.raises(KeyError):
        store.update({"n": 1})


def test_removing(filled):
    filled.remove_docs({"n": 2})
    assert keys(filled.query()) == "adef"
    filled.remove_docs({"x.y": 0.5})
    assert keys(filled.query()) == "ef"
    filled.remove_docs({})
    assert filled.count() == 0


def test_newer_documents(make_store):
    with make_store("old", key="k") as old, make_store("new", key="k") as new:
        old.update([{"k": "a", "last_updated": NOON}, {"k": "b", "last_updated": NOON}])
        new.update(
            [
                {"k": "a", "last_updated": NOON},
                {"k": "b", "last_updated": NOON + timedelta(seconds=1)},
                {"k": "c", "last_updated": NOON + timedelta(days=1)},
            ]
        )
        assert new.last_updated == NOON + timedelta(days=1)
        assert sorted(old.newer_in(new)) == ["b", "c"]
        assert sorted(old.newer_in(new, exhaustive=True)) == ["b", "c"]
        assert new.newer_in(old) == []


def test_an_empty_store(store):
    assert store.count() == 0
    assert list(store.query({"k": "a"})) == []
    assert store.distinct("k") == []
    assert store.last_updated == datetime.min


def test_indexes(filled):
    assert filled.ensure_index("k")
    assert filled.ensure_index("x.y")
    assert filled.ensure_index("k")
    assert not filled.ensure_index("n", unique=True)
    assert keys(filled.query({"x.y": 0.5})) == "ad"
    filled.update({"k": "t" * 3000, "n": 1})
    assert filled.count({"k": "t" * 3000}) == 1
    assert filled.count({"k": "t" * 2999}) == 0


class Strict:
    strict = True

    def is_valid(self, document):
        return "n" in document

    def validation_errors(self, document):
        return [f"{document['k']}: no n"]


def test_validators(make_store):
    with make_store("validated", key="k", validator=Strict()) as store:
        with pytest.raises(ValueError, match="no n"):
            store.update({"k": "a"})
        assert store.count() == 0
        store.update({"k": "a", "n": 1})
        assert store.count() == 1


def test_arrays_dates_and_objects_come_back(store):
    lattice = Lattice.cubic(3.0)
    store.update(
        {
            "k": "a",
            "array": np.arange(6).reshape(2, 3),
            "number": np.float64(0.1) + 0.2,
            "lattice": lattice,
            "tuple": (1, (2, 3)),
            "id": ObjectId("0123456789abcdef01234567"),
            "aware": datetime(2026, 1, 31, 13, 0, 0, 123456, tzinfo=UTC),
        }
    )
    found = store.query_one({"k": "a"})
    assert found["array"] == [[0, 1, 2], [3, 4, 5]]
    assert found["number"] == 0.1 + 0.2
    assert MontyDecoder().process_decoded(found["lattice"]) == lattice
    assert found["tuple"] == [1, [2, 3]]
    assert found["id"] == ObjectId("0123456789abcdef01234567")
    assert found["aware"].replace(tzinfo=None) == datetime(2026, 1, 31, 13, 0, 0, 123000)
    assert store.count({"lattice.matrix": {"$exists": True}}) == 1
    assert store.count({"id": ObjectId("0123456789abcdef01234567")}) == 1


@pytest.mark.parametrize(
    "value",
    [
        float("inf"),
        float("-inf"),
        "half a pair: \ud800",
        "NUL: \0",
        {"$": "blob", "value": "x"},
        {"$set": {"a.b": 1}},
        {"\0": 1, "b": [{"$": 2}]},
        ["\0" * BLOB_SIZE, {"$": 1}] * 3,
        b"\x00\xff",
        2**62,
        -0.0,
        1e300,
        {"": {"é ' \" \\ % : {": 1}},
        [[[]], {}, None, [None, True]],
    ],
)
def test_values_that_json_or_a_database_does_not_hold(make_store, value):
    if make_store("values").__class__ is MemoryStore:
        pytest.skip("what MongoDB refuses")
    with make_store("values", key="k") as store:
        store.update({"k": "a", "v": value, "n": 1})
        (found,) = store.query({"n": 1}, {"v": 1, "_id": 0})
        assert found == {"v": value}
        assert json.dumps(found, default=str) == json.dumps({"v": value}, default=str)
        assert store.count({"v.w": 1}) == 0
        assert store.count({"v": {"$exists": True}}) == 1
        assert store.query_one({"v": {"$ne": 5}})["v"] == value


def test_not_a_number(make_store):
    with make_store("values", key="k") as store:
        store.update({"k": "nan", "v": float("nan")})
        found = store.query_one({"k": "nan"})["v"]
        assert found != found


class TestOnADatabase:
    """What a store in memory has no part in."""

    @pytest.fixture
    def place(self, tmp_path):
        return str(tmp_path / "jobs.db")

    def test_it_must_be_connected(self, place):
        with pytest.raises(StoreError, match="connect"):
            SQLStore(place).count()

    def test_what_cannot_be_stored_is_refused_on_one_line(self, place):
        with SQLStore(place, key="k") as store:
            for document in ({"k": "a", "$": 1}, {"k": "a", "\0": 1}):
                with pytest.raises(ResultsError, match="keys may not be") as refusal:
                    store.update([{"k": "b"}, document])
                assert "\n" not in str(refusal.value)
            assert store.count() == 0  # of a batch nothing, where one is refused

    def test_it_travels_as_json(self, place):
        store = SQLStore(place, "jobs", key="uuid")
        with store:
            store.update({"uuid": "a"})
        same = MontyDecoder().process_decoded(json.loads(store.to_json()))
        assert same == store
        assert hash(same) == hash(store)
        assert same != SQLStore(place, "others")
        with same:
            assert same.count({"uuid": "a"}) == 1

    def test_a_password_is_not_shown(self):
        name = SQLStore("postgresql://user:secret@host/jobs", "jobs").name
        assert name == "sql://postgresql://user:***@host/jobs/jobs"

    def test_collections_do_not_mix(self, place):
        with SQLStore(place, "one", key="k") as one, SQLStore(place, "two", key="k") as two:
            one.update({"k": "a", "n": 1})
            two.update({"k": "a", "n": 2})
            one.remove_docs({})
            assert [two.count(), one.count()] == [1, 0]
            assert two.query_one({"k": "a"})["n"] == 2

    def test_a_query_outlives_changes_meanwhile(self, place, monkeypatch):
        monkeypatch.setattr("results.jobflow_store._CHUNK", 2)
        with SQLStore(place, key="k") as store:
            store.update([{"k": name, "n": 1} for name in "abcdef"])
            seen = ""
            for document in store.query({"n": 1}):
                seen += document["k"]
                store.remove_docs({"k": "e"})
                store.update({"k": document["k"], "n": 2})
            assert seen == "abcdf"

    def test_a_small_field_is_read_without_the_large_ones(self, place):
        with SQLStore(place, key="k") as store:
            big = [[float(i), -float(i)] for i in range(50_000)]
            store.update({"k": "a", "output": {"energy": -1.5, "trajectory": big}})
            read = []
            engine = store._opened.engine

            @sa.event.listens_for(engine, "before_cursor_execute")
            def listen(*arguments):
                read.append(arguments[2])

            assert store.query_one({"k": "a"}, ["output.energy"])["output"] == {"energy": -1.5}
            assert all("store_blobs" not in statement for statement in read)
            assert any('"energy"' in statement for statement in read)
            assert store.query_one({"k": "a"})["output"]["trajectory"] == big
        assert Path(place).stat().st_size < 800_000  # 1.3 MB as JSON

    def test_an_index_is_used(self, place):
        with SQLStore(place, key="k") as store, open_database(place) as database:
            store.update([{"k": str(i)} for i in range(300)])
            asked_for = []

            @sa.event.listens_for(store._opened.engine, "before_cursor_execute")
            def listen(*arguments):
                asked_for.append(arguments[2:4])

            assert store.count({"k": "7"}) == 1
            statement, parameters = asked_for[1]  # after BEGIN
            with store._opened.engine.connect() as connection:
                plan = connection.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, parameters)
                assert "INDEX store_documents_" in str(plan.all())
            assert database.sql("SELECT count(*) AS n FROM store_documents").rows == [{"n": 300}]

    def test_blobs_are_shared_and_removed_with_their_last_document(self, place):
        big = list(range(BLOB_SIZE))
        with SQLStore(place, "one", key="k") as one, SQLStore(place, "two", key="k") as two:

            def n_blobs():
                with open_database(place) as database:
                    return database.sql("SELECT count(*) AS n FROM store_blobs").rows[0]["n"]

            one.update([{"k": "a", "big": big}, {"k": "b", "big": big}])
            two.update({"k": "a", "big": big})
            assert n_blobs() == 1
            one.remove_docs({})
            assert two.query_one()["big"] == big
            two.update({"k": "a", "big": big[:-1]})
            assert n_blobs() == 1
            assert two.query_one()["big"] == big[:-1]
            two.remove_docs({})
            assert n_blobs() == 0

    def test_a_damaged_blob_says_so(self, place):
        with SQLStore(place, key="k") as store:
            store.update({"k": "a", "big": list(range(BLOB_SIZE))})
            with store._pool.writing() as connection:
                connection.exec_driver_sql("UPDATE store_blobs SET data = substr(data, 1, 99)")
            with pytest.raises(ResultsError, match=r"damaged .*restore a backup"):
                store.query_one({"k": "a"})


@job(data="trajectory")
def relax(n):
    return {"energy": -float(n), "trajectory": list(range(n)), "array": np.arange(3)}


@job
def total(*energies):
    return sum(energies)


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_a_flow_runs_on_it(new_place, backend):
    store = job_store(new_place(backend))
    jobs = [relax(n) for n in (3, 5)]
    flow = Flow([*jobs, total(*(one.output["energy"] for one in jobs))])
    run_locally(flow, store=store, log=False, ensure_success=True)
    assert store.get_output(flow.jobs[-1].uuid) == -8.0
    assert store.get_output(jobs[1].uuid, load=True)["trajectory"] == [0, 1, 2, 3, 4]
    pointer = store.get_output(jobs[1].uuid)["trajectory"]
    assert pointer["store"] == "data"
    assert store.count({"output.energy": {"$lt": -4}}) == 1
    found = store.query_one({"uuid": jobs[0].uuid}, ["output.energy"])
    assert found["output"] == {"energy": -3.0}
    store.remove_docs({"uuid": jobs[0].uuid})
    assert [store.count(), store.additional_stores["data"].count()] == [2, 1]
    store.close()


def test_a_jobflow_yaml_names_it(tmp_path, monkeypatch):
    config = tmp_path / "jobflow.yaml"
    store = {"@module": "results.jobflow_store", "@class": "SQLStore"}
    place = {"database": str(tmp_path / "jobs.db")}
    content = {
        "JOB_STORE": {
            "@module": "jobflow.core.store",
            "@class": "JobStore",
            "docs_store": {**store, **place, "collection_name": "jobs"},
            "additional_stores": {"data": {**store, **place, "collection_name": "job_data"}},
        }
    }
    config.write_text(json.dumps(content))  # JSON is YAML
    monkeypatch.setenv("JOBFLOW_CONFIG_FILE", str(config))
    chosen = JobflowSettings().JOB_STORE
    assert isinstance(chosen, JobStore)
    one = relax(4)
    run_locally(one, store=chosen, log=False, ensure_success=True)
    chosen.close()
    with job_store(tmp_path / "jobs.db") as same:
        assert same.get_output(one.uuid, load=True)["trajectory"] == [0, 1, 2, 3]


def test_the_whole_job_store_is_read_from_a_file(tmp_path, monkeypatch):
    file = tmp_path / "store.json"
    file.write_text(job_store(tmp_path / "jobs.db").to_json())
    monkeypatch.setenv("JOBFLOW_JOB_STORE", "")
    monkeypatch.delenv("JOBFLOW_JOB_STORE")
    config = tmp_path / "jobflow.yaml"
    config.write_text(f"JOB_STORE: {file}\n")
    monkeypatch.setenv("JOBFLOW_CONFIG_FILE", str(config))
    assert isinstance(JobflowSettings().JOB_STORE, SQLJobStore)


class Failing(MemoryStore):
    def update(self, *_, **__):
        raise OSError("no space left")


def test_no_document_without_its_data(tmp_path):
    place = str(tmp_path / "jobs.db")
    store = SQLJobStore(SQLStore(place, "jobs"), {"data": Failing()}, save={"data": "big"})
    with store:
        with pytest.raises(OSError, match="no space"):
            store.update({"uuid": "a", "index": 1, "output": {"big": [1, 2]}})
        assert store.count() == 0


WRITER = """
import sys, time
from results.jobflow_store import job_store
store = job_store(sys.argv[1])
store.connect()
store.save = {"data": "big"}
for n in range(100000):
    big = [n] * 3000
    store.update({"uuid": f"{sys.argv[2]} {n}", "index": 1, "output": {"big": big, "list": big}})
    print(n, flush=True)
    time.sleep(0.01)
"""


def start_writer(place, name):
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(place), name],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_two_writers_that_are_killed_lose_no_acknowledged_job(new_place, backend):
    place = new_place(backend)
    job_store(place).connect()
    writers = {name: start_writer(place, name) for name in "ab"}
    acknowledged = {
        name: [int(writer.stdout.readline()) for _ in range(4)] for name, writer in writers.items()
    }
    time.sleep(0.013)
    for name, writer in writers.items():
        os.kill(writer.pid, signal.SIGKILL)
        acknowledged[name] += [int(line) for line in writer.communicate()[0].split()]
    with job_store(place) as store:
        for name, numbers in acknowledged.items():
            of_one = {"uuid": {"$regex": f"^{name} "}}
            found = {one["uuid"]: one["output"] for one in store.query(of_one, load=True)}
            assert len(found) - len(numbers) in (0, 1)  # at most the one that was under way
            for n in numbers:
                assert found[f"{name} {n}"] == {"big": [n] * 3000, "list": [n] * 3000}
        # What was under way is whole too: every document has its data, and the other way round.
        documents = list(store.query({}, load=True))
        assert all(one["output"]["big"] == one["output"]["list"] for one in documents)
        assert store.additional_stores["data"].count() == len(documents)
        store.update({"uuid": "after", "index": 1})
