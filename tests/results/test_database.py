import json
import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
import sqlalchemy as sa

from results import database as database_module
from results import documents as documents_module
from results import schema
from results.candidates import CANDIDATES
from results.database import open_database
from results.documents import (
    CandidateDocument,
    Evidence,
    SiteBinding,
    label_field,
    quantity_field,
)
from results.errors import ResultsError
from tests.results.samples import POTENTIAL, collector, fingerprint, path, relaxed, sound_evidence
from tests.services.read_only import read_only

BACKENDS = ["sqlite", "postgresql"]


@pytest.fixture(scope="module")
def postgresql(new_postgresql):
    """One PostgreSQL database, emptied for each test that asks for `database`."""
    with open_database(new_postgresql()) as opened:
        yield opened


@pytest.fixture(params=BACKENDS)
def database(request, tmp_path):
    """An empty database."""
    if request.param == "sqlite":
        with open_database(tmp_path / "results.db") as opened:
            yield opened
    else:
        opened = request.getfixturevalue("postgresql")
        names = ", ".join(
            schema.metadata.tables.keys() - {"lithiophile_schema", "lithiophile_revision"}
        )
        with opened._engine.begin() as connection:
            connection.exec_driver_sql(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
        yield opened


@pytest.fixture
def filled(database):
    """Four candidates of two campaigns, for one test to change."""
    return fill(database)


@pytest.fixture(scope="module", params=BACKENDS)
def asked(request, new_place):
    """The same candidates, for tests that only read or are refused."""
    with open_database(new_place(request.param)) as opened:
        yield fill(opened)


def fill(database):
    database.add_campaign("test", {"name": "test"})
    database.add_campaign("other one", {"name": "other one"})
    database.add_candidates(
        "test",
        [
            collector("Cu"),
            collector("Au", **sound_evidence(li_binding_ev=-0.6, work_of_adhesion_j_m2=1.5)),
            collector(
                "Al2O3",
                elements=("Al", "O"),
                miller_index=(1, 0, -1),
                **sound_evidence(li_binding_ev=0.3, work_of_adhesion_j_m2=0.2),
            ),
        ],
    )
    database.add_candidates(
        "other one",
        [
            collector(
                "Ni",
                campaign="other one",
                created_at=datetime(2025, 3, 1, 23, 59, tzinfo=UTC),
                **sound_evidence(li_binding_ev=-0.1, work_of_adhesion_j_m2=0.8),
            )
        ],
    )
    return database


def hosts(result):
    return [row["host"] for row in result.rows]


def test_calculations_come_back_whole(database):
    documents = [relaxed(1), relaxed(2, converged=False, failure="out of steps"), path(3)]
    database.add_calculations(documents)
    wanted = [document.fingerprint for document in documents]
    assert database.find([*wanted, fingerprint("unknown")]) == {
        document.fingerprint: document for document in documents
    }


def test_more_calculations_than_one_statement_binds_are_found(database, monkeypatch):
    monkeypatch.setattr("results.database._CHUNK", 7)
    one = relaxed(0)
    documents = [one.model_copy(update={"fingerprint": fingerprint(seed)}) for seed in range(20)]
    database.add_calculations(documents)
    assert len(database.find(document.fingerprint for document in documents)) == 20


def test_a_diverged_calculation_is_kept(database):
    nan = float("nan")
    document = relaxed(
        1, energy_ev=nan, forces=None, final_structure=None, converged=False, failure="diverged"
    )
    database.add_calculations([document])
    assert database.find([document.fingerprint]) == {document.fingerprint: document}


def test_storing_again_changes_nothing_but_a_failure_can_be_mended(database):
    failed = relaxed(1, converged=False, failure="out of memory")
    sound, later = relaxed(1), relaxed(1, energy_ev=5.0)
    for document, kept in [(failed, failed), (sound, sound), (failed, sound), (later, sound)]:
        database.add_calculations([document])
        assert database.find([failed.fingerprint])[failed.fingerprint] == kept


def test_a_batch_is_stored_whole_or_not_at_all(database):
    def batch():
        yield relaxed(1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        database.add_calculations(batch())
    assert database.find([fingerprint(1)]) == {}


def test_the_same_structure_is_stored_once(database):
    database.add_calculations([relaxed(1), relaxed(2), relaxed(3)])
    rows = database.sql("SELECT formula, n_atoms, count(*) AS n FROM structures GROUP BY 1, 2").rows
    assert rows == [{"formula": "Cu2 Li1", "n_atoms": 3, "n": 4}]  # one initial, three final


def test_candidates_come_back_whole(asked):
    documents = asked.candidates("host=Cu")
    assert len(documents) == 1
    assert documents[0] == collector("Cu", created_at=documents[0].created_at)
    assert asked.candidate(1) == documents[0]


def test_a_candidate_added_again_replaces_itself(filled):
    filled.add_candidates("test", [collector("Cu", **sound_evidence(li_binding_ev=-0.3))])
    result = filled.query("host=Cu")
    assert [row["li_binding"] for row in result.rows] == [-0.3]
    assert result.rows[0]["id"] == 1
    assert "work_of_adhesion" not in result.columns


def test_the_calculations_behind_candidates_are_found(filled):
    mine = [relaxed("Cu"), relaxed("site")]
    filled.add_calculations([*mine, relaxed("of another")])
    site = SiteBinding(
        label="hollow",
        coverage=0.25,
        multiplicity=1,
        li_binding_ev=-0.2,
        converged=True,
        fingerprints=(fingerprint("site"), fingerprint("Cu")),
    )
    filled.add_candidates("test", [collector("Cu", li_binding_sites=(site,))])
    found = filled.calculations("host=Cu")
    assert {document.fingerprint for document in found} == {one.fingerprint for one in mine}
    assert filled.calculations("host=Au") == []


def test_another_potential_or_facet_is_another_candidate(filled):
    potential = collector().potential
    filled.add_candidates(
        "test",
        [
            collector("Cu", potential=potential.model_copy(update={"sha256": "b" * 64})),
            collector("Cu", miller_index=(1, 0, 0)),
            collector("Cu", termination="1"),
        ],
    )
    assert len(filled.query("host=Cu")) == 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["Cu", "Au", "Al2O3", "Ni"]),
        ("host=Cu", ["Cu"]),
        ("host=cu", []),
        ("host=Cu|Ni", ["Cu", "Ni"]),
        ("host!=Cu|Ni", ["Au", "Al2O3"]),
        ("screen=collectors work_of_adhesion>0.5", ["Cu", "Au", "Ni"]),
        ("work_of_adhesion_j_m2>=1.5", ["Au"]),
        ("work_of_adhesion>0.5 li_binding<-0.15", ["Cu", "Au"]),
        ("li_binding=-0.6", ["Au"]),
        ("li_binding!=-6e-1", ["Cu", "Al2O3", "Ni"]),
        ("adatom_barrier", []),
        ("work_of_adhesion", ["Cu", "Au", "Al2O3", "Ni"]),
        ("converged", ["Au", "Al2O3", "Ni"]),
        ("converged=false", ["Cu"]),
        ("converged!=true", ["Cu"]),
        ("miller_index=111", ["Cu", "Au", "Ni"]),
        ("miller_index=10-1", ["Al2O3"]),
        ("miller_index=10-1-1", ["Al2O3"]),
        ("miller_index!=1,1,1", ["Al2O3"]),
        ("element=O", ["Al2O3"]),
        ("element=A", []),
        ("element=Al|Au", ["Au", "Al2O3"]),
        ('campaign="other one"', ["Ni"]),
        ("potential=aaaaaa", ["Cu", "Au", "Al2O3", "Ni"]),
        ("potential=aaaaab|aaa|maxi", []),
        ("potential!=bbbbbb|mini", []),
        ("campaign=test  potential=mini ", ["Cu", "Au", "Al2O3"]),
        ("created=2025-03-01", ["Ni"]),
        ("created<2025-03-02", ["Ni"]),
        ("created<=2025-03-01", ["Ni"]),
        ("created>2025-03-01", ["Cu", "Au", "Al2O3"]),
        ("created!=2025-03-01", ["Cu", "Au", "Al2O3"]),
        ("id=2|3", ["Au", "Al2O3"]),
    ],
)
def test_queries(asked, text, expected):
    assert hosts(asked.query(text)) == expected
    assert [document.host for document in asked.candidates(text)] == expected


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("work_of_adhesion", ["Al2O3", "Ni", "Cu", "Au"]),
        ("-li_binding_ev", ["Al2O3", "Ni", "Cu", "Au"]),
        ("host", ["Al2O3", "Au", "Cu", "Ni"]),
        ("-campaign", ["Cu", "Au", "Al2O3", "Ni"]),
    ],
)
def test_sorting(asked, sort, expected):
    assert hosts(asked.query(sort=sort)) == expected
    assert hosts(asked.query(sort=sort, limit=2)) == expected[:2]


