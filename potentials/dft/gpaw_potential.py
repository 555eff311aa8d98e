"""GPAW as a potential: what labels frames is asked for like any other."""

import hashlib
import json
from importlib.util import find_spec
from pathlib import Path

from ase.calculators.calculator import Calculator

from potentials.cache import sha256_of
from potentials.dft.settings import dft_settings
from potentials.errors import PotentialError
from potentials.identity import PotentialIdentity
from potentials.potential import Potential, versions_of

PREFIX = "gpaw-"
INSTALL = (
    "`pip install 'lithiophile[dft]'` (on Debian after `apt-get install g++ libopenblas-dev "
    "libxc-dev libfftw3-dev libopenmpi-dev`)"
)


class GpawPotential(Potential):
    """PBE from GPAW's plane waves and PAW setups, one structure at a time.

    The identity's hash is that of the settings and of the setup files: what changes the numbers.
    """

    def __init__(self, name: str) -> None:
        """Find GPAW and its setups.

        Args:
            name: ``"gpaw-"`` and the name of the settings.

        Raises:
            PotentialError: for unknown settings, or without GPAW or its setups.
        """
        self.settings = dft_settings(name.removeprefix(PREFIX))
        setups = setup_files(self.settings.functional)
        content = json.dumps(self.settings.to_dict(), sort_keys=True)
        for symbol, path in sorted(setups.items()):
            content += f"\n{symbol} {sha256_of(path)}"
        identity = PotentialIdentity(
            name=name,
            sha256=hashlib.sha256(content.encode()).hexdigest(),
            head=None,
            dtype="float64",
            dispersion=None,
            versions=versions_of("ase", "gpaw", "gpaw-data"),
        )
        super().__init__(identity, setups)

    def ase_calculator(self) -> Calculator:
        """A new ASE calculator."""
        from potentials.dft.gpaw_calculator import GpawCalculator

        return GpawCalculator(self.settings)


def setup_files(functional: str) -> dict[str, Path]:
    """The setup file of each element that has one for ``functional``.

    Raises:
        PotentialError: without GPAW or its setups.
    """
    if find_spec("gpaw") is None:
        raise PotentialError(f"potential: GPAW is not installed; {INSTALL}")
    import gpaw

    found: dict[str, Path] = {}
    for folder in reversed(gpaw.setup_paths):
        for path in Path(folder).glob(f"*.{functional}.gz"):
            symbol, _, rest = path.name.partition(".")
            if rest == f"{functional}.gz":
                found[symbol] = path
    if not found:
        raise PotentialError("potential: GPAW has no setups here; `gpaw install-data FOLDER`")
    return found
