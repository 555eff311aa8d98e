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
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from tests.potentials.batched.networks import PlainPotential

GPU = torch.device("meta")
"""Its name: of torch's devices other than the CPU, the one that every build knows."""
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
        return _computed(func, args, kwargs or {})


def _computed(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What an operation gives: on the GPU, unless it only has to do with the CPU."""
    leaves = [each for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
    there = any(isinstance(each, GpuTensor) for each in leaves)
    device = kwargs.get("device")
    if not there and (device is None or device.type != GPU.type):
        return func(*args, **kwargs)
    if func is aten._local_scalar_dense.default:
        return args[0].held.item()
    if device is not None:
        kwargs = {**kwargs, "device": torch.device("cpu")}
    is_copy = func is aten._to_copy.default
    for each in leaves:
        # As on a GPU, a number may come from the host.
        if each.dim() and not isinstance(each, GpuTensor) and not is_copy:
            raise RuntimeError(f"{func}: tensors on the CPU and on a GPU in one operation")
    result = func(*tree_map(_held, args), **tree_map(_held, kwargs))
    if is_copy and device is not None and device.type == "cpu":
        return result
    if func._schema.is_mutable:
        return kwargs.get("out", args[0])
    return tree_map(_on_gpu, result)


def _held(value: Any) -> Any:
    return value.held if isinstance(value, GpuTensor) else value


def _on_gpu(value: Any) -> Any:
    plain = isinstance(value, Tensor) and not isinstance(value, GpuTensor)
    return GpuTensor(value) if plain else value


class _MadeOnGpu(TorchDispatchMode):
    """Lets ``device=GPU`` make tensors on the pretended GPU and bring them there."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return _computed(func, args, kwargs or {})


class _SeenOnHost(TorchFunctionMode):
    """Lets the host make and see tensors by values, which torch does beside its operations."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if func is Tensor.tolist:
            return _held(args[0]).tolist()
        if func is torch.tensor:
            device = kwargs.pop("device", "cpu")
            return func(*args, **kwargs).to(device)
        return func(*args, **kwargs)


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
        _ModelOnGpu(potential.model), potential.symbols, potential.r_max, device=GPU.type
    )


class _Generator(torch.Generator):
    """One of the CPU, whatever device is asked for."""

    def __new__(cls, _device: torch.device) -> "_Generator":
        return super().__new__(cls, "cpu")


@contextmanager
def pretended_gpu() -> Iterator[None]:
    """A process that has a pretended GPU."""
    with pytest.MonkeyPatch.context() as patch, _MadeOnGpu(), _SeenOnHost():
        patch.setattr(torch, "Generator", _Generator)
        yield
