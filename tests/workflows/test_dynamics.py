"""Runs of interfaces and drops, from the stage to their documents."""

import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

import potentials
from potentials.batched.trajectory import read_frames
from potentials.distil.core import add_core
from potentials.distil.errors import DistillationError
from potentials.loading import load_potential
from results.coating_documents import CoatingDocument
from results.database import open_database
from results.documents import DynamicsDocument, Evidence
from results.dynamics.bonds import radial_distribution
from results.dynamics.droplet import LAYER_TOP, MONOLAYER
from results.dynamics.trajectory import Trajectory
from results.dynamics_documents import (
    Average,
    InterfaceDynamicsDocument,
    InterfaceRun,
    MeasuredDiffusivity,
    WettingDocument,
)
from results.seed_documents import SeedContact
from structures import facet, interfaces
from structures.droplets import LIQUID_DENSITY, liquid_film
from structures.models import in_plane_area
from tests.results.dynamics.test_droplet import DENSITY, LENGTH, synthetic_drop
from tests.results.samples import POTENTIAL, collector, sound_evidence
from tests.screen.synthetic_seeds import seed
from workflows.cluster import Cluster, _StageOnCluster
from workflows.dynamics import (
    DynamicsMaker,
    DynamicsStart,
    InterfaceDynamicsMaker,
    _closed,
    _quantities,
    film_of,
    starts_of,
)
from workflows.dynamics_analysis import _last_width, arrhenius_line, drop_run, liquid_tension
from workflows.dynamics_runs import (
    DYNAMICS,
    RunSettings,
    dynamics_stage,
    frames_hash,
    read_trajectory,
)
from workflows.errors import WorkflowError
from workflows.local import run_flow
from workflows.profiles import Profile
from workflows.progress import listening
from workflows.settings import PotentialSettings, StoreSettings
from workflows.shard_array import Group
from workflows.shard_folder import ShardFolder
from workflows.tasks import StageWork
from workflows.wetting import DropSize, WettingMaker, _young_dupre

MINI = PotentialSettings("mini")


@pytest.fixture
def stores(tmp_path):
    return StoreSettings(database=str(tmp_path / "results.db"), spool=str(tmp_path / "spool"))


@pytest.fixture(scope="module")
def interface():
    return min(
        interfaces(
            facet("Li", (1, 1, 0), min_thickness=6),
            facet("Cu", (1, 1, 1), min_thickness=4),
            max_strain=0.15,
            max_atoms=60,
            registries=1,
        ),
        key=lambda one: len(one.structure),
    )


@pytest.fixture(scope="module")
def melt(tmp_path_factory):
    """`mini` with a repulsive core, without which its liquid does not last."""
    folder = tmp_path_factory.mktemp("melt")
    for path in (Path(potentials.__file__).parent / "mini").glob("model.*"):
        shutil.copy(path, folder)
    with suppress(DistillationError):  # it has one
        add_core(folder)
    return PotentialSettings(str(folder))


def parameters(steps):
    return {"steps": steps, "timestep": 1.0, "interval": 5, "temperature": 300.0, "seed": 1}


def test_a_run_is_kept_with_its_frames_and_not_repeated(stores):
    crystal = Structure(Lattice.cubic(3.44), ["Li"] * 2, [[0, 0, 0], [0.5, 0.5, 0.5]])
    heard = []
    with listening(heard.append):
        (document,) = dynamics_stage("dynamics", [crystal], parameters(20), MINI, stores)
    assert document.converged
    assert document.time_ps == pytest.approx(0.02)
    assert document.potential.dtype == "float32"
    assert any("ps" in event.stage for event in heard)
    trajectory = read_trajectory(document)
    assert trajectory.times.tolist() == pytest.approx([0, 0.005, 0.01, 0.015, 0.02])
    assert document.frames.sha256 == frames_hash(read_frames(document.frames.path, 0))
    with open_database(stores.database) as database:
        assert database.find([document.fingerprint])[document.fingerprint] == document
    (again,) = dynamics_stage("dynamics", [crystal], parameters(20), MINI, stores)
    assert again == document

    # A run whose frames were thrown away is made again, with the same frames.
    for path in Path(document.frames.path).glob("*.h5"):
        path.unlink()
    (anew,) = dynamics_stage("dynamics", [crystal], parameters(20), MINI, stores)
    assert anew.frames.sha256 == document.frames.sha256


