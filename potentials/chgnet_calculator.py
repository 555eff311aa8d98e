"""chgnet's ASE calculator: silent, in the precision asked for, without magnetic moments."""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from ase import Atoms

from potentials.potential import DTYPES
from potentials.torch_state import process_kept

with process_kept():
    from chgnet.graph import converter
    from chgnet.model import model as network_module
    from chgnet.model.dynamics import CHGNetCalculator
    from chgnet.model.model import CHGNet

_MODULES_WITH_DTYPE: tuple[Any, ...] = (converter, network_module)


class ChgnetCalculator(CHGNetCalculator):
    """Energy (eV), forces (eV/Å) and stress (eV/Å³) of one structure by CHGNet."""

    def __init__(self, model: CHGNet, *, device: str, dtype: str) -> None:
        self._dtype = DTYPES[dtype]
        with process_kept():
            super().__init__(model, use_device=device, on_isolated_atoms="ignore")

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Any = None,
        system_changes: Any = None,
        task: Any = "efs",
    ) -> None:
        """As ASE's; without the magnetic moments, which nothing here uses."""
        with process_kept(self._dtype), _graphs_in(self._dtype):
            super().calculate(atoms, properties, system_changes, task=task)


@contextlib.contextmanager
def _graphs_in(dtype: torch.dtype) -> Iterator[None]:
    """Have chgnet build its graphs in ``dtype``: a constant of two of its modules."""
    before = converter.TORCH_DTYPE
    for module in _MODULES_WITH_DTYPE:
        module.TORCH_DTYPE = dtype
    try:
        yield
    finally:
        for module in _MODULES_WITH_DTYPE:
            module.TORCH_DTYPE = before
