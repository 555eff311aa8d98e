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
