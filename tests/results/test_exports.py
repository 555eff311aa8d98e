import json
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import requests
from ase.db import connect
from ase.io import read

from results.database import QueryResult, open_database
from results.documents import Evidence, as_structure
from results.errors import ResultsError
from results.exports import export, export_calculations, export_table
from tests.results.samples import collector, fingerprint, path, relaxed
from tests.services.optimade import served

TABLE = QueryResult(
    columns=("host", "work_of_adhesion", "li_binding"),
    units={"work_of_adhesion": "J/m²", "li_binding": "eV"},
    rows=[
        {"host": "Cu, with a comma", "work_of_adhesion": 0.1 + 0.2, "li_binding": -1e-12},
        {"host": "Au", "work_of_adhesion": None, "li_binding": 1.0},
    ],
)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_table_comes_back_with_its_units(tmp_path, ending):
    if ending == "parquet":
        pytest.importorskip("pyarrow")
    export_table(TABLE, tmp_path / f"table.{ending}")
    back = getattr(pd, f"read_{ending}")(tmp_path / f"table.{ending}")
    pd.testing.assert_frame_equal(back, TABLE.to_pandas(), check_dtype=False)
    assert list(back.columns) == ["host", "work_of_adhesion (J/m²)", "li_binding (eV)"]


def test_a_table_as_json(tmp_path):
    export_table(TABLE, tmp_path / "table.json")
    content = json.loads((tmp_path / "table.json").read_text())
    assert content == {"units": dict(TABLE.units), "rows": TABLE.rows}


def assert_same(atoms, document):
    structure = as_structure(document.final_structure)
    assert atoms.get_chemical_symbols() == [site.specie.symbol for site in structure]
    np.testing.assert_allclose(atoms.cell, structure.lattice.matrix, atol=1e-7)
    np.testing.assert_allclose(atoms.positions, structure.cart_coords, atol=1e-7)
    assert atoms.get_potential_energy() == pytest.approx(document.energy_ev, abs=1e-7)
    forces = atoms.get_forces(apply_constraint=False)
    np.testing.assert_allclose(forces, document.forces, atol=1e-7)
    assert list(atoms.constraints[0].index) == [0]


def test_extended_xyz_holds_energies_forces_and_provenance(tmp_path):
    documents = [relaxed(1, stress=np.diag([0.1, 0.2, 0.3])), relaxed(2)]
    export_calculations(documents, tmp_path / "structures.extxyz")
    images = read(tmp_path / "structures.extxyz", ":")
    for atoms, document in zip(images, documents, strict=True):
        assert_same(atoms, document)
        assert atoms.info["fingerprint"] == document.fingerprint
        assert atoms.info["potential"] == "mini"
        assert atoms.info["converged"]
    np.testing.assert_allclose(images[0].get_stress(), [0.1, 0.2, 0.3, 0, 0, 0])


def test_an_ase_database_opens_with_ase(tmp_path):
    documents = [relaxed(seed) for seed in range(3)]
    export_calculations(documents, tmp_path / "structures.db")
    for row, document in zip(
        connect(tmp_path / "structures.db").select("potential=mini"), documents, strict=True
    ):
        assert_same(row.toatoms(), document)
        assert row.fingerprint == document.fingerprint


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """Two facets with a calculation each, one that they share, and a hop of the first."""
    shared, hop = relaxed("shared"), path("hop")
    with open_database(tmp_path_factory.mktemp("exports") / "results.db") as database:
        database.add_campaign("test", {})
        database.add_calculations([relaxed("Cu", energy_ev=-5.5), relaxed("Au"), shared, hop])

        def facet(host, *seeds):
            found = Evidence(converged=True, fingerprints=tuple(map(fingerprint, seeds)))
            return collector(
                host,
                li_binding_ev=-0.2,
                work_of_adhesion_j_m2=None,
                evidence={"li_binding_ev": found},
            )

        database.add_candidates(
            "test", [facet("Cu", "Cu", "shared", "hop"), facet("Au", "Au", "shared")]
        )
        yield database


