"""What the README shows works as it stands there."""

import re
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found is not None
    return found.group(1)


def test_its_campaign_is_valid():
    from screen.campaign_checks import check_crystals
    from screen.campaign_file import parse_campaign

    campaign = parse_campaign(block("yaml"), "README.md")
    check_crystals(campaign, "README.md")
    assert campaign.screens.collectors.hosts == ["Cu", "Ni", "Al"]


def test_its_notebook_cells_run(tmp_path, monkeypatch):
    from results import open_database

    monkeypatch.chdir(tmp_path)
    with open_database("lithiophile.db"):
        pass
    names: dict = {}
    exec(compile(block("python"), "README.md", "exec"), names)
    assert {slab.miller_index for slab in names["slabs"]} == {(1, 1, 1), (1, 0, 0), (1, 1, 0)}
    assert all(result.converged and result.failure is None for result in names["relaxed"])
    assert names["models"][0].film_host == "Li"
    assert len(names["table"]) == 0


def test_structures_may_be_pymatgen_or_ase():
    from ase.build import bulk

    from potentials import load_potential
    from structures import crystal, facets

    potential = load_potential("mini", device="cpu", dtype="float64")
    atoms = bulk("Cu", cubic=True, a=3.6)
    given = [crystal("Cu"), atoms]
    batched = potential.engine().evaluate(given)
    one_by_one = potential.engine("ase").evaluate(given)
    atoms.calc = potential.ase_calculator()
    assert batched[1].energy == pytest.approx(atoms.get_potential_energy(), abs=1e-6)
    assert [r.energy for r in batched] == pytest.approx([r.energy for r in one_by_one], abs=1e-6)
    assert {slab.miller_index for slab in facets(atoms, miller_indices=[[1, 1, 5]])} == {(1, 1, 5)}


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#:]+)\)", README))
def test_its_links_lead_somewhere(target):
    assert (Path(__file__).parents[1] / target).exists()
