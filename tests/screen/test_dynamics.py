"""Campaign sections, report and film of what moves."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from results.database import open_database
from results.documents import Evidence, Potential
from results.dynamics_documents import (
    ArrheniusLine,
    Average,
    InterfaceDynamicsDocument,
    InterfaceRun,
    MeasuredBonds,
    MeasuredDiffusivity,
    MeasuredSlab,
    WettingDocument,
)
from screen.campaign_checks import check_crystals
from screen.campaign_file import parse_campaign
from screen.dynamics import _best
from screen.errors import CampaignError
from screen.ranking_output import as_dict
from screen.report import report_html
from screen.report_dynamics import section
from screen.stored import load_campaign
from structures import StructureError
from structures.film import film_gif
from tests.screen.synthetic import SYNTHETIC, collector, small_interface
from tests.screen.synthetic_seeds import seed
from workflows.dynamics import film_of, starts_of
from workflows.settings import PotentialSettings

MINI = Potential(name="mini", sha256="0" * 64, head=None, dtype="float32", dispersion=None)
GOOD = Evidence(converged=True, error=2.0, reference_state="500 K")


def wetting(host, angle, state="drop"):
    return WettingDocument(
        campaign="moving",
        host=host,
        elements=(host,),
        miller_index=(1, 1, 1),
        termination=host,
        temperature="500 K",
        potential=MINI,
        evidence=dict.fromkeys(
            ("drop_angle_deg", "height_angle_deg", "young_dupre_angle_deg"), GOOD
        ),
        drop_angle_deg=angle,
        height_angle_deg=angle,
        state=state,
        n_lithium=150,
        time_ps=20,
        windows_ps=(1.0, 2.0),
        angles_deg=(90.0, angle),
        angle_errors_deg=(3.0, None),
        states=("drop", state),
        outline=((-10.0, 4.0), (0.0, 12.0), (10.0, 4.0)),
        heights_a=(0.0, 1.0),
        densities={"Li": (0.01, 0.05)},
        liquid_tension_j_m2=Average(value=0.412, error=0.02),
        young_dupre_angle_deg=50.0,
        young_dupre_source="W 0.9 J/m²",
        layer_beside=0.97,
        floor_a=2.4,
    )


def moving(**changes):
    known = MeasuredDiffusivity(
        value_cm2_s=1e-5, low_cm2_s=8e-6, high_cm2_s=1.2e-5, error_cm2_s=1e-6, exponent=1, n_atoms=9
    )
    none = MeasuredDiffusivity(
        value_cm2_s=None,
        low_cm2_s=None,
        high_cm2_s=1e-6,
        error_cm2_s=None,
        exponent=0.1,
        n_atoms=9,
        reason="too short to tell: still caged",
    )
    run = InterfaceRun(
        temperature_k=500,
        time_ps=20,
        equilibrium_from_ps=2,
        heights_a=(0.0, 0.5, 1.0, 1.5),
        densities={"Li": (0.0, 0.01, 0.0, 0.04), "Cu": (0.02, 0.01, 0.0, 0.0)},
        density_errors={"Li": (0.0, 0.003, 0.0, 0.007)},
        windows_ps=(5.0, 15.0),
        widths_a=(1.0, 2.5),
        width_a=Average(value=2.5, error=0.4),
        crossed={"Li into substrate": 3},
        crossed_in_all=Average(value=3.2, error=0.6),
        separation_a=Average(value=2.4, error=0.01),
        energy_ev=Average(value=-100.0, reason="too few"),
        void_fraction=Average(value=0.02, error=0.005),
        bonds=(
            MeasuredBonds(pair=("P", "S"), at_start=16, at_end=14, error=1, broken=2, formed=0),
        ),
        slabs=(MeasuredSlab(low_a=0, high_a=6, parallel=known, normal=none),),
        lithium_parallel=known,
    )
    document = InterfaceDynamicsDocument(
        campaign="moving",
        host="Cu",
        elements=("Cu",),
        miller_index=(1, 1, 1),
        termination="Cu",
        origin="collectors",
        potential=MINI,
        evidence={"void_fraction": GOOD, "bonds_broken_per_nm2": GOOD, "li_diffusivity": GOOD},
        void_fraction=0.02,
        bonds_broken_per_nm2=0.5,
        li_diffusivity=10.0,
        runs=(run,),
        arrhenius=ArrheniusLine(
            activation_energy_ev=0.1,
            error_ev=0.01,
            misfit=5.5,
            temperatures_k=(300.0, 500.0),
            values_cm2_s=(1e-6, 1e-5),
            low_cm2_s=(5e-7, 8e-6),
            high_cm2_s=(2e-6, 1.2e-5),
        ),
    )
    return document.model_copy(update=changes)


def test_report_shows_angles_runs_and_reasons(tmp_path):
    with open_database(tmp_path / "results.db") as database:
        database.add_campaign("moving", {})
        database.add_candidates(
            "moving",
            [
                wetting("Ag", 0.0, "film"),
                wetting("Cu", 100.0),
                moving(),
                moving(host="Li6PS5Cl", film="LiF", miller_index=None, origin="coatings"),
            ],
        )
        stored = load_campaign(database, "moving")
        assert stored.screens == ("dynamics", "wetting")
        names = [entry.candidate.facts["host"] for entry in stored.ranked("wetting").ranking.ranked]
        assert names == ["Ag", "Cu"]
        row = as_dict(stored.ranked("wetting"))["candidates"][1]
        assert (row["drop_angle_deg"], row["young_dupre_angle_deg"]) == (100.0, 50.0)
        page = report_html(stored, database)
        found = database.query("screen=wetting drop_angle>50").rows
        assert [row["host"] for row in found] == ["Cu"]
    for text in (
        "Contact angle against time",
        "too short to tell: still caged",
        "3 Li into substrate; in all 3.2 ± 0.6",
        "2.5 ± 0.4",
        "E_a 0.100 ± 0.010 eV, χ² 5.5 per degree",
        "W 0.9 J/m",
        "0.41 ± 0.02 J/m",
        "0.97 monolayers of Li on the facet, on which the drop stands",
        "LiF on Li6PS5Cl",
        "Diffusion of lithium along the interface",
    ):
        assert text in page


def test_profiles_have_their_errors_and_composition():
    curves = {curve.title: curve for curve in section([moving()], None).details[0].curves}
    assert list(curves) == ["Density of Li", "Density of Cu", "Share of Li", "Share of Cu"]
    assert curves["Density of Li"].errors == (0.0, 0.003, 0.0, 0.007)
    assert curves["Density of Cu"].errors == ()
    assert curves["Share of Li"].x == (0.25, 1.25)
    assert curves["Share of Li"].y == pytest.approx((0.25, 1.0))
    assert curves["Share of Cu"].y == pytest.approx((0.75, 0.0))
    (one,) = moving().runs
    alone = one.model_copy(update={"densities": {"Li": one.densities["Li"]}})
    (detail,) = section([moving(runs=(alone,))], None).details
    assert [curve.title for curve in detail.curves] == ["Density of Li"]


def test_points_of_unsound_runs_are_not_drawn():
    (sound,) = moving().runs
    changing = sound.model_copy(
        update={"temperature_k": 400.0, "equilibrium_reason": "still changing"}
    )
    figures = section([moving(runs=(sound, changing))], None).figures
    (arrhenius,) = [one for one in figures if one.place == "dynamics-arrhenius"]
    assert arrhenius.figure["data"][0]["x"] == [2.0]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("dynamics: {}", "add one of collectors"),
        ("wetting: {hosts: [Cu], temperatures: [300.0]}", "453.65"),
        ("wetting: {hosts: [Cuu]}", "Cu"),
        ("wetting: {hosts: [Cu], drop_atom: 100}", "drop_atoms"),
    ],
)
def test_bad_sections_are_refused_in_one_line(asked, message):
    text = f"name: moving\npotential: mini\nscreens: {{{asked}}}\n"
    with pytest.raises(CampaignError) as caught:
        check_crystals(parse_campaign(text, "x.yaml"), "x.yaml")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_best_of_every_screen_move_those_of_this_potential(tmp_path, monkeypatch):
    mine = SYNTHETIC
    earlier = mine.model_copy(update={"sha256": "6" * 64})
    identity = SimpleNamespace(to_dict=mine.model_dump)
    monkeypatch.setattr(
        "workflows.settings.engine_for", lambda _: (SimpleNamespace(identity=identity), None)
    )
    text = (
        "name: synthetic\npotential: mini\nscreens:\n"
        "  collectors: {hosts: [Cu, Au, Ni]}\n  seeds: {elements: [Ag, Zn]}\n"
        "  dynamics: {best: 2}\n"
        "ranking: {collectors: {work_of_adhesion: max}, seeds: {work_of_adhesion: max}}\n"
    )
    held = [
        collector("Au", adhesion=1.4),
        collector("Ni", adhesion=1.2).model_copy(update={"interface_structure": None}),
        collector("Cu", adhesion=0.9),
        collector("Cu", (1, 0, 0), adhesion=0.8),
        collector("Cu", (1, 1, 0), adhesion=9.0, potential=earlier),
    ]
    seeds = [
        seed(host, adhesion=w).model_copy(
            update={"interface_structure": small_interface(host).as_dict()}
        )
        for host, w in (("Zn", 0.5), ("Ag", 0.7))
    ]
    location = str(tmp_path / "results.db")
    with open_database(location) as database:
        database.add_campaign("synthetic", {})
        database.add_candidates("synthetic", [*held, *seeds])
    found = _best(parse_campaign(text, "x.yaml"), PotentialSettings("mini"), location)
    assert {
        name: [(one.host, one.miller_index) for one in documents]
        for name, documents in found.items()
    } == {
        "collectors": [("Au", (1, 1, 1)), ("Cu", (1, 1, 1))],
        "seeds": [("Ag", None), ("Zn", None)],
    }
    starts = starts_of(found)
    assert [(one.origin, one.host) for one in starts] == [
        ("collectors", "Au"),
        ("collectors", "Cu"),
        ("seeds", "Ag"),
        ("seeds", "Zn"),
    ]
    for one in starts:
        assert film_of(one.structure, one.host, one.film).tolist() == [False, False, True, True]


def test_film_has_its_frames():
    rng = np.random.default_rng(0)
    frames = rng.uniform(0, 8, size=(5, 6, 3))
    gif = film_gif(["Li"] * 3 + ["Cu"] * 3, frames, np.diag([10.0, 8, 20]))
    picture = Image.open(io.BytesIO(gif))
    assert picture.n_frames == 5
    assert picture.size == (420, pytest.approx(420 * (np.ptp(frames[..., 2]) + 3) / 10, abs=1))
    assert len(picture.convert("RGB").getcolors(100_000)) > 3
    with pytest.raises(StructureError, match="frames"):
        film_gif(["Li"], frames, np.eye(3))
