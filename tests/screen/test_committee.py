"""Several potentials on the same candidates: from the campaign file to ranking and report."""

import csv
import io
import math

import pytest

from results.database import open_database
from results.documents import Potential
from screen.campaign_file import parse_campaign
from screen.candidates import candidate_of, ranked_screen
from screen.committee import committee_candidates, committee_names
from screen.criteria import DEFAULT_COLLECTOR_CRITERIA
from screen.errors import CampaignError
from screen.ranking_output import as_csv, as_dict
from screen.report import report_html
from screen.run import potential_settings, run_campaign
from screen.stored import load_campaign
from tests.screen.synthetic import SYNTHETIC, collector

OTHER = Potential(**{**SYNTHETIC.model_dump(), "name": "other", "sha256": "7" * 64})
CAMPAIGN = """\
name: committee
potential: [mini, {name: mini, dtype: float32}]
screens: {collectors: {hosts: [Cu, Au]}}
"""


def documents(potential, shift):
    return [
        collector("Cu", adhesion=0.9 + shift, potential=potential, campaign="committee"),
        collector("Au", adhesion=1.4 - shift, potential=potential, campaign="committee"),
    ]


def ranked(committee=True):
    both = documents(SYNTHETIC, 0.0) + documents(OTHER, 0.2)
    return ranked_screen("collectors", both, DEFAULT_COLLECTOR_CRITERIA, committee=committee)


def test_the_mean_is_ranked_and_the_spread_is_its_error():
    listed = {row["host"]: row for row in as_dict(ranked())["candidates"]}
    copper = listed["Cu"]
    assert copper["work_of_adhesion_j_m2"] == pytest.approx(1.0)
    spread = 0.2 / math.sqrt(2)  # of 0.9 and 1.1, n - 1
    own = math.hypot(0.02, 0.02) / 2  # of the mean of two with 0.02 each
    assert copper["work_of_adhesion_j_m2_error"] == pytest.approx(math.hypot(spread, own))
    assert copper["li_binding_ev_error"] is None  # both say the same and neither knows an error


def test_what_each_potential_says_stays_apart():
    screen = ranked()
    (row, *_) = as_dict(screen)["candidates"]
    assert {
        name: values["work_of_adhesion_j_m2"] for name, values in row["by_potential"].items()
    } == ({"synthetic": pytest.approx(1.4), "other": pytest.approx(1.2)})
    (line, *_) = csv.DictReader(io.StringIO(as_csv(screen)))
    assert float(line["work_of_adhesion_j_m2 (other)"]) == pytest.approx(1.2)
    assert line["potential"] == "synthetic + other"
    assert [one["name"] for one in screen.potential["committee"]] == ["synthetic", "other"]


def test_where_one_fails_the_committee_says_which():
    good, bad = (
        collector("Cu"),
        collector(
            "Cu", adhesion=None, potential=OTHER, failures={"work_of_adhesion_j_m2": "no match"}
        ),
    )
    alone = collector("Au")
    found = {
        one.identity[0]: one
        for one in committee_candidates(
            {
                "synthetic": [candidate_of(good), candidate_of(alone)],
                "other": [candidate_of(bad)],
            }
        )
    }
    assert found["Cu"].values["work_of_adhesion"] is None
    assert found["Cu"].failures["work_of_adhesion"] == "other: no match"
    assert found["Cu"].values["li_binding"] == -0.2
    assert found["Au"].failures["li_binding"] == "other: no result"


def test_potentials_that_are_no_committee_are_never_mixed():
    with pytest.raises(CampaignError, match="name one of them"):
        ranked(committee=False)


def test_members_of_one_name_are_told_apart():
    single = SYNTHETIC.model_copy(update={"dtype": "float32"})
    assert committee_names([SYNTHETIC, single]) == ["synthetic float64", "synthetic float32"]
    assert committee_names([SYNTHETIC, OTHER]) == ["synthetic", "other"]


def test_a_campaign_names_its_committee():
    campaign = parse_campaign(CAMPAIGN, "x.yaml")
    assert [(one.name, one.dtype) for one in campaign.potentials] == [
        ("mini", None),
        ("mini", "float32"),
    ]
    assert [one.dtype for one in potential_settings(campaign)] == [None, "float32"]
    single = parse_campaign(CAMPAIGN.replace("[mini, {name: mini, dtype: float32}]", "mini"), "x")
    assert [one.name for one in single.potentials] == ["mini"]


@pytest.mark.parametrize(
    ("potential", "message"),
    [
        ("[mini, mini]", "item 1 repeats mini"),
        ("[mini, {name: mini, device: cuda}]", "item 1 repeats mini"),
        ("[mini]", "potential"),
        ("[mini, {nam: chgnet}]", "did you mean 'name'"),
        ("[mini, 3]", r"potential\[1\]"),
    ],
)
def test_a_wrong_committee_is_one_line(potential, message):
    text = CAMPAIGN.replace("[mini, {name: mini, dtype: float32}]", potential)
    with pytest.raises(CampaignError, match=message) as raised:
        parse_campaign(text, "x.yaml")
    assert "\n" not in str(raised.value)


def test_a_run_asks_each_potential_and_ranks_them_together(tmp_path, monkeypatch):
    asked = []

    def computed(flow, *_):
        settings = next(
            value
            for job in flow.jobs
            for value in (*job.function_args, *job.function_kwargs.values())
            if hasattr(value, "dtype") and hasattr(value, "trust")
        )
        asked.append(settings.dtype)
        potential = SYNTHETIC if settings.dtype is None else OTHER
        return documents(potential, 0.0 if settings.dtype is None else 0.2)

    monkeypatch.setattr("screen.run.run_flow", computed)
    path = str(tmp_path / "results.db")
    campaign = parse_campaign(CAMPAIGN, "x.yaml")
    with open_database(path) as database:
        run_campaign(campaign, CAMPAIGN, database, path, lambda _: None)
        stored = load_campaign(database)
        assert len(stored.documents) == 4
        html = report_html(stored, database)
        alone = load_campaign(database, potential="other").ranked("collectors")
    assert asked == [None, "float32"]
    assert stored.ranked("collectors").potential["name"] == "synthetic + other"
    assert "Each potential" in html
    assert "1.400 ± 0.020" not in html
    assert as_dict(alone)["candidates"][0]["work_of_adhesion_j_m2"] == pytest.approx(1.2)