def test_a_stage_that_was_stopped_goes_on(stores, monkeypatch):
    crystal = Structure(Lattice.cubic(3.44), ["Li"] * 2, [[0, 0, 0], [0.5, 0.5, 0.5]])
    wanted = parameters(60) | {"interval": 1}

    def stop(_event):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("workflows.dynamics_runs.report", stop)
        with pytest.raises(KeyboardInterrupt):
            dynamics_stage("dynamics", [crystal], wanted, MINI, stores)
    (first,) = (Path(stores.spool) / "dynamics").glob("*/*.h5")
    written = first.stat().st_mtime_ns
    (document,) = dynamics_stage("dynamics", [crystal], wanted, MINI, stores)
    assert first.stat().st_mtime_ns == written
    apart = StoreSettings(spool=stores.spool + "-apart")
    (whole,) = dynamics_stage("dynamics", [crystal], wanted, MINI, apart)
    assert document.frames.n_frames == 61
    assert document.frames.sha256 == whole.frames.sha256


def test_a_run_that_is_asked_for_longer_goes_on_where_it_ended(stores):
    crystal = Structure(Lattice.cubic(3.44), ["Li"] * 2, [[0, 0, 0], [0.5, 0.5, 0.5]])
    (short,) = dynamics_stage("dynamics", [crystal], parameters(20), MINI, stores)
    (first,) = Path(short.frames.path).glob("*.h5")
    written = first.stat().st_mtime_ns
    (longer,) = dynamics_stage("dynamics", [crystal], parameters(40), MINI, stores)
    assert longer.frames.path == short.frames.path
    assert first.stat().st_mtime_ns == written
    assert (short.time_ps, longer.time_ps) == pytest.approx((0.02, 0.04))
    whole, part = read_trajectory(longer), read_trajectory(short)
    assert len(whole.times) == 9
    assert np.array_equal(whole.positions[:5], part.positions)
    # One that is asked for shorter is not told the rest.
    (shorter,) = dynamics_stage("dynamics", [crystal], parameters(10), MINI, stores)
    assert shorter.time_ps == pytest.approx(0.01)
    assert read_trajectory(shorter).times.tolist() == pytest.approx([0, 0.005, 0.01])
    assert shorter.frames.sha256 == frames_hash(read_frames(shorter.frames.path, 0), 3)


def test_the_settings_of_a_run_travel_to_a_node(tmp_path):
    """The driver takes the CPU, the node the device of its profile; the frames' folder stays."""
    wanted = RunSettings("mini", device="cuda", dtype="float32", folder="/shared/frames")
    cluster = Cluster(tmp_path, {"gpu": Profile(gpus=1)}, "gpu")
    assert cluster.settings_here(wanted) == replace(wanted, device="cpu")
    crystal = Structure(Lattice.cubic(3.44), ["Li"] * 2, [[0, 0, 0], [0.5, 0.5, 0.5]])
    here = replace(wanted, device="cpu")
    work = StageWork("md", DYNAMICS, parameters(2), here, {}, [[crystal]], ["key"])
    stage = _StageOnCluster(work, print, "gpu", Profile(gpus=1), tmp_path, False)
    folder = ShardFolder(tmp_path / "shard")
    stage._write_shard(folder, Group(("key",)))
    arrived, _ = folder.read_input()
    assert arrived.settings == wanted
    assert arrived.task is DYNAMICS


def test_any_calculator_moves(stores, monkeypatch):
    from tests.workflows.emt_potential import load_emt

    monkeypatch.setattr("potentials.loading.load_potential", load_emt)
    crystal = Structure(Lattice.cubic(3.6), ["Cu"], [[0, 0, 0]])
    (document,) = dynamics_stage(
        "dynamics", [crystal], parameters(5), PotentialSettings("emt-md"), stores
    )
    assert document.converged
    assert read_trajectory(document).times.tolist() == pytest.approx([0, 0.005])