def test_what_a_query_finds_is_written_with_whom_it_belongs_to(filled, tmp_path):
    assert export(filled, "host=Cu", tmp_path / "copper.extxyz") == 3
    images = read(tmp_path / "copper.extxyz", ":")
    assert len(images) == 5  # the hop has three
    assert {atoms.info["fingerprint"] for atoms in images} == {
        fingerprint(seed) for seed in ("Cu", "shared", "hop")
    }
    assert all(atoms.info["host"] == "Cu" for atoms in images)
    assert export(filled, "", tmp_path / "all.db") == 4
    by_seed = {row.fingerprint: row for row in connect(tmp_path / "all.db").select()}
    assert by_seed[fingerprint("Au")].host == "Au"
    assert by_seed[fingerprint("Au")].miller_index == "1,1,1"
    assert "host" not in by_seed[fingerprint("shared")].key_value_pairs
    assert by_seed[fingerprint("shared")].campaign == "test"


@pytest.mark.parametrize("ending", ["csv", "parquet", "json"])
def test_a_table_of_what_a_query_finds(filled, tmp_path, ending):
    file = tmp_path / f"table.{ending}"
    assert export(filled, "host=Cu|Au", file) == 2
    if ending == "json":
        assert json.loads(file.read_text())["rows"] == filled.query("host=Cu|Au").rows
    else:
        back = getattr(pd, f"read_{ending}")(file)
        assert back["li_binding (eV)"].tolist() == [-0.2, -0.2]


ASE = [sys.executable, "-m", "ase"]