def test_rows_without_a_value_sort_last(filled):
    filled.add_candidates("test", [collector("Cu", **sound_evidence(li_binding_ev=-0.3))])
    assert hosts(filled.query(sort="work_of_adhesion"))[-1] == "Cu"
    assert hosts(filled.query(sort="-work_of_adhesion"))[-1] == "Cu"
    for limit in (3, 4, 5):
        best = hosts(filled.query(sort="-work_of_adhesion", limit=limit))
        assert best == ["Au", "Ni", "Al2O3", "Cu"][:limit]


def test_a_table_has_units_in_its_headers(asked):
    table = asked.query("host=Cu|Au").to_pandas()
    assert list(table.columns) == [
        *("id", "campaign", "screen", "host", "miller_index", "termination", "potential"),
        *("converged", "created"),
        *("li_binding (eV)", "li_binding_error (eV)", "adatom_barrier (eV)"),
        "work_of_adhesion (J/m²)",
    ]
    assert table["work_of_adhesion (J/m²)"].tolist() == [0.9, 1.5]
    assert table["li_binding_error (eV)"].iloc[0] == 0.01
    assert table["miller_index"].tolist() == ["1,1,1", "1,1,1"]


def test_columns_are_given_in_the_order_asked_for(asked):
    chosen = ["work_of_adhesion_j_m2", "host", "li_binding_error", "surface_energy"]
    table = asked.query("host=Cu|Au", columns=chosen).to_pandas()
    assert list(table.columns) == [
        *("work_of_adhesion (J/m²)", "host", "li_binding_error (eV)", "surface_energy (J/m²)"),
    ]
    assert table.iloc[:, :2].values.tolist() == [[0.9, "Cu"], [1.5, "Au"]]
    assert table.iloc[:, 3].isna().all()