def test_film_is_told_from_the_substrate(interface):
    found = film_of(interface.structure, "Cu")
    assert np.flatnonzero(found).tolist() == list(interface.film_indices)
    salt = Structure(Lattice.cubic(9), ["Li", "F", "Li", "Li"], np.arange(12).reshape(4, 3) / 12)
    assert film_of(salt, "LiF").tolist() == [False, False, True, True]
    with pytest.raises(WorkflowError, match="Li film"):
        film_of(Structure(Lattice.cubic(9), ["Li", "Cu"], [[0] * 3, [0.5] * 3]), "Cu")


def layered(*symbols):
    """A column of atoms, each 1 Å over the one before."""
    n = len(symbols)
    return Structure(Lattice.tetragonal(4, n), symbols, [[0, 0, i / n] for i in range(n)])


def test_a_film_that_the_formulas_cannot_tell_is_refused():
    # One S short: what is left over of Li6PS5Cl would be film.
    short = layered(*["Li"] * 6, "P", *["S"] * 4, "Cl", "Li", "Li")
    with pytest.raises(WorkflowError, match="Li film"):
        film_of(short, "Li6PS5Cl")
    # Lithium on an oxide that lacks none is told by lithium alone.
    oxide = layered("Cu", "O", "Cu", "Cu", "Li", "Li")
    assert np.flatnonzero(film_of(oxide, "Cu2O")).tolist() == [4, 5]
    # Two Li at the bottom of a slab that its formula does not account for come out as film.
    sound = layered("Li", "F", "Li", "F", "Li", "F", "Li", "Li", "Li", "Li")
    assert film_of(sound, "LiF").sum() == 4
    sound.translate_sites([6, 7], [0, 0, -0.55], to_unit_cell=False)
    with pytest.raises(WorkflowError, match="under the top of LiF"):
        film_of(sound, "LiF")


def test_a_coating_is_told_from_its_electrolyte():
    """Li2S on Li6PS5Cl share both elements of the coating."""
    symbols = ["Li"] * 6 + ["P"] + ["S"] * 5 + ["Cl"] + ["Li", "Li", "S"] * 2
    places = np.random.default_rng(0).random((len(symbols), 3))
    places[:, 2] = 0.4 * places[:, 2] + np.where(np.arange(len(symbols)) < 13, 0.0, 0.5)
    both = Structure(Lattice.cubic(9), symbols, places)
    assert np.flatnonzero(film_of(both, "Li6PS5Cl", "Li2S")).tolist() == [*range(13, 19)]
    with pytest.raises(WorkflowError, match="LiCl film"):
        film_of(both, "Li6PS5Cl", "LiCl")
    with pytest.raises(WorkflowError, match="Li2S film"):
        film_of(both, "Li2S", "Li2S")


def test_a_coating_moves_under_lithium_and_on_its_electrolyte():
    below = Structure(Lattice.cubic(9), ["Li", "F", "Li"], np.eye(3) / 2)
    on = Structure(Lattice.cubic(9), ["Li", "P", "S", "F"], np.arange(12).reshape(4, 3) / 12)

    def coated(electrolyte):
        return CoatingDocument(
            campaign="test",
            host="LiF",
            elements=("F", "Li"),
            potential=POTENTIAL,
            evidence={},
            electrolyte=electrolyte,
            coating="LiF",
            voltage=(0.0, 4.3),
            lithium_miller_index=(1, 0, 0),
            lithium_interface_structure=below,
            electrolyte_interface_structure=on,
        )

    starts = starts_of({"coatings": [coated("Li6PS5Cl"), coated("Li3PS4")]})
    assert [(start.film, start.host) for start in starts] == [
        ("Li", "LiF"),
        ("LiF", "Li6PS5Cl"),
        ("LiF", "Li3PS4"),
    ]
    assert starts[0].miller_index == [1, 0, 0]
    assert starts[0].structure == below
    assert starts[1].elements == ["F", "Li", "P", "S"]
    assert starts[1].structure == on


