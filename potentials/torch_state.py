"""Leaves the process as found: torch's default dtype and threads, the terminal, the environment.

mace and chgnet change torch's global default dtype, print notices, log through the root logger and
(mace) set an environment variable that makes every later ``torch.load`` of the user run pickled
code. All calls into them go through `process_kept`.
"""

import contextlib
import io
import logging
import os
import warnings
from collections.abc import Iterator
from typing import Any

import torch

_FORCED_UNSAFE_LOAD = "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"


@contextlib.contextmanager
def torch_settings_kept(dtype: torch.dtype | None = None) -> Iterator[None]:
    """Put torch's default dtype and number of threads back on leaving, whatever happened inside.

    Args:
        dtype: default dtype that holds inside; None leaves it.
    """
    dtype_before, threads_before = torch.get_default_dtype(), torch.get_num_threads()
    if dtype is not None:
        torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(dtype_before)
        if torch.get_num_threads() != threads_before:
            torch.set_num_threads(threads_before)


@contextlib.contextmanager
def products_in(dtype: str) -> Iterator[None]:
    """Let matrix products of float32 use TensorFloat-32 inside, if ``dtype`` is ``"tf32"``.

    Args:
        dtype: a potential's (`potentials.potential.MACE_DTYPES`).
    """
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if dtype == "tf32" else before)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


@contextlib.contextmanager
def same_bits_on(device: str) -> Iterator[None]:
    """Have a GPU give the same bits for the same input, in every process, as a CPU does anyway.

    Sums over edges and atoms are then sorted instead of added up in the order of chance (torch's
    deterministic algorithms,
    https://docs.pytorch.org/docs/stable/generated/torch.use_deterministic_algorithms.html); of an
    operation that has no such algorithm torch warns. TorchScript does not optimise: it would fuse
    the operations of later calls, but not of a process's first ones, into kernels that round
    otherwise. cuBLAS needs no ``CUBLAS_WORKSPACE_CONFIG``, since torch gives each of its handles a
    workspace (https://github.com/pytorch/pytorch/pull/161749).

    NVIDIA's cuEquivariance kernels are not reached by this. Written from the documentation; not yet
    run on a GPU.

    Args:
        device: a potential's; on a CPU nothing is changed.
    """
    if torch.device(device).type == "cpu":
        yield
        return
    memory: Any = torch.utils.deterministic
    jit: Any = torch.jit
    mode_before = torch.get_deterministic_debug_mode()
    fills_before = memory.fill_uninitialized_memory
    try:
        torch.set_deterministic_debug_mode(max(mode_before, 1))  # 1 warns, 2 is an error
        # Costs time, and nothing here reads memory that it has not written.
        memory.fill_uninitialized_memory = False
        with jit.optimized_execution(False):
            yield
    finally:
        memory.fill_uninitialized_memory = fills_before
        torch.set_deterministic_debug_mode(mode_before)


@contextlib.contextmanager
def process_kept(dtype: torch.dtype | None = None) -> Iterator[None]:
    """As `torch_settings_kept`, and quiet: no printed line, warning or new log handler comes out.

    Args:
        dtype: default dtype that holds inside; None leaves it.
    """
    root = logging.getLogger()
    handlers_before, forced_before = root.handlers[:], os.environ.get(_FORCED_UNSAFE_LOAD)
    if not handlers_before:  # else logging.info() would install a handler that prints
        root.addHandler(logging.NullHandler())
    try:
        with (
            torch_settings_kept(dtype),
            torch.serialization.safe_globals([slice]),  # what e3nn's own constants hold
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        root.handlers[:] = handlers_before
        if forced_before is None:
            os.environ.pop(_FORCED_UNSAFE_LOAD, None)
        else:
            os.environ[_FORCED_UNSAFE_LOAD] = forced_before
