"""Small MACE networks with random weights, of the architectures of the published models."""

import copy
from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from ase.data import atomic_numbers

from potentials.potential import MacePotential
from potentials.torch_state import process_kept


def random_network(
    elements: Sequence[str] = ("Li", "Cu"),
    *,
    heads: Sequence[str] = (),
    dtype: torch.dtype = torch.float64,
    density: bool = False,
) -> torch.nn.Module:
    """A scale-shift MACE network with random weights and ZBL repulsion, so that relaxations end.

    Args:
        elements: chemical symbols it covers.
        heads: names of its heads; none for a network without named heads.
        dtype: of its weights.
        density: the density-normalised interaction blocks of the newer published models.
    """
    return copy.deepcopy(_built(tuple(elements), tuple(heads), density)).to(dtype)


def random_mace(
    elements: Sequence[str] = ("Li", "Cu"),
    *,
    heads: Sequence[str] = (),
    head: str | None = None,
    dtype: str = "float64",
    device: str = "cpu",
    density: bool = False,
) -> MacePotential:
    """`random_network` as a potential."""
    network = random_network(elements, heads=heads, density=density)
    return MacePotential(
        network, name="random", sha256="0" * 64, head=head, dtype=dtype, device=device
    )


@cache
def _built(elements: tuple[str, ...], heads: tuple[str, ...], density: bool) -> torch.nn.Module:
    """Two seconds of compiling each."""
    with process_kept(torch.float64), torch.random.fork_rng(devices=[]):
        from e3nn import o3
        from mace import modules

        torch.manual_seed(0)
        numbers = sorted(atomic_numbers[symbol] for symbol in elements)
        n_heads = max(len(heads), 1)
        energies = np.random.default_rng(0).uniform(-3.0, -1.0, (n_heads, len(numbers)))
        kind = "Density" if density else ""
        blocks = modules.interaction_classes
        return modules.ScaleShiftMACE(
            r_max=4.5,
            num_bessel=8,
            num_polynomial_cutoff=5,
            max_ell=2,
            interaction_cls=blocks[f"RealAgnostic{kind}ResidualInteractionBlock"],
            interaction_cls_first=blocks[f"RealAgnostic{kind}InteractionBlock"],
            num_interactions=2,
            num_elements=len(numbers),
            hidden_irreps=o3.Irreps("8x0e + 8x1o"),
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
            heads=list(heads) or None,
        )