def test_a_seed_moves_under_lithium_pure_and_alloyed():
    pure = layered("Ag", "Ag", "Li")
    alloyed = layered("Li", "Ag", "Li", "Li", "Li", "Li")
    contacts = [
        SeedContact(
            host=host,
            miller_index=index,
            termination=termination,
            converged=True,
            work_of_adhesion_j_m2=w,
        )
        for host, index, termination, w in (
            ("Ag", (1, 1, 1), "Ag", 0.9),
            ("Ag", (1, 0, 0), "Ag", 1.1),
            ("Li3Ag", (1, 1, 0), "", 0.5),
        )
    ]
    document = seed("Ag", adhesion=1.1).model_copy(
        update={
            "contacts": tuple(contacts),
            "interface_structure": pure.as_dict(),
            "lithiated_phase": "Li3Ag",
            "lithiated_interface_structure": alloyed.as_dict(),
        }
    )
    starts = starts_of({"seeds": [document]})
    assert [(one.host, one.film, one.miller_index) for one in starts] == [
        ("Ag", "Li", [1, 0, 0]),
        ("Li3Ag", "Li", [1, 1, 0]),
    ]
    assert [one.elements for one in starts] == [["Ag"], ["Ag", "Li"]]
    told = [film_of(one.structure, one.host, one.film).sum() for one in starts]
    assert told == [1, 2]


def test_closed_cell_keeps_its_atoms_apart(interface):
    closed = _closed(interface.structure)
    assert in_plane_area(closed) == pytest.approx(in_plane_area(interface.structure))
    assert closed.volume < interface.structure.volume
    distances = closed.distance_matrix[np.triu_indices(len(closed), 1)]
    assert distances.min() > 2.0


def test_interfaces_run_at_every_temperature_and_stress(stores, interface):
    start = DynamicsStart(interface.structure, "collectors", "Cu", ["Cu"], [1, 1, 1], "Cu")
    maker = InterfaceDynamicsMaker(
        name="test",
        potential=MINI,
        stores=stores,
        temperatures=[300.0, 400.0],
        normal_stresses=[0.1],
        dynamics_maker=DynamicsMaker(time_ps=0.03, interval=3),
    )
    (document,) = run_flow(maker.make([start]), lambda _: None)
    assert isinstance(document, InterfaceDynamicsDocument)
    assert [run.temperature_k for run in document.runs] == [300, 400, 300, 400]
    assert [run.normal_stress_gpa for run in document.runs] == [None, None, 0.1, 0.1]
    hottest = document.runs[1]
    assert hottest.failure is None
    # Atoms of the profile: every one is in it.
    n_atoms = sum(sum(values) for values in hottest.densities.values()) * 0.25
    assert n_atoms * in_plane_area(interface.structure) == pytest.approx(
        len(interface.structure), rel=0.02
    )
    assert 1.5 < hottest.separation_a.value < 3.5
    assert hottest.widths_a[0] < 2
    assert document.void_fraction is not None
    # Each run has random numbers of its own: none begins as a copy of another.
    begun = [
        np.diff(read_frames(run.frames.path, run.frames.index).positions[:2], axis=0).ravel()
        for run in document.runs
    ]
    alike = np.corrcoef(begun) - np.eye(len(begun))
    assert np.abs(alike).max() < 0.6
    # Thirty femtoseconds tell nothing of diffusion, and say so.
    assert document.li_diffusivity is None
    assert "too short" in document.evidence["li_diffusivity"].failure
    assert "needs 3" in document.evidence["li_activation_energy_ev"].failure
    assert InterfaceDynamicsDocument.model_validate_json(document.model_dump_json()) == document
    with open_database(stores.database) as database:
        database.add_campaign("test", {})
        database.add_candidates("test", [document])
        assert database.candidates() == [document]


