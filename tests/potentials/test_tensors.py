import json

import pytest
import torch
from ase import Atoms
from ase.build import bulk

from potentials.errors import PotentialError
from potentials.tensors import build_network, load_network, save_network

ARGUMENTS = {
    "r_max": 4.2,
    "num_bessel": 4,
    "num_polynomial_cutoff": 5,
    "max_ell": 2,
    "interaction_cls": "RealAgnosticResidualInteractionBlock",
    "interaction_cls_first": "RealAgnosticResidualInteractionBlock",
    "num_interactions": 2,
    "num_elements": 2,
    "hidden_irreps": "8x0e",
    "MLP_irreps": "4x0e",
    "atomic_energies": [-1.9, -3.7],
    "avg_num_neighbors": 17.123456789,
    "atomic_numbers": [3, 29],
    "correlation": 3,
    "gate": "silu",
    "radial_MLP": [8],
    "radial_type": "bessel",
    "atomic_inter_scale": 0.7,
    "atomic_inter_shift": 0.0,
}


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return build_network(ARGUMENTS, torch.float64)


def outputs(network: torch.nn.Module) -> tuple[float, list[float], list[float]]:
    from mace.calculators import MACECalculator

    before = torch.get_default_dtype()
    atoms: Atoms = bulk("Cu", cubic=True) * (2, 1, 1)
    atoms.symbols[0] = "Li"
    atoms.rattle(0.1, seed=3)
    atoms.calc = MACECalculator(models=[network], device="cpu", default_dtype="float64")
    found = (
        float(atoms.get_potential_energy()),
        atoms.get_forces().ravel().tolist(),
        atoms.get_stress().tolist(),
    )
    torch.set_default_dtype(before)
    return found


def test_written_and_read_back_it_is_bitwise_the_same(network, tmp_path):
    save_network(network, ARGUMENTS, tmp_path / "model")
    assert outputs(load_network(tmp_path / "model")) == outputs(network)


def test_energies_do_depend_on_the_weights(network):
    with torch.random.fork_rng():
        torch.manual_seed(2)
        other = build_network(ARGUMENTS, torch.float64)
    assert outputs(other)[0] != outputs(network)[0]


def test_float32_is_the_same_network_rounded(network, tmp_path):
    save_network(network, ARGUMENTS, tmp_path / "model")
    rounded = load_network(tmp_path / "model", torch.float32)
    for (name, a), b in zip(network.named_parameters(), rounded.parameters(), strict=True):
        assert b.dtype == torch.float32, name
        assert torch.equal(a.float(), b)


def test_default_dtype_is_left_as_found(network, tmp_path):
    before = torch.get_default_dtype()
    save_network(network, ARGUMENTS, tmp_path / "model")
    load_network(tmp_path / "model", torch.float64)
    load_network(tmp_path / "model", torch.float32)
    assert torch.get_default_dtype() == before


def test_files_hold_no_pickle(network, tmp_path):
    save_network(network, ARGUMENTS, tmp_path / "model")
    assert json.loads((tmp_path / "model.json").read_text()) == ARGUMENTS
    header = (tmp_path / "model.safetensors").read_bytes()
    length = int.from_bytes(header[:8], "little")
    assert "__metadata__" not in json.loads(header[8 : 8 + length])


def test_missing_file_is_one_line(network, tmp_path):
    save_network(network, ARGUMENTS, tmp_path / "model")
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(PotentialError, match=r"model\.safetensors is missing") as caught:
        load_network(tmp_path / "model")
    assert "\n" not in str(caught.value)


def test_tensors_of_another_network_are_refused(network, tmp_path):
    save_network(network, ARGUMENTS, tmp_path / "model")
    deeper = ARGUMENTS | {"num_interactions": 3}
    (tmp_path / "model.json").write_text(json.dumps(deeper))
    with pytest.raises(PotentialError, match="does not fit"):
        load_network(tmp_path / "model")


def test_tensors_of_another_width_are_refused(network, tmp_path):
    save_network(network, ARGUMENTS, tmp_path / "model")
    (tmp_path / "model.json").write_text(json.dumps(ARGUMENTS | {"hidden_irreps": "4x0e"}))
    with pytest.raises(PotentialError, match="does not fit"):
        load_network(tmp_path / "model")