class PairDocument(CandidateDocument):
    """A kind of candidate that a label tells apart from the others of its host."""

    screen: Literal["pairs"] = "pairs"
    electrolyte: str = label_field("electrolyte", "What it is put on.")
    gap_v: float | None = quantity_field("gap", "V", "A number")


@pytest.fixture
def with_pairs(monkeypatch):
    monkeypatch.setitem(CANDIDATES, "pairs", PairDocument)
    for cached in ("_vocabulary", "_units"):
        monkeypatch.setattr(
            f"results.database.{cached}", getattr(database_module, cached).__wrapped__
        )


def pair(electrolyte, gap):
    return PairDocument(
        campaign="test",
        host="LiF",
        elements=("Li", "F"),
        potential=POTENTIAL,
        electrolyte=electrolyte,
        gap_v=gap,
        evidence={"gap_v": Evidence(converged=True)},
    )


def test_another_kind_of_candidate_has_labels(with_pairs, filled):  # noqa: ARG001
    pairs = [pair("Li6PS5Cl", 1.0), pair("Li3PS4", 2.0)]
    filled.add_candidates("test", pairs)
    filled.add_candidates("test", [pair("Li6PS5Cl", 1.5)])  # replaces the first
    found = filled.query("screen=pairs")
    assert [(row["electrolyte"], row["gap"]) for row in found.rows] == [
        *(("Li6PS5Cl", 1.5), ("Li3PS4", 2.0)),
    ]
    assert found.headers[-2:] == ("electrolyte", "gap (V)")
    assert hosts(filled.query("electrolyte=Li3PS4|nothing gap>1")) == ["LiF"]
    assert len(filled.query("electrolyte!=Li3PS4")) == 5
    assert [row["gap"] for row in filled.query("gap", sort="electrolyte").rows] == [2.0, 1.5]
    assert [one.gap_v for one in filled.candidates("electrolyte=Li6PS5Cl")] == [1.5]
    with pytest.raises(ResultsError, match="did you mean 'electrolyte'"):
        filled.query("electrolite=Li3PS4")
    assert "electrolyte" not in filled.query("host=Cu").columns


