"""Stages reuse what is known, keep what finishes, and survive a kill."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from potentials.errors import PotentialError
from results.database import open_database
from structures.crystal_library import crystal
from tests.workflows.batched_potential import load_gupta
from tests.workflows.emt_potential import CountingEMT, load_emt
from workflows.packing import Built
from workflows.progress import listening
from workflows.settings import PotentialSettings, StoreSettings
from workflows.stages import evaluate_stage, last_structure, path_stage, relax_stage

RELAXATION = {"fmax": 0.03, "max_steps": 100, "cell": "fixed"}
EMT = PotentialSettings(name="emt")
pytestmark = pytest.mark.usefixtures("emt")


FCC = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]


def rattled_copper(seed: int) -> Structure:
    crystal = Structure(Lattice.cubic(3.61), ["Cu"] * 4, FCC)
    moves = np.random.default_rng(seed).normal(scale=0.02, size=(4, 3))
    return Structure(
        crystal.lattice, ["Cu"] * 4, crystal.cart_coords + moves, coords_are_cartesian=True
    )


def test_results_come_in_order_and_twins_are_computed_once():
    one, other = rattled_copper(1), rattled_copper(2)
    stage = evaluate_stage("evaluate", [one, other, one], EMT, StoreSettings())
    assert stage[0].energy_ev == stage[2].energy_ev != stage[1].energy_ev
    assert CountingEMT.evaluations == 2


def test_a_crystal_from_outside_keeps_its_source_and_hash(tmp_path):
    rattled_copper(1).to(filename=str(tmp_path / "mine.cif"))
    cell = crystal(str(tmp_path / "mine.cif"))
    passed_on = Built.from_dict(Built([], [cell], [], {}).as_dict()).structures
    (document,) = evaluate_stage("evaluate", passed_on, EMT, StoreSettings())
    kept = document.initial_structure["properties"]
    assert kept == {"source": f"CIF file {tmp_path / 'mine.cif'}", "sha256": kept["sha256"]}
    assert kept["sha256"] == cell.properties["sha256"]


def test_what_the_database_holds_is_not_computed_again(tmp_path):
    stores = StoreSettings(database=str(tmp_path / "r.db"), spool=str(tmp_path / "spool"))
    first = relax_stage("relax", [rattled_copper(1)], RELAXATION, EMT, stores)
    spent = CountingEMT.evaluations
    events = []
    with listening(events.append):
        second = relax_stage(
            "relax", [rattled_copper(1), rattled_copper(2)], RELAXATION, EMT, stores
        )
    assert second[0] == first[0]
    assert second[1].converged
    assert CountingEMT.evaluations - spent == second[1].force_evaluations
    assert (events[0].done, events[0].total, events[0].reused) == (1, 2, 1)
    assert (events[-1].done, events[-1].failed) == (2, 0)


def test_other_parameters_are_another_calculation(tmp_path):
    stores = StoreSettings(database=str(tmp_path / "r.db"))
    loose = relax_stage("relax", [rattled_copper(1)], RELAXATION | {"fmax": 0.5}, EMT, stores)[0]
    tight = relax_stage("relax", [rattled_copper(1)], RELAXATION, EMT, stores)[0]
    assert loose.fingerprint != tight.fingerprint
    assert tight.max_force < 0.03 < loose.max_force


def test_one_failure_is_recorded_and_the_others_go_on(tmp_path):
    stores = StoreSettings(database=str(tmp_path / "r.db"))
    never = RELAXATION | {"fmax": 1e-9, "max_steps": 1}
    bad, good = relax_stage(
        "relax",
        [rattled_copper(1), Structure(Lattice.cubic(3.61), ["Cu"], [[0, 0, 0]])],
        never,
        EMT,
        stores,
    )
    assert good.converged
    assert not bad.converged
    assert bad.failure
    with open_database(stores.database) as database:
        assert database.find([bad.fingerprint])[bad.fingerprint].failure == bad.failure


def test_elements_are_checked_before_anything_is_computed(tmp_path):
    stores = StoreSettings(spool=str(tmp_path / "spool"))
    lithium = Structure(Lattice.cubic(3.4), ["Li"], [[0, 0, 0]])
    with pytest.raises(PotentialError, match="Li"):
        evaluate_stage("evaluate", [rattled_copper(1), lithium], EMT, stores)
    assert CountingEMT.evaluations == 0
    assert not (tmp_path / "spool").exists()


def test_paths_join_relaxed_ends():
    ends = relax_stage("ends", [*scaled_hop(0)], RELAXATION, EMT, StoreSettings())
    path = path_stage(
        "hop",
        [(last_structure(ends[0]), last_structure(ends[1]))],
        {"n_images": 3, "fmax": 0.05, "max_steps": 200},
        EMT,
        StoreSettings(),
    )[0]
    assert path.converged
    assert path.barrier_ev == pytest.approx(path.reverse_barrier_ev, abs=1e-3)
    assert 0.3 < path.barrier_ev < 1.2  # EMT's vacancy hop in Cu; experiment has 0.7 eV


def scaled_hop(i):
    """The hop of a vacancy in a small, stretched Cu crystal."""
    lattice = Lattice.cubic(3.61 + 0.01 * i)
    bulk = Structure(lattice, ["Cu"] * 4, FCC).make_supercell(2)
    neighbour = int(np.argsort(bulk.distance_matrix[0])[1])
    initial, final = bulk.copy().remove_sites([0]), bulk.copy()
    final[neighbour] = "Cu", bulk[0].frac_coords
    return initial, final.remove_sites([0])


def run_six(task, stores):
    """Six systems through the stage that ``task`` names."""
    coppers = [rattled_copper(i) for i in range(6)]
    if task == "evaluate":
        return evaluate_stage(task, coppers, EMT, stores)
    if task == "relax":
        return relax_stage(task, coppers, RELAXATION, EMT, stores)
    parameters = {"n_images": 1, "fmax": 0.3, "max_steps": 100}
    return path_stage(task, [scaled_hop(i) for i in range(6)], parameters, EMT, stores)


KILLED = """
    import potentials.loading
    from tests.workflows.batched_potential import SlowGupta, load_gupta
    from tests.workflows.emt_potential import CountingEMT, load_emt
    potentials.loading.load_potential = {load}
    CountingEMT.seconds = SlowGupta.seconds = {pause}
    from tests.workflows.test_stages import run_six
    from workflows.settings import StoreSettings
    run_six({task!r}, StoreSettings(database={database!r}, spool={spool!r}))
