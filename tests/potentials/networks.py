"""Small MACE networks with random weights, of the architectures of the published models."""

import copy
from collections.abc import Sequence
from functools import cache
from typing import Any, Literal

import numpy as np
import torch
from ase.data import atomic_numbers

from potentials.potential import MacePotential
from potentials.torch_state import process_kept

Architecture = Literal["mp-0", "mpa-0", "mh-1"]


def random_network(
    elements: Sequence[str] = ("Li", "Cu"),
    *,
    heads: Sequence[str] = (),
    dtype: torch.dtype = torch.float64,
    architecture: Architecture = "mpa-0",
) -> torch.nn.Module:
    """A MACE network with random weights; ZBL repulsion (not in mp-0) makes relaxations end.

    Args:
        elements: chemical symbols it covers.
        heads: names of its heads; none for a network without named heads.
        dtype: of its weights.
        architecture: of the published model that it stands for.
    """
    built = _built(tuple(elements), tuple(heads), architecture)
    with process_kept():
        return copy.deepcopy(built).to(dtype)


def random_mace(
    elements: Sequence[str] = ("Li", "Cu"),
    *,
    heads: Sequence[str] = (),
    head: str | None = None,
    dtype: str = "float64",
    device: str = "cpu",
    architecture: Architecture = "mpa-0",
) -> MacePotential:
    """`random_network` as a potential."""
    network = random_network(elements, heads=heads, architecture=architecture)
    return MacePotential(
        network, name="random", sha256="0" * 64, head=head, dtype=dtype, device=device
    )


@cache
def _built(
    elements: tuple[str, ...], heads: tuple[str, ...], architecture: Architecture
) -> torch.nn.Module:
    """Two seconds of compiling each."""
    with process_kept(torch.float64), torch.random.fork_rng(devices=[]):
        from e3nn import o3
        from mace import modules

        torch.manual_seed(0)
        numbers = sorted(atomic_numbers[symbol] for symbol in elements)
        n_heads = max(len(heads), 1)
        energies = np.random.default_rng(0).uniform(-3.0, -1.0, (n_heads, len(numbers)))
        first, later, special = _blocks(architecture)
        return modules.ScaleShiftMACE(
            r_max=4.5,
            num_bessel=8,
            num_polynomial_cutoff=5,
            max_ell=2,
            interaction_cls=modules.interaction_classes[f"RealAgnostic{later}InteractionBlock"],
            interaction_cls_first=modules.interaction_classes[
                f"RealAgnostic{first}InteractionBlock"
            ],
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
            atomic_inter_scale=[0.5] * n_heads if heads else 0.5,
            atomic_inter_shift=[0.0] * n_heads if heads else 0.0,
            heads=list(heads) or None,
            **special,
        )


def _blocks(architecture: Architecture) -> tuple[str, str, dict[str, Any]]:
    """First and later interaction block and what else is particular to an architecture."""
    if architecture == "mp-0":
        return "Residual", "Residual", {}
    repulsive = {"pair_repulsion": True, "distance_transform": "Agnesi"}
    if architecture == "mpa-0":
        return "Density", "DensityResidual", repulsive
    from e3nn import o3

    return (
        "ResidualNonLinear",
        "ResidualNonLinear",
        repulsive
        | {
            "apply_cutoff": False,
            "use_reduced_cg": False,
            "use_edge_irreps_first": True,
            "use_agnostic_product": True,
            "edge_irreps": o3.Irreps("4x0e + 4x1o"),
        },
    )
