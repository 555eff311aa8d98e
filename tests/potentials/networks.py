"""Small MACE networks with random weights, of the architectures of the published models."""

from collections.abc import Sequence

import numpy as np
import torch
from ase.data import atomic_numbers

from potentials.potential import MacePotential
from potentials.torch_state import process_kept


def random_network(
    elements: Sequence[str] = ("Li", "Cu"),
    *,
    heads: Sequence[str] | None = None,
    dtype: torch.dtype = torch.float64,
    channels: int = 8,
    r_max: float = 4.5,
    seed: int = 0,
    density: bool = False,
) -> torch.nn.Module:
    """A scale-shift MACE network with random weights and ZBL repulsion, so that relaxations end.

    Args:
        elements: chemical symbols it covers.
        heads: names of its heads; None for one.
        dtype: of its weights.
        channels: scalar and vector channels of a node.
        r_max: cutoff, Å.
        seed: of the weights.
        density: the density-normalised interaction blocks of the newer published models.
    """
    with process_kept(dtype):
        from e3nn import o3
        from mace import modules

        torch.manual_seed(seed)
        numbers = sorted(atomic_numbers[symbol] for symbol in elements)
        n_heads = len(heads) if heads else 1
        energies = np.random.default_rng(seed).uniform(-3.0, -1.0, (n_heads, len(numbers)))
        blocks = modules.interaction_classes
        first, later = (
            ("RealAgnosticDensityInteractionBlock", "RealAgnosticDensityResidualInteractionBlock")
            if density
            else ("RealAgnosticInteractionBlock", "RealAgnosticResidualInteractionBlock")
        )
        return modules.ScaleShiftMACE(
            r_max=r_max,
            num_bessel=8,
            num_polynomial_cutoff=5,
            max_ell=2,
            interaction_cls=blocks[later],
            interaction_cls_first=blocks[first],
            num_interactions=2,
            num_elements=len(numbers),
            hidden_irreps=o3.Irreps(f"{channels}x0e + {channels}x1o"),
            MLP_irreps=o3.Irreps(f"{8 * n_heads}x0e"),
            gate=torch.nn.functional.silu,
            atomic_energies=energies if heads else energies[0],
            avg_num_neighbors=12.0,
            atomic_numbers=numbers,
            correlation=2,
            radial_type="bessel",
            pair_repulsion=True,
            atomic_inter_scale=[0.5] * n_heads if heads else 0.5,
            atomic_inter_shift=[0.0] * n_heads if heads else 0.0,
            heads=list(heads) if heads else None,
        )


def random_mace(
    elements: Sequence[str] = ("Li", "Cu"),
    *,
    heads: Sequence[str] | None = None,
    head: str | None = None,
    dtype: str = "float64",
    device: str = "cpu",
    seed: int = 0,
    density: bool = False,
) -> MacePotential:
    """`random_network` as a potential."""
    network = random_network(elements, heads=heads, seed=seed, density=density)
    return MacePotential(
        network, name="random", sha256="0" * 64, head=head, dtype=dtype, device=device
    )