"""


@pytest.mark.parametrize(
    ("task", "pause", "load"),
    [
        pytest.param("evaluate", 0.3, load_emt, marks=pytest.mark.slow),
        ("relax", 0.05, load_emt),
        pytest.param("neb", 0.05, load_emt, marks=pytest.mark.slow),
        pytest.param("relax", 0.3, load_gupta, marks=pytest.mark.slow),
        pytest.param("neb", 0.3, load_gupta, marks=pytest.mark.slow),
    ],
)
def test_a_kill_loses_only_the_unfinished_system(tmp_path, monkeypatch, task, pause, load):
    """One by one with ASE's engine, and in the midst of a batch."""
    monkeypatch.setattr("potentials.loading.load_potential", load)
    stores = StoreSettings(database=str(tmp_path / "r.db"), spool=str(tmp_path / "spool"))
    script = textwrap.dedent(KILLED).format(
        task=task,
        pause=pause,
        load=load.__name__,
        database=stores.database,
        spool=stores.spool,
    )
    process = subprocess.Popen([sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": "."})
    spool = tmp_path / "spool" / f"{task}.jsonl"
    deadline = time.monotonic() + 300
    while not spool.exists() or spool.read_bytes().count(b"\n") < 2:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    finished = spool.read_bytes().count(b"\n")
    assert finished < 6

    events = []
    with listening(events.append):
        documents = run_six(task, stores)
    assert events[0].reused == finished
    assert all(document.converged for document in documents)
    undisturbed = run_six(task, StoreSettings())
    energy = "barrier_ev" if task == "neb" else "energy_ev"
    energies = [getattr(document, energy) for document in documents]
    expected = [getattr(document, energy) for document in undisturbed]
    assert energies == pytest.approx(expected, abs=1e-9)
    assert not spool.exists()
