"""What gives energies and forces: named and local models, safe loading, and their engines."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from potentials.catalogue import fetch, list_potentials, potential_info, verify
    from potentials.errors import PotentialError
    from potentials.identity import PotentialIdentity
    from potentials.loading import load_potential
    from potentials.potential import CalculatorPotential, MacePotential, Potential
    from potentials.protocol import Band, Calculation, Engine, MinimumEnergyPath
    from potentials.trust import trust_file

_HOMES = {
    "Band": "protocol",
    "Calculation": "protocol",
    "CalculatorPotential": "potential",
    "Engine": "protocol",
    "MacePotential": "potential",
    "MinimumEnergyPath": "protocol",
    "Potential": "potential",
    "PotentialError": "errors",
    "PotentialIdentity": "identity",
    "fetch": "catalogue",
    "list_potentials": "catalogue",
    "load_potential": "loading",
    "potential_info": "catalogue",
    "trust_file": "trust",
    "verify": "catalogue",
}

__all__ = [
    "Band",
    "Calculation",
    "CalculatorPotential",
    "Engine",
    "MacePotential",
    "MinimumEnergyPath",
    "Potential",
    "PotentialError",
    "PotentialIdentity",
    "fetch",
    "list_potentials",
    "load_potential",
    "potential_info",
    "trust_file",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Import torch and pymatgen only where a name needs them."""
    if name not in _HOMES:
        raise AttributeError(f"module 'potentials' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"potentials.{_HOMES[name]}"), name)
