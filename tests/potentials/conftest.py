from pathlib import Path

import pytest

from potentials.potential import CalculatorPotential, MacePotential
from tests.potentials.networks import random_mace


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own, so that nothing of the user's is read or written."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("LITHIOPHILE_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def mace() -> MacePotential:
    """A random MACE network for Li and Cu in float64, with ZBL repulsion."""
    return random_mace(("Li", "Cu"))


@pytest.fixture(scope="session")
def emt() -> CalculatorPotential:
    """ASE's effective-medium potential, analytic and fast."""
    from ase.calculators.emt import EMT

    return CalculatorPotential(EMT, name="emt", elements=("Al", "Cu", "Ag", "Au", "Ni", "Pd", "Pt"))
