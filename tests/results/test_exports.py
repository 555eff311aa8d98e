import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from ase.db import connect
from ase.io import read

from results.database import QueryResult
from results.documents import as_structure
from results.errors import ResultsError
from results.exports import export_calculations, export_table
from tests.results.samples import path, relaxed

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


def test_an_ase_database_opens_with_the_ase_program(tmp_path):
    documents = [relaxed(seed) for seed in range(3)]
    export_calculations(documents, tmp_path / "structures.db")
    for row, document in zip(
        connect(tmp_path / "structures.db").select("potential=mini"), documents, strict=True
    ):
        assert_same(row.toatoms(), document)
        assert row.fingerprint == document.fingerprint
    listed = subprocess.run(
        [sys.executable, "-m", "ase", "db", tmp_path / "structures.db", "Li=1,converged=True"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Rows: 3" in listed.stdout


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
