"""NVIDIA's cuEquivariance kernels for a MACE network on a GPU, where they are installed."""

import importlib
import logging

import torch

from potentials.torch_state import process_kept

logger = logging.getLogger(__name__)


def with_cuequivariance(model: torch.nn.Module, device: torch.device) -> torch.nn.Module:
    """``model`` with cuEquivariance's kernels; ``model`` itself where they are not installed.

    Args:
        model: a network; one that is not a MACE comes back.
        device: the GPU it is on; on a CPU cuEquivariance computes without its kernels.
    """
    is_mace = hasattr(model, "interactions") and hasattr(model, "products")
    if not is_mace or not _imports("cuequivariance_torch"):
        return model
    if device.type == "cuda" and not _imports("cuequivariance_ops_torch"):
        # The kernels are a package of their own, one for each CUDA; MACE's conversion for a GPU
        # fails without it.
        logger.warning(
            "cuEquivariance is installed without its kernels; the network runs without them"
            " (pip install cuequivariance-ops-torch-cu13, or -cu12 where torch is built for that)"
        )
        return model
    with process_kept(next(model.parameters()).dtype):
        from mace.cli.convert_e3nn_cueq import run

        converted: torch.nn.Module = run(model, device=device.type)
    return converted.to(device).eval().requires_grad_(False)


def _imports(name: str) -> bool:
    """Whether package ``name`` is there and of use; kernels for another CUDA are not."""
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True