def test_summaries_answer_as_the_documents_do(with_pairs, filled):  # noqa: ARG001
    filled.add_candidates("test", [pair("Li6PS5Cl", 1.0)])
    for text in ("", "campaign=test", "host=Al2O3|LiF", "electrolyte=Li6PS5Cl"):
        documents, summaries = filled.candidates(text), filled.summaries(text)
        assert len(summaries) == len(documents)
        for summary, document in zip(summaries, documents, strict=True):
            for name in ("screen", "campaign", "host", "miller_index", "termination", "potential"):
                assert getattr(summary, name) == getattr(document, name)
            assert (summary.converged, summary.rejected) == (document.converged, document.rejected)
            kind = CANDIDATES[summary.screen]
            for name in (*documents_module.labels(kind), *documents_module.quantities(kind)):
                assert getattr(summary, name) == getattr(document, name)
            assert summary.evidence.keys() == document.evidence.keys()
            for name, behind in summary.evidence.items():
                evidence = document.evidence[name]
                assert behind == (evidence.converged, evidence.error, evidence.failure)
    with pytest.raises(AttributeError):
        _ = summaries[0].no_such_field


def test_an_empty_table_still_has_columns(database):
    table = database.query("host=Cu").to_pandas()
    assert table.empty
    assert "host" in table.columns


def test_campaigns_and_rankings(filled):
    assert list(filled.campaigns()) == ["test", "other one"]
    assert filled.latest_ranking("test", "collectors") is None
    for rank in (1, 2):
        filled.add_ranking("test", "collectors", {"rank": rank})
    assert filled.latest_ranking("test", "collectors") == {"rank": 2}
    assert filled.latest_ranking("other one", "collectors") is None


