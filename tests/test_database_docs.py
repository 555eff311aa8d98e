"""What docs/database.md shows works as it stands there."""

import re
from pathlib import Path

import pytest
from jobflow import JobStore
from maggma.stores import Store

from results.database import open_database
from results.query import parse
from tests.screen.conftest import fill

TEXT = (Path(__file__).parents[1] / "docs" / "database.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    with open_database(fill(tmp_path_factory.mktemp("docs") / "lithiophile.db")) as opened:
        yield opened


@pytest.mark.parametrize("statement", blocks("sql"))
def test_its_sql_runs(database, statement):
    assert database.sql(re.sub("^--.*\n", "", statement)).columns


def test_its_best_adhesion_is_the_best(database):
    rows = database.sql(re.sub("^--.*\n", "", blocks("sql")[0])).rows
    best = max(d.work_of_adhesion_j_m2 or 0 for d in database.candidates("host=Au"))
    assert next(row["best"] for row in rows if row["host"] == "Au") == best


@pytest.mark.parametrize("text", re.findall(r'lithiophile (?:query|export \S+) "([^"]+)"', TEXT))
def test_its_queries_are_read(database, text):
    assert len(parse(text)) == len(text.split())
    database.query(text)


def test_its_conditions_are_read(database):
    cells = re.findall(r"^\| (`.*?`) \|", TEXT, re.MULTILINE)
    conditions = [one for cell in cells for one in re.findall("`([^`]+)`", cell)]
    known = [one.replace("\\|", "|") for one in conditions if re.search("[=<>]", one)]
    assert len(known) >= 10
    for condition in known:
        database.query(condition)


def test_its_tables_exist(database):
    section = TEXT[TEXT.index("| table |") : TEXT.index("## PostgreSQL")]
    names = re.findall("`([a-z_]+)`", "".join(re.findall(r"^\| (.*?) \|", section, re.MULTILINE)))
    assert len(names) >= 10
    for name in names:
        database.sql(f"SELECT * FROM {name} LIMIT 1")


def test_its_python_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "lithiophile.db")
    names = {}
    exec(blocks("python")[0], names)
    assert len(names["frame"]) == 2
    assert names["documents"][0].host == "Cu"


def test_its_jobflow_yaml_is_a_job_store(tmp_path):
    from ruamel.yaml import YAML

    content = YAML(typ="safe").load(blocks("yaml")[0].replace("/data", str(tmp_path)))
    with JobStore.from_dict(content["JOB_STORE"]) as store:
        assert isinstance(store.additional_stores["data"], Store)
        assert store.count() == 0
