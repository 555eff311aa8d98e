"""The three forms of a ranking hold the same numbers, with their units."""

import csv
import io
import json
import re

import pytest
from rich.console import Console

from results.documents import CollectorDocument, Potential, quantities
from screen.candidates import candidate_of, one_potential, ranked_screen
from screen.criteria import COLLECTOR_QUANTITIES, DEFAULT_COLLECTOR_CRITERIA, Criterion
from screen.errors import CampaignError
from screen.ranking_output import (
    as_csv,
    as_dict,
    as_json,
    as_table,
    facet_text,
    probability_text,
)
from tests.screen.synthetic import SYNTHETIC, collector, collectors

CRITERIA = (
    *DEFAULT_COLLECTOR_CRITERIA[:1],
    Criterion(COLLECTOR_QUANTITIES["li_binding"], "min", at_most=0.1),
    *DEFAULT_COLLECTOR_CRITERIA[2:],
)


@pytest.fixture
def screen():
    return ranked_screen("collectors", collectors(), CRITERIA)


def test_the_quantities_are_those_of_the_documents():
    expected = {(name, key, unit) for key, (name, unit) in quantities(CollectorDocument).items()}
    assert {(q.name, q.key, q.unit) for q in COLLECTOR_QUANTITIES.values()} == expected


def test_json_has_the_published_layout(screen):
    listed = json.loads(as_json([screen]))
    assert listed["screen"] == "collectors"
    assert listed["potential"]["name"] == "synthetic"
    assert listed["potential"]["sha256"] == "5" * 64
    assert listed["units"]["work_of_adhesion_j_m2"] == "J/m²"
    assert [c["rank"] for c in listed["candidates"]] == [1, 2, 3]
    gold = next(c for c in listed["candidates"] if c["host"] == "Au")
    assert gold["miller_index"] == [1, 1, 1]
    assert gold["li_binding_ev"] == -0.85
    assert gold["adatom_barrier_ev"] == 0.12
    assert gold["adatom_barrier_ev_error"] == 0.004
    assert gold["work_of_adhesion_j_m2"] == 1.4
    assert gold["contact_angle_deg"] == 90.0 - 40 * 1.4
    assert gold["converged"] is True


def test_what_failed_or_misses_a_threshold_stands_apart_with_the_reason(screen):
    listed = as_dict(screen)
    assert [(c["host"], c["reason"]) for c in listed["unconverged"]] == [
        ("Zn", "Adatom barrier: NEB diverged after 12 steps")
    ]
    assert [(c["host"], c["reason"]) for c in listed["below_threshold"]] == [
        ("Ni", "Li binding 0.300 eV is over the threshold of 0.1 eV")
    ]
    assert {c["host"] for c in listed["candidates"]} == {"Cu", "Au"}


def test_a_failure_outside_the_criteria_is_flagged_and_does_not_unrank():
    failed = collector("Ag", failures={"surface_energy_j_m2": "slab is polar"})
    screen = ranked_screen("collectors", [failed], CRITERIA)
    (entry,) = as_dict(screen)["candidates"]
    assert entry["converged"] is False
    assert entry["failures"] == {"surface_energy": "slab is polar"}
    assert "slab is polar" in text_of(screen)


def test_csv_repeats_the_json(screen):
    listed = as_dict(screen)
    rows = list(csv.DictReader(io.StringIO(as_csv(screen))))
    expected = [*listed["candidates"], *listed["below_threshold"], *listed["unconverged"]]
    assert len(rows) == len(expected)
    for row, candidate in zip(rows, expected, strict=True):
        assert row["miller_index"] == " ".join(str(i) for i in candidate["miller_index"])
        assert row["potential"] == "synthetic"
        for key in listed["units"]:
            assert (float(row[key]) if row[key] else None) == candidate[key]
    assert [row["status"] for row in rows] == ["ranked"] * 3 + ["below_threshold", "unconverged"]


def text_of(screen):
    console = Console(width=200, file=io.StringIO(), record=True)
    for part in as_table(screen):
        console.print(part)
    return console.export_text()


