import numpy as np
import pytest
import torch

from potentials.distil.frames import labelled
from potentials.distil.graphs import labelled_graphs
from potentials.distil.network import architecture
from potentials.distil.references import fit_references
from potentials.distil.training import Schedule, mean_errors, train
from potentials.tensors import build_network
from tests.potentials.distil.conftest import rattled


@pytest.fixture
def learnt(emt):
    frames = rattled(24, 0.15)
    return [labelled(f, label) for f, label in zip(frames, emt.label(frames), strict=True)]


def fresh(frames):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        energies = fit_references(frames, [13, 29], {13: 0.0, 29: 0.0})
        arguments = architecture([13, 29], energies, 40.0, 1.0)
        return build_network(arguments | {"hidden_irreps": "8x0e", "correlation": 2}, torch.float32)


def test_training_lowers_the_errors_and_goes_on_from_its_checkpoint(learnt, tmp_path):
    graphs = labelled_graphs(learnt, [13, 29], 5.0)
    network = fresh(learnt)
    start = mean_errors(network, graphs)
    # time is what a schedule gives: a share of a minute, then the rest of it from the checkpoint
    schedule = Schedule(0.08, batch_atoms=40, energy_weights=(40.0, 100.0))
    train(network, graphs, graphs, schedule, tmp_path / "c.pt")
    middle = mean_errors(network, graphs)
    assert middle.energy < start.energy
    assert middle.forces < start.forces
    steps = torch.load(tmp_path / "c.pt", weights_only=True)["steps"]
    again = fresh(learnt)
    train(again, graphs, graphs, schedule, tmp_path / "c.pt")
    assert torch.load(tmp_path / "c.pt", weights_only=True)["steps"] == steps


def test_errors_are_those_of_a_plain_loop(learnt):
    graphs = labelled_graphs(learnt[:5], [13, 29], 5.0)
    network = fresh(learnt)
    found = mean_errors(network, graphs)
    single = [mean_errors(network, [g]) for g in graphs]
    sizes = [len(f) for f in learnt[:5]]
    assert found.energy == pytest.approx(np.mean([e.energy for e in single]), rel=1e-3)
    assert found.forces == pytest.approx(
        np.average([e.forces for e in single], weights=sizes), rel=1e-3
    )
