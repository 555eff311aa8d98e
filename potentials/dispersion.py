"""Grimme's D3 dispersion correction, added to a potential that was trained without."""

from typing import Any

from ase.calculators.calculator import Calculator

from potentials.errors import PotentialError
from potentials.potential import MACE_DTYPES
from potentials.torch_state import process_kept


def d3_calculator(correction: str, *, device: str, dtype: str) -> Calculator:
    """The correction as an ASE calculator.

    D3 of Grimme et al., J. Chem. Phys. 132, 154104 (2010), Becke-Johnson damping of Grimme,
    Ehrlich and Goerigk, J. Comput. Chem. 32, 1456 (2011), pairs within 40 Bohr as in mace.

    Args:
        correction: ``"d3-bj-<functional>"``.
        device: torch device.
        dtype: ``"float64"``, ``"float32"`` or ``"tf32"``.

    Raises:
        PotentialError: if torch-dftd is not installed or has no such functional.
    """
    kind, _, functional = correction.rpartition("-")
    if kind != "d3-bj" or not functional:
        raise PotentialError(
            f"dispersion: {correction!r} is unknown; use 'd3' or 'd3-bj-<functional>'"
        )
    try:
        from torch_dftd.torch_dftd3_calculator import (  # type: ignore[import-not-found]
            TorchDFTD3Calculator,
        )
    except ModuleNotFoundError:
        raise PotentialError(
            f"dispersion: {correction!r} needs torch-dftd; `pip install torch-dftd`"
        ) from None
    from ase.units import Bohr

    class QuietD3Calculator(TorchDFTD3Calculator):
        """Without its warnings about its own use of torch."""

        def calculate(self, *arguments: Any, **options: Any) -> None:
            with process_kept():
                super().calculate(*arguments, **options)

    try:
        with process_kept():
            return QuietD3Calculator(
                device=device,
                damping="bj",
                xc=functional,
                cutoff=40.0 * Bohr,
                dtype=MACE_DTYPES[dtype],
            )
    except ValueError:
        raise PotentialError(
            f"dispersion: D3 has no parameters for {functional!r}; use 'pbe' or 'r2scan'"
        ) from None