def test_the_table_shows_the_same_numbers_with_units(screen):
    text = text_of(screen)
    for unit in ("J/m²", "eV", "°"):
        assert unit in text
    for candidate in as_dict(screen)["candidates"]:
        line = next(
            line
            for line in text.splitlines()
            if re.match(rf"\s*{candidate['rank']}\s+{candidate['host']}\b", line)
        )
        assert f"{candidate['li_binding_ev']:.3f}" in line
        assert f"{candidate['work_of_adhesion_j_m2']:.3f} ± 0.020" in line
        assert f"{candidate['contact_angle_deg']:.1f}" in line
    assert "NEB diverged after 12 steps" in text
    assert "over the threshold of 0.1 eV" in text
    assert "Taken as exact where no error is known: Li binding." in text


def test_intervals_and_chances_stand_in_json_csv_and_table(screen):
    listed = as_dict(screen)
    assert listed["uncertainty"]["top"] == 3
    assert listed["uncertainty"]["without_error"] == ["li_binding"]
    (row, *_), text = list(csv.DictReader(io.StringIO(as_csv(screen)))), text_of(screen)
    best = listed["candidates"][0]
    assert best["rank_low"] <= best["rank"] <= best["rank_high"]
    assert best["top_3_probability"] == 1.0
    assert (row["rank_low"], row["rank_high"]) == (str(best["rank_low"]), str(best["rank_high"]))
    assert float(row["top_3_probability"]) == 1.0
    assert re.search(r"1\s+Au\s+\(111\)\s+1(–\d)?\s+100 %", text)


def test_undecided_comparisons_are_named_by_rank():
    documents = [
        collector(host, adhesion=w, binding=-0.2, barrier=0.05)
        for host, w in (("Cu", 1.0), ("Au", 0.99), ("Ni", 0.98), ("Ag", 0.2))
    ]
    only = (Criterion(COLLECTOR_QUANTITIES["work_of_adhesion"], "max"),)
    text = " ".join(text_of(ranked_screen("collectors", documents, only)).split())
    assert "The errors leave 3 of 6 comparisons undecided: 1 against 2–3; 2 against 3." in text


def test_probabilities_are_never_rounded_to_certainty():
    shown = [probability_text(p) for p in (None, 0.0, 0.001, 0.5, 0.999, 1.0)]
    assert shown == ["–", "0 %", "< 1 %", "50 %", "> 99 %", "100 %"]


def test_numbers_of_two_potentials_are_never_ranked_together():
    other = Potential(**{**SYNTHETIC.model_dump(), "name": "other", "sha256": "7" * 64})
    mixed = [collector("Cu"), collector("Cu", potential=other)]
    with pytest.raises(CampaignError, match="name one"):
        ranked_screen("collectors", mixed, CRITERIA)
    assert one_potential(mixed, "other") == [mixed[1]]
    assert one_potential(mixed, "555555") == [mixed[0]]
    with pytest.raises(CampaignError, match="choose from other, synthetic"):
        one_potential(mixed, "third")


def test_nothing_to_rank_says_what_to_do():
    with pytest.raises(CampaignError, match="lithiophile run"):
        ranked_screen("collectors", [], CRITERIA)


def test_a_candidate_keeps_errors_and_failures_by_quantity():
    candidate = candidate_of(collectors()[-1])
    assert candidate.failures == {
        "adatom_barrier": "NEB diverged after 12 steps",
        "adatom_reverse_barrier": "not computed",
        "adatom_barrier_across": "not computed",
        "adatom_anisotropy": "not computed",
        "adatom_lowest_hop": "not computed",
    }
    assert candidate.errors["work_of_adhesion"] == 0.02


@pytest.mark.parametrize(
    ("host", "miller_index", "termination", "text"),
    [
        ("Cu", (1, 1, 1), "Cu", "(111)"),
        ("Cu", (1, -1, 0), "", "(11\u03050)"),
        ("Cu", (1, 1, 10), "", "(1 1 10)"),
        ("Li2O", (0, 0, 1), "O", "(001) O"),
    ],
)
def test_facets_are_written_as_in_papers(host, miller_index, termination, text):
    document = collector(host, miller_index).model_copy(update={"termination": termination})
    assert facet_text(candidate_of(document)) == text


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.12345, None, "0.123"),
        (0.12345, 0.01, "0.123 ± 0.010"),
        (0.12345, 0.000213, "0.123 ± 0.0002"),
        (None, None, "–"),
    ],
)
def test_an_error_is_never_shown_as_nothing(value, error, text):
    assert COLLECTOR_QUANTITIES["li_binding"].text(value, error) == text
