import numpy as np
import torch

from potentials.distil.frames import labelled
from potentials.distil.graphs import batches, collate, graph_of, labelled_graphs
from potentials.distil.teacher import Label
from tests.potentials.distil.conftest import rattled


def test_batch_gives_what_maces_own_calculator_gives(small_network):
    from mace.calculators import MACECalculator

    before = torch.get_default_dtype()
    frames = rattled(4)
    calculator = MACECalculator(models=[small_network], device="cpu", default_dtype="float64")
    torch.set_default_dtype(before)
    batch = collate([graph_of(f, [13, 29], 5.0) for f in frames], 2)
    batch = {k: v.double() if v.is_floating_point() else v for k, v in batch.items()}
    # graphs are made in single precision; what is compared is their content
    found = small_network(batch, compute_stress=True)
    start = 0
    for i, frame in enumerate(frames):
        frame.calc = calculator
        assert abs(float(found["energy"][i]) - frame.get_potential_energy()) < 1e-5 * len(frame)
        forces = found["forces"][start : start + len(frame)].detach().numpy()
        np.testing.assert_allclose(forces, frame.get_forces(), atol=2e-5)
        stress = found["stress"][i].detach().numpy()
        np.testing.assert_allclose(stress, frame.get_stress(voigt=False), atol=1e-6)
        start += len(frame)
    torch.set_default_dtype(before)


def test_labels_arrive_and_a_missing_stress_counts_for_nothing(emt):
    frames = rattled(2)
    full, bare = emt.label(frames)
    bare = Label(bare.energy, bare.forces, None)
    graphs = labelled_graphs([labelled(frames[0], full), labelled(frames[1], bare)], [13, 29], 5.0)
    batch = collate(graphs, 2)
    np.testing.assert_allclose(batch["energy"], [full.energy, bare.energy], rtol=1e-6)
    np.testing.assert_allclose(batch["forces"][: len(frames[0])], full.forces, atol=1e-5)
    np.testing.assert_allclose(batch["stress"][0], full.stress, atol=1e-6)
    assert batch["has_stress"].tolist() == [1.0, 0.0]
    assert not batch["stress"][1].any()


def test_every_graph_is_in_one_batch_of_the_size_asked_for():
    graphs = [graph_of(f, [13, 29], 4.0) for f in rattled(9)]
    groups = list(batches(graphs, 16, np.random.default_rng(0)))
    assert sorted(id(g) for group in groups for g in group) == sorted(map(id, graphs))
    assert all(sum(len(g.species) for g in group) <= 16 for group in groups)
