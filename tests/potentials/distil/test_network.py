import numpy as np
import pytest
import torch
from ase import Atoms

from potentials.distil.core import with_core
from potentials.distil.network import architecture, save_trained
from potentials.distil.teacher import NetworkTeacher
from potentials.tensors import load_network


def test_a_trained_network_keeps_its_core(small_network, tmp_path):
    arguments = architecture([13, 29], [0.1, -0.2], 30.0, 0.5)
    arguments |= {"hidden_irreps": "4x0e", "radial_MLP": [8]}
    network, arguments = with_core(small_network, arguments)
    close = Atoms("CuCu", [[0, 0, 0], [0, 0, 1.2]], cell=np.eye(3) * 12.0, pbc=True)
    apart = Atoms("CuCu", [[0, 0, 0], [0, 0, 2.4]], cell=np.eye(3) * 12.0, pbc=True)
    wanted = [label.energy for label in NetworkTeacher(network).label([close, apart])]
    assert wanted[0] > wanted[1] + 10.0
    save_trained(network, arguments, tmp_path / "model")
    again = load_network(tmp_path / "model", torch.float32)
    found = [label.energy for label in NetworkTeacher(again).label([close, apart])]
    assert found == pytest.approx(wanted, rel=1e-4)
