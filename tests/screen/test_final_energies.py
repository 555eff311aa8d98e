"""A campaign whose energies come from a second potential, from its file to ranking and report."""

import importlib.util

import numpy as np
import pytest

from potentials import load_potential
from potentials.conversion import to_atoms
from results.database import open_database
from results.documents import PathDocument, as_structure
from results.quantities import EV_PER_A2_IN_J_PER_M2
from screen.campaign_file import parse_campaign
from screen.cli import main
from screen.errors import CampaignError
from screen.run import check_campaign, potential_settings, run_campaign
from structures.models import in_plane_area
from workflows.settings import PotentialSettings, engine_for
from workflows.teacher_energies import teacher_phases

TEXT = """\
name: final
potential: mini
final_energies: mini-pbe
screens: {collectors: {hosts: [Cu], facets: [[1, 0, 0]]}}
limits: {max_interface_atoms: 40, max_strain: 0.1}
slab: {thickness: 5.0, vacuum: 10.0}
relaxation: {fmax: 0.1}
neb: {images: 1, fmax: 0.2}
"""


def campaign(old="", new=""):
    assert old in TEXT
    return parse_campaign(TEXT.replace(old, new, 1), "x.yaml")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("final") / "results.db"


@pytest.fixture(scope="module")
def runs(path):
    """The candidate without final energies, and with them, of one campaign in one database."""
    found = []
    for asked in (campaign("final_energies: mini-pbe\n"), campaign()):
        with open_database(path) as database:
            check_campaign(asked, "x.yaml")
            events = []
            found.append(run_campaign(asked, TEXT, database, str(path), events.append)[0])
            assert not any(event.reused for event in events)  # nothing of the other run
    return found


@pytest.fixture(scope="module")
def calculator():
    return load_potential("mini-pbe").ase_calculator()


def energies_at(path, document, quantity, calculator):
    """The calculator's energies of the structures that a quantity came from."""

    def energy(structure):
        atoms = to_atoms(as_structure(structure))
        atoms.calc = calculator
        return atoms.get_potential_energy()

    with open_database(path) as database:
        fingerprints = document.evidence[quantity].fingerprints
        found = database.find(fingerprints)
    behind = [found[one] for one in fingerprints]
    if isinstance(behind[0], PathDocument):
        return [energy(image) for image in behind[0].images]
    return [energy(one.final_structure) for one in behind]


def test_differences_are_those_of_the_second_potential_at_the_structures_of_the_first(
    path, runs, calculator
):
    plain, final = runs
    assert final.converged
    film, substrate, both = energies_at(path, final, "work_of_adhesion_j_m2", calculator)
    area = in_plane_area(as_structure(final.interface_structure))
    w = (film + substrate - both) / area * EV_PER_A2_IN_J_PER_M2
    assert final.work_of_adhesion_j_m2 == pytest.approx(w, abs=1e-6)
    assert abs(w - plain.work_of_adhesion_j_m2) > 0.05
    adatom, bare, lithium = energies_at(path, final, "li_binding_ev", calculator)
    atoms = 2  # of the conventional cell of lithium
    assert final.li_binding_ev == pytest.approx(adatom - bare - lithium / atoms, abs=1e-6)
    assert abs(final.li_binding_ev - plain.li_binding_ev) > 0.02
    images = energies_at(path, final, "adatom_barrier_ev", calculator)
    assert final.adatom_barrier_ev == pytest.approx(max(images) - min(images[0], images[-1]))
    assert final.adatom_barrier_ev != pytest.approx(plain.adatom_barrier_ev, abs=1e-3)
    slab, bulk = energies_at(path, final, "surface_energy_j_m2", calculator)
    n_slab, n_bulk = len(final.slab_structure["sites"]), 4
    gamma = (slab - bulk * n_slab / n_bulk) / 2 * EV_PER_A2_IN_J_PER_M2
    area = in_plane_area(as_structure(final.slab_structure))
    assert final.surface_energy_j_m2 == pytest.approx(gamma / area, abs=1e-6)
    # The structures are the first one's.
    one, other = (as_structure(each.slab_structure) for each in (plain, final))
    assert np.array_equal(one.frac_coords, other.frac_coords)


