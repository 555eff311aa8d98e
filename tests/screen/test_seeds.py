"""The seed screen from its campaign section to ranking and report, its computing made up."""

import csv
import io
import json

import pytest

from results.database import open_database
from results.documents import quantities
from results.seed_documents import SeedDocument
from screen.campaign_checks import check_crystals
from screen.campaign_file import parse_campaign
from screen.cli import main
from screen.criteria_seeds import SEED_QUANTITIES
from screen.errors import CampaignError
from screen.report_seeds import section
from screen.seeds import _structures, maker
from screen.stored import load_campaign
from tests.screen.conftest import fill
from tests.screen.synthetic_seeds import seed, seeds
from workflows.settings import PotentialSettings, StoreSettings

CAMPAIGN = """\
name: synthetic
potential: mini
screens:
  collectors: {hosts: [Cu, Au, Ni, Zn], facets: {Cu: [[1, 1, 1], [1, 0, 0]]}}
  seeds: {elements: [Zn, Au, Sn]}
"""


@pytest.fixture
def filled(tmp_path):
    """A database with a campaign of two screens, as a finished run leaves it."""
    return fill(tmp_path / "results.db", CAMPAIGN, seeds())


@pytest.fixture
def lithiophile(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        with pytest.raises(SystemExit) as caught:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return caught.value.code, printed.out, printed.err

    return run


def test_the_quantities_are_those_of_the_documents():
    expected = {(name, key, unit) for key, (name, unit) in quantities(SeedDocument).items()}
    assert {(q.name, q.key, q.unit) for q in SEED_QUANTITIES.values()} == expected


def test_a_seed_survives_the_database(filled):
    with open_database(filled) as database:
        found = database.candidates("screen=seeds")
    plain = [[one.model_dump(exclude={"created_at"}) for one in each] for each in (found, seeds())]
    assert plain[0] == plain[1]


def test_both_screens_are_kept_and_ranked_apart(filled):
    with open_database(filled) as database:
        stored = load_campaign(database)
    assert stored.screens == ("collectors", "seeds")
    hosts = [entry.candidate.facts["host"] for entry in stored.ranked("seeds").ranking.ranked]
    assert hosts == ["Au", "Zn"]
    (apart,) = stored.ranked("seeds").ranking.unconverged
    assert apart.candidate.facts == {"host": "Sn"}


def test_rank_prints_a_table_per_screen(lithiophile, filled):
    status, out, _ = lithiophile("rank", "--db", filled)
    assert status == 0
    assert "collectors: synthetic" in out
    assert "seeds: synthetic" in out
    _, out, _ = lithiophile("rank", "--db", filled, "--screen", "seeds")
    assert "collectors: synthetic" not in out


def test_rank_gives_a_list_as_json_and_asks_for_one_screen_as_csv(lithiophile, filled):
    _, out, _ = lithiophile("rank", "--db", filled, "--format", "json")
    assert [one["screen"] for one in json.loads(out)] == ["collectors", "seeds"]
    status, _, err = lithiophile("rank", "--db", filled, "--format", "csv")
    assert (status, "--screen collectors or seeds" in err) == (2, True)
    _, out, _ = lithiophile("rank", "--db", filled, "--format", "csv", "--screen", "seeds")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["host"] for row in rows] == ["Au", "Zn", "Sn"]
    assert float(rows[0]["first_lithiation_voltage_v"]) == 1.4
    status, _, err = lithiophile("rank", "--db", filled, "--screen", "seed")
    assert (status, "did you mean 'seeds'?" in err) == (2, True)


def test_queries_reach_seeds_and_collectors_alike(lithiophile, filled):
    _, out, _ = lithiophile("query", "work_of_adhesion>1.3", "--db", filled, "--format", "json")
    assert {(row["screen"], row["host"]) for row in json.loads(out)["rows"]} == {
        ("collectors", "Au"),
        ("seeds", "Au"),
    }
    _, out, _ = lithiophile("query", "first_lithiation_voltage<0.55", "--db", filled)
    assert "1 found" in out


def test_the_report_draws_hull_and_voltages(lithiophile, filled, tmp_path):
    status, _, _ = lithiophile("report", "--db", filled, "--output", tmp_path / "report.html")
    assert status == 0
    html = (tmp_path / "report.html").read_text("utf-8")
    for shown in ("seeds-hulls", "seeds-voltages", "collectors-profiles", "Alloy-forming seeds"):
        assert shown in html


