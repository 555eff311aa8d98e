"""The program as its user meets it: what it prints, and how it ends."""

import csv
import io
import json
import resource
import subprocess
import sys
from pathlib import Path

import ase.io
import numpy as np
import pandas
import pytest
import torch
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator

from potentials.cache import sha256_of
from potentials.download import weights_path
from potentials.registry import entry
from results.database import open_database
from screen.cli import main
from screen.cli.main import app
from screen.ranking_output import as_dict, as_json
from screen.stored import load_campaign, store_rankings
from tests.potentials.networks import random_network
from tests.screen.conftest import CAMPAIGN

COMMANDS = [
    ["run"],
    ["rank"],
    ["report"],
    ["status"],
    ["cancel"],
    ["resume"],
    ["query"],
    ["show"],
    ["export"],
    ["migrate"],
    ["validate"],
    ["label"],
    ["refine"],
    ["dft", "frames"],
    ["dft", "inputs"],
    ["dft", "collect"],
    ["dft", "assemble"],
    ["structures", "list"],
    ["structures", "show"],
    ["structures", "facet"],
    ["structures", "interface"],
    ["potentials", "list"],
    ["potentials", "info"],
    ["potentials", "fetch"],
    ["potentials", "verify"],
    ["potentials", "trust"],
]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("LITHIOPHILE_DB", raising=False)


def written():
    """Names of the files in the working folder."""
    return [path.name for path in Path().iterdir()]


@pytest.fixture
def lithiophile(capsys):
    """Run the program: (exit status, standard output, standard error)."""

    def run(*arguments):
        with pytest.raises(SystemExit) as caught:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return caught.value.code, printed.out, printed.err

    return run


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(lithiophile, command):
    status, out, _ = lithiophile(*command, "--help")
    assert status == 0
    assert f"Example: lithiophile {' '.join(command)}" in " ".join(out.split())


def test_the_commands_tested_are_all_there_are():
    from typer.main import get_command

    found = []
    for name, command in get_command(app).commands.items():
        inner = getattr(command, "commands", None)
        found += [[name, sub] for sub in inner] if inner else [[name]]
    assert sorted(found) == sorted(COMMANDS)


def test_help_takes_under_half_a_second():
    """Processor time, which other programs on the machine do not lengthen; best of three."""

    def seconds():
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-c", "from screen.cli import main; main(['--help'])"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(3)) < 0.5