def test_the_ase_program_filters_sorts_and_converts(filled, tmp_path):
    export(filled, "", tmp_path / "all.db")

    def ase_db(*arguments):
        command = [*ASE, "db", str(tmp_path / "all.db"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    listed = ase_db("Li=1,task=relax,converged=True", "-c", "id,energy,fmax,host", "-s", "energy")
    assert "Rows: 3" in listed
    assert listed.splitlines()[1].split("|")[1].strip() == "-5.500"
    ase_db("host=Cu,task=relax", "-i", str(tmp_path / "copper.db"))
    (row,) = connect(tmp_path / "copper.db").select()
    assert_same(row.toatoms(), relaxed("Cu", energy_ev=-5.5))


@pytest.mark.parametrize("ending", ["db", "extxyz"])
def test_ases_gui_opens_it(tmp_path, ending):
    documents = [relaxed(1), relaxed(2)]
    export_calculations(documents, tmp_path / f"structures.{ending}")
    command = [*ASE, "gui", str(tmp_path / f"structures.{ending}"), "--terminal", "-g", "e"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert list(map(float, told.split())) == pytest.approx([one.energy_ev for one in documents])


@pytest.fixture(scope="module")
def optimade_server(filled, tmp_path_factory):
    """URL of OPTIMADE's reference server, as it is installed, over what was exported."""
    folder = tmp_path_factory.mktemp("optimade")
    file = folder / "structures.jsonl"
    export(filled, "", file)
    described = json.loads(file.read_text().splitlines()[1])["properties"]
    with served(file, [{"name": name, **field} for name, field in described.items()]) as url:
        yield url


def test_an_optimade_server_serves_it(optimade_server):
    def ask(text):
        found = requests.get(f"{optimade_server}/v1/structures", {"filter": text}, timeout=30)
        assert found.status_code == 200, found.text
        assert found.json()["meta"].get("warnings", []) == []
        return {one["id"]: one["attributes"] for one in found.json()["data"]}

    copper = fingerprint("Cu")
    assert len(ask('elements HAS ALL "Cu","Li" AND nsites<=3')) == 6
    assert ask('chemical_formula_reduced="CuLi"') == {}
    assert len(ask('chemical_formula_anonymous="A2B" AND nelements=2')) == 6
    found = ask('_lithiophile_energy<-5 AND _lithiophile_host="Cu"')
    assert list(found) == [copper]
    served, document = found[copper], relaxed("Cu", energy_ev=-5.5)
    assert served["_lithiophile_energy"] == -5.5
    assert served["_lithiophile_converged"] is True
    assert served["elements_ratios"] == pytest.approx([2 / 3, 1 / 3])
    structure = as_structure(document.final_structure)
    np.testing.assert_allclose(served["cartesian_site_positions"], structure.cart_coords)
    np.testing.assert_allclose(served["lattice_vectors"], structure.lattice.matrix)
    assert served["species_at_sites"] == ["Cu", "Cu", "Li"]
    made = datetime.fromisoformat(served["last_modified"])
    assert abs((made - datetime.now(UTC)).total_seconds()) < 3600
    hop = ask(f'_lithiophile_fingerprint="{fingerprint("hop")}"')
    assert sorted(one["_lithiophile_energy"] for one in hop.values()) == [-1.0, -0.95, -0.9]
    info = requests.get(f"{optimade_server}/v1/info/structures", timeout=30).json()["data"]
    assert info["properties"]["_lithiophile_energy"]["unit"] == "eV"


def test_every_line_is_as_optimade_wants_it(filled, tmp_path):
    models = pytest.importorskip("optimade.models")
    export(filled, "", tmp_path / "structures.jsonl")
    header, info, *lines = map(json.loads, (tmp_path / "structures.jsonl").read_text().splitlines())
    assert header["x-optimade"]["meta"]["api_version"]
    assert info["type"] == "info"
    for line in lines:
        resource = models.StructureResource(**line)
        assert resource.attributes.nsites == len(resource.attributes.species_at_sites)
        own = {name for name in line["attributes"] if name.startswith("_lithiophile_")}
        assert own <= info["properties"].keys()
    assert "electrolyte" in info["properties"]["_lithiophile_electrolyte"]["description"]


KILLED = """
import resource, signal, sys
from results.database import open_database
from results.exports import export

with open_database(sys.argv[1]) as database:
    export(database, "", sys.argv[2] + ".extxyz")
    # From here on, whoever writes more than so many bytes to a file is killed.
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
    export(database, "", sys.argv[2])
"""


def test_an_export_killed_while_it_writes_leaves_the_old_file(filled, tmp_path):
    file = tmp_path / "out.extxyz"
    export(filled, "host=Cu", file)
    before = file.read_bytes()
    command = [sys.executable, "-c", KILLED, filled.name, str(file)]
    killed = subprocess.run(command, check=False, cwd=Path(__file__).parents[2])
    assert killed.returncode == -signal.SIGXFSZ
    assert file.read_bytes() == before


def test_cif_holds_every_structure(tmp_path):
    documents = [relaxed(1), relaxed(2)]
    export_calculations(documents, tmp_path / "structures.cif")
    images = read(tmp_path / "structures.cif", ":")
    for atoms, document in zip(images, documents, strict=True):
        structure = as_structure(document.final_structure)
        np.testing.assert_allclose(atoms.cell.cellpar(), structure.lattice.parameters, atol=1e-4)
        np.testing.assert_allclose(atoms.get_scaled_positions(), structure.frac_coords, atol=1e-4)


def test_a_path_gives_its_images(tmp_path):
    export_calculations([path(1)], tmp_path / "path.extxyz")
    energies = [atoms.get_potential_energy() for atoms in read(tmp_path / "path.extxyz", ":")]
    assert energies == pytest.approx(path(1).energies_ev)


def test_what_blew_up_is_left_out(tmp_path):
    blown = relaxed(
        1, energy_ev=None, forces=None, final_structure=None, converged=False, failure="diverged"
    )
    export_calculations([blown, relaxed(2)], tmp_path / "structures.extxyz")
    assert len(read(tmp_path / "structures.extxyz", ":")) == 1
    with pytest.raises(ResultsError, match="no structure to write"):
        export_calculations([blown], tmp_path / "nothing.extxyz")


def test_a_file_is_replaced_whole(tmp_path):
    file = tmp_path / "structures.db"
    for seed in (1, 2):
        export_calculations([relaxed(seed)], file)
    assert [row.fingerprint for row in connect(file).select()] == [relaxed(2).fingerprint]
    assert [entry.name for entry in tmp_path.iterdir()] == ["structures.db"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda folder: export_table(TABLE, folder / "table.cvs"), "did you mean '.csv'"),
        (lambda folder: export_calculations([relaxed(1)], folder / "s.xyz"), "did you mean"),
        (lambda folder: export_table(TABLE, folder / "no" / "t.csv"), "cannot be written"),
        (lambda folder: export_calculations([relaxed(1)], folder / "no" / "s.db"), "written"),
    ],
)
def test_bad_input_is_refused_on_one_line(tmp_path, call, message):
    with pytest.raises(ResultsError, match=message) as refusal:
        call(tmp_path)
    assert "\n" not in str(refusal.value)
    assert list(tmp_path.iterdir()) == []
