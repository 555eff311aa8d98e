"""What the report holds, without a browser."""

import json
import re

import pytest

from results.database import open_database
from results.documents import CalculationDocument, Potential
from screen.campaign_file import parse_campaign
from screen.report import report_html
from screen.stored import load_campaign, store_campaign
from tests.screen.conftest import CAMPAIGN
from tests.screen.synthetic import SYNTHETIC, collector, small_interface


def report_of(path):
    with open_database(path) as database:
        return report_html(load_campaign(database), database)


def body_of(html):
    """The page without scripts and styles."""
    return re.sub(r"<(script|style)\b.*?</\1>", "", html, flags=re.S)


def test_is_one_file_without_a_network(filled):
    html = report_of(filled)
    assert "default-src 'none'" in html
    assert not re.findall(r"""(?:src|href)=["'](?!data:|#)""", body_of(html))
    assert len(html) < 10_000_000


def test_shows_numbers_units_reasons_and_provenance(filled):
    text = body_of(report_of(filled))
    for shown in (
        "1.400 ± 0.020",
        "undecided",
        "Li binding.",
        "NEB diverged after 12 steps",
        "over the threshold of 0.1 eV",
        "J/m²",
        "5" * 64,
        "hollow-fcc, best",
        "Li (100), made up",
        "relaxation.fmax 0.03",
        "potential: mini",
    ):
        assert shown in text
    assert text.count('<canvas class="still"') == 5


def test_every_candidate_stands_in_the_data_with_structure_and_curve(filled):
    data = json.loads(re.search(r'id="data">(.*?)</script>', report_of(filled), re.S)[1])
    (screen,) = data["screens"]
    assert [one["name"] for one in screen["candidates"]] == [
        *("Au (111)", "Cu (111)", "Cu (100)", "Ni (111)", "Zn (001)")
    ]
    assert [one["status"] for one in screen["candidates"]] == (
        ["ranked"] * 3 + ["below a threshold", "not converged"]
    )
    gold = screen["candidates"][0]
    assert gold["errors"]["work_of_adhesion"] == 0.02
    assert gold["structures"][0]["symbols"] == ["Au", "Li"]
    assert len(gold["structures"][0]["coords"]) == 3 * len(gold["structures"][0]["kinds"])
    assert gold["curves"][0]["y"] == [0.0, 0.072, 0.12, 0.06, 0.01]
    assert set(data["elements"]) == {"Au", "Cu", "Ni", "Zn", "Li"}


def size_with(path, number):
    """Bytes of the report of ``number`` facets with interfaces at the default limit, 200 atoms."""
    interface = small_interface("Cu").make_supercell((5, 10, 1)).perturb(0.05, seed=1)
    assert len(interface) == 200
    structure = interface.as_dict(verbosity=0)
    documents = [
        collector("Cu", (1, 1, i), adhesion=0.5 + 0.001 * i).model_copy(
            update={"interface_structure": structure}
        )
        for i in range(number)
    ]
    with open_database(path) as database:
        database.add_campaign("synthetic", {})
        database.add_candidates("synthetic", documents)
    return len(report_of(path).encode())


def test_two_hundred_candidates_of_real_size_fit_in_ten_megabytes(tmp_path):
    few, more = (size_with(tmp_path / f"{number}.db", number) for number in (4, 12))
    pairs = 4 * 200**2  # bytes of the pairs' probabilities, which grow with the square
    assert few + 196 * (more - few) / 8 + pairs < 10_000_000


def test_text_from_outside_is_escaped(tmp_path):
    documents = [collector("Cu", failures={"surface_energy_j_m2": "<script>alert(1)</script>"})]
    path = tmp_path / "results.db"
    with open_database(path) as database:
        database.add_campaign("synthetic", {"text": "# </pre><script>alert(2)</script>"})
        database.add_candidates("synthetic", documents)
    assert "<script>alert" not in report_of(path)


@pytest.mark.parametrize(("name", "told"), [("mini", True), ("synthetic", False)])
def test_says_what_mini_is_for(tmp_path, name, told):
    potential = Potential(**{**SYNTHETIC.model_dump(), "name": name})
    path = tmp_path / "results.db"
    with open_database(path) as database:
        database.add_campaign("synthetic", {})
        database.add_candidates("synthetic", [collector("Cu", potential=potential)])
    assert ("Numbers for trying out" in report_of(path)) is told


def test_counts_what_the_calculations_cost(tmp_path):
    structure = small_interface("Cu")
    calculation = CalculationDocument(
        fingerprint="ab" * 32,
        task="relax",
        parameters={"fmax": 0.03},
        potential=SYNTHETIC,
        initial_structure=structure,
        final_structure=structure,
        max_force=0.02,
        converged=True,
        steps=10,
        force_evaluations=11,
        wall_time_s=90.0,
        energy_ev=-3.0,
        forces=[[0.0, 0.0, 0.0]] * len(structure),
        software={"lithiophile": "9.9.9"},
    )
    path = tmp_path / "results.db"
    with open_database(path) as database:
        database.add_calculations([calculation])
        database.add_campaign("synthetic", {})
        database.add_candidates("synthetic", [collector("Cu", fingerprint="ab" * 32)])
    text = body_of(report_of(path))
    assert "1, with 11 force evaluations in 1.5 minutes" in text
    assert "lithiophile 9.9.9" in text


def test_a_candidate_without_an_interface_says_why(tmp_path):
    failed = collector("Cu", adhesion=None, failures={"work_of_adhesion_j_m2": "no match"})
    bare = failed.model_copy(update={"interface_structure": None})
    path = tmp_path / "results.db"
    with open_database(path) as database:
        database.add_campaign("synthetic", {})
        database.add_candidates("synthetic", [collector("Au"), bare])
    assert "No structure: no match" in body_of(report_of(path))


def test_only_the_last_run_of_a_campaign_counts(filled):
    campaign = parse_campaign(CAMPAIGN, "x.yaml")
    with open_database(filled) as database:
        again = [collector("Cu")]
        database.add_candidates("synthetic", again)
        store_campaign(database, campaign, CAMPAIGN, again)
        assert [d.host for d in load_campaign(database).documents] == ["Cu"]
