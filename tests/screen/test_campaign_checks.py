"""Campaigns held against the crystal library and the elements a potential covers."""

import pytest

from screen.campaign_checks import check_crystals, check_elements
from screen.campaign_file import parse_campaign, quickstart_file, read_text
from screen.errors import CampaignError
from screen.facet_sections import facets_of
from structures.crystal_library import crystal

TEXT = """\
name: a
potential: mini
screens: {collectors: {hosts: [Cu, Zn, graphene], facets: {Cu: [[1, 1, 1], [1, 0, 0]]}}}
"""


def campaign(old="", new=""):
    assert old in TEXT
    return parse_campaign(TEXT.replace(old, new, 1), "x.yaml")


def test_accepts_hosts_and_facets_of_the_library():
    check_crystals(campaign(), "x.yaml")
    check_crystals(campaign("Cu: [", "Zn: [[0, 0, 0, 1]], Cu: ["), "x.yaml")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "Zn",
            "Cuu",
            "screens.collectors.hosts[1] = 'Cuu': is not in the library; nearest: Cu, CuS, CuO",
        ),
        (
            "Zn",
            "wqwqwq",
            "screens.collectors.hosts[1] = 'wqwqwq': is not in the library; "
            "`lithiophile structures list` shows the library",
        ),
    ],
)
def test_an_unknown_host_is_named_with_the_nearest_known_one(old, new, message):
    with pytest.raises(CampaignError) as caught:
        check_crystals(campaign(old, new), "x.yaml")
    assert str(caught.value) == f"x.yaml: {message}"


def test_four_indices_need_a_hexagonal_host():
    with pytest.raises(CampaignError, match=r"facets\.Cu\[0\] = \[0, 0, 0, 1\]: .*not hexagonal"):
        check_crystals(campaign("[1, 1, 1]", "[0, 0, 0, 1]"), "x.yaml")


def test_a_sheet_has_one_facet():
    with pytest.raises(CampaignError, match=r"facets\.graphene\[0\] = \[1, 1, 1\]: .*sheet"):
        check_crystals(campaign("Cu: [", "graphene: ["), "x.yaml")


def test_a_cif_file_is_a_host(tmp_path, monkeypatch):
    crystal("LiF").to(filename=str(tmp_path / "mine.cif"))
    monkeypatch.chdir(tmp_path)
    for name in ("mine.cif", tmp_path / "mine.cif"):
        asked = campaign("Zn", f'"{name}"')
        # Jobs run in other folders than the one the campaign was read in.
        assert asked.screens.collectors.hosts[1] == str(tmp_path / "mine.cif")
        check_crystals(asked, "x.yaml")
        with pytest.raises(CampaignError, match="does not cover F;"):
            check_elements(asked, "mini", "x.yaml", {"Li", "Cu", "C"})


def test_a_crystal_that_cannot_be_had_says_why_in_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LITHIOPHILE_CACHE", str(tmp_path))
    monkeypatch.delenv("MP_API_KEY", raising=False)
    for name, reason in (("none.cif", "cannot be read"), ("mp-149", "needs a key")):
        with pytest.raises(CampaignError) as caught:
            check_crystals(campaign("Zn", name), "x.yaml")
        assert str(caught.value).startswith("x.yaml: screens.collectors.hosts[1] = '")
        assert f"{name}': {reason}" in str(caught.value)
        assert "\n" not in str(caught.value)


def test_the_potential_must_cover_every_host_and_lithium():
    check_elements(campaign(), "mini", "x.yaml", {"Li", "Cu", "Zn", "C"})
    with pytest.raises(CampaignError) as caught:
        check_elements(campaign(), "mini", "x.yaml", {"Li", "Cu", "C"})
    assert str(caught.value).startswith(
        "x.yaml: screens.collectors.hosts[1] = 'Zn': potential 'mini' does not cover Zn; "
    )
    with pytest.raises(CampaignError, match="does not cover Li"):
        check_elements(campaign(), "mini", "x.yaml", {"Cu", "Zn", "C"})


def test_the_quickstart_is_a_campaign_and_the_example():
    quickstart = parse_campaign(read_text(quickstart_file()), "quickstart.yaml")
    check_crystals(quickstart, "quickstart.yaml")
    collectors = quickstart.screens.collectors
    assert collectors.hosts == ["Cu", "Ni", "Al", "Ag", "Au", "Mg", "Zn"]
    assert facets_of(collectors.facets, "Cu") == [[1, 1, 1], [1, 0, 0], [1, 1, 0]]
    assert {facets_of(collectors.facets, host) for host in collectors.hosts[1:]} == {"close_packed"}
    from pathlib import Path

    example = Path(__file__).parents[2] / "examples" / "quickstart.yaml"
    assert example.read_text() == quickstart_file().read_text()