def test_a_tiny_drop_runs_to_its_document(stores):
    mini = POTENTIAL.model_copy(update={"sha256": load_potential("mini").identity.sha256})
    values = sound_evidence(contact_angle_deg=60.0, work_of_adhesion_j_m2=0.6)
    known = collector("Cu", termination="Cu", potential=mini, gamma_li_j_m2=0.4, **values)
    with open_database(stores.database) as database:
        database.add_campaign("test", {})
        database.add_candidates("test", [known])
    maker = WettingMaker(
        name="test",
        potential=MINI,
        stores=stores,
        size=DropSize(n_lithium=24, length=5.0, width_ratio=1.3, slab_thickness=2.0),
        dynamics_maker=DynamicsMaker(name="drops", time_ps=0.02, interval=2),
    )
    (document,) = run_flow(maker.make({"Cu": [[1, 1, 1]]}), lambda _: None)
    assert isinstance(document, WettingDocument)
    assert document.n_lithium == 24
    assert document.temperature == "500 K"
    assert len(document.angles_deg) == len(document.windows_ps) == 11
    evidence = document.evidence["drop_angle_deg"]
    assert evidence.reference_state == "500 K, 24 Li"
    assert document.liquid_tension_j_m2.reason is not None
    # An angle after 20 fs is that of the drop as it was put down.
    assert not evidence.converged
    assert "too short" in evidence.failure or "points" in evidence.failure
    assert not document.evidence["height_angle_deg"].converged
    # Beside it, what follows from the relaxed interface of the same facet and potential.
    assert document.young_dupre_angle_deg == pytest.approx(60.0)
    assert document.evidence["young_dupre_angle_deg"].converged
    assert WettingDocument.model_validate_json(document.model_dump_json()) == document


@pytest.mark.slow
def test_a_small_drop_keeps_its_atoms_and_its_heat(stores):
    maker = WettingMaker(
        name="test",
        potential=MINI,
        stores=stores,
        size=DropSize(n_lithium=60, length=7.0, width_ratio=1.5, slab_thickness=3.0),
        dynamics_maker=DynamicsMaker(name="drops", time_ps=0.6, timestep=2.0, interval=5),
    )
    (document,) = run_flow(maker.make({"Cu": [[1, 1, 1]]}), lambda _: None)
    assert document.state in ("drop", "film", "non-wetting")
    assert document.drop_angle_deg is not None or document.evidence["drop_angle_deg"].failure
    frames = read_frames(document.frames.path, document.frames.index)
    assert frames.temperatures[len(frames.temperatures) // 2 :].mean() == pytest.approx(
        500, rel=0.3
    )
    lithium = frames.positions[-1][-60:, 2]
    assert lithium.min() > 1.0
    assert np.ptp(lithium) < 40


