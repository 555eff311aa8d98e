import numpy as np
import pytest
import torch
from ase.build import bulk
from ase.calculators.calculator import PropertyNotImplementedError
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms

from potentials.distil.errors import DistillationError
from potentials.distil.frames import labelled, read_frames, write_frames
from potentials.distil.graphs import batches, collate, graph_of, labelled_graphs
from potentials.distil.network import force_scale
from potentials.distil.teacher import AseTeacher, Label
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


def test_frozen_atoms_keep_their_forces(emt, tmp_path):
    """As in frames of a relaxation that DFT ran with frozen layers."""
    (frame,) = rattled(1)
    (label,) = emt.label([frame])
    frame.set_constraint(FixAtoms([0, 1]))
    assert emt.label([frame])[0].forces == pytest.approx(label.forces)
    write_frames(tmp_path / "dft.extxyz", [labelled(frame, label)])
    (back,) = read_frames([tmp_path / "dft.extxyz"])
    assert back.constraints
    (graph,) = labelled_graphs([back], [13, 29], 4.0)
    assert abs(label.forces[:2]).max() > 0.1
    np.testing.assert_allclose(graph.forces, label.forces, atol=1e-5)
    assert force_scale([back]) == pytest.approx(np.sqrt((label.forces**2).mean()), rel=1e-5)


def test_a_teacher_without_stress_labels_energy_and_forces():
    class NoStress(EMT):
        def get_property(self, name, *arguments, **options):
            if name == "stress":
                raise PropertyNotImplementedError
            return super().get_property(name, *arguments, **options)

    (label,) = AseTeacher(NoStress()).label(rattled(1))
    assert label.stress is None
    assert abs(label.forces).max() > 0.1


def test_what_cannot_be_learnt_is_one_line(emt, tmp_path):
    (frame,) = rattled(1)
    (label,) = emt.label([frame])
    frame.numbers[:2] = (12, 79)  # one between the two that are known, one beyond them
    with pytest.raises(DistillationError, match="the network has no Mg, Au; "):
        labelled_graphs([labelled(frame, label)], [13, 29], 4.0)
    with pytest.raises(DistillationError, match="Cu has no energy and forces; label it"):
        labelled_graphs([bulk("Cu")], [29], 4.0)
    (tmp_path / "text.extxyz").write_text("no frames")
    for name in ("text.extxyz", "none.extxyz"):
        with pytest.raises(DistillationError, match=f"{name} cannot be read"):
            read_frames([tmp_path / name])