def test_ranking_query_and_report_say_who_gave_what(path, runs, tmp_path, capsys):
    plain, final = runs
    assert (plain.potential.name, final.potential.name) == ("mini", "mini-pbe on mini")
    for name in ("mini", "mini-pbe"):
        assert load_potential(name).identity.sha256 in final.potential.parts
    assert "parts" not in plain.potential.model_dump()  # as it was stored before there were two
    main_of("rank", "--db", str(path))
    assert "potential mini-pbe on mini" in capsys.readouterr().out.replace("\n", " ")
    main_of("rank", "--db", str(path), "--potential", "mini", "--format", "csv")
    assert "mini-pbe" not in capsys.readouterr().out
    with open_database(path) as database:
        assert len(database.query("host=Cu")) == 2
        (only,) = database.candidates('potential="mini-pbe on mini"')
    assert only.work_of_adhesion_j_m2 == final.work_of_adhesion_j_m2
    page = tmp_path / "report.html"
    main_of("report", "--db", str(path), "--output", str(page))
    assert final.potential.parts in page.read_text()


def main_of(*arguments):
    with pytest.raises(SystemExit) as caught:
        main([*arguments])
    assert not caught.value.code


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (": mini-pbe", ": mini-pbx", "final_energies = 'mini-pbx': .*mini-pbe"),
        (": mini-pbe", ": mini", "final_energies = 'mini': is the potential itself; remove it"),
        (": mini-pbe", ": {name: mini, trust: true}", "is the potential itself; remove it"),
        (": mini-pbe", ": {name: mini-pbe, head: pbe}", "final_energies = 'mini-pbe': head"),
        (": mini-pbe", ": missing.model", "final_energies = 'missing.model': .*no file"),
        ("potential: mini\n", "potential: [chgnet, mini-pbe]\n", "is the potential itself"),
        ("{hosts: [Cu]", "{hosts: [Ti]", "hosts\\[0\\] = 'Ti': .* does not cover Ti"),
        ("}}\n", "}, wetting: {hosts: [Cu]}}\n", "final_energies = 'mini-pbe': molecular dynamics"),
        ("}}\n", "}, dynamics: {}}\n", "final_energies = 'mini-pbe': molecular dynamics"),
    ],
)
def test_what_cannot_be_is_said_before_anything_runs(old, new, message):
    with pytest.raises(CampaignError, match=message) as caught:
        check_campaign(campaign(old, new), "x.yaml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("new", "message"),
    [
        (": {name: mini-pbe, device: cpu}", "final_energies.device: unknown key"),
        (": [mini-pbe, chgnet]", "final_energies = "),
        (": {dtype: float32}", "final_energies.name: "),
        (": 3", "final_energies = 3: "),
    ],
)
def test_a_field_that_is_wrong_is_named(new, message):
    with pytest.raises(CampaignError) as caught:
        campaign(": mini-pbe", new)
    assert str(caught.value).startswith(f"x.yaml: {message}")
    assert "\n" not in str(caught.value)


def test_what_only_the_second_potential_lacks_is_told_apart():
    asked = campaign("[Cu]", "[Ti]").model_copy(update={"potential": campaign().potential})
    titanium = asked.model_dump() | {"potential": {"name": "chgnet"}}
    with pytest.raises(CampaignError, match="final_energies 'mini-pbe' does not cover Ti"):
        check_campaign(type(asked).model_validate(titanium), "x.yaml")


def test_a_missing_extra_is_one_line(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr("potentials.chgnet_potential.find_spec", lambda _: None)
    engine_for.cache_clear()
    with pytest.raises(CampaignError) as caught:
        check_campaign(campaign(": mini-pbe", ": chgnet"), "x.yaml")
    assert str(caught.value) == (
        "x.yaml: final_energies = 'chgnet': potential: 'chgnet' is not installed; "
        "`pip install 'lithiophile[chgnet]'`"
    )


def test_jobs_carry_both_potentials_and_one_device():
    text = TEXT.replace("potential: mini", "potential: {name: mini, dtype: float32}", 1)
    (settings,) = potential_settings(parse_campaign(text, "x.yaml"))
    again = PotentialSettings.from_dict(settings.as_dict())
    assert again == settings
    assert again.final_energies == PotentialSettings("mini-pbe")
    potential, engine = engine_for(again)
    assert engine.identity == potential.identity
    assert potential.identity.dtype == "float64"
    assert "structures and forces: mini, float32" in potential.identity.parts


def test_a_hull_is_the_teachers_only_beside_the_teachers_energies():
    assert teacher_phases("mini", ["LiF"], "chgnet") == teacher_phases("mini", ["LiF"])
    assert teacher_phases("mini", ["LiF"], "mini-pbe") is None
