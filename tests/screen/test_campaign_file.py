"""Reading campaign files: what a good one means, and one line for each bad one."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from screen.campaign import Campaign, Limits
from screen.campaign_file import parse_campaign, read_text
from screen.errors import CampaignError
from screen.facet_sections import MaxIndex, facets_of

no_deadline = settings(deadline=None)  # a busy machine is no failure

GOOD = """\
name: try-out
potential: mini
screens:
  collectors: {hosts: [Cu, Ni, Mg], facets: {Cu: [[1,1,1],[1,0,0]], Mg: [[0,0,0,1]]}}
limits: {max_interface_atoms: 150, max_strain: 0.03}
ranking: {collectors: {work_of_adhesion: max, li_binding: {direction: min, at_most: 0.1}}}
"""

SHORTEST = "name: a\npotential: mini\nscreens: {collectors: {hosts: [Cu]}}\n"


def test_reads_what_is_written():
    campaign = parse_campaign(GOOD, "x.yaml")
    assert campaign.potential.name == "mini"
    assert campaign.screens.collectors.hosts == ["Cu", "Ni", "Mg"]
    assert facets_of(campaign.screens.collectors.facets, "Cu") == [[1, 1, 1], [1, 0, 0]]
    assert facets_of(campaign.screens.collectors.facets, "Mg") == [[0, 0, 0, 1]]
    assert facets_of(campaign.screens.collectors.facets, "Ni") == "close_packed"
    assert campaign.limits == Limits(max_interface_atoms=150, max_strain=0.03)
    first, second = campaign.ranking.criteria("collectors")
    assert (first.quantity.name, first.direction, first.at_most) == (
        "work_of_adhesion",
        "max",
        None,
    )
    assert (second.quantity.name, second.direction, second.at_most) == ("li_binding", "min", 0.1)


def test_the_shortest_campaign_has_defaults():
    campaign = parse_campaign(SHORTEST, "x.yaml")
    assert campaign.screens.collectors.facets == "close_packed"
    assert campaign.limits.max_strain == 0.04
    assert [(c.quantity.name, c.direction) for c in campaign.ranking.criteria("collectors")] == [
        ("work_of_adhesion", "max"),
        ("li_binding", "min"),
        ("adatom_barrier", "min"),
    ]


def test_several_screens_each_with_its_ranking():
    text = GOOD.replace("screens:\n", "screens:\n  seeds: {elements: [Ag, Au]}\n")
    text = text.replace("ranking: {", "ranking: {seeds: {li_binding: min}, ")
    campaign = parse_campaign(text, "x.yaml")
    assert campaign.screens.asked == ("collectors", "seeds")
    assert [c.quantity.name for c in campaign.ranking.criteria("seeds")] == ["li_binding"]
    assert len(campaign.ranking.criteria("collectors")) == 2


def test_seeds_alone_are_a_campaign_and_the_example_reads():
    example = Path(__file__).parents[2] / "examples" / "seeds.yaml"
    campaign = parse_campaign(read_text(example), "seeds.yaml")
    assert campaign.screens.asked == ("seeds",)
    assert campaign.screens.seeds.elements == ["Ag", "Au", "Zn", "Mg", "Al", "Sn"]
    assert campaign.screens.seeds.decorations is None


def test_no_screen_is_no_campaign():
    with pytest.raises(CampaignError, match="names no screen; choose from collectors, seeds"):
        parse_campaign("name: a\npotential: mini\nscreens: {}\n", "x.yaml")


@pytest.mark.parametrize(
    ("facets", "meaning"),
    [
        ("[[1, 1, 5]]", [[1, 1, 5]]),
        ("close_packed", "close_packed"),
        ("{max_index: 1}", MaxIndex(max_index=1)),
    ],
)
def test_facets_for_all_hosts(facets, meaning):
    text = SHORTEST.replace("[Cu]}", f"[Cu], facets: {facets}}}")
    facets = parse_campaign(text, "x.yaml").screens.collectors.facets
    assert facets_of(facets, "Cu") == meaning


def test_a_potential_may_be_a_mapping():
    text = SHORTEST.replace("mini", "{name: weights.model, dtype: float32, trust: true}")
    potential = parse_campaign(text, "x.yaml").potential
    assert (potential.name, potential.dtype, potential.trust) == ("weights.model", "float32", True)
    assert potential.device == "cpu"


def test_a_campaign_survives_json():
    campaign = parse_campaign(GOOD, "x.yaml")
    assert Campaign.model_validate_json(campaign.model_dump_json()) == campaign


@pytest.mark.parametrize(
    ("old", "new", "field", "mend"),
    [
        ("[Cu, Ni, Mg]", "[]", "screens.collectors.hosts = []", "name at least one"),
        ("[Cu, Ni, Mg]", "[Cu, Cu]", "screens.collectors.hosts = ['Cu', 'Cu']", "remove it"),
        ("[Cu, Ni, Mg]", "Cu", "screens.collectors.hosts = 'Cu'", "hosts: [Cu, Ni, Al]"),
        ("[Cu, Ni, Mg]", "[Cu, 1]", "screens.collectors.hosts[1] = 1", "should be a valid string"),
        ("hosts", "host", "screens.collectors.host: unknown key", "did you mean 'hosts'?"),
        ("[1,0,0]", "[0,0,0]", "facets.Cu[1] = [0, 0, 0]", "[1, 1, 1]"),
        ("[1,0,0]", "[1,0]", "facets.Cu[1] = [1, 0]", "three or four indices"),
        ("[1,0,0]", "[1,0,0.5]", "facets.Cu[1][2] = 0.5", "valid integer"),
        ("[1,0,0]", "[1,1,1]", "facets.Cu = [[1, 1, 1], [1, 1, 1]]", "remove it"),
        ("[0,0,0,1]", "[1,0,0,1]", "facets.Mg[0] = [1, 0, 0, 1]", "use [1, 0, -1, 1]"),
        ("[[0,0,0,1]]", "dense", "facets.Mg = 'dense'", "'close_packed'"),
        ("Mg: [[", "Mgg: [[", "facets.Mgg: not among the hosts", "did you mean 'Mg'?"),
        ("0.03", "-0.03", "limits.max_strain = -0.03", "greater than 0"),
        ("0.03", ".nan", "limits.max_strain = nan", "finite"),
        ("150", "true", "limits.max_interface_atoms = True", "integer"),
        ("limits", "limit", "limit: unknown key", "did you mean 'limits'?"),
        ("name: try-out\n", "", "name: missing", "for example name:"),
        ("try-out", "../up", "name = '../up'", "letters, digits"),
        ("mini", "{name: mini, dtype: float46}", "potential.dtype = 'float46'", "'float64'"),
        ("mini", "3", "potential = 3", "for example potential: mini"),
        ("work_of_adhesion", "work_adhesion", "ranking.collectors.work_adhesion", "work_of_adh"),
        ("max,", "more,", "ranking.collectors.work_of_adhesion = 'more'", "'max' or 'min'"),
        ("at_most", "at_mots", "li_binding.at_mots: unknown key", "did you mean 'at_most'?"),
        ("at_most: 0.1", "at_most: 0.1, at_least: 1.0", "ranking.collectors.li_binding", "swap"),
        ("  collectors: {h", "  colectors: {h", "screens.colectors", "did you mean 'collectors'?"),
        ("screens:", "screens:\n  seeds: {}", "screens.seeds.elements: missing", "[Ag, Au, Zn]"),
        ("screens:", "screens:\n  seeds: {elements: []}", "screens.seeds.elements", "at least one"),
        ("collectors: {work", "coatings: {}, collectors: {work", "ranking.coatings", "at least"),
        ("[1,0,0]", "[1,0,0", "line 4", "mend the YAML"),
        ("limits:", "\tlimits:", "line 5", "mend the YAML"),
        ("name:", "name: b\nname:", "line 2", "duplicate key"),
        ("try-out", "!!python/object:os.system x", "line 1", "mend the YAML"),
        ("try-out", "2001-99-99", "unreadable YAML", "mend"),
    ],
)
def test_each_mistake_is_one_line_with_field_value_and_mend(old, new, field, mend):
    assert old in GOOD
    with pytest.raises(CampaignError) as caught:
        parse_campaign(GOOD.replace(old, new, 1), "x.yaml")
    message = str(caught.value)
    assert message.startswith("x.yaml: ")
    assert field in message
    assert mend in message
    assert "\n" not in message
    assert len(message) < 300


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "- a\n", "just words", "[" * 100_000, "- " * 3000]
)
def test_what_is_no_campaign_says_so(text):
    with pytest.raises(CampaignError, match=r"^x\.yaml: "):
        parse_campaign(text, "x.yaml")


def test_repeated_aliases_do_not_fill_the_message():
    bomb = "a0: &a0 [x, x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30)
    )
    with pytest.raises(CampaignError) as caught:
        parse_campaign(bomb, "x.yaml")
    assert len(str(caught.value)) < 300


def test_unreadable_files(tmp_path):
    with pytest.raises(CampaignError, match="no such file"):
        read_text(tmp_path / "none.yaml")
    with pytest.raises(CampaignError, match="is a directory"):
        read_text(tmp_path)
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"name: a\npotential: \xe4\n")
    with pytest.raises(CampaignError, match="line 2: not UTF-8"):
        read_text(latin)


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just("Cu")
)
keys = st.one_of(
    st.sampled_from(
        ["name", "potential", "screens", "collectors", "hosts", "facets", "limits", "ranking"]
    ),
    st.text(max_size=4),
)
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4)
)


def is_a_campaign_or_one_line(text):
    try:
        parse_campaign(text, "x.yaml")
    except CampaignError as error:
        return "\n" not in str(error)
    return True


@no_deadline
@given(documents)
def test_any_document_is_a_campaign_or_one_line(document):
    assert is_a_campaign_or_one_line(json.dumps(document))


@no_deadline
@given(st.text(max_size=60))
def test_any_text_is_a_campaign_or_one_line(text):
    assert is_a_campaign_or_one_line(text)
