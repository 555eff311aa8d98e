"""The architecture of the distilled network."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ase import Atoms
from ase.neighborlist import neighbor_list

from potentials.tensors import build_network, save_network

CUTOFF = 5.0


def architecture(
    elements: Sequence[int], energies: Sequence[float], neighbours: float, force_scale: float
) -> dict[str, Any]:
    """Constructor's arguments of the distilled network, as JSON types.

    Two layers of scalar messages (MACE, Batatia et al., NeurIPS 2022) with a short radial
    perceptron: of the networks tried the most accurate for a given time on two CPU cores.

    Args:
        elements: atomic numbers that the network knows, sorted.
        energies: reference energy of each element, eV.
        neighbours: mean number of neighbours within the cutoff.
        force_scale: root mean square of the forces, eV/Å; the scale of the network's output.
    """
    return {
        "r_max": CUTOFF,
        "num_bessel": 8,
        "num_polynomial_cutoff": 5,
        "max_ell": 2,
        "interaction_cls": "RealAgnosticResidualInteractionBlock",
        "interaction_cls_first": "RealAgnosticResidualInteractionBlock",
        "num_interactions": 2,
        "num_elements": len(elements),
        "hidden_irreps": "32x0e",
        "MLP_irreps": "16x0e",
        "atomic_energies": list(energies),
        "avg_num_neighbors": neighbours,
        "atomic_numbers": list(elements),
        "correlation": 3,
        "gate": "silu",
        "radial_MLP": [32, 32],
        "radial_type": "bessel",
        "atomic_inter_scale": force_scale,
        "atomic_inter_shift": 0.0,
    }


def mean_neighbours(frames: Sequence[Atoms]) -> float:
    """Mean number of neighbours of an atom within `CUTOFF`."""
    counts = [len(neighbor_list("i", frame, CUTOFF)) for frame in frames]
    return float(sum(counts) / sum(len(frame) for frame in frames))


def force_scale(frames: Sequence[Atoms]) -> float:
    """Root mean square of the force components, eV/Å."""
    forces = [frame.get_forces(apply_constraint=False).ravel() for frame in frames]
    return float(np.sqrt(np.mean(np.concatenate(forces) ** 2)))


def save_trained(network: torch.nn.Module, arguments: Mapping[str, Any], stem: Path) -> None:
    """Write a float32 network in float64, its constants in full precision.

    Args:
        network: trained.
        arguments: constructor's arguments of the network.
        stem: path without extension.
    """
    exact = build_network(arguments, torch.float64)
    with torch.no_grad():
        for target, source in zip(exact.parameters(), network.parameters(), strict=True):
            target.copy_(source)
    core: Any = getattr(network, "pair_repulsion_fn", None)
    if core is not None:  # its constants are not MACE's own (`potentials.distil.core`)
        kept: Any = exact.pair_repulsion_fn
        kept.load_state_dict(core.state_dict())
    save_network(exact, arguments, stem)