def test_ranks_alike_in_all_formats(lithiophile, filled):
    status, out, _ = lithiophile("rank", "--db", filled, "--format", "json")
    assert status == 0
    listed = json.loads(out)
    assert [c["host"] for c in listed["candidates"]] == ["Au", "Cu", "Cu"]
    _, out, _ = lithiophile("rank", "--db", filled, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [float(row["li_binding_ev"]) for row in rows[:3]] == [
        c["li_binding_ev"] for c in listed["candidates"]
    ]
    _, out, _ = lithiophile("rank", "--db", filled)
    assert "-0.850" in out
    assert "NEB diverged after 12 steps" in out


def test_ranks_without_reading_documents_as_with_them(filled):
    with open_database(filled) as database:
        whole, brief = (load_campaign(database, whole=one).ranked("collectors") for one in (1, 0))
    assert as_dict(brief) == as_dict(whole)


def test_rankings_are_kept(filled):
    with open_database(filled) as database:
        stored = load_campaign(database)
        store_rankings(database, stored)
        kept = database.latest_ranking("synthetic", "collectors")
        assert kept == json.loads(as_json([stored.ranked("collectors")]))


def test_takes_the_database_from_the_environment(lithiophile, filled, monkeypatch):
    monkeypatch.setenv("LITHIOPHILE_DB", str(filled))
    assert lithiophile("rank")[0] == 0


def test_queries_with_units_in_every_header(lithiophile, filled):
    status, out, _ = lithiophile(
        *("query", "host=Cu work_of_adhesion>0.85", "--db", filled),
        *("--columns", "host,miller_index,work_of_adhesion", "--format", "csv"),
    )
    assert status == 0
    assert out.splitlines() == ["host,miller_index,work_of_adhesion (J/m²)", 'Cu,"1,1,1",0.9']
    _, out, _ = lithiophile("query", "host=Cu", "--db", filled, "--format", "json")
    found = json.loads(out)
    assert found["units"]["li_binding"] == "eV"
    assert [row["li_binding"] for row in found["rows"]] == [-0.15, -0.25]
    _, out, _ = lithiophile("query", "--db", filled, "--sort", "-work_of_adhesion", "--limit", "1")
    assert "Au" in out
    assert "1 found" in out


def test_a_table_in_a_pipe_loses_nothing(lithiophile, filled):
    _, out, _ = lithiophile("query", "--db", filled)
    assert "…" not in out
    shown = json.loads(lithiophile("query", "--db", filled, "--format", "json")[1])
    for row in shown["rows"]:
        (line,) = [
            one for one in out.splitlines() if one.split()[:2] == [str(row["id"]), "synthetic"]
        ]
        for name, value in row.items():
            is_shown = row.get(name.removesuffix("_error")) is not None  # no error without a value
            if isinstance(value, float) and is_shown:
                assert f"{value:.4f}" in line, name


def test_queries_into_a_parquet_file(filled):
    pytest.importorskip("pyarrow")
    program = "from screen.cli import main; main()"
    command = [sys.executable, "-c", program, "query", "host=Cu", "--db", str(filled)]
    chosen = ["--columns", "host,li_binding_ev,li_binding_error", "--format", "parquet"]
    made = subprocess.run([*command, *chosen], check=True, capture_output=True).stdout
    table = pandas.read_parquet(io.BytesIO(made))
    assert list(table.columns) == ["host", "li_binding (eV)", "li_binding_error (eV)"]
    assert table["li_binding (eV)"].tolist() == [-0.15, -0.25]


def test_queries_in_sql(lithiophile, filled):
    status, out, _ = lithiophile(
        *("query", "--sql", "SELECT host, count(*) AS n FROM candidates GROUP BY host"),
        *("--db", filled, "--format", "csv"),
    )
    assert status == 0
    assert "Cu,2" in out.splitlines()


def test_exports_what_a_query_finds(lithiophile, filled, tmp_path):
    status, _, err = lithiophile("export", tmp_path / "x.csv", "host=Cu", "--db", filled)
    assert status == 0
    assert f"Written: {tmp_path / 'x.csv'} (2)" in " ".join(err.split())
    assert pandas.read_csv(tmp_path / "x.csv")["host"].tolist() == ["Cu", "Cu"]
    assert lithiophile("migrate", "--db", filled)[0] == 0


def test_shows_one_result_with_its_provenance(lithiophile, filled):
    status, out, _ = lithiophile("show", "3", "--db", filled)
    assert status == 0
    for shown in ("Au", "work_of_adhesion", "1.4000", "0.0200", "J/m²", "made up", "5" * 64):
        assert shown in out
    _, out, _ = lithiophile("show", "3", "--db", filled, "--format", "json")
    assert json.loads(out)["work_of_adhesion_j_m2"] == 1.4


def test_saves_structures_and_pictures(lithiophile, filled, tmp_path):
    from pymatgen.core import Structure

    folder = tmp_path / "saved"
    status, _, _ = lithiophile("show", "3", "--db", filled, "--save", folder)
    assert status == 0
    assert sorted(path.name for path in folder.iterdir()) == ["interface.cif", "interface.png"]
    assert Structure.from_file(folder / "interface.cif").composition.formula == "Li2 Au2"
    status, _, err = lithiophile("show", "3", "--db", filled, "--save", folder)
    assert (status, "not empty" in err) == (2, True)


def test_writes_the_report(lithiophile, filled):
    status, _, err = lithiophile("report", "--db", filled)
    assert status == 0
    assert "synthetic-report.html" in err
    assert written() == ["synthetic-report.html"]
    assert Path("synthetic-report.html").read_text("utf-8").startswith("<!DOCTYPE html>")


def test_lists_the_library_and_builds_a_facet(lithiophile, tmp_path):
    from pymatgen.core import Structure

    status, out, _ = lithiophile("structures", "list", "--role", "collector")
    assert status == 0
    assert "Fm-3m (225)" in out
    target = tmp_path / "cu.cif"
    status, out, _ = lithiophile("structures", "facet", "Cu", "100", "--output", target)
    assert status == 0
    assert Structure.from_file(target).composition.reduced_formula == "Cu"


def test_lists_what_a_hull_is_made_of(lithiophile):
    status, out, _ = lithiophile("structures", "list", "--within", "Li,P,S", "--format", "csv")
    assert status == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    assert {"Li", "P", "S", "Li3P", "Li2S", "P2S5"} <= {row["name"] for row in rows}
    status, out, _ = lithiophile("structures", "list", "--within", "Li,P,S", "--format", "json")
    assert [row["name"] for row in json.loads(out)] == [row["name"] for row in rows]


def test_shows_a_crystal_of_a_file(lithiophile, tmp_path):
    target = tmp_path / "licl.cif"
    status, out, _ = lithiophile("structures", "show", "LiCl", "--output", target)
    assert status == 0
    assert "Fm-3m" in out
    status, out, _ = lithiophile("structures", "show", target)
    assert status == 0
    assert f"CIF file {target}" in out
    assert "sha256" in out
    status, out, _ = lithiophile(
        "structures", "facet", target, "100", "--output", tmp_path / "a.cif"
    )
    assert status == 0


def test_builds_an_interface(lithiophile, tmp_path):
    from pymatgen.core import Structure

    target = tmp_path / "POSCAR"
    status, out, _ = lithiophile("structures", "interface", "Cu", "111", "--output", target)
    assert status == 0
    built = Structure.from_file(target)
    assert set(built.symbol_set) == {"Cu", "Li"}
    assert f"{len(built)} atoms" in out


def test_lists_and_describes_potentials(lithiophile):
    status, out, _ = lithiophile("potentials", "list")
    assert (status, "mace-mpa-0-medium" in out) == (0, True)
    status, out, _ = lithiophile("potentials", "info", "mace-mpa-0-medium")
    assert (status, "Licence: MIT" in out) == (0, True)
    status, out, err = lithiophile("potentials", "fetch", "mini")  # nothing comes in
    assert (status, "Here: yes" in out, err) == (0, True, "")


@pytest.mark.parametrize(
    ("name", "module", "extra"),
    [
        ("chgnet", "potentials.chgnet_potential", "chgnet"),
        ("gpaw-pbe-quick", "potentials.dft.gpaw_potential", "dft"),
    ],
)
def test_fetching_what_an_absent_package_brings_names_its_extra(
    lithiophile, monkeypatch, name, module, extra
):
    monkeypatch.setattr(f"{module}.find_spec", lambda _: None)
    status, out, err = lithiophile("potentials", "fetch", name)
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert err.startswith("Error: potential: ")
    assert f"not installed; `pip install 'lithiophile[{extra}]'`" in err


def test_fetching_what_an_installed_package_brings_says_that_it_is_here(lithiophile):
    pytest.importorskip("chgnet")
    status, out, err = lithiophile("potentials", "fetch", "chgnet")
    assert (status, "Here: yes" in out, err) == (0, True, "")


def test_trusts_a_file_once_and_for_its_content(lithiophile, tmp_path, monkeypatch):
    monkeypatch.setenv("LITHIOPHILE_CACHE", str(tmp_path / "cache"))
    torch.save(random_network(), "mine.model")
    command = ("validate", "--potential", "mine.model", "--frames", "none.extxyz")
    assert "lithiophile potentials trust mine.model" in lithiophile(*command)[2]
    status, out, _ = lithiophile("potentials", "trust", "mine.model")
    assert (status, out.split()[-1]) == (0, sha256_of(Path("mine.model")))
    assert "there is no file none.extxyz" in lithiophile(*command)[2]  # it was loaded


BAD_CAMPAIGNS = [
    ("Ni", "Nii", "screens.collectors.hosts[2] = 'Nii': is not in the library; nearest: Ni"),
    ("[1, 0, 0]", "[0, 0, 0]", "screens.collectors.facets.Cu[1] = [0, 0, 0]: is no plane"),
    ("ranking:", "limits: {max_strain: -0.1}\nranking:", "limits.max_strain = -0.1"),
    ("[Cu, Au, Ni, Zn]", "[]", "screens.collectors.hosts = []: is empty"),
    ("{collectors:", "{colectors:", "screens.colectors: unknown key; did you mean 'collectors'?"),
    ("name: synthetic", "name: [a", "line 2"),
    ("Zn", "Ti", "screens.collectors.hosts[3] = 'Ti': potential 'mini' does not cover Ti"),
    ("mini", "mnii", "'mnii' is unknown; did you mean mini"),
    ("mini", "missing.model", "missing.model"),
    ("mini", "{name: mini, head: none-such}", "head"),
]


@pytest.mark.parametrize(("old", "new", "message"), BAD_CAMPAIGNS)
def test_a_bad_campaign_is_one_line_and_nothing_is_written(
    lithiophile, tmp_path, old, new, message
):
    assert old in CAMPAIGN
    file = tmp_path / "bad.yaml"
    file.write_text(CAMPAIGN.replace(old, new, 1))
    status, out, err = lithiophile("run", file)
    assert (status, out) == (2, "")
    assert err.startswith(f"Error: {file}: ")
    assert message in err
    assert err.count("\n") == 1
    assert written() == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "none.yaml"], "none.yaml: no such file"),
        (["rank"], "lithiophile.db does not exist"),
        (["rank", "--db", "{filled}", "--campaign", "synthetik"], "did you mean 'synthetic'?"),
        (["rank", "--db", "{filled}", "--potential", "mini"], "choose from synthetic"),
        (["query", "hots=Cu", "--db", "{filled}"], "did you mean 'host'?"),
        (["query", "--db", "{filled}", "--columns", "hots"], "did you mean 'host'?"),
        (["query", "--sql", "DROP TABLE candidates", "--db", "{filled}"], "only reading"),
        (["query", "--sql", "SELECT 1", "--limit", "1", "--db", "{filled}"], "in the SQL"),
        (["show", "99", "--db", "{filled}"], "99"),
        (["export", "x.xyz", "--db", "{filled}"], "did you mean '.extxyz'?"),
        (["export", "x.csv", "hots=Cu", "--db", "{filled}"], "did you mean 'host'?"),
        (["export", "no/x.csv", "--db", "{filled}"], "no such folder"),
        (["migrate", "--db", "{filled}.no"], "does not exist"),
        (["report", "--db", "{filled}", "--output", "no/where.html"], "does not exist"),
        (["structures", "facet", "Cuu", "111", "--output", "a.cif"], "Cu"),
        (["structures", "facet", "Cu", "000", "--output", "a.cif"], "0 0 0"),
        (["structures", "facet", "Cu", "111", "--output", "a.png"], "unknown ending"),
        (["structures", "interface", "Cu", "111", "--registry", "99", "--output", "a.cif"], "99"),
        (["structures", "interface", "Cu", "111", "--max-atoms", "9", "--output", "a.cif"], "max"),
        (["structures", "list", "--within", "Li,Xx"], "'Xx' is no element"),
        (["structures", "show", "none.cif"], "cannot be read"),
        (["structures", "list", "--role", "colector"], "did you mean 'collector'?"),
        (["potentials", "info", "mace-mpa-0-medum"], "mace-mpa-0-medium"),
        (["potentials", "trust", "none.model"], "none.model"),
        (["validate", "--potential", "minni"], "did you mean mini or mini-pbe?"),
        (["validate", "--potential", "mini", "--against", "none.csv"], "none.csv"),
        (["validate", "--potential", "mini", "--output", "no/where"], "does not exist"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(lithiophile, filled, arguments, message):
    status, out, err = lithiophile(*(a.format(filled=filled) for a in arguments))
    assert (status, out) == (2, "")
    assert err.startswith("Error: ")
    assert message in err
    assert err.count("\n") == 1
    assert written() == []


def test_results_that_cannot_be_written_are_told_before_anything_is_computed(lithiophile, tmp_path):
    file = tmp_path / "good.yaml"
    file.write_text(CAMPAIGN)
    (tmp_path / "plain").write_text("")
    for db in (tmp_path / "none" / "r.db", tmp_path / "plain" / "r.db", "/proc/r.db", tmp_path):
        status, out, err = lithiophile("run", file, "--db", db)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert str(db) in err or str(db.parent) in err
    assert written() == []


def test_a_traceback_only_with_debug(lithiophile, tmp_path):
    from screen.errors import CampaignError

    file = tmp_path / "bad.yaml"
    file.write_text("name: [")
    assert "Traceback" not in lithiophile("run", file)[2]
    with pytest.raises(CampaignError):
        main(["run", str(file), "--debug"])


PUBLISHED = """quantity,system,facet,species,value,unit,tolerance,method,source
lattice_a,Cu,,,3.629,Å,0.054,PBE,WIEN2k
lattice_a,Cu,,,4.629,Å,0.054,wrong on purpose,nobody
"""


def test_validates_a_potential_against_published_values(lithiophile):
    Path("published.csv").write_text(PUBLISHED)
    status, out, err = lithiophile(
        *("validate", "--potential", "mini", "--against", "published.csv"),
        *("--output", "check", "--format", "json"),
    )
    assert status == 0
    assert "lattice a: 2 values" in err
    right, wrong = json.loads(out)
    assert right["computed"] == wrong["computed"] == pytest.approx(3.63, abs=0.1)
    assert (right["verdict"], wrong["verdict"]) == ("agrees", "deviates")
    assert {"check.csv", "check.png"} <= set(written())


@pytest.fixture
def validated(lithiophile, tmp_path, monkeypatch):
    """From options to the force error that `validate` tells of mace-mh-1.

    Where the download would lie stands a network of its architecture with random weights.
    """
    monkeypatch.setenv("LITHIOPHILE_CACHE", str(tmp_path / "cache"))
    known = entry("mace-mh-1")
    weights_path(known).parent.mkdir(parents=True)
    stand_in = random_network(heads=tuple(known.heads), architecture="mh-1")
    torch.save(stand_in, weights_path(known))
    frames = []
    for seed in range(3):
        atoms = bulk("Cu", cubic=True)
        atoms.rattle(0.1, seed=seed)
        atoms.calc = SinglePointCalculator(atoms, energy=0.0, forces=np.zeros((4, 3)))
        frames.append(atoms)
    ase.io.write("frames.extxyz", frames)

    def force_error(*options):
        status, out, err = lithiophile(
            *("validate", "--potential", "mace-mh-1", "--frames", "frames.extxyz"),
            *("--format", "json", *options),
        )
        assert status == 0, err
        return json.loads(out)[0]["force_mae_mev"]

    return force_error


def test_validates_a_published_model_with_the_head_and_precision_asked_for(validated):
    default, other = validated(), validated("--head", "matpes_r2scan")
    assert validated("--head", "omat_pbe") == default
    assert other != pytest.approx(default, rel=1e-5)
    single = validated("--head", "matpes_r2scan", "--dtype", "float32")
    assert single != other
    assert single == pytest.approx(other, rel=1e-4)


def test_validates_a_published_model_with_dispersion(validated):
    pytest.importorskip("torch_dftd", reason="needs the extra d3")
    corrected = validated("--dispersion", "d3")
    assert corrected != pytest.approx(validated(), rel=1e-5)
    assert corrected == pytest.approx(validated("--dispersion", "d3-bj-pbe"))