def test_a_campaign_can_be_changed(filled):
    filled.add_campaign("test", {"limits": {"max_strain": 0.04}})
    assert filled.campaigns()["test"] == {"limits": {"max_strain": 0.04}}
    assert len(filled.query("campaign=test")) == 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d: d.query("hots=Cu"), "unknown key 'hots'; did you mean 'host'"),
        (lambda d: d.query("work_of_adhesive>1"), "did you mean 'work_of_adhesion'"),
        (lambda d: d.query(sort="hots"), "sort: unknown key 'hots'; did you mean 'host'"),
        (lambda d: d.query("work_of_adhesion>much"), "'much' is no number"),
        (lambda d: d.query("work_of_adhesion>nan"), "'nan' is no number"),
        (lambda d: d.query("work_of_adhesion>1|2"), "one at a time"),
        (lambda d: d.query("host>Cu"), "cannot be ordered"),
        (lambda d: d.query("host"), "cannot be ordered"),
        (lambda d: d.query("host="), "cannot read 'host='"),
        (lambda d: d.query('host="Cu'), "cannot read"),
        (lambda d: d.query("host=|"), "has no value"),
        (lambda d: d.query("; DROP TABLE candidates"), "cannot read ';'"),
        (lambda d: d.query("host=Cu DROP"), "unknown key 'DROP'"),
        (lambda d: d.query("host=C\0u"), "plain text"),
        (lambda d: d.query("miller_index=1"), "'1' is no facet"),
        (lambda d: d.query("miller_index=000"), "is no facet"),
        (lambda d: d.query("miller_index=1011"), "i is"),
        (lambda d: d.query("created>yesterday"), "'yesterday' is no day"),
        (lambda d: d.query("created"), "is no day"),
        (lambda d: d.query("created=9999-12-31"), "is no day"),
        (lambda d: d.query("converged=perhaps"), "write true or false"),
        (lambda d: d.query("element=copper"), "is no symbol"),
        (lambda d: d.query("id=one"), "no candidate's number"),
        (lambda d: d.query("id=99999999999"), "no candidate's number"),
        (lambda d: d.query(limit=0), "give 1 or more"),
        (lambda d: d.query(columns=["hots"]), "columns: no 'hots'; did you mean 'host'"),
        (lambda d: d.query(columns=["host; DROP TABLE labels"]), "columns: no"),
        (lambda d: d.candidate(99), "no candidate 99"),
        (lambda d: d.candidate(-1), "no candidate's number"),
        (lambda d: d.add_campaign(" ", {}), "empty name"),
        (lambda d: d.add_candidates("tset", []), "no 'tset' here; did you mean 'test'"),
        (lambda d: d.add_candidates("test", [collector(campaign="x")]), "belongs to 'x'"),
        (lambda d: d.sql("DELETE FROM candidates"), "only reading"),
        (lambda d: d.sql(""), "only reading"),
        (lambda d: d.sql("SELECT * FROM nowhere"), "no such table|does not exist"),
        (
            lambda d: d.sql("WITH x AS (SELECT 1) DELETE FROM candidates"),
            "not authorized|read-only",
        ),
        (lambda d: d.sql("SELECT load_extension('x')"), "not authorized|does not exist"),
        (lambda d: d.sql("SELECT 1; DELETE FROM candidates"), "one statement|multiple"),
    ],
)
def test_bad_input_is_refused_on_one_line(asked, call, message):
    with pytest.raises(ResultsError, match=message) as refusal:
        call(asked)
    assert "\n" not in str(refusal.value)
    assert len(asked.query()) == 4


@pytest.mark.parametrize("text", ["Cu'; DROP TABLE candidates; --", "' OR 1=1 --", "%", "_u"])
def test_injection_is_inert(filled, text):
    assert hosts(filled.query(f'host="{text}"')) == []
    assert hosts(filled.query(f'campaign="{text}" host!="{text}"')) == []
    filled.add_campaign(text, {})
    filled.add_candidates(text, [collector(text, campaign=text)])
    assert [row["campaign"] for row in filled.query(f'host="{text}"').rows] == [text]
    assert len(filled.query()) == 5


def test_the_same_database_opens_by_path_and_by_url(tmp_path):
    with open_database(tmp_path / "results.db") as one:
        one.add_calculations([relaxed(1)])
    with open_database(f"sqlite:///{tmp_path}/results.db", must_exist=True) as same:
        assert same.find([fingerprint(1)]) == {fingerprint(1): relaxed_as_stored(same)}
    assert {entry.name for entry in tmp_path.iterdir()} == {"results.db"}


def relaxed_as_stored(database):
    return next(iter(database.find([fingerprint(1)]).values()))


