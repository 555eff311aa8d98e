"""NVIDIA's cuEquivariance kernels for a MACE network on a GPU, where they are installed."""

import importlib.util

import torch

from potentials.torch_state import process_kept


def with_cuequivariance(model: torch.nn.Module, device: torch.device) -> torch.nn.Module:
    """``model`` with cuEquivariance's kernels; ``model`` itself where they are not installed.

    Args:
        model: a network; one that is not a MACE comes back.
        device: the GPU it is on.
    """
    installed = importlib.util.find_spec("cuequivariance_torch") is not None
    if not installed or not (hasattr(model, "interactions") and hasattr(model, "products")):
        return model
    with process_kept(next(model.parameters()).dtype):
        from mace.cli.convert_e3nn_cueq import run

        converted: torch.nn.Module = run(model, device=device.type)
    return converted.to(device).eval().requires_grad_(False)
