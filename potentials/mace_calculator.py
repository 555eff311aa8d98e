"""mace's ASE calculator without its side effects on the process."""

from typing import Any

import torch
from ase import Atoms
from ase.calculators.calculator import all_changes

from potentials.torch_state import process_kept, products_in, torch_settings_kept

with process_kept():
    from mace.calculators import MACECalculator


class MaceCalculator(MACECalculator):
    """Energy (eV), forces (eV/Å) and stress (eV/Å³) of one structure by a MACE network."""

    def __init__(self, model: torch.nn.Module, *, device: str, dtype: str, head: str) -> None:
        # mace extends this list in place; without one of our own it would be that of every
        # ASE calculator in the process
        self.implemented_properties = []
        self._products = dtype
        with process_kept():
            stored = "float32" if dtype == "tf32" else dtype
            super().__init__(models=[model], device=device, default_dtype=stored, head=head)

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Any = None,
        system_changes: Any = all_changes,
    ) -> None:
        """As ASE's; torch's default dtype comes back even where the evaluation raises."""
        with torch_settings_kept(), products_in(self._products):
            super().calculate(atoms, properties, system_changes)
