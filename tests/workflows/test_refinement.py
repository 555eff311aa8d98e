import numpy as np
import pytest
import torch
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator

from potentials.distil.network import architecture
from potentials.distil.training import Schedule
from potentials.loading import load_potential
from potentials.tensors import build_network, save_network
from potentials.torch_state import process_kept
from tests.workflows.emt_potential import load_emt
from workflows.errors import WorkflowError
from workflows.frame_validation import read_frames
from workflows.places import ThisProcess
from workflows.refinement import label_plan, label_seconds, plan_refinement, refine_on_frames


def _silent(_event):
    pass


@pytest.fixture
def stand_in(tmp_path):
    """A foundation model's architecture with random weights, small, for copper and gold."""
    arguments = architecture([29, 79], [0.1, -0.2], 30.0, 0.5)
    arguments |= {"hidden_irreps": "4x0e", "radial_MLP": [8]}
    folder = tmp_path / "stand-in"
    folder.mkdir()
    with process_kept(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        save_network(build_network(arguments, torch.float32), arguments, folder / "model")
    return str(folder)


def shaken(n: int, first: int = 0):
    frames = []
    for seed in range(first, first + n):
        atoms = bulk("Cu", cubic=True)
        atoms.numbers[: seed % 3] = 79
        atoms.rattle(0.1, seed=seed)
        atoms.info = {"system": f"run {seed}"}
        frames.append(atoms)
    return frames


def labelled(frames):
    for atoms in frames:
        atoms.calc = EMT()
        energy, forces = atoms.get_potential_energy(), atoms.get_forces()
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=forces)
    return frames


def test_a_plan_is_made_once_and_costs_what_its_labels_cost(stand_in, tmp_path):
    committee = [load_potential(stand_in), load_emt("emt")]
    folder = tmp_path / "refine"
    known = shaken(2)
    plan = plan_refinement(shaken(6), committee, "gpaw-pbe-quick", 1e9, known, folder)
    assert plan.candidates == 6
    assert len(plan.frames) == 4  # two are known
    assert plan.seconds == pytest.approx(sum(label_seconds(plan.frames, "gpaw-pbe-quick")))
    assert all(frame.info["disagreement"] > 0 for frame in plan.frames)
    again = plan_refinement(shaken(6), committee, "gpaw-pbe-quick", 1.0, [], folder)
    assert len(again.frames) == 4
    with pytest.raises(WorkflowError, match="raise --limit-hours"):
        plan_refinement(shaken(6), committee, "gpaw-pbe-quick", 1.0, [], tmp_path / "other")


def test_a_label_of_a_network_is_estimated_by_its_atoms() -> None:
    small, large = shaken(1)[0], shaken(1)[0] * (3, 3, 3)
    one, other = label_seconds([small, large], "chgnet")
    assert other == pytest.approx(27 * one)
    assert other < label_seconds([large], "gpaw-pbe-quick")[0] / 100


def test_the_limit_bounds_the_plan(stand_in, tmp_path):
    committee = [load_potential(stand_in), load_emt("emt")]
    each = label_seconds(shaken(1), "gpaw-pbe-quick")[0]
    plan = plan_refinement(
        shaken(6), committee, "gpaw-pbe-quick", 2.6 * each, [], tmp_path / "refine"
    )
    assert 1 <= len(plan.frames) <= 2
    assert plan.seconds <= 2.6 * each


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_labels_stand_in_the_folder_with_what_failed(emt, tmp_path):
    committee = [load_emt("emt"), load_emt("emt")]
    plan = plan_refinement(shaken(3), committee, "emt", 60.0, [], tmp_path)
    plan.frames[1].positions[0] = plan.frames[1].positions[1]
    done = label_plan(plan, emt, tmp_path, _silent, ThisProcess())
    assert len(read_frames(tmp_path / "labelled.extxyz")) == len(done.frames) == 2
    assert len((tmp_path / "failed.txt").read_text().splitlines()) == 1


@pytest.mark.slow
def test_refining_brings_a_stand_in_nearer_to_its_labels_on_held_out_frames(stand_in, tmp_path):
    frames = labelled(shaken(90))
    compared = refine_on_frames(
        stand_in, frames, tmp_path / "tuned", Schedule(0.05, learning_rate=0.01)
    )
    before, after = compared.before[0], compared.after[0]
    assert before.frames == after.frames >= 3
    assert after.force_mae_mev < before.force_mae_mev
    assert abs(after.force_slope - 1.0) < abs(before.force_slope - 1.0)
    again = load_potential(compared.model)
    (result,) = again.engine().evaluate([frames[0]])
    assert np.isfinite(result.energy)


def test_frames_of_other_elements_are_no_training(stand_in, tmp_path):
    lithium = bulk("Li")
    lithium.calc = SinglePointCalculator(lithium, energy=0.0, forces=np.zeros((1, 3)))
    with pytest.raises(WorkflowError, match="covers none of them"):
        refine_on_frames(stand_in, [lithium], tmp_path / "tuned", Schedule(0.05))
