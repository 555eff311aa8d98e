"""A GPU that is not there: tensors that say they are on one, and are computed on the CPU.

As on a GPU, tensors of two devices do not go into one operation, and what the host wants to see has
to be brought to it. It does not show what a GPU's own arithmetic, memory or speed would.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

from tests.potentials.batched.networks import PlainPotential

GPU = torch.device("cuda", 0)
aten = torch.ops.aten


class GpuTensor(Tensor):
    """A tensor that says it is on `GPU`; ``held`` has its values."""

    held: Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, held: Tensor) -> "GpuTensor":
        made: GpuTensor = Tensor._make_wrapper_subclass(
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=GPU,
        )
        made.held = held
        return made

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if func is aten._local_scalar_dense.default:
            return args[0].held.item()
        device = kwargs.get("device")
        if func is aten._to_copy.default:
            copied = func(_held(args[0]), **{**kwargs, "device": torch.device("cpu")})
            return copied if device is not None and device.type == "cpu" else GpuTensor(copied)
        for each in tree_leaves((args, kwargs)):
            # As on a GPU, a number may come from the host.
            if isinstance(each, Tensor) and not isinstance(each, GpuTensor) and each.dim():
                raise RuntimeError(f"{func}: tensors on the CPU and on a GPU in one operation")
        if device is not None:
            kwargs["device"] = torch.device("cpu")
        result = func(*tree_map(_held, args), **tree_map(_held, kwargs))
        if func._schema.is_mutable:
            return kwargs.get("out", args[0])
        return tree_map(_on_gpu, result)


def _held(value: Any) -> Any:
    return value.held if isinstance(value, GpuTensor) else value


def _on_gpu(value: Any) -> Any:
    plain = isinstance(value, Tensor) and not isinstance(value, GpuTensor)
    return GpuTensor(value) if plain else value


class _MadeOnGpu(TorchFunctionMode):
    """Lets ``device="cuda"`` make and take tensors to the pretended GPU."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        named = isinstance(kwargs.get("device"), str | torch.device)
        if named and torch.device(kwargs["device"]).type == GPU.type:
            kwargs["device"] = "cpu"
            if func is Tensor.to and isinstance(args[0], GpuTensor):
                del kwargs["device"]
            return _on_gpu(func(*args, **kwargs))
        if func is Tensor.to:
            kept = [each for each in args if each != GPU.type and not _is_gpu(each)]
            if len(kept) < len(args):
                here = func(*kept, **kwargs) if len(kept) > 1 or kwargs else kept[0]
                return _on_gpu(here)
        return func(*args, **kwargs)


def _is_gpu(value: Any) -> bool:
    return isinstance(value, torch.device) and value.type == GPU.type


class _ModelOnGpu(torch.nn.Module):
    """A model that takes and gives tensors of the pretended GPU."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, data: dict[str, Tensor], **options: bool) -> dict[str, Tensor | None]:
        here = [name for name, values in data.items() if not isinstance(values, GpuTensor)]
        assert not here, f"{here} are not on the GPU"
        out = self.model({name: values.held for name, values in data.items()}, **options)
        return tree_map(_on_gpu, out)


def on_pretended_gpu(potential: PlainPotential) -> PlainPotential:
    """``potential`` as if on `GPU`; its model computes as before."""
    return PlainPotential(
        _ModelOnGpu(potential.model), potential.symbols, potential.r_max, device="cuda"
    )


@contextmanager
def pretended_gpu(bytes_free: int) -> Iterator[None]:
    """A process that has a GPU with so much memory left, of which a pass takes 1 MB."""
    with pytest.MonkeyPatch.context() as patch, _MadeOnGpu():
        for name, value in {
            "device_count": 1,
            "memory_allocated": 0,
            "max_memory_allocated": 10**6,
            "memory_reserved": 0,
            "mem_get_info": (bytes_free, bytes_free),
            "reset_peak_memory_stats": None,
            "empty_cache": None,
        }.items():
            patch.setattr(torch.cuda, name, lambda *_, value=value: value)
        generator = torch.Generator
        patch.setattr(torch, "Generator", lambda _: generator("cpu"))
        yield
