"""A MACE network as tensors (safetensors) plus its constructor's arguments (JSON), without pickle.

A checkpoint that MACE itself writes is a pickle, and loading one runs code; these two files hold
numbers and plain JSON types only.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from potentials.errors import PotentialError

_CLASSES = ("interaction_cls", "interaction_cls_first")
_IRREPS = ("hidden_irreps", "MLP_irreps")


def build_network(arguments: Mapping[str, Any], dtype: torch.dtype) -> torch.nn.Module:
    """A ScaleShiftMACE network with fresh weights.

    Args:
        arguments: the constructor's arguments as JSON types: classes and the gate by name, irreps
            as strings, ``atomic_energies`` as a list (eV, in the order of ``atomic_numbers``).
        dtype: of weights and buffers.

    Returns:
        The network in evaluation mode; the process's default dtype is left as found.
    """
    from mace import modules

    # e3nn through mace: imported first, e3nn 0.4 cannot read its own constants with torch >= 2.6
    irreps = modules.models.o3.Irreps
    # MACE's own default depends on whether cuEquivariance is installed: without it, the full basis.
    given = {"use_reduced_cg": False} | dict(arguments)
    given |= {name: modules.interaction_classes[given[name]] for name in _CLASSES}
    given |= {name: irreps(given[name]) for name in _IRREPS}
    given["gate"] = modules.gate_dict[given["gate"]]
    given["atomic_energies"] = np.array(given["atomic_energies"])
    with _default_dtype(dtype):
        return modules.ScaleShiftMACE(**given).eval()


def save_network(network: torch.nn.Module, arguments: Mapping[str, Any], stem: Path) -> None:
    """Write ``<stem>.safetensors`` and ``<stem>.json``; each appears only when complete.

    Args:
        network: built by `build_network` from ``arguments``.
        arguments: the constructor's own arguments; those read back from a network are not exact.
        stem: path without extension.
    """
    # safetensors has no view and MACE keeps tensors without elements as place-holders
    state = {n: t.detach().contiguous().cpu() for n, t in network.state_dict().items() if t.numel()}
    tensors, description = stem.with_suffix(".safetensors"), stem.with_suffix(".json")
    tensors.with_suffix(".partial").write_bytes(save(state))
    tensors.with_suffix(".partial").rename(tensors)
    description.with_suffix(".partial").write_text(json.dumps(dict(arguments), indent=2) + "\n")
    description.with_suffix(".partial").rename(description)


def load_network(stem: Path, dtype: torch.dtype = torch.float64) -> torch.nn.Module:
    """The network that `save_network` wrote, without running any code from the files.

    Args:
        stem: path without extension.
        dtype: of weights and buffers.

    Returns:
        The network in evaluation mode, on the CPU.

    Raises:
        PotentialError: if a file is missing or damaged, or the tensors are not those of the network
            described.
    """
    tensors, description = stem.with_suffix(".safetensors"), stem.with_suffix(".json")
    for path in (tensors, description):
        if not path.is_file():
            raise PotentialError(f"potential file {path} is missing; install the package again")
    try:
        network = build_network(json.loads(description.read_text()), dtype)
        stored = load_file(tensors)
    except (ValueError, TypeError, KeyError, AttributeError, SafetensorError) as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        raise PotentialError(
            f"potential: {tensors.parent} is damaged ({said}); install or convert it again"
        ) from error
    state = network.state_dict()
    wanted = {name: tensor.shape for name, tensor in state.items() if tensor.numel()}
    if wanted != {name: tensor.shape for name, tensor in stored.items()}:
        raise PotentialError(
            f"{tensors} does not fit {description.name}; convert the network again"
        )
    network.load_state_dict(stored, strict=False)  # not the place-holders without elements
    return network


@contextmanager
def _default_dtype(dtype: torch.dtype) -> Iterator[None]:
    """Torch's default dtype for the time of a construction."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