def test_the_hull_is_a_line_through_stable_phases_and_rings_above_it():
    found = section([seed("Au")], None)
    hulls, voltages = found.figures
    line, rings = hulls.figure["data"]
    assert (line["x"], line["y"]) == ([0.0, 0.5, 0.75, 1.0], [0.0, -0.24, -0.18, 0.0])
    assert (line["mode"], rings["mode"], rings["x"]) == ("lines+markers", "markers", [2 / 3])
    (curve,) = voltages.figure["data"]
    assert (curve["x"], curve["y"]) == ([0.0, 1.0, 3.0], [0.6, 0.15, 0.0])
    assert curve["line"]["shape"] == "hv"
    on_hover = {curve.title: curve.y for curve in found.details[0].curves}
    assert on_hover == {"Lithiation voltage": (0.6, 0.15, 0.0), "Li vacancy hop": (0.0, 0.15, 0.0)}
    assert found.details[0].curves[1].labels == ("Li 4b", "", "Li 8c")


def test_every_setting_of_the_file_reaches_the_maker():
    text = CAMPAIGN + (
        "limits: {max_interface_atoms: 90, max_strain: 0.02}\n"
        "slab: {thickness: 7.5, vacuum: 12.0}\n"
        "relaxation: {fmax: 0.02, max_steps: 77}\nneb: {images: 3, fmax: 0.06, max_steps: 55}\n"
    )
    made = maker(parse_campaign(text, "x.yaml"), PotentialSettings(), StoreSettings("here.db"))
    assert (made.name, made.stores.database) == ("synthetic", "here.db")
    assert (made.slab_size.thickness, made.interface_limits.max_atoms) == (7.5, 90)
    for stage in (made.solute_maker, made.end_maker, made.slab_maker, made.interface_maker):
        assert (stage.fmax, stage.max_steps) == (0.02, 77)
    assert (made.path_maker.n_images, made.path_maker.fmax) == (3, 0.06)


def test_the_hull_has_bcc_lithium_only_and_decorations_where_asked_for():
    text = CAMPAIGN.replace("[Zn, Au, Sn]", "[Au], decorations: {max_atoms: 2}")
    screen = parse_campaign(text, "x.yaml").screens.seeds
    found = _structures("Au", screen)
    assert {"Li", "Au", "LiAu", "Li3Au", "bcc-LiAu-1", "fcc-LiAu-2"} <= set(found)
    assert not {"Li-fcc", "Li-hcp"} & set(found)
    plain = _structures("Au", screen.model_copy(update={"decorations": None}))
    assert set(found) - set(plain) == {
        f"{parent}-LiAu-{n}" for parent in ("bcc", "fcc") for n in (1, 2)
    }


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[Zn,", "[Cu,", "elements[0] = 'Cu': the library has no phase of Cu with Li; add deco"),
        ("[Zn,", "[Li,", "elements[0] = 'Li': is what is deposited; name elements that alloy"),
        ("[Zn,", "[LiAl,", "elements[0] = 'LiAl': is no element; name what alloys: Al"),
        ("[Zn,", "[Zn-3,", "elements[0] = 'Zn-3': is no element; name one such as Ag"),
        ("[Zn,", "[W,", "elements[0] = 'W': the library has no crystal of W, so that the hull"),
        ("[Zn,", "[Au,", "item 1 repeats 'Au'; remove it"),
        ("{elem", "{facets: [[0, 0, 0, 1]], elem", "facets[0] = [0, 0, 0, 1]: has four indices"),
        ("{elem", "{facets: {Cu: close_packed}, elem", "facets.Cu: not among the hosts; choose"),
        ("{elem", "{decorations: {max_atoms: 40}, elem", "max_atoms = 40: should be less"),
    ],
)
def test_bad_input_is_one_line(old, new, message):
    head, line = CAMPAIGN.split("  seeds: ")
    text = f"{head}  seeds: {line.replace(old, new, 1)}"
    with pytest.raises(CampaignError) as caught:
        check_crystals(parse_campaign(text, "x.yaml"), "x.yaml")
    assert f"x.yaml: screens.seeds.{message}" in str(caught.value) or message in str(caught.value)
    assert "\n" not in str(caught.value)