def test_a_new_database_keeps_a_write_ahead_log(tmp_path):
    open_database(tmp_path / "results.db").close()
    with sqlite3.connect(tmp_path / "results.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


class TestUnusableServers:
    def test_a_database_without_results_that_must_hold_some(self, new_postgresql):
        with pytest.raises(ResultsError, match="holds no results yet; run a campaign"):
            open_database(new_postgresql(), must_exist=True)

    def test_a_server_that_does_not_answer(self):
        url = "postgresql://user:secret@127.0.0.1:1/results"
        pytest.importorskip("psycopg", reason="the PostgreSQL driver is not installed")
        with pytest.raises(ResultsError, match="database: postgresql://user:\\*\\*\\*@") as refusal:
            open_database(url)
        assert "\n" not in str(refusal.value)

    def test_a_missing_driver(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "psycopg", None)
        with pytest.raises(ResultsError, match=r"pip install 'lithiophile\[postgres\]'"):
            open_database("postgresql://host/results")

    def test_another_version(self, new_postgresql):
        url = new_postgresql()
        with open_database(url) as database, database._engine.begin() as connection:
            connection.exec_driver_sql("UPDATE lithiophile_revision SET version_num = '99'")
        with pytest.raises(ResultsError, match="update lithiophile"):
            open_database(url)


class TestUnusablePaths:
    def refusal(self, place, **options):
        with pytest.raises(ResultsError) as refusal:
            open_database(place, **options).query()
        message = str(refusal.value)
        assert "\n" not in message
        return message

    def test_a_missing_file_that_must_exist(self, tmp_path):
        message = self.refusal(tmp_path / "results.db", must_exist=True)
        assert "does not exist; run a campaign" in message
        assert list(tmp_path.iterdir()) == []

    def test_a_directory(self, tmp_path):
        assert "is a directory; name a file in it" in self.refusal(tmp_path)

    def test_a_missing_folder(self, tmp_path):
        message = self.refusal(tmp_path / "missing" / "results.db")
        assert f"folder {tmp_path}/missing does not exist" in message
        assert list(tmp_path.iterdir()) == []

    def test_a_file_as_folder(self, tmp_path):
        (tmp_path / "file").write_text("text")
        assert "file" in self.refusal(tmp_path / "file" / "results.db")

    @pytest.mark.parametrize("name", ["a\0b", "n" * 300])
    def test_a_name_no_file_can_have(self, tmp_path, name):
        assert "give another path" in self.refusal(tmp_path / name)

    def test_a_folder_that_cannot_be_written(self):
        message = self.refusal("/proc/results.db")
        assert "/proc" in message

    @pytest.mark.parametrize(
        "content", [b"", b"not a database at all" * 100, b"SQLite format 3\0" + b"\0" * 20]
    )
    def test_a_file_that_is_no_database(self, tmp_path, content):
        file = tmp_path / "results.db"
        file.write_bytes(content)
        for must_exist in (True, False):
            message = self.refusal(file, must_exist=must_exist)
            assert ".recover" in message
        assert file.read_bytes() == content

    @pytest.mark.parametrize("fraction", [0.01, 0.3, 0.9])
    def test_a_file_cut_short(self, tmp_path, fraction):
        file = self.filled_file(tmp_path)
        whole = file.read_bytes()
        file.write_bytes(whole[: int(fraction * len(whole))])
        message = self.refusal(file)
        assert "cut short" in message or "damaged" in message
        assert ".recover" in message

    def test_a_file_overwritten_in_the_middle(self, tmp_path):
        file = self.filled_file(tmp_path)
        content = bytearray(file.read_bytes())
        content[4096:] = b"\xff" * (len(content) - 4096)
        file.write_bytes(content)
        assert ".recover" in self.refusal(file)

    def test_damaged_arrays(self, tmp_path):
        file = self.filled_file(tmp_path)
        with sqlite3.connect(file) as connection:
            connection.execute("UPDATE calculation_documents SET arrays = substr(arrays, 1, 40)")
        connection.close()
        with pytest.raises(ResultsError, match="are damaged"):
            open_database(file).find([fingerprint(1)])

    def test_another_programs_database(self, tmp_path):
        with sqlite3.connect(tmp_path / "results.db") as connection:
            connection.execute("CREATE TABLE systems (id INTEGER)")
        connection.close()
        assert "is not lithiophile's" in self.refusal(tmp_path / "results.db")

    @pytest.mark.parametrize(("revision", "mend"), [("no", "lost"), ("99", "update lithiophile")])
    def test_another_version(self, tmp_path, revision, mend):
        file = self.filled_file(tmp_path)
        with sqlite3.connect(file) as connection:
            connection.execute("UPDATE lithiophile_revision SET version_num = ?", (revision,))
        connection.close()
        assert mend in self.refusal(file)

    @pytest.mark.parametrize(
        ("url", "message"),
        [
            ("mysql://host/name", "mysql is not supported"),
            ("sqlite://", "names no file"),
            ("postgresql://user:secret@host:notaport/x", "cannot be read"),
        ],
    )
    def test_an_address_of_no_use(self, url, message):
        refusal = self.refusal(url)
        assert message in refusal
        assert "secret" not in refusal

    def filled_file(self, tmp_path):
        file = tmp_path / "results.db"
        with open_database(file) as database:
            database.add_calculations(relaxed(seed) for seed in range(1, 60))
            database.add_campaign("test", {})
            database.add_candidates("test", [collector()])
        return file


WRITER = """
import sys
from results.database import open_database
from tests.results.samples import relaxed
database = open_database(sys.argv[1])
for seed in range(100000):
    database.add_calculations([relaxed(seed), relaxed(f"{seed} too")])
    print(seed, flush=True)
"""


def start_writer(place):
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(place)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


@pytest.mark.parametrize(
    ("backend", "kill_after"), [("sqlite", 3), ("sqlite", 17), ("postgresql", 10)]
)
def test_what_was_acknowledged_outlives_a_kill(new_place, backend, kill_after):
    place = new_place(backend)
    writer = start_writer(place)
    acknowledged = [int(writer.stdout.readline()) for _ in range(kill_after)]
    time.sleep(0.001 * kill_after)  # land at different places of the next transaction
    os.kill(writer.pid, signal.SIGKILL)
    acknowledged += [int(line) for line in writer.communicate()[0].split()]
    with open_database(place, must_exist=True) as database:
        wanted = [fingerprint(seed) for seed in acknowledged]
        wanted += [fingerprint(f"{seed} too") for seed in acknowledged]
        assert database.find(wanted).keys() == set(wanted)
        n_stored = database.sql("SELECT count(*) AS n FROM calculations").rows[0]["n"]
        assert n_stored % 2 == 0  # a batch of two is whole or absent
        assert n_stored - len(wanted) in (0, 2)  # at most the one that was not acknowledged
        database.add_calculations([relaxed("after the kill")])


def add_many(place, writer, n_documents):
    with open_database(place) as database:
        for seed in range(n_documents):
            database.add_calculations([relaxed(f"{writer} {seed}"), relaxed(f"shared {seed}")])


@pytest.mark.parametrize("backend", BACKENDS)
def test_writers_at_once_lose_nothing(new_place, backend):
    """They also both try to make the database."""
    place = new_place(backend)
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=add_many, args=(place, name, 15)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    wanted = {fingerprint(f"{name} {seed}") for name in ("a", "b", "shared") for seed in range(15)}
    with open_database(place) as database:
        assert database.find(wanted).keys() == wanted
        assert database.sql("SELECT count(*) AS n FROM calculations").rows == [{"n": 45}]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("method", ["summaries", "query"])
def test_a_reading_of_several_statements_sees_one_moment(new_place, backend, method):
    place = new_place(backend)
    with open_database(place) as database, open_database(place) as other:
        database.add_campaign("test", {})
        database.add_candidates("test", [collector("Cu")])

        @sa.event.listens_for(database._engine, "after_cursor_execute")
        def write_after_the_first(_connection, _cursor, statement, *_):
            if "FROM candidates" in statement and other.summaries("host=Ni") == []:
                other.add_candidates("test", [collector("Ni")])

        assert len(getattr(database, method)()) == 1
        assert len(getattr(database, method)()) == 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_reader_sees_whole_batches_while_another_writes(new_place, backend):
    place = new_place(backend)
    writer = start_writer(place)
    try:
        writer.stdout.readline()
        with open_database(place, must_exist=True) as database:
            counts = [
                database.sql("SELECT count(*) AS n FROM calculations").rows[0]["n"]
                for _ in range(50)
            ]
    finally:
        writer.kill()
        writer.communicate()
    assert all(count % 2 == 0 for count in counts)
    assert counts == sorted(counts)


@pytest.mark.parametrize("method", ["summaries", "candidates"])
def test_a_screen_of_another_version_is_told(new_place, method):
    place = new_place("sqlite")
    with open_database(place) as database:
        database.add_campaign("test", {})
        database.add_candidates("test", [collector("Cu"), collector("Ni")])
        with closing(sqlite3.connect(place)) as connection, connection:
            connection.execute("UPDATE candidates SET screen = 'later' WHERE host = 'Ni'")
        with pytest.raises(ResultsError, match=r"screen 'later', which .* update it"):
            getattr(database, method)()
        assert len(getattr(database, method)("screen=collectors")) == 1


def test_rows_hold_plain_values(asked):
    json.dumps(asked.query().rows)


def test_a_failed_quantity_is_shown_with_its_reason(asked):
    rows = asked.sql("SELECT name, value, failure FROM properties WHERE failure IS NOT NULL").rows
    assert rows == [{"name": "adatom_barrier", "value": None, "failure": "diverged in step 3"}]
    assert asked.candidate(1).evidence["adatom_barrier_ev"] == Evidence(
        converged=False, failure="diverged in step 3"
    )


LOOKS = """
from results.database import open_database
with open_database({path!r}) as database:
    print(*database.campaigns())
"""


def test_what_is_committed_outlives_another_process_that_comes_and_goes(tmp_path):
    """Even with two databases open on the file here, as a run and its stages have them."""
    path = tmp_path / "results.db"

    def look():
        return subprocess.run(
            [sys.executable, "-c", LOOKS.format(path=str(path))],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()

    with open_database(path) as run:
        run.add_campaign("first", {})
        with open_database(path) as stage:
            stage.campaigns()
        assert look() == ["first"]
        run.add_campaign("second", {})
        assert look() == ["first", "second"]
    assert look() == ["first", "second"]


def test_results_that_cannot_be_written_are_read(tmp_path):
    file = tmp_path / "results.db"
    with open_database(file) as database:
        documents = fill(database).candidates()
    with read_only(tmp_path), open_database(file, must_exist=True) as database:
        assert database.candidates() == documents
        assert hosts(database.query("host=Cu")) == ["Cu"]
        assert database.sql("SELECT count(*) AS n FROM candidates").rows == [{"n": 4}]
        with pytest.raises(ResultsError, match="cannot be written; check its perm") as refusal:
            database.add_campaign("new", {})
        assert "\n" not in str(refusal.value)
    assert {entry.name for entry in tmp_path.iterdir()} == {"results.db"}


def test_results_that_another_is_writing_are_read_where_they_cannot_be_written(tmp_path):
    """What is still in the writer's log counts."""
    file = tmp_path / "results.db"
    with open_database(file) as writer:
        fill(writer)
        with read_only(tmp_path):
            told = subprocess.run(
                [sys.executable, "-c", LOOKS.format(path=str(file))],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
    assert told == "test other one\n"
