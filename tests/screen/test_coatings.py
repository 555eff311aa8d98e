"""The coating screen's section, its ranking and its part of the report."""

import pytest

from results.database import open_database
from results.documents import Evidence
from screen.campaign_checks import check_crystals, check_elements
from screen.campaign_file import parse_campaign, without_funnel
from screen.candidates import ranked_screen
from screen.coatings import competing_phases, maker
from screen.criteria_coatings import DEFAULT_COATING_CRITERIA
from screen.errors import CampaignError
from screen.report import report_html
from screen.report_coatings import funnel_counts, section
from screen.stored import StoredCampaign
from structures import crystal
from tests.screen.synthetic_seeds import seed
from tests.workflows.test_coating_judging import judged
from workflows.coating_funnel import Funnel
from workflows.settings import PotentialSettings, StoreSettings

TEXT = """\
name: a
potential: mini
screens:
  coatings: {electrolytes: [Li6PS5Cl, Li3PS4], coatings: [LiF, Li2S]}  # two of each
"""


def campaign(old="", new=""):
    assert old in TEXT
    return parse_campaign(TEXT.replace(old, new, 1), "x.yaml")


def refusal(old, new):
    with pytest.raises(CampaignError) as caught:
        check_crystals(campaign(old, new), "x.yaml")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("x.yaml: screens.coatings.")
    return message.removeprefix("x.yaml: screens.coatings.")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("LiF", "LiFF", "coatings[0] = 'LiFF': is not in the library; nearest: LiF"),
        (
            "Li6PS5Cl",
            "Li6PS5Clx",
            "electrolytes[0] = 'Li6PS5Clx': is not in the library; nearest: Li6PS5Cl",
        ),
        (
            "LiF",
            "gamma-Li3PS4",
            "coatings[0] = 'gamma-Li3PS4': is the electrolyte 'Li3PS4'; remove one of them",
        ),
        ("LiF", "Li", "coatings[0] = 'Li': is lithium itself; give a compound"),
        (
            "LiF, Li2S]",
            "LiF], cathode: Al2O3",
            "cathode = 'Al2O3': holds no lithium; give the lithiated cathode, such as LiCoO2",
        ),
        ("LiF", "graphene", "coatings[0] = 'graphene': is a single sheet"),
    ],
)
def test_bad_crystals_are_one_line_with_the_mend(old, new, message):
    assert refusal(old, new).startswith(message)


def test_an_electrolyte_without_an_ordered_approximant_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    disordered = crystal("Li6PS5Cl")
    disordered.replace_species({"Li": {"Li": 0.5}})
    disordered.to(filename="argyrodite.cif")
    assert refusal("Li6PS5Cl", "argyrodite.cif").endswith(
        "has partly occupied sites (Li:0.5); order it first (pymatgen's "
        "OrderDisorderedStructureTransformation) and give the ordered CIF"
    )


def test_a_hull_without_a_reference_is_refused_before_computing(monkeypatch):
    monkeypatch.setattr(
        "structures.crystal_library.crystal_names_within",
        lambda elements: [] if set(elements) == {"F"} else ["something"],
    )
    assert refusal("LiF", "LiF").startswith("coatings[0] = 'LiF': its hull has no reference for F")


def test_a_voltage_range_upside_down_is_refused():
    with pytest.raises(CampaignError, match=r"voltage = .*upside down; give .*\[0\.0, 4\.2\]"):
        campaign("coatings: [LiF", "voltage: [4.2, 0.0], coatings: [LiF")


def test_elements_that_the_potential_lacks_are_named():
    with pytest.raises(CampaignError, match=r"coatings\[0\] = 'LiF': potential 'x' .* cover F"):
        check_elements(campaign(), "x", "x.yaml", {"Li", "P", "S", "Cl"})


def test_the_hull_is_of_the_systems_that_meet_and_of_bcc_lithium():
    phases = competing_phases(campaign().screens.coatings)
    assert phases[0] == "Li"
    assert {"P", "S", "F2", "Cl2", "LiF", "Li2S", "Li3P", "Li6PS5Cl", "P2S5"} <= set(phases)
    assert not {"Li-fcc", "Li-hcp", "N2", "Li2O"} & set(phases)


