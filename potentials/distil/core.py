"""A repulsive core for a network that was shown no close pairs."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from potentials.distil.errors import DistillationError
from potentials.tensors import build_network, load_network, save_network
from potentials.torch_state import process_kept

REACH = 0.75
"""Of the sum of two covalent radii (Cordero et al., Dalton Trans. 2832 (2008)): the distance within
which the core repels. No pair in the trajectories up to 1000 K that `mini` is tested on is closer.
"""
SCREENING = (0.8854, 0.23)
"""Prefactor in Bohr radii and exponent of the universal screening length."""


def with_core(
    network: torch.nn.Module, arguments: Mapping[str, Any]
) -> tuple[torch.nn.Module, dict[str, Any]]:
    """The same network with the universal repulsion of nuclei added between close pairs.

    Nothing in relaxations and short trajectories tells a network that atoms which fall into each
    other are repelled; in a liquid they find the way, and the system flies apart. The term is
    MACE's own (Ziegler, Biersack and Littmark, The Stopping and Range of Ions in Solids (1985)),
    with the universal screening length, smoothly cut at `REACH`, and not scaled as the network's
    output is. At longer distances nothing changes.

    Args:
        network: in float64.
        arguments: constructor's arguments of the network.

    Returns:
        The new network in evaluation mode, and its arguments.
    """
    wider = dict(arguments) | {"pair_repulsion": True}
    repelled = build_network(wider, torch.float64)
    repelled.load_state_dict(network.state_dict(), strict=False)  # all but the core's constants
    core: Any = repelled.pair_repulsion_fn
    core.covalent_radii *= REACH
    core.c /= float(arguments["atomic_inter_scale"])
    core.a_prefactor.fill_(SCREENING[0])
    core.a_exp.fill_(SCREENING[1])
    return repelled, wider


def add_core(folder: Path) -> None:
    """Give the network in ``folder`` a core; its two files are replaced.

    Raises:
        DistillationError: a network that has a pair repulsion already.
        PotentialError: no network, or a damaged one.
    """
    stem = folder / "model"
    with process_kept():
        network = load_network(stem)
        arguments = json.loads(stem.with_suffix(".json").read_text())
        if arguments.get("pair_repulsion"):
            raise DistillationError(
                f"network: {folder} has a pair repulsion already; leave it as it is"
            )
        save_network(*with_core(network, arguments), stem)
