"""The repulsive core against Ziegler, Biersack and Littmark's formula."""

import math

import pytest
from ase import Atoms
from ase.data import atomic_numbers, covalent_radii

from potentials.distil.core import REACH, add_core, with_core
from potentials.distil.errors import DistillationError
from potentials.distil.network import architecture, save_trained
from potentials.potential import MacePotential
from potentials.tensors import load_network, save_network

ARGUMENTS = architecture([13, 29], [0.1, -0.2], 30.0, 0.5) | {
    "hidden_irreps": "4x0e",
    "radial_MLP": [8],
}


def zbl(one, other, r):
    """Universal repulsion of two nuclei, eV; r in Å."""
    za, zb = atomic_numbers[one], atomic_numbers[other]
    x = r / (0.8854 * 0.529177 / (za**0.23 + zb**0.23))
    phi = 0.1818 * math.exp(-3.2 * x) + 0.5099 * math.exp(-0.9423 * x)
    phi += 0.2802 * math.exp(-0.4028 * x) + 0.02817 * math.exp(-0.2016 * x)
    return 14.399645 * za * zb / r * phi


def energies(network, pair, distances):
    potential = MacePotential(network, name="t", sha256="0" * 64, dtype="float64", device="cpu")
    systems = [Atoms(pair, [[0, 0, 0], [0, 0, r]], cell=[15.0] * 3, pbc=True) for r in distances]
    return [found.energy for found in potential.engine().evaluate(systems)]


@pytest.mark.parametrize("pair", [("Al", "Al"), ("Al", "Cu"), ("Cu", "Cu")])
def test_close_pairs_are_repelled_as_nuclei_are_and_others_not_at_all(small_network, pair):
    repelled, wider = with_core(small_network, ARGUMENTS)
    assert wider == ARGUMENTS | {"pair_repulsion": True}
    reach = REACH * sum(covalent_radii[atomic_numbers[each]] for each in pair)
    parts = (0.2, 0.5, 0.8, 1.001, 1.3)
    distances = [part * reach for part in parts]
    before, after = (energies(each, pair, distances) for each in (small_network, repelled))
    for part, r, a, b in zip(parts, distances, before, after, strict=True):
        # Cut as 1 − 21 x⁵ + 35 x⁶ − 15 x⁷.
        cut = 1 - 21 * part**5 + 35 * part**6 - 15 * part**7 if part < 1 else 0.0
        assert b - a == pytest.approx(zbl(*pair, r) * cut, rel=2e-3, abs=1e-10)


def test_a_network_on_disk_gets_one_core_and_keeps_it_when_trained_on(small_network, tmp_path):
    stem = tmp_path / "model"
    save_network(small_network, ARGUMENTS, stem)
    add_core(tmp_path)
    repelled, wider = with_core(small_network, ARGUMENTS)
    wanted = energies(repelled, ("Cu", "Cu"), [0.8, 1.2, 2.5])
    assert energies(load_network(stem), ("Cu", "Cu"), [0.8, 1.2, 2.5]) == pytest.approx(wanted)
    save_trained(repelled, wider, stem)
    assert energies(load_network(stem), ("Cu", "Cu"), [0.8, 1.2, 2.5]) == pytest.approx(wanted)
    with pytest.raises(DistillationError, match="has a pair repulsion"):
        add_core(tmp_path)
