"""The fused network against the network it was made from."""

import pytest
import torch
from torch import Tensor

from potentials.batched.fused import PolynomialContraction, ScalarConvolution, fused
from tests.potentials.batched.networks import random_mace


def random_graph(dtype: torch.dtype, n_elements: int) -> dict[str, Tensor]:
    """Forty atoms in two systems with some twenty edges each, sorted by receiver."""
    generator = torch.Generator().manual_seed(3)
    n_atoms = 40
    receiver = torch.arange(n_atoms).repeat_interleave(torch.arange(5, 5 + n_atoms) // 2)
    sender = torch.randint(0, n_atoms, receiver.shape, generator=generator)
    sender = sender % 20 + 20 * (receiver >= 20)
    species = torch.randint(0, n_elements, (n_atoms,), generator=generator)
    direction = torch.randn((len(receiver), 3), generator=generator, dtype=torch.float64)
    length = 2.0 + 2.9 * torch.rand((len(receiver), 1), generator=generator, dtype=torch.float64)
    return {
        "positions": torch.zeros((n_atoms, 3), dtype=dtype),
        "cell": torch.eye(3, dtype=dtype).repeat(2, 1),
        "unit_shifts": (length * torch.nn.functional.normalize(direction, dim=1)).to(dtype),
        "shifts": (length * torch.nn.functional.normalize(direction, dim=1)).to(dtype),
        "edge_index": torch.stack([sender, receiver]),
        "node_attrs": torch.nn.functional.one_hot(species, n_elements).to(dtype),
        "batch": (torch.arange(n_atoms) >= 20).long(),
        "ptr": torch.tensor([0, 20, 40]),
        "head": torch.zeros(2, dtype=torch.int64),
    }


@pytest.mark.parametrize(
    ("dtype", "tolerance", "hidden_irreps", "correlation"),
    [
        ("float64", 1e-11, "8x0e", 3),
        ("float64", 1e-11, "8x0e", 1),
        ("float64", 1e-11, "8x0e+8x1o", 2),
        ("float32", 2e-4, "8x0e", 3),
    ],
)
def test_gives_the_numbers_of_the_network(
    dtype: str, tolerance: float, hidden_irreps: str, correlation: int
) -> None:
    potential = random_mace(dtype, hidden_irreps=hidden_irreps, correlation=correlation)
    graph = random_graph(next(potential.model.parameters()).dtype, len(potential.atomic_numbers))
    expected = potential.model(dict(graph), compute_stress=True)
    got = fused(potential.model)(dict(graph), compute_stress=True)
    assert expected["forces"].abs().max() > 0.1
    for key in ("energy", "forces", "stress"):
        scale = expected[key].abs().max()
        assert (got[key] - expected[key]).abs().max() < tolerance * scale, key


def test_replaces_both_parts_of_a_scalar_network() -> None:
    faster = fused(random_mace().model)
    assert all(isinstance(block.conv_tp, ScalarConvolution) for block in faster.interactions)
    assert all(
        isinstance(product.symmetric_contractions, PolynomialContraction)
        for product in faster.products
    )


def test_leaves_the_network_alone_and_shares_its_weights() -> None:
    model = random_mace().model
    before = [type(module) for module in model.modules()]
    faster = fused(model)
    assert [type(module) for module in model.modules()] == before
    assert next(faster.parameters()) is next(model.parameters())


def test_a_lonely_atom_has_no_messages() -> None:
    potential = random_mace()
    graph = random_graph(torch.float64, len(potential.atomic_numbers))
    near = graph["edge_index"][1] > 0
    graph["edge_index"] = graph["edge_index"][:, near & (graph["edge_index"][0] > 0)]
    kept = near & (random_graph(torch.float64, 4)["edge_index"][0] > 0)
    graph["shifts"], graph["unit_shifts"] = graph["shifts"][kept], graph["unit_shifts"][kept]
    expected = potential.model(dict(graph))
    got = fused(potential.model)(dict(graph))
    assert torch.allclose(got["energy"], expected["energy"], atol=1e-10)
    assert got["forces"][0].abs().max() == 0