def test_the_funnel_is_the_campaigns():
    asked = campaign("coatings: [LiF", "funnel: {max_reduction_limit: 0.5}, coatings: [LiF")
    made = maker(asked, PotentialSettings(), StoreSettings())
    assert made.funnel == Funnel(max_reduction_limit=0.5)
    text = without_funnel(TEXT, "x.yaml")
    assert "# two of each" in text
    bare = parse_campaign(text, "x.yaml")
    assert maker(bare, PotentialSettings(), StoreSettings()).funnel is None


def test_no_funnel_needs_a_coating_screen():
    with pytest.raises(CampaignError, match="there is no coating screen"):
        without_funnel("name: a\npotential: mini\nscreens: {collectors: {hosts: [Cu]}}\n", "x")


@pytest.fixture(scope="module")
def documents():
    """Three coatings, one of which the funnel stopped; the others with made-up dear numbers."""
    found = []
    for document in judged(funnel=Funnel()).every():
        dear = {"migration_barrier_ev": 0.4, "work_of_adhesion_j_m2": 0.2}
        if not document.rejections:
            evidence = document.evidence | dict.fromkeys(dear, Evidence(converged=True))
            document = document.model_copy(update={**dear, "evidence": evidence})
        found.append(document)
    return found


@pytest.fixture(scope="module")
def ranked(documents):
    return ranked_screen("coatings", documents, DEFAULT_COATING_CRITERIA)


def test_what_the_funnel_stopped_is_listed_with_its_number(ranked):
    (stopped,) = ranked.ranking.below_threshold
    assert stopped.candidate.facts == {"coating": "Li3P", "electrolyte": "Li6PS5Cl"}
    assert stopped.reason.startswith("reaction energy with the electrolyte -0.193 eV/atom is under")
    assert not ranked.ranking.unconverged


def test_the_bare_electrolyte_is_ranked_beside_its_coatings(ranked):
    names = [entry.candidate.facts["coating"] for entry in ranked.ranking.ranked]
    assert sorted(names) == ["Li2S", "LiCl", "bare"]
    assert names[-1] == "bare"


def test_funnel_counts_what_is_left(documents):
    assert funnel_counts(documents) == [
        ("all coatings", 3),
        ("reaction energy with the electrolyte (−0.1 eV/atom)", 2),
    ]


def test_the_report_draws_the_funnel_the_reactions_and_the_windows(documents, ranked):
    shown = section(documents, ranked)
    figures = {figure.place: figure for figure in shown.figures}
    assert set(figures) == {"coatings-funnel", "coatings-reactions", "coatings-windows"}
    reactions = figures["coatings-reactions"].figure["data"][0]
    row = reactions["y"].index("Li3P on Li6PS5Cl")
    column = reactions["x"].index("electrolyte")
    assert reactions["z"][row][column] == pytest.approx(-11.4 / 59)
    assert "P" in reactions["customdata"][row][column].split(", ")
    windows = figures["coatings-windows"].figure["data"][0]
    bare = windows["y"].index("Li6PS5Cl")
    assert windows["base"][bare] == pytest.approx(1.76)
    assert windows["x"][bare] == pytest.approx(2.1 - 1.76)
    assert len(shown.details) == len(documents)


def test_the_report_shows_the_profile_of_the_decisive_hop(documents, ranked):
    (hop,) = seed("Au").migrations[0].hops
    other = hop.model_copy(update={"decisive": False})
    extra = hop.model_copy(update={"kind": "interstitial"})
    (detail,) = section(
        [documents[0].model_copy(update={"hops": (hop, other, extra)})], ranked
    ).details
    assert [curve.title for curve in detail.curves] == ["Li hop, vacancy", "Li hop, interstitial"]
    assert detail.curves[0].y == hop.profile.energies_ev


def test_the_whole_report_is_written(documents, tmp_path):
    stored = StoredCampaign("by-hand", None, "", tuple(documents))
    with open_database(tmp_path / "results.db") as database:
        page = report_html(stored, database)
    assert "Coatings between electrolytes and lithium" in page
    for place in ("coatings-funnel", "coatings-reactions", "coatings-windows"):
        assert f'id="{place}"' in page
    assert "reaction energy with the electrolyte -0.193 eV/atom is under the threshold" in page


def test_documents_come_back_from_the_database(documents, tmp_path):
    with open_database(tmp_path / "results.db") as database:
        database.add_campaign("by hand", {})
        database.add_candidates("by hand", documents)
        assert database.candidates("electrolyte=Li6PS5Cl host=Li2S") == [
            document for document in documents if document.coating == "Li2S"
        ]
        assert len(database.query("screen=coatings reaction_energy>-0.1")) == 2