@pytest.mark.slow
def test_liquid_lithium_has_its_density_and_its_first_neighbours(stores, melt):
    """0.515 g/cm³ near the melting point (Davison, NASA TN D-4650), a first peak at 3.0 to 3.1 Å.

    Both within what PBE and a small model of it are off: 8 % and 0.1 Å.
    """
    settings = parameters(4000) | {"timestep": 2.0, "interval": 20, "temperature": 470.0}
    settings |= {"ensemble": "normal-stress", "normal_stress": 0.0}
    edge = (108 / LIQUID_DENSITY) ** (1 / 3)
    liquid = liquid_film(108, thickness=edge, vacuum=1e-9)  # without a gap between its images
    (document,) = dynamics_stage("liquid", [liquid], settings, melt, stores)
    trajectory = read_trajectory(document)
    half = trajectory.part(slice(len(trajectory.times) // 2, None))
    volume = (half.areas * half.cell_heights).mean()
    assert 108 * 6.94 / volume / 0.602214 == pytest.approx(0.515, rel=0.08)
    distances, g = radial_distribution(half, ("Li", "Li"), r_max=6.0, bin_width=0.1)
    assert 2.9 < distances[g.argmax()] < 3.2
    # A liquid: atoms leave their places.
    moved = half.positions[-1] - half.positions[0]
    assert (moved**2).sum(axis=1).mean() > 3


def frames_on_a_facet(across, heights, width):
    """20 ps of Li at these places over a row of Cu; heights over the base."""
    rng = np.random.default_rng(0)
    slab = np.array([[i, 0.0, 8.0] for i in np.arange(0, width, 2.5)])
    n_frames, n_lithium = across.shape
    lithium = np.stack(
        [across + width / 2, rng.uniform(0, LENGTH, across.shape), heights + 9.25], axis=-1
    )
    return Trajectory(
        ("Cu",) * len(slab) + ("Li",) * n_lithium,
        np.linspace(0, 20, n_frames),
        np.concatenate([np.tile(slab, (n_frames, 1, 1)), lithium], axis=1),
        np.tile(np.diag([width, LENGTH, 90.0]), (n_frames, 1, 1)),
        np.zeros(n_frames),
        np.zeros(n_frames),
    )


def test_drop_of_known_angle_through_the_whole_analysis(monkeypatch):
    """Frames of a synthetic drop give its angle back, with an error and no 'too short'."""
    x, z, width = synthetic_drop(np.random.default_rng(0), 70, area=900.0, n_frames=60, fuzz=0.5)
    trajectory = frames_on_a_facet(x, z, width)
    monkeypatch.setattr("workflows.dynamics_analysis.read_trajectory", lambda _: trajectory)
    run = DynamicsDocument.model_construct(time_ps=20.0)
    told = drop_run(run, x.shape[1], width, LENGTH, DENSITY)
    assert told["state"] == "drop"
    assert told["angle"].reason is None
    assert told["angle"].value == pytest.approx(70, abs=5)
    assert told["angle"].error < 6
    assert told["height_angle"].value == pytest.approx(70, abs=5)
    assert (told["layer_beside"], told["floor_a"]) == (0.0, 0.0)


def test_an_atom_of_the_facet_in_the_drop_does_not_lift_its_base(monkeypatch):
    """Of a metal that lithium dissolves some atoms swim in the drop."""
    x, z, width = synthetic_drop(np.random.default_rng(0), 70, area=900.0, n_frames=60, fuzz=0.5)
    trajectory = frames_on_a_facet(x, z, width)
    trajectory.positions[5:, :3, 2] += 6.0
    monkeypatch.setattr("workflows.dynamics_analysis.read_trajectory", lambda _: trajectory)
    run = DynamicsDocument.model_construct(time_ps=20.0)
    told = drop_run(run, x.shape[1], width, LENGTH, DENSITY)
    assert told["angle"].value == pytest.approx(70, abs=5)


def test_a_film_has_no_angle_of_its_height(monkeypatch):
    rng = np.random.default_rng(0)
    x, z = rng.uniform(-20, 20, (60, 300)), rng.uniform(0, 300 / DENSITY / 40 / LENGTH, (60, 300))
    trajectory = frames_on_a_facet(x, z, 40.0)
    monkeypatch.setattr("workflows.dynamics_analysis.read_trajectory", lambda _: trajectory)
    told = drop_run(DynamicsDocument.model_construct(time_ps=20.0), 300, 40.0, LENGTH, DENSITY)
    assert (told["state"], told["angle"].value, told["angle"].reason) == ("film", 0.0, None)
    assert told["height_angle"].value is None
    assert told["height_angle"].reason == "a film is no drop"


def test_a_drop_on_a_layer_of_lithium_has_both_angles(monkeypatch):
    rng = np.random.default_rng(0)
    x, z, width = synthetic_drop(rng, 80, area=900.0, n_frames=60, fuzz=0.5)
    n = round(MONOLAYER * width * LENGTH)
    layer = rng.uniform(-width / 2, width / 2, (60, n)), np.full((60, n), 1.25)
    across = np.concatenate([x, layer[0]], axis=1)
    heights = np.concatenate([z + LAYER_TOP, layer[1]], axis=1)
    trajectory = frames_on_a_facet(across, heights, width)
    monkeypatch.setattr("workflows.dynamics_analysis.read_trajectory", lambda _: trajectory)
    run = DynamicsDocument.model_construct(time_ps=20.0)
    told = drop_run(run, across.shape[1], width, LENGTH, DENSITY)
    assert told["state"] == "drop"
    assert told["layer_beside"] == pytest.approx(1.0, abs=0.06)
    assert told["floor_a"] == LAYER_TOP
    assert told["angle"].value == pytest.approx(80, abs=5)
    assert told["height_angle"].value == pytest.approx(80, abs=4)


def test_the_relaxed_interfaces_angle_stands_beside_the_drops(stores):
    values = sound_evidence(contact_angle_deg=60.0, work_of_adhesion_j_m2=0.6)
    values["evidence"]["work_of_adhesion_j_m2"] = Evidence(converged=True, error=0.06)
    known = collector("Cu", termination="Cu", gamma_li_j_m2=0.5, interface_structure=None, **values)
    with open_database(stores.database) as database:
        database.add_campaign("test", {})
        database.add_candidates("test", [known])
    single = POTENTIAL.model_copy(update={"dtype": "float32"})
    copper, liquid = facet("Cu", (1, 1, 1)), Average(value=0.4, error=0.04)
    found = _young_dupre(copper, single, stores.database, liquid)
    # cos θ = 0.6/0.4 − 1
    assert found.angle == pytest.approx(60.0)
    assert "liquid Li 0.40 ± 0.04 J/m²" in found.source
    assert found.evidence.converged
    # d cos θ = 0.6/0.4 of γ's error of a tenth, and 0.06/0.4 of W's, in squares.
    assert found.evidence.error == pytest.approx(
        np.degrees(0.15 * np.sqrt(2) / np.sin(np.pi / 3)), rel=0.03
    )
    unknown = Average(value=0.3, reason="too short to tell")
    solid = _young_dupre(copper, single, stores.database, unknown)
    assert solid.angle == pytest.approx(np.degrees(np.arccos(0.2)))
    assert "solid Li 0.50 J/m² (its liquid: too short" in solid.source
    assert _young_dupre(facet("Cu", (1, 0, 0)), single, stores.database, liquid) is None
    # Other weights of the same name are another potential.
    trained_again = POTENTIAL.model_copy(update={"sha256": "b" * 64})
    assert _young_dupre(copper, trained_again, stores.database, liquid) is None


def test_the_angle_is_that_of_the_drops_termination(stores):
    values = sound_evidence(contact_angle_deg=60.0, work_of_adhesion_j_m2=0.2)
    li2o = facet("Li2O", (1, 1, 1))
    known = [
        collector(
            "Li2O", termination=one, gamma_li_j_m2=0.5, **(values | {"work_of_adhesion_j_m2": w})
        )
        for one, w in (("another", 0.7), (li2o.termination, 0.2))
    ]
    with open_database(stores.database) as database:
        database.add_campaign("test", {})
        database.add_candidates("test", known)
    liquid = Average(value=0.4, error=0.02)
    found = _young_dupre(li2o, POTENTIAL, stores.database, liquid)
    assert found.angle == pytest.approx(120.0)
    assert _young_dupre(replace(li2o, termination="O"), POTENTIAL, stores.database, liquid) is None


def test_a_work_of_adhesion_that_did_not_converge_flags_the_angle(stores):
    values = sound_evidence(contact_angle_deg=60.0, work_of_adhesion_j_m2=0.6)
    values["evidence"]["work_of_adhesion_j_m2"] = Evidence(converged=False, failure="film diverged")
    with open_database(stores.database) as database:
        database.add_campaign("test", {})
        database.add_candidates(
            "test", [collector("Cu", termination="Cu", gamma_li_j_m2=0.5, **values)]
        )
    liquid = Average(value=0.4, error=0.02)
    found = _young_dupre(facet("Cu", (1, 1, 1)), POTENTIAL, stores.database, liquid)
    assert (found.evidence.converged, found.evidence.failure) == (False, "film diverged")


def test_the_angle_of_a_coating_counts_for_its_facet(stores):
    known = CoatingDocument(
        campaign="test",
        host="LiF",
        elements=("F", "Li"),
        potential=POTENTIAL,
        evidence={
            name: Evidence(converged=True)
            for name in ("work_of_adhesion_j_m2", "contact_angle_deg")
        },
        electrolyte="Li6PS5Cl",
        coating="LiF",
        voltage=(0.0, 4.3),
        lithium_miller_index=(1, 0, 0),
        gamma_li_j_m2=0.5,
        work_of_adhesion_j_m2=0.2,
        contact_angle_deg=120.0,
    )
    with open_database(stores.database) as database:
        database.add_campaign("test", {})
        database.add_candidates("test", [known])
    liquid = Average(value=0.4, error=0.02)
    found = _young_dupre(facet("LiF", (1, 0, 0)), POTENTIAL, stores.database, liquid)
    assert found.angle == pytest.approx(120.0)
    assert "coatings screen" in found.source
    other = facet("LiF", (1, 1, 0))
    assert _young_dupre(other, POTENTIAL, stores.database, liquid) is None


@pytest.mark.parametrize("host", ["my crystals/Cu|2.cif", "old host=Ag", 'a "quoted" name'])
def test_a_hosts_name_may_hold_what_a_query_is_made_of(stores, host):
    values = sound_evidence(contact_angle_deg=60.0, work_of_adhesion_j_m2=0.6)
    with open_database(stores.database) as database:
        database.add_campaign("test", {})
        database.add_candidates(
            "test",
            [
                collector(name, termination="Cu", gamma_li_j_m2=0.4, **values)
                for name in ("Ag", host)
            ],
        )
    named = replace(facet("Cu", (1, 1, 1)), host=host)
    liquid = Average(value=0.6, error=0.02)
    found = _young_dupre(named, POTENTIAL, stores.database, liquid)
    assert found.angle == pytest.approx(90.0)


def test_a_film_that_was_not_run_long_says_so(stores):
    settings = parameters(10) | {"temperature": 500.0}
    (document,) = dynamics_stage("film", [liquid_film(24, thickness=8.0)], settings, MINI, stores)
    tension = liquid_tension(document)
    assert tension.value is not None
    assert "too short" in tension.reason


@pytest.mark.slow
def test_liquid_lithium_has_its_surface_tension(stores, melt):
    """0.40 J/m² at the melting point (Keene, Int. Mater. Rev. 38, 157 (1993)).

    The potential's is low, as its teacher's surface energies are, by 30 to 50 % of PBE's.
    """
    settings = parameters(10000) | {"timestep": 2.0, "interval": 25, "temperature": 500.0}
    (document,) = dynamics_stage("film", [liquid_film()], settings, melt, stores)
    tension = liquid_tension(document)
    assert tension.reason is None
    assert tension.error < 0.05
    assert 0.20 < tension.value < 0.44


def test_an_arrhenius_line_takes_sound_runs_only():
    def run(kelvin, factor=1.0, **changes):
        d = factor * 1e-3 * np.exp(-0.2 / (8.617333e-5 * kelvin))
        along = MeasuredDiffusivity(
            value_cm2_s=d,
            low_cm2_s=0.9 * d,
            high_cm2_s=1.1 * d,
            error_cm2_s=0.05 * d,
            exponent=1.0,
            n_atoms=20,
        )
        return InterfaceRun(temperature_k=kelvin, time_ps=20, lithium_parallel=along, **changes)

    assert "needs 3" in arrhenius_line([])
    sound = [run(kelvin) for kelvin in (300, 400, 500)]
    unsound = [
        run(450, 50.0, failure="exploded at step 9"),
        run(350, 50.0, equilibrium_reason="still changing"),
        run(350, 50.0, normal_stress_gpa=0.1),
    ]
    assert arrhenius_line([*sound, *unsound]).activation_energy_ev == pytest.approx(0.2, rel=1e-3)
    assert "needs 3" in arrhenius_line([*sound[:2], *unsound])


def test_a_diffusivity_that_is_not_of_equilibrium_is_flagged():
    along = MeasuredDiffusivity(
        value_cm2_s=2e-5,
        low_cm2_s=1e-5,
        high_cm2_s=3e-5,
        error_cm2_s=5e-6,
        exponent=1.0,
        n_atoms=20,
    )
    run = InterfaceRun(
        temperature_k=500,
        time_ps=20,
        lithium_parallel=along,
        width_a=Average(value=3.0, error=0.2),
        crossed_in_all=Average(value=4.0, error=1.0),
    )
    area = 2.0
    found = _quantities(run, area, None)
    assert found.values["li_diffusivity"] == pytest.approx(20)
    assert found.values["crossed_per_nm2"] == 2.0
    assert found.evidence["crossed_per_nm2"].error == 0.5
    assert found.evidence["mixed_zone_width_a"].error == 0.2
    assert found.evidence["li_diffusivity"].converged
    changing = run.model_copy(update={"equilibrium_reason": "still changing: run longer"})
    for name, evidence in _quantities(changing, area, None).evidence.items():
        assert (evidence.converged, evidence.failure) == (False, "still changing: run longer"), name


def test_the_last_width_has_an_error_where_its_windows_are_independent():
    widths = [9.0] * 16 + [1.0, 2.0, 3.0, 4.0]
    found = _last_width(widths, frames=20.0, inefficiency=4.0)
    assert found.value == 2.5
    assert found.error == pytest.approx(np.std([1, 2, 3, 4], ddof=1) / 2)
    assert _last_width(widths, frames=20.0, inefficiency=6.0).error is None
